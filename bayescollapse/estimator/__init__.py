"""Estimator: a PyMC model that is fitted to weighted rows and emits new ones."""

from bayescollapse._lazy import attach

_NAMES = {
    "DirectEstimator": "bayescollapse.estimator.direct",
    "Emission": "bayescollapse.estimator.emission",
    "Estimator": "bayescollapse.estimator.estimator",
    "ExactSampler": "bayescollapse.estimator.exact",
    "parse_emission": "bayescollapse.estimator.emission",
}

__all__ = ["DirectEstimator", "Emission", "Estimator", "ExactSampler", "parse_emission"]

__getattr__, __dir__ = attach(__name__, _NAMES)
