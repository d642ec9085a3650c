"""Weights of a generation's rows, from the plan or a person's own function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.estimator.engine import Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.lineage.plan import Plan
from bayescollapse.rows import RowSchema, concatenate_rows
from bayescollapse.schemes.context import Context

__all__ = ["check_row_weights", "group_weights", "labelled_rows", "row_weights"]


def group_weights(plan: Plan, generation: int, groups: Sequence[Group]) -> list[Weight]:
    """Weights of groups under a weighting that knows real and synthetic rows only.

    A selection's weights are scaled, in every replicate, to the synthetic rows' share.
    """
    total, share = plan.total_weight[generation], plan.real_share[generation]
    out: list[Weight] = []
    for group in groups:
        if isinstance(group.real, np.ndarray):
            weight = total / group.count
        else:
            weight = (share if group.real else 1 - share) * total / group.count
        out.append(weight if group.keep is None else _scaled(group, weight))
    return out


def row_weights(
    schema: RowSchema, groups: Sequence[Group], context: Context, function: Any
) -> tuple[Group, Floats]:
    """All rows as one group, weighted by a person's own function."""
    rows = labelled_rows(schema, groups)
    weights = check_row_weights("weighting", function(rows, context), rows)
    parts = tuple(part for group in groups for part in group.parts)
    shape = weights.shape
    real = np.concatenate([np.broadcast_to(g.real, (shape[0], g.count)) for g in groups], axis=1)
    mixed = np.concatenate(
        [np.broadcast_to(g.batch_index(), (shape[0], g.count)) for g in groups], axis=1
    )
    return Group(parts, None, shape[1], real, (), None, mixed), weights


def labelled_rows(schema: RowSchema, groups: Sequence[Group]) -> xr.Dataset:
    """Dataset (replicate, obs) of all rows, with coordinates ``real``, ``batch`` and ``origin``."""
    values = concatenate_rows([part for group in groups for part in group.parts])
    replicates = next(iter(values.values())).shape[0]
    real = np.concatenate([np.broadcast_to(g.real, (replicates, g.count)) for g in groups], axis=1)
    batch = np.concatenate(
        [np.broadcast_to(g.batch_index(), (replicates, g.count)) for g in groups], axis=1
    )
    origin = np.where(real, "real", "synthetic")
    return schema.dataset(values, real=real, batch=batch, origin=origin)


def check_row_weights(argument: str, weights: Any, rows: xr.Dataset) -> Floats:
    """Check what a person's function returned against the rows it was given."""
    array = np.asarray(weights, dtype=np.float64)
    expected = (rows.sizes["replicate"], rows.sizes["obs"])
    if array.shape != expected:
        raise ValueError(
            f"{argument} must return weights of shape (replicate, obs) = {expected}, got "
            f"{array.shape}"
        )
    if not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(
            f"{argument} must return finite weights that are not negative, got {array.min()}"
        )
    if not array.any(axis=1).all():
        raise ValueError(
            f"{argument} gave no row of replicate {int((~array.any(axis=1)).argmax())} a positive "
            "weight: keep at least one row"
        )
    return array


def _scaled(group: Group, weight: float) -> Floats:
    assert group.keep is not None
    return group.keep * (weight * group.count / group.keep.sum(axis=1, keepdims=True))
