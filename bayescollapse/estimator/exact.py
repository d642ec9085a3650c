"""Exact posteriors: the interface of a conjugate sampler, vectorised over replicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bayescollapse.rows import RowSchema, Values

__all__ = [
    "ExactSampler",
    "Floats",
    "ForwardFunction",
    "ImproperPosteriorError",
    "PredictiveSampler",
    "Stats",
    "TemperedSampler",
    "merge_weights",
    "powered",
]

Floats = NDArray[np.float64]

Stats = tuple[Floats, ...]
"""Sufficient statistics of weighted rows: arrays with a leading replicate axis."""

ForwardFunction = Callable[[Values, Values, int, np.random.Generator], dict[str, NDArray[Any]]]
"""Rows from parameters, covariates, a number of rows and a generator."""


class ImproperPosteriorError(ValueError):
    """Weighted rows and prior together give no posterior; the message says which, and why."""


@runtime_checkable
class ExactSampler(Protocol):
    """A model family whose posterior under weighted rows has a closed form.

    An implementation is a frozen value that holds the prior. Every array has a leading replicate
    axis, so one call serves a whole block of lineages. Attach it with
    ``bc.Estimator(model, exact=sampler)``; it must describe the same model as the PyMC definition,
    which ``tests/models`` checks for every family of this package.

    Attributes
    ----------
    schema : RowSchema
        Responses, covariates and parameters, as in the PyMC model.

    Notes
    -----
    Two further methods are optional, and an emission that needs one is refused without it:
    ``tempered`` (:class:`TemperedSampler`) and ``point_estimate``
    (:class:`~bayescollapse.estimator.points.PointSampler`).
    """

    @property
    def schema(self) -> RowSchema:
        """Responses, covariates and parameters, as in the PyMC model."""

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Statistics of rows (replicate, obs, …) at weights (replicate, obs); None is weight 1."""

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Statistics of several batches together, each batch's weights times its factor."""

    def check(self, stats: Stats) -> None:
        """Raise ValueError where the posterior is improper."""

    def mean(self, stats: Stats) -> dict[str, Floats]:
        """Posterior mean of every parameter on its own scale, shape (replicate, …)."""

    def summary(self, stats: Stats, probabilities: tuple[float, ...]) -> Floats:
        """Mean, sd and quantiles of stacked parameters, (replicate, statistic, parameter)."""

    def draw(self, stats: Stats, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Independent posterior draws, shape (replicate, draws, …)."""

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Responses of m rows a replicate.

        Parameters have shape (replicate, 1 or m, …), covariates (replicate, m, …).
        """

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Row-wise log-likelihood (replicate, draw, obs) at parameters (replicate, draw, …)."""


@runtime_checkable
class TemperedSampler(Protocol):
    """An exact sampler that draws tempered or narrowed rows; optional."""

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Give the forward function of rows from the density to the power 1/temperature.

        A sampling bias multiplies the covariance of the noise around its location. The function
        consumes random numbers as ``forward`` does, so that schemes share their noise.

        Raises
        ------
        ValueError
            If the family has no such rows.
        """


@runtime_checkable
class PredictiveSampler(Protocol):
    """An exact sampler that knows its predictive density in closed form; optional."""

    def log_predictive(self, stats: Stats, rows: Values) -> Floats:
        """Log posterior predictive density of every row, shape (replicate, obs), in nats.

        `rows` have a leading axis of one or of all replicates.
        """


def merge_weights(stats: Sequence[Stats], factors: Sequence[float]) -> tuple[list[Floats], Floats]:
    """Scaled weight of every batch, and their sum; the weight is the first of the statistics."""
    scaled = [factor * batch[0] for batch, factor in zip(stats, factors, strict=True)]
    return scaled, sum(scaled[1:], start=scaled[0])


def powered(p: Floats, temperature: float) -> Floats:
    """Probabilities (…, category) to the power 1/temperature, renormalised."""
    # Relative to the largest one, so that powers do not underflow together.
    powers = (p / p.max(axis=-1, keepdims=True)) ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
