"""Trying a row model out: other numbers of rows, and rows that must not see each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor
from numpy.typing import NDArray
from pymc.initial_point import make_initial_point_expression
from pymc.pytensorf import find_rng_nodes
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.random.type import random_generator_type
from pytensor.tensor.variable import TensorVariable

from bayescollapse.estimator.checks import refuse_joint, refuse_latent
from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.estimator.rebuild import rebuild

if TYPE_CHECKING:
    import pymc as pm

    from bayescollapse.estimator.graph import RowModel

__all__ = ["check_length", "check_terms", "impossible_rows", "probe", "start_point"]

_POINTS = 2
_TOLERANCE = 1e-8


def check_length(built: RowModel) -> None:
    """Refuse free variables whose shape follows the number of rows."""
    from bayescollapse.estimator.graph import row_variables

    free, shared = built.model.free_RVs, row_variables(built)
    inputs = {name: s.type(f"{name}_input") for name, s in shared.items()}
    shapes = _function(inputs, shared, [], [rv.shape for rv in free])
    before = shapes(*built.template.values())
    after = shapes(*_appended(built.template).values())
    refuse_latent(
        rv.name for rv, a, b in zip(free, before, after, strict=True) if not np.array_equal(a, b)
    )


def check_terms(built: RowModel, found: list[str]) -> None:
    """Refuse a likelihood that is not one term per row, or cannot take another number of rows.

    Parameters
    ----------
    built : RowModel
        The rebuilt model.
    found : list of str
        What could tie it to its present number of rows.
    """
    terms = _row_terms(built)
    count = len(next(iter(built.template.values())))
    names = ", ".join(repr(v.name) for v in built.schema.responses)
    if terms(built.template).shape[-1] != count:
        refuse_joint(names, 0)
    try:
        longer = terms(_appended(built.template)).shape[-1]
    except Exception as error:
        # Any operation of the graph may be the one that cannot; each raises in its own way.
        raise ValueError(_fixed_length(names, count, found)) from error
    if longer != count + 1:
        raise ValueError(_fixed_length(names, count, found))
    _compare(terms, built.template)


def probe(built: RowModel, values: Mapping[str, NDArray[Any]]) -> None:
    """Refuse a model that standardises its data inside the graph.

    Half of the rows are replaced by copies of a row of the other half, whose log-likelihood must
    stay as it was at two arbitrary points of the parameter space; then the halves swap.

    Parameters
    ----------
    built : RowModel
        The row model.
    values : mapping of str to ndarray, shape (obs, …)
        Rows to try it with.

    Raises
    ------
    ValueError
        If the log-likelihood of a row depends on another row.
    """
    _compare(_row_terms(built), values)


def impossible_rows(built: RowModel, values: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Rows without a finite log-likelihood near the starting point of a sampler.

    Parameters
    ----------
    built : RowModel
        The row model.
    values : mapping of str to ndarray, shape (obs, …)
        Rows.
    """
    return np.flatnonzero(~np.isfinite(_row_terms(built)(values)).any(axis=0))


def _function(
    inputs: Mapping[str, TensorVariable],
    shared: Mapping[str, SharedVariable],
    extra: list[TensorVariable],
    outputs: Any,
) -> Callable[..., Any]:
    givens = {shared[name]: inputs[name] for name in inputs}
    function: Callable[..., Any] = pytensor.function(
        [*extra, *inputs.values()], outputs, givens=givens, mode=PYTHON, on_unused_input="ignore"
    )
    return function


def _row_terms(built: RowModel) -> Callable[[Mapping[str, NDArray[Any]]], NDArray[np.float64]]:
    from bayescollapse.estimator.graph import row_variables, rowwise_logp

    shared = row_variables(built)
    inputs = {name: s.type(f"{name}_input") for name, s in shared.items()}
    points = _points(built.model)
    free = [value for value in built.model.value_vars if value.name in points[0]]
    function = _function(inputs, shared, free, rowwise_logp(built))

    def terms(values: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        rows = [np.asarray(values[name], dtype=s.dtype) for name, s in shared.items()]
        return np.stack([function(*(p[v.name] for v in free), *rows) for p in points])

    return terms


def _points(model: pm.Model) -> list[dict[str, NDArray[Any]]]:
    # At the initial point regression coefficients are zero, and covariates would not show.
    rng, start = np.random.default_rng(0), start_point(model)
    return [
        {
            name: value + rng.uniform(-0.5, 0.5, value.shape) if value.dtype.kind == "f" else value
            for name, value in start.items()
        }
        for _ in range(_POINTS)
    ]


def start_point(model: pm.Model) -> dict[str, NDArray[Any]]:
    """Starting point of a sampler, by value variable, on the unconstrained scale.

    Parameters
    ----------
    model : Model
        Any model; random initial values are drawn from fixed generators.

    Returns
    -------
    dict of str to ndarray
    """
    # model.initial_point is compiled with the C linker, which takes seconds where it is not cached.
    expressions = make_initial_point_expression(
        free_rvs=model.free_RVs,
        rvs_to_transforms=model.rvs_to_transforms,
        initval_strategies=model.rvs_to_initial_values,
        return_transformed=True,
    )
    rngs = find_rng_nodes(expressions)
    inputs = [random_generator_type() for _ in rngs]
    replaced = rebuild(expressions, dict(zip(rngs, inputs, strict=True)))
    function = pytensor.function(inputs, replaced, mode=PYTHON, on_unused_input="ignore")
    start = function(*(np.random.default_rng(i) for i in range(len(rngs))))
    return {model.rvs_to_values[rv].name: v for rv, v in zip(model.free_RVs, start, strict=True)}


def _appended(values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([value, value[:1]]) for name, value in values.items()}


def _compare(
    terms: Callable[[Mapping[str, NDArray[Any]]], NDArray[np.float64]],
    values: Mapping[str, NDArray[Any]],
) -> None:
    count = len(next(iter(values.values())))
    before, half = terms(values), np.arange(count) < count // 2
    for kept in (half, ~half) if count > 1 else ():
        # Other rows become copies of a kept one: what looks at means, extremes, neighbours shows.
        rows = np.where(kept, np.arange(count), np.flatnonzero(kept)[0])
        after = terms({name: value[rows] for name, value in values.items()})
        if not np.allclose(
            before[:, kept], after[:, kept], rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True
        ):
            _refuse_dependent()


def _refuse_dependent() -> None:
    raise ValueError(
        "the log-likelihood of a row depends on the values of other rows, as in a model that "
        "standardises its data inside the graph: weight 0 would not remove a row; compute means "
        "and scales before the model, and pass them as constants"
    )


def _fixed_length(names: str, count: int, found: list[str]) -> str:
    reasons = "; ".join(found) or "an operation of the graph that fixes the number of rows"
    return (
        f"the likelihood of {names} works for {count} rows only, but rows must be exchangeable. "
        f"What ties it to that number: {reasons}"
    )
