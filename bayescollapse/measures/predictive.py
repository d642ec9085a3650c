"""Predictive drift: how far what a generation predicts and emits has moved from the real rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import share
from bayescollapse.experiment.describe import check_run
from bayescollapse.measures.category_kernels import (
    category_counts,
    category_entropy,
    chance_of_difference,
    relative_mass,
    support_loss,
)
from bayescollapse.measures.divergence_from_truth import truth_divergence
from bayescollapse.measures.drift import over_replicates
from bayescollapse.measures.layout import LEAD, group
from bayescollapse.measures.predictive_table import WORDS
from bayescollapse.measures.recorded import MOMENTS, emitted_shifts, held_out_loss
from bayescollapse.measures.references import check_reference
from bayescollapse.measures.registry import LackingError, lacking
from bayescollapse.measures.row_kernels import (
    far_share,
    find_basins,
    mean_difference,
    neighbour_entropy,
    tail_ratio,
)
from bayescollapse.measures.row_samples import Kernel
from bayescollapse.measures.rows_compared import RowReference, row_reference

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


def predictive_drift(
    run: xr.DataTree,
    *,
    reference: str | None = None,
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
    variable              value in one replicate, against generation 0 if `reference` is not given
    ===================== =========================================================================
    held_out_loss         held-out log density of the reference minus generation t's, nats per row
    emitted_mean_shift    mean of emitted rows minus the reference's, in the reference's sds
    emitted_log_sd_ratio  log ratio of the sd of emitted rows to the reference's
    emitted_quantile_shift quantiles of emitted rows minus the reference's, in the reference's sds
    ===================== =========================================================================

    ===================== =========================================================================
    variable              value in one replicate, against real rows if `reference` is not given
    ===================== =========================================================================
    truth_divergence      Kullback-Leibler divergence of the predictive from the truth, nats per row
    tail_mass             mass beyond the reference rows' outer quantiles, relative to theirs
    rare_mass             mass of categories that are rare in the reference, relative to theirs
    support_loss          reference mass of categories that are not emitted, beyond chance
    modes_kept            share of the reference rows' modes with at least `kept` of their mass
    far_rows              share of rows out of range, in a gap between modes, or of a new category
    entropy_change        entropy of emitted rows minus the reference rows', nats
    diversity             mean distance between two emitted rows, relative to the reference rows'
    ===================== =========================================================================

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    reference : {"first", "truth", "real_only", "real_seen", "real_plus"}, optional
        What everything but ``truth_divergence`` compares with: generation 0; the truth, by its
        density and the real rows of generation 0; or a posterior from real rows alone. The last
        three emit no rows in a run, so that they are fitted again with `experiment`.
    experiment : Experiment, optional
        The experiment of the run. Gives ``truth_divergence``, what `reference` needs, and the
        measures of emitted rows of a run that did not keep all rows, whose lineages are then run
        again.
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
        If a number is out of range, a reference is unknown, or `experiment` is another one's.

    Notes
    -----
    Measures of emitted rows see the rows that trained the next generation, after any selection,
    each entry of a response by itself; the last generation trained nobody and is missing. They
    compare with the rows of all replicates together: real ones, those of generation 0 of the
    same scheme, or unselected ones from the posterior predictive of a reference.
    ``entropy_change`` and ``modes_kept`` compare samples of different sizes: read changes over
    generations, not levels. In a response of integers every value is a category; modes are then
    the categories that are not rare, the distance between two rows is 0 or 1, and there are no
    tails.

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
    cells = predictive_cells(
        run, reference=reference, experiment=experiment, rare=rare, tail=tail, kept=kept
    )
    missing: list[str] = list(cells.attrs["missing"])
    arrays = {str(name): array for name, array in cells.items()}
    if experiment is None:
        missing.append(lacking("truth_divergence", "experiment", because="no density of the truth"))
    else:
        try:
            divergence = truth_divergence(run, experiment, rows=rows, progress=progress)
        except LackingError as reason:
            missing.append(str(reason))
        else:
            arrays |= {str(name): array for name, array in divergence.items()}
    out = over_replicates(arrays, WORDS)
    return out.assign_attrs(missing="; ".join(missing), reference=reference or "")


def predictive_cells(
    run: xr.DataTree,
    *,
    reference: str | None = None,
    experiment: Experiment | None = None,
    rare: float = 0.05,
    tail: float = 0.05,
    kept: float = 0.25,
) -> xr.Dataset:
    """Measure every replicate's predictions, before they are reduced.

    Parameters
    ----------
    run, reference, experiment, rare, tail, kept
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
    if reference is not None:
        check_reference(reference)
    group(run, "summary", needed_for="predictive drift")
    if experiment is not None:
        check_run(experiment, run)
    arrays: dict[str, xr.DataArray] = {}
    missing: list[str] = []

    def add(names: Sequence[str], measure: Callable[[], dict[str, xr.DataArray]]) -> None:
        try:
            arrays.update(measure())
        except LackingError as lack:
            missing.append(f"{', '.join(names)}: {lack}")

    @cache
    def compared() -> RowReference:
        return row_reference(run, reference or "truth", experiment)

    def shifts() -> dict[str, xr.DataArray]:
        own = reference in (None, "first")
        return emitted_shifts(run, None if own else compared().statistics)

    start = reference or "first"
    loss = partial(held_out_loss, run, reference=start, experiment=experiment)
    add(["held_out_loss"], lambda: {"held_out_loss": loss()})
    add(MOMENTS, shifts)
    add(ROWS, lambda: _rows(compared(), _coords(run), rare, tail, kept))
    return xr.Dataset(arrays).assign_attrs(missing=missing)


def _rows(
    compared: RowReference, coords: dict[str, Any], rare: float, tail: float, kept: float
) -> dict[str, xr.DataArray]:
    samples = compared.samples
    labels = list(samples.real)
    values: dict[str, Floats] = {}
    for i, label in enumerate(labels):
        if samples.discrete[label]:
            make = partial(_discrete, rare=rare, kept=kept)
        else:
            make = partial(_continuous, tail=tail, kept=kept)
        for name, value in samples.apply(compared.kernels(label, make), label).items():
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
