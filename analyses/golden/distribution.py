"""The nonparametric scenario: the empirical distribution, and its distance to the true one.

The learner of `bayescollapse.models.empirical` tracks mean and standard deviation. This one also
tracks how far the whole distribution is from the truth, as an example of a functional of one's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bayescollapse.estimator.direct import DirectEstimator
from bayescollapse.estimator.engine import FitSettings, Group, Weight
from bayescollapse.models.empirical import EmpiricalEngine, EmpiricalFit
from bayescollapse.rows import RowSchema, Variable

__all__ = ["estimator", "squared_distance"]


def estimator() -> DirectEstimator:
    """Empirical distribution of one column, tracking ``distance`` to the standard normal."""
    # Nothing here is read from draws of the Bayesian bootstrap, so two are enough.
    return DirectEstimator(DistanceEngine(None, 2))


def squared_distance(values: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Cramer-von Mises distance to the standard normal, int (F_t - F)^2 dF.

    Parameters
    ----------
    values : ndarray, shape (replicate, obs)
        Points, increasing along ``obs``.
    p : ndarray, shape (replicate, draw, obs)
        Their probabilities.

    Returns
    -------
    ndarray, shape (replicate, draw)
        Distance, in [0, 1/3].
    """
    u = ndtr(values)[:, None]
    # int F_t^2 du = 1 - E max(U, U') over two independent points.
    largest = (p * u * (2 * np.cumsum(p, axis=2) - p)).sum(axis=2)
    return np.asarray(1 / 3 - largest + (p * u**2).sum(axis=2))


class DistanceFit(EmpiricalFit):
    """Empirical distributions of a block, which know how far they are from the truth."""

    def functionals(self, p: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Mean, sd and distance of distributions (replicate, draw, obs) on the rows."""
        return super().functionals(p) | {"distance": squared_distance(self.rows[..., 0], p)}


@dataclass(frozen=True)
class DistanceEngine(EmpiricalEngine):
    """Bayesian bootstrap that tracks ``distance`` beside ``mu`` and ``sigma``."""

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``; parameters ``mu``, ``sigma`` and ``distance``."""
        plain = super().schema
        parameters = (*plain.parameters, Variable("distance", (), ()))
        return RowSchema(plain.responses, (), parameters, plain.coords)

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> EmpiricalFit:
        """Rows in order of their value."""
        fit = super().condition(groups, weights, settings)
        return DistanceFit(fit.rows, fit.weights, self.schema, fit.summary_draws, fit.seed)


def errors(run: Any) -> NDArray[np.float64]:
    """Distance of the distribution that emitted, (scheme, replicate, generation).

    Under plug-in emission that is the weighted empirical distribution itself.
    """
    distance = run["emission"]["distance"].isel(member=0)
    return np.asarray(distance.transpose("scheme", "replicate", "generation"))
