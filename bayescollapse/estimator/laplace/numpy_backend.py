"""Back end without JAX: the density interpreted by NumPy, one replicate after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayescollapse.estimator.functions import compile_function, vectorised, wider
from bayescollapse.estimator.laplace.target import Floats, Target
from bayescollapse.rows import Values

__all__ = ["NumpyBackend"]

_CHUNK = 2_000_000
"""Row-wise entries evaluated at a time."""


@dataclass(frozen=True, eq=False)
class NumpyBackend:
    """Evaluate a target with NumPy alone.

    Parameters
    ----------
    target : Target
        What to evaluate.

    Notes
    -----
    Gradients are unrolled into a Hessian, which avoids a loop (scan) inside the graph.
    """

    target: Target
    name: str = "numpy"

    def bind(self, rows: Values, weights: Floats) -> NumpyBound:
        """Hold the rows of a block."""
        schema = self.target.built.schema
        arrays = [np.asarray(rows[v.name], dtype=v.dtype) for v in schema.variables]
        return NumpyBound(self, [*arrays, np.asarray(weights, dtype=np.float64)])

    @cached_property
    def curvature(self) -> Callable[..., tuple[Floats, Floats, Floats]]:
        """Value, gradient and Hessian of one replicate."""
        vector, inputs, logp = self.target.graph
        gradient = pt.grad(logp, vector)
        size = len(self.target.start)
        hessian = pt.stack([pt.grad(gradient[i], vector) for i in range(size)])
        return compile_function([vector, *inputs], [logp, gradient, hessian])

    @cached_property
    def values(self) -> Callable[..., Floats]:
        """Log density of one replicate at many points."""
        vector, inputs, logp = self.target.graph
        wide = wider(vector)
        drawn = vectorised([logp], {vector: wide})
        if drawn is None:
            single = compile_function([vector, *inputs], logp)
            return lambda points, *rest: np.stack([single(point, *rest) for point in points])
        function: Callable[..., Floats] = compile_function([wide, *inputs], drawn[0])
        return function


@dataclass(frozen=True, eq=False)
class NumpyBound:
    """One block's rows."""

    backend: NumpyBackend
    inputs: list[NDArray[Any]]

    def curvature(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Value, gradient and Hessian at points (replicate, d)."""
        each = [
            self.backend.curvature(point, *(part[r] for part in self.inputs))
            for r, point in enumerate(points)
        ]
        value, gradient, hessian = (np.stack(part) for part in zip(*each, strict=True))
        return value, gradient, hessian

    def only(self, chosen: NDArray[Any]) -> NumpyBound:
        """Hold the rows of some of the replicates."""
        return NumpyBound(self.backend, [part[chosen] for part in self.inputs])

    def values(self, points: Floats) -> Floats:
        """Log density at points (replicate, draw, d)."""
        rows = max(self.inputs[-1].shape[1], 1)
        step = max(1, _CHUNK // rows)
        draws = points.shape[1]
        return np.stack(
            [
                np.concatenate(
                    [
                        self.backend.values(cell[i : i + step], *(part[r] for part in self.inputs))
                        for i in range(0, draws, step)
                    ]
                )
                for r, cell in enumerate(points)
            ]
        )
