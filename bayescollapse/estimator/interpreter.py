"""Compile mode for everything but the sampler's density: interpreted by NumPy.

A function is ready after some 10 ms (numba: 3 to 20 s) and a warm call takes about 0.1 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter, out2in
from pytensor.scalar.math import Log1mexp, Softplus
from pytensor.tensor.elemwise import Elemwise

__all__ = ["PYTHON", "log1mexp", "softplus"]

_LAST = 100
"""Position after all rewrites of pytensor, which would otherwise undo this one."""


def softplus(x: NDArray[Any]) -> NDArray[np.float64]:
    """``log(1 + exp(x))`` without overflow."""
    result: NDArray[np.float64] = np.logaddexp(0.0, x)
    return result


def log1mexp(x: NDArray[Any]) -> NDArray[np.float64]:
    """``log(1 - exp(x))`` for negative `x`, without cancellation."""
    x = np.asarray(x)
    result: NDArray[np.float64] = np.where(
        x < -np.log(2), np.log1p(-np.exp(x)), np.log(-np.expm1(x))
    )
    return result


@node_rewriter([Elemwise])  # type: ignore[untyped-decorator]
def _vectorised(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    # These two have no NumPy function in pytensor, which then calls Python once per entry.
    kind = type(node.op.scalar_op)
    name = {Softplus: "softplus", Log1mexp: "log1mexp"}.get(kind)
    if name is None or node.op.nfunc_spec is not None:
        return None
    spec = (f"{__name__}.{name}", 1, 1)
    return [Elemwise(node.op.scalar_op, nfunc_spec=spec)(*node.inputs)]


PYTHON = (
    Mode(linker="py", optimizer="fast_run")
    .excluding("fusion", "inplace")
    .including("local_check_parameter_to_ninf_switch")
    .register((out2in(_vectorised), _LAST))
)
"""The mode; parameters outside of their domain give a log density of minus infinity."""
