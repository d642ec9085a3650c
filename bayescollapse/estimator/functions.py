"""What the compiled functions of a row model share: compiling, seeding, checking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytensor
from numpy.typing import NDArray
from pytensor.graph.basic import Variable as Node
from pytensor.graph.replace import vectorize_graph

from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.rows import Variable

__all__ = [
    "Arrays",
    "Outputs",
    "checked",
    "compile_function",
    "generators",
    "vectorised",
    "wider",
]

Arrays = Mapping[str, NDArray[Any]]
Outputs = dict[str, NDArray[Any]]


def compile_function(inputs: list[Node], outputs: Any) -> Callable[..., Any]:
    """Compile a graph for arrays of the right type, which are not checked again."""
    function = pytensor.function(inputs, outputs, mode=PYTHON, on_unused_input="ignore")
    function.trust_input = True
    compiled: Callable[..., Any] = function
    return compiled


def generators(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """Derive `count` independent generators from the state of one."""
    seeds = rng.integers(0, 2**64, size=(count, 2), dtype=np.uint64)
    return [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]


def wider(variable: Node) -> Node:
    """Make an input like `variable` with one more leading axis."""
    kind = variable.type
    return kind.clone(shape=(None, *kind.shape))(f"{variable.name}_wide")


def vectorised(outputs: list[Node], replace: Mapping[Node, Node]) -> list[Node] | None:
    """Vectorise graphs over inputs with one more leading axis; None where that is impossible."""
    try:
        wide: list[Node] = list(vectorize_graph(outputs, replace))
    except (NotImplementedError, TypeError, ValueError):
        # Some operation has no vectorised form, and each says so in its own way: the caller
        # evaluates one point after the other instead, with the same result.
        return None
    return wide


def checked(
    argument: str, values: Arrays, variables: Sequence[Variable], lead: tuple[int, ...]
) -> Outputs:
    """Check arrays against a schema: present, of shape ``lead + shape``, and of a type that fits.

    Parameters
    ----------
    argument : str
        How errors name `values`.
    values : mapping of str to ndarray
        Arrays by name; others than those of `variables` are left out.
    variables : sequence of Variable
        What is needed.
    lead : tuple of int
        Leading axes.
    """
    return {v.name: _cast(argument, values, v, lead) for v in variables}


def _cast(argument: str, values: Arrays, variable: Variable, lead: tuple[int, ...]) -> NDArray[Any]:
    if variable.name not in values:
        raise ValueError(f"{argument} has no {variable.name!r} (it has {sorted(values)}): add it")
    given = np.asarray(values[variable.name])
    value = given.astype(variable.dtype, copy=False)
    if value.shape != lead + variable.shape:
        raise ValueError(
            f"{argument}[{variable.name!r}] has shape {value.shape}, but {lead + variable.shape} "
            "is needed: all arrays must agree on the leading axes"
        )
    if value.dtype != given.dtype and not np.array_equal(value, given):
        raise ValueError(
            f"{argument}[{variable.name!r}] holds values that {variable.dtype} cannot represent, "
            "but the model's variable is of that type: recode them"
        )
    return value
