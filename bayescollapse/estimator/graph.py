"""Row models: a PyMC model whose rows can be exchanged.

:func:`row_model` finds the observed variables and the row-wise covariates of any PyMC model,
rebuilds the model so that its rows can be exchanged after compilation, and refuses what cannot be
weighted row by row. The person's model stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
from numpy.typing import NDArray
from pymc.model.fgraph import ModelFreeRV, ModelNamed, ModelObservedRV
from pymc.variational.minibatch_rv import MinibatchRandomVariable
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorVariable

from bayescollapse.estimator import checks
from bayescollapse.estimator.exchange import follow_responses, thaw
from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.estimator.probe import check_length, check_terms, probe
from bayescollapse.estimator.rebuild import Draft, draft, finish, reads
from bayescollapse.estimator.support import refuse_reserved, refuse_rough, refuse_unusable
from bayescollapse.rows import RowSchema, Variable

__all__ = ["RowModel", "probe", "row_model", "row_variables", "rowwise_logp"]


@dataclass(frozen=True)
class RowModel:
    """A PyMC model with exchangeable rows, not weighted.

    Parameters
    ----------
    model : Model
        The rebuilt model. Every response is observed in a shared variable and its size follows that
        variable; every row-wise covariate is ``pm.Data``.
    schema : RowSchema
        Responses, row-wise covariates and free variables.
    row_dims : tuple of str
        The model's own names of the row dimension; empty where it is not named.
    shared : mapping of str to str
        Response or covariate to the name of the shared variable that holds it. A model graph that
        does not read a variable has no such shared variable.
    template : mapping of str to ndarray, shape (obs, …)
        The rows the person's model held.
    local : tuple of str
        Free variables with one value per row. They belong to rows, and are no parameters of
        `schema`.
    """

    model: pm.Model
    schema: RowSchema
    row_dims: tuple[str, ...]
    shared: Mapping[str, str]
    template: Mapping[str, NDArray[Any]]
    local: tuple[str, ...] = ()


def row_model(
    model: pm.Model,
    *,
    observed: str | Sequence[str] | None = None,
    local: str | Sequence[str] = (),
) -> RowModel:
    """Rebuild a PyMC model so that its rows can be exchanged and weighted.

    The row dimension is the leading one of the observed variables, whatever its name. A row-wise
    covariate is ``pm.Data`` that an observed variable is computed from and that has the row
    dimension in front: by name, or by length where it or the observed variable has no named
    dimensions. Other data stay fixed. The design matrix of a Bambi model, a centred constant in the
    graph, becomes a covariate ``X`` (columns in the order of its common terms, without intercept);
    new rows must be centred with the same means.

    Parameters
    ----------
    model : Model
        Any PyMC model with at least one observed variable; it is not changed.
    observed : str or sequence of str, optional
        Observed variables that have rows. Default: all. Others stay part of the prior.
    local : str or sequence of str, optional
        Free variables with one value per row. Their first dimension has the name of the row
        dimension.

    Returns
    -------
    RowModel

    Raises
    ------
    TypeError
        If `model` is no PyMC model.
    ValueError
        If the model has no rows, its likelihood cannot be weighted row by row or drawn from, its
        parameters have no gradient, or a name collides with one of ours.

    Notes
    -----
    Step methods that a person attaches to ``pm.sample`` are no part of the model and are not used.
    Data that pm.Potential or the prior hold as plain arrays are part of the prior, as constants;
    what shows that they are rows (their length, or the row dimension) is refused.
    """
    if not isinstance(model, pm.Model):
        raise TypeError(f"model must be a pymc.Model, got {type(model).__name__}: build one first")
    names = _observed_names(model, observed)
    local = _tuple(local)
    checks.refuse_local(model, local)
    values = {name: _observed_value(model, name) for name in names}
    count = checks.same_length(values)
    dims = _row_dims(model, names, count)
    checks.one_row_dim(dims, names, count)
    by_row = {
        rv.name for rv in model.free_RVs if dims & set(model.named_vars_to_dims.get(rv.name, ()))
    }
    checks.refuse_latent(by_row - set(local))
    made = draft(model, values, dims)
    thaw(made, count)
    follow_responses(made)
    made.shared.update(_covariates(made, count, local))
    checks.check_structure(made, count, local)
    suspects = checks.suspects(model, made, count, local)
    rebuilt = finish(made, model)
    parameters = [rv.name for rv in model.free_RVs if rv.name not in local]
    built = replace(_assemble(rebuilt, made, names, parameters), local=local)
    refuse_reserved(built.schema)
    check_length(built)
    check_terms(built, suspects)
    refuse_rough(built.model)
    return built


def row_variables(built: RowModel, model: pm.Model | None = None) -> dict[str, SharedVariable]:
    """Shared variables that hold the rows, in `built` or in a clone of its model.

    Parameters
    ----------
    built : RowModel
        The row model.
    model : Model, optional
        A clone of its model.
    """
    model = built.model if model is None else model
    responses = {v.name: model.rvs_to_values[model[v.name]] for v in built.schema.responses}
    return responses | {v.name: model[v.name] for v in built.schema.covariates}


def rowwise_logp(built: RowModel, model: pm.Model | None = None) -> TensorVariable:
    """Log-likelihood of every row, shape (obs,): summed over responses and trailing axes.

    It is a graph of the model's value variables. ``pm.logp`` would be random for censored and have
    a wrong gradient for truncated variables.

    Parameters
    ----------
    built : RowModel
        The row model.
    model : Model, optional
        A clone of its model.
    """
    model = built.model if model is None else model
    terms = model.logp(
        vars=[model[v.name] for v in built.schema.responses], sum=False, jacobian=False
    )
    return sum(t.sum(axis=tuple(range(1, t.ndim))) if t.ndim > 1 else t for t in terms)


def _tuple(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _observed_names(model: pm.Model, observed: str | Sequence[str] | None) -> tuple[str, ...]:
    every = tuple(rv.name for rv in model.observed_RVs)
    if not every:
        raise ValueError(
            "model has no observed variable, so it has no rows: give one observed=, for example "
            'pm.Normal("y", mu, sigma, observed=y); a likelihood written as pm.Potential cannot be '
            "weighted"
        )
    names = every if observed is None else _tuple(observed)
    for name in names:
        if name not in every:
            raise ValueError(
                f"observed names {name!r}, but the model's observed variables are {list(every)}: "
                "choose among these"
            )
        refuse_unusable(model, name)
        _refuse_observed(model, name)
    if not names:
        raise ValueError(
            f"observed is empty: choose among the model's observed variables {list(every)}"
        )
    return names


def _refuse_observed(model: pm.Model, name: str) -> None:
    rv, value = model[name], model.rvs_to_values[model[name]]
    base = name.removesuffix("_observed")
    if base != name and f"{base}_unobserved" in model.named_vars:
        raise ValueError(
            f"observed variable {base!r} has missing values, which PyMC imputes: a row needs all "
            "its values; drop those rows before building the model"
        )
    if isinstance(rv.owner.op, MinibatchRandomVariable) or "MinibatchIndex" in _operators(value):
        raise ValueError(
            f"observed variable {name!r} uses pm.Minibatch or total_size, which weights rows "
            "itself: observe all rows and leave weights to the scheme"
        )
    if rv.ndim == 0:
        raise ValueError(
            f"observed variable {name!r} is a scalar, so it has no rows: observe an array with the "
            "rows in front, for example np.atleast_1d(value)"
        )
    checks.refuse_joint(name, rv.ndim - rv.owner.op.ndim_supp)


def _operators(value: TensorVariable) -> str:
    return " ".join(type(v.owner.op).__name__ for v in ancestors([value]) if v.owner is not None)


def _observed_value(model: pm.Model, name: str) -> NDArray[Any]:
    return np.asarray(model.rvs_to_values[model[name]].eval(mode=PYTHON))


def _row_dims(model: pm.Model, names: tuple[str, ...], count: int) -> set[str]:
    if leading := _leading_dims(model, names):
        return leading
    used = set(ancestors([model[name] for name in names]))
    data = [d for d in model.data_vars if d in used and d.ndim and _length(d) == count]
    return _leading_dims(model, [d.name for d in data])


def _leading_dims(model: pm.Model, names: Sequence[str]) -> set[str]:
    dims = (model.named_vars_to_dims.get(name) for name in names)
    return {d[0] for d in dims if d and d[0] is not None}


def _length(data: TensorVariable) -> int | None:
    return data.get_value(borrow=True).shape[0] if isinstance(data, SharedVariable) else None


def _covariates(made: Draft, count: int, local: tuple[str, ...]) -> dict[str, SharedVariable]:
    observed = made.named(ModelObservedRV)
    latent = [free for name, free in made.named(ModelFreeRV).items() if name in local]
    seen = [observed[name] for name in observed if name in made.shared]
    used = set().union(*(reads(variable) for variable in (*seen, *latent)))
    found = {}
    for name, data in made.named(ModelNamed).items():
        inner, dims = data.owner.inputs[0], data.owner.op.dims
        if inner not in used or not isinstance(inner, SharedVariable) or inner.ndim == 0:
            continue
        if dims[0] in made.row_dims if dims else _length(inner) == count:
            found[name] = inner
    return found


def _assemble(
    model: pm.Model, made: Draft, names: tuple[str, ...], free: Sequence[str]
) -> RowModel:
    responses = tuple(_variable(model, made, n, lead=1) for n in names)
    covariates = tuple(_variable(model, made, n, lead=1) for n in made.shared if n not in names)
    parameters = tuple(_variable(model, made, name, lead=0) for name in free)
    every = (*responses, *covariates, *parameters)
    labels = {d: made.coords[d] for v in every for d in v.dims if made.coords.get(d)}
    return RowModel(
        model=model,
        schema=RowSchema(responses, covariates, parameters, labels),
        row_dims=tuple(sorted(made.row_dims)),
        shared={name: shared.name for name, shared in made.shared.items()},
        template={name: shared.get_value() for name, shared in made.shared.items()},
    )


def _variable(model: pm.Model, made: Draft, name: str, lead: int) -> Variable:
    if name in made.shared:
        shape, dtype = made.shared[name].get_value(borrow=True).shape, made.shared[name].dtype
    else:
        shape, dtype = checks.shape_of(model[name]), model[name].dtype
    dims = model.named_vars_to_dims.get(name) or (None,) * len(shape)
    labels = tuple(d or f"{name}_dim_{i}" for i, d in enumerate(dims[lead:]))
    return Variable(name, labels, shape[lead:], dtype)
