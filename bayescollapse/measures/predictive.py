"""Predictive drift: how far what a generation predicts and emits has moved from the real rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from bayescollapse._checks import integer
from bayescollapse.experiment.describe import check_run
from bayescollapse.measures.divergence_from_truth import truth_divergence
from bayescollapse.measures.drift import over_replicates
from bayescollapse.measures.labels import compared_with
from bayescollapse.measures.layout import LEAD, group
from bayescollapse.measures.predictive_table import WORDS
from bayescollapse.measures.recorded import MOMENTS, emitted_shifts, held_out_loss
from bayescollapse.measures.references import check_reference
from bayescollapse.measures.registry import LackingError, lacking
from bayescollapse.measures.row_measures import ROWS, row_measures
from bayescollapse.measures.rows_compared import RowReference

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["predictive_cells", "predictive_drift"]


def predictive_drift(
    run: xr.DataTree,
    *,
    reference: str | None = None,
    experiment: Experiment | None = None,
    rare: float = 0.05,
    tail: float = 0.05,
    kept: float = 0.25,
    rows: int = 500,
    progress: bool = True,
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
        Rows behind ``truth_divergence``, at least 2.
    progress : bool, default True
        Whether what takes long shows how far it is.

    Returns
    -------
    Dataset
        ``held_out_loss``, ``truth_divergence`` and ``truth_divergence_error`` (its standard error
        from the finite number of rows, mean over replicates) on (scheme, generation); the others on
        (scheme, generation, response), ``emitted_quantile_shift`` also on ``statistic``.
        Attributes say what a measure is, its units and its ``reference``; ``attrs["missing"]`` says
        what the run cannot give, and how to get it.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If a number is out of range, a reference is unknown, or `experiment` is another one's.

    Notes
    -----
    Everything sees each entry of a response by itself. ``emitted_mean_shift`` and its kin see as
    many rows as the next generation wants, as every generation proposed them, the last one too:
    before any selection, whether accepted or not. They compare with the rows of the same replicate,
    or with the real rows of all replicates if `reference` is ``"truth"``.

    From ``tail_mass`` on the table sees the rows that trained the next generation, after any
    selection; the last generation trained nobody and is missing. They compare with the rows of all
    replicates together: real ones, those of generation 0 of the same scheme (with which that
    generation's own agree better than fresh ones would), or those from the posterior of a
    reference, by joint emission, covariates of the source and without selection.
    ``entropy_change`` and ``modes_kept`` compare samples of different sizes: read changes over
    generations, not levels. In a response of integers every value is a category; modes are then the
    categories that are not rare, the distance between two rows is 0 or 1, and there are no tails.

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
    integer("rows", rows, minimum=2)
    cells = predictive_cells(
        run,
        reference=reference,
        experiment=experiment,
        rare=rare,
        tail=tail,
        kept=kept,
        progress=progress,
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
    references = dict.fromkeys((*MOMENTS, "held_out_loss"), reference or "first")
    references |= dict.fromkeys(ROWS, reference or "real rows")
    truth = dict.fromkeys(("truth_divergence", "truth_divergence_error"), "truth")
    out = compared_with(over_replicates(arrays, WORDS), references | truth)
    return out.assign_attrs(missing="; ".join(missing), reference=reference or "")


def predictive_cells(
    run: xr.DataTree,
    *,
    reference: str | None = None,
    experiment: Experiment | None = None,
    rare: float = 0.05,
    tail: float = 0.05,
    kept: float = 0.25,
    progress: bool = False,
) -> xr.Dataset:
    """Measure every replicate's predictions, before they are reduced.

    Parameters
    ----------
    run, reference, experiment, rare, tail, kept, progress
        As for :func:`predictive_drift`.

    Returns
    -------
    Dataset
        The variables of :func:`predictive_drift` without ``truth_divergence``, on (scheme,
        replicate, generation) and their own dimensions; ``attrs["missing"]`` is a list.
    """
    for name, value in (("rare", rare), ("kept", kept)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must lie in [0, 1], got {value!r}")
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
            what, reason = ", ".join(names), str(lack)
            missing.append(reason if reason.startswith(what) else f"{what}: {reason}")

    def loss() -> dict[str, xr.DataArray]:
        start = reference or "first"
        return {"held_out_loss": held_out_loss(run, reference=start, experiment=experiment)}

    def shifts() -> dict[str, xr.DataArray]:
        return emitted_shifts(run, None if reference is None else compared.statistics)

    def of_rows() -> dict[str, xr.DataArray]:
        found, notes = row_measures(compared, _coords(run), rare=rare, tail=tail, kept=kept)
        missing.extend(notes)
        return found

    compared = RowReference(run, reference or "truth", experiment, progress)
    add(["held_out_loss"], loss)
    add(MOMENTS, shifts)
    add(ROWS, of_rows)
    return xr.Dataset(arrays).assign_attrs(missing=missing)


def _coords(run: xr.DataTree) -> dict[str, Any]:
    summary = group(run, "summary", needed_for="predictive drift")
    return {d: summary[d].to_numpy() for d in LEAD}
