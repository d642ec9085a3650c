"""Emitting: the rows that a fitted generation hands to the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Engine, Fit
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.hooks import emit_rows, log_predictive
from bayescollapse.estimator.trees import parameter_dataset
from bayescollapse.lineage.covariates import Covariates
from bayescollapse.lineage.plan import Plan
from bayescollapse.lineage.pool import Pool
from bayescollapse.lineage.selecting import Selected, edit, fill, pick, weigh
from bayescollapse.lineage.weights import check_row_weights
from bayescollapse.rows import Values, count_rows
from bayescollapse.schemes.context import Context, Previous
from bayescollapse.schemes.selection.base import KeepAll, RowSelection, mode_of
from bayescollapse.sources.base import BoundSource
from bayescollapse.streams import Streams

__all__ = ["Emitted", "Emitting"]

Recorded = dict[str, Any] | None


@dataclass(frozen=True)
class Emitted:
    """What a generation handed on.

    Parameters
    ----------
    selected : Selected
        Rows for the next generation, with their counts.
    parameters : dict of str to ndarray or None
        Distinct parameter values behind them.
    """

    selected: Selected
    parameters: Recorded


@dataclass(frozen=True)
class Emitting:
    """Emission and selection of one scheme, for one block of replicates.

    Parameters
    ----------
    plan : Plan
        Counts of every generation.
    engine : Engine
        Emits rows.
    source : BoundSource
        Covariates, and the truth for selections that read it.
    streams : Streams
        The experiment's streams.
    block : int
        Block of replicates.
    """

    plan: Plan
    engine: Engine
    source: BoundSource
    streams: Streams
    block: int

    @cached_property
    def covariates(self) -> Covariates:
        """Covariates of synthetic rows."""
        return Covariates(self.plan.scheme, self.engine, self.source, self.streams, self.block)

    def emit(self, t: int, pool: Pool, fit: Fit, trained: Callable[[], Values]) -> Emitted:
        """Rows that generation t hands to the next one.

        Parameters
        ----------
        t : int
            The emitting generation.
        pool : Pool
            Batches at hand.
        fit : Fit
            Its posteriors.
        trained : callable
            Rows that it was trained on.
        """
        m, selection = self.plan.emitted[t], self.plan.scheme.selection
        first: list[Recorded] = []

        def propose(number: int, size: int) -> dict[str, NDArray[Any]]:
            covariates = self.covariates.proposed(t, m, size, pool, number, trained)
            rows, recorded = self._propose(t, fit, size, covariates, number)
            first.append(recorded)
            return rows

        if isinstance(selection, KeepAll):
            rows = propose(0, m)
            every = np.array([float(m)])
            selected = Selected(rows, m, every, np.zeros(1, dtype=bool), first=rows)
        else:
            selected = self._select(t, pool, fit, trained, propose)
        return Emitted(selected, first[0])

    def context(self, t: int, pool: Pool, purpose: str, function: Any, **more: Any) -> Context:
        """Everything that reaches a selection or a weighting for generation t."""
        schema, scheme = self.engine.schema, self.plan.scheme
        reads = bool(getattr(function, "reads_oracle", False))
        # A selection sees the emitting generation's real rows, a weighting its own.
        last = 1 if purpose == "selection" else 0
        known = bool(pool.real) and not (scheme.supply == "none" and t > last)
        number = more.pop("number", 0)
        return Context(
            generation=t,
            n_real=self.plan.fresh[t] if t < self.plan.generations else 0,
            n_synthetic=self.plan.emitted[t - 1] if t else 0,
            rng_source=lambda: self._rng(purpose, t, number),
            real_source=(lambda: schema.dataset(pool.current_real())) if known else None,
            oracle_source=(lambda: self._oracle) if reads else None,
            true_log_density=self._true_log_density if reads else None,
            label=schema.dataset,
            **more,
        )

    def _select(
        self, t: int, pool: Pool, fit: Fit, trained: Callable[[], Values], propose: Any
    ) -> Selected:
        m, selection = self.plan.emitted[t], self.plan.scheme.selection
        previous, mode = self._previous(t, fit, pool), mode_of(selection)

        def context(number: int) -> Context:
            return self.context(
                t + 1,
                pool,
                "selection",
                selection,
                number=number,
                previous=previous,
                trained_source=trained,
            )

        def judge(number: int, rows: Values) -> NDArray[Any]:
            return self._judge(rows, context(number), selection)

        if mode == "weigh":
            return weigh(propose, judge, m)
        if mode == "edit":
            return edit(propose, judge, trained(), m)
        assert isinstance(selection, RowSelection)
        if mode == "pick":
            return pick(propose, judge, m, selection.proposals(m))

        plain = type(selection).strata is RowSelection.strata and not self._stratified()

        def stratify(rows: Values) -> Any:
            return None if plain else self._strata(rows, context(0), selection)

        most = max(getattr(selection, "max_proposals", 100), 1) * m
        members = self.plan.scheme.emission.members or 1
        return fill(propose, judge, stratify, m, most=most, unit=members)

    def _judge(self, rows: Values, context: Context, selection: Any) -> NDArray[Any]:
        size = count_rows(rows)
        if isinstance(selection, RowSelection):
            numbers = selection.select(rows, context)
        else:
            batch = np.full(size, context.generation - 1)
            proposed = self.engine.schema.dataset(
                rows, batch=batch, real=np.zeros(size, dtype=bool)
            )
            numbers = selection(proposed, context)
        return check_row_weights("selection", numbers, (self.engine.block, size))

    def _strata(self, rows: Values, context: Context, selection: RowSelection) -> Any:
        """Strata of the selection, of an ensemble's members, and of a design that is repeated."""
        found = selection.strata(rows, context)
        labels, number = (np.zeros((1, 1), dtype=np.int64), 1) if found is None else found
        size = count_rows(rows)
        members = self.plan.scheme.emission.members
        if members:
            member = np.repeat(np.arange(members), size // members)[None]
            labels, number = labels * members + member, number * members
        if self._one_design():
            m = context.n_synthetic
            if found is not None:
                raise ValueError(
                    f"selection {selection!r} fills strata of its own, and covariates='fixed' "
                    "wants one row for each of the design: use covariates='source' or 'resample'"
                )
            labels, number = labels * m + np.arange(size)[None] % m, number * m
        return None if number == 1 else (labels, number)

    def _stratified(self) -> bool:
        """Whether the scheme itself wants rows in equal parts."""
        return self._one_design() or self.plan.scheme.emission.members is not None

    def _one_design(self) -> bool:
        """Whether every generation has the same covariates, by the scheme or the source."""
        return bool(self.engine.schema.covariates) and self.covariates.axis == "fixed"

    def _propose(
        self, t: int, fit: Fit, size: int, covariates: Values, number: int
    ) -> tuple[dict[str, NDArray[Any]], Recorded]:
        """Rows of a round: the same posterior draw in every round, but new noise."""
        emission = self.plan.scheme.emission
        if number and emission.kind in ("joint", "ensemble") and self._forgets():
            raise ValueError(
                f"emission {emission.label!r} of {type(self.engine).__name__} cannot emit further "
                "rows from the same posterior draw, which a selection by proposals needs: use "
                "'plug-in' or 'predictive'"
            )
        again = number if emission.kind == "predictive" else 0
        rng = None if emission.kind == "plug-in" else self._rng("parameters", t, again)
        noise = self._rng("synthetic", t, number)
        responses, recorded = emit_rows(self.engine, fit, emission, size, covariates, rng, noise)
        return {**responses, **covariates}, recorded

    def _forgets(self) -> bool:
        """Whether the engine makes rows without a posterior draw that could be made again."""
        return not getattr(self.engine, "repeatable", True)

    def _previous(self, t: int, fit: Fit, pool: Pool) -> Previous:
        schema, m = self.engine.schema, self.plan.emitted[t]
        emission = self.plan.scheme.emission
        # One stream for all that is asked of it, made only if something is.
        stream = cache(lambda: self._rng("density", t + 1))

        def posterior(draws: int) -> xr.Dataset:
            return parameter_dataset(schema, fit.draws(draws, stream()), ("replicate", "draw"))

        def predictive(rows: Values) -> Floats:
            return log_predictive(self.engine, fit, rows, stream())

        def log_density(rows: xr.Dataset) -> xr.DataArray:
            return xr.DataArray(predictive(schema.values(rows)), dims=("replicate", "obs"))

        def log_likelihood(*rows: Values | xr.Dataset, draws: int = 100) -> tuple[Floats, ...]:
            common = fit.draws(draws, stream())
            plain = [schema.values(r) if isinstance(r, xr.Dataset) else r for r in rows]
            return tuple(
                self.engine.log_density(common, _wide(part, self.engine.block)) for part in plain
            )

        def propose(size: int) -> xr.Dataset:
            covariates = {}
            if schema.covariates:
                covariates = self.covariates.draw(t, m, size, pool)
            responses, _ = emit_rows(
                self.engine, fit, emission, size, covariates, stream(), stream()
            )
            return schema.dataset({**responses, **covariates})

        return Previous(posterior, log_density, propose, log_likelihood, predictive)

    @cached_property
    def _true_parameters(self) -> dict[str, NDArray[Any]]:
        stacked = self.source.truth(self.covariates.place(0))
        if stacked is None or np.isnan(stacked).any():
            raise ValueError(
                "a function of the scheme reads the truth, but the source does not know all of "
                "the learner's parameters: give truth="
            )
        return self.engine.schema.unpack(stacked)

    @cached_property
    def _oracle(self) -> xr.Dataset:
        return parameter_dataset(self.engine.schema, self._true_parameters, ("replicate",))

    def _true_log_density(self, rows: Values) -> Floats:
        parameters = {name: value[:, None] for name, value in self._true_parameters.items()}
        density = self.engine.log_density(parameters, _wide(rows, self.engine.block))
        return np.asarray(density[:, 0])

    def _rng(self, purpose: str, t: int, number: int = 0) -> np.random.Generator:
        return self.streams.generator(purpose, block=self.block, generation=t, attempt=number)


def _wide(rows: Values, replicates: int) -> dict[str, NDArray[Any]]:
    return {n: np.broadcast_to(v, (replicates, *v.shape[1:])) for n, v in rows.items()}
