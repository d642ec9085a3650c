"""Uncertainty of divergences between samples: jackknife errors and permutation nulls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescollapse._checks import integer
from bayescollapse.measures.divergence.joint import (
    discrepancy_leave_out,
    energy_distance,
    energy_leave_out,
    maximum_mean_discrepancy,
    median_distance,
)

__all__ = ["jackknife_error", "jackknife_interval", "null_point", "permutation_null"]

Floats = NDArray[np.float64]

Divergence = Callable[..., ArrayLike]

_LEAVE_OUT: dict[Divergence, Callable[..., Floats]] = {
    energy_distance: energy_leave_out,
    maximum_mean_discrepancy: discrepancy_leave_out,
}
"""Measures whose leave-out values all follow from one pass over pairs."""


def jackknife_error(
    measure: Divergence,
    x: ArrayLike,
    y: ArrayLike,
    *,
    blocks: int = 20,
    axis: int = -2,
    **settings: Any,
) -> Floats:
    r"""Estimate the standard error of a divergence between two samples by the blocked jackknife.

    .. math:: \sqrt{\frac{B - 1}{B} \sum_{b=1}^{B} (T_{(b)} - \bar T)^2}

    with :math:`T_{(b)}` the measure without the b-th block of neighbouring draws of either sample.

    Parameters
    ----------
    measure : callable
        ``measure(x, y, **settings)`` -> array, such as :func:`energy_distance`.
    x, y : array_like, shape (…, draw, parameter), or (…, draw) with ``axis=-1``
        Draws in the order of their chains. A sample of one draw is a point, and left whole.
    blocks : int, default 20
        Number B of blocks, 2 to the number of draws.
    axis : int, default -2
        Axis of the draws.
    **settings
        Handed to `measure`.

    Returns
    -------
    ndarray, shape (…)
        Standard error in units of the measure.

    Raises
    ------
    ValueError
        If `blocks` is below 2 or above the number of draws of a sample.

    Notes
    -----
    Blocks keep related neighbours together, so that chains that mix within a block are allowed for
    [1]_. Where two distributions are equal, unbiased divergences are degenerate: their error falls
    as 1 / n, and the jackknife's variance is on average about twice theirs, so that intervals there
    are wide rather than narrow [2]_.

    References
    ----------
    .. [1] Kuensch (1989), doi:10.1214/aos/1176347265.
    .. [2] Efron and Stein (1981), doi:10.1214/aos/1176345462.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1).normal(size=(2, 400, 1)) + [[[0.0]], [[1.0]]]
    >>> shift = lambda a, b: (a.mean(axis=-2) - b.mean(axis=-2))[..., 0]
    >>> 0.04 < float(jackknife_error(shift, x[0], x[1])) < 0.12  # sqrt(2 / 400) = .07
    True
    """
    left = _left_out(measure, x, y, blocks, axis, settings)
    return np.asarray(np.sqrt((len(left) - 1) * left.var(axis=0)))


def jackknife_interval(
    measure: Divergence,
    x: ArrayLike,
    y: ArrayLike,
    *,
    probability: float = 0.95,
    blocks: int = 20,
    axis: int = -2,
    **settings: Any,
) -> tuple[Floats, Floats, Floats]:
    """Divergence between two samples with an interval from its blocked jackknife error.

    Parameters
    ----------
    measure : callable
        ``measure(x, y, **settings)`` -> array.
    x, y : array_like, shape (…, draw, parameter), or (…, draw) with ``axis=-1``
        Draws in the order of their chains.
    probability : float, default 0.95
        Level, above 0 and below 1.
    blocks : int, default 20
        Number of blocks; the interval has a t distribution with one degree of freedom less.
    axis : int, default -2
        Axis of the draws.
    **settings
        Handed to `measure`.

    Returns
    -------
    tuple of ndarray
        Value, lower and upper limit. The lower limit of an unbiased measure can fall below 0.

    Raises
    ------
    ValueError
        If `blocks` does not fit the draws or `probability` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1).normal(size=(2, 400, 2))
    >>> value, low, high = jackknife_interval(energy_distance, x[0], x[1])
    >>> bool(low < 0 < high)
    True
    """
    from scipy.special import stdtrit

    if not 0 < probability < 1:
        raise ValueError(f"probability must lie above 0 and below 1, got {probability!r}")
    value = np.asarray(measure(x, y, **settings))
    error = jackknife_error(measure, x, y, blocks=blocks, axis=axis, **settings)
    reach = float(stdtrit(blocks - 1, (1 + probability) / 2)) * error
    return value, value - reach, value + reach


def permutation_null(
    measure: Divergence,
    x: ArrayLike,
    y: ArrayLike,
    *,
    rng: np.random.Generator,
    permutations: int = 199,
    blocks: int = 50,
    axis: int = -2,
    **settings: Any,
) -> Floats:
    """Values of a divergence when draws are dealt to the two samples at random.

    Parameters
    ----------
    measure : callable
        ``measure(x, y, **settings)`` -> array.
    x, y : array_like, shape (…, draw, parameter), or (…, draw) with ``axis=-1``
        Draws in the order of their chains; leading axes broadcast.
    rng : Generator
        Deals the draws; all cells are dealt alike, which leaves a mean over independent cells its
        own null.
    permutations : int, default 199
        Number of deals.
    blocks : int, default 50
        Blocks of neighbouring draws that the smaller sample is dealt in, so that related and
        repeated neighbours stay together; the number of its draws if it has fewer.
    axis : int, default -2
        Axis of the draws.
    **settings
        Handed to `measure`.

    Returns
    -------
    ndarray, shape (permutations, …)
        Values of `measure` if both samples came from the same distribution, their mixture.

    Raises
    ------
    ValueError
        If a count is below 1.

    References
    ----------
    .. [1] Gretton et al. (2012), Journal of Machine Learning Research 13, 723-773, section 5.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.measures import wasserstein_1d
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.normal(size=(2, 200))
    >>> null = permutation_null(wasserstein_1d, x, y, rng=rng, axis=-1, permutations=99)
    >>> bool(wasserstein_1d(x, y) < null_point(null) < wasserstein_1d(x, y + 1))
    True
    """
    first, second = (np.moveaxis(np.asarray(a, np.float64), axis, 0) for a in (x, y))
    integer("permutations", permutations)
    n, m = len(first), len(second)
    length = max(1, min(n, m) // integer("blocks", blocks))
    lead = np.broadcast_shapes(first.shape[1:], second.shape[1:])
    pooled = np.concatenate([np.broadcast_to(a, (len(a), *lead)) for a in (first, second)])
    values = []
    for _ in range(permutations):
        order = _deal(n, m, length, rng)
        parts = (np.moveaxis(pooled[o], 0, axis) for o in (order[:n], order[n:]))
        values.append(np.asarray(measure(*parts, **settings)))
    return np.stack(values)


def null_point(null: ArrayLike, *, probability: float = 0.99) -> Floats:
    """Point of a permutation null that is exceeded with a small probability.

    Parameters
    ----------
    null : array_like, shape (permutations, …)
        Values of :func:`permutation_null`.
    probability : float, default 0.99
        Probability of staying at or below the point if the two distributions are equal.

    Returns
    -------
    ndarray, shape (…)
        The order statistic that keeps the stated probability, counting the observed value among the
        permutations [1]_.

    Raises
    ------
    ValueError
        If there are too few permutations for the probability: 99 for 0.99.

    References
    ----------
    .. [1] Phipson and Smyth (2010), doi:10.2202/1544-6115.1585.

    Examples
    --------
    >>> float(null_point(range(1, 100)))
    99.0
    """
    values = np.sort(np.asarray(null, dtype=np.float64), axis=0)
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie above 0 and below 1, got {probability!r}")
    place = math.ceil(round(probability * (len(values) + 1), 9))
    if place > len(values):
        raise ValueError(
            f"null must hold at least {math.ceil(round(probability / (1 - probability), 6))} "
            f"permutations for probability={probability!r}, got {len(values)}: take more"
        )
    return np.asarray(values[place - 1])


def _left_out(
    measure: Divergence,
    x: ArrayLike,
    y: ArrayLike,
    blocks: int,
    axis: int,
    settings: dict[str, Any],
) -> Floats:
    first, second = (np.asarray(a, dtype=np.float64) for a in (x, y))
    integer("blocks", blocks, minimum=2)
    fewest = min((a.shape[axis] for a in (first, second) if a.shape[axis] > 1), default=0)
    if blocks > fewest:
        raise ValueError(
            f"blocks must be at most the {fewest} draws of the smaller sample, got {blocks}: ask "
            "for fewer blocks or take more draws"
        )
    if measure is maximum_mean_discrepancy and settings.get("bandwidth") is None:
        settings = settings | {"bandwidth": median_distance(second)}
    if (
        measure in _LEAVE_OUT
        and "groups" not in settings
        and min(first.shape[axis], second.shape[axis]) > 1
    ):
        return _LEAVE_OUT[measure](first, second, blocks=blocks, **settings)
    parts = (
        [_without(sample, block, blocks, axis) for sample in (first, second)]
        for block in range(blocks)
    )
    return np.stack([np.asarray(measure(*part, **settings)) for part in parts])


def _without(sample: Floats, block: int, blocks: int, axis: int) -> Floats:
    draws = sample.shape[axis]
    if draws == 1:
        return sample
    edges = np.arange(blocks + 1) * draws // blocks
    kept = np.r_[0 : edges[block], edges[block + 1] : draws]
    return np.asarray(np.take(sample, kept, axis=axis))


def _deal(n: int, m: int, length: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Places of pooled draws, whole blocks exchanged; draws beyond the last block stay."""
    whole = [np.arange(c // length * length).reshape(-1, length) + o for c, o in ((n, 0), (m, n))]
    dealt = np.concatenate(whole)[rng.permutation(len(whole[0]) + len(whole[1]))]
    split = len(whole[0])
    rest = [np.arange(w.size + o, c + o) for w, c, o in zip(whole, (n, m), (0, n), strict=True)]
    parts = [dealt[:split].ravel(), rest[0], dealt[split:].ravel(), rest[1]]
    return np.asarray(np.concatenate(parts), dtype=np.intp)
