"""Sources: where fresh real rows come from."""

from bayescollapse._lazy import attach

_NAMES = {
    "BoundSource": "bayescollapse.sources.base",
    "NormalCovariates": "bayescollapse.sources.covariates",
    "OrthonormalDesign": "bayescollapse.sources.orthonormal",
    "Simulator": "bayescollapse.sources.simulator",
    "Source": "bayescollapse.sources.base",
    "Table": "bayescollapse.sources.table",
    "Truth": "bayescollapse.sources.truth",
}

__all__ = [
    "BoundSource",
    "NormalCovariates",
    "OrthonormalDesign",
    "Simulator",
    "Source",
    "Table",
    "Truth",
]

__getattr__, __dir__ = attach(__name__, _NAMES)
