"""Fits and compiled models that tests share: compile time is the main cost."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr

from bayescollapse.models import (
    categorical,
    gaussian,
    gaussian_mean,
    linear_regression,
    logistic_regression,
)

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failure, unless it needs a GPU."""
    report = yield
    if report.skipped and os.environ.get("CI") and "GPU" not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


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


@pytest.fixture(scope="session")
def estimators():
    """One estimator per family, compiled at most once."""
    return {name: make() for name, make in FAMILIES.items()}


@pytest.fixture(scope="session")
def logistic():
    """A logistic regression with two features, compiled once."""
    return logistic_regression.estimator(features=2, prior_sd=1.0)


@pytest.fixture(scope="session")
def logistic_rows():
    """Two hundred rows of a logistic regression."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(200, 2))
    y = (rng.random(200) < 1 / (1 + np.exp(-x @ [1.0, -1.0]))).astype(int)
    return xr.Dataset({"x": (("obs", "feature"), x), "y": ("obs", y)})
