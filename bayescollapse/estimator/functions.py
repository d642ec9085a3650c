"""What the compiled functions of a row model share: compiling, seeding, checking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytensor
from numpy.typing import NDArray
from pytensor.graph.basic import Variable as Node

from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.rows import Variable

__all__ = ["Arrays", "Outputs", "checked", "compile_function", "generators", "wider"]

Arrays = Mapping[str, NDArray[Any]]
Outputs = dict[str, NDArray[Any]]


def compile_function(inputs: list[Node], outputs: Any) -> Callable[..., Any]:
    function = pytensor.function(inputs, outputs, mode=PYTHON, on_unused_input="ignore")
    function.trust_input = True
    return function


def generators(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    seeds = rng.integers(0, 2**64, size=(count, 2), dtype=np.uint64)
    return [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]


def wider(variable: Node) -> Node:
    kind = variable.type
    return kind.clone(shape=(None, *kind.shape))(f"{variable.name}_wide")


def checked(
    argument: str, values: Arrays, variables: Sequence[Variable], lead: tuple[int, ...]
) -> Outputs:
    return {v.name: _cast(argument, values, v, lead) for v in variables}


def _cast(argument: str, values: Arrays, variable: Variable, lead: tuple[int, ...]) -> NDArray[Any]:
    if variable.name not in values:
        raise ValueError(f"{argument} has no {variable.name!r} (it has {sorted(values)}): add it")
    value = np.asarray(values[variable.name], dtype=variable.dtype)
    if value.shape != lead + variable.shape:
        raise ValueError(
            f"{argument}[{variable.name!r}] has shape {value.shape}, but {lead + variable.shape} "
            f"is needed: "
            "all arrays must agree on the leading axes"
        )
    return value
