"""Descent: lineages had all that one generation brought been left out of every fit.

The rows of the generation get weight 0 wherever they are used; their descendants are emitted again,
with the random streams of the run. The generation loop itself knows nothing of it: the engine is a
copy whose ``condition`` takes the rows out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Engine, Fit, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.experiment.experiment import Experiment
from bayescollapse.experiment.progress import show_progress
from bayescollapse.perturbing.ablation import note, without
from bayescollapse.perturbing.cells import (
    Cell,
    Posterior,
    condition_where_proper,
    gathered,
    with_condition,
)
from bayescollapse.perturbing.choice import Choice
from bayescollapse.perturbing.reweigh import Change, compare, has_density, log_likelihoods
from bayescollapse.perturbing.table import ChangeTable
from bayescollapse.perturbing.visit import quiet_lineage, visit

__all__ = ["without_generations"]


def without_generations(
    experiment: Experiment,
    run: xr.DataTree,
    choice: Choice,
    left_out: tuple[int, ...],
    how: str,
    progress: bool,
) -> tuple[xr.Dataset, list[str]]:
    """Leave out one generation after the other.

    Parameters
    ----------
    experiment, run : Experiment, DataTree
        The experiment and its result.
    choice : Choice
        Cells that are looked at.
    left_out : tuple of int
        Generations.
    how : {"auto", "always", "never"}
        When to replay what could be reweighed.
    progress : bool
        Show a progress bar.

    Returns
    -------
    cells : Dataset
        Changes on (scheme, replicate, generation, left_out, parameter).
    missing : list of str
        What could not be computed.
    """
    work = _Descent(experiment, choice, left_out, how)
    total = int(np.prod(choice.shape))
    with show_progress(total, title="ablation: weights", shown=progress) as bar:
        visit(experiment, run, choice, work.add, bar)
    parts = work.parts()
    with show_progress(len(parts), title="ablation: replay", shown=progress) as bar:
        with single_threaded():
            for label, block, generation in parts:
                work.replay(label, block, generation)
                bar.advance(label)
    return work.table.cells(), work.missing()


class _Descent:
    """Direct changes by weights, and all others by replay."""

    def __init__(
        self, experiment: Experiment, choice: Choice, left_out: tuple[int, ...], how: str
    ) -> None:
        self.experiment, self.choice, self.left_out, self.how = experiment, choice, left_out, how
        self.table = ChangeTable(choice, {"left_out": left_out})
        self.improper = np.zeros(self.table.pareto_k.shape, dtype=bool)
        self.base: dict[tuple[str, int, int], Cell] = {}
        self.wanted: set[tuple[str, int, int, int]] = set()

    def add(self, cell: Cell) -> None:
        """Keep a cell's posterior, and take generations out of it whose rows matter directly."""
        at = (cell.place.scheme, cell.place.block, cell.place.generation)
        # Rows are not needed again, and may be many.
        self.base[at] = replace(cell, rows={}, weights=cell.weights[:, :0])
        for g in self.left_out:
            if cell.place.generation < g:
                continue
            if cell.place.generation <= g + 1 and self.how != "always":
                change = self._direct(cell, cell.batch == g)
                self._put(cell, g, change)
                if not np.isnan(change.distance).any():
                    continue
            self.wanted.add((*at, g))

    def _direct(self, cell: Cell, rows: NDArray[np.bool_]) -> Change:
        ratios = None
        if has_density(cell):
            ratios = -log_likelihoods(cell, np.where(rows, 0, -1), 1)[..., 0]
        return without(cell, rows, ratios, "never", empty=True)

    def parts(self) -> list[tuple[str, int, int]]:
        """Lineages to replay: scheme, block, generation that is left out."""
        if self.how == "never":
            later = {w for w in self.wanted if w[2] > w[3] + 1}
            self.wanted = later
        return sorted({(label, block, g) for label, block, _, g in self.wanted})

    def replay(self, label: str, block: int, left_out: int) -> None:
        """Run a lineage again without a generation, and compare."""
        times = [t for a, b, t, g in self.wanted if (a, b, g) == (label, block, left_out)]
        lineage = quiet_lineage(self.experiment, label, block, max(times) + 1)
        cells = {t: self.base[label, block, t] for t in times}
        removing = _Removing(lineage.engine, left_out, cells)
        replace(lineage, engine=with_condition(lineage.engine, removing.condition)).run()
        for t, (posterior, possible, improper) in removing.found.items():
            change = _replayed(cells[t].posterior, posterior, possible, improper)
            self._put(cells[t], left_out, change)

    def _put(self, cell: Cell, left_out: int, change: Change) -> None:
        where = (*self.choice.where(cell.place), self.left_out.index(left_out))
        known = self.table.pareto_k[where]
        self.table.put(where, change)
        self.table.pareto_k[where] = np.where(np.isnan(known), change.pareto_k, known)
        self.improper[where] = change.improper

    def missing(self) -> list[str]:
        """Say what the finished table lacks, posteriors before a generation left aside."""
        later = np.array(self.choice.generations)[:, None] >= np.array(self.left_out)
        distance = self.table.values["distance"][:, :, later]
        texts: list[str] = []
        note(texts, distance, self.improper[:, :, later])
        return texts


