"""Schemes: what a generation is trained on, and presets of the literature."""

from bayescollapse._lazy import attach

_NAMES = {
    "Context": "bayescollapse.schemes.context",
    "KeepAll": "bayescollapse.schemes.axes",
    "Memory": "bayescollapse.schemes.axes",
    "Previous": "bayescollapse.schemes.context",
    "Scheme": "bayescollapse.schemes.scheme",
    "Weighting": "bayescollapse.schemes.axes",
    "accumulate": "bayescollapse.schemes.presets",
    "accumulate_subsample": "bayescollapse.schemes.presets",
    "he_xu_cheng": "bayescollapse.schemes.presets",
    "optimal": "bayescollapse.schemes.presets",
    "pooled": "bayescollapse.schemes.presets",
    "replace": "bayescollapse.schemes.presets",
    "weighted": "bayescollapse.schemes.presets",
}

__all__ = list(_NAMES)  # noqa: PLE0605

__getattr__, __dir__ = attach(__name__, _NAMES)
