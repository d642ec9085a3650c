"""Conjugate families that tests walk through, and rows that fit them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayescollapse.models import (
    bernoulli,
    categorical,
    exponential,
    gaussian,
    gaussian_mean,
    linear_regression,
    multivariate_normal,
    poisson,
)

__all__ = ["COMPILED", "FAMILIES", "family_rows"]

REFERENCE = np.random.default_rng(11).normal(size=(20, 2)) @ [[1.0, 0.6], [0.0, 0.8]]
"""Fixed design that a g-prior is made of."""

NOISE = linear_regression.InverseGamma(shape=3.0, scale=2.0)

FAMILIES = {
    "gaussian_mean flat": lambda: gaussian_mean.estimator(sd=1.5),
    "gaussian_mean proper": lambda: gaussian_mean.estimator(sd=1.5, prior_mean=1.0, prior_sd=0.3),
    "gaussian jeffreys": lambda: gaussian.estimator(),
    "gaussian conjugate": lambda: gaussian.estimator(
        prior=gaussian.NormalInverseGamma(mean=1.0, weight=4.0, shape=3.0, scale=2.0)
    ),
    "multivariate normal": lambda: multivariate_normal.estimator(
        dim=2,
        prior=multivariate_normal.NormalInverseWishart(
            mean=(1.0, -0.5), weight=4.0, degrees=7.5, scale=[[3.0, -1.0], [-1.0, 2.0]]
        ),
    ),
    "bernoulli": lambda: bernoulli.estimator(prior_successes=2.0, prior_failures=0.7),
    "poisson": lambda: poisson.estimator(prior_shape=3.0, prior_rate=2.5),
    "exponential": lambda: exponential.estimator(prior_shape=3.0, prior_rate=2.5),
    "regression known noise": lambda: linear_regression.estimator(
        features=2, noise_sd=1.5, prior_sd=0.5
    ),
    "regression unknown noise": lambda: linear_regression.estimator(features=2),
    "regression conjugate": lambda: linear_regression.estimator(features=2, prior_sd=0.5),
    "regression noise prior": lambda: linear_regression.estimator(features=2, noise_prior=NOISE),
    "regression proper": lambda: linear_regression.estimator(
        features=2, prior_sd=0.5, noise_prior=NOISE
    ),
    "regression more columns than rows": lambda: linear_regression.estimator(
        features=32, prior_sd=0.5, noise_prior=NOISE
    ),
    "regression g-prior": lambda: linear_regression.estimator(
        features=2, noise_prior=NOISE, prior_precision=linear_regression.g_prior(REFERENCE, g=4.0)
    ),
    "regression g-prior known noise": lambda: linear_regression.estimator(
        features=2, noise_sd=1.5, prior_precision=linear_regression.g_prior(REFERENCE, g=4.0)
    ),
    "categorical": lambda: categorical.estimator(categories=3, concentration=0.7),
}

SLOW = {
    "regression noise prior",
    "regression more columns than rows",
    "regression g-prior",
    "regression g-prior known noise",
}
"""Slow to compile or close to another family: against NUTS in the verification suite only."""

COMPILED = [
    pytest.param(name, marks=pytest.mark.verification) if name in SLOW else name
    for name in FAMILIES
]
"""Names of the families, for tests that compile a sampler."""

RESPONSES = {
    bernoulli.BernoulliSampler: lambda rng, n: rng.integers(2, size=n),
    poisson.PoissonSampler: lambda rng, n: rng.poisson(2.0, size=n),
    exponential.ExponentialSampler: lambda rng, n: rng.weibull(0.8, size=n),
}


def family_rows(estimator, n, seed):
    """Rows in the support of an estimator's model, from no particular truth."""
    rng = np.random.default_rng(seed)
    data = {}
    for variable in estimator.schema.variables:
        dims = ("obs", *variable.dims)
        if type(estimator.exact) in RESPONSES and variable.name == "y":
            data[variable.name] = (dims, RESPONSES[type(estimator.exact)](rng, n))
        elif variable.dtype == "int64":
            data[variable.name] = (dims, rng.integers(3, size=n))
        else:
            data[variable.name] = (dims, rng.normal(0.5, 1.2, size=(n, *variable.shape)))
    return xr.Dataset(data)
