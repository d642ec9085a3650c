"""Identity of a PyMC model: its graph with every constant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["model_identity"]


def model_identity(model: pm.Model) -> str:
    """Text that differs between models with another graph, prior constant or fixed data.

    Rows do not count: neither observed values, nor ``pm.Data`` on the dimension of an observed
    variable, nor those without dims that are as long as one. The function that gives a
    ``pm.CustomDist`` its density does not count either, unless it is written with ``dist=``.

    Parameters
    ----------
    model : pymc.Model
        Any model.
    """
    from pytensor.graph.basic import Constant

    graph = list(_nodes([*model.basic_RVs, *model.potentials]))
    operations = [str(node.owner.op) for node in graph if node.owner is not None]
    constants = [
        _digest(node.data)
        for node in graph
        if isinstance(node, Constant) and isinstance(node.data, np.ndarray)
    ]
    fixed = [f"{name}:{_digest(value)}" for name, value in _fixed_data(model)]
    return f"{model.str_repr()}|{sorted(operations)}|{sorted(constants)}|{sorted(fixed)}"


def _nodes(variables: Iterable[Any]) -> Iterator[Any]:
    from pytensor.compile.builders import OpFromGraph
    from pytensor.graph.traversal import ancestors

    for node in ancestors(variables):
        yield node
        if node.owner is not None and isinstance(node.owner.op, OpFromGraph):
            yield from _nodes(node.owner.op.fgraph.outputs)


def _fixed_data(model: pm.Model) -> Iterator[tuple[str, Any]]:
    from bayescollapse.estimator.interpreter import PYTHON

    dims = [model.named_vars_to_dims.get(rv.name) for rv in model.observed_RVs]
    leading = {d[0] for d in dims if d}
    values = [model.rvs_to_values[rv] for rv in model.observed_RVs if rv.ndim]
    lengths = {int(value.shape[0].eval(mode=PYTHON)) for value in values}
    for data in model.data_vars:
        value, named = np.asarray(data.eval(mode=PYTHON)), model.named_vars_to_dims.get(data.name)
        by_name = bool(named and leading)
        rows = value.ndim and (named[0] in leading if by_name else len(value) in lengths)
        if not rows:
            yield data.name, value


def _digest(value: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
