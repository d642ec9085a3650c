"""Model zoo: one file per family, each a plain PyMC model with an estimator around it.

Import a family from :mod:`bayescollapse.models`, for example
``from bayescollapse.models import gaussian_mean``. Every module has ``model(...)``, the PyMC model,
and ``estimator(...)``, the same model ready for a recursive loop; conjugate families attach an
exact sampler.

The empirical distribution and the kernel density are not PyMC models: they have ``estimator(...)``
only. The n-gram model has a PyMC model for small vocabularies.
"""

from bayescollapse._lazy import attach

__all__ = [
    "bernoulli",
    "categorical",
    "censored_regression",
    "decoder",
    "empirical",
    "exponential",
    "factor_analysis",
    "gaussian",
    "gaussian_mean",
    "gaussian_mixture",
    "hierarchical_regression",
    "kernel_density",
    "linear_regression",
    "logistic_regression",
    "multivariate_normal",
    "ngram",
    "poisson",
    "poisson_regression",
    "regression_mixture",
    "student_t_regression",
]

__getattr__, __dir__ = attach(__name__, {name: f"{__name__}.{name}" for name in __all__})
