"""Exact normal–inverse-Wishart posterior of a multivariate normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import positive, real_number
from bayescollapse.estimator.exact import Floats, ForwardFunction, Stats, merge_weights
from bayescollapse.estimator.inverse_wishart import (
    inverse_wishart_mean,
    inverse_wishart_quantiles,
    inverse_wishart_roots,
    inverse_wishart_sd,
)
from bayescollapse.estimator.point_laws import positive_weight
from bayescollapse.estimator.points import Point, check_point
from bayescollapse.rows import RowSchema, Values, Variable

__all__ = ["MultivariateNormalSampler", "NormalInverseWishart"]

CHUNK = 4_000_000
"""Numbers that a temporary array of draws may hold."""


@dataclass(frozen=True)
class NormalInverseWishart:
    """Conjugate prior of a mean vector and covariance matrix.

    Parameters
    ----------
    mean : float or sequence of float
        Prior mean of ``mu``, one for all dimensions or one each.
    weight : float
        Rows that the prior mean is worth, positive.
    degrees : float, optional
        Degrees of freedom of the inverse-Wishart, above ``dim - 1``; ``dim + 3`` if not given, the
        least integer with a finite fourth moment of a row.
    scale : float or array_like, shape (dim, dim)
        Scale matrix, or a positive number that multiplies the identity. The prior mean of
        ``covariance`` is ``scale / (degrees - dim - 1)``: the identity with the defaults.

    Notes
    -----
    At one dimension the defaults are those of
    :class:`bayescollapse.models.gaussian.NormalInverseGamma`.
    """

    mean: float | tuple[float, ...] = 0.0
    weight: float = 1.0
    degrees: float | None = None
    scale: float | tuple[tuple[float, ...], ...] = field(default=2.0)

    def __post_init__(self) -> None:
        """Refuse values out of range; keep arrays as tuples, so that equal priors are equal."""
        positive("weight", self.weight)
        if self.degrees is not None:
            positive("degrees", self.degrees)
        if np.ndim(self.mean):
            mean = np.asarray(self.mean, dtype=np.float64)
            object.__setattr__(self, "mean", tuple(real_number("mean", v) for v in mean.tolist()))
        else:
            real_number("mean", self.mean)
        if np.ndim(self.scale):
            scale = np.asarray(self.scale, dtype=np.float64)
            _check_scale(scale)
            object.__setattr__(self, "scale", tuple(map(tuple, scale.tolist())))
        else:
            positive("scale", self.scale)

    def resolve(self, dim: int) -> tuple[Floats, float, Floats]:
        """Mean (dim,), degrees of freedom and scale matrix (dim, dim) in `dim` dimensions."""
        mean = np.broadcast_to(np.asarray(self.mean, dtype=np.float64), _fitting(self.mean, dim))
        scale = np.asarray(self.scale, dtype=np.float64)
        scale = scale * np.eye(dim) if scale.ndim == 0 else scale
        degrees = dim + 3.0 if self.degrees is None else float(self.degrees)
        if mean.shape != (dim,) or scale.shape != (dim, dim):
            raise ValueError(
                f"prior has a mean of shape {mean.shape} and a scale of shape {scale.shape}, but "
                f"dim is {dim}: give {dim} means, and a {dim} x {dim} matrix or one number"
            )
        if degrees <= dim - 1:
            raise ValueError(
                f"prior degrees must exceed dim - 1 = {dim - 1}, got {degrees:g}: with fewer the "
                "prior is improper"
            )
        return mean, degrees, scale


@dataclass(frozen=True)
class MultivariateNormalSampler:
    """Exact posterior; statistics are weight, mean and scatter matrix around it.

    Batches are merged by the update of Chan, Golub and LeVeque (1979), which stays accurate when a
    loop's covariance has shrunk far below its squared mean.

    Parameters
    ----------
    dim : int
        Number of dimensions of a row.
    prior : NormalInverseWishart
        The prior.
    """

    dim: int
    prior: NormalInverseWishart

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y`` on ``dim``; parameters ``covariance`` and ``mu``."""
        size = self.dim
        return RowSchema(
            responses=(Variable("y", ("dim",), (size,)),),
            covariates=(),
            parameters=(
                Variable("covariance", ("dim", "dim_2"), (size, size)),
                Variable("mu", ("dim",), (size,)),
            ),
            coords={"dim": tuple(range(size)), "dim_2": tuple(range(size))},
        )

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Total weight, weighted mean and weighted scatter around it."""
        y = rows["y"]
        if weights is None:
            mean = y.mean(axis=1)
            centred = y - mean[:, None]
            return np.array([float(y.shape[1])]), mean, centred.transpose(0, 2, 1) @ centred
        total = weights.sum(axis=1)
        mean = np.einsum("rn,rnp->rp", weights, y) / np.where(total > 0, total, 1.0)[:, None]
        centred = (y - mean[:, None]) * np.sqrt(weights)[:, :, None]
        return total, mean, centred.transpose(0, 2, 1) @ centred

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Pool batches around their common mean."""
        scaled, total = merge_weights(stats, factors)
        share = [np.reshape(w / np.where(total > 0, total, 1.0), (-1, 1)) for w in scaled]
        mean = np.asarray(sum(w * s[1] for w, s in zip(share, stats, strict=True)))
        scatter = np.zeros(1)
        for weight, factor, batch in zip(scaled, factors, stats, strict=True):
            scatter = scatter + factor * batch[2] + _outer(weight, batch[1] - mean)
        return total, mean, scatter

    def check(self, stats: Stats) -> None:
        """Accept all rows: the prior is proper."""

    def mean(self, stats: Stats) -> dict[str, Floats]:
        """Posterior means; nan for ``covariance`` where degrees do not exceed ``dim + 1``."""
        location, _, degrees, scale = self._posterior(stats)
        return {"covariance": inverse_wishart_mean(scale, degrees), "mu": location}

    def summary(self, stats: Stats, probabilities: tuple[float, ...]) -> Floats:
        """Student-t summary of ``mu``, inverse-Wishart summary of every entry of ``covariance``.

        Moments are closed forms. Quantiles off the diagonal are solved by quadrature
        (:func:`~bayescollapse.estimator.inverse_wishart.inverse_wishart_quantiles`): about 50 ms
        for every new value of the total weight.
        """
        from scipy.special import stdtrit

        location, weight, degrees, scale = self._posterior(stats)
        replicates, p = location.shape
        df = np.reshape(degrees - p + 1, (-1, 1))
        variance = np.diagonal(scale, axis1=1, axis2=2) / (np.reshape(weight, (-1, 1)) * df)
        inflation = np.where(df > 2, df / np.where(df > 2, df - 2, 1.0), np.inf)
        out = np.empty((replicates, 2 + len(probabilities), p * p + p))
        flat = (replicates, -1, p * p)
        out[:, 0, : p * p] = inverse_wishart_mean(scale, degrees).reshape(flat)[:, 0]
        out[:, 1, : p * p] = inverse_wishart_sd(scale, degrees).reshape(flat)[:, 0]
        out[:, 0, p * p :], out[:, 1, p * p :] = location, np.sqrt(variance * inflation)
        if probabilities:
            quantiles = inverse_wishart_quantiles(scale, degrees, probabilities)
            out[:, 2:, : p * p] = quantiles.reshape(flat)
            t = stdtrit(df, np.array(probabilities))[:, :, None]
            out[:, 2:, p * p :] = location[:, None] + t * np.sqrt(variance)[:, None]
        return out

    def draw(self, stats: Stats, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draw the covariance by Bartlett's method, then the mean given it."""
        location, weight, degrees, scale = self._posterior(stats)
        replicates, p = location.shape
        covariance = np.empty((replicates, draws, p, p))
        mu = np.empty((replicates, draws, p))
        step = max(1, CHUNK // (replicates * p * p))
        for start in range(0, draws, step):
            part = slice(start, min(start + step, draws))
            root = inverse_wishart_roots(scale, degrees, part.stop - start, rng)
            noise = rng.standard_normal((*root.shape[:2], p, 1))
            noise /= np.sqrt(np.reshape(weight, (-1, 1, 1, 1)))
            covariance[:, part] = root @ root.swapaxes(-1, -2)
            mu[:, part] = location[:, None] + (root @ noise)[..., 0]
        return {"covariance": covariance, "mu": mu}

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Rows around ``mu``, through the Cholesky factor of ``covariance``."""
        factor, mu = _cholesky(parameters["covariance"]), parameters["mu"]
        noise = rng.standard_normal((mu.shape[0], m, self.dim))
        if factor.shape[1] == 1:
            return {"y": mu + noise @ factor[:, 0].transpose(0, 2, 1)}
        return {"y": mu + (factor @ noise[..., None])[..., 0]}

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Rows whose covariance is multiplied by temperature and sampling bias."""
        factor = temperature * sampling_bias

        def forward(
            parameters: Values, covariates: Values, m: int, rng: np.random.Generator
        ) -> dict[str, NDArray[Any]]:
            narrowed = {"mu": parameters["mu"], "covariance": factor * parameters["covariance"]}
            return self.forward(narrowed, covariates, m, rng)

        return forward

    def point_estimate(self, point: Point) -> Callable[[Stats], dict[str, Floats]]:
        """Modes of the matrix, joint with ``mu`` or by itself; estimates from the likelihood."""
        check_point(self, point, {"covariance": (), "mu": ()})

        def from_likelihood(stats: Stats) -> dict[str, Floats]:
            weight, mean, scatter = stats
            lost = 1.0 if point.kind == "unbiased" else 0.0
            divisor = np.reshape(positive_weight(weight, point, lost) - lost, (-1, 1, 1))
            return {"covariance": scatter / divisor, "mu": mean}

        def from_posterior(stats: Stats) -> dict[str, Floats]:
            location, _, degrees, scale = self._posterior(stats)
            # At its mode, mu has one more root of the determinant in the joint density.
            more = self.dim + (2 if point.kind == "map" else 1)
            return {"covariance": scale / np.reshape(degrees + more, (-1, 1, 1)), "mu": location}

        return from_likelihood if point.kind in ("mle", "unbiased") else from_posterior

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Gaussian log density of every row at every draw."""
        factor, mu, y = _cholesky(parameters["covariance"]), parameters["mu"], rows["y"]
        log_root = np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(axis=-1)
        whiten = np.linalg.inv(factor).swapaxes(-1, -2)
        squares = np.empty((*mu.shape[:2], y.shape[1]))
        step = max(1, CHUNK // (y.shape[0] * y.shape[1] * self.dim))
        for start in range(0, mu.shape[1], step):
            part = slice(start, start + step)
            z = (y[:, None] - mu[:, part, None]) @ whiten[:, part]
            squares[:, part] = np.einsum("rdnp,rdnp->rdn", z, z)
        constant = log_root + self.dim / 2 * np.log(2 * np.pi)
        return np.asarray(-0.5 * squares - constant[:, :, None])

    def _posterior(self, stats: Stats) -> tuple[Floats, Floats, Floats, Floats]:
        """Location, weight, degrees of freedom and scale of the posterior."""
        weight, mean, scatter = stats
        prior_mean, degrees, scale = self.prior.resolve(self.dim)
        total = weight + self.prior.weight
        share = np.reshape(weight / total, (-1, 1))
        location = share * mean + (1 - share) * prior_mean
        between = _outer(weight * self.prior.weight / total, mean - prior_mean)
        return location, total, degrees + weight, scale + scatter + between


def _outer(weight: Floats, vector: Floats) -> Floats:
    return np.asarray(np.reshape(weight, (-1, 1, 1)) * vector[:, :, None] * vector[:, None, :])


def _cholesky(covariance: Floats) -> Floats:
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "covariance must be positive definite, but at least one is not in double precision: "
            "the loop may have lost a dimension; give the prior a larger scale or more degrees"
        ) from error


def _fitting(mean: float | tuple[float, ...], dim: int) -> tuple[int, ...]:
    return np.shape(mean) or (dim,)


def _check_scale(scale: Floats) -> None:
    square = scale.ndim == 2 and scale.shape[0] == scale.shape[1] and np.isfinite(scale).all()
    if not square or not np.allclose(scale, scale.T) or np.linalg.eigvalsh(scale).min() <= 0:
        raise ValueError(
            "scale must be a positive number or a symmetric positive definite matrix, got an array "
            f"of shape {scale.shape}: check its symmetry and eigenvalues"
        )
