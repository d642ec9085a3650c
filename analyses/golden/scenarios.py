"""The scenarios of He, Xu and Cheng with an exact posterior: truth, learner, error and law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian, gaussian_mean, linear_regression, multivariate_normal
from golden import distribution
from golden.pooled_covariance import pooled_covariance_risk
from golden.settings import Settings, Size

ROWS = 100
FEATURES = 2
FEW = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
EMISSIONS = ("plug-in", "predictive", "joint")

Law = Callable[[int, int, float, str], NDArray[np.float64]]
"""Expected error of every generation: ``law(generations, m, real share, emission)``."""


@dataclass(frozen=True)
class Scenario:
    """One simulated model.

    Parameters
    ----------
    name, error_of : str
        Words for the model, and for what its error is.
    estimator, truth
        Learner, and where real rows come from.
    parameter : str
        Parameter whose posterior mean errs, if `errors` is not given.
    unit : float
        What theory gives the error of a fit to real rows alone.
    law : callable
        Expected error.
    kind : {"exact", "first order"}
        What the law is.
    emissions : tuple of str
        Emissions with a law.
    ratios : tuple of float
        Real rows per synthetic row in sweeps of real shares.
    few : tuple of float
        Real rows per synthetic row where pooling and the best share are compared.
    errors : callable, optional
        Errors of a run, (scheme, replicate, generation).
    fit : dict
        What an experiment is told about the method; exact posteriors need nothing.
    """

    name: str
    error_of: str
    estimator: Any
    truth: bc.Truth
    parameter: str
    unit: float
    law: Law
    kind: str = "exact"
    emissions: tuple[str, ...] = ("plug-in",)
    ratios: tuple[float, ...] = (1.0,)
    few: tuple[float, ...] = ()
    errors: Callable[[Any], NDArray[np.float64]] | None = None
    fit: dict[str, Any] = field(default_factory=dict)

    def measured(self, run: Any) -> NDArray[np.float64]:
        """Errors in units of what theory gives real rows only, (scheme, replicate, generation)."""
        found = self.errors(run) if self.errors else squared_errors(run, self.parameter)
        return found / self.unit

    def expected(
        self, generations: int, m: int, share: float, emission: str = "plug-in"
    ) -> NDArray[np.float64]:
        """Law in units of what theory gives real rows only, one value a generation."""
        return np.asarray(self.law(generations, m, share, emission)) / self.unit

    def best_share(self, size: Size, m: int, emission: str) -> float:
        """Real share with the smallest error by the law, for the generations that are averaged."""

        def average(share: float) -> float:
            return float(self.expected(size.generations, m, share, emission)[size.window].mean())

        return smallest(average)

    def size(self, settings: Settings, part: str = "exact") -> Size:
        """Lineages and generations in a part of the analysis."""
        exact, laplace = {
            "exact": (settings.exact, settings.laplace),
            "growth": (settings.growth, settings.growth_laplace),
        }[part]
        return laplace if self.fit else exact


def exact_scenarios() -> list[Scenario]:
    """List the scenarios with exact posteriors; truths are those of the paper's share sweep."""
    return [_mean(), _covariance(), _random_design(), _fixed_design(), _distribution()]


def squared_errors(run: Any, parameter: str) -> NDArray[np.float64]:
    """Squared error of the posterior mean, summed over entries, (scheme, replicate, generation)."""
    mean = run["summary"][parameter].sel(statistic="mean")
    squared = (mean - run["truth"][parameter]) ** 2
    extra = [d for d in squared.dims if d not in ("scheme", "replicate", "generation")]
    return np.asarray(squared.sum(extra).transpose("scheme", "replicate", "generation"))


def smallest(law: Callable[[float], float]) -> float:
    """Real share with the smallest expected error."""
    found = minimize_scalar(law, bounds=(0.01, 0.99), method="bounded", options={"xatol": 1e-5})
    return float(found.x)


def mean_law(scale: float) -> Law:
    """Law of an error that begins at `scale` / n and passes on whole."""

    def law(generations: int, m: int, share: float, emission: str) -> NDArray[np.float64]:
        risk = theory.mean_risk(generations, n=ROWS, m=m, real_share=share, emission=emission)
        return scale * risk

    return law


def _mean() -> Scenario:
    return Scenario(
        "Gaussian mean",
        "mean",
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        "mu",
        1 / ROWS,
        mean_law(1.0),
        emissions=EMISSIONS,
        ratios=(2.0, 1.0, 0.2, 0.05),
        few=FEW,
    )


def _covariance() -> Scenario:
    # A prior too weak to be seen, with the posterior mean at the maximum of the likelihood.
    prior = multivariate_normal.NormalInverseWishart(
        weight=1e-9, degrees=FEATURES + 1.0, scale=1e-9
    )

    def law(generations: int, m: int, share: float, emission: str) -> NDArray[np.float64]:
        return pooled_covariance_risk(
            generations, p=FEATURES, n=ROWS, m=m, real_share=share, emission=emission
        )

    return Scenario(
        "Gaussian covariance",
        "covariance matrix",
        multivariate_normal.estimator(dim=FEATURES, prior=prior),
        bc.Truth(mu=np.zeros(FEATURES), covariance=np.eye(FEATURES)),
        "covariance",
        FEATURES * (FEATURES + 1) / ROWS,
        law,
        emissions=("plug-in", "joint"),
        few=FEW[:5],
    )


def _random_design() -> Scenario:
    first_order = mean_law(float(FEATURES))

    def law(generations: int, m: int, share: float, emission: str) -> NDArray[np.float64]:
        if share == 0:  # known exactly
            return np.asarray(
                theory.fresh_design_error(np.arange(generations), rows=ROWS, features=FEATURES)
            )
        return first_order(generations, m, share, emission)

    return Scenario(
        "Linear regression, random design",
        "coefficients",
        linear_regression.estimator(features=FEATURES, noise_sd=1.0),
        bc.Truth(beta=np.ones(FEATURES), covariates=bc.sources.NormalCovariates(FEATURES)),
        "beta",
        FEATURES / ROWS,
        law,
        kind="first order",
        emissions=EMISSIONS,
        few=FEW[:5],
    )


def _fixed_design() -> Scenario:
    x = np.random.default_rng(1).standard_normal((ROWS, FEATURES))
    scale = ROWS * float(np.trace(np.linalg.inv(x.T @ x)))
    return Scenario(
        "Linear regression, fixed design",
        "coefficients",
        linear_regression.estimator(features=FEATURES, noise_sd=1.0),
        bc.Truth(beta=np.ones(FEATURES), covariates=xr.Dataset({"x": (("obs", "feature"), x)})),
        "beta",
        scale / ROWS,
        mean_law(scale),
        emissions=("plug-in", "joint"),
    )


def _distribution() -> Scenario:
    return Scenario(
        "Empirical distribution",
        "distribution function",
        distribution.estimator(),
        bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator()),
        "distance",
        1 / (6 * ROWS),
        _distribution_law,
        few=FEW[:4],
        errors=distribution.errors,
    )


def _distribution_law(generations: int, m: int, share: float, emission: str) -> NDArray[np.float64]:
    return theory.empirical_cdf_risk(generations, n=ROWS, m=m, real_share=share)
