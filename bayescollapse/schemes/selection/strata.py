"""Strata: rows with the same covariates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.schemes.selection.base import Strata

__all__ = ["common_rows", "distinct_rows"]


def common_rows(values: NDArray[Any]) -> NDArray[Any]:
    """View covariates as (replicate, obs, feature), or (1, obs, feature) if all share one design.

    Examples
    --------
    >>> import numpy as np
    >>> common_rows(np.broadcast_to(np.eye(2), (5, 2, 2))).shape
    (1, 2, 2)
    """
    x = values if values.ndim == 3 else values[..., None]
    # A design that was broadcast to the replicates is one array in memory.
    return x[:1] if x.strides[0] == 0 else x


def distinct_rows(values: NDArray[Any], what: str) -> Strata:
    """Find the distinct rows of covariates in every replicate, and number them.

    Parameters
    ----------
    values : ndarray, shape (replicate or 1, obs) or (replicate or 1, obs, feature)
        Covariates. Rows belong together where they are equal to the last bit.
    what : str
        How errors name them.

    Returns
    -------
    codes : ndarray of int, shape (replicate or 1, obs)
        Number of the stratum of every row; the same in any two calls that hold the same strata.
    count : int
        Number of strata.

    Raises
    ------
    ValueError
        If replicates differ in the number of distinct rows.

    Examples
    --------
    >>> import numpy as np
    >>> distinct_rows(np.array([[0.0, 2.0, 0.0, 1.0]]), "x")
    (array([[0, 2, 0, 1]]), 3)
    """
    x = common_rows(values)
    # Equal rows have equal sums to the last bit; different rows have different ones but for a
    # coincidence, as the factors are irrational. Adding column by column keeps the order of the
    # additions the same for every row, which a matrix product does not promise.
    key = np.zeros(x.shape[:2])
    for j in range(x.shape[2]):
        key += x[..., j] * np.sqrt(2.0 + 3.0 * j)
    order = np.argsort(key, axis=1, kind="stable")
    ordered = np.take_along_axis(key, order, axis=1)
    rank = np.zeros(key.shape, dtype=np.int64)
    np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1, out=rank[:, 1:])
    counts = rank[:, -1] + 1
    if (counts != counts[0]).any():
        raise ValueError(
            f"{what} must have as many distinct rows in every replicate, got between "
            f"{counts.min()} and {counts.max()} among {key.shape[1]}: use a design that repeats "
            "the same directions"
        )
    codes = np.empty_like(rank)
    np.put_along_axis(codes, order, rank, axis=1)
    return codes, int(counts[0])
