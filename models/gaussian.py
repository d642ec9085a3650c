r"""Mean and standard deviation of a Gaussian.

.. math:: y_i \mid \mu, \sigma \sim \mathrm{Normal}(\mu, \sigma^2)

The prior is Jeffreys' :math:`p(\mu, \sigma^2) \propto 1/\sigma^2`, or the conjugate
:math:`\sigma^2 \sim \mathrm{InverseGamma}(a, b)`,
:math:`\mu \mid \sigma \sim \mathrm{Normal}(\mu_0, \sigma^2/\kappa)`.
With total row weight :math:`N`, weighted mean :math:`\bar y` and weighted sum of squares :math:`S`
around it, the posterior is :math:`\sigma^2 \sim \mathrm{InverseGamma}((N-1)/2, S/2)`,
:math:`\mu \mid \sigma \sim \mathrm{Normal}(\bar y, \sigma^2/N)` under Jeffreys' prior.

Used by He, Xu and Cheng (2025, arXiv:2502.18049), Shumailov et al. (2024, arXiv:2305.17493) and
Kazdan et al. (2024, arXiv:2410.16713).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import positive, real_number
from bayescollapse.estimator.conjugate import root_inverse_gamma_constants
from bayescollapse.estimator.exact import Floats, ForwardFunction, Stats, merge_weights
from bayescollapse.estimator.point_laws import positive_weight, root_inverse_gamma_point
from bayescollapse.estimator.points import POSITIVE, Point, check_point
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["GaussianSampler", "NormalInverseGamma", "estimator", "model"]

SCHEMA = RowSchema(
    responses=(Variable("y"),), covariates=(), parameters=(Variable("mu"), Variable("sigma"))
)


@dataclass(frozen=True)
class NormalInverseGamma:
    """Conjugate prior of a Gaussian mean and variance.

    Parameters
    ----------
    mean : float
        Prior mean of ``mu``.
    weight : float
        Rows that the prior mean is worth, positive.
    shape, scale : float
        Inverse-gamma shape and scale of the variance, positive.
    """

    mean: float = 0.0
    weight: float = 1.0
    shape: float = 2.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        real_number("mean", self.mean)
        for name in ("weight", "shape", "scale"):
            positive(name, getattr(self, name))


def model(rows: xr.Dataset | None = None, *, prior: NormalInverseGamma | None = None) -> pm.Model:
    """PyMC model of a Gaussian with unknown mean and sd.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with the variable ``y`` on ``obs``; a pair of rows if not given.
    prior : NormalInverseGamma, optional
        Conjugate prior; Jeffreys' prior if not given.

    Returns
    -------
    pymc.Model
        Parameters ``mu`` and ``sigma``, observed variable ``y`` on the dimension ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import gaussian
    >>> [rv.name for rv in gaussian.model().free_RVs]
    ['mu', 'sigma']
    """
    import pymc as pm
    import pytensor.tensor as pt

    def root_of_inverse_gamma(shape: object, scale: object, size: object) -> pt.TensorVariable:
        return pt.sqrt(pm.InverseGamma.dist(shape, scale, size=size))

    with pm.Model() as normal:
        y = pm.Data(
            "y_rows", np.array([-1.0, 1.0]) if rows is None else rows["y"].to_numpy(), dims="obs"
        )
        if prior is None:
            mu = pm.Flat("mu")
            sigma = pm.HalfFlat("sigma")
            pm.Potential("jeffreys", -pt.log(sigma))
        else:
            sigma = pm.CustomDist(
                "sigma",
                prior.shape,
                prior.scale,
                dist=root_of_inverse_gamma,
                transform=pm.distributions.transforms.log,
            )
            mu = pm.Normal("mu", prior.mean, sigma / np.sqrt(prior.weight))
        pm.Normal("y", mu, sigma, observed=y, dims="obs")
    return normal


def estimator(*, prior: NormalInverseGamma | None = None) -> Estimator:
    """Estimator of a Gaussian mean and sd, with its exact posterior.

    Parameters
    ----------
    prior : NormalInverseGamma, optional
        Conjugate prior; Jeffreys' prior if not given.

    Returns
    -------
    Estimator
        Parameters ``mu`` and ``sigma``, row variable ``y``.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import gaussian
    >>> rows = xr.Dataset({"y": ("obs", np.arange(10.0))})
    >>> posterior = gaussian.estimator().fit(rows, draws=2000, seed=1)
    >>> round(float(posterior["posterior"]["mu"].mean()), 1)
    4.5
    """
    from bayescollapse.estimator import Estimator

    if prior is not None and not isinstance(prior, NormalInverseGamma):
        raise TypeError(f"prior must be a NormalInverseGamma or None (Jeffreys), got {prior!r}")
    return Estimator(partial(model, prior=prior), exact=GaussianSampler(prior))


@dataclass(frozen=True)
class GaussianSampler:
    """Exact posterior of a Gaussian; statistics are weight, mean and sum of squares around it.

    Batches are merged by the update of Chan, Golub and LeVeque (1979), which stays accurate when a
    loop's variance has shrunk far below its squared mean.
    """

    prior: NormalInverseGamma | None = None

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``, parameters ``mu`` and ``sigma``."""
        return SCHEMA

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Total weight, weighted mean and weighted sum of squares around it."""
        y = rows["y"]
        if weights is None:
            mean = y.mean(axis=1)
            centred = y - mean[:, None]
            return np.array([float(y.shape[1])]), mean, np.einsum("rn,rn->r", centred, centred)
        total = weights.sum(axis=1)
        mean = np.einsum("rn,rn->r", weights, y) / np.where(total > 0, total, 1.0)
        centred = y - mean[:, None]
        return total, mean, np.einsum("rn,rn,rn->r", weights, centred, centred)

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Pool batches around their common mean."""
        if len(stats) == 1:
            return factors[0] * stats[0][0], stats[0][1], factors[0] * stats[0][2]
        scaled, total = merge_weights(stats, factors)
        pooled = sum((w * s[1] for w, s in zip(scaled, stats, strict=True)), start=0.0)
        mean = pooled / np.where(total > 0, total, 1.0)
        squares = sum(
            (
                f * s[2] + w * (s[1] - mean) ** 2
                for w, f, s in zip(scaled, factors, stats, strict=True)
            ),
            start=0.0,
        )
        return total, np.asarray(mean), np.asarray(squares)

    def check(self, stats: Stats) -> None:
        """Refuse Jeffreys' prior with a total weight of one or less, or rows without spread."""
        if self.prior is not None:
            return
        if (stats[0] <= 1).any():
            raise ValueError(
                "the posterior of mu and sigma is improper: under Jeffreys' prior the total weight "
                f"must exceed 1, got {float(np.min(stats[0])):g}; give more weight, or "
                "prior=NormalInverseGamma(…)"
            )
        if (stats[2] <= 0).any():
            raise ValueError(
                "the posterior of sigma is improper: the weighted rows are all equal; use more "
                "rows, or prior=NormalInverseGamma(…)"
            )

    def mean(self, stats: Stats) -> dict[str, Floats]:
        """Posterior mean of ``mu`` and of ``sigma``."""
        location, _, shape, scale = self._posterior(stats)
        return {
            "mu": location,
            "sigma": np.sqrt(scale) * root_inverse_gamma_constants(shape, ())[0],
        }

    def summary(self, stats: Stats, probabilities: tuple[float, ...]) -> Floats:
        """Student-t summary of ``mu``, root-inverse-gamma summary of ``sigma``."""
        location, weight, shape, scale = self._posterior(stats)
        first, second, t_quantiles, s_quantiles = root_inverse_gamma_constants(shape, probabilities)
        root = np.sqrt(scale)
        spread = root / np.sqrt(shape * weight)
        out = np.empty((location.shape[0], 2 + len(probabilities), 2))
        out[:, 0, 0], out[:, 0, 1] = location, root * first
        out[:, 1, 0] = spread * np.sqrt(shape * second)
        out[:, 1, 1] = root * np.sqrt(np.where(np.isinf(second), second, second - first**2))
        out[:, 2:, 0] = location[:, None] + spread[:, None] * t_quantiles
        out[:, 2:, 1] = root[:, None] * s_quantiles
        return out

    def draw(self, stats: Stats, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draw the variance, then the mean given it."""
        location, weight, shape, scale = self._posterior(stats)
        size = (location.shape[0], draws)
        gamma = rng.standard_gamma(np.reshape(shape, (-1, 1)), size)
        sigma = np.sqrt(scale[:, None] / gamma)
        mu = location[:, None] + sigma / np.sqrt(np.reshape(weight, (-1, 1))) * rng.standard_normal(
            size
        )
        return {"mu": mu, "sigma": sigma}

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Gaussian rows around ``mu`` with sd ``sigma``."""
        y = rng.standard_normal((parameters["mu"].shape[0], m))
        y *= parameters["sigma"]
        y += parameters["mu"]
        return {"y": y}

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Rows whose variance is multiplied by temperature and sampling bias."""
        factor = np.sqrt(temperature * sampling_bias)

        def forward(
            parameters: Values, covariates: Values, m: int, rng: np.random.Generator
        ) -> dict[str, NDArray[Any]]:
            narrowed = {"mu": parameters["mu"], "sigma": factor * parameters["sigma"]}
            return self.forward(narrowed, covariates, m, rng)

        return forward

    def point_estimate(self, point: Point) -> Callable[[Stats], dict[str, Floats]]:
        """Mean and modes on any scale of ``sigma``; estimates from the likelihood alone."""
        check_point(self, point, {"mu": (), "sigma": POSITIVE})

        def from_likelihood(stats: Stats) -> dict[str, Floats]:
            lost = 1.0 if point.kind == "unbiased" else 0.0
            weight = positive_weight(stats[0], point, lost)
            return {"mu": stats[1], "sigma": np.sqrt(stats[2] / (weight - lost))}

        def from_posterior(stats: Stats) -> dict[str, Floats]:
            location, _, shape, scale = self._posterior(stats)
            sigma = root_inverse_gamma_point(shape, scale, point, "sigma", given=1)
            return {"mu": location, "sigma": sigma}

        return from_likelihood if point.kind in ("mle", "unbiased") else from_posterior

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Gaussian log density of every row at every draw."""
        sigma = parameters["sigma"][:, :, None]
        z = (rows["y"][:, None, :] - parameters["mu"][:, :, None]) / sigma
        return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))

    def log_predictive(self, stats: Stats, rows: Values) -> Floats:
        """Student-t log predictive density of every row, shape (replicate, obs)."""
        from scipy.special import gammaln

        location, weight, shape, scale = self._posterior(stats)
        nu = np.reshape(2 * np.asarray(shape), (-1, 1))
        spread = np.sqrt(scale / shape * (1 + 1 / np.asarray(weight)))[:, None]
        z = (rows["y"] - location[:, None]) / spread
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
        return np.asarray(constant - np.log(spread) - (nu + 1) / 2 * np.log1p(z**2 / nu))

    def _posterior(self, stats: Stats) -> tuple[Floats, Floats, Floats, Floats]:
        """Location, weight, inverse-gamma shape and scale of the posterior."""
        weight, mean, squares = stats
        if self.prior is None:
            return mean, weight, (weight - 1) / 2, squares / 2
        prior = self.prior
        total = weight + prior.weight
        location = (weight * mean + prior.weight * prior.mean) / total
        between = weight * prior.weight / total * (mean - prior.mean) ** 2
        return location, total, prior.shape + weight / 2, prior.scale + (squares + between) / 2
