"""Effective numbers of draws: repeated draws and related draws count for less."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Effective",
    "autocorrelated_size",
    "distinct_size",
    "have_atoms",
    "joint_samples",
    "sizes_of",
]

Floats = NDArray[np.float64]

Effective = tuple[float, float]
"""Effective numbers of draws of two samples; infinity for a sample that is the whole population."""


def distinct_size(x: ArrayLike) -> Floats:
    r"""Effective number of draws of a sample in which some draws are repeated.

    .. math:: \frac{n^2}{\sum_i c_i^2}

    with :math:`c_i` the number of times that the i-th distinct draw occurs: Kish's size, the number
    of draws if none is repeated.

    Parameters
    ----------
    x : array_like, shape (…, draw, parameter)
        Draws; two are the same if they agree in all parameters.

    Returns
    -------
    ndarray, shape (…)
        In draws, 1 to the number of draws.

    Notes
    -----
    A mean over pairs of draws is unbiased if it leaves out the pairs of a draw with itself. With
    repeats those are the share ``1 / distinct_size`` of all pairs, so that correcting with this
    size leaves out exactly the pairs of equal draws. Posteriors with atoms, whose draws are equal
    for a reason, are not what this is for: see :func:`have_atoms`.

    References
    ----------
    .. [1] Kish (1965), Survey Sampling, section 11.7.

    Examples
    --------
    >>> distinct_size([[1.0], [2.0], [2.0], [3.0]]).round(3).tolist()
    2.667
    """
    draws = np.asarray(x, dtype=np.float64)
    count = draws.shape[-2]
    ordered = np.sort(_fingerprint(draws, draws[..., :1, :]), axis=-1)
    repeated = ordered[..., 1:] == ordered[..., :-1]
    if not repeated.any():
        return np.full(draws.shape[:-2], float(count))
    place = np.broadcast_to(np.arange(count), ordered.shape)
    begins = np.concatenate([np.ones_like(repeated[..., :1]), ~repeated], axis=-1)
    begin = np.maximum.accumulate(np.where(begins, place, 0), axis=-1)
    return np.asarray(count**2 / (2 * (place - begin) + 1).sum(axis=-1))


def have_atoms(x: ArrayLike, y: ArrayLike) -> NDArray[np.bool_]:
    """Whether draws are equal because distributions have atoms, not because a sampler stayed.

    A sampler that stays where it is repeats a draw that no other sample has; draws of an atom, such
    as a value of an integer, occur in both. Two samples have atoms if at least half of the draws of
    either that have an equal in it also have one in the other.

    Parameters
    ----------
    x, y : array_like, shape (…, draw, parameter)
        Samples; leading axes broadcast.

    Returns
    -------
    ndarray of bool, shape (…)
        False where no draw is equal to another.

    Notes
    -----
    Atoms of two distributions that share none are not recognised.

    Examples
    --------
    >>> bool(have_atoms([[1.0], [1.0], [2.0]], [[1.0], [3.0], [3.0]]))
    True
    >>> bool(have_atoms([[1.0], [1.0], [2.0]], [[4.0], [3.0], [3.0]]))
    False
    """
    first, second = joint_samples(x, y)
    origin = second[..., :1, :]
    pooled = _joined(_fingerprint(first, origin), _fingerprint(second, origin))
    order = np.argsort(pooled, axis=-1)
    from_x = order < first.shape[-2]
    in_x, in_y = _tallies(np.take_along_axis(pooled, order, axis=-1), from_x)
    found = np.zeros(pooled.shape[:-1], dtype=bool)
    for side, own, other in ((from_x, in_x, in_y), (~from_x, in_y, in_x)):
        repeated = side & (own > 1)
        shared = repeated & (other > 0)
        found |= repeated.any(axis=-1) & (2 * shared.sum(axis=-1) >= repeated.sum(axis=-1))
    return found


def autocorrelated_size(draws: ArrayLike) -> float:
    """Effective number of draws of a sample from chains, at most the number of draws.

    Parameters
    ----------
    draws : array_like, shape (chain, draw, parameter)
        At least four draws a chain.

    Returns
    -------
    float
        Smallest bulk effective size of the parameters [1]_, in draws. What it corrects exactly is
        the error of means; for other averages over draws it is a first approximation.

    Raises
    ------
    ValueError
        If there are fewer than four draws a chain.

    References
    ----------
    .. [1] Vehtari et al. (2021), doi:10.1214/20-BA1221.

    Examples
    --------
    >>> import numpy as np
    >>> steps = np.random.default_rng(1).normal(size=(2, 500, 1)).cumsum(axis=1)
    >>> autocorrelated_size(steps) < 50
    True
    """
    from bayescollapse.estimator.diagnostics import ess_bulk

    values = np.asarray(draws, dtype=np.float64)
    size = ess_bulk(values)
    return float(min(size.min(), values.shape[0] * values.shape[1]))


def joint_samples(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Check two samples of the same parameters, each (…, draw, parameter)."""
    first, second = (np.asarray(a, dtype=np.float64) for a in (x, y))
    if min(first.ndim, second.ndim) < 2 or first.shape[-1] != second.shape[-1]:
        raise ValueError(
            f"x and y must have shapes (…, draw, parameter) with the same parameters, got "
            f"{first.shape} and {second.shape}: a single parameter needs a last axis of length 1"
        )
    if not (first.shape[-2] and second.shape[-2] and first.shape[-1]):
        raise ValueError(
            f"x and y must hold draws of at least one parameter, got shapes {first.shape} and "
            f"{second.shape}"
        )
    return first, second


