"""Hellinger distance between two samples on the line, through bins of equal pooled counts."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescollapse._checks import integer
from bayescollapse.measures.divergence.sizes import Effective, joint_samples, sizes_of
from bayescollapse.measures.registry import KNOWING, Measure

__all__ = ["MEASURES", "hellinger", "squared_hellinger"]

Floats = NDArray[np.float64]


def squared_hellinger(
    x: ArrayLike, y: ArrayLike, *, bins: int | None = None, effective: Effective | None = None
) -> Floats:
    r"""Squared Hellinger distance between two samples on the line, corrected for its bias.

    .. math:: H^2 = 1 - \sum_{k=1}^{K} \sqrt{\hat p_k \hat q_k}

    with :math:`\hat p_k, \hat q_k` the shares of the two samples in K bins that hold the same
    number of pooled draws each. Within a bin, the draws of x are a binomial share of the pooled
    ones, and the root is corrected for its bias by a second-order jackknife in closed form [2]_.

    Parameters
    ----------
    x, y : array_like, shape (…, draw)
        Draws, in any order and of any two numbers; leading axes broadcast.
    bins : int, optional
        Number of bins K; twice ``(n + m)**0.4`` rounded if not given (22 for 200 and 200 draws).
    effective : tuple of float, optional
        Effective sizes of the two samples; from repeated draws if not given.

    Returns
    -------
    ndarray, shape (…)
        Squared distance. The population's is 0 to 1; an estimate can fall below 0, by chance, when
        the two are alike. Symmetric. Unchanged by increasing maps, whatever their shape, since it
        only uses ranks.

    Raises
    ------
    ValueError
        If a sample is empty, or `bins` is below 2.

    Notes
    -----
    Bias: below 0.001 where the distributions are equal (0.004 with 100 draws each). Where they
    differ, what is left was between -0.025 and 0.01 for pairs of Gaussians and 200 draws each, and
    within 0.002 for 4,000: downwards where one is narrower than a bin, since bins lose information.
    No density is smoothed, so that a boundary such as 0 needs no care.

    References
    ----------
    .. [1] Beran (1977), Minimum Hellinger distance estimates, doi:10.1214/aos/1176343842.
    .. [2] Schucany, Gray and Owen (1971), On bias reduction in estimation, Journal of the American
       Statistical Association 66, 524-533.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1).normal(size=(2, 4000))
    >>> abs(float(squared_hellinger(x[0], x[1]))) < 0.01
    True
    >>> float(squared_hellinger(x[0], x[1] + 100))
    1.0
    """
    first, second = _line_samples(x, y)
    n, m = first.shape[-1], second.shape[-1]
    count = _default_bins(n + m) if bins is None else integer("bins", bins, minimum=2)
    sizes = sizes_of(first[..., None], second[..., None], effective)
    repeats = (1 / sizes[0] + 1 / sizes[1]) / (1 / n + 1 / m)
    plain, corrected = _affinities(first, second, min(count, n + m))
    affinity = plain + (1 - 1 / min(count, n + m)) * repeats * (corrected - plain)
    known = np.isfinite(first).all(axis=-1) & np.isfinite(second).all(axis=-1)
    return np.where(known, 1 - affinity, np.nan)


def hellinger(
    x: ArrayLike, y: ArrayLike, *, bins: int | None = None, effective: Effective | None = None
) -> Floats:
    """Hellinger distance between two samples on the line.

    The root of :func:`squared_hellinger`, 0 where that is negative.

    Parameters
    ----------
    x, y : array_like, shape (…, draw)
        Draws, in any order and of any two numbers; leading axes broadcast.
    bins : int, optional
        Number of bins, as in :func:`squared_hellinger`.
    effective : tuple of float, optional
        Effective sizes of the two samples; from repeated draws if not given.

    Returns
    -------
    ndarray, shape (…)
        Distance, 0 to 1. Symmetric, unchanged by increasing maps.

    Raises
    ------
    ValueError
        If a sample is empty, or `bins` is below 2.

    Notes
    -----
    Biased upwards near 0, because it cannot be negative: average squared distances over replicates,
    and take the root of the mean.

    Examples
    --------
    >>> float(hellinger([0.0, 1.0, 2.0], [5.0, 6.0, 7.0]))
    1.0
    """
    squared = squared_hellinger(x, y, bins=bins, effective=effective)
    return np.sqrt(np.maximum(squared, 0.0))


def _affinities(x: Floats, y: Floats, bins: int) -> tuple[Floats, Floats]:
    """Sum of root products of shares in bins of equal pooled counts: as it is, and corrected."""
    n, m = x.shape[-1], y.shape[-1]
    lead = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    marked = [np.broadcast_to(_marked(a, bit), (*lead, a.shape[-1])) for a, bit in ((x, 1), (y, 0))]
    pooled = np.sort(np.concatenate(marked, axis=-1), axis=-1)
    from_x = pooled.view(np.int64) & 1
    starts = -(-np.arange(bins) * (n + m) // bins)
    widths = np.diff(starts, append=n + m)
    counts = np.add.reduceat(from_x, starts, axis=-1, dtype=np.intp)
    sums = np.zeros((2, *lead))
    for width in np.unique(widths):
        inside = counts[..., widths == width]
        sums += [table[inside].sum(axis=-1) for table in _roots(int(width))]
    sums /= math.sqrt(n * m)
    return sums[0], sums[1]


def _marked(x: Floats, bit: int) -> Floats:
    """Write the sample into the last bit: one sort of numbers is far faster than one of places."""
    return np.asarray((np.ascontiguousarray(x).view(np.int64) & ~1 | bit).view(np.float64))


@lru_cache(maxsize=256)
def _roots(width: int) -> tuple[Floats, Floats]:
    """Root products of counts c and width - c, as they are and without bias of two orders."""
    counts = np.arange(width + 1.0)
    plain = np.sqrt(counts * (width - counts))
    if width < 3:
        return plain, plain
    others = width - counts
    one, two = _mean_roots(counts, others, 1), _mean_roots(counts, others, 2)
    share = width**2 * plain / width - 2 * (width - 1) ** 2 * one + (width - 2) ** 2 * two
    return plain, width * share / 2


def _mean_roots(counts: Floats, others: Floats, dropped: int) -> Floats:
    """Mean root product of shares after dropping one or two of the draws of a bin at random."""
    from scipy.special import comb

    width = counts[-1]
    total = np.zeros_like(counts)
    for gone in range(dropped + 1):
        ways = comb(counts, gone) * comb(others, dropped - gone) / comb(width, dropped)
        left = np.maximum(counts - gone, 0) * np.maximum(others - dropped + gone, 0)
        total += ways * np.sqrt(left) / (width - dropped)
    return total


def _default_bins(draws: int) -> int:
    return 2 * max(1, round(math.pow(draws, 0.4)))


def _line_samples(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    arrays = [np.asarray(a, dtype=np.float64) for a in (x, y)]
    if min(a.ndim for a in arrays) < 1:
        raise ValueError("x and y must have shape (…, draw), got a single number")
    first, second = joint_samples(arrays[0][..., None], arrays[1][..., None])
    return first[..., 0], second[..., 0]


MEASURES = (
    Measure(
        name="squared_hellinger",
        question="posterior drift",
        units="1",
        lowest=0.0,
        highest=1.0,
        symmetric=True,
        invariant="increasing maps",
        needs=("draws",),
        references=KNOWING,
        null=0.0,
        bias="about 0; downwards where one is much narrower; an estimate can fall below 0",
        source="Beran (1977), doi:10.1214/aos/1176343842",
    ),
)
"""What posterior drift measures of one parameter, from draws."""
