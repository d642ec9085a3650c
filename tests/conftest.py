"""Fits and compiled models that tests share: compile time is the main cost."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr

from bayescollapse.models import logistic_regression

# A hook of the process that collects reports: with several workers it loads this file alone.
from tests.calibration.summary import pytest_terminal_summary  # noqa: F401
from tests.families import FAMILIES


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failure, unless it needs a GPU."""
    report = yield
    if report.skipped and os.environ.get("CI") and "GPU" not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


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
