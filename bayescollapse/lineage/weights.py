"""Weights of a generation's rows, from the plan or a person's own function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.lineage.plan import Plan
from bayescollapse.rows import RowSchema, concatenate_rows
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.weighting import Weighting

__all__ = ["check_row_weights", "group_weights", "labelled_rows", "row_weights"]


def group_weights(plan: Plan, generation: int, groups: Sequence[Group]) -> list[Weight]:
    """Weights of groups under a weighting that knows real and synthetic rows only.

    A selection's weights, and weights by the age of a batch, are scaled to the share of their side.
    Where a selection leaves replicates with different numbers of rows, a pooled share and a total
    weight by rows or by Kish's rule follow each replicate's own numbers.
    """
    total, share = plan.total_weight[generation], plan.real_share[generation]
    if any(group.keep is not None for group in groups):
        return _selected_weights(plan, generation, groups)
    if not plan.by_age:
        return [_plain_weight(group, share, total) for group in groups]
    factors = [_age_factor(plan, generation, group) for group in groups]
    out: list[Weight] = []
    for group, factor in zip(groups, factors, strict=True):
        same = zip(groups, factors, strict=True)
        mass = sum(g.count * f for g, f in same if bool(g.real) == bool(group.real))
        out.append((share if group.real else 1 - share) * total * factor / mass if factor else 0.0)
    return out


def _plain_weight(group: Group, share: float, total: float) -> float:
    if isinstance(group.real, np.ndarray):
        return total / group.count
    return (share if group.real else 1 - share) * total / group.count


def _age_factor(plan: Plan, generation: int, group: Group) -> float:
    """Relative weight of a batch; a synthetic one is first used a generation after it was made."""
    if not plan.by_age or not group.generations:
        return 1.0
    return plan.by_age[generation - group.generations[0] - (0 if group.real else 1)]


def _selected_weights(plan: Plan, generation: int, groups: Sequence[Group]) -> list[Weight]:
    """Weights where rows have a selection's weights: one array per group, by replicate."""
    relative = []
    for group in groups:
        keep = np.ones((1, group.count)) if group.keep is None else group.keep
        keep = keep * ((keep > 0).sum(axis=1) / keep.sum(axis=1))[:, None]
        relative.append(keep * _age_factor(plan, generation, group))
    share, total = _by_replicate(plan, generation, groups, relative)
    out: list[Weight] = []
    for group, weights in zip(groups, relative, strict=True):
        mass = _side(groups, relative, bool(group.real))
        part = share if group.real else 1 - share
        out.append(np.asarray(weights * (part * total / mass)))
    return out


def _by_replicate(
    plan: Plan, generation: int, groups: Sequence[Group], relative: Sequence[Floats]
) -> tuple[Any, Any]:
    """Real share and total weight, shape (replicate or 1, 1), or one number for all."""
    weighting = plan.scheme.weighting
    assert isinstance(weighting, Weighting)
    share: Any = plan.real_share[generation]
    total: Any = plan.total_weight[generation]
    real, synthetic = _side(groups, relative, True), _side(groups, relative, False)
    if weighting.real_share == "pooled":
        share = real / (real + synthetic)
    if weighting.total_weight == "rows":
        total = sum((w > 0).sum(axis=1, keepdims=True) for w in relative)
    if weighting.total_weight == "kish":
        squares = [
            ((share if g.real else 1 - share) / _side(groups, relative, bool(g.real))) ** 2
            * (w**2).sum(axis=1, keepdims=True)
            for g, w in zip(groups, relative, strict=True)
        ]
        total = 1 / sum(squares)
    return share, total


def _side(groups: Sequence[Group], relative: Sequence[Floats], real: bool) -> Any:
    """Sum of the relative weights of real, or of synthetic, rows."""
    chosen = zip(groups, relative, strict=True)
    return sum(w.sum(axis=1, keepdims=True) for g, w in chosen if bool(g.real) == real)


def row_weights(
    schema: RowSchema, groups: Sequence[Group], context: Context, function: Any
) -> tuple[Group, Floats]:
    """All rows as one group, weighted by a person's own function."""
    rows = labelled_rows(schema, groups)
    shape = (rows.sizes["replicate"], rows.sizes["obs"])
    weights = check_row_weights("weighting", function(rows, context), shape)
    keep = [np.ones((1, g.count)) if g.keep is None else g.keep for g in groups]
    wide = [np.broadcast_to(k, (shape[0], k.shape[1])) for k in keep]
    weights = np.asarray(weights * np.concatenate(wide, axis=1), dtype=np.float64)
    _some_weight(weights)
    parts = tuple(part for group in groups for part in group.parts)
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


def check_row_weights(argument: str, weights: Any, shape: tuple[int, int]) -> NDArray[Any]:
    """Check the numbers, or truth values, of rows that a selection or weighting gave."""
    array = np.asarray(weights)
    if array.shape != shape:
        raise ValueError(
            f"{argument} must return one number per row, of shape (replicate, obs) = {shape}, got "
            f"{array.shape}"
        )
    if array.dtype == bool:
        return array
    array = array.astype(np.float64, copy=False)
    if not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(
            f"{argument} must return finite numbers that are not negative, got {array.min()}"
        )
    return array


def _some_weight(weights: Floats) -> None:
    if not weights.any(axis=1).all():
        raise ValueError(
            f"weighting gave no row of replicate {int((~weights.any(axis=1)).argmax())} a positive "
            "weight: keep at least one row"
        )
