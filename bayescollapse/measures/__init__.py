"""Measures of a run: drift, information, gate figures, and errors over real shares.

The run-level functions are ``bc.drift``, ``bc.information`` and ``bc.diagnose``.
"""

from bayescollapse._lazy import attach

_NAMES = {
    "LocatedMinimum": "bayescollapse.measures.minimum",
    "Measure": "bayescollapse.measures.registry",
    "Thresholds": "bayescollapse.measures.definitions",
    "binomial_interval": "bayescollapse.measures.kernels",
    "correlation_interval": "bayescollapse.measures.mutual_kernels",
    "divergence": "bayescollapse.measures.divergence",
    "fisher_interval": "bayescollapse.measures.mutual_kernels",
    "gaussian_entropy": "bayescollapse.measures.entropy_kernels",
    "gaussian_kl": "bayescollapse.measures.kernels",
    "gaussian_mutual_information": "bayescollapse.measures.mutual_kernels",
    "gaussian_wasserstein": "bayescollapse.measures.kernels",
    "knn_entropy": "bayescollapse.measures.entropy_kernels",
    "knn_mutual_information": "bayescollapse.measures.mutual_kernels",
    "locate_minimum": "bayescollapse.measures.minimum",
    "mean_and_error": "bayescollapse.measures.kernels",
    "moment_drift": "bayescollapse.measures.drift",
    "mutual_information": "bayescollapse.measures.mutual",
    "posterior_accuracy": "bayescollapse.measures.accuracy",
    "posterior_drift": "bayescollapse.measures.posterior",
    "posterior_entropy": "bayescollapse.measures.entropy",
    "predictive_drift": "bayescollapse.measures.predictive",
    "rank_bend": "bayescollapse.measures.ranks",
    "rank_of_truth": "bayescollapse.measures.ranks",
    "ratio_and_error": "bayescollapse.measures.kernels",
    "registered": "bayescollapse.measures.registry",
    "replicate_error": "bayescollapse.measures.layout",
    "root_mean_square": "bayescollapse.measures.accuracy",
    "rows_of_density": "bayescollapse.measures.worth",
    "share_errors": "bayescollapse.measures.shares",
    "share_groups": "bayescollapse.measures.shares",
    "table": "bayescollapse.measures.registry",
    "truth_divergence": "bayescollapse.measures.divergence_from_truth",
    "truth_ranks": "bayescollapse.measures.ranks",
    "variance_and_error": "bayescollapse.measures.accuracy",
    "wasserstein_1d": "bayescollapse.measures.kernels",
}

__all__ = list(_NAMES)  # noqa: PLE0605

__getattr__, __dir__ = attach(__name__, _NAMES)
