"""Perturbing: what moves a posterior, and how far one row or one batch reaches.

The run-level functions are ``bc.sensitivity`` (prior, real rows and synthetic rows scaled by
powers), ``bc.stability`` (one real row replaced, the lineage replayed) and ``bc.ablation`` (batches
or generations left out).
"""

from bayescollapse._lazy import attach

_NAMES = {
    "cumulative_jensen_shannon": "bayescollapse.perturbing.kernels",
    "power_gradients": "bayescollapse.perturbing.kernels",
    "weighted_moments": "bayescollapse.perturbing.kernels",
}

__all__ = list(_NAMES)  # noqa: PLE0605

__getattr__, __dir__ = attach(__name__, _NAMES)
