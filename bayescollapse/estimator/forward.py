"""Forward: responses of a model given parameters and covariates, compiled once.

Interpreted by NumPy: ready in some 10 ms, and about 0.15 ms a call. Every input is an argument,
randomness included, and the row model is not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.pytensorf import find_rng_nodes
from pytensor.graph.basic import Variable as Node
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.traversal import ancestors, toposort
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.random.type import random_generator_type
from pytensor.tensor.shape import Shape

from bayescollapse.estimator.density import Density
from bayescollapse.estimator.functions import (
    Arrays,
    Outputs,
    checked,
    compile_function,
    generators,
    wider,
)
from bayescollapse.estimator.graph import RowModel, row_variables
from bayescollapse.estimator.prior import PriorDraw
from bayescollapse.estimator.rebuild import rebuild
from bayescollapse.estimator.tempering import tempered_responses
from bayescollapse.rows import Variable

__all__ = ["Density", "Forward", "PriorDraw"]


class Forward:
    """Draw responses of a model given parameters and covariates.

    Parameters
    ----------
    built : RowModel
        The row model.
    temperature, sampling_bias : float, default 1
        Draw from tempered or narrowed observed variables instead
        (:mod:`bayescollapse.estimator.tempering`).

    Raises
    ------
    ValueError
        If an observed variable cannot be tempered or narrowed.

    Notes
    -----
    One graph serves all calls: D data sets of m rows, with D = 1 for a single one and m = 1 for one
    value per row. Where a response is no plain random variable (mixtures, censored and truncated
    distributions), data sets are drawn one after the other: about 0.1 ms each instead of 5 µs.
    """

    def __init__(
        self, built: RowModel, *, temperature: float = 1.0, sampling_bias: float = 1.0
    ) -> None:
        self._built = built
        self._responses = [built.model[v.name] for v in built.schema.responses]
        if temperature != 1 or sampling_bias != 1:
            self._responses = tempered_responses(self._responses, temperature, sampling_bias)

    def __call__(
        self, parameters: Arrays, covariates: Arrays, m: int, rng: np.random.Generator
    ) -> Outputs:
        """Draw one data set.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (…)
            One value of every free variable, on its own scale.
        covariates : mapping of str to ndarray, shape (m, …)
            Covariates of the rows.
        m : int
            Number of rows.
        rng : Generator
            Source of randomness; the same state gives the same bits.

        Returns
        -------
        dict of str to ndarray, shape (m, …)
            Responses.
        """
        x = checked("covariates", covariates, self._built.schema.covariates, (m,))
        theta = checked("parameters", parameters, self._built.schema.parameters, ())
        return self._draw(self._single, theta, x, m, generators(rng, self._rngs))

    def many(
        self, parameters: Arrays, covariates: Arrays, m: int, rng: np.random.Generator
    ) -> Outputs:
        """Draw one data set per value of the parameters.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (D, …)
            Values of every free variable.
        covariates : mapping of str to ndarray, shape (m, …) or (D, m, …)
            Covariates, common to all data sets or not.
        m : int
            Rows of one data set.
        rng : Generator
            Source of randomness.

        Returns
        -------
        dict of str to ndarray, shape (D, m, …)
            Responses.
        """
        count = len(next(iter(parameters.values())))
        axes = {v.name: 2 + len(v.shape) for v in self._built.schema.covariates}
        x = {
            name: np.broadcast_to(value, (count, *value.shape))
            if value.ndim < axes[name]
            else value
            for name, value in covariates.items()
            if name in axes
        }
        x = checked("covariates", x, self._built.schema.covariates, (count, m))
        theta = checked("parameters", parameters, self._built.schema.parameters, (count,))
        return self._each(theta, x, count, m, rng)

    def per_row(
        self, parameters: Arrays, covariates: Arrays, m: int, rng: np.random.Generator
    ) -> Outputs:
        """Draw rows that have a value of the parameters each: data sets of one row.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (m, …)
            Values of every free variable, one per row.
        covariates : mapping of str to ndarray, shape (m, …)
            Covariates of the rows.
        m : int
            Number of rows.
        rng : Generator
            Source of randomness.

        Returns
        -------
        dict of str to ndarray, shape (m, …)
            Responses.
        """
        x = checked("covariates", covariates, self._built.schema.covariates, (m,))
        x = {name: value[:, np.newaxis] for name, value in x.items()}
        theta = checked("parameters", parameters, self._built.schema.parameters, (m,))
        return {name: value[:, 0] for name, value in self._each(theta, x, m, 1, rng).items()}

    def _each(
        self, theta: Arrays, x: Arrays, count: int, m: int, rng: np.random.Generator
    ) -> Outputs:
        if self._batched is not None:
            return self._draw(self._batched, theta, x, m, generators(rng, self._rngs))
        sets = []
        for i in range(count):
            # A call leaves its generators as they were: every data set needs fresh ones.
            rngs = generators(rng, self._rngs)
            one = {name: value[i] for name, value in theta.items()}
            sets.append(self._draw(self._single, one, {n: v[i] for n, v in x.items()}, m, rngs))
        return {name: np.stack([data[name] for data in sets]) for name in sets[0]}

    def _draw(
        self,
        function: Callable[..., Sequence[NDArray[Any]]],
        theta: Arrays,
        x: Arrays,
        m: int,
        rngs: Sequence[np.random.Generator],
    ) -> Outputs:
        drawn = function(*theta.values(), *x.values(), np.asarray(m), *rngs)
        return {v.name: out for v, out in zip(self._built.schema.responses, drawn, strict=True)}

    @cached_property
    def _graph(self) -> tuple[list[Node], list[Node], Node, list[Node], list[Node]]:
        """Parameters, covariates, number of rows, generators and responses as graph variables."""
        model, schema = self._built.model, self._built.schema
        m, shared = pt.lscalar("m"), row_variables(self._built)
        theta = [model[v.name].type(f"{v.name}_input") for v in schema.parameters]
        x = [shared[v.name].type(f"{v.name}_input") for v in schema.covariates]
        replace: dict[Node, Node] = {
            model[v.name]: t for v, t in zip(schema.parameters, theta, strict=True)
        }
        replace |= {shared[v.name]: t for v, t in zip(schema.covariates, x, strict=True)}
        for v in schema.responses:
            replace[shared[v.name]] = pt.zeros((m, *v.shape), dtype=v.dtype)
        outputs = rebuild(self._responses, replace)
        rngs = find_rng_nodes(outputs)
        inputs = [random_generator_type(f"rng_{i}") for i in range(len(rngs))]
        return theta, x, m, inputs, rebuild(outputs, dict(zip(rngs, inputs, strict=True)))

    @cached_property
    def _rngs(self) -> int:
        return len(self._graph[3])

    @cached_property
    def _single(self) -> Callable[..., Sequence[NDArray[Any]]]:
        theta, x, m, rngs, outputs = self._graph
        return compile_function([*theta, *x, m, *rngs], outputs)

    @cached_property
    def _batched(self) -> Callable[..., Sequence[NDArray[Any]]] | None:
        theta, x, m, rngs, outputs = self._graph
        if self._built.local:
            return None  # data sets would share the local variables of one
        if not all(isinstance(out.owner.op, RandomVariable) for out in outputs):
            return None
        measured = _measured(outputs, self._built.schema.covariates, x, m)
        wide = [wider(v) for v in (*theta, *x)]
        try:
            drawn = _widened(measured, dict(zip((*theta, *x), wide, strict=True)), wide[0].shape[0])
        except (NotImplementedError, TypeError, ValueError):
            # Some operation has no vectorised form: data sets are drawn one by one instead.
            return None
        return compile_function([*wide, m, *rngs], drawn)


def _measured(
    outputs: list[Node], covariates: Sequence[Variable], x: list[Node], m: Node
) -> list[Node]:
    # The shape of a covariate must not get a leading axis of data sets.
    shapes = {
        node.owner.inputs[0]: node
        for node in ancestors(outputs)
        if node.owner is not None and isinstance(node.owner.op, Shape)
    }
    known = {
        shapes[xi]: pt.stack([m, *v.shape])
        for v, xi in zip(covariates, x, strict=True)
        if xi in shapes
    }
    return rebuild(outputs, known)


def _widened(outputs: list[Node], replace: dict[Node, Node], count: Node) -> list[Node]:
    # vectorize_graph extends a given size by what it reads off the first parameter alone, so it is
    # used on the parameters, and the size is extended here.
    replace = dict(replace)
    for node in toposort(outputs):
        if (out := node.outputs[-1]) not in outputs:
            continue
        rng, size, *params = node.inputs
        full = [
            _padded(p, out.ndim - node.op.ndim_supp + c)
            for p, c in zip(params, node.op.ndims_params, strict=True)
        ]
        wide = vectorize_graph(full, replace)
        longer = pt.concatenate([count[None], size])
        replace[out] = node.op.make_node(rng, longer, *wide).outputs[-1]
    return [replace[out] for out in outputs]


def _padded(parameter: Node, ndim: int) -> Node:
    return pt.shape_padleft(parameter, ndim - parameter.ndim)
