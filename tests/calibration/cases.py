"""What is calibrated: every model of the zoo with a proper prior, and every method it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.models import (
    bernoulli,
    categorical,
    censored_regression,
    exponential,
    factor_analysis,
    gaussian,
    gaussian_mean,
    gaussian_mixture,
    hierarchical_regression,
    linear_regression,
    logistic_regression,
    multivariate_normal,
    poisson,
    poisson_regression,
    regression_mixture,
    student_t_regression,
)
from bayescollapse.sources import NormalCovariates
from tests.calibration.harness import scalars

__all__ = ["CASES", "CHECKS", "LEVEL", "SIMULATIONS", "Case", "pairs"]

CHECKS = 200
"""Upper bound on the ECDFs that the suite judges; a test counts them."""

LEVEL = 0.01 / CHECKS
"""Level of one ECDF: all of them together alarm falsely with a probability of at most 1 %."""

SIMULATIONS = {"exact": 1_000, "laplace": 1_000, "nuts": 200}
"""Simulations of the verification suite, by method that claims to be exact."""


@dataclass(frozen=True)
class Case:
    """A model to calibrate.

    Parameters
    ----------
    name : str
        Unique name; seeds are made of it.
    make : callable
        Makes the estimator.
    rows : int
        Rows of one simulation: few, as calibration holds at any number and small posteriors are
        the hardest.
    methods : tuple of str
        Methods that claim exactness for this model.
    covariates : object, optional
        Covariates of the rows, as for ``bc.Truth``.
    quantities : callable
        Named scalars (simulation, draw) of parameters (simulation, draw, …).
    generations : int
        Generations after which the prior must still be that of the truths.
    """

    name: str
    make: Callable[[], Any]
    rows: int
    methods: tuple[str, ...]
    covariates: Any = None
    quantities: Callable[..., dict[str, Any]] = field(default=scalars)
    generations: int = 3


DESIGN = np.random.default_rng(11).normal(size=(20, 2)) @ [[1.0, 0.6], [0.0, 0.8]]
"""Reference design of the g-prior."""


def lower_triangle(parameters):
    """Scalars without the entries that symmetry repeats."""
    return {
        name: value for name, value in scalars(parameters).items() if name != "covariance[0, 1]"
    }


def grouped(m, rng):
    """One normal covariate, and four groups of nearly equal size."""
    return xr.Dataset(
        {"x": (("obs", "feature"), rng.normal(size=(m, 1))), "group": ("obs", np.arange(m) % 4)}
    )


CASES = (
    Case(
        "gaussian mean",
        lambda: gaussian_mean.estimator(sd=1.5, prior_mean=1.0, prior_sd=0.8),
        8,
        ("exact", "nuts"),
    ),
    Case(
        "gaussian",
        lambda: gaussian.estimator(
            prior=gaussian.NormalInverseGamma(mean=1.0, weight=2.0, shape=3.0, scale=2.0)
        ),
        8,
        ("exact", "nuts"),
    ),
    Case(
        "linear regression, known noise",
        lambda: linear_regression.estimator(features=3, noise_sd=1.5, prior_sd=0.8),
        12,
        ("exact", "nuts"),
        NormalCovariates(3),
    ),
    Case(
        "linear regression",
        lambda: linear_regression.estimator(
            features=2,
            prior_sd=0.8,
            noise_prior=linear_regression.InverseGamma(shape=3.0, scale=2.0),
        ),
        10,
        ("exact", "laplace", "nuts"),
        NormalCovariates(2),
    ),
    Case(
        "linear regression, g-prior",
        lambda: linear_regression.estimator(
            features=2,
            noise_prior=linear_regression.InverseGamma(shape=3.0, scale=2.0),
            prior_precision=linear_regression.g_prior(DESIGN, g=6.0),
        ),
        10,
        ("exact", "nuts"),
        NormalCovariates(2),
    ),
    Case(
        "ridge regression, more columns than rows",
        lambda: linear_regression.estimator(
            features=8,
            prior_sd=0.5,
            noise_prior=linear_regression.InverseGamma(shape=3.0, scale=2.0),
        ),
        5,
        ("exact",),
        NormalCovariates(8),
    ),
    Case(
        "multivariate normal",
        lambda: multivariate_normal.estimator(
            dim=2,
            prior=multivariate_normal.NormalInverseWishart(
                mean=(1.0, -0.5), weight=2.0, degrees=6.0, scale=((3.0, -1.0), (-1.0, 2.0))
            ),
        ),
        8,
        ("exact", "nuts"),
        quantities=lower_triangle,
    ),
    Case(
        "multivariate normal, LKJ",
        lambda: multivariate_normal.estimator(
            dim=2, prior=multivariate_normal.LKJ(sd_scale=1.0, mean_sd=2.0)
        ),
        12,
        ("nuts",),
    ),
    Case(
        "categorical",
        lambda: categorical.estimator(categories=4, concentration=0.7),
        12,
        ("exact", "nuts"),
    ),
    Case(
        "bernoulli",
        lambda: bernoulli.estimator(prior_successes=2.0, prior_failures=1.5),
        8,
        ("exact", "nuts"),
    ),
    Case(
        "poisson",
        lambda: poisson.estimator(prior_shape=2.0, prior_rate=0.8),
        5,
        ("exact", "nuts"),
    ),
    Case("exponential", exponential.estimator, 6, ("exact", "laplace", "nuts")),
    Case(
        "logistic regression",
        lambda: logistic_regression.estimator(features=2, prior_sd=1.0),
        20,
        ("laplace", "nuts"),
        NormalCovariates(2),
    ),
    Case(
        "poisson regression",
        lambda: poisson_regression.estimator(features=2, prior_sd=0.7),
        12,
        ("laplace", "nuts"),
        NormalCovariates(2),
    ),
    Case(
        "gaussian mixture",
        lambda: gaussian_mixture.estimator(
            components=2, prior_sd=5.0, sd_spread=0.25, concentration=5.0
        ),
        40,
        ("nuts",),
    ),
    # Overlapping lines: where lines lie far apart and nearly agree in the column that orders them,
    # both chains can settle in the wrong order of the components, and no gate sees it.
    Case(
        "mixture of regressions",
        lambda: regression_mixture.estimator(
            components=2,
            features=2,
            ordered_by=1,
            prior_sd=1.0,
            sd_median=1.0,
            sd_spread=0.25,
            concentration=5.0,
        ),
        30,
        ("nuts",),
        NormalCovariates(2),
        generations=2,
    ),
    Case(
        "hierarchical regression",
        lambda: hierarchical_regression.estimator(
            groups=4, features=1, intercept_sd=1.0, prior_sd=1.0, noise_scale=4.0
        ),
        16,
        ("nuts",),
        grouped,
        generations=2,
    ),
    Case(
        "Student-t regression",
        lambda: student_t_regression.estimator(features=2),
        20,
        ("nuts",),
        NormalCovariates(2),
    ),
    Case(
        "censored regression",
        lambda: censored_regression.estimator(features=2, upper=1.0),
        20,
        ("nuts",),
        NormalCovariates(2),
    ),
    Case(
        "factor analysis",
        lambda: factor_analysis.estimator(features=3, factors=1),
        20,
        ("nuts",),
    ),
)


def pairs(*methods):
    """Every case with every method it claims, of those asked for."""
    return [(case, method) for case in CASES for method in case.methods if method in methods]
