"""Predictions as every run records them: held-out density, moments and quantiles of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from bayescollapse.measures.divergence_from_truth import held_out_truth
from bayescollapse.measures.layout import LEAD, flatten, group, has_group
from bayescollapse.measures.references import reference_density
from bayescollapse.measures.registry import LackingError, lacking

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["emitted_shifts", "held_out_loss", "recorded_cells", "statistics_of_rows"]

DENSITY = "held_out_log_density"
MOMENTS = ("emitted_mean_shift", "emitted_log_sd_ratio", "emitted_quantile_shift")


def held_out_loss(
    run: xr.DataTree, *, reference: str = "first", experiment: Experiment | None = None
) -> xr.DataArray:
    """Held-out log density of a reference minus that of every cell.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    reference : {"first", "truth", "real_only", "real_seen", "real_plus"}, default "first"
        Generation 0, the truth itself, or a posterior of real rows.
    experiment : Experiment, optional
        The experiment of the run, which the truth's density needs.

    Returns
    -------
    DataArray
        On (scheme, replicate, generation), in nats per row.

    Raises
    ------
    LackingError
        If the run or the reference has no held-out densities.
    """
    if not _has_density(run):
        raise LackingError(lacking("held_out_loss", "held-out rows"))
    density = group(run, "predictive", needed_for="held_out_loss")[DENSITY].transpose(*LEAD)
    if reference == "first":
        other = density.isel(generation=0, drop=True)
    elif reference != "truth":
        other = reference_density(run, reference)
    elif experiment is None:
        why = "no density of the truth"
        raise LackingError(lacking("held_out_loss", "experiment", because=why))
    else:
        other = xr.DataArray(held_out_truth(experiment), dims="replicate")
    return (other - density).transpose(*LEAD).rename(None)


def recorded_cells(run: xr.DataTree) -> dict[str, xr.DataArray]:
    """Everything here that a run recorded, against generation 0.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    """
    out = {"held_out_loss": held_out_loss(run)} if _has_density(run) else {}
    return out if statistics_of_rows(run) is None else out | emitted_shifts(run)


def _has_density(run: xr.DataTree) -> bool:
    return has_group(run, "predictive") and DENSITY in run["predictive"]


def emitted_shifts(run: xr.DataTree, other: xr.DataArray | None = None) -> dict[str, xr.DataArray]:
    """Moments and quantiles of emitted rows minus those of a reference, in its sds.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    other : DataArray, optional
        Statistics of the reference's rows, on ``response``, ``statistic`` and any dimensions of the
        run; those of generation 0 if not given.

    Returns
    -------
    dict of str to DataArray
        On (scheme, replicate, generation, response), quantiles also on ``statistic``.

    Raises
    ------
    LackingError
        If the run emitted no rows.
    """
    flat = statistics_of_rows(run)
    if flat is None:
        raise LackingError(lacking(MOMENTS, "emitted rows"))
    first = flat.isel(generation=0, drop=True) if other is None else other
    scale = first.sel(statistic="sd", drop=True)
    scale = scale.where(scale > 0)
    shift, ratio = (flat - first) / scale, flat.sel(statistic="sd", drop=True) / scale
    order = (*LEAD, "response")
    ratio = ratio.transpose(*order)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = ratio.copy(data=np.log(ratio.to_numpy()))
    out = {
        "emitted_mean_shift": shift.sel(statistic="mean", drop=True).transpose(*order),
        "emitted_log_sd_ratio": ratio,
    }
    quantiles = [s for s in flat["statistic"].values.tolist() if str(s).startswith("q")]
    if quantiles:
        chosen = shift.sel(statistic=quantiles)
        out["emitted_quantile_shift"] = chosen.transpose(*order, "statistic")
    return out


def statistics_of_rows(run: xr.DataTree) -> xr.DataArray | None:
    """Moments and quantiles of emitted rows: (scheme, replicate, generation, statistic, response).

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    """
    if not has_group(run, "predictive"):
        return None
    recorded = group(run, "predictive", needed_for="predictive drift")
    responses = recorded.drop_vars(DENSITY, errors="ignore")
    if not responses.data_vars:
        return None
    flat = flatten(responses, (*LEAD, "statistic")).rename(parameter="response")
    return flat.drop_vars("variable")
