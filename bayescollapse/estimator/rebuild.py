"""Rebuild a PyMC model so that its rows can be exchanged, leaving the original as it was.

Every observed variable gets a shared variable as its value, and a size that follows that value;
whatever else measured the number of rows (the length of a named dimension, the shape of a
``pm.Data`` that held the response) is measured on it too.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.distributions.custom import CustomSymbolicDistRV
from pymc.distributions.shape_utils import change_dist_size
from pymc.model.fgraph import (
    ModelFreeRV,
    ModelNamed,
    ModelObservedRV,
    ModelVar,
    fgraph_from_model,
    model_from_fgraph,
    model_observed_rv,
)
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.traversal import ancestors, toposort, walk
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.shape import Shape, Shape_i

from bayescollapse.estimator.interpreter import PYTHON

__all__ = [
    "BAMBI_DIM",
    "Draft",
    "clone_model",
    "draft",
    "finish",
    "reads",
    "rebuild",
    "untransformed",
]

BAMBI_DIM = "__obs__"
"""Name that Bambi gives to the row dimension."""


@dataclass
class Draft:
    """A model between taking apart and putting together; private to this layer.

    Parameters
    ----------
    outputs : list of Variable
        The model's variables, each wrapped in a PyMC ``ModelVar``.
    shared : dict of str to SharedVariable
        Exchangeable rows: responses and covariates by name.
    coords, dims : dict
        Labels of the named dimensions, and their lengths at the time of the rebuild.
    row_dims : set of str
        The model's own names of the row dimension.
    """

    outputs: list[Variable]
    shared: dict[str, SharedVariable]
    coords: dict[str, Any]
    dims: dict[str, int]
    row_dims: set[str]

    def named(self, kind: type[ModelVar]) -> dict[str, Variable]:
        """Variables of one kind, by name."""
        return {v.owner.op.name: v for v in self.outputs if isinstance(v.owner.op, kind)}

    def replace(self, replacements: Mapping[Variable, Variable]) -> None:
        """Rebuild everything that is computed from the replaced variables."""
        self.outputs = rebuild(self.outputs, replacements)


def draft(model: pm.Model, responses: Mapping[str, NDArray[Any]], row_dims: set[str]) -> Draft:
    """Take a model apart and make its responses exchangeable.

    Parameters
    ----------
    model : Model
        A person's model; it is not changed.
    responses : mapping of str to ndarray
        Values of the observed variables that have rows.
    row_dims : set of str
        Named dimensions that count rows.
    """
    source = _without_initial_values(model)
    graph, memo = _fgraph(source)
    lengths = {name: memo.get(length, length) for name, length in model.dim_lengths.items()}
    sizes = {name: int(v.eval(mode=PYTHON)) for name, v in model.dim_lengths.items()}
    made = Draft(list(graph.outputs), {}, dict(source._coords), sizes, set(row_dims))
    made.dims.update(_sizes_of_unnamed(model))
    values = {name: _exchangeable(model[name], value) for name, value in responses.items()}
    made.shared.update(values)
    rows = next(iter(values.values())).shape[0]
    made.replace({lengths[d]: rows for d in row_dims if isinstance(lengths[d], SharedVariable)})
    _detach_observed_data(made)
    for name in responses:
        _resize(made, name)
    return made


def finish(made: Draft, model: pm.Model) -> pm.Model:
    """Put a draft together as a model, with the initial values of the original.

    Parameters
    ----------
    made : Draft
        What :func:`draft` made.
    model : Model
        The model it was made from.
    """
    graph = FunctionGraph(outputs=made.outputs, clone=False)
    rows = next(iter(made.shared.values())).shape[0]
    graph._coords = {
        d: None if d in made.row_dims else (tuple(range(made.dims[d])) if v is None else v)
        for d, v in made.coords.items()
    }
    graph._dim_lengths = {
        d: rows if d in made.row_dims else pt.constant(length) for d, length in made.dims.items()
    }
    rebuilt = model_from_fgraph(graph, mutate_fgraph=True)
    rebuilt.check_bounds = model.check_bounds
    for rv, initval in model.rvs_to_initial_values.items():
        if isinstance(initval, Variable):
            initval = initval.eval(mode=PYTHON)
        if rv.name in rebuilt.named_vars:
            rebuilt.set_initval(rebuilt[rv.name], initval)
    return rebuilt


def clone_model(model: pm.Model) -> pm.Model:
    """Clone a model without its initial values; names stay.

    Data are copied, but both models hold their responses in the same memory: give a compiled
    function other rows instead of setting them.
    """
    graph, _ = _fgraph(_without_initial_values(model))
    clone = model_from_fgraph(graph, mutate_fgraph=True)
    clone.check_bounds = model.check_bounds
    return clone


def untransformed(model: pm.Model) -> pm.Model:
    """Clone a model so that its values are the free variables on their own scale."""
    clone = clone_model(model)
    for rv in clone.free_RVs:
        del clone.values_to_rvs[clone.rvs_to_values[rv]]
        value = rv.type(name=f"{rv.name}_value")
        clone.create_value_var(rv, transform=None, default_transform=None, value_var=value)
    return clone


def rebuild(
    outputs: Sequence[Variable], replacements: Mapping[Variable, Variable]
) -> list[Variable]:
    """Rebuild graphs with some variables replaced, where types may become less specific.

    Parameters
    ----------
    outputs : sequence of Variable
        What to rebuild.
    replacements : mapping of Variable to Variable
        Old to new; nothing is replaced inside the new ones.
    """
    # FunctionGraph.replace would pin the new rows to the old static shape with SpecifyShape.
    memo = dict(replacements)
    for node in toposort(outputs, blockers=list(memo)):
        inputs = [memo.get(i, i) for i in node.inputs]
        if any(new is not old for new, old in zip(inputs, node.inputs, strict=True)):
            fresh = node.clone_with_new_inputs(inputs, strict=False)
            memo.update(zip(node.outputs, fresh.outputs, strict=True))
    return [memo.get(o, o) for o in outputs]


def reads(variable: Variable, *, shapes: bool = True) -> set[Variable]:
    """Collect what a variable is computed from, up to the free variables.

    Parameters
    ----------
    variable : Variable
        A variable of a draft.
    shapes : bool
        Also what only its shape is read of.
    """

    def expand(var: Variable) -> Sequence[Variable] | None:
        node = var.owner
        if node is None or (not shapes and isinstance(node.op, Shape | Shape_i)):
            return None
        if var is not variable and isinstance(node.op, ModelFreeRV):
            return None
        # The size of a random variable is a list of lengths, never rows.
        first = 2 if isinstance(node.op, RandomVariable) and not shapes else 0
        inputs: Sequence[Variable] = node.inputs[first:]
        return inputs

    return set(walk([variable], expand))


def _fgraph(model: pm.Model) -> tuple[FunctionGraph, dict[Variable, Variable]]:
    with warnings.catch_warnings():
        # The GP object of the old model is never used again, which is all the warning asks for:
        # https://github.com/pymc-devs/pymc/issues/6883
        warnings.filterwarnings("ignore", message="Detected variables likely created by GP objects")
        graph, memo = fgraph_from_model(model)
    return graph, memo


def _without_initial_values(model: pm.Model) -> pm.Model:
    # fgraph_from_model refuses initial values and unnamed dimensions; a stand-in has neither.
    stand_in = object.__new__(type(model))
    stand_in.__dict__.update(model.__dict__)
    stand_in.rvs_to_initial_values = dict.fromkeys(model.rvs_to_initial_values)
    stand_in._coords = dict(model._coords)
    stand_in.named_vars_to_dims = {
        name: tuple(dim or _dim_name(name, i) for i, dim in enumerate(dims))
        for name, dims in model.named_vars_to_dims.items()
    }
    stand_in._coords.update(dict.fromkeys(_sizes_of_unnamed(model)))
    return stand_in


def _sizes_of_unnamed(model: pm.Model) -> dict[str, int]:
    return {
        _dim_name(name, i): int(model[name].shape[i].eval(mode=PYTHON))
        for name, dims in model.named_vars_to_dims.items()
        for i, dim in enumerate(dims)
        if dim is None
    }


def _dim_name(name: str, axis: int) -> str:
    return f"{name}_dim_{axis}"


def _exchangeable(rv: Variable, value: NDArray[Any]) -> SharedVariable:
    array = np.ascontiguousarray(value, dtype=rv.dtype)
    return pytensor.shared(array, name=f"{rv.name}__rows", shape=(None,) * array.ndim)


def _detach_observed_data(made: Draft) -> None:
    # Where pm.Data held a response, what else reads its shape follows the new value.
    for name, value in made.shared.items():
        holders = reads(made.named(ModelObservedRV)[name].owner.inputs[1])
        for data in made.named(ModelNamed).values():
            inner = data.owner.inputs[0]
            if inner in holders and inner.ndim == value.ndim:
                made.outputs = [v for v in made.outputs if v is not data]
                made.replace({inner: value.astype(inner.dtype)})


def _resize(made: Draft, name: str) -> None:
    old = made.named(ModelObservedRV)[name]
    rv, value = old.owner.inputs[0], made.shared[name]
    batch = rv.ndim - rv.owner.op.ndim_supp
    resized = _resized(rv, [value.shape[i] for i in range(batch)])
    made.replace({old: model_observed_rv(resized, value, name, *old.owner.op.dims)})


def _resized(rv: Variable, lengths: Sequence[Variable]) -> Variable:
    # PyMC gives a resized pm.CustomDist(dist=...) the parameters of the model it was written in,
    # whatever they were replaced by since.
    resized = change_dist_size(rv, lengths)
    written = {type(node.op): node for node in _custom_nodes(rv)}
    replaced: dict[Variable, Variable] = {}
    for node in _custom_nodes(resized):
        old = node.op.dist_params(written[type(node.op)])
        known = dict(zip(node.op.dist_params(node), old, strict=True))
        fresh = node.op.make_node(*(known.get(i, i) for i in node.inputs))
        replaced.update(zip(node.outputs, fresh.outputs, strict=True))
    return rebuild([resized], replaced)[0]


def _custom_nodes(rv: Variable) -> list[Apply]:
    # Up to the model's own variables: a free variable may be a pm.CustomDist too.
    own = [v for v in ancestors([rv]) if v.owner is not None and isinstance(v.owner.op, ModelVar)]
    nodes = toposort([rv], blockers=own)
    return [node for node in nodes if isinstance(node.op, CustomSymbolicDistRV)]
