"""Closed forms shared by conjugate families."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats, Stats, merge_weights

__all__ = [
    "gamma_summary",
    "merge_sums",
    "refuse_outside",
    "root_inverse_gamma_constants",
    "weighted_sum",
]


def weighted_sum(y: NDArray[Any], weights: Floats | None) -> Stats:
    """Total weight and weighted sum of rows (replicate, obs); None is weight 1."""
    if weights is None:
        return np.array([float(y.shape[1])]), y.sum(axis=1).astype(np.float64)
    return weights.sum(axis=1), np.einsum("rn,rn->r", weights, y)


def merge_sums(stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
    """Add the total weights and weighted sums of several batches."""
    _, total = merge_weights(stats, factors)
    return total, np.asarray(sum(f * s[1] for f, s in zip(factors, stats, strict=True)))


def refuse_outside(
    y: NDArray[Any],
    outside: NDArray[np.bool_],
    weights: Floats | None,
    *,
    allowed: str,
    advice: str,
) -> None:
    """Refuse rows of positive weight outside the support of ``y``.

    Parameters
    ----------
    y : ndarray, shape (replicate, obs)
        Responses.
    outside : ndarray of bool, shape (replicate, obs)
        Whether a response is outside the support.
    weights : ndarray, shape (replicate, obs), optional
        Weights; a row of weight 0 is removed and may hold anything.
    allowed, advice : str
        What the rows may hold, and what to do.

    Raises
    ------
    ValueError
        If there is such a row.
    """
    bad = outside if weights is None else outside & (weights > 0)
    if bad.any():
        raise ValueError(
            f"rows['y'] must hold {allowed}, got {y[bad][0].item()!r} in {int(bad.sum())} rows: "
            f"{advice}"
        )


def gamma_summary(shape: Floats, rate: Floats, probabilities: tuple[float, ...]) -> Floats:
    """Mean, sd and quantiles of gamma variables.

    Parameters
    ----------
    shape, rate : ndarray, shape (replicate,) or (1,)
        Shape and rate, positive.
    probabilities : tuple of float
        Probabilities of the quantiles.

    Returns
    -------
    ndarray, shape (replicate, statistic, 1)
        Mean, sd, then one quantile for each probability.
    """
    from scipy.special import gammaincinv

    shape, rate = np.broadcast_arrays(shape, rate)
    unit = [shape, np.sqrt(shape), *(gammaincinv(shape, p) for p in probabilities)]
    return np.asarray(np.stack(unit, axis=1) / rate[:, None])[:, :, None]


def root_inverse_gamma_constants(
    shape: Floats, probabilities: tuple[float, ...]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Moments and quantiles of sigma at unit scale, where 1/sigma^2 is gamma with this shape.

    Parameters
    ----------
    shape : ndarray, shape (replicate,) or (1,)
        Shape of the gamma variable.
    probabilities : tuple of float
        Probabilities of the quantiles.

    Returns
    -------
    first, second : ndarray, shape (replicate,)
        E[sigma] and E[sigma^2]; infinite where they do not exist.
    t_quantiles, sigma_quantiles : ndarray, shape (replicate, quantile)
        Student-t quantiles with 2·shape degrees of freedom, and quantiles of sigma.

    Notes
    -----
    Weights are mostly the same in every replicate: each distinct shape is computed once and kept.
    """
    if shape.size == 1:
        moments = _unit_constants(float(shape[0]), probabilities)
        first, second, t_quantiles, s_quantiles = (np.array([value]) for value in moments)
        return first, second, t_quantiles, s_quantiles
    distinct, index = np.unique(shape, return_inverse=True)
    columns = zip(
        *(_unit_constants(float(value), probabilities) for value in distinct), strict=True
    )
    first, second, t_quantiles, s_quantiles = (np.array(column)[index] for column in columns)
    return first, second, t_quantiles, s_quantiles


@lru_cache(maxsize=4096)
def _unit_constants(
    shape: float, probabilities: tuple[float, ...]
) -> tuple[float, float, tuple[float, ...], tuple[float, ...]]:
    """Moments of a root-inverse-gamma variable of unit scale, its and Student-t quantiles."""
    from scipy.special import gammainccinv, gammaln, stdtrit

    first = np.exp(gammaln(shape - 0.5) - gammaln(shape)) if shape > 0.5 else np.inf
    second = 1 / (shape - 1) if shape > 1 else np.inf
    p = np.array(probabilities)
    return (
        float(first),
        float(second),
        tuple(np.asarray(stdtrit(2 * shape, p)).tolist()),
        tuple(np.asarray(1 / np.sqrt(gammainccinv(shape, p))).tolist()),
    )
