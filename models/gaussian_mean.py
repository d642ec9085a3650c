r"""Mean of a Gaussian with a known standard deviation.

.. math::

    y_i \mid \mu \sim \mathrm{Normal}(\mu, \sigma^2), \qquad
    \mu \sim \mathrm{Normal}(\mu_0, \tau^2)

With total row weight :math:`N` and weighted mean :math:`\bar y` the posterior is Gaussian with
precision :math:`N/\sigma^2 + 1/\tau^2`. An infinite prior sd is the flat prior.

Used by He, Xu and Cheng (2025, arXiv:2502.18049) and, as a Gibbs sampler, by Griffiths and Kalish
(2007, doi:10.1080/15326900701326576).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bayescollapse._checks import positive, real_number
from bayescollapse.estimator.exact import Floats, ForwardFunction, Stats, merge_weights
from bayescollapse.estimator.point_laws import positive_weight
from bayescollapse.estimator.points import Point, check_point
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["GaussianMeanSampler", "estimator", "model"]

SCHEMA = RowSchema(responses=(Variable("y"),), covariates=(), parameters=(Variable("mu"),))


def model(
    rows: xr.Dataset | None = None,
    *,
    sd: float = 1.0,
    prior_mean: float = 0.0,
    prior_sd: float = np.inf,
) -> pm.Model:
    """PyMC model of a Gaussian mean with known sd.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with the variable ``y`` on ``obs``; two zeros if not given.
    sd : float, default 1
        Known standard deviation of a row.
    prior_mean : float, default 0
        Prior mean of ``mu``.
    prior_sd : float, default inf
        Prior standard deviation of ``mu``; inf is the flat prior.

    Returns
    -------
    pymc.Model
        Parameter ``mu``, observed variable ``y`` on the dimension ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import gaussian_mean
    >>> [rv.name for rv in gaussian_mean.model(sd=2.0).free_RVs]
    ['mu']
    """
    import pymc as pm

    with pm.Model() as gaussian:
        y = pm.Data("y_rows", np.zeros(2) if rows is None else rows["y"].to_numpy(), dims="obs")
        mu = pm.Flat("mu") if np.isinf(prior_sd) else pm.Normal("mu", prior_mean, prior_sd)
        pm.Normal("y", mu, sd, observed=y, dims="obs")
    return gaussian


def estimator(*, sd: float = 1.0, prior_mean: float = 0.0, prior_sd: float = np.inf) -> Estimator:
    """Estimator of a Gaussian mean with known sd, with its exact posterior.

    Parameters
    ----------
    sd : float, default 1
        Known standard deviation of a row, positive.
    prior_mean : float, default 0
        Prior mean of ``mu``.
    prior_sd : float, default inf
        Prior standard deviation of ``mu``, positive; inf is the flat prior.

    Returns
    -------
    Estimator
        Parameter ``mu``, row variable ``y``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import gaussian_mean
    >>> rows = xr.Dataset({"y": ("obs", np.array([0.0, 1.0, 2.0]))})
    >>> posterior = gaussian_mean.estimator().fit(rows, draws=1000, seed=1)
    >>> round(float(posterior["posterior"]["mu"].mean()), 1)
    1.0
    """
    from bayescollapse.estimator import Estimator

    positive("sd", sd)
    positive("prior_sd", prior_sd, infinite=True)
    real_number("prior_mean", prior_mean)
    return Estimator(
        partial(model, sd=sd, prior_mean=prior_mean, prior_sd=prior_sd),
        exact=GaussianMeanSampler(sd, prior_mean, prior_sd),
    )


@dataclass(frozen=True)
class GaussianMeanSampler:
    """Exact posterior of a Gaussian mean; statistics are the total weight and the weighted mean."""

    sd: float = 1.0
    prior_mean: float = 0.0
    prior_sd: float = np.inf

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``, parameter ``mu``."""
        return SCHEMA

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Total weight and weighted mean of the rows."""
        y = rows["y"]
        if weights is None:
            return np.array([float(y.shape[1])]), y.mean(axis=1)
        total = weights.sum(axis=1)
        return total, np.einsum("rn,rn->r", weights, y) / np.where(total > 0, total, 1.0)

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Pool batches: weights add, means are averaged by weight."""
        scaled, total = merge_weights(stats, factors)
        summed = sum((w * batch[1] for w, batch in zip(scaled, stats, strict=True)), start=0.0)
        return total, np.asarray(summed / np.where(total > 0, total, 1.0))

    def check(self, stats: Stats) -> None:
        """Refuse a flat prior without weighted rows."""
        if np.isinf(self.prior_sd) and (stats[0] <= 0).any():
            raise ValueError(
                "the posterior of mu is improper: the prior is flat and no row has a positive "
                "weight; give some rows weight, or a finite prior_sd"
            )

    def mean(self, stats: Stats) -> dict[str, Floats]:
        """Posterior mean."""
        return {"mu": self._location(stats)[0]}

    def summary(self, stats: Stats, probabilities: tuple[float, ...]) -> Floats:
        """Gaussian mean, sd and quantiles."""
        from scipy.special import ndtri

        location, sd = self._location(stats)
        out = np.empty((location.shape[0], 2 + len(probabilities), 1))
        out[:, 0, 0], out[:, 1, 0] = location, sd
        for i, p in enumerate(probabilities):
            out[:, 2 + i, 0] = location + sd * ndtri(p)
        return out

    def draw(self, stats: Stats, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Gaussian posterior draws."""
        location, sd = self._location(stats)
        noise = rng.standard_normal((location.shape[0], draws))
        return {"mu": location[:, None] + np.reshape(sd, (-1, 1)) * noise}

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Gaussian rows around ``mu``."""
        mu = parameters["mu"]
        y = rng.standard_normal((mu.shape[0], m))
        if self.sd != 1.0:
            y *= self.sd
        y += mu
        return {"y": y}

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Rows whose variance is multiplied by temperature and sampling bias."""
        return replace(self, sd=self.sd * float(np.sqrt(temperature * sampling_bias))).forward

    def point_estimate(self, point: Point) -> Callable[[Stats], dict[str, Floats]]:
        """Posterior mean, which is also the mode; or the weighted mean of the rows."""
        check_point(self, point, {"mu": ()})

        def from_likelihood(stats: Stats) -> dict[str, Floats]:
            positive_weight(stats[0], point)
            return {"mu": stats[1]}

        return from_likelihood if point.kind in ("mle", "unbiased") else self.mean

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Gaussian log density of every row at every draw."""
        z = (rows["y"][:, None, :] - parameters["mu"][:, :, None]) / self.sd
        return np.asarray(-0.5 * z**2 - np.log(self.sd) - 0.5 * np.log(2 * np.pi))

    def log_predictive(self, stats: Stats, rows: Values) -> Floats:
        """Gaussian log predictive density of every row, shape (replicate, obs)."""
        location, sd = self._location(stats)
        spread = np.sqrt(self.sd**2 + np.square(sd))
        z = (rows["y"] - location[:, None]) / np.reshape(spread, (-1, 1))
        return np.asarray(
            -0.5 * z**2 - np.log(np.reshape(spread, (-1, 1))) - 0.5 * np.log(2 * np.pi)
        )

    def _location(self, stats: Stats) -> tuple[Floats, Floats]:
        weight, mean = stats
        prior_weight = (self.sd / self.prior_sd) ** 2
        precision = weight + prior_weight
        sd = self.sd / np.sqrt(precision)
        if prior_weight == 0.0:
            return mean, sd
        return (weight * mean + prior_weight * self.prior_mean) / precision, sd
