"""Log density of a weighted row model as a function of one unconstrained vector.

The graph is the model's own, tilted by the weights: prior, Jacobian of the transforms, and every
row's log-likelihood times its weight. The back ends differ only in how they evaluate it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.pytensorf import join_nonshared_inputs
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable as Node
from pytensor.graph.traversal import ancestors

from bayescollapse.estimator.functions import compile_function, vectorised, wider
from bayescollapse.estimator.graph import RowModel, row_variables
from bayescollapse.estimator.probe import start_point
from bayescollapse.estimator.rebuild import rebuild
from bayescollapse.estimator.tilt import weighted_model, weights_name
from bayescollapse.rows import Values

__all__ = ["Backend", "Floats", "Target", "interpreted"]

Floats = NDArray[np.float64]


class Backend(Protocol):
    """Evaluates the log density of a block of replicates, each with rows and weights of its own."""

    @property
    def name(self) -> str:
        """Name of the back end."""

    def bind(self, rows: Values, weights: Floats) -> Bound:
        """Hold rows (replicate, obs, …) and weights (replicate, obs) for many evaluations."""


class Bound(Protocol):
    """A block's log density given its rows."""

    def curvature(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Value, gradient and Hessian at points (replicate, d)."""

    def only(self, chosen: NDArray[Any]) -> Bound:
        """Hold the rows of some of the replicates."""

    def values(self, points: Floats) -> Floats:
        """Log density at points (replicate, draw, d), shape (replicate, draw)."""


@dataclass(frozen=True, eq=False)
class Target:
    """A weighted row model on the unconstrained scale.

    Parameters
    ----------
    built : RowModel
        The row model.

    Raises
    ------
    ValueError
        If the model has discrete free variables.
    """

    built: RowModel

    def __post_init__(self) -> None:
        """Refuse discrete free variables."""
        schema = self.built.schema
        discrete = [v.name for v in schema.parameters if not v.dtype.startswith("float")]
        if discrete:
            raise ValueError(
                f"free variables {discrete} are discrete, and method='laplace' needs continuous "
                "ones: sum them out of the model (for example pm.Mixture instead of a label)"
            )

    @cached_property
    def start(self) -> Floats:
        """Initial point of the model, shape (d,)."""
        model = self.built.model
        start = start_point(model)
        return np.concatenate([np.ravel(start[v.name]) for v in model.value_vars]).astype(float)

    @cached_property
    def graph(self) -> tuple[Node, list[Node], Node]:
        """Unconstrained vector, inputs (rows in the schema's order, weights), log density."""
        model = weighted_model(self.built)
        shared = row_variables(self.built, model)
        rows = [shared[v.name].type(f"{v.name}_input") for v in self.built.schema.variables]
        weights = pt.vector("weights_input")
        point = {v.name: value for v, value in zip(model.value_vars, self._parts, strict=True)}
        (logp,), vector = join_nonshared_inputs(point, [model.logp()], model.value_vars)
        replace: dict[Node, Node] = {
            shared[v.name]: row for v, row in zip(self.built.schema.variables, rows, strict=True)
        }
        replace[model[weights_name(self.built)]] = weights
        replace |= _constants(logp, replace)
        return vector, [*rows, weights], rebuild([logp], replace)[0]

    def constrain(self, points: Floats) -> Floats:
        """Stacked parameters on their own scale at points (point, d), shape (point, parameter)."""
        schema = self.built.schema
        if self._constrained is None:
            order = self._order
            return np.concatenate([points[:, order[v.name]] for v in schema.parameters], axis=1)
        values = self._constrained(points)
        named = {v.name: value for v, value in zip(schema.parameters, values, strict=True)}
        return schema.pack(named, lead=1)

    @cached_property
    def _parts(self) -> list[NDArray[Any]]:
        start = start_point(self.built.model)
        return [start[v.name] for v in self.built.model.value_vars]

    @cached_property
    def _order(self) -> dict[str, slice]:
        sizes = [int(np.size(part)) for part in self._parts]
        ends = np.cumsum(sizes)
        names = [rv.name for rv in self.built.model.free_RVs]
        return {n: slice(e - s, e) for n, s, e in zip(names, sizes, ends, strict=True)}

    @cached_property
    def _constrained(self) -> Callable[[Floats], list[NDArray[Any]]] | None:
        """None where every free variable is unconstrained already."""
        model, schema = self.built.model, self.built.schema
        if not any(model.rvs_to_transforms.values()):
            return None
        outputs = model.replace_rvs_by_values([model[v.name] for v in schema.parameters])
        point = {v.name: part for v, part in zip(model.value_vars, self._parts, strict=True)}
        joined, vector = join_nonshared_inputs(point, outputs, model.value_vars)
        return interpreted(vector, list(joined))


def interpreted(vector: Node, outputs: list[Node]) -> Callable[[Floats], list[NDArray[Any]]]:
    """Evaluate graphs of a vector at many points (point, d), interpreted by NumPy."""
    wide = wider(vector)
    drawn = vectorised(outputs, {vector: wide})
    if drawn is None:
        single = compile_function([vector], outputs)
        return lambda points: [np.stack(part) for part in zip(*map(single, points), strict=True)]
    function: Callable[[Floats], list[NDArray[Any]]] = compile_function([wide], drawn)
    return function


def _constants(logp: Node, kept: Mapping[Node, Node]) -> dict[Node, Node]:
    """Lengths of named dimensions and data that are not row-wise, as constants."""
    return {
        v: pt.constant(v.get_value(), name=v.name)
        for v in ancestors([logp])
        if isinstance(v, SharedVariable) and v not in kept
    }
