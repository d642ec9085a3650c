"""Recursive Bayesian training: put a PyMC model in a loop of real and synthetic rows.

Heavy libraries (PyMC, ArviZ, nutpie, scipy.stats) are imported when a name that needs them is used.
"""

from bayescollapse import schedules
from bayescollapse._lazy import attach

__version__ = "0.1.0"

_NAMES = {
    "Estimator": "bayescollapse.estimator.estimator",
    "Experiment": "bayescollapse.experiment.experiment",
    "Scheme": "bayescollapse.schemes.scheme",
    "Simulator": "bayescollapse.sources.simulator",
    "Table": "bayescollapse.sources.table",
    "Truth": "bayescollapse.sources.truth",
    "ablation": "bayescollapse.perturbing.ablation",
    "cell": "bayescollapse.experiment.cell",
    "collapse": "bayescollapse.measures.collapse",
    "combine": "bayescollapse.combining",
    "diagnose": "bayescollapse.measures.diagnose",
    "drift": "bayescollapse.measures.collected",
    "information": "bayescollapse.measures.collected",
    "measures": "bayescollapse.measures",
    "models": "bayescollapse.models",
    "multiple": "bayescollapse.synthetic_sets",
    "open_run": "bayescollapse.experiment.store",
    "plot_drift": "bayescollapse.plots.drift",
    "plot_information": "bayescollapse.plots.information",
    "plot_ranks": "bayescollapse.plots.ranks",
    "report": "bayescollapse.reporting.report",
    "schemes": "bayescollapse.schemes",
    "sensitivity": "bayescollapse.perturbing.power_scaling",
    "sources": "bayescollapse.sources",
    "stability": "bayescollapse.perturbing.stability",
    "theory": "bayescollapse.theory",
}

__all__ = ["__version__", "schedules", *_NAMES]

__getattr__, __dir__ = attach(__name__, _NAMES)
