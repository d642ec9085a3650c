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
    """Refuse free variables whose shape follows the number of rows, and local ones without it."""
    from bayescollapse.estimator.graph import row_variables

    free, shared = built.model.free_RVs, row_variables(built)
    inputs = {name: s.type(f"{name}_input") for name, s in shared.items()}
    shapes = _function(inputs, shared, [], [rv.shape for rv in free])
    before = shapes(*built.template.values())
    after = shapes(*_appended(built.template).values())
    count = len(next(iter(built.template.values())))
    lengths = {rv.name: (a, b) for rv, a, b in zip(free, before, after, strict=True)}
    for name in built.local:
        if [int(s[0]) if len(s) else None for s in lengths[name]] != [count, count + 1]:
            raise ValueError(
                f"local names {name!r}, whose first dimension does not count the rows: give it "
                "dims whose first name is that of the observed variable's first dimension"
            )
    refuse_latent(
        name
        for name, (a, b) in lengths.items()
        if name not in built.local and not np.array_equal(a, b)
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
    count = len(next(iter(built.template.values())))
    names = ", ".join(repr(v.name) for v in built.schema.responses)
    try:
        terms = _row_terms(built)
    except NotImplementedError as error:
        raise ValueError(
            f"the likelihood of {names} has no log density ({str(error).strip()}): give a "
            "pm.CustomDist its logp=, or write it with dist="
        ) from error
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


def _row_terms(built: RowModel) -> Callable[..., NDArray[np.float64]]:
    from bayescollapse.estimator.graph import row_variables, rowwise_logp
    from bayescollapse.estimator.local import local_logp

    shared = row_variables(built)
    inputs = {name: s.type(f"{name}_input") for name, s in shared.items()}
    points = _points(built.model)
    free = [value for value in built.model.value_vars if value.name in points[0]]
    by_row = {built.model.rvs_to_values[built.model[name]] for name in built.local}
    total = rowwise_logp(built)
    if built.local:
        total = total + local_logp(built, built.model)
    function = _function(inputs, shared, free, total)

    def terms(
        values: Mapping[str, NDArray[Any]], order: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64]:
        rows = [np.asarray(values[name], dtype=s.dtype) for name, s in shared.items()]
        index = np.arange(len(rows[0])) if order is None else order
        at = [
            [_of_rows(p[v.name], index) if v in by_row else p[v.name] for v in free] for p in points
        ]
        return np.stack([function(*point, *rows) for point in at])

    return terms


def _of_rows(value: NDArray[Any], index: NDArray[np.int64]) -> NDArray[Any]:
    # Local variables go with their rows, however many there are.
    return np.resize(value, (len(index), *value.shape[1:]))[index]


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
    """Find the starting point of a sampler, by value variable, on the unconstrained scale.

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
    terms: Callable[..., NDArray[np.float64]],
    values: Mapping[str, NDArray[Any]],
) -> None:
    count = len(next(iter(values.values())))
    before, half = terms(values), np.arange(count) < count // 2
    for kept in (half, ~half) if count > 1 else ():
        # Other rows become copies of a kept one: what looks at means, extremes, neighbours shows.
        rows = np.where(kept, np.arange(count), np.flatnonzero(kept)[0])
        after = terms({name: value[rows] for name, value in values.items()}, rows)
        if not np.allclose(
            before[:, kept], after[:, kept], rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True
        ):
            _refuse_dependent()
    # In another order, rows keep their terms: what looks rows up by their number shows.
    order = np.roll(np.arange(count), 1)
    after = terms({name: value[order] for name, value in values.items()}, order)
    if not np.allclose(before[:, order], after, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True):
        _refuse_dependent()


def _refuse_dependent() -> None:
    raise ValueError(
        "the log-likelihood of a row depends on the values of other rows, as in a model that "
        "standardises its data inside the graph, or that reads data which are as long as the rows "
        "without being rows: weight 0 would not remove a row; compute means and scales before the "
        "model, pass them as constants, and give a pm.Data that holds no rows dims of its own"
    )


def _fixed_length(names: str, count: int, found: list[str]) -> str:
    reasons = "; ".join(found) or "an operation of the graph that fixes the number of rows"
    return (
        f"the likelihood of {names} works for {count} rows only, but rows must be exchangeable. "
        f"What ties it to that number: {reasons}"
    )
