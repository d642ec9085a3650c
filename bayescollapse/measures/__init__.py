"""Measures of a run: drift, information, gate figures, and errors over real shares.

The run-level functions are ``bc.drift``, ``bc.information`` and ``bc.diagnose``.
"""

from bayescollapse._lazy import attach

_NAMES = {
    "LocatedMinimum": "bayescollapse.measures.minimum",
    "binomial_interval": "bayescollapse.measures.kernels",
    "gaussian_kl": "bayescollapse.measures.kernels",
    "gaussian_wasserstein": "bayescollapse.measures.kernels",
    "locate_minimum": "bayescollapse.measures.minimum",
    "mean_and_error": "bayescollapse.measures.kernels",
    "ratio_and_error": "bayescollapse.measures.kernels",
    "replicate_error": "bayescollapse.measures.layout",
    "share_errors": "bayescollapse.measures.shares",
    "share_groups": "bayescollapse.measures.shares",
    "wasserstein_1d": "bayescollapse.measures.kernels",
}

__all__ = list(_NAMES)  # noqa: PLE0605

__getattr__, __dir__ = attach(__name__, _NAMES)
