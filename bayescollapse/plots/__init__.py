"""Pictures of a run: drift and information over generations, error over real shares."""

from bayescollapse._lazy import attach

_NAMES = {
    "plot_drift": "bayescollapse.plots.drift",
    "plot_information": "bayescollapse.plots.information",
    "plot_ranks": "bayescollapse.plots.ranks",
    "plot_share": "bayescollapse.plots.share",
}

__all__ = list(_NAMES)  # noqa: PLE0605

__getattr__, __dir__ = attach(__name__, _NAMES)
