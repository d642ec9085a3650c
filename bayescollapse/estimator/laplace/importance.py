r"""Pareto-smoothed importance weights of many cells at once.

The largest :math:`M = \min(S/5, 3\sqrt S)` of S ratios are replaced by expected order statistics of
a generalised Pareto distribution, whose shape k says how heavy their tail is: below 0.7 weighted
means are reliable. The same estimator as ArviZ's (``arviz_stats``), which works through one cell at
a time: here all cells of a block share each operation, which is 25 to 50 times faster for 128 cells
of 100 draws.

References
----------
.. [1] Vehtari, Simpson, Gelman, Yao, Gabry (2024), arXiv:1507.02646.
.. [2] Zhang, Stephens (2009), doi:10.1198/tech.2009.08017.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["pareto_smooth"]

Floats = NDArray[np.float64]

_FLAT = 1e-10
"""Spread of log ratios, in nats, that is rounding only."""


def pareto_smooth(log_ratios: Floats) -> tuple[Floats, Floats]:
    """Normalised importance weights and Pareto k.

    Parameters
    ----------
    log_ratios : ndarray, shape (cell, draw)
        Log of target over proposal density, up to a constant per cell, at least 25 draws; minus
        infinity is a weight of 0.

    Returns
    -------
    weights : ndarray, shape (cell, draw)
        Smoothed weights; each cell's sum to 1.
    k : ndarray, shape (cell,)
        Pareto k; 0 where all ratios are equal to within rounding, inf where they cannot be used.
    """
    cells, draws = log_ratios.shape
    top = log_ratios.max(axis=1, keepdims=True)
    usable = np.isfinite(top[:, 0]) & ~np.isnan(log_ratios).any(axis=1)
    shifted = np.where(usable[:, None], log_ratios - np.where(usable[:, None], top, 0.0), 0.0)
    spread = -shifted.min(axis=1)
    tail = int(min(0.2 * draws, 3 * np.sqrt(draws)))
    order = np.argsort(shifted, axis=1, kind="stable")
    last = np.take_along_axis(shifted, order, axis=1)
    cut = np.exp(last[:, -tail - 1])
    excess = np.exp(last[:, -tail:]) - cut[:, None]
    k, scale = _fit(excess)
    smooth = usable & (spread > _FLAT) & np.isfinite(k)
    probability = (np.arange(tail) + 0.5) / tail
    with np.errstate(all="ignore"):
        replaced = np.minimum(np.log(_quantile(probability, k, scale) + cut[:, None]), 0.0)
    last[:, -tail:] = np.where(smooth[:, None], replaced, last[:, -tail:])
    smoothed = np.empty_like(shifted)
    np.put_along_axis(smoothed, order, last, axis=1)
    weights = np.exp(smoothed)
    weights /= weights.sum(axis=1, keepdims=True)
    k = np.where(usable, np.where(spread > _FLAT, np.where(np.isfinite(k), k, np.inf), 0.0), np.inf)
    return weights, k


def _fit(excess: Floats) -> tuple[Floats, Floats]:
    """Shape and scale of generalised Pareto tails, sorted upwards, shape (cell, tail)."""
    count = excess.shape[1]
    grid = 30 + int(np.sqrt(count))
    first = int(count / 4 + 0.5) - 1
    # A tail without spread in its lower quarter is no Pareto tail: nothing is fitted to it.
    degenerate = excess[:, first] <= excess[:, 0]
    excess = np.where(degenerate[:, None], np.arange(1.0, count + 1), excess)
    with np.errstate(all="ignore"):
        b = (1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3 * excess[:, first, None])
        b = b + 1 / excess[:, -1:]
        k = np.log1p(-b[:, :, None] * excess[:, None]).mean(axis=2)
        profile = count * (np.log(-b / k) - k - 1)
        weight = np.exp(profile - profile.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        weight = np.where(weight >= 10 * np.finfo(float).eps, weight, 0.0)
        best = (b * weight).sum(axis=1) / weight.sum(axis=1)
        shape = np.log1p(-best[:, None] * excess).mean(axis=1)
        scale = -shape / best
        shape = (count * shape + 5) / (count + 10)
    return np.where(degenerate, np.nan, shape), np.where(degenerate, np.nan, scale)


def _quantile(probability: Floats, shape: Floats, scale: Floats) -> Floats:
    """Quantiles of generalised Pareto distributions, shape (cell, probability)."""
    k, sigma = shape[:, None], scale[:, None]
    exponential = -np.log1p(-probability)[None]
    small = np.abs(k) < np.finfo(float).eps
    general = np.expm1(k * exponential) / np.where(small, 1.0, k)
    return np.asarray(sigma * np.where(small, exponential, general))
