"""Risk of a lineage: squared error of its posterior mean, or held-out loss of its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.measures.layout import LEAD, cells_of, group, has_group, like_run, truth_of
from bayescollapse.measures.registry import lacking

__all__ = ["Risk", "lineage_risk", "standard_errors"]

Floats = NDArray[np.float64]


class Risk(NamedTuple):
    """Risk of every cell.

    Attributes
    ----------
    kind : {"error", "held_out"}
        What it is.
    values : ndarray, shape (scheme, replicate, generation)
        Squared error of the posterior mean, each parameter's in units of its posterior variance at
        generation 0 (mean over replicates; its mean squared error there if the method gives points
        alone), averaged over parameters; or held-out log density lost since generation 0, in nats
        per row.
    """

    kind: str
    values: Floats

    @property
    def relative(self) -> bool:
        """Whether ratios of it mean something."""
        return self.kind == "error"


def lineage_risk(
    run: xr.DataTree,
    *,
    kind: str | None = None,
    var_names: str | Sequence[str] | None = None,
) -> Risk | None:
    """Risk of every cell of a run.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    kind : {"error", "held_out"}, optional
        What the risk is; the error where every true parameter is known, else the held-out loss, if
        not given.
    var_names : str or sequence of str, optional
        Parameters of the error; all if not given.

    Returns
    -------
    Risk or None
        None where no `kind` was asked for and the run has neither.

    Raises
    ------
    ValueError
        If `kind` is unknown, or the run does not have it.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=3, replicates=4,
    ... ).run(progress=False)
    >>> lineage_risk(run).kind, lineage_risk(run).values.shape
    ('error', (1, 4, 3))
    """
    if kind not in (None, "error", "held_out"):
        raise ValueError(f"risk must be 'error' or 'held_out', got {kind!r}")
    if kind != "held_out":
        errors = standard_errors(run, var_names=var_names)
        if errors is not None:
            return Risk("error", errors[0])
        if kind == "error":
            raise ValueError(lacking("risk='error'", "truth", because="true values are missing"))
    loss = _held_out_loss(run)
    if loss is not None:
        return Risk("held_out", loss)
    if kind == "held_out":
        raise ValueError(lacking("risk='held_out'", "held-out rows"))
    return None


def standard_errors(
    run: xr.DataTree, *, var_names: str | Sequence[str] | None = None
) -> tuple[Floats, Floats | None] | None:
    """Squared errors in units of generation 0's posterior variance, averaged over parameters.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    var_names : str or sequence of str, optional
        Parameters; all if not given.

    Returns
    -------
    tuple or None
        Of every cell (scheme, replicate, generation), and of fits to each generation's real rows
        alone (replicate, generation), which are None where the run has none; None where not every
        true value is known.
    """
    mean, sd = cells_of(run, "mean", var_names), cells_of(run, "sd", var_names)
    truth = truth_of(run, mean)
    if truth is None or bool(truth.isnull().any()):
        return None
    first = sd.isel(generation=0, scheme=0, drop=True)
    scale = (first**2).mean("replicate", skipna=False)
    # A point estimate claims no variance: its own first error is the unit then.
    start = ((mean - truth) ** 2).isel(generation=0, scheme=0, drop=True)
    scale = scale.where(scale > 0, start.mean("replicate", skipna=False))
    error = _average(mean, truth, scale).transpose(*LEAD).to_numpy()
    real = like_run(run, "reference/real_only", "mean", mean)
    if real is None:
        return error, None
    alone = _average(real, truth, scale)
    return error, alone.transpose("replicate", "generation").to_numpy()


def _average(mean: xr.DataArray, truth: xr.DataArray, scale: xr.DataArray) -> xr.DataArray:
    return ((mean - truth) ** 2 / scale).mean("parameter", skipna=False)


def _held_out_loss(run: xr.DataTree) -> Floats | None:
    if not has_group(run, "predictive"):
        return None
    recorded = group(run, "predictive", needed_for="held-out loss")
    if "held_out_log_density" not in recorded:
        return None
    density = recorded["held_out_log_density"].transpose(*LEAD).to_numpy()
    return np.asarray(density[..., :1] - density)
