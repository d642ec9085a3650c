"""Closed forms for recursive training, in NumPy and SciPy only.

Generations are numbered from 0, which is fitted to n real rows alone with total weight n. Later
generations mix n real rows, with the share w of the total weight, and m synthetic rows; k = n/m.

Start with `optimal_share` (which share of real rows is best), `mean_risk` (what happens to a
Gaussian mean) and `linear_oracle` (the same for any memory and schedule).
"""

from bayescollapse.theory.categorical import DirichletLaw, dirichlet_law
from bayescollapse.theory.coverage import (
    accumulate_coverage,
    central_coverage,
    replace_coverage,
)
from bayescollapse.theory.emission import EmissionTerms, emission_terms, posterior_weight
from bayescollapse.theory.gaussian import mean_risk, total_weight_path
from bayescollapse.theory.memory import (
    accumulate_error,
    regression_accumulate_error,
    regression_replace_error,
    replace_error,
)
from bayescollapse.theory.oracle import LinearOracle, linear_oracle
from bayescollapse.theory.prior import (
    PriorDrift,
    PriorStationary,
    prior_drift,
    prior_stationary,
)
from bayescollapse.theory.recursion import burn_in, limit_risk, relaxation, risk
from bayescollapse.theory.share import (
    OptimalPath,
    beats_real_only,
    optimal_path,
    optimal_share,
    pooled_risk,
)
from bayescollapse.theory.variance import (
    GaussianLaw,
    gaussian_variance_law,
    log_variance_drift,
    variance_growth,
)

__all__ = [
    "DirichletLaw",
    "EmissionTerms",
    "GaussianLaw",
    "LinearOracle",
    "OptimalPath",
    "PriorDrift",
    "PriorStationary",
    "accumulate_coverage",
    "accumulate_error",
    "beats_real_only",
    "burn_in",
    "central_coverage",
    "dirichlet_law",
    "emission_terms",
    "gaussian_variance_law",
    "limit_risk",
    "linear_oracle",
    "log_variance_drift",
    "mean_risk",
    "optimal_path",
    "optimal_share",
    "pooled_risk",
    "posterior_weight",
    "prior_drift",
    "prior_stationary",
    "regression_accumulate_error",
    "regression_replace_error",
    "relaxation",
    "replace_coverage",
    "replace_error",
    "risk",
    "total_weight_path",
    "variance_growth",
]
