"""Engines: how the posteriors of a block of replicates are drawn.

An engine hides the method (exact, NUTS) from the lineage. It conditions a block of replicates on
groups of weighted rows and returns a :class:`Fit`, the posteriors of the block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import ExactSampler, Floats, ImproperPosteriorError, Stats
from bayescollapse.estimator.points import Point, PointSampler
from bayescollapse.rows import RowSchema, Values, concatenate_rows, count_rows

__all__ = [
    "EXACT_BLOCK",
    "Engine",
    "ExactEngine",
    "ExactFit",
    "Fit",
    "FitSettings",
    "Group",
    "Weight",
]

EXACT_BLOCK = 128
"""Replicates in a block of exact posteriors. Part of a run's identity: never change it."""

Weight = float | Floats
"""One weight for every row of a group, or one per row of shape (replicate, obs)."""

FIGURES = ("rhat", "ess_bulk", "ess_tail", "divergences", "attempts", "passed")
"""What the gate records of every fit."""


EXACT_FIGURES: dict[str, NDArray[Any]] = {
    "rhat": np.array([np.nan]),
    "ess_bulk": np.array([np.nan]),
    "ess_tail": np.array([np.nan]),
    "divergences": np.array([0]),
    "attempts": np.array([1]),
    "passed": np.array([True]),
}


@dataclass(frozen=True)
class Group:
    """Rows that share a weight: all real rows of a generation, or all its synthetic rows.

    Parameters
    ----------
    parts : tuple of mapping of str to ndarray
        Batches of rows, each with leading axes (replicate, obs).
    digest : object
        What the engine computed of the rows; None where it needs them whole.
    count : int
        Number of rows.
    real : bool or ndarray
        Whether the rows are real; per row, shape (replicate, obs), where a group is mixed.
    generations : tuple of int
        Generation that made each batch of `parts`.
    keep : ndarray, shape (replicate, obs), optional
        A selection's weights.
    mixed : ndarray, shape (replicate, obs), optional
        Generation that made each row, where a group is mixed.
    """

    parts: tuple[Values, ...]
    digest: Any
    count: int
    real: bool | NDArray[np.bool_]
    generations: tuple[int, ...]
    keep: Floats | None = None
    mixed: NDArray[np.int64] | None = None

    def rows(self) -> dict[str, NDArray[Any]]:
        """All rows of the group as one batch."""
        return concatenate_rows(self.parts)

    def batch_index(self) -> NDArray[np.int64]:
        """Return the generation that made each row, shape (obs,) or (replicate, obs)."""
        if self.mixed is not None:
            return self.mixed
        sizes = [count_rows(part) for part in self.parts]
        return np.repeat(np.array(self.generations, dtype=np.int64), sizes)


@dataclass(frozen=True)
class FitSettings:
    """Settings of one fit.

    Parameters
    ----------
    draws, chains : int
        Draws a chain, and chains; exact posteriors use them only where draws are asked for.
    tune : int, optional
        Adaptation steps of a sampler.
    seeds : callable
        ``seeds(attempt)`` is the sampler's integer seed of an attempt.
    """

    draws: int
    chains: int
    tune: int | None
    seeds: Callable[[int], int]


class Fit(Protocol):
    """Posteriors of a block of replicates."""

    @property
    def figures(self) -> dict[str, NDArray[Any]]:
        """Gate figures, each of shape (replicate,), or (1,) where all replicates have the same."""

    def point(self) -> dict[str, Floats]:
        """Posterior mean of every free variable on its own scale, shape (replicate, …)."""

    def summary(self, probabilities: tuple[float, ...]) -> Floats:
        """Mean, sd and quantiles of stacked parameters, (replicate, statistic, parameter)."""

    def draws(self, count: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Posterior draws (replicate, count, …): fresh if exact, else uniform from the pool."""

    def keep(self, count: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
        """`count` draws to store, evenly spaced, shape (replicate, chain, draw, …)."""


class Engine(Protocol):
    """Draws posteriors and emits rows, a block of replicates at a time."""

    @property
    def method(self) -> str:
        """Name of the method."""

    @property
    def block(self) -> int:
        """Replicates a block; part of a run's identity."""

    @property
    def schema(self) -> RowSchema:
        """Responses, covariates and parameters."""

    def digest(self, rows: Values) -> Any:
        """Return what conditioning needs of a batch; None where it needs the rows."""

    def join(self, digests: Sequence[Any]) -> Any:
        """Digest of several batches of equal row weight."""

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> Fit:
        """Posteriors given weighted groups of rows."""

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Responses of m rows a replicate."""

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Row-wise log-likelihood, shape (replicate, draw, obs)."""


@dataclass(frozen=True)
class ExactFit:
    """Conjugate posteriors of a block."""

    sampler: ExactSampler
    stats: Stats

    @property
    def figures(self) -> dict[str, NDArray[Any]]:
        """Nothing to gate: independent draws."""
        return EXACT_FIGURES

    def point(self) -> dict[str, Floats]:
        """Posterior mean in closed form."""
        return self.sampler.mean(self.stats)

    def estimate(self, point: Point) -> dict[str, Floats]:
        """Another point estimate in closed form, where the sampler has it."""
        if not isinstance(self.sampler, PointSampler):
            raise ValueError(
                f"emission 'plug-in({point.label})' is not known to {type(self.sampler).__name__}: "
                "use 'plug-in'"
            )
        return self.sampler.point_estimate(point)(self.stats)

    def summary(self, probabilities: tuple[float, ...]) -> Floats:
        """Summary in closed form."""
        return self.sampler.summary(self.stats, probabilities)

    def draws(self, count: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Independent posterior draws."""
        return self.sampler.draw(self.stats, count, rng)

    def keep(self, count: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Independent posterior draws, split over chains."""
        per_chain = max(count // chains, 1)
        flat = self.sampler.draw(self.stats, per_chain * chains, rng)
        return {n: v.reshape(v.shape[0], chains, per_chain, *v.shape[2:]) for n, v in flat.items()}


class ExactEngine:
    """Conjugate posteriors, vectorised over the replicates of a block.

    Parameters
    ----------
    sampler : ExactSampler
        The family's exact sampler.
    block : int
        Replicates a block.
    """

    method = "exact"

    def __init__(self, sampler: ExactSampler, block: int = EXACT_BLOCK) -> None:
        self.sampler = sampler
        self.block = block
        self.schema = sampler.schema

    def digest(self, rows: Values) -> Stats:
        """Sufficient statistics at weight 1."""
        return self.sampler.suffstats(rows, None)

    def join(self, digests: Sequence[Stats]) -> Stats:
        """Statistics of several batches at weight 1."""
        return (
            digests[0] if len(digests) == 1 else self.sampler.merge(digests, [1.0] * len(digests))
        )

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> ExactFit:
        """Give posteriors from merged statistics; only weights by row read rows again."""
        stats: list[Stats] = []
        factors: list[float] = []
        for group, weight in zip(groups, weights, strict=True):
            if isinstance(weight, np.ndarray):
                stats.append(self.sampler.suffstats(group.rows(), weight))
                factors.append(1.0)
            else:
                stats.append(group.digest)
                factors.append(float(weight))
        merged = stats[0] if factors == [1.0] else self.sampler.merge(stats, factors)
        try:
            self.sampler.check(merged)
        except ValueError as reason:
            raise ImproperPosteriorError(str(reason)) from reason
        return ExactFit(self.sampler, merged)

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Responses from the family's NumPy forward function."""
        return self.sampler.forward(parameters, covariates, m, rng)

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Row-wise log-likelihood of the family."""
        return self.sampler.log_density(parameters, rows)
