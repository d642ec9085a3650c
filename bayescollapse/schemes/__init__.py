"""Schemes: what a generation is trained on, and presets of the literature."""

from bayescollapse._lazy import attach

_AT = "bayescollapse.schemes"
_NAMES = {
    "Contaminated": f"{_AT}.supply",
    "Context": f"{_AT}.context",
    "Filter": f"{_AT}.selection.base",
    "KeepAll": f"{_AT}.selection.base",
    "Memory": f"{_AT}.memory",
    "Previous": f"{_AT}.context",
    "RowSelection": f"{_AT}.selection.base",
    "Scheme": f"{_AT}.scheme",
    "Value": f"{_AT}.value",
    "Weighting": f"{_AT}.weighting",
    "accumulate": f"{_AT}.presets",
    "accumulate_subsample": f"{_AT}.presets",
    "he_xu_cheng": f"{_AT}.presets",
    "optimal": f"{_AT}.presets",
    "pooled": f"{_AT}.presets",
    "replace": f"{_AT}.presets",
    "weighted": f"{_AT}.presets",
}

__all__ = list(_NAMES)  # noqa: PLE0605

__getattr__, __dir__ = attach(__name__, _NAMES)
