"""Closed forms for recursive training, in NumPy and SciPy only.

Generations are numbered from 0, which is fitted to n real rows alone with total weight n. Later
generations mix n real rows, with the share w of the total weight, and m synthetic rows; k = n/m.

Start with `optimal_share` (which share of real rows is best), `mean_risk` (what happens to a
Gaussian mean) and `linear_oracle` (the same for any memory and schedule). By topic:

- recursion and best share: `recursion`, `share`, `gaussian`, `memory`, `batches`, `oracle`
- Bayesian emission: `emission`, `variance`, `prior`, `coverage`, `urn`, `iterated`, `ensembles`
- verification: `truncated`, `verification`, `verification_path`, `labels`
- contamination: `contamination`, `contamination_growth`
- categories and extinction: `categorical`, `empirical`, `extinction`
- regression: `memory`, `regression`, `ridge`
- curation: `curation`, `curation_bounds`
- kernels, empirical distribution, scale: `kernel`, `empirical`, `scale`, `covariance`
"""

from bayescollapse.theory.batches import (
    accumulate_efficiency,
    fixed_supply_error,
    growing_replace_error,
    subsample_error,
)
from bayescollapse.theory.categorical import (
    DirichletLaw,
    dirichlet_law,
    dirichlet_stationary,
)
from bayescollapse.theory.contamination import (
    contaminated_limit,
    contaminated_quasi_steady,
    contaminated_risk,
)
from bayescollapse.theory.contamination_growth import (
    ContaminationRegion,
    contamination_region,
    effective_real_rows,
    rows_to_improve,
)
from bayescollapse.theory.covariance import (
    CovarianceLaw,
    centred_variance_mean,
    covariance_risk,
)
from bayescollapse.theory.coverage import (
    accumulate_coverage,
    central_coverage,
    replace_coverage,
)
from bayescollapse.theory.curation import (
    curated_population,
    curation_factor,
    tilted_population,
)
from bayescollapse.theory.curation_bounds import (
    curation_divergence_bound,
    curation_gain_bound,
    curation_limit,
)
from bayescollapse.theory.emission import (
    EmissionTerms,
    emission_terms,
    posterior_weight,
)
from bayescollapse.theory.empirical import (
    accumulated_diversity,
    accumulated_diversity_limit,
    empirical_cdf_risk,
    fixed_supply_frequency_error,
    resampled_concentration,
)
from bayescollapse.theory.ensembles import (
    combined_variance,
    ensemble_mean_variance,
    naive_combined_variance,
)
from bayescollapse.theory.extinction import (
    SurvivalBracket,
    absorption_time,
    absorption_time_diffusion,
    resampled_counts,
    survival_bracket,
    tempered_probabilities,
)
from bayescollapse.theory.gaussian import (
    mean_risk,
    total_weight_path,
)
from bayescollapse.theory.iterated import (
    iterated_information,
    iterated_language_rate,
)
from bayescollapse.theory.kernel import (
    KernelVariance,
    kernel_variance,
    kernel_within_variance,
    row_ages,
)
from bayescollapse.theory.labels import (
    kept_label_error,
    kept_share,
    label_error_breakdown,
)
from bayescollapse.theory.memory import (
    accumulate_error,
    regression_accumulate_error,
    regression_replace_error,
    replace_error,
)
from bayescollapse.theory.oracle import (
    LinearOracle,
    linear_oracle,
)
from bayescollapse.theory.prior import (
    PriorDrift,
    PriorStationary,
    prior_drift,
    prior_stationary,
)
from bayescollapse.theory.recursion import (
    burn_in,
    limit_risk,
    relaxation,
    risk,
)
from bayescollapse.theory.regression import (
    fresh_design_error,
    information_trace,
    min_norm_error,
    mixture_bias,
)
from bayescollapse.theory.ridge import (
    RidgeLaw,
    ridge_law,
)
from bayescollapse.theory.scale import (
    narrowed_effective_rows,
    narrowed_gaussian_law,
    narrowed_variance,
    scale_decay,
    wasserstein_error,
)
from bayescollapse.theory.schedule import optimal_schedule
from bayescollapse.theory.share import (
    OptimalPath,
    beats_real_only,
    optimal_path,
    optimal_share,
    pooled_risk,
)
from bayescollapse.theory.truncated import (
    TruncatedMoments,
    truncated_moments,
)
from bayescollapse.theory.urn import (
    urn_variance,
    urn_variance_joint,
)
from bayescollapse.theory.variance import (
    GaussianLaw,
    gaussian_variance_law,
    log_variance_drift,
    variance_growth,
)
from bayescollapse.theory.verification import (
    VerifiedMap,
    VerifiedStep,
    contraction_rate,
    verified_map,
    verified_step,
)
from bayescollapse.theory.verification_path import (
    VerifiedPath,
    verified_error_bound,
    verified_floor,
    verified_path,
)

__all__ = [
    "ContaminationRegion",
    "CovarianceLaw",
    "DirichletLaw",
    "EmissionTerms",
    "GaussianLaw",
    "KernelVariance",
    "LinearOracle",
    "OptimalPath",
    "PriorDrift",
    "PriorStationary",
    "RidgeLaw",
    "SurvivalBracket",
    "TruncatedMoments",
    "VerifiedMap",
    "VerifiedPath",
    "VerifiedStep",
    "absorption_time",
    "absorption_time_diffusion",
    "accumulate_coverage",
    "accumulate_efficiency",
    "accumulate_error",
    "accumulated_diversity",
    "accumulated_diversity_limit",
    "beats_real_only",
    "burn_in",
    "central_coverage",
    "centred_variance_mean",
    "combined_variance",
    "contaminated_limit",
    "contaminated_quasi_steady",
    "contaminated_risk",
    "contamination_region",
    "contraction_rate",
    "covariance_risk",
    "curated_population",
    "curation_divergence_bound",
    "curation_factor",
    "curation_gain_bound",
    "curation_limit",
    "dirichlet_law",
    "dirichlet_stationary",
    "effective_real_rows",
    "emission_terms",
    "empirical_cdf_risk",
    "ensemble_mean_variance",
    "fixed_supply_error",
    "fixed_supply_frequency_error",
    "fresh_design_error",
    "gaussian_variance_law",
    "growing_replace_error",
    "information_trace",
    "iterated_information",
    "iterated_language_rate",
    "kept_label_error",
    "kept_share",
    "kernel_variance",
    "kernel_within_variance",
    "label_error_breakdown",
    "limit_risk",
    "linear_oracle",
    "log_variance_drift",
    "mean_risk",
    "min_norm_error",
    "mixture_bias",
    "naive_combined_variance",
    "narrowed_effective_rows",
    "narrowed_gaussian_law",
    "narrowed_variance",
    "optimal_path",
    "optimal_schedule",
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
    "resampled_concentration",
    "resampled_counts",
    "ridge_law",
    "risk",
    "row_ages",
    "rows_to_improve",
    "scale_decay",
    "subsample_error",
    "survival_bracket",
    "tempered_probabilities",
    "tilted_population",
    "total_weight_path",
    "truncated_moments",
    "urn_variance",
    "urn_variance_joint",
    "variance_growth",
    "verified_error_bound",
    "verified_floor",
    "verified_map",
    "verified_path",
    "verified_step",
    "wasserstein_error",
]
