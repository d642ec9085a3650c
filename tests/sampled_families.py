"""Families fitted by NUTS, each beside its densities written again with SciPy alone.

Densities take parameters with a leading axis of draws, and give (draw, obs) or (draw,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lgamma
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from bayescollapse.estimator import Estimator
from bayescollapse.models import (
    censored_regression,
    gaussian_mixture,
    hierarchical_regression,
    poisson_regression,
    regression_mixture,
    student_t_regression,
)
from bayescollapse.rows import RowSchema

__all__ = ["SAMPLED", "Design", "Sampled", "covariates_of"]

LOWER, UPPER = -1.0, 1.5
GROUPS = 5


@dataclass(frozen=True)
class Sampled:
    """A family with a truth and its independent definition.

    Parameters
    ----------
    module : module
        The family's module.
    setting : dict
        Keyword arguments of its ``model`` and ``estimator``.
    truth : dict
        Parameter values.
    kinds : dict of str to str
        Support of every parameter: real, positive, simplex, ordered, or column:J.
    log_density : callable
        ``log_density(theta, rows)``, shape (draw, obs).
    log_prior : callable
        ``log_prior(theta)``, shape (draw,).
    interval : callable
        ``interval(theta, rows)``: probabilities below, and at or below, every response.
    n : int
        Rows of the fits.
    names : tuple of str
        Covariates.
    rtol : float
        To which the two row densities agree.
    """

    module: Any
    setting: dict[str, Any]
    truth: dict[str, Any]
    kinds: dict[str, str]
    log_density: Callable[..., np.ndarray]
    log_prior: Callable[..., np.ndarray]
    interval: Callable[..., tuple[np.ndarray, np.ndarray]]
    n: int = 60
    names: tuple[str, ...] = ("x",)
    rtol: float = 1e-10

    def estimator(self) -> Estimator:
        """Make the estimator."""
        estimator: Estimator = self.module.estimator(**self.setting)
        return estimator

    def model(self, rows: xr.Dataset) -> Any:
        """Build the plain PyMC model of the rows."""
        return self.module.model(rows, **self.setting)

    def theta(self) -> dict[str, np.ndarray]:
        """Truth as arrays."""
        return {name: np.asarray(value, dtype=float) for name, value in self.truth.items()}


@dataclass(frozen=True)
class Design:
    """Covariates of a schema, normal or integer codes, as a value that a worker can be sent."""

    shapes: tuple[tuple[str, tuple[int, ...], str], ...]

    def block(self, replicates: int, m: int, rng: np.random.Generator) -> dict[str, Any]:
        """Covariates of a block of replicates."""
        return {
            name: rng.integers(GROUPS, size=(replicates, m)).astype(dtype)
            if dtype.startswith("int")
            else rng.normal(size=(replicates, m, *shape))
            for name, shape, dtype in self.shapes
        }


def covariates_of(schema: RowSchema) -> Design:
    """Make the design that suits a schema."""
    return Design(tuple((v.name, v.shape, v.dtype) for v in schema.covariates))


def _log_sum(weights: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """Log of the mixture of (draw, obs, component) densities."""
    return np.logaddexp.reduce(np.log(weights)[:, None, :] + terms, axis=-1)


def _mixed(weights: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return np.einsum("dk,dnk->dn", weights, probabilities)


def _both(probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return probability, probability


def _linear(theta: Any, rows: Any) -> np.ndarray:
    return np.einsum("np,dp->dn", rows["x"], theta["beta"])


def _normal(values: np.ndarray, sd: float) -> np.ndarray:
    return stats.norm.logpdf(values, 0, sd).reshape(len(values), -1).sum(1)


def _half_normal(values: np.ndarray, scale: float) -> np.ndarray:
    return stats.halfnorm.logpdf(values, scale=scale)


def _flat_simplex(weights: np.ndarray) -> np.ndarray:
    return np.full(len(weights), lgamma(weights.shape[1]))


def _log_normal(sigma: np.ndarray, median: float, spread: float) -> np.ndarray:
    return stats.lognorm.logpdf(sigma, spread, scale=median).sum(1)


def _poisson(theta: Any) -> Any:
    return lambda rows: stats.poisson(np.exp(_linear(theta, rows)))


def _poisson_interval(theta: Any, rows: Any) -> tuple[np.ndarray, np.ndarray]:
    law = _poisson(theta)(rows)
    return law.cdf(rows["y"] - 1), law.cdf(rows["y"])


def _gaussians(theta: Any) -> Any:
    return stats.norm(theta["mu"][:, None, :], theta["sigma"][:, None, :])


def _lines(theta: Any, rows: Any) -> Any:
    location = np.einsum("np,dkp->dnk", rows["x"], theta["beta"])
    return stats.t(theta["nu"][:, None, None], location, theta["sigma"][:, None, :])


def _hierarchy(theta: Any, rows: Any) -> Any:
    intercepts = theta["intercept"][:, None] + theta["group_sd"][:, None] * theta["z"]
    return stats.norm(intercepts[:, rows["group"]] + _linear(theta, rows), theta["sigma"][:, None])


def _student(theta: Any, rows: Any) -> Any:
    return stats.t(theta["nu"][:, None], _linear(theta, rows), theta["sigma"][:, None])


def _latent(theta: Any, rows: Any) -> Any:
    return stats.norm(_linear(theta, rows), theta["sigma"][:, None])


def _censored_density(theta: Any, rows: Any) -> np.ndarray:
    law, y = _latent(theta, rows), rows["y"]
    inside = np.where(y <= LOWER, law.logcdf(LOWER), law.logpdf(y))
    return np.where(y >= UPPER, law.logsf(UPPER), inside)


def _censored_interval(theta: Any, rows: Any) -> tuple[np.ndarray, np.ndarray]:
    law, y = _latent(theta, rows), rows["y"]
    return np.where(y <= LOWER, 0, law.cdf(y)), np.where(y >= UPPER, 1, law.cdf(y))


SAMPLED = {
    "poisson_regression": Sampled(
        poisson_regression,
        {"features": 2, "prior_sd": 0.7},
        {"beta": [0.8, -0.5]},
        {"beta": "real"},
        lambda theta, rows: _poisson(theta)(rows).logpmf(rows["y"]),
        lambda theta: _normal(theta["beta"], 0.7),
        _poisson_interval,
    ),
    "gaussian_mixture": Sampled(
        gaussian_mixture,
        {"components": 2, "prior_mean": 0.5, "prior_sd": 3.0, "sd_median": 0.8, "sd_spread": 0.4},
        {"weights": [0.3, 0.7], "mu": [-2.5, 1.5], "sigma": [0.6, 1.0]},
        {"weights": "simplex", "mu": "ordered", "sigma": "positive"},
        lambda theta, rows: _log_sum(
            theta["weights"], _gaussians(theta).logpdf(rows["y"][None, :, None])
        ),
        lambda theta: (
            _flat_simplex(theta["weights"])
            + lgamma(3)
            + _normal(theta["mu"] - 0.5, 3.0)
            + _log_normal(theta["sigma"], 0.8, 0.4)
        ),
        lambda theta, rows: _both(
            _mixed(theta["weights"], _gaussians(theta).cdf(rows["y"][None, :, None]))
        ),
        names=(),
    ),
    "regression_mixture": Sampled(
        regression_mixture,
        {
            "components": 2,
            "features": ("one", "dose"),
            "ordered_by": "dose",
            "degrees_of_freedom": None,
            "prior_sd": 2.0,
            "sd_median": 0.5,
            "sd_spread": 0.4,
        },
        {
            "weights": [0.4, 0.6],
            "beta": [[1.0, -2.0], [-0.5, 2.0]],
            "sigma": [0.4, 0.6],
            "nu": 5.0,
        },
        {"weights": "simplex", "beta": "column:1", "sigma": "positive", "nu": "positive"},
        lambda theta, rows: _log_sum(
            theta["weights"], _lines(theta, rows).logpdf(rows["y"][None, :, None])
        ),
        lambda theta: (
            _flat_simplex(theta["weights"])
            + lgamma(3)
            + _normal(theta["beta"], 2.0)
            + _log_normal(theta["sigma"], 0.5, 0.4)
            + stats.gamma.logpdf(theta["nu"], 2, scale=10)
        ),
        lambda theta, rows: _both(
            _mixed(theta["weights"], _lines(theta, rows).cdf(rows["y"][None, :, None]))
        ),
        n=120,
    ),
    "hierarchical_regression": Sampled(
        hierarchical_regression,
        {"groups": GROUPS, "features": 2, "intercept_sd": 2.0},
        {
            "intercept": 1.0,
            "group_sd": 0.6,
            "z": [-1.0, 0.0, 0.3, 1.2, -0.4],
            "beta": [1.0, -0.5],
            "sigma": 0.8,
        },
        {
            "intercept": "real",
            "group_sd": "positive",
            "z": "real",
            "beta": "real",
            "sigma": "positive",
        },
        lambda theta, rows: _hierarchy(theta, rows).logpdf(rows["y"]),
        lambda theta: (
            stats.norm.logpdf(theta["intercept"], 0, 2.0)
            + _half_normal(theta["group_sd"], 1.0)
            + _normal(theta["z"], 1.0)
            + _normal(theta["beta"], 2.5)
            + _half_normal(theta["sigma"], 1.0)
        ),
        lambda theta, rows: _both(_hierarchy(theta, rows).cdf(rows["y"])),
        n=25,
        names=("x", "group"),
    ),
    "student_t_regression": Sampled(
        student_t_regression,
        {"features": 2},
        {"beta": [1.0, -1.0], "sigma": 0.5, "nu": 3.0},
        {"beta": "real", "sigma": "positive", "nu": "positive"},
        lambda theta, rows: _student(theta, rows).logpdf(rows["y"]),
        lambda theta: (
            _normal(theta["beta"], 2.5)
            + _half_normal(theta["sigma"], 1.0)
            + stats.gamma.logpdf(theta["nu"], 2, scale=10)
        ),
        lambda theta, rows: _both(_student(theta, rows).cdf(rows["y"])),
    ),
    "censored_regression": Sampled(
        censored_regression,
        {"features": 2, "lower": LOWER, "upper": UPPER},
        {"beta": [1.0, -0.6], "sigma": 0.7},
        {"beta": "real", "sigma": "positive"},
        _censored_density,
        lambda theta: _normal(theta["beta"], 2.5) + _half_normal(theta["sigma"], 1.0),
        _censored_interval,
        # PyMC's normal distribution function holds sqrt(2) in single precision.
        rtol=1e-7,
    ),
}
