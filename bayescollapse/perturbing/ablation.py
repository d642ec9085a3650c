r"""Ablation: posteriors had one batch, or one generation, been left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.experiment.experiment import Experiment
from bayescollapse.experiment.progress import show_progress
from bayescollapse.perturbing.cells import Cell
from bayescollapse.perturbing.choice import Choice, reweighed, several
from bayescollapse.perturbing.reliance import small_part
from bayescollapse.perturbing.reweigh import Change, changed, has_density, log_likelihoods
from bayescollapse.perturbing.table import CHANGES, ChangeTable, averaged
from bayescollapse.perturbing.visit import visit

__all__ = ["WHAT", "ablation", "note", "without"]

WHAT = ("batch", "generation")
"""What can be left out: one batch of one fit, or all that a generation brought, for ever after."""

IMPROPER = "some posteriors: what would be left gives an improper one"
NOTHING_LEFT = (
    "some posteriors: no rows would be left, the replicate does not use the batch, or its weights "
    "are not relied on and there is no refit (those of fewer than 200 draws never are)"
)

ORIGINS = ("real", "synthetic")


def ablation(
    experiment: Experiment,
    run: xr.DataTree,
    *,
    what: str = "batch",
    left_out: int | Sequence[int] | None = None,
    var_names: str | Sequence[str] | None = None,
    schemes: str | Sequence[str] | None = None,
    replicates: int | Sequence[int] | None = 20,
    generations: int | Sequence[int] | None = None,
    draws: int = 1000,
    refit: str = "auto",
    average: bool = True,
    progress: bool = True,
) -> xr.Dataset:
    r"""Measure what each posterior would be had one batch or one generation been left out.

    ``what="batch"`` removes one batch from one fit and leaves all other rows and their weights as
    they are: the *direct* part of what the posterior owes to the batch. The draws of the run are
    reweighed by :math:`\prod_i p(y_i \mid \theta)^{-w_i}` over the rows of the batch [1]_.

    ``what="generation"`` removes all that a generation brought, its fresh real rows and the rows it
    emitted, from every fit there is: the *total* part, descendants included. Fits of that
    generation and the next differ by these rows only, and are reweighed; the generations after them
    were trained on rows that would have been others, so the lineage is replayed with the same
    random streams and the rows at weight 0. Selections and weightings still see them.

    ============== ================================================================================
    variable       value in one replicate, the changed posterior beside that of the run
    ============== ================================================================================
    mean_shift     change of the posterior mean, in posterior sds of the run
    log_sd_ratio   log ratio of the posterior sds
    distance       cumulative Jensen-Shannon distance, 0 to 1
    ============== ================================================================================

    Parameters
    ----------
    experiment : Experiment
        The experiment of the run.
    run : DataTree
        Its result.
    what : {"batch", "generation"}, default "batch"
        What is left out.
    left_out : int or sequence of int, optional
        Generations that made the batches, or that are left out; all up to the last one that is
        looked at if not given.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries; all if not given.
    schemes : str or sequence of str, optional
        Schemes; all if not given.
    replicates : int or sequence of int, optional
        The first so many (at most all), or these; None is all.
    generations : int or sequence of int, optional
        Generations whose posteriors are looked at; all if not given.
    draws : int, default 1000
        Posterior draws a cell, 100 or more; weights of fewer than 200 are never relied on.
    refit : {"auto", "always", "never"}, default "auto"
        Fit again where importance weights are not relied on, everywhere or nowhere. They are
        relied on where what is left out has at most a third of the weight of the fit's rows, the
        smoothed weights are worth at least 200 draws (``1 / sum(weights**2)``), and Pareto k is at
        most ``min(1 - 1 / log10(draws), 0.7)``, 0.67 with 1,000 draws. What has neither reliable
        weights nor a refit is missing.
    average : bool, default True
        Reduce over replicates; otherwise give every cell.
    progress : bool, default True
        Show a progress bar.

    Returns
    -------
    Dataset
        On (scheme, generation, left_out, parameter), with ``origin`` (real, synthetic) behind
        ``left_out`` for batches. If averaged, each variable is the mean over replicates, with
        ``<name>_mcse`` and ``<name>_median``, beside ``worst_pareto_k``, ``refitted`` (numbers of
        replicates that were fitted again or replayed) and ``failed`` (of these, the ones that
        failed their sampling checks); otherwise there is a dimension ``replicate``. Missing
        where a posterior does not use the batch or comes before the generation, and where nothing
        would be left to fit, or too little for a proper posterior: ``attrs["missing"]`` says so.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the run is another experiment's.

    Notes
    -----
    A batch is often half of the evidence or all of it, where weights fail: refits are the rule
    rather than the exception. With what="generation" every generation that is left out costs one
    replay of the lineages.

    Pareto k alone would not do. Without half of the rows its true value is about 0.5, and samples
    that miss the tail of the ratios have too low an estimate: with 1,000 exact draws of a normal's
    mu and sigma, what a limit on k keeps is 0.10 to 0.18 posterior sds too close to no change, as
    much below 0.5 as below 0.67. By the rule above that is at most 0.03 for a third of the rows and
    0.005 for a sixth, with an rms error of at most 0.09 and 0.04; for a third it is 0.04 with 400
    draws. In Gaussian posteriors it is 0.03 for 1 parameter, 0.05 for 5, 0.065 for 10, where the
    rule keeps next to nothing (20 % of the cells with 5, below 1 % with 10). Draws count as
    independent: with those of NUTS it can be more. Rows of equal weight are taken to tell equally
    much; where a small batch tells most of what is known about a parameter, k and the number of
    effective draws have to show it. ``refit="always"`` has no such error.

    A refit or replay of a sampled posterior has draws of its own: where nothing changes, its
    distance is not 0 but some ``0.7 / sqrt(draws)``, 0.02 with 1,000 effective draws. Closed forms
    share their randomness, and have no such floor.

    References
    ----------
    .. [1] Vehtari, Simpson, Gelman, Yao and Gabry (2024), arXiv:1507.02646.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> experiment = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.accumulate(),
    ...     n_real=20, generations=3, replicates=4)
    >>> run = experiment.run(progress=False)
    >>> wider = bc.ablation(experiment, run, refit="always", progress=False)["log_sd_ratio"]
    >>> wider.sel(generation=2, left_out=1, origin="synthetic").values.round(3).tolist()
    [[0.203]]
    """
    chosen = reweighed(
        experiment,
        run,
        var_names=var_names,
        schemes=schemes,
        replicates=replicates,
        generations=generations,
        draws=draws,
        refit=refit,
    )
    if what not in WHAT:
        raise ValueError(f"what must be one of {WHAT}, got {what!r}")
    removed = _left_out(left_out, chosen)
    if what == "generation":
        from bayescollapse.perturbing.descent import without_generations

        cells, missing = without_generations(experiment, run, chosen, removed, refit, progress)
    else:
        work = _Batches(chosen, removed, refit)
        total = int(np.prod(chosen.shape))
        with show_progress(total, title="ablation", shown=progress) as bar:
            visit(experiment, run, chosen, work.add, bar)
        cells, missing = work.table.cells(), work.missing
    out = averaged(cells, CHANGES) if average else cells
    return out.assign_attrs(missing="; ".join(missing), method=experiment.method)


def _left_out(left_out: int | Sequence[int] | None, choice: Choice) -> tuple[int, ...]:
    last = max(choice.generations)
    if left_out is None:
        return tuple(range(last + 1))
    wanted = several(left_out)
    if not wanted or any(g not in range(last + 1) for g in wanted):
        raise ValueError(
            f"left_out must be generations from 0 to {last}, the last one that is looked at, got "
            f"{list(wanted)}"
        )
    return wanted


class _Batches:
    """Fits without one of their batches, cell by cell."""

    def __init__(self, choice: Choice, left_out: tuple[int, ...], how: str) -> None:
        self.choice, self.left_out, self.how = choice, left_out, how
        self.table = ChangeTable(choice, {"left_out": left_out, "origin": ORIGINS})
        self.missing: list[str] = []

    def add(self, cell: Cell) -> None:
        """Take every batch out of a cell."""
        labels = 2 * cell.batch + np.where(cell.real, 0, 1)
        labels = np.where((cell.weights > 0) & np.isin(cell.batch, self.left_out), labels, -1)
        there = np.unique(labels[labels >= 0])
        logs = None
        if has_density(cell):
            # All batches at once: a row's density is worked out for one of them only.
            order = np.where(labels >= 0, np.searchsorted(there, labels), -1)
            logs = log_likelihoods(cell, order, len(there))
        for place, label in enumerate(there.tolist()):
            ratios = None if logs is None else -logs[..., place]
            change = without(cell, labels == label, ratios, self.how)
            where = (self.left_out.index(label // 2), label % 2)
            self.table.put((*self.choice.where(cell.place), *where), change)
            note(self.missing, change.distance, change.improper)


def note(missing: list[str], distance: Floats, improper: NDArray[np.bool_]) -> None:
    """Say once that some posteriors are missing, and why that may be.

    Parameters
    ----------
    missing : list of str
        What was said before.
    distance : ndarray, shape (…, parameter)
        Missing where there is no value.
    improper : ndarray of bool, shape (…)
        Whether what would be left gives no posterior.
    """
    other = np.isnan(distance).any(axis=-1) & ~improper
    texts = {IMPROPER: improper.any(), NOTHING_LEFT: other.any()}
    missing += [text for text, some in texts.items() if some and text not in missing]


def without(
    cell: Cell,
    rows: NDArray[np.bool_],
    log_ratios: Floats | None,
    how: str,
    *,
    empty: bool = False,
) -> Change:
    """Change of the posterior when some rows have weight 0.

    Parameters
    ----------
    cell : Cell
        The posteriors.
    rows : ndarray of bool, shape (replicate, obs)
        Rows that are left out.
    log_ratios : ndarray, shape (replicate, draw), optional
        Minus their weighted log-likelihood at the draws; None where there are no densities.
    how : {"auto", "always", "never"}
        When to fit again.
    empty : bool, default False
        Whether a replicate that has none of these rows is unchanged, instead of missing. One that
        has no others is missing.
    """
    kept = np.where(rows, 0.0, cell.weights)
    possible = (kept > 0).any(axis=1) & (rows.any(axis=1) | empty)
    weights = np.where(possible[:, None], kept, cell.weights)
    total = cell.weights.sum(axis=1)
    reliable = small_part(total - kept.sum(axis=1), total)
    return changed(cell, log_ratios, lambda _: cell.refit(weights), how, possible, reliable)
