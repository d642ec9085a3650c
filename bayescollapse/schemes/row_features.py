"""Features of rows for a classifier: one table of standardised columns per lineage."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import ROW_DIM

__all__ = ["polynomials", "row_features"]


def row_features(rows: xr.Dataset, levels: int) -> Floats:
    """Table of all responses and covariates.

    Parameters
    ----------
    rows : Dataset
        Rows (replicate, obs).
    levels : int
        Discrete variables with at most this many distinct values in the block are coded by one
        indicator per value; a constant one is left out, and of two values one indicator is enough.

    Returns
    -------
    ndarray, shape (replicate, obs, feature)
        Columns with mean 0 and sd 1 in every replicate; 0 where a column is constant there.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> rows = xr.Dataset({"y": (("replicate", "obs"), np.array([[0, 2, 1, 1]]))})
    >>> row_features(rows, levels=20).shape
    (1, 4, 3)
    """
    shape = (rows.sizes.get("replicate", 1), rows.sizes[ROW_DIM])
    columns = []
    for variable in rows.data_vars.values():
        values = variable.to_numpy()
        lead = values if "replicate" in variable.dims else values[None]
        flat = np.broadcast_to(lead, (shape[0], *lead.shape[1:])).reshape(*shape, -1)
        columns += [_coded(flat[..., j], levels) for j in range(flat.shape[-1])]
    return _standardised(np.concatenate(columns, axis=-1))


def polynomials(features: Floats, degree: int) -> Floats:
    """All products of up to `degree` features, standardised.

    Parameters
    ----------
    features : ndarray, shape (replicate, obs, feature)
        Standardised features.
    degree : int
        Highest degree, 1 or more.

    Returns
    -------
    ndarray, shape (replicate, obs, product)

    Examples
    --------
    >>> import numpy as np
    >>> polynomials(np.random.default_rng(1).normal(size=(1, 9, 2)), 2).shape
    (1, 9, 5)
    """
    if degree == 1:
        return features
    index = [
        combination
        for order in range(1, degree + 1)
        for combination in combinations_with_replacement(range(features.shape[-1]), order)
    ]
    products = [features[..., list(combination)].prod(axis=-1) for combination in index]
    return _standardised(np.stack(products, axis=-1))


def _coded(values: NDArray[np.generic], levels: int) -> Floats:
    """One column of numbers, or indicators, shape (replicate, obs, column)."""
    if values.dtype.kind in "iub":
        distinct = np.unique(values)
        if len(distinct) <= levels:
            kept = distinct[1:] if len(distinct) <= 2 else distinct
            return np.asarray(values[..., None] == kept, dtype=np.float64)
    return np.asarray(values[..., None], dtype=np.float64)


def _standardised(columns: Floats) -> Floats:
    centred = columns - columns.mean(axis=1, keepdims=True)
    sd = centred.std(axis=1, keepdims=True)
    # A constant column centres to rounding error, which must not be blown up.
    flat = sd <= 1e-12 * (1.0 + np.abs(columns).max(axis=1, keepdims=True, initial=0.0))
    standardised: Floats = np.where(flat, 0.0, centred / np.where(flat, 1.0, sd))
    return standardised
