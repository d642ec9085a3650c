"""Distributions that sit on rows: resampling, and sums of Gaussian kernels around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values, concatenate_rows

__all__ = ["log_kernel_sums", "resample", "squared_distances", "weighted_rows"]

CHUNK = 100_000
"""Distances that are held at a time."""

RESTART = 8
"""Squarings of a kernel before it is computed afresh; each doubles its relative error."""


def weighted_rows(groups: Sequence[Group], weights: Sequence[Weight]) -> tuple[Values, Floats]:
    """All rows (replicate, obs, …) of several groups, and their weights (replicate, obs)."""
    rows = concatenate_rows([part for group in groups for part in group.parts])
    replicates = next(iter(rows.values())).shape[0]
    by_row = [
        np.broadcast_to(weight, (replicates, group.count))
        for group, weight in zip(groups, weights, strict=True)
    ]
    return rows, np.concatenate(by_row, axis=1)


def resample(p: Floats, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows from distributions on n atoms, by inversion: one uniform number a row.

    Parameters
    ----------
    p : ndarray, shape (replicate, member, obs)
        Probabilities of the atoms; each distribution adds up to 1.
    rows : int
        Rows from each distribution.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (replicate, member · rows)
        Index of the atom of every row, the rows of a member side by side. An atom of probability 0
        is never drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.estimator.atoms import resample
    >>> resample(np.array([[[0.0, 1.0, 0.0]]]), 4, np.random.default_rng(0))
    array([[1, 1, 1, 1]])
    """
    replicates, members, atoms = p.shape
    edges = np.cumsum(p, axis=2)
    edges /= edges[..., -1:]
    # One search for all: distribution number i has its edges between i and i + 1.
    offset = np.arange(replicates * members)[:, None]
    wanted = (rng.random((replicates * members, rows)) + offset).ravel()
    place = np.searchsorted((edges.reshape(-1, atoms) + offset).ravel(), wanted, side="right")
    # A number that is rounded up to the last edge belongs to the last atom that can be drawn.
    last = atoms - 1 - np.argmax(p.reshape(-1, atoms)[:, ::-1] > 0, axis=1)
    index = np.minimum(place.reshape(-1, rows) - offset * atoms, last[:, None])
    return np.asarray(index.reshape(replicates, members * rows), dtype=np.int64)


def squared_distances(points: Floats, atoms: Floats) -> Floats:
    """Squared Euclidean distances of points (…, point, column) to atoms (…, atom, column)."""
    out = np.zeros((*points.shape[:-1], atoms.shape[-2]))
    for column in range(points.shape[-1]):
        difference = points[..., :, None, column] - atoms[..., None, :, column]
        difference *= difference
        out += difference
    return out


def log_kernel_sums(
    points: Floats | None,
    atoms: Floats,
    weights: Floats,
    largest: float,
    half: int,
    count: int,
) -> Floats:
    r"""Log of weighted sums of Gaussian kernels on a geometric grid of bandwidths.

    .. math:: \log \sum_j w_j \exp(-\|x_i - y_j\|^2 / (2 h^2))

    Parameters
    ----------
    points : ndarray, shape (replicate, point, column), or None
        Where to evaluate; None evaluates at every atom with that atom left out.
    atoms : ndarray, shape (replicate, atom, column)
        Centres of the kernels.
    weights : ndarray, shape (replicate, atom)
        Their weights, not negative; at least one must be positive (two where atoms are left out).
    largest : float
        Largest bandwidth.
    half : int
        Grid points from one bandwidth to its :math:`\sqrt{1/2}`.
    count : int
        Number of bandwidths.

    Returns
    -------
    ndarray, shape (count, replicate, point)
        From the largest bandwidth down; in nats.

    Notes
    -----
    The largest term of every sum is taken out first, so nothing under- or overflows. The kernel at
    :math:`h/\sqrt 2` is the square of the kernel at h, which saves most exponentials. Memory is
    bounded: some replicates and points at a time.
    """
    leave_out = points is None
    at = atoms if points is None else points
    out = np.empty((count, *at.shape[:2]))
    bandwidths = largest * 2.0 ** (-np.arange(count) / (2 * half))
    for r, i in _chunks(at.shape[0], at.shape[1], atoms.shape[1]):
        squares = squared_distances(at[r, i], atoms[r])
        squares[np.broadcast_to(weights[r, None] == 0, squares.shape)] = np.inf
        if leave_out:
            rows = np.arange(i.start, i.stop)
            squares[:, rows - i.start, rows] = np.inf
        nearest = squares.min(axis=2)
        squares -= nearest[..., None]
        _grid_sums(squares, nearest, weights[r], bandwidths, half, out[:, r, i])
    return out


def _grid_sums(
    squares: Floats, nearest: Floats, weights: Floats, bandwidths: Floats, half: int, out: Floats
) -> None:
    kernel = np.empty_like(squares)
    for first in range(min(half, len(bandwidths))):
        for step, g in enumerate(range(first, len(bandwidths), half)):
            precision = 0.5 / bandwidths[g] ** 2
            if step % RESTART:
                kernel *= kernel
            else:
                np.exp(np.multiply(squares, -precision, out=kernel), out=kernel)
            total = (kernel @ weights[..., None])[..., 0]
            out[g] = np.log(total) - precision * nearest


def _chunks(replicates: int, points: int, atoms: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of replicates, or of one replicate's points, with at most `CHUNK` distances each."""
    each = max(1, min(points, CHUNK // atoms))
    together = max(1, CHUNK // (points * atoms))
    for r in range(0, replicates, together):
        for i in range(0, points, each):
            yield slice(r, min(r + together, replicates)), slice(i, min(i + each, points))
