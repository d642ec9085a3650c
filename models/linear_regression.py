r"""Linear regression.

.. math:: y_i \mid \beta, \sigma \sim \mathrm{Normal}(x_i^\top \beta, \sigma^2)

With a known noise sd the prior is :math:`\beta_j \sim \mathrm{Normal}(0, \tau^2)`. With an unknown
one, :math:`\beta_j \mid \sigma \sim \mathrm{Normal}(0, \sigma^2 \tau^2)` and
:math:`p(\sigma^2) \propto 1/\sigma^2`. An infinite :math:`\tau` is the flat prior. There is no
intercept: give the model a column of ones.

Used by He, Xu and Cheng (2025, arXiv:2502.18049), Gerstgrasser et al. (2024, arXiv:2404.01413) and
Dohmatob, Feng and Kempe (2024, arXiv:2402.07712).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescollapse._checks import integer, positive
from bayescollapse.estimator.conjugate import root_inverse_gamma_constants
from bayescollapse.estimator.exact import Floats, Stats, merge_weights
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["LinearRegressionSampler", "estimator", "model"]


def model(
    rows: xr.Dataset | None = None,
    *,
    features: int,
    noise_sd: float | None = None,
    prior_sd: float = np.inf,
) -> pm.Model:
    """PyMC model of a linear regression.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` on ``obs`` and ``x`` on (``obs``, ``feature``); a small design if not given.
    features : int
        Number of columns of ``x``, at least 1.
    noise_sd : float, optional
        Known noise standard deviation; unknown under the prior 1/sigma^2 if not given.
    prior_sd : float, default inf
        Prior sd of every coefficient, in units of the noise sd where that is unknown; inf is flat.

    Returns
    -------
    pymc.Model
        Parameters ``beta`` on ``feature`` (and ``sigma``), covariates ``x``, observed variable
        ``y``.

    Examples
    --------
    >>> from bayescollapse.models import linear_regression
    >>> [rv.name for rv in linear_regression.model(features=2).free_RVs]
    ['sigma', 'beta']
    """
    import pymc as pm
    import pytensor.tensor as pt

    template = np.arange(features + 2.0)
    response = template if rows is None else rows["y"].to_numpy()
    design = np.vander(template / 2, features) if rows is None else rows["x"].to_numpy()
    with pm.Model(coords={"feature": range(features)}) as regression:
        x = pm.Data("x", design, dims=("obs", "feature"))
        y = pm.Data("y_rows", response, dims="obs")
        if noise_sd is None:
            sigma = pm.HalfFlat("sigma")
            pm.Potential("jeffreys", -pt.log(sigma))
            beta_sd = sigma * prior_sd
        else:
            sigma, beta_sd = noise_sd, prior_sd
        if np.isinf(prior_sd):
            beta = pm.Flat("beta", dims="feature")
        else:
            beta = pm.Normal("beta", 0.0, beta_sd, dims="feature")
        pm.Normal("y", x @ beta, sigma, observed=y, dims="obs")
    return regression


def estimator(
    *, features: int, noise_sd: float | None = None, prior_sd: float = np.inf
) -> Estimator:
    """Estimator of linear regression coefficients, with its exact posterior.

    Parameters
    ----------
    features : int
        Number of columns of ``x``, at least 1.
    noise_sd : float, optional
        Known noise standard deviation, positive; unknown under the prior 1/sigma^2 if not given.
    prior_sd : float, default inf
        Prior sd of every coefficient, positive, in units of the noise sd where that is unknown; inf
        is flat.

    Returns
    -------
    Estimator
        Parameters ``beta`` and, where unknown, ``sigma``; row variables ``y`` and ``x``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import linear_regression
    >>> x = np.random.default_rng(1).normal(size=(200, 1))
    >>> rows = xr.Dataset({"x": (("obs", "feature"), x), "y": ("obs", 3 * x[:, 0])})
    >>> fitted = linear_regression.estimator(features=1, noise_sd=1.0).fit(rows, seed=1)
    >>> round(float(fitted["posterior"]["beta"].mean()))
    3
    """
    from bayescollapse.estimator import Estimator

    integer("features", features)
    positive("prior_sd", prior_sd, infinite=True)
    if noise_sd is not None:
        positive("noise_sd", noise_sd)
    setting: dict[str, Any] = {"features": features, "noise_sd": noise_sd, "prior_sd": prior_sd}
    return Estimator(partial(model, **setting), exact=LinearRegressionSampler(**setting))


@dataclass(frozen=True)
class LinearRegressionSampler:
    """Exact posterior of a regression.

    Statistics are the total weight, the weighted Gram matrix, the least-squares coefficients and
    the residual sum of squares. Batches are merged through their own coefficients, so residual sums
    do not suffer cancellation when the noise of a loop has shrunk.
    """

    features: int
    noise_sd: float | None = None
    prior_sd: float = np.inf

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
        """Total weight, Gram matrix, coefficients and residual sum of squares."""
        x, y = rows["x"], rows["y"]
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
        total, gram, _, squares = stats
        flat = np.isinf(self.prior_sd)
        if flat and (np.linalg.matrix_rank(gram, hermitian=True) < self.features).any():
            raise ValueError(
                "the posterior of beta is improper: the weighted design is singular (fewer rows "
                f"with positive weight than the {self.features} features, or collinear columns); "
                "use more rows, drop columns, or give a finite prior_sd"
            )
        used = self.features if flat else 0
        if self.noise_sd is None and ((total <= used).any() or (squares <= 0).any()):
            raise ValueError(
                "the posterior of sigma is improper: the total weight must exceed the number of "
                f"features under a flat prior ({used}) and residuals must not all be zero, got a "
                f"total weight of {float(np.min(total)):g}; use more rows, or give noise_sd"
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

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Gaussian log density of every row at every draw."""
        mean = parameters["beta"] @ rows["x"].transpose(0, 2, 1)
        sigma = parameters["sigma"][:, :, None] if self.noise_sd is None else self.noise_sd
        z = (rows["y"][:, None, :] - mean) / sigma
        return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))

    def _posterior(self, stats: Stats) -> tuple[Floats, Floats, Floats, Floats]:
        """Location and precision of beta (times the noise variance where unknown), shape, scale."""
        total, gram, coefficients, squares = stats
        unit = 1.0 if self.noise_sd is None else self.noise_sd**-2
        shrinkage = 0.0 if np.isinf(self.prior_sd) else self.prior_sd**-2
        precision = gram * unit + shrinkage * np.eye(self.features)
        location = coefficients
        if shrinkage:
            location = _solve(precision, unit * _apply(gram, coefficients))
            shift = coefficients - location
            squares = squares + np.einsum("rp,rp->r", shift, _apply(gram, shift))
            squares = squares + shrinkage * np.einsum("rp,rp->r", location, location)
        free = self.features if np.isinf(self.prior_sd) else 0
        return location, precision, (total - free) / 2, squares / 2


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
