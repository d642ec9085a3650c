"""Generalised linear models as scenarios, by Laplace: no posterior has a closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import logistic_regression, poisson_regression
from golden.scenarios import FEATURES, ROWS, Scenario, mean_law

METHOD: dict[str, Any] = {"method": "laplace(check=0.05)", "draws": 50, "chains": 2}
PRIOR_SD = 10.0


def linear_scenarios() -> list[Scenario]:
    """List logistic and Poisson regression, with standard normal covariates and beta = (1, 1)."""
    return [
        _scenario("Logistic regression", logistic_regression, "logistic"),
        _scenario("Poisson regression", poisson_regression, "poisson"),
    ]


def _scenario(name: str, module: Any, family: str) -> Scenario:
    beta = np.ones(FEATURES)
    trace = float(theory.information_trace(family, coefficients=beta))
    return Scenario(
        name,
        "coefficients",
        module.estimator(features=FEATURES, prior_sd=PRIOR_SD),
        bc.Truth(beta=beta, covariates=bc.sources.NormalCovariates(FEATURES)),
        "beta",
        trace / ROWS,
        mean_law(trace),
        kind="first order",
        emissions=("plug-in", "joint"),  # to first order, predictive emission is plug-in
        few=(1.0, 0.1),
        fit=METHOD,
    )
