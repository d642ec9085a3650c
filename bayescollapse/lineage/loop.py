"""The generation loop: mix, weigh, condition, emit, for a block of replicates under one scheme."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Engine, Fit, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.hooks import emit_rows, log_predictive
from bayescollapse.estimator.trees import parameter_dataset
from bayescollapse.lineage.plan import Plan
from bayescollapse.lineage.pool import Pool
from bayescollapse.lineage.record import Record, RecordSettings
from bayescollapse.lineage.weights import check_row_weights, group_weights, row_weights
from bayescollapse.rows import Values, count_rows
from bayescollapse.schemes.axes import KeepAll, Weighting
from bayescollapse.schemes.context import Context, Previous
from bayescollapse.sources.base import BoundSource, Place, take_rows
from bayescollapse.streams import Streams

__all__ = ["Lineage", "Segment"]


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
            pool = pool.add_real(self.source.real(self.plan.fresh[t], self._place(t)), t)
        subsampled = pool.scheme.memory.label.startswith("subsample")
        groups = pool.groups(t, self._rng("memory", t) if subsampled else None)
        groups, weights = self._weigh(t, groups, pool)
        fit = self._condition(t, groups, weights)
        emitted = self.plan.emitted[t]
        record.fit(fit, self._rng("keep", t) if self.record.keep_draws else None)
        record.training(groups, weights, emitted)
        record.keep_rows(t, groups, weights)
        if self.held_out is not None:
            record.held_out(self._held_out_density(t, fit))
        return self._emit(t, pool, fit, record) if emitted else pool

    def _wants_real(self, t: int) -> bool:
        return t == 0 or self.plan.scheme.supply in ("fresh", "stream")

    def _weigh(
        self, t: int, groups: tuple[Group, ...], pool: Pool
    ) -> tuple[tuple[Group, ...], list[Weight]]:
        weighting = self.plan.scheme.weighting
        if isinstance(weighting, Weighting) or t == 0:
            if not isinstance(weighting, Weighting):
                return groups, [1.0]
            return groups, group_weights(self.plan, t, groups)
        context = self._context(t, pool, None, "weighting", weighting)
        group, weights = row_weights(self.engine.schema, groups, context, weighting)
        return (group,), [weights]

    def _condition(self, t: int, groups: tuple[Group, ...], weights: list[Weight]) -> Fit:
        def seeds(attempt: int) -> int:
            return self.streams.integer("sampler", block=self.block, generation=t, attempt=attempt)

        # A group without weight is no evidence: leaving it out is the same posterior, and cheaper.
        used = [
            (g, w)
            for g, w in zip(groups, weights, strict=True)
            if isinstance(w, np.ndarray) or w > 0
        ]
        settings = FitSettings(self.draws, self.chains, None, seeds)
        try:
            return self.engine.condition([g for g, _ in used], [w for _, w in used], settings)
        except ValueError as error:
            raise ValueError(f"generation {t} of block {self.block}: {error}") from error

    def _emit(self, t: int, pool: Pool, fit: Fit, record: Record) -> Pool:
        m, emission = self.plan.emitted[t], self.plan.scheme.emission
        rng = None if emission.kind == "plug-in" else self._rng("parameters", t)
        covariates = self._covariates(t, m, pool)
        noise = self._rng("synthetic", t)
        responses, distinct = emit_rows(self.engine, fit, emission, m, covariates, rng, noise)
        rows = {**responses, **covariates}
        record.emission(distinct, rows)
        selection = self.plan.scheme.selection
        if isinstance(selection, KeepAll):
            return pool.add_synthetic(rows, t)
        proposed = self.engine.schema.dataset(
            rows, batch=np.full(m, t), real=np.zeros(m, dtype=bool)
        )
        context = self._context(t + 1, pool, fit, "selection", selection)
        keep = check_row_weights("selection", selection(proposed, context), proposed)
        return pool.add_synthetic(rows, t, keep)

    def _covariates(self, t: int, m: int, pool: Pool) -> dict[str, NDArray[Any]]:
        names = [v.name for v in self.engine.schema.covariates]
        if not names:
            return {}
        axis = self.plan.scheme.covariates or self.source.default_covariates
        if axis == "source":
            return self.source.covariates(m, self._place(t))
        design = pool.current_real() if axis == "resample" else pool.first_real()
        design = {name: design[name] for name in names}
        rows = count_rows(design)
        if axis == "resample":
            index = self._rng("covariates", t).integers(rows, size=(self.engine.block, m))
            return take_rows(design, index)
        if rows != m:
            raise ValueError(
                f"covariates='fixed' repeats the design of the {rows} real rows, but {m} synthetic "
                "rows are wanted: set n_synthetic equal to n_real, or use covariates='resample'"
            )
        return design

    def _held_out_density(self, t: int, fit: Fit) -> Floats:
        assert self.held_out is not None
        rng = self._rng("density", t)
        return np.asarray(log_predictive(self.engine, fit, self.held_out, rng).mean(axis=1))

    def _context(self, t: int, pool: Pool, fit: Fit | None, purpose: str, function: Any) -> Context:
        schema = self.engine.schema
        real = schema.dataset(pool.current_real()) if pool.real and self._wants_real(t) else None
        oracle = None
        if getattr(function, "reads_oracle", False):
            oracle = self._oracle()
        synthetic = self.plan.emitted[t - 1] if t else 0
        previous = None if fit is None else self._previous(t, fit, pool)
        return Context(
            t,
            self.plan.fresh[t] if t < self.plan.generations else 0,
            synthetic,
            self._rng(purpose, t),
            real,
            previous,
            oracle,
        )

    def _previous(self, t: int, fit: Fit, pool: Pool) -> Previous:
        schema, rng = self.engine.schema, self._rng("density", t)
        emission = self.plan.scheme.emission

        def posterior(draws: int) -> xr.Dataset:
            return parameter_dataset(schema, fit.draws(draws, rng), ("replicate", "draw"))

        def log_density(rows: xr.Dataset) -> xr.DataArray:
            density = log_predictive(self.engine, fit, schema.values(rows), rng)
            return xr.DataArray(density, dims=("replicate", "obs"))

        def propose(m: int) -> xr.Dataset:
            covariates = self._covariates(t - 1, m, pool)
            responses, _ = emit_rows(self.engine, fit, emission, m, covariates, rng, rng)
            return schema.dataset({**responses, **covariates})

        return Previous(posterior, log_density, propose)

    def _oracle(self) -> xr.Dataset | None:
        stacked = self.source.truth(self._place(0))
        if stacked is None:
            raise ValueError(
                "a function of the scheme reads the truth, but the source does not know it: give "
                "truth="
            )
        return parameter_dataset(
            self.engine.schema, self.engine.schema.unpack(stacked), ("replicate",)
        )

    def _place(self, t: int) -> Place:
        return Place(self.streams, self.block, t, self.engine.block)

    def _rng(self, purpose: str, t: int) -> np.random.Generator:
        return self.streams.generator(purpose, block=self.block, generation=t)
