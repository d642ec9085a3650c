"""Objective: the weighted log density of a model and its gradient, as functions of one vector.

Interpreted by NumPy, as the forward function is: ready within seconds for any model, where the
numba backend compiled 111 s for factor analysis of images to gain less than a factor of 2. Its time
is spent in BLAS for large models, and in Python (some 0.3 ms a call) for small ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.graph.replace import vectorize_graph

from bayescollapse.estimator.functions import compile_function, wider
from bayescollapse.estimator.graph import RowModel, row_variables
from bayescollapse.estimator.probe import start_point
from bayescollapse.estimator.rebuild import rebuild
from bayescollapse.estimator.tilt import weighted_model, weights_name

__all__ = ["Objective", "Placed"]

Floats = NDArray[np.float64]


class Objective:
    """Weighted log density on the unconstrained scale, compiled once for any number of rows.

    Parameters
    ----------
    built : RowModel
        The row model.
    jacobian : bool, default True
        Include the Jacobian of the transformation, as a density of unconstrained variables needs;
        without it the maximum is the mode on the parameters' own scale.

    Raises
    ------
    ValueError
        If the model has discrete free variables.
    """

    def __init__(self, built: RowModel, *, jacobian: bool = True) -> None:
        discrete = [rv.name for rv in built.model.free_RVs if not rv.dtype.startswith("float")]
        if discrete:
            raise ValueError(
                f"free variables {discrete} are discrete, and advi and map need continuous ones: "
                "sum them out of the model (for example pm.Mixture instead of a categorical label)"
            )
        self._built = built
        self._jacobian = jacobian

    def place(self, rows: Mapping[str, NDArray[Any]], weights: Floats) -> Placed:
        """Objective at given rows.

        Parameters
        ----------
        rows : mapping of str to ndarray, shape (obs, …)
            Responses and covariates.
        weights : ndarray, shape (obs,)
            Weights of the rows; rows of weight 0 are left out.
        """
        used = weights > 0
        kept = {name: value[used] for name, value in rows.items()}
        return Placed(self, kept, np.asarray(weights[used], dtype=np.float64))

    def own_scale(self, points: Floats) -> dict[str, Floats]:
        """Parameters on their own scale.

        Parameters
        ----------
        points : ndarray, shape (draw, parameter)
            Unconstrained values of the parameters, local variables left out.
        """
        flat = [
            points[:, s].reshape(len(points), *shape)
            for s, shape in zip(self.slices, self._shapes, strict=True)
        ]
        drawn = self._own_scale(*flat)
        return {v.name: d for v, d in zip(self._built.schema.parameters, drawn, strict=True)}

    @cached_property
    def start(self) -> Floats:
        """Unconstrained starting point of the parameters, shape (parameter,)."""
        return np.concatenate([self._start[name].ravel() for name in self._names])

    @cached_property
    def slices(self) -> list[slice]:
        """Where every parameter lies in a point."""
        ends = np.cumsum([int(np.prod(shape, dtype=int)) for shape in self._shapes]).tolist()
        return [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]

    @cached_property
    def local_start(self) -> list[NDArray[Any]]:
        """Unconstrained starting values of the local variables in the rows of the template."""
        return [self._start[self._value(name).name] for name in self._built.local]

    @cached_property
    def function(self) -> Any:
        """Value and gradients, given values, rows and weights."""
        model = weighted_model(self._built)
        free = [v.name for v in self._built.schema.parameters] + list(self._built.local)
        values = [model.rvs_to_values[model[name]] for name in free]
        total = model.logp(jacobian=self._jacobian)
        shared = row_variables(self._built, model)
        rows = {v.name: shared[v.name].type() for v in self._built.schema.variables}
        weights = model[weights_name(self._built)]
        replace = {shared[name]: new for name, new in rows.items()} | {weights: weights.type()}
        inputs = [_any_length(v) if i >= self._globals else v for i, v in enumerate(values)]
        replace |= {old: new for old, new in zip(values, inputs, strict=True) if old is not new}
        placed = rebuild([total], replace)[0]
        gradients = pytensor.grad(placed, inputs)
        return compile_function([*inputs, *rows.values(), replace[weights]], [placed, *gradients])

    @property
    def _globals(self) -> int:
        return len(self._built.schema.parameters)

    @cached_property
    def _start(self) -> dict[str, NDArray[Any]]:
        return start_point(self._built.model)

    @cached_property
    def _names(self) -> list[str]:
        return [self._value(v.name).name for v in self._built.schema.parameters]

    @cached_property
    def _shapes(self) -> list[tuple[int, ...]]:
        return [self._start[name].shape for name in self._names]

    def _value(self, name: str) -> Any:
        return self._built.model.rvs_to_values[self._built.model[name]]

    @cached_property
    def _own_scale(self) -> Any:
        model = self._built.model
        names = [v.name for v in self._built.schema.parameters]
        values = [self._value(name) for name in names]
        wide = [wider(v) for v in values]
        outputs = model.replace_rvs_by_values([model[name] for name in names])
        drawn = vectorize_graph(outputs, dict(zip(values, wide, strict=True)))
        return compile_function(wide, [pt.as_tensor(d) for d in drawn])


class Placed:
    """An objective at given rows: a function of one vector, parameters first.

    Parameters
    ----------
    objective : Objective
        The compiled objective.
    rows : mapping of str to ndarray, shape (obs, …)
        Rows of positive weight.
    weights : ndarray, shape (obs,)
        Their weights.
    """

    def __init__(
        self, objective: Objective, rows: Mapping[str, NDArray[Any]], weights: Floats
    ) -> None:
        built, count = objective._built, len(weights)
        local = [np.resize(v, (count, *v.shape[1:])) for v in objective.local_start]
        self.start = np.concatenate([objective.start, *(v.ravel() for v in local)])
        self.local = slice(len(objective.start), len(self.start))
        width = [int(np.prod(v.shape[1:], dtype=int)) for v in local]
        self.counts = np.concatenate(
            [np.ones(len(objective.start)), *(np.repeat(weights, w) for w in width)]
        )
        """How often a variable's approximation counts: the weight of its row, or 1."""
        self._shapes = [*objective._shapes, *(v.shape for v in local)]
        ends = np.cumsum([int(np.prod(shape, dtype=int)) for shape in self._shapes]).tolist()
        self._slices = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]
        self._function = objective.function
        self._data = [
            np.ascontiguousarray(rows[v.name], dtype=v.dtype) for v in built.schema.variables
        ]
        self._data.append(np.ascontiguousarray(weights, dtype=np.float64))

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        """Value and gradient."""
        values = [
            point[s].reshape(shape) for s, shape in zip(self._slices, self._shapes, strict=True)
        ]
        value, *gradients = self._function(*values, *self._data)
        return float(value), np.concatenate([g.ravel() for g in gradients])


def _any_length(value: Any) -> Any:
    kind = value.type
    return kind.clone(shape=(None, *kind.shape[1:]))(value.name)