def _replayed(
    first: Posterior,
    second: Posterior,
    possible: NDArray[np.bool_],
    improper: NDArray[np.bool_],
) -> Change:
    shift, ratio, distance = (np.full(first.mean.shape, np.nan) for _ in range(3))
    shift[possible], ratio[possible], distance[possible] = compare(first, second, possible)
    unknown, failed = np.full(len(possible), np.nan), possible & ~second.passed
    return Change(shift, ratio, distance, unknown, possible, failed, improper)


@dataclass
class _Removing:
    """Conditions an engine without the rows of a generation, and reads what is asked for."""

    engine: Engine
    left_out: int
    cells: dict[int, Cell]

    def __post_init__(self) -> None:
        self.generation = 0
        self.possible = np.ones(self.engine.block, dtype=bool)
        self.improper = np.zeros(self.engine.block, dtype=bool)
        self.found: dict[int, tuple[Posterior, NDArray[np.bool_], NDArray[np.bool_]]] = {}

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> Fit:
        kept, full = self._without(groups, weights)
        left = np.any([(k > 0).any(axis=1) for k in kept], axis=0)
        # A replicate without a posterior keeps all its rows, for the others' sake.
        some = [np.where(left[:, None], k, w) for k, w in zip(kept, full, strict=True)]
        fit, proper = condition_where_proper(self.engine, groups, some, full, settings)
        used = [np.where(proper[:, None], k, w) for k, w in zip(some, full, strict=True)]
        possible, improper = self.possible & left & proper, self.improper | ~proper
        if self.generation != self.left_out:
            # All that follows would hang on rows that should not be there. The generation that is
            # left out may have no posterior: what it emits is left out as well.
            self.possible, self.improper = possible, improper
        cell = self.cells.get(self.generation)
        if cell is not None:
            inside = cell.place.replicates - cell.place.block * self.engine.block
            chains, draws = cell.posterior.draws.shape[1:3]
            made = gathered(
                cell.place, self.engine, groups, used, settings, fit, (chains, draws), cell.key
            )
            self.found[self.generation] = made.posterior, possible[inside], improper[inside]
        self.generation += 1
        return fit

    def _without(
        self, groups: Sequence[Group], weights: Sequence[Weight]
    ) -> tuple[list[Floats], list[Floats]]:
        """Weights by row without the generation, and with it."""
        shape = [(self.engine.block, group.count) for group in groups]
        full = [np.broadcast_to(w, s) for w, s in zip(weights, shape, strict=True)]
        kept = [
            np.where(np.broadcast_to(g.batch_index(), s) == self.left_out, 0.0, w)
            for g, w, s in zip(groups, full, shape, strict=True)
        ]
        return kept, full
