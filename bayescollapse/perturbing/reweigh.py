"""Reweigh: a changed posterior by importance weights, and by a refit where these fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.hooks import EmittingEngine
from bayescollapse.perturbing.cells import Cell, Posterior
from bayescollapse.perturbing.kernels import cumulative_jensen_shannon, weighted_moments
from bayescollapse.perturbing.reliance import Reliable, light_tail

__all__ = ["Change", "changed", "compare", "has_density", "log_likelihoods"]

CHUNK = 4_000_000
"""Entries of row-wise log-likelihood made at a time."""

Refit = Callable[[NDArray[np.bool_]], Posterior]
"""Fits replicates again; of those that are not asked for, it may give anything."""


class Change(NamedTuple):
    """A changed posterior beside the one it was changed from.

    Parameters
    ----------
    mean_shift : ndarray, shape (replicate, parameter)
        Difference of the means, in sds of the unchanged posterior.
    sd_ratio : ndarray, shape (replicate, parameter)
        Ratio of the sds.
    distance : ndarray, shape (replicate, parameter)
        Cumulative Jensen-Shannon distance.
    pareto_k : ndarray, shape (replicate,)
        Shape of the tail of the importance ratios; missing where there are none.
    refitted, failed : ndarray of bool, shape (replicate,)
        Whether the posterior was fitted again, and failed its sampling checks then.
    improper : ndarray of bool, shape (replicate,)
        Whether a refit was tried where there is no posterior.
    """

    mean_shift: Floats
    sd_ratio: Floats
    distance: Floats
    pareto_k: Floats
    refitted: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    improper: NDArray[np.bool_]


def has_density(cell: Cell) -> bool:
    """Whether the engine gives row densities at posterior draws."""
    return not isinstance(cell.engine, EmittingEngine)


def changed(
    cell: Cell,
    log_ratios: Floats | None,
    refit: Refit | None,
    how: str,
    possible: NDArray[np.bool_] | None = None,
    reliable: Reliable = light_tail,
) -> Change:
    """Work out a changed posterior.

    Parameters
    ----------
    cell : Cell
        The unchanged posteriors.
    log_ratios : ndarray, shape (replicate, draw), optional
        Log of changed over unchanged density at the draws; None where it cannot be computed.
    refit : callable, optional
        Fits the changed posterior; None where that is impossible.
    how : {"auto", "always", "never"}
        When to fit again.
    possible : ndarray of bool, shape (replicate,), optional
        Whether there is a changed posterior; it is missing elsewhere.
    reliable : callable, optional
        Judges the weights; by their Pareto k if not given.

    Returns
    -------
    Change
        What has neither reliable weights nor a refit is missing.
    """
    from bayescollapse.estimator.laplace.importance import pareto_smooth

    replicates, parameters = cell.posterior.mean.shape
    k: Floats = np.full(replicates, np.nan)
    bad = np.ones(replicates, dtype=bool)
    shift, ratio, distance = (np.full((replicates, parameters), np.nan) for _ in range(3))
    values = (shift, ratio, distance)
    none = np.zeros(replicates, dtype=bool)
    if log_ratios is not None:
        weights, k = pareto_smooth(log_ratios)
        bad[:] = ~reliable(weights, k)
        for out, value in zip(values, _weighted(cell, weights), strict=True):
            out[:] = np.where(bad[:, None], np.nan, value)
    exists = np.ones(replicates, dtype=bool) if possible is None else possible
    again = (np.full(replicates, how == "always") | bad) & exists
    for out in (*values, k):
        out[~exists] = np.nan
    if refit is None or how == "never" or not again.any():
        return Change(shift, ratio, distance, k, none, none, none)
    other = refit(again)
    improper = none if other.proper is None else again & ~other.proper
    found = again & ~improper
    for out, value in zip(values, compare(cell.posterior, other, found), strict=True):
        out[again] = np.nan
        out[found] = value
    return Change(shift, ratio, distance, k, found, found & ~other.passed, improper)


def _weighted(cell: Cell, weights: Floats) -> tuple[Floats, Floats, Floats]:
    draws = _pooled(cell.posterior.draws)
    even = np.full(weights.shape, 1 / weights.shape[1])
    (mean, sd), (moved, wide) = weighted_moments(draws, even), weighted_moments(draws, weights)
    columns = np.moveaxis(draws, 2, 1)
    distance = cumulative_jensen_shannon(columns, even[:, None], weights[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        return (moved - mean) / sd, wide / sd, distance


def compare(
    first: Posterior, second: Posterior, replicates: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Compare some replicates of two posteriors.

    Returns
    -------
    shift, ratio, distance : ndarray, shape (chosen replicate, parameter)
        Shift of the mean in first sds, ratio of sds, distance of draws.
    """
    first, second = (
        Posterior(p.draws[replicates], p.mean[replicates], p.sd[replicates], p.passed[replicates])
        for p in (first, second)
    )
    one, two = _pooled(first.draws), _pooled(second.draws)
    columns = np.moveaxis(np.concatenate([one, two], axis=1), 2, 1)
    inside = np.arange(columns.shape[2]) < one.shape[1]
    left, right = inside / one.shape[1], ~inside / two.shape[1]
    distance = cumulative_jensen_shannon(columns, left, right)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (second.mean - first.mean) / first.sd, second.sd / first.sd, distance


def _pooled(draws: Floats) -> Floats:
    cells, chains, each, parameters = draws.shape
    return draws.reshape(cells, chains * each, parameters)


def log_likelihoods(cell: Cell, labels: NDArray[np.int64], count: int) -> Floats:
    """Weighted log-likelihood of the rows of every label at every draw.

    Parameters
    ----------
    cell : Cell
        Posteriors with their rows and weights.
    labels : ndarray of int, shape (replicate, obs)
        Label of every row, 0 to count - 1; negative ones are left out.
    count : int
        Number of labels.

    Returns
    -------
    ndarray, shape (replicate, draw, label)
        In nats.
    """
    draws = _pooled(cell.posterior.draws)
    parameters = cell.engine.schema.unpack(draws)
    out = np.zeros((*draws.shape[:2], count))
    wanted = np.flatnonzero((labels >= 0).any(axis=0))
    step = max(1, CHUNK // (draws.shape[0] * draws.shape[1]))
    for start in range(0, len(wanted), step):
        part = wanted[start : start + step]
        weights, here = cell.weights[:, part], labels[:, part]
        density = cell.engine.log_density(
            parameters, {name: value[:, part] for name, value in cell.rows.items()}
        )
        if not weights.all():
            # A removed row may be impossible: 0 times minus infinity is none.
            density = np.where((weights > 0)[:, None], density, 0.0)
        for label in np.unique(here[here >= 0]):
            share = np.where(here == label, weights, 0.0)
            out[:, :, label] += (density @ share[..., None])[..., 0]
    return out
