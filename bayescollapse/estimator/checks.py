"""What a row model refuses, and the probe that finds models that look at their rows together.

A row can be weighted only if the likelihood is one term per row, no term depends on other rows, and
nothing but the likelihood reads the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor
from numpy.typing import NDArray
from pymc.model.fgraph import ModelFreeRV, ModelNamed, ModelObservedRV, ModelPotential
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.variable import TensorVariable

from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.estimator.rebuild import BAMBI_DIM, Draft, reads, row_constants

if TYPE_CHECKING:
    import pymc as pm

    from bayescollapse.estimator.graph import RowModel

__all__ = [
    "check_length",
    "check_structure",
    "check_terms",
    "probe",
    "refuse_joint",
    "refuse_latent",
    "refuse_local",
    "same_length",
    "shape_of",
    "suspects",
]

_POINTS = 2
_TOLERANCE = 1e-8


def refuse_local(model: pm.Model, local: tuple[str, ...]) -> None:
    """Refuse ``local=``, which needs a method that this version does not have."""
    free = [rv.name for rv in model.free_RVs]
    for name in local:
        if name not in free:
            raise ValueError(f"local names {name!r}, but the model's free variables are {free}: choose among these")
    if local:
        raise ValueError(
            f"local={list(local)}: local latent variables need method='advi', which this version does not "
            "have: integrate them out of the model, or give them a dimension of groups instead of rows"
        )


def refuse_latent(names: Iterable[str]) -> None:
    """Refuse free variables with one value per row."""
    if names := sorted(names):
        raise ValueError(
            f"free variables {names} have one value per row, so the weight of a row has no meaning for them: "
            "integrate them out of the model (for example pm.NegativeBinomial for a Poisson with Gamma rates), "
            "or give them a dimension of groups instead of rows; local= needs method='advi', which this "
            "version does not have"
        )


def refuse_joint(name: str, batch: int) -> None:
    """Refuse a likelihood that is one term for all rows."""
    if batch < 1:
        raise ValueError(
            f"the likelihood of {name!r} is one term for all rows, so its rows cannot be weighted: write a "
            "likelihood with one term per row (for a Gaussian process use pm.gp.HSGP instead of a marginal "
            "one; for a time series let a row be a whole series)"
        )


def same_length(values: Mapping[str, NDArray[Any]]) -> int:
    """Number of rows, refused where responses differ."""
    lengths = {name: len(value) for name, value in values.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"observed variables have different numbers of rows, {lengths}: name those that share rows in "
            f"observed=, for example observed={next(iter(lengths))!r}"
        )
    if not (count := next(iter(lengths.values()))):
        raise ValueError(f"observed variables {list(lengths)} have no rows: build the model with at least one")
    return count


def check_structure(made: Draft, count: int) -> None:
    """Refuse rows that are read by anything but the likelihood of their own row.

    Parameters
    ----------
    made : Draft
        The model with its rows found.
    count : int
        Number of rows.
    """
    observed, rows = made.named(ModelObservedRV), set(made.shared.values())
    for name in made.shared:
        if name in observed and made.shared[name] in reads(observed[name].owner.inputs[0], shapes=False):
            raise ValueError(
                f"the distribution of observed variable {name!r} is computed from its own values: a row must "
                "not read its response as a covariate; give it a pm.Data of its own"
            )
    for name, free in made.named(ModelFreeRV).items():
        if read := rows & reads(free, shapes=False):
            raise ValueError(
                f"the prior of {name!r} reads the rows of {sorted(s.name for s in read)}, so a row of weight 0 "
                "would still count: compute the prior's constants before the model"
            )
    for name, potential in made.named(ModelPotential).items():
        if reads(potential, shapes=False) & (rows | {observed[n] for n in observed if n in made.shared}):
            raise ValueError(
                f"pm.Potential {name!r} reads the rows, and a potential cannot be weighted row by row: write "
                "it as an observed variable, for example with pm.CustomDist"
            )


def suspects(made: Draft, count: int) -> list[str]:
    """What could tie the model to its present number of rows, in words.

    Parameters
    ----------
    made : Draft
        The model with its rows found.
    count : int
        Number of rows.
    """
    found = []
    if BAMBI_DIM in made.row_dims:
        found.append("a Bambi model may have common terms only: write group-specific terms and offsets in PyMC")
    for constant in row_constants(made, count):
        dims = ('"obs"', '"feature"', '"feature_2"')[: constant.ndim]
        found.append(
            f"a plain array of shape {constant.data.shape}: write x = pm.Data(\"x\", x, dims=({', '.join(dims)}"
            f"{',' if len(dims) == 1 else ''})) and use that x"
        )
    for name, data in made.named(ModelNamed).items():
        inner = data.owner.inputs[0]
        if isinstance(inner, SharedVariable) and name not in made.shared and inner.ndim:
            if inner.get_value(borrow=True).shape[0] == count:
                found.append(f"pm.Data {name!r} with dims {data.owner.op.dims}: put the row dimension first")
    for name, free in made.named(ModelFreeRV).items():
        if free.ndim and shape_of(free.owner.inputs[0])[0] == count:
            found.append(f"free variable {name!r}: one value per row cannot be weighted, integrate it out")
    return found


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

    Half of the rows are replaced by copies of a row of the other half, whose log-likelihood must stay
    as it was at two arbitrary points of the parameter space; then the halves swap.

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


def shape_of(variable: TensorVariable) -> tuple[int, ...]:
    """Shape of a variable, evaluated."""
    return tuple(int(n) for n in variable.shape.eval(mode=PYTHON)) if variable.ndim else ()


def _function(
    inputs: Mapping[str, TensorVariable],
    shared: Mapping[str, SharedVariable],
    extra: list[TensorVariable],
    outputs: Any,
) -> Callable[..., Any]:
    givens = {shared[name]: inputs[name] for name in inputs}
    return pytensor.function(
        [*extra, *inputs.values()], outputs, givens=givens, mode=PYTHON, on_unused_input="ignore"
    )


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
    rng, start = np.random.default_rng(0), model.initial_point(random_seed=0)
    return [
        {
            name: value + rng.uniform(-0.5, 0.5, value.shape) if value.dtype.kind == "f" else value
            for name, value in start.items()
        }
        for _ in range(_POINTS)
    ]


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
        "the log-likelihood of a row depends on the values of other rows, as in a model that standardises "
        "its data inside the graph: weight 0 would not remove a row; compute means and scales before the "
        "model, and pass them as constants"
    )


def _fixed_length(names: str, count: int, found: list[str]) -> str:
    reasons = "; ".join(found) or "an operation of the graph that fixes the number of rows"
    return (
        f"the likelihood of {names} works for {count} rows only, but rows must be exchangeable. "
        f"What ties it to that number: {reasons}"
    )