def sizes_of(x: Floats, y: Floats, effective: Effective | None) -> tuple[Floats, Floats]:
    """Effective sizes as given, or from repeats; all draws of samples that have atoms count."""
    if effective is None:
        counts = x.shape[-2], y.shape[-2]
        sizes = distinct_size(x), distinct_size(y)
        if all((size == count).all() for size, count in zip(sizes, counts, strict=True)):
            return sizes
        atoms = have_atoms(x, y)
        return np.where(atoms, counts[0], sizes[0]), np.where(atoms, counts[1], sizes[1])
    for name, size in zip(("x", "y"), effective, strict=True):
        if not size >= 1:
            raise ValueError(f"effective must hold two sizes of 1 or more, got {size!r} for {name}")
    given = [np.full(a.shape[:-2], float(s)) for a, s in zip((x, y), effective, strict=True)]
    return given[0], given[1]


def _joined(x: Floats, y: Floats) -> Floats:
    """Numbers of two samples side by side, with common leading axes."""
    lead = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    return np.concatenate([np.broadcast_to(a, (*lead, a.shape[-1])) for a in (x, y)], axis=-1)


def _tallies(
    ordered: Floats, from_x: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """How often every one of some ordered numbers occurs in either sample."""
    count = ordered.shape[-1]
    place = np.broadcast_to(np.arange(count), ordered.shape)
    edge = np.ones((*ordered.shape[:-1], 1), dtype=bool)
    new = ordered[..., 1:] != ordered[..., :-1]
    begin = np.where(np.concatenate([edge, new], axis=-1), place, 0)
    begin = np.maximum.accumulate(begin, axis=-1)
    end = np.where(np.concatenate([new, edge], axis=-1), place + 1, count)
    end = np.minimum.accumulate(end[..., ::-1], axis=-1)[..., ::-1]
    before = np.concatenate([~edge, from_x], axis=-1).cumsum(axis=-1)
    inside = [np.take_along_axis(before, at, axis=-1) for at in (begin, end)]
    return inside[1] - inside[0], end - begin - inside[1] + inside[0]


def _fingerprint(draws: Floats, origin: Floats) -> Floats:
    """One number per draw, added up in one order so that equal draws have equal numbers."""
    weights = np.random.default_rng(0).normal(size=(draws.shape[-1],))
    moved = draws - origin
    total = moved[..., 0] * weights[0]
    for place in range(1, draws.shape[-1]):
        total = total + moved[..., place] * weights[place]
    return np.asarray(total)
