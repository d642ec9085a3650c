"""Generalised linear models in the sweeps of part 1, by Laplace: no posterior has a closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

import bayescollapse as bc
from bayescollapse.models import logistic_regression, poisson_regression
from golden.simulated import FEATURES, ROWS, Family, mean_law

METHOD: dict[str, Any] = {"method": "laplace(check=0.05)", "draws": 50, "chains": 2}
PRIOR_SD = 10.0
NODES = 80


def families() -> list[Family]:
    """List logistic and Poisson regression, with standard normal covariates and beta = (1, 1)."""
    return [
        _family("Logistic regression", logistic_regression, _logistic_weight),
        _family("Poisson regression", poisson_regression, np.exp),
    ]


def _family(name: str, module: Any, weight: Any) -> Family:
    trace = inverse_information(weight, np.ones(FEATURES))
    covariates = bc.sources.NormalCovariates(FEATURES)
    return Family(
        name,
        module.estimator(features=FEATURES, prior_sd=PRIOR_SD),
        bc.Truth(beta=np.ones(FEATURES), covariates=covariates),
        "beta",
        trace / ROWS,
        mean_law(trace),
        "first order",
        (1.0,),
        emissions=("plug-in", "joint"),  # to first order, predictive emission is plug-in
        fit=METHOD,
    )


def inverse_information(weight: Any, beta: np.ndarray) -> float:
    """Trace of the inverse Fisher information of one row with standard normal covariates.

    `weight` is the variance of the response at a linear predictor. Integrated by Gauss-Hermite
    quadrature along `beta`; across it the covariates have variance 1 whatever the response.
    """
    nodes, mass = np.polynomial.hermite_e.hermegauss(NODES)
    mass = mass / mass.sum()
    length = np.sqrt(beta @ beta)
    variance = weight(length * nodes)
    along, across = mass @ (variance * nodes**2), mass @ variance
    return float(1 / along + (len(beta) - 1) / across)


def _logistic_weight(predictor: np.ndarray) -> np.ndarray:
    return np.asarray(0.25 / np.cosh(predictor / 2) ** 2)
