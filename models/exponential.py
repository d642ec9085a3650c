r"""Rate of an exponential waiting time.

.. math::

    y_i \mid r \sim \mathrm{Exponential}(r), \qquad
    r \sim \mathrm{Gamma}(a, b)

with density :math:`r e^{-r y}` on :math:`y \ge 0`, shape :math:`a` and rate :math:`b`. With total
row weight :math:`N` and weighted sum of times :math:`s` the posterior is
:math:`\mathrm{Gamma}(a + N, b + s)`, so the prior is worth :math:`a` rows. By default
:math:`a = 2` and :math:`b = 1`: the mean of a row, :math:`1/r`, is 1 on average.

A skewed counterpart of :mod:`~bayescollapse.models.gaussian_mean`: one parameter, and the mean of
the rows as its only statistic. With posterior draws handed on it is a chain of Griffiths and Kalish
(2007, doi:10.1080/15326900701326576).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import positive
from bayescollapse.estimator.conjugate import (
    gamma_summary,
    merge_sums,
    refuse_outside,
    weighted_sum,
)
from bayescollapse.estimator.exact import Floats, ForwardFunction, Stats
from bayescollapse.estimator.narrowing import refuse_sampling_bias
from bayescollapse.estimator.point_laws import gamma_point, positive_weight
from bayescollapse.estimator.points import POSITIVE, Point, check_point
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["ExponentialSampler", "estimator", "model"]

SCHEMA = RowSchema(responses=(Variable("y"),), covariates=(), parameters=(Variable("rate"),))


def model(
    rows: xr.Dataset | None = None, *, prior_shape: float = 2.0, prior_rate: float = 1.0
) -> pm.Model:
    """PyMC model of an exponential rate under a gamma prior.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with the times ``y``, not negative, on ``obs``; two ones if not given.
    prior_shape, prior_rate : float, default 2 and 1
        Shape and rate of the gamma prior, positive; the prior mean is their ratio.

    Returns
    -------
    pymc.Model
        Parameter ``rate`` (one over the mean of a row), observed variable ``y`` on ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import exponential
    >>> [rv.name for rv in exponential.model().free_RVs]
    ['rate']
    """
    import pymc as pm

    with pm.Model() as waiting:
        y = pm.Data("y_rows", np.ones(2) if rows is None else rows["y"].to_numpy(), dims="obs")
        rate = pm.Gamma("rate", prior_shape, prior_rate)
        pm.Exponential("y", rate, observed=y, dims="obs")
    return waiting


def estimator(*, prior_shape: float = 2.0, prior_rate: float = 1.0) -> Estimator:
    """Estimator of an exponential rate, with its exact posterior.

    Parameters
    ----------
    prior_shape, prior_rate : float, default 2 and 1
        Shape and rate of the gamma prior, positive; the prior mean is their ratio.

    Returns
    -------
    Estimator
        Parameter ``rate``, row variable ``y`` of times that are not negative.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import exponential
    >>> rows = xr.Dataset({"y": ("obs", np.full(98, 0.25))})
    >>> posterior = exponential.estimator().fit(rows, draws=2000, seed=1)
    >>> round(float(posterior["posterior"]["rate"].mean()), 1)
    3.9
    """
    from bayescollapse.estimator import Estimator

    positive("prior_shape", prior_shape)
    positive("prior_rate", prior_rate)
    prior: dict[str, Any] = {"prior_shape": prior_shape, "prior_rate": prior_rate}
    return Estimator(partial(model, **prior), exact=ExponentialSampler(**prior))


@dataclass(frozen=True)
class ExponentialSampler:
    """Exact gamma posterior; statistics are the total weight and the weighted sum of times."""

    prior_shape: float = 2.0
    prior_rate: float = 1.0

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``, parameter ``rate``."""
        return SCHEMA

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Total weight and weighted sum of times."""
        y = rows["y"]
        refuse_outside(
            y,
            y < 0,
            weights,
            allowed="times of at least 0",
            advice="drop those rows, or use gaussian for values of both signs",
        )
        return weighted_sum(y, weights)

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Add weights and times."""
        return merge_sums(stats, factors)

    def check(self, stats: Stats) -> None:
        """Accept all rows: a gamma prior of positive parameters is proper."""

    def mean(self, stats: Stats) -> dict[str, Floats]:
        """Posterior mean of ``rate``."""
        shape, rate = self._posterior(stats)
        return {"rate": shape / rate}

    def summary(self, stats: Stats, probabilities: tuple[float, ...]) -> Floats:
        """Gamma summary of ``rate``."""
        return gamma_summary(*self._posterior(stats), probabilities)

    def draw(self, stats: Stats, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Gamma draws."""
        shape, rate = self._posterior(stats)
        unit = rng.standard_gamma(shape[:, None], (rate.shape[0], draws))
        return {"rate": unit / rate[:, None]}

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Scale unit exponential rows, so that schemes share their noise."""
        rate = parameters["rate"]
        return {"y": rng.standard_exponential((rate.shape[0], m)) / rate}

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Rows whose rate is divided by the temperature; there is no sampling bias."""
        refuse_sampling_bias(self, sampling_bias)

        def forward(
            parameters: Values, covariates: Values, m: int, rng: np.random.Generator
        ) -> dict[str, NDArray[Any]]:
            return self.forward({"rate": parameters["rate"] / temperature}, covariates, m, rng)

        return forward

    def point_estimate(self, point: Point) -> Callable[[Stats], dict[str, Floats]]:
        """Mean and mode on any scale; or estimates from the likelihood alone.

        ``mle`` is one over the mean time, ``unbiased`` that times (N - 1)/N.
        """
        check_point(self, point, {"rate": POSITIVE})

        def from_likelihood(stats: Stats) -> dict[str, Floats]:
            lost = 1.0 if point.kind == "unbiased" else 0.0
            weight = positive_weight(stats[0], point, lost)
            return _positive_rate((weight - lost) / np.where(stats[1] > 0, stats[1], np.inf), point)

        def from_posterior(stats: Stats) -> dict[str, Floats]:
            return _positive_rate(gamma_point(*self._posterior(stats), point, "rate"), point)

        return from_likelihood if point.kind in ("mle", "unbiased") else from_posterior

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Log density of every row at every draw; minus infinity for negative rows."""
        rate, y = parameters["rate"][:, :, None], rows["y"][:, None, :]
        return np.where(y >= 0, np.log(rate) - rate * y, -np.inf)

    def _posterior(self, stats: Stats) -> tuple[Floats, Floats]:
        """Shape and rate of the gamma posterior."""
        total, times = stats
        return self.prior_shape + total, self.prior_rate + times


def _positive_rate(rate: Floats, point: Point) -> dict[str, Floats]:
    if (rate <= 0).any():
        raise ValueError(
            f"emission 'plug-in({point.label})' has no positive rate: the rows are all zero, or "
            "have too little weight for a mode; use 'plug-in', or more rows"
        )
    return {"rate": rate}
