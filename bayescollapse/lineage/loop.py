"""The generation loop: mix, weigh, condition, emit, for a block of replicates under one scheme."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Engine, Fit, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.hooks import log_predictive
from bayescollapse.lineage.emitting import Emitting
from bayescollapse.lineage.plan import Plan
from bayescollapse.lineage.pool import Pool
from bayescollapse.lineage.record import Record, RecordSettings
from bayescollapse.lineage.weights import group_weights, row_weights
from bayescollapse.rows import Values, concatenate_rows
from bayescollapse.schemes.supply import Contaminated
from bayescollapse.schemes.weighting import Weighting
from bayescollapse.sources.base import BoundSource
from bayescollapse.streams import Streams

__all__ = ["Lineage", "Segment"]

STREAMS = 8
"""More than there are streams of kept draws."""


@dataclass(frozen=True)
class Segment:
    """Consecutive generations of a lineage block.

    Parameters
    ----------
    start, stop : int
        First generation, and the one after the last.
    arrays : dict of str to ndarray
        What :class:`Record` wrote.
    state : dict of str to ndarray
        What the next segment needs to go on.
    """

    start: int
    stop: int
    arrays: dict[str, NDArray[Any]]
    state: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Lineage:
    """One scheme, one block of replicates.

    Parameters
    ----------
    plan : Plan
        Counts and weights of every generation.
    engine : Engine
        Draws posteriors and emits rows.
    source : BoundSource
        Fresh real rows.
    streams : Streams
        The experiment's streams.
    block : int
        Block of replicates.
    replicates : int
        Replicates of the block that are kept; a block is always computed whole.
    draws, chains : int
        Draws and chains of a sampled fit.
    record : RecordSettings
        What to write down.
    held_out : mapping of str to ndarray, optional
        Held-out rows, shape (1, obs, …).
    """

    plan: Plan
    engine: Engine
    source: BoundSource
    streams: Streams
    block: int
    replicates: int
    draws: int
    chains: int
    record: RecordSettings
    held_out: Values | None = None

    @cached_property
    def emitting(self) -> Emitting:
        """Emission and selection of the scheme."""
        return Emitting(self.plan, self.engine, self.source, self.streams, self.block)

    def run(
        self,
        *,
        start: int = 0,
        state: Mapping[str, NDArray[Any]] | None = None,
        seconds: float = np.inf,
        progress: Callable[[int], None] | None = None,
    ) -> Segment:
        """Run generations until the end, or until a segment's time is over.

        Parameters
        ----------
        start : int
            First generation.
        state : mapping of str to ndarray, optional
            State of the segment before.
        seconds : float
            Time after which the segment ends with the generation at hand; it does not affect bits.
        progress : callable, optional
            Called with the number of the generation that is done.
        """
        pool = Pool(self.plan.scheme, self.engine)
        if state is not None:
            pool = pool.load(state)
        record = Record(
            self.engine.schema, self.record, self.replicates, self.block * self.engine.block
        )
        clock = time.monotonic()
        stop = start
        for t in range(start, self.plan.generations):
            pool = self._generation(t, pool, record)
            stop = t + 1
            if progress is not None:
                progress(t)
            if time.monotonic() - clock > seconds:
                break
        last = stop == self.plan.generations
        return Segment(start, stop, record.arrays(), {} if last else pool.dump())

    def _generation(self, t: int, pool: Pool, record: Record) -> Pool:
        if self._wants_real(t):
            place = self.emitting.covariates.place(t)
            pool = pool.add_real(self.source.real(self.plan.fresh[t], place), t)
        groups = self._groups(t, pool)
        groups, weights = self._weigh(t, groups, pool)
        fit = self._condition(t, groups, weights)
        emitted = self.plan.emitted[t]
        stream = self.record.stream
        record.fit(fit, self._rng("keep", t, stream) if self.record.keep_draws else None)
        record.training(groups, weights)
        record.keep_rows(t, groups, weights)
        if self.held_out is not None:
            record.held_out(self._held_out_density(t, fit))
        if emitted:
            return self._emit(t, pool, fit, groups, record)
        record.selection(0, np.zeros(1), np.zeros(1, dtype=bool))
        return pool

    def _wants_real(self, t: int) -> bool:
        supply = self.plan.scheme.supply
        return t == 0 or isinstance(supply, Contaminated) or supply in ("fresh", "stream")

    def _groups(self, t: int, pool: Pool) -> tuple[Group, ...]:
        if t > 0 and self.plan.mixing:
            return (pool.contaminated(self.plan.mixing[t], self._rng("mixing", t)),)
        subsampled = pool.scheme.memory.kind == "subsample"
        return pool.groups(t, self._rng("memory", t) if subsampled else None)

    def _weigh(
        self, t: int, groups: tuple[Group, ...], pool: Pool
    ) -> tuple[tuple[Group, ...], list[Weight]]:
        weighting = self.plan.scheme.weighting
        if isinstance(weighting, Weighting) or t == 0:
            if not isinstance(weighting, Weighting):
                return groups, [1.0]
            return groups, group_weights(self.plan, t, groups)
        context = self.emitting.context(t, pool, "weighting", weighting)
        group, weights = row_weights(self.engine.schema, groups, context, weighting)
        return (group,), [weights]

    def _condition(self, t: int, groups: tuple[Group, ...], weights: list[Weight]) -> Fit:
        # A group without weight is no evidence: leaving it out is the same posterior, and cheaper.
        used = [
            (g, w)
            for g, w in zip(groups, weights, strict=True)
            if isinstance(w, np.ndarray) or w > 0
        ]
        settings = FitSettings(self.draws, self.chains, None, partial(self._sampler_seed, t))
        try:
            return self.engine.condition([g for g, _ in used], [w for _, w in used], settings)
        except ValueError as error:
            raise ValueError(f"generation {t} of block {self.block}: {error}") from error

    def _sampler_seed(self, t: int, attempt: int) -> int:
        stream = self.record.stream
        if not (stream and self.record.keep_draws):
            return self.streams.integer("sampler", block=self.block, generation=t, attempt=attempt)
        # Draws of a reference are compared with those of schemes: equal seeds would make two fits
        # to the same rows one sample, and every distance between them too small.
        number = attempt * STREAMS + stream
        return self.streams.integer("reference", block=self.block, generation=t, attempt=number)

    def _emit(
        self, t: int, pool: Pool, fit: Fit, groups: tuple[Group, ...], record: Record
    ) -> Pool:
        emitted = self.emitting.emit(t, pool, fit, lambda: _all_rows(groups))
        selected = emitted.selected
        record.selection(selected.emitted, selected.accepted, selected.short)
        record.emission(emitted.parameters, selected.first or selected.rows)
        if selected.edited is None:
            return pool.add_synthetic(selected.rows, t, selected.keep)
        shape = selected.edited.shape
        old = [np.broadcast_to(g.real, (shape[0], g.count)) for g in groups]
        batches = [np.broadcast_to(g.batch_index(), (shape[0], g.count)) for g in groups]
        real = np.concatenate(old, axis=1) & ~selected.edited
        batch = np.where(selected.edited, t, np.concatenate(batches, axis=1))
        return pool.add_mixed(selected.rows, t, real, batch)

    def _held_out_density(self, t: int, fit: Fit) -> Floats:
        assert self.held_out is not None
        rng = self._rng("density", t)
        return np.asarray(log_predictive(self.engine, fit, self.held_out, rng).mean(axis=1))

    def _rng(self, purpose: str, t: int, number: int = 0) -> np.random.Generator:
        return self.streams.generator(purpose, block=self.block, generation=t, attempt=number)


def _all_rows(groups: tuple[Group, ...]) -> dict[str, NDArray[Any]]:
    return concatenate_rows([part for group in groups for part in group.parts])
