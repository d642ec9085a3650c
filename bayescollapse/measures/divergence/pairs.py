"""Sums of a function of the distance over all pairs of draws, in blocks that fit the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs", "pair_sums"]

Floats = NDArray[np.float64]

_ENTRIES = 1 << 18
"""Pairs held at a time: 2 MiB, which stays in a core's cache."""


_THREADS = 100_000
"""Size of a product from which on BLAS would share it between threads, which slows it tenfold."""


class Pairs(NamedTuple):
    """A function of squared distances.

    Parameters
    ----------
    function : callable
        From squared distances, which it may overwrite, and a scale to values.
    itself : float
        Value of a draw with itself.
    scale : ndarray, optional
        One number per cell, handed to `function`.
    """

    function: Callable[[Floats, Floats | None], Floats]
    itself: float
    scale: Floats | None = None


def pair_sums(pairs: Pairs, x: Floats, y: Floats, blocks: int) -> tuple[Floats, Floats, Floats]:
    """Sum over pairs between samples and within each, by blocks of neighbouring draws.

    Parameters
    ----------
    pairs : Pairs
        What is summed.
    x, y : ndarray, shape (…, draw, parameter)
        Samples; leading axes broadcast.
    blocks : int
        Blocks that the draws of either sample are split into, in order.

    Returns
    -------
    tuple of ndarray
        Sums between x and y, within x, and within y, each (…, block, block) with its own leading
        axes; those within a sample broadcast with a scale that has more.
    """
    from threadpoolctl import threadpool_limits

    if x.shape[-2] * y.shape[-2] * x.shape[-1] < _THREADS:
        return _all_sums(pairs, x, y, blocks)
    with threadpool_limits(1):
        return _all_sums(pairs, x, y, blocks)


def _all_sums(pairs: Pairs, x: Floats, y: Floats, blocks: int) -> tuple[Floats, Floats, Floats]:
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    centre = y.mean(axis=-2, keepdims=True)
    cross = _sums(pairs, x - centre, y - centre, lead, blocks)
    own = []
    for sample in (x, y):
        inner = sample - sample.mean(axis=-2, keepdims=True)
        scale = () if pairs.scale is None else pairs.scale.shape
        cells = np.broadcast_shapes(sample.shape[:-2], scale)
        own.append(_sums(pairs, inner, inner, cells, blocks))
    return cross, own[0], own[1]


def _sums(pairs: Pairs, x: Floats, y: Floats, lead: tuple[int, ...], blocks: int) -> Floats:
    n, m = x.shape[-2], y.shape[-2]
    first = np.broadcast_to(x, (*lead, *x.shape[-2:])).reshape(-1, *x.shape[-2:])
    second = np.broadcast_to(y, (*lead, *y.shape[-2:])).reshape(-1, *y.shape[-2:])
    scale = None if pairs.scale is None else np.broadcast_to(pairs.scale, lead).reshape(-1, 1, 1)
    out = np.zeros((len(first), blocks, blocks))
    starts = np.arange(blocks) * m // blocks
    cells = max(1, _ENTRIES // (n * m))
    for begin in range(0, len(first), cells):
        part = slice(begin, begin + cells)
        left, right = _augmented(first[part], second[part])
        for block, rows in _rows(n, blocks, max(1, _ENTRIES // m)):
            squared = left[:, rows] @ right
            np.maximum(squared, 0.0, out=squared)
            values = pairs.function(squared, None if scale is None else scale[part])
            out[part, block] += np.add.reduceat(values.sum(axis=-2), starts, axis=-1)
    return out.reshape(*lead, blocks, blocks)


def _augmented(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Factors whose product is the matrix of squared distances."""
    squares = [(s**2).sum(axis=-1, keepdims=True) for s in (x, y)]
    ones = [np.ones_like(s) for s in squares]
    left = np.concatenate([-2 * x, squares[0], ones[0]], axis=-1)
    right = np.concatenate([y, ones[1], squares[1]], axis=-1)
    return left, np.ascontiguousarray(np.swapaxes(right, -1, -2))


def _rows(draws: int, blocks: int, most: int) -> Iterator[tuple[int, slice]]:
    """Rows of every block, in runs of at most so many."""
    edges = np.arange(blocks + 1) * draws // blocks
    for block in range(blocks):
        for begin in range(edges[block], edges[block + 1], most):
            yield block, slice(begin, min(begin + most, edges[block + 1]))
