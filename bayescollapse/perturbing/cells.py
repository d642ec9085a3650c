"""Cells: posteriors of a run with the rows and weights behind them, which can be fitted again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Engine, Fit, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats, ImproperPosteriorError
from bayescollapse.rows import Values, concatenate_rows

__all__ = [
    "Cell",
    "Place",
    "Posterior",
    "condition_where_proper",
    "gathered",
    "with_condition",
]


class Posterior(NamedTuple):
    """Draws and moments of a refit.

    Parameters
    ----------
    draws : ndarray, shape (replicate, chain, draw, parameter)
        Posterior draws.
    mean, sd : ndarray, shape (replicate, parameter)
        From all draws or in closed form.
    passed : ndarray of bool, shape (replicate,)
        Whether the sampling checks were passed.
    proper : ndarray of bool, shape (replicate,), optional
        Whether there is a posterior, and the rest means something; everywhere if not given.
    """

    draws: Floats
    mean: Floats
    sd: Floats
    passed: NDArray[np.bool_]
    proper: NDArray[np.bool_] | None = None


class Place(NamedTuple):
    """Where a cell is.

    Parameters
    ----------
    scheme : str
        Label.
    generation, block : int
        Generation, and block of replicates.
    replicates : ndarray of int
        Replicates of the run, all in the block.
    """

    scheme: str
    generation: int
    block: int
    replicates: NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """Some replicates of a block at one generation of a scheme.

    Parameters
    ----------
    place : Place
        Which ones.
    rows : mapping of str to ndarray, shape (replicate, obs, …)
        Rows of the fit.
    weights : ndarray, shape (replicate, obs)
        Their weights.
    real : ndarray of bool, shape (replicate, obs)
        Whether they are real.
    batch : ndarray of int, shape (replicate, obs)
        Generation that made them.
    posterior : Posterior
        The posterior as the run has it.
    engine : Engine
        Draws posteriors.
    settings : FitSettings
        As in the run, with the same seeds, so that refits share its randomness.
    key : tuple of int
        Key of the draws.
    """

    place: Place
    rows: Values
    weights: Floats
    real: NDArray[np.bool_]
    batch: NDArray[np.int64]
    posterior: Posterior
    engine: Engine
    settings: FitSettings
    key: tuple[int, ...]

    def refit(self, weights: Floats) -> Posterior:
        """Posterior of the same rows with other weights (replicate, obs)."""
        groups = [row_group(self.engine, self.rows, self.real, self.batch)]
        fit, proper = condition_where_proper(
            self.engine, groups, [weights], [self.weights], self.settings
        )
        chains, draws = self.posterior.draws.shape[1:3]
        return read(fit, self.engine, (chains, draws), self.key)._replace(proper=proper)


def condition_where_proper(
    engine: Engine,
    groups: Sequence[Group],
    weights: Sequence[Floats],
    instead: Sequence[Floats],
    settings: FitSettings,
) -> tuple[Fit, NDArray[np.bool_]]:
    """Condition an engine; replicates without a posterior get other weights.

    Parameters
    ----------
    engine, groups, settings
        As for its ``condition``.
    weights, instead : sequence of ndarray, shape (replicate, obs)
        Weights of every group, and those of replicates that have no posterior under them.

    Returns
    -------
    fit : Fit
        Posteriors of all replicates.
    proper : ndarray of bool, shape (replicate,)
        Whether they are those under `weights`.
    """
    proper = np.ones(len(weights[0]), dtype=bool)

    def only(replicates: NDArray[np.bool_]) -> list[Floats]:
        pairs = zip(weights, instead, strict=True)
        return [np.where(replicates[:, None], w, other) for w, other in pairs]

    try:
        return engine.condition(groups, weights, settings), proper
    except ImproperPosteriorError:
        for r in range(len(proper)):
            proper[r] = _is_proper(engine, groups, only(np.arange(len(proper)) == r), settings)
    return engine.condition(groups, only(proper), settings), proper


def _is_proper(
    engine: Engine, groups: Sequence[Group], weights: Sequence[Floats], settings: FitSettings
) -> bool:
    try:
        engine.condition(groups, weights, settings)
    except ImproperPosteriorError:
        return False
    return True


def gathered(
    place: Place,
    engine: Engine,
    groups: Sequence[Group],
    weights: Sequence[Weight],
    settings: FitSettings,
    fit: Fit,
    shape: tuple[int, int],
    key: tuple[int, ...],
) -> Cell:
    """Make a cell of what an engine was conditioned on, and of the fit that it gave.

    Parameters
    ----------
    place : Place
        Which replicates are wanted.
    engine : Engine
        The engine.
    groups, weights, settings, fit
        What its ``condition`` was given, and returned.
    shape : tuple of int
        Chains, and draws a chain.
    key : tuple of int
        Key of the draws.
    """
    inside = place.replicates - place.block * engine.block

    def wide(array: NDArray[Any]) -> NDArray[Any]:
        full = np.broadcast_to(array, (engine.block, *array.shape[1:]))
        return np.ascontiguousarray(full[inside])

    def by_row(values: Sequence[Any]) -> NDArray[Any]:
        counts = [group.count for group in groups]
        pairs = zip(values, counts, strict=True)
        parts = [np.broadcast_to(value, (engine.block, count)) for value, count in pairs]
        return wide(np.concatenate(parts, axis=1))

    joined = concatenate_rows([part for group in groups for part in group.parts])
    rows = {name: wide(value) for name, value in joined.items()}
    weight = np.asarray(by_row(weights), dtype=np.float64)
    real, batch = by_row([g.real for g in groups]), by_row([g.batch_index() for g in groups])
    if len(inside) < engine.block:
        # Refits of the same replicates then share the noise of these draws.
        fit = engine.condition([row_group(engine, rows, real, batch)], [weight], settings)
    posterior = read(fit, engine, shape, key)
    return Cell(place, rows, weight, real, batch, posterior, engine, settings, key)


def with_condition(
    engine: Engine,
    condition: Callable[[Sequence[Group], Sequence[Weight], FitSettings], Fit],
) -> Engine:
    """Copy an engine with another way to condition; compiled functions are shared."""
    twin = copy.copy(engine)
    object.__setattr__(twin, "condition", condition)  # engines may be frozen values
    return twin


def row_group(
    engine: Engine, rows: Values, real: NDArray[np.bool_], batch: NDArray[np.int64]
) -> Group:
    """All rows of a fit as one group, whose weights are given by row."""
    return Group((rows,), engine.digest(rows), real.shape[1], real, (), None, batch)


def read(fit: Fit, engine: Engine, shape: tuple[int, int], key: tuple[int, ...]) -> Posterior:
    """Draws and moments of a fit; as many draws as a sampled one has, at most `shape` asks for."""
    from bayescollapse.estimator.trees import PooledDraws

    chains, count = shape[0], shape[0] * shape[1]
    if isinstance(fit, PooledDraws):
        count = min(count, len(fit.pooled))
    kept = fit.keep(count, chains, np.random.default_rng(key))
    summary = fit.summary(())
    draws = engine.schema.pack(kept, lead=3)
    replicates = len(draws)
    mean, sd = (np.broadcast_to(summary[:, i], (replicates, draws.shape[-1])) for i in (0, 1))
    passed = np.broadcast_to(np.asarray(fit.figures["passed"], dtype=bool), (replicates,))
    return Posterior(draws, mean, sd, passed)
