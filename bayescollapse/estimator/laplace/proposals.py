"""Draws from Gaussian approximations, and how much each is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.laplace.importance import pareto_smooth
from bayescollapse.estimator.laplace.newton import Modes
from bayescollapse.estimator.laplace.target import Bound, Floats

__all__ = ["CONFIRMATION", "K_LIMIT", "Proposals", "propose"]

K_LIMIT = 0.7
"""Pareto k above which importance weights are not trusted."""

CONFIRMATION = 2000
"""Draws that confirm a large Pareto k: of 100 draws, it exceeds 0.7 in many good cells."""


@dataclass(frozen=True)
class Proposals:
    """Weighted draws of a block.

    Parameters
    ----------
    points : ndarray, shape (cell, draw, d)
        Draws on the unconstrained scale.
    weights : ndarray, shape (cell, draw)
        Their weights; each cell's sum to 1.
    k : ndarray, shape (cell,)
        Pareto k; NaN where it was not worked out, inf where no mode was found.
    """

    points: Floats
    weights: Floats
    k: Floats


def propose(
    bound: Bound, modes: Modes, draws: int, check: float | None, rng: np.random.Generator
) -> Proposals:
    """Draw from the Gaussian approximations of a block, and weigh the draws.

    Parameters
    ----------
    bound : Bound
        Log density of the block.
    modes : Modes
        Modes and precisions.
    draws : int
        Draws a cell.
    check : float or None
        Share of cells, chosen at random, whose Pareto k is worked out; their draws keep equal
        weights, as those of all other cells. None: all cells, and draws are weighted.
    rng : Generator
        Source of randomness.
    """
    cells = len(modes.point)
    factor = _roots(modes)
    noise = _antithetic(cells, draws, modes.point.shape[1], rng)
    points = modes.point[:, None] + noise @ factor
    chosen = _chosen(cells, check, rng)
    weights = np.full((cells, draws), 1 / draws)
    k = np.full(cells, np.nan)
    found, k[chosen] = _weigh(
        bound if check is None else bound.only(chosen), points[chosen], noise[chosen]
    )
    if check is None:
        weights = found
    k[~modes.found] = np.inf
    if draws < CONFIRMATION:
        for r in np.flatnonzero(modes.found & (k > K_LIMIT)):
            resampled, k[r] = _confirm(bound, modes, factor, int(r), draws, rng)
            if check is None:
                points[r], weights[r] = resampled, 1 / draws
    return Proposals(points, weights, k)


def _roots(modes: Modes) -> Floats:
    """Factors that turn standard normal rows into deviations; 1 where no mode was found."""
    identity = np.eye(modes.point.shape[1])
    precision = np.where(modes.found[:, None, None], modes.precision, identity)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(precision)))


def _antithetic(cells: int, draws: int, size: int, rng: np.random.Generator) -> Floats:
    # The two of a pair lie opposite each other, which takes the noise out of weighted means.
    half = rng.standard_normal((cells, (draws + 1) // 2, size))
    return np.concatenate([half, -half], axis=1)[:, :draws]


def _chosen(cells: int, check: float | None, rng: np.random.Generator) -> NDArray[np.bool_]:
    if check is None:
        return np.ones(cells, dtype=bool)
    return rng.permutation(cells) < max(1, round(check * cells))


def _weigh(bound: Bound, points: Floats, noise: Floats) -> tuple[Floats, Floats]:
    ratios = bound.values(points) + 0.5 * np.einsum("rsd,rsd->rs", noise, noise)
    return pareto_smooth(np.where(np.isnan(ratios), -np.inf, ratios))


def _confirm(
    bound: Bound, modes: Modes, factor: Floats, cell: int, draws: int, rng: np.random.Generator
) -> tuple[Floats, float]:
    """Draws resampled from many more, and their Pareto k, for a doubtful cell."""
    noise = _antithetic(1, CONFIRMATION, modes.point.shape[1], rng)
    points = modes.point[cell] + noise @ factor[cell]
    weights, k = _weigh(bound.only(np.array([cell])), points, noise)
    even = (np.arange(draws) + rng.random()) / draws
    index = np.searchsorted(np.cumsum(weights[0])[:-1], even, side="right")
    return points[0, index], float(k[0])
