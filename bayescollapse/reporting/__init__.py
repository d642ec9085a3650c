"""Reports: self-contained HTML pages of a run, or of an analysis over several runs.

The report of a run is ``bc.report``.
"""

from bayescollapse._lazy import attach

_NAMES = {
    "Section": "bayescollapse.reporting.section",
    "page": "bayescollapse.reporting.render",
}

__all__ = list(_NAMES)  # noqa: PLE0605

__getattr__, __dir__ = attach(__name__, _NAMES)
