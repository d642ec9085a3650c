"""Means over replicates whose standard errors hold that of the prior's figures."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from bayescollapse.measures.drift import over_replicates
from bayescollapse.measures.kernels import mean_and_error
from bayescollapse.measures.labels import Words
from bayescollapse.measures.worth import paired_ratio

__all__ = ["Cells", "paired_share", "with_errors"]


@dataclass(frozen=True)
class Cells:
    """A measure of every replicate, and what else the error of its mean comes from.

    Parameters
    ----------
    values : DataArray
        On ``replicate`` and others.
    effects : DataArray or float, default 0
        First-order effect of every replicate's truth on a figure that all replicates share, with
        mean 0.
    error : DataArray or float, default 0
        Standard error of such a figure from draws of its own.
    """

    values: xr.DataArray
    effects: xr.DataArray | float = 0.0
    error: xr.DataArray | float = 0.0

    @property
    def varying(self) -> xr.DataArray:
        """Values with the effects: their spread is that of the mean."""
        return (self.values + self.effects).transpose(*self.values.dims)


def with_errors(cells: dict[str, Cells], words: Words) -> xr.Dataset:
    """Mean, Monte Carlo standard error and median over replicates.

    Parameters
    ----------
    cells : dict of str to Cells
        Measures by name.
    words : dict of str to tuple of str
        Meaning and unit of every measure.
    """
    out = over_replicates({name: cell.values for name, cell in cells.items()}, words)
    for name, cell in cells.items():
        mcse, varying = out[f"{name}_mcse"], cell.varying
        narrow = mean_and_error(varying.to_numpy(), varying.dims.index("replicate"))[1]
        wide = (mcse.copy(data=narrow) ** 2 + cell.error**2) ** 0.5
        out[f"{name}_mcse"] = wide.transpose(*mcse.dims).assign_attrs(mcse.attrs)
    return out


def paired_share(name: str, part: Cells, whole: Cells) -> dict[str, xr.DataArray]:
    """Ratio of the means of two measures that share a figure, with its standard error.

    Parameters
    ----------
    name : str
        Name of the measure.
    part, whole : Cells
        Measures of which the figure is a summand, with the error of `part`.

    Notes
    -----
    First order: a change of the shared figure by e changes the share by (1 - share) e over the mean
    of `whole`. Effects of replicates are paired in both.
    """
    out = paired_ratio(name, [part.varying], [whole.varying])
    share, mcse = out[name], out[f"{name}_mcse"]
    shared = (1 - share) / whole.values.mean("replicate", skipna=False) * part.error
    wide = ((mcse**2 + shared**2) ** 0.5).transpose(*mcse.dims)
    return {name: share, f"{name}_mcse": wide.assign_attrs(mcse.attrs)}
