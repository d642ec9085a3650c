"""Predictive drift: how far what a generation predicts and emits has moved from the real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import share
from bayescollapse.measures.category_kernels import (
    category_counts,
    category_entropy,
    chance_of_difference,
    relative_mass,
    support_loss,
)
from bayescollapse.measures.divergence_from_truth import truth_divergence
from bayescollapse.measures.drift import over_replicates
from bayescollapse.measures.layout import LEAD, flatten, group, has_group
from bayescollapse.measures.predictive_table import WORDS
from bayescollapse.measures.registry import lacking
from bayescollapse.measures.row_kernels import (
    far_share,
    find_basins,
    mean_difference,
    neighbour_entropy,
    tail_ratio,
)
from bayescollapse.measures.row_samples import Kernel, RowSamples, row_samples

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["predictive_cells", "predictive_drift"]

Floats = NDArray[np.float64]

ROWS = (
    "tail_mass",
    "rare_mass",
    "support_loss",
    "modes_kept",
    "far_rows",
    "entropy_change",
    "diversity",
)
MOMENTS = ("emitted_mean_shift", "emitted_log_sd_ratio", "emitted_quantile_shift")
DENSITY = "held_out_log_density"


def predictive_drift(
    run: xr.DataTree,
    *,
    experiment: Experiment | None = None,
    rare: float = 0.05,
    tail: float = 0.05,
    kept: float = 0.25,
    rows: int = 500,
    progress: bool = False,
) -> xr.Dataset:
    r"""Measure how far what each generation predicts has moved.

    Every measure is computed within each replicate and reduced over replicates to its mean, the
    Monte Carlo standard error of that mean (``_mcse``) and its median (``_median``). The mean mass
    of a rare category can stay constant while it is lost in most lineages: read both.

    ===================== =========================================================================
    variable              value in one replicate
    ===================== =========================================================================
    held_out_loss         held-out log density of generation 0 minus generation t's, nats per row
    truth_divergence      Kullback-Leibler divergence of the predictive from the truth, nats per row
    emitted_mean_shift    mean of emitted rows minus generation 0's, in generation 0's sds
    emitted_log_sd_ratio  log ratio of the sd of emitted rows to generation 0's
    emitted_quantile_shift quantiles of emitted rows minus generation 0's, in generation 0's sds
    tail_mass             mass beyond the real rows' outer quantiles, relative to theirs
    rare_mass             mass of categories that are rare among real rows, relative to theirs
    support_loss          real mass of categories that are not emitted, beyond chance
    modes_kept            share of the real rows' modes that hold at least `kept` of their mass
    far_rows              share of rows out of range, in a gap between modes, or of a new category
    entropy_change        entropy of emitted rows minus the real rows', nats
    diversity             mean distance between two emitted rows, relative to the real rows'
    ===================== =========================================================================

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    experiment : Experiment, optional
        The experiment of the run. Gives ``truth_divergence``, and the measures of emitted rows of a
        run that did not keep all rows, whose lineages are then run again.
    rare : float, default 0.05
        Largest real probability of a rare category, 0 to 1.
    tail : float, default 0.05
        Real mass of both tails together, above 0 and below 1.
    kept : float, default 0.25
        Smallest share of its mass that a mode must keep, 0 to 1.
    rows : int, default 500
        Rows behind ``truth_divergence``.
    progress : bool, default False
        Show a progress bar where something takes long.

    Returns
    -------
    Dataset
        ``held_out_loss``, ``truth_divergence`` and ``truth_divergence_error`` (its standard error
        from the finite number of rows, mean over replicates) on (scheme, generation); the others on
        (scheme, generation, response), ``emitted_quantile_shift`` also on ``statistic``.
        ``attrs["missing"]`` says what the run cannot give, and how to get it.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If a number is out of range.

    Notes
    -----
    Measures of emitted rows see the rows that trained the next generation, after any selection,
    each entry of a response by itself; the last generation trained nobody and is missing. Their
    reference is the real rows of generation 0, all replicates together. ``entropy_change`` and
    ``modes_kept`` compare samples of different sizes: read changes over generations, not levels.
    In a response of integers every value is a category; modes are then the categories that are not
    rare, the distance between two rows is 0 or 1, and there are no tails.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.measures import predictive_drift
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=3, replicates=4, keep_rows="all",
    ... ).run(progress=False)
    >>> predictive_drift(run)["diversity"].dims
    ('scheme', 'generation', 'response')
    """
    missing: list[str] = []
    cells = predictive_cells(run, experiment=experiment, rare=rare, tail=tail, kept=kept)
    missing += cells.attrs["missing"]
    arrays = {str(name): array for name, array in cells.items()}
    if experiment is None:
        missing.append(lacking("truth_divergence", "experiment", because="no density of the truth"))
    else:
        try:
            divergence = truth_divergence(run, experiment, rows=rows, progress=progress)
        except ValueError as reason:
            missing.append(str(reason))
        else:
            arrays |= {str(name): array for name, array in divergence.items()}
    out = over_replicates(arrays, WORDS)
    return out.assign_attrs(missing="; ".join(missing))


def predictive_cells(
    run: xr.DataTree,
    *,
    experiment: Experiment | None = None,
    rare: float = 0.05,
    tail: float = 0.05,
    kept: float = 0.25,
) -> xr.Dataset:
    """Measure every replicate's predictions, before they are reduced.

    Parameters
    ----------
    run, experiment, rare, tail, kept
        As for :func:`predictive_drift`.

    Returns
    -------
    Dataset
        The variables of :func:`predictive_drift` without ``truth_divergence``, on (scheme,
        replicate, generation) and their own dimensions; ``attrs["missing"]`` is a list.
    """
    share("rare", rare)
    share("kept", kept)
    if not 0 < tail < 1:
        raise ValueError(f"tail must lie above 0 and below 1, got {tail!r}")
    group(run, "summary", needed_for="predictive drift")
    missing: list[str] = []
    arrays = _moments(run, missing)
    try:
        samples = row_samples(run, experiment=experiment)
    except ValueError as reason:
        missing.append(f"{', '.join(ROWS)}: {reason}")
    else:
        arrays |= _rows(samples, _coords(run), rare, tail, kept)
    return xr.Dataset(arrays).assign_attrs(missing=missing)


def _moments(run: xr.DataTree, missing: list[str]) -> dict[str, xr.DataArray]:
    """Measures of what every run records: held-out density, moments and quantiles."""
    recorded = xr.Dataset()
    if has_group(run, "predictive"):
        recorded = group(run, "predictive", needed_for="predictive drift")
    out: dict[str, xr.DataArray] = {}
    if DENSITY in recorded:
        density = recorded[DENSITY].transpose(*LEAD)
        out["held_out_loss"] = (density.isel(generation=0, drop=True) - density).transpose(*LEAD)
    else:
        missing.append(lacking("held_out_loss", "held-out rows"))
    responses = recorded.drop_vars(DENSITY, errors="ignore")
    if not responses.data_vars:
        missing.append(lacking(MOMENTS, "emitted rows"))
        return out
    flat = flatten(responses, (*LEAD, "statistic")).rename(parameter="response")
    flat = flat.drop_vars("variable")
    first = flat.isel(generation=0, drop=True)
    scale = first.sel(statistic="sd", drop=True)
    scale = scale.where(scale > 0)
    shift, ratio = (flat - first) / scale, flat.sel(statistic="sd", drop=True) / scale
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = ratio.copy(data=np.log(ratio.to_numpy()))
    order = (*LEAD, "response")
    out["emitted_mean_shift"] = shift.sel(statistic="mean", drop=True).transpose(*order)
    out["emitted_log_sd_ratio"] = ratio.transpose(*order)
    quantiles = [s for s in flat["statistic"].values.tolist() if str(s).startswith("q")]
    if quantiles:
        chosen = shift.sel(statistic=quantiles)
        out["emitted_quantile_shift"] = chosen.transpose(*order, "statistic")
    return out


def _rows(
    samples: RowSamples, coords: dict[str, Any], rare: float, tail: float, kept: float
) -> dict[str, xr.DataArray]:
    labels = list(samples.real)
    values: dict[str, Floats] = {}
    for i, label in enumerate(labels):
        real = samples.real[label]
        if samples.discrete[label]:
            kernel = _discrete(real, rare=rare, kept=kept)
        else:
            kernel = _continuous(real, tail=tail, kept=kept)
        for name, value in samples.apply(kernel, label).items():
            empty = np.full((*samples.shape, len(labels)), np.nan)
            values.setdefault(name, empty)[..., i] = value
    coords = coords | {"response": labels}
    return {n: xr.DataArray(v, coords=coords, dims=(*LEAD, "response")) for n, v in values.items()}


def _continuous(real: NDArray[Any], *, tail: float, kept: float) -> Kernel:
    """Give the kernel of a continuous response."""
    basins = find_basins(real)
    entropy, difference = neighbour_entropy(real), mean_difference(real)

    def kernel(rows: NDArray[Any]) -> dict[str, Floats]:
        x = np.sort(rows, axis=-1)
        place = np.searchsorted(basins.edges, x)
        mass = category_counts(place, np.arange(basins.mass.size))[..., :-1] / x.shape[-1]
        return {
            "tail_mass": tail_ratio(x, real, tail=tail),
            "modes_kept": (mass >= kept * basins.mass).mean(axis=-1),
            "far_rows": far_share(x, real),
            "entropy_change": neighbour_entropy(x) - entropy,
            "diversity": mean_difference(x) / difference,
        }

    return kernel


def _discrete(real: NDArray[Any], *, rare: float, kept: float) -> Kernel:
    """Give the kernel of a response of categories or counts."""
    categories, count = np.unique(real, return_counts=True)
    p = np.append(count / count.sum(), 0.0)
    common = p > rare
    entropy, difference = category_entropy(count), chance_of_difference(count)

    def kernel(x: NDArray[Any]) -> dict[str, Floats]:
        counts = category_counts(x, categories)
        mass = counts[..., common] / x.shape[-1]
        values = {
            "support_loss": support_loss(counts, p),
            "far_rows": far_share(x, real),
            "entropy_change": category_entropy(counts) - entropy,
        }
        if common.any():
            values["modes_kept"] = (mass >= kept * p[common]).mean(axis=-1)
        if p[~common].sum() > 0:
            values["rare_mass"] = relative_mass(counts, p, ~common)
        if difference > 0:
            values["diversity"] = chance_of_difference(counts) / difference
        return values

    return kernel


def _coords(run: xr.DataTree) -> dict[str, Any]:
    summary = group(run, "summary", needed_for="predictive drift")
    return {d: summary[d].to_numpy() for d in LEAD}
