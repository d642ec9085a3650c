r"""Rate of a count.

.. math::

    y_i \mid r \sim \mathrm{Poisson}(r), \qquad
    r \sim \mathrm{Gamma}(a, b)

with shape :math:`a` and rate :math:`b` (mean :math:`a/b`). With total row weight :math:`N` and
weighted sum of counts :math:`s` the posterior is :math:`\mathrm{Gamma}(a + s, b + N)`, so the prior
is worth :math:`b` rows. By default :math:`a = b = 1`, an exponential distribution of mean 1.

Counts without covariates are the intercept-only case of the Poisson regression of He, Xu and Cheng
(2025, arXiv:2502.18049).
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
from bayescollapse.estimator.point_laws import gamma_point, positive_weight
from bayescollapse.estimator.points import POSITIVE, Point, check_point
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["PoissonSampler", "estimator", "model"]

SCHEMA = RowSchema(
    responses=(Variable("y", dtype="int64"),), covariates=(), parameters=(Variable("rate"),)
)


def model(
    rows: xr.Dataset | None = None, *, prior_shape: float = 1.0, prior_rate: float = 1.0
) -> pm.Model:
    """PyMC model of a Poisson rate under a gamma prior.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with the counts ``y`` on ``obs``; a zero and a one if not given.
    prior_shape, prior_rate : float, default 1
        Shape and rate of the gamma prior, positive; the prior mean is their ratio.

    Returns
    -------
    pymc.Model
        Parameter ``rate`` (mean count of a row), observed variable ``y`` on the dimension ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import poisson
    >>> [rv.name for rv in poisson.model().free_RVs]
    ['rate']
    """
    import pymc as pm

    with pm.Model() as counts:
        y = pm.Data("y_rows", np.arange(2) if rows is None else rows["y"].to_numpy(), dims="obs")
        rate = pm.Gamma("rate", prior_shape, prior_rate)
        pm.Poisson("y", rate, observed=y, dims="obs")
    return counts


def estimator(*, prior_shape: float = 1.0, prior_rate: float = 1.0) -> Estimator:
    """Estimator of a Poisson rate, with its exact posterior.

    Parameters
    ----------
    prior_shape, prior_rate : float, default 1
        Shape and rate of the gamma prior, positive; the prior mean is their ratio.

    Returns
    -------
    Estimator
        Parameter ``rate``, row variable ``y`` of counts.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import poisson
    >>> rows = xr.Dataset({"y": ("obs", np.array([3, 2, 4, 3, 2]))})
    >>> posterior = poisson.estimator().fit(rows, draws=2000, seed=1)
    >>> round(float(posterior["posterior"]["rate"].mean()), 1)
    2.5
    """
    from bayescollapse.estimator import Estimator

    positive("prior_shape", prior_shape)
    positive("prior_rate", prior_rate)
    prior: dict[str, Any] = {"prior_shape": prior_shape, "prior_rate": prior_rate}
    return Estimator(partial(model, **prior), exact=PoissonSampler(**prior))


@dataclass(frozen=True)
class PoissonSampler:
    """Exact gamma posterior; statistics are the total weight and the weighted sum of counts."""

    prior_shape: float = 1.0
    prior_rate: float = 1.0

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``, parameter ``rate``."""
        return SCHEMA

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Total weight and weighted sum of counts."""
        y = rows["y"]
        refuse_outside(
            y,
            y < 0,
            weights,
            allowed="counts of at least 0",
            advice="drop those rows, or use gaussian for values of both signs",
        )
        return weighted_sum(y, weights)

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Add weights and counts."""
        return merge_sums(stats, factors)

    def check(self, stats: Stats) -> None:
        """Accept every count: a gamma prior of positive parameters is proper."""

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
        unit = rng.standard_gamma(shape[:, None], (shape.shape[0], draws))
        return {"rate": unit / rate[:, None]}

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Invert one uniform a row, so that schemes share their noise."""
        from scipy.special import pdtr, pdtrik

        rate = parameters["rate"]
        uniform = rng.random((rate.shape[0], m))
        counts = np.ceil(pdtrik(uniform, rate))
        # The root is found to a tolerance, so next to a step it may be one too high.
        below = np.maximum(counts - 1, 0)
        return {"y": np.where(pdtr(below, rate) >= uniform, below, counts).astype(np.int64)}

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Refuse: a power of Poisson probabilities is no Poisson law."""
        raise ValueError(
            "emission with temperature or sampling_bias cannot draw Poisson counts: a power of "
            "their probabilities is a Conway-Maxwell-Poisson law, and they have no location and "
            "scale; leave both out, or use another family"
        )

    def point_estimate(self, point: Point) -> Callable[[Stats], dict[str, Floats]]:
        """Mean and mode on any scale, a mode of 0 included; or the mean count."""
        check_point(self, point, {"rate": POSITIVE})

        def from_likelihood(stats: Stats) -> dict[str, Floats]:
            return {"rate": stats[1] / positive_weight(stats[0], point)}

        def from_posterior(stats: Stats) -> dict[str, Floats]:
            return {"rate": gamma_point(*self._posterior(stats), point, "rate")}

        return from_likelihood if point.kind in ("mle", "unbiased") else from_posterior

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Log probability of every row at every draw."""
        from scipy.special import gammaln, xlogy

        rate, y = parameters["rate"][:, :, None], rows["y"][:, None, :]
        return np.asarray(xlogy(y, rate) - rate - gammaln(y + 1.0))

    def _posterior(self, stats: Stats) -> tuple[Floats, Floats]:
        """Shape and rate of the gamma posterior."""
        total, counts = stats
        return self.prior_shape + counts, self.prior_rate + total
