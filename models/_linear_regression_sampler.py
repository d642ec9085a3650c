"""Exact posterior of a weighted linear regression, also with more columns than rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.conjugate import root_inverse_gamma_constants
from bayescollapse.estimator.exact import Floats, ForwardFunction, Stats, merge_weights
from bayescollapse.estimator.point_laws import positive_weight, root_inverse_gamma_point
from bayescollapse.estimator.points import POSITIVE, Point, check_point
from bayescollapse.models._linear_regression_priors import InverseGamma, PriorPrecision
from bayescollapse.rows import RowSchema, Values, Variable

__all__ = ["LinearRegressionSampler"]


@dataclass(frozen=True)
class LinearRegressionSampler:
    """Exact posterior of a regression.

    Statistics are the total weight, the weighted Gram matrix, the least-squares coefficients and
    the residual sum of squares. Batches are merged through their own coefficients, so residual sums
    do not suffer cancellation when the noise of a loop has shrunk.

    Least-squares coefficients do not exist where a batch has fewer rows than there are features.
    Under a proper prior such a batch is expanded around its ridge solution instead, and the fifth
    statistic is the gradient there; so is every merge it is part of.

    Parameters
    ----------
    features : int
        Number of columns of ``x``.
    noise_sd : float, optional
        Known noise sd.
    prior_sd : float
        Prior sd of every coefficient, in units of the noise sd where that is unknown.
    noise_prior : InverseGamma, optional
        Prior of an unknown noise variance; 1/sigma^2 if not given.
    prior_precision : PriorPrecision, optional
        Prior precision of the coefficients in units of one over the noise variance.
    """

    features: int
    noise_sd: float | None = None
    prior_sd: float = np.inf
    noise_prior: InverseGamma | None = None
    prior_precision: PriorPrecision | None = None

    @property
    def schema(self) -> RowSchema:
        """Row variables ``y`` and ``x``; parameters ``beta`` and, where unknown, ``sigma``."""
        beta = Variable("beta", ("feature",), (self.features,))
        return RowSchema(
            responses=(Variable("y"),),
            covariates=(Variable("x", ("feature",), (self.features,)),),
            parameters=(beta,) if self.noise_sd is not None else (Variable("sigma"), beta),
            coords={"feature": tuple(range(self.features))},
        )

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Total weight, Gram matrix, coefficients, residual sum of squares (and gradient)."""
        x, y = rows["x"], rows["y"]
        used = y.shape[1] if weights is None else int((weights > 0).sum(axis=1).min())
        if used < self.features and not self._flat:
            return self._ridge_stats(x, y, weights)
        weighted = x if weights is None else x * weights[:, :, None]
        transposed = weighted.transpose(0, 2, 1)
        gram = transposed @ x
        coefficients = _solve(gram, (transposed @ y[:, :, None])[..., 0])
        total = np.array([float(y.shape[1])]) if weights is None else weights.sum(axis=1)
        if self.noise_sd is not None:
            return total, gram, coefficients, np.zeros(1)
        residual = y - np.einsum("rnp,rp->rn", x, coefficients)
        scaled = residual if weights is None else residual * weights
        return total, gram, coefficients, np.einsum("rn,rn->r", scaled, residual)

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Pool batches around their common coefficients."""
        if any(len(batch) == 5 for batch in stats):
            return self._merge_ridge(stats, factors)
        if len(stats) == 1:
            total, gram, coefficients, squares = stats[0]
            return factors[0] * total, factors[0] * gram, coefficients, factors[0] * squares
        _, total = merge_weights(stats, factors)
        grams = [f * s[1] for f, s in zip(factors, stats, strict=True)]
        gram = np.sum(grams, axis=0)
        moments = [_apply(g, s[2]) for g, s in zip(grams, stats, strict=True)]
        coefficients = _solve(gram, np.sum(moments, axis=0))
        if self.noise_sd is not None:
            return total, gram, coefficients, np.zeros(1)
        squares = np.zeros(coefficients.shape[0])
        for factor, g, batch in zip(factors, grams, stats, strict=True):
            shift = batch[2] - coefficients
            squares = squares + factor * batch[3] + np.einsum("rp,rp->r", shift, _apply(g, shift))
        return total, gram, coefficients, squares

    def check(self, stats: Stats) -> None:
        """Refuse a singular weighted design under a flat prior, and too few rows for the noise."""
        total, gram, coefficients, squares = stats[:4]
        flat = self._flat
        if flat and (np.linalg.matrix_rank(gram, hermitian=True) < self.features).any():
            raise ValueError(
                "the posterior of beta is improper: the weighted design is singular (fewer rows "
                f"with positive weight than the {self.features} features, or collinear columns); "
                "use more rows, drop columns, or give a finite prior_sd"
            )
        if self.noise_sd is not None:
            return
        used, worth = self.features if flat else 0, 0.0
        exact = (squares <= 0) & (flat | (coefficients == 0).all(axis=1))
        if self.noise_prior is not None:
            worth, exact = 2 * self.noise_prior.shape, np.zeros(1, dtype=bool)
        if (total + worth <= used).any() or exact.any():
            raise ValueError(
                "the posterior of sigma is improper: the total weight must exceed the number of "
                f"features under a flat prior ({used}) and residuals must not all be zero, got a "
                f"total weight of {float(np.min(total)):g}; use more rows, or give noise_sd or "
                "noise_prior"
            )

    def mean(self, stats: Stats) -> dict[str, Floats]:
        """Posterior mean of ``beta`` and of ``sigma``."""
        location, _, shape, scale = self._posterior(stats)
        if self.noise_sd is not None:
            return {"beta": location}
        return {
            "sigma": np.sqrt(scale) * root_inverse_gamma_constants(shape, ())[0],
            "beta": location,
        }

    def summary(self, stats: Stats, probabilities: tuple[float, ...]) -> Floats:
        """Gaussian or Student-t summary of ``beta``; root-inverse-gamma of ``sigma``."""
        from scipy.special import ndtri

        location, precision, shape, scale = self._posterior(stats)
        diagonal = np.sqrt(np.diagonal(np.linalg.inv(precision), axis1=1, axis2=2))
        if self.noise_sd is not None:
            quantiles = ndtri(np.array(probabilities)).reshape(1, -1)
            return _stack(location, diagonal, diagonal, quantiles)
        first, second, t_quantiles, s_quantiles = root_inverse_gamma_constants(shape, probabilities)
        root = np.sqrt(scale)
        spread = diagonal * (root / np.sqrt(shape))[:, None]
        beta = _stack(location, spread * np.sqrt(shape * second)[:, None], spread, t_quantiles)
        sd = root * np.sqrt(np.where(np.isinf(second), second, second - first**2))
        sigma = np.column_stack([root * first, sd, root[:, None] * s_quantiles])
        return np.concatenate([sigma[:, :, None], beta], axis=2)

    def draw(self, stats: Stats, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draw the noise, where unknown, then the coefficients given it."""
        location, precision, shape, scale = self._posterior(stats)
        factor = np.linalg.inv(np.linalg.cholesky(precision))
        noise = rng.standard_normal((location.shape[0], draws, self.features)) @ factor
        if self.noise_sd is not None:
            return {"beta": location[:, None] + noise}
        gamma = rng.standard_gamma(np.reshape(shape, (-1, 1)), (location.shape[0], draws))
        sigma = np.sqrt(scale[:, None] / gamma)
        return {"sigma": sigma, "beta": location[:, None] + sigma[..., None] * noise}

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Responses at the covariates."""
        x, beta = covariates["x"], parameters["beta"]
        y = rng.standard_normal(x.shape[:2])
        y *= parameters["sigma"] if self.noise_sd is None else self.noise_sd
        if beta.shape[1] == 1:
            y += (x @ beta.transpose(0, 2, 1))[..., 0]
        else:
            y += np.einsum("rmp,rmp->rm", x, beta)
        return {"y": y}

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Rows whose noise variance is multiplied by temperature and sampling bias."""
        factor = float(np.sqrt(temperature * sampling_bias))
        if self.noise_sd is not None:
            return replace(self, noise_sd=self.noise_sd * factor).forward

        def forward(
            parameters: Values, covariates: Values, m: int, rng: np.random.Generator
        ) -> dict[str, NDArray[Any]]:
            narrowed = {"beta": parameters["beta"], "sigma": factor * parameters["sigma"]}
            return self.forward(narrowed, covariates, m, rng)

        return forward

    def point_estimate(self, point: Point) -> Callable[[Stats], dict[str, Floats]]:
        """Mean and modes on any scale of ``sigma``; or least squares.

        ``mle`` and ``unbiased`` are least squares, with a noise variance whose divisor is the total
        weight, less the number of features for ``unbiased``.
        """
        known = self.noise_sd is not None
        check_point(self, point, {"beta": ()} | ({} if known else {"sigma": POSITIVE}))

        def from_posterior(stats: Stats) -> dict[str, Floats]:
            location, _, shape, scale = self._posterior(stats)
            if known:
                return {"beta": location}
            sigma = root_inverse_gamma_point(shape, scale, point, "sigma", given=self.features)
            return {"sigma": sigma, "beta": location}

        if point.kind in ("mle", "unbiased"):
            return lambda stats: self._least_squares(stats, point)
        return from_posterior

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Gaussian log density of every row at every draw."""
        mean = parameters["beta"] @ rows["x"].transpose(0, 2, 1)
        sigma = parameters["sigma"][:, :, None] if self.noise_sd is None else self.noise_sd
        z = (rows["y"][:, None, :] - mean) / sigma
        return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))

    def _least_squares(self, stats: Stats, point: Point) -> dict[str, Floats]:
        total, gram, coefficients, squares = stats[:4]
        rank = np.linalg.matrix_rank(gram, hermitian=True)
        if len(stats) == 5 or (rank < self.features).any():
            raise ValueError(
                f"emission 'plug-in({point.label})' needs a weighted design of full rank, and "
                f"least squares of {self.features} features have no single solution here: use "
                "more rows, drop columns, or use 'plug-in', which reads the prior"
            )
        if self.noise_sd is not None:
            return {"beta": coefficients}
        lost = float(self.features) if point.kind == "unbiased" else 0.0
        weight = positive_weight(total, point, lost)
        return {"sigma": np.sqrt(squares / (weight - lost)), "beta": coefficients}

    @property
    def _flat(self) -> bool:
        return self.prior_precision is None and bool(np.isinf(self.prior_sd))

    @property
    def _unit(self) -> float:
        """One over the known noise variance; 1 where the noise is unknown."""
        return 1.0 if self.noise_sd is None else float(self.noise_sd**-2)

    def _precision(self) -> Floats:
        """Prior precision of beta (times the noise variance where unknown)."""
        if self.prior_precision is not None:
            return self.prior_precision.array() * self._unit
        shrinkage = 0.0 if np.isinf(self.prior_sd) else self.prior_sd**-2
        return shrinkage * np.eye(self.features)

    def _ridge_stats(self, x: Floats, y: Floats, weights: Floats | None) -> Stats:
        """Expand the sum of squares around the ridge solution, found in the space of the rows."""
        total = np.array([float(y.shape[1])])
        if weights is not None:
            total, root = weights.sum(axis=1), np.sqrt(weights)
            x, y = x * root[:, :, None], y * root
        half = x @ np.linalg.inv(self._precision() / self._unit)
        transposed = x.transpose(0, 2, 1)
        kernel = np.eye(y.shape[1]) + half @ transposed
        centre = _apply(half.transpose(0, 2, 1), _solve(kernel, y))
        residual = y - _apply(x, centre)
        squares = np.einsum("rn,rn->r", residual, residual)
        return total, transposed @ x, centre, squares, _apply(transposed, residual)

    def _merge_ridge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Pool batches around their common ridge solution."""
        if list(factors) == [1.0]:
            return stats[0]
        _, total = merge_weights(stats, factors)
        grams = [f * s[1] for f, s in zip(factors, stats, strict=True)]
        # At least-squares coefficients the gradient is zero.
        slopes = [f * s[4] if len(s) == 5 else 0.0 for f, s in zip(factors, stats, strict=True)]
        moments = [_apply(g, s[2]) + d for g, s, d in zip(grams, stats, slopes, strict=True)]
        gram = np.sum(grams, axis=0)
        centre = _solve(gram + self._precision() / self._unit, np.sum(moments, axis=0))
        squares, gradient = np.zeros(1), np.zeros(1)
        for factor, g, slope, batch in zip(factors, grams, slopes, stats, strict=True):
            shift = centre - batch[2]
            bend = _apply(g, shift)
            squares = squares + factor * batch[3] + ((bend - 2 * slope) * shift).sum(axis=1)
            gradient = gradient + (slope - bend)
        return total, gram, centre, np.maximum(squares, 0.0), gradient

    def _posterior(self, stats: Stats) -> tuple[Floats, Floats, Floats, Floats]:
        """Location and precision of beta (times the noise variance where unknown), shape, scale."""
        total, gram, coefficients, squares = stats[:4]
        prior = self._precision()
        precision = gram * self._unit + prior
        location = coefficients
        if not self._flat:
            if len(stats) == 4:
                location = _solve(precision, self._unit * _apply(gram, coefficients))
                shift = coefficients - location
                squares = squares + np.einsum("rp,rp->r", shift, _apply(gram, shift))
            squares = squares + self._penalty(location, prior)
        noise = self.noise_prior
        shape, scale = (0.0, 0.0) if noise is None else (noise.shape, noise.scale)
        free = self.features if self._flat else 0
        return location, precision, shape + (total - free) / 2, scale + squares / 2

    def _penalty(self, location: Floats, prior: Floats) -> Floats:
        if self.prior_precision is not None:
            return np.asarray(np.einsum("rp,rp->r", location, location @ prior))
        return np.asarray(prior[0, 0] * np.einsum("rp,rp->r", location, location))


def _apply(matrix: Floats, vector: Floats) -> Floats:
    return np.asarray((matrix @ vector[..., None])[..., 0])


def _solve(matrix: Floats, vector: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.solve(matrix, vector[..., None])[..., 0])
    except np.linalg.LinAlgError:
        # A batch may have fewer rows than features; the minimum-norm solution has the same moments.
        return _apply(np.linalg.pinv(matrix, hermitian=True), vector)


def _stack(location: Floats, sd: Floats, spread: Floats, quantiles: Floats) -> Floats:
    out = np.empty((location.shape[0], 2 + quantiles.shape[1], location.shape[1]))
    out[:, 0], out[:, 1] = location, sd
    out[:, 2:] = location[:, None, :] + spread[:, None, :] * quantiles[:, :, None]
    return out
