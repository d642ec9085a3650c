"""Sliced Wasserstein distance: distances on the line, averaged over fixed directions."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescollapse._checks import integer
from bayescollapse.measures.divergence.sizes import joint_samples
from bayescollapse.measures.kernels import wasserstein_1d
from bayescollapse.measures.registry import REFERENCES, Measure

__all__ = ["MEASURES", "slice_directions", "sliced_wasserstein"]

Floats = NDArray[np.float64]


def slice_directions(parameters: int, *, frames: int | None = None, seed: int = 0) -> Floats:
    """Make unit directions in orthonormal frames, the same whenever they are asked for.

    Parameters
    ----------
    parameters : int
        Dimension, 1 or more.
    frames : int, optional
        Number of random frames; as many as give 50 directions, at least 1, if not given. On the
        line a single direction is all there is.
    seed : int, default 0
        Key of the directions.

    Returns
    -------
    ndarray, shape (direction, parameter)
        Rows of length 1; ``frames * parameters`` of them.

    Raises
    ------
    ValueError
        If a count is below 1.

    Notes
    -----
    Squared projections of a vector on a whole frame add up to its squared length, so that means
    over directions of squared shifts have no error.

    Examples
    --------
    >>> slice_directions(5).shape
    (50, 5)
    """
    size = integer("parameters", parameters)
    wanted = -(-50 // size) if frames is None else integer("frames", frames)
    return _directions(size, 1 if size == 1 else wanted, seed).copy()


def sliced_wasserstein(
    x: ArrayLike, y: ArrayLike, *, order: float = 2, directions: ArrayLike | None = None
) -> Floats:
    r"""Sliced Wasserstein distance between two samples.

    .. math:: SW_r = \left( \frac1L \sum_{l=1}^{L} W_r^r(u_l^\top X, u_l^\top Y) \right)^{1/r}

    Parameters
    ----------
    x, y : array_like, shape (…, draw, parameter)
        Draws, in any order and of any two numbers; leading axes broadcast.
    order : float, default 2
        Order r, 1 or more.
    directions : array_like, shape (direction, parameter), optional
        Unit vectors; those of :func:`slice_directions` if not given.

    Returns
    -------
    ndarray, shape (…)
        Distance in units of the parameters, 0 to infinity, at most the Wasserstein distance. A
        shift by a vector v is worth the mean of its shifts along the directions, which is
        ``|v| / sqrt(parameters)`` for order 2, and less for order 1. Symmetric; unchanged by
        translations only, so scale parameters that differ in units.

    Raises
    ------
    ValueError
        If shapes do not fit, a sample is empty, or `order` is below 1.

    Notes
    -----
    Exact for the empirical distributions and these directions. As an estimate it is biased upwards:
    two samples of n draws of one distribution are of order ``sd / sqrt(n)`` apart, whatever the
    number of parameters, and the permutation null says how far. With finitely many directions a
    distance of 0 does not prove equality.

    References
    ----------
    .. [1] Bonneel, Rabin, Peyre and Pfister (2015), doi:10.1007/s10851-014-0506-3.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1).normal(size=(100, 4))
    >>> round(float(sliced_wasserstein(x + [2.0, 0.0, 0.0, 0.0], x)), 6)
    1.0
    """
    first, second = joint_samples(x, y)
    size = first.shape[-1]
    units = slice_directions(size) if directions is None else np.asarray(directions, np.float64)
    if units.ndim != 2 or units.shape[1] != size:
        raise ValueError(
            f"directions must have shape (direction, {size}), one column per parameter, got "
            f"{units.shape}"
        )
    lines = [np.swapaxes(sample @ units.T, -1, -2) for sample in (first, second)]
    return np.asarray(_costs(lines[0], lines[1], order).mean(axis=-1) ** (1 / order))


def _costs(x: Floats, y: Floats, order: float) -> Floats:
    """Powers of distances on the line; with equal numbers of draws, ordered draws are paired."""
    if x.shape[-1] != y.shape[-1] or not order >= 1:
        return np.asarray(wasserstein_1d(x, y, order=order) ** order)
    gap = np.sort(x, axis=-1) - np.sort(y, axis=-1)
    return np.asarray((gap**2 if order == 2 else np.abs(gap) ** order).mean(axis=-1))


@lru_cache(maxsize=32)
def _directions(parameters: int, frames: int, seed: int) -> Floats:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(parameters,)))
    square, triangle = np.linalg.qr(rng.normal(size=(frames, parameters, parameters)))
    signs = np.sign(np.diagonal(triangle, axis1=-2, axis2=-1))
    return np.asarray((square * signs[:, None, :]).reshape(-1, parameters))


MEASURES = (
    Measure(
        name="sliced_wasserstein",
        question="posterior drift",
        meaning="sliced Wasserstein distance to the reference, of all parameters",
        units="sds of generation 0",
        lowest=0.0,
        highest=math.inf,
        symmetric=True,
        invariant="translation",
        needs=("draws",),
        references=REFERENCES,
        null=0.0,
        bias="upwards, of order sd / sqrt(draws): compare with its permutation null",
        source="Bonneel, Rabin, Peyre and Pfister (2015), doi:10.1007/s10851-014-0506-3",
    ),
)
"""What posterior drift measures of all parameters jointly, along directions."""
