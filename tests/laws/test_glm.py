"""Logistic and Poisson regression by Laplace, beside the first-order law of their error."""

import sys
from pathlib import Path

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import logistic_regression, poisson_regression
from bayescollapse.sources import NormalCovariates
from tests.laws.support import assert_mean, posterior_mean, sweep

# Trace of the inverse information of a row with standard normal covariates and beta = (1, 1).
TRACES = {"logistic": 15.465, "poisson": 4 / 3 / np.e}
MODULES = {"logistic": logistic_regression, "poisson": poisson_regression}
SIZES = [(64, 5), pytest.param(512, 12, marks=pytest.mark.verification)]


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(("replicates", "generations"), SIZES)
def test_error_follows_the_first_order_law(name, replicates, generations):
    """n = m = 500: within 10 %, the size of what the law neglects, plus 4 standard errors."""
    n, share = 500, 0.618
    run = sweep(
        MODULES[name].estimator(features=2, prior_sd=10.0),
        bc.Truth(beta=[1.0, 1.0], covariates=NormalCovariates(2)),
        bc.schemes.weighted(share, emission="plug-in"),
        n_real=n,
        generations=generations,
        replicates=replicates,
        method="laplace(check=0.05)",
        draws=50,
        seed=12,
    )
    error = ((posterior_mean(run, "beta") - 1.0) ** 2).sum(axis=-1)
    law = TRACES[name] * theory.mean_risk(
        generations, n=n, m=n, real_share=share, emission="plug-in"
    )
    assert_mean(
        error[:, generations // 2 :].mean(axis=1), law[generations // 2 :].mean(), slack=0.1
    )
    assert run.attrs["failed_fits"] == 0


def test_the_analysis_integrates_the_same_information(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "analyses"))
    from golden import glm

    assert "golden.glm" in sys.modules
    traces = {
        "logistic": glm.inverse_information(lambda eta: 0.25 / np.cosh(eta / 2) ** 2, np.ones(2)),
        "poisson": glm.inverse_information(np.exp, np.ones(2)),
    }
    for name, trace in traces.items():
        assert trace == pytest.approx(TRACES[name], rel=1e-4)
