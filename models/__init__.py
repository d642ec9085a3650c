"""Model zoo: one file per family, each a plain PyMC model with an estimator around it.

Import a family from :mod:`bayescollapse.models`, for example
``from bayescollapse.models import gaussian_mean``. Every module has ``model(...)``, the PyMC model,
and ``estimator(...)``, the same model ready for a recursive loop; conjugate families attach an
exact sampler.
"""

from bayescollapse._lazy import attach

__all__ = [
    "categorical",
    "gaussian",
    "gaussian_mean",
    "linear_regression",
    "logistic_regression",
]

__getattr__, __dir__ = attach(__name__, {name: f"{__name__}.{name}" for name in __all__})
