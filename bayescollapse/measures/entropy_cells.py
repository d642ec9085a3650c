"""What posteriors claim and know, replicate by replicate, beside the prior and a reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from bayescollapse.measures.entropy_draws import joint_log_density
from bayescollapse.measures.entropy_errors import Cells, paired_share
from bayescollapse.measures.entropy_kernels import gaussian_entropy, gaussian_log_density
from bayescollapse.measures.priors import PriorFigures

__all__ = ["about_truth", "normal_entropy", "prior_gains", "shares_of"]


def prior_gains(cells: dict[str, Cells], prior: PriorFigures) -> dict[str, Cells]:
    """Entropy of the prior minus that of the posterior, of margins and together.

    Parameters
    ----------
    cells : dict of str to Cells
        ``entropy``, and ``joint_entropy`` if the run has one.
    prior : PriorFigures
        Prior of every parameter, whose entropies are estimated in the same way.
    """
    out = {"information_gain": _gain(cells["entropy"].values, prior)}
    if "joint_entropy" in cells:
        joint = replace(prior, together=True)
        out["joint_gain"] = _gain(cells["joint_entropy"].values, joint)
    return out


def _gain(entropy: xr.DataArray, prior: PriorFigures) -> Cells:
    return Cells((prior.entropy - entropy).transpose(*entropy.dims), prior.effects, prior.error)


def _known(density: xr.DataArray, truth: xr.DataArray, prior: PriorFigures) -> Cells:
    """Log density of the truth, posterior over prior."""
    values = (density - prior.log_density(truth)).transpose(*density.dims)
    return Cells(values, error=prior.density_error(truth))


def about_truth(
    run: xr.DataTree,
    moments: tuple[xr.DataArray, xr.DataArray],
    truth: xr.DataArray | None,
    known: tuple[xr.DataArray, xr.DataArray] | None,
    prior: PriorFigures | None,
    cells: dict[str, Cells],
) -> dict[str, Cells]:
    """Compare log densities of the truth with one another, and with the prior's.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    moments, known : tuple of DataArray
        Means and sds of the run on (scheme, replicate, generation, parameter), and those of a
        reference if the run has it.
    truth : DataArray, optional
        Truths on (replicate, parameter); nothing is compared without them.
    prior : PriorFigures, optional
        Prior of every parameter.
    cells : dict of str to Cells
        Has ``joint_entropy`` if joint measures exist.
    """
    if truth is None:
        return {}
    now = _log_density(*moments, truth)
    out = {"lost_per_generation": Cells((now.shift(generation=1) - now).transpose(*now.dims))}
    if known is not None:
        best = _log_density(*known, truth)
        out["lost_to_reference"] = Cells((best - now).transpose(*now.dims))
    if prior is not None:
        out["information_known"] = _known(now, truth, prior)
    if prior is not None and "joint_entropy" in cells:
        together = joint_log_density(run, truth, moments[0])
        out["joint_known"] = _known(together, truth, replace(prior, together=True))
    return out


def shares_of(
    moments: tuple[xr.DataArray, xr.DataArray],
    known: tuple[xr.DataArray, xr.DataArray],
    truth: xr.DataArray | None,
    prior: PriorFigures,
) -> dict[str, xr.DataArray]:
    """Compare what is claimed and known with what the reference claims and knows.

    Parameters
    ----------
    moments, known : tuple of DataArray
        Means and sds of the run on (scheme, replicate, generation, parameter), and those of the
        reference.
    truth : DataArray, optional
        Truths on (replicate, parameter); the share of what is claimed alone without them.
    prior : PriorFigures
        Prior of every parameter, by normals.
    """
    claims = [_gain(normal_entropy(sd), prior) for _, sd in (moments, known)]
    shares = paired_share("share_claimed", *claims)
    if truth is None:
        return shares
    knows = [_known(_log_density(*pair, truth), truth, prior) for pair in (moments, known)]
    return shares | paired_share("share_kept", *knows)


def normal_entropy(sd: xr.DataArray) -> xr.DataArray:
    """Entropy of normals with these sds, -inf for a point mass."""
    with np.errstate(divide="ignore"):
        return sd.copy(data=gaussian_entropy(2 * np.log(sd.to_numpy()), 1))


def _log_density(mean: xr.DataArray, sd: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        square = ((truth - mean) / sd).transpose(*mean.dims) ** 2
        logs = 2 * np.log(sd.to_numpy())
        return mean.copy(data=gaussian_log_density(square.to_numpy(), logs, 1))
