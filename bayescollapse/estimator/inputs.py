"""Checks of what a person gives an estimator: weights, seeds, covariates."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import ROW_DIM, RowSchema, Values

__all__ = ["checked_covariates", "checked_weights", "entropy", "training_rows"]


def checked_weights(weights: Any, n: int) -> Floats:
    """Check the weights of n rows; ones if None.

    Parameters
    ----------
    weights : array_like, shape (obs,), or None
        Finite and not negative, at least one of them positive.
    n : int
        Number of rows.

    Raises
    ------
    ValueError
        If the weights are anything else.
    """
    checked = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    if checked.shape != (n,):
        raise ValueError(f"weights must have shape ({n},), one per row, got {checked.shape}")
    bad = ~np.isfinite(checked) | (checked < 0)
    if bad.any():
        raise ValueError(
            f"weights must be finite and not negative, got {checked[bad][0]!r} at row "
            f"{int(bad.argmax())}: use 0 to remove a row"
        )
    if not checked.any():
        raise ValueError(
            "weights must be positive for at least one row, got all zeros: nothing is left to fit"
        )
    return checked


def checked_covariates(
    schema: RowSchema, covariates: xr.Dataset | None, m: int
) -> dict[str, NDArray[Any]]:
    """Covariates of m rows, shape (1, m, …); nothing where the schema has none.

    Raises
    ------
    ValueError
        If they are missing or do not have m rows.
    """
    names = [v.name for v in schema.covariates]
    if not names:
        return {}
    if covariates is None:
        raise ValueError(f"covariates must hold {names} for the {m} rows: the model reads them")
    if covariates.sizes.get(ROW_DIM) != m:
        raise ValueError(
            f"covariates must have m = {m} rows on 'obs', got sizes {dict(covariates.sizes)}"
        )
    only = RowSchema((), schema.covariates, (), schema.coords)
    return only.values(covariates, argument="covariates")


def entropy(seed: int | None) -> int:
    """Check a seed, or take a fresh one."""
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    return integer("seed", seed, minimum=0)


def training_rows(schema: RowSchema, posterior: xr.DataTree) -> tuple[Values, Floats]:
    """Rows (1, obs, …) and weights (obs,) that a tree was fitted to.

    Raises
    ------
    ValueError
        If the tree does not hold them.
    """
    groups = getattr(posterior, "children", {})
    missing = [name for name in ("observed_data", "constant_data") if name not in groups]
    if missing or "weights" not in posterior["constant_data"].data_vars:
        raise ValueError(
            "posterior must be a DataTree with the groups 'observed_data' and 'constant_data' "
            "(rows and their 'weights'), as fit or bc.cell returns: this emission reads the rows "
            "that the posterior was fitted to"
        )
    observed, constant = (
        groups[name].to_dataset(inherit=False) for name in ("observed_data", "constant_data")
    )
    rows = observed.assign({v.name: constant[v.name] for v in schema.covariates})
    weights = checked_weights(constant["weights"], constant.sizes[ROW_DIM])
    return schema.values(rows, argument="posterior"), weights
