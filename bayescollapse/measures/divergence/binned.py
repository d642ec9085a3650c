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
        Number of bins K; twice ``(2 * min(n, m))**0.4`` rounded if not given (22 for 200 draws or
        more of the one and 200 of the other). Equal draws share a bin: fewer of them with ties.
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
    Bias, as measured for Gaussians. Where the two are equal: 0.013 with 50 draws each, 0.003 with
    100, 0.0005 with 200 and 0.0001 from 500 on, and that of the smaller if their numbers differ.
    Where they differ: between -0.036 and 0.027 with 200 draws each and between -0.016 and 0.008
    with 4,000, downwards where one is narrower than a bin, since bins lose information. With 100
    draws against 4,000 it is down to -0.24: thin the larger sample where numbers are that unequal.
    No density is smoothed, so that a boundary such as 0 needs no care. Equal draws of one sample
    count as repeats of a sampler that stayed, but as draws of atoms, such as integers, if most of
    them occur in the other sample too (:func:`~.sizes.have_atoms`).

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
    count = _default_bins(2 * min(n, m)) if bins is None else integer("bins", bins, minimum=2)
    sizes = sizes_of(first[..., None], second[..., None], effective)
    repeats = (1 / sizes[0] + 1 / sizes[1]) / (1 / n + 1 / m)
    plain, corrected, used = _affinities(first, second, min(count, n + m))
    affinity = plain + (1 - 1 / used) * repeats * (corrected - plain)
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


def _affinities(x: Floats, y: Floats, bins: int) -> tuple[Floats, Floats, Floats]:
    """Sum of root products of shares in bins of equal pooled counts, corrected, and their number.

    Cells in which the samples share a value have bins that do not divide equal draws.
    """
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
    used = np.full(lead, float(bins))
    values = pooled.view(np.int64) >> 1
    ties = (values[..., 1:] == values[..., :-1]) & (from_x[..., 1:] != from_x[..., :-1])
    tied = ties.any(axis=-1)
    if tied.any():
        sums[:, tied], used[tied] = _tied_sums(values[tied], from_x[tied], starts)
    sums /= math.sqrt(n * m)
    return sums[0], sums[1], used


def _tied_sums(
    values: NDArray[np.int64], from_x: NDArray[np.int64], starts: NDArray[np.intp]
) -> tuple[Floats, NDArray[np.intp]]:
    """Add up over bins that begin where ordered values (cell, draw) change, and count those."""
    firsts = np.arange(len(values)) * values.shape[1]
    new = np.ones(values.shape, dtype=bool)
    new[:, 1:] = values[:, 1:] != values[:, :-1]
    edges = np.append(np.flatnonzero(new), values.size)
    begins = (firsts[:, None] + starts).ravel()
    after = np.searchsorted(edges, begins, side="right")
    low, high = edges[after - 1], edges[after]
    cuts = np.unique(np.where(begins - low <= high - begins, low, high))
    cuts = cuts[cuts < values.size]
    counts = np.add.reduceat(from_x.ravel(), cuts, dtype=np.float64)
    products = np.stack(_root_products(counts, np.diff(cuts, append=values.size)))
    places = np.searchsorted(cuts, firsts)
    return np.add.reduceat(products, places, axis=-1), np.diff(places, append=len(cuts))


def _marked(x: Floats, bit: int) -> Floats:
    """Write the sample into the last bit: one sort of numbers is far faster than one of places."""
    plain = np.ascontiguousarray(x + 0.0)  # which turns -0 into 0
    return np.asarray((plain.view(np.int64) & ~1 | bit).view(np.float64))


@lru_cache(maxsize=256)
def _roots(width: int) -> tuple[Floats, Floats]:
    """Root products for every count of x in a bin of some width."""
    return _root_products(np.arange(width + 1.0), np.full(width + 1, width))


def _root_products(counts: Floats, widths: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Root products of counts c and width - c, as they are and without bias of two orders."""
    plain = np.sqrt(counts * (widths - counts))
    wide = np.maximum(widths, 3)
    one, two = _mean_roots(counts, wide, 1), _mean_roots(counts, wide, 2)
    share = wide * plain - 2 * (wide - 1) ** 2 * one + (wide - 2) ** 2 * two
    return plain, np.where(widths < 3, plain, wide * share / 2)


def _mean_roots(counts: Floats, width: NDArray[np.intp], dropped: int) -> Floats:
    """Mean root product of shares after dropping one or two of the draws of a bin at random."""
    from scipy.special import comb

    others = width - counts
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
        meaning="squared Hellinger distance to the reference, from draws",
        units="1",
        lowest=0.0,
        highest=1.0,
        symmetric=True,
        invariant="increasing maps",
        needs=("draws",),
        references=KNOWING,
        null=0.0,
        bias="0.003 at equality with 100 draws, 0.0005 with 200; up to 0.05 downwards where one is "
        "much narrower; an estimate can fall below 0",
        source="Beran (1977), doi:10.1214/aos/1176343842",
    ),
)
"""What posterior drift measures of one parameter, from draws."""
