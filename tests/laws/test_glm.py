"""Logistic and Poisson regression by Laplace, beside the first-order law of their error."""

from functools import cache

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import logistic_regression, poisson_regression
from bayescollapse.sources import NormalCovariates
from tests.laws.support import assert_mean, noticed, posterior_mean, sweep

# Trace of the inverse information of a row with standard normal covariates and beta = (1, 1).
TRACES = {"logistic": 15.465, "poisson": 4 / 3 / np.e}
MODULES = {"logistic": logistic_regression, "poisson": poisson_regression}
SIZES = [(64, 5), pytest.param(512, 12, marks=pytest.mark.verification)]
SHARE = 0.618


@cache
def estimator(name):
    """Estimator of a family, compiled at most once."""
    return MODULES[name].estimator(features=2, prior_sd=10.0)


def check(name, scheme, replicates, generations):
    """n = m = 500: within 10 %, the size of what the law neglects, plus 4 standard errors."""
    n = 500
    run = sweep(
        estimator(name),
        bc.Truth(beta=[1.0, 1.0], covariates=NormalCovariates(2)),
        scheme,
        n_real=n,
        generations=generations,
        replicates=replicates,
        method="laplace(check=0.05)",
        draws=50,
        seed=12,
    )
    assert run.attrs["failed_fits"] == 0
    error = ((posterior_mean(run, "beta") - 1.0) ** 2).sum(axis=-1)
    law = TRACES[name] * theory.mean_risk(generations, n=n, m=n, real_share=SHARE)
    late = slice(generations // 2, None)
    assert_mean(error[:, late].mean(axis=1), law[late].mean(), slack=0.1)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(("replicates", "generations"), SIZES)
def test_error_follows_the_first_order_law(name, replicates, generations):
    check(name, bc.schemes.weighted(SHARE, emission="plug-in"), replicates, generations)


@pytest.mark.parametrize(
    "mutant",
    [bc.schemes.replace(emission="plug-in"), bc.schemes.weighted(0.05, emission="plug-in")],
    ids=["no real rows", "share"],
)
def test_another_scheme_breaks_the_first_order_law(mutant):
    with noticed():
        check("poisson", mutant, 64, 5)


def test_traces_are_those_of_the_theory():
    for name, trace in TRACES.items():
        found = theory.information_trace(name, coefficients=[1.0, 1.0])
        assert float(found) == pytest.approx(trace, rel=1e-4)
