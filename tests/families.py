"""Conjugate families that tests walk through, and rows that fit them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayescollapse.models import categorical, gaussian, gaussian_mean, linear_regression

__all__ = ["FAMILIES", "family_rows"]

FAMILIES = {
    "gaussian_mean flat": lambda: gaussian_mean.estimator(sd=1.5),
    "gaussian_mean proper": lambda: gaussian_mean.estimator(sd=1.5, prior_mean=1.0, prior_sd=0.3),
    "gaussian jeffreys": lambda: gaussian.estimator(),
    "gaussian conjugate": lambda: gaussian.estimator(
        prior=gaussian.NormalInverseGamma(mean=1.0, weight=4.0, shape=3.0, scale=2.0)
    ),
    "regression known noise": lambda: linear_regression.estimator(
        features=2, noise_sd=1.5, prior_sd=0.5
    ),
    "regression unknown noise": lambda: linear_regression.estimator(features=2),
    "regression conjugate": lambda: linear_regression.estimator(features=2, prior_sd=0.5),
    "categorical": lambda: categorical.estimator(categories=3, concentration=0.7),
}


def family_rows(estimator, n, seed):
    """Rows that fit an estimator's schema, from no particular truth."""
    rng = np.random.default_rng(seed)
    data = {}
    for variable in estimator.schema.variables:
        dims = ("obs", *variable.dims)
        if variable.dtype == "int64":
            data[variable.name] = (dims, rng.integers(3, size=n))
        else:
            data[variable.name] = (dims, rng.normal(0.5, 1.2, size=(n, *variable.shape)))
    return xr.Dataset(data)
