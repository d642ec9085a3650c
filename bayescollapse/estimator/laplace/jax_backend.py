"""Back end with JAX: all replicates of a block in one compiled call, on the CPU, in float64."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.laplace.target import Floats, Target
from bayescollapse.rows import Values

__all__ = ["JaxBackend", "padded_length"]

_CHUNK = 4_000_000
"""Row-wise entries evaluated at a time."""

# Read once, when JAX starts. Sums split over threads would make other bits on other machines, and
# folding the constant checks of a model's parameters takes seconds a shape and saves nothing.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false --xla_disable_hlo_passes=constant_folding",
)


def padded_length(rows: int) -> int:
    """Length that rows are padded to, so that growing batches compile a few functions only.

    Padding rows are copies of the first row at weight 0; their number depends on `rows` alone.

    Examples
    --------
    >>> from bayescollapse.estimator.laplace.jax_backend import padded_length
    >>> [padded_length(rows) for rows in (10, 200, 209, 1000)]
    [16, 208, 224, 1024]
    """
    if rows <= 16:
        return 16
    unit: int = 1 << max((rows - 1).bit_length() - 4, 3)
    return -(-rows // unit) * unit


@dataclass(frozen=True, eq=False)
class JaxBackend:
    """Evaluate a target with JAX.

    Parameters
    ----------
    target : Target
        What to evaluate.
    """

    target: Target
    name: str = "jax"

    def bind(self, rows: Values, weights: Floats) -> JaxBound:
        """Pad the rows of a block and move them to JAX once."""
        import jax.numpy as jnp

        length = weights.shape[1]
        # A copy of a row that counts: a removed row may be an impossible one.
        index = np.zeros(padded_length(length), dtype=int)
        index[:length] = np.arange(length)
        full = np.zeros((weights.shape[0], len(index)))
        full[:, :length] = weights
        schema = self.target.built.schema
        with _on_cpu():
            parts = [
                jnp.asarray(np.asarray(rows[v.name], dtype=v.dtype)[:, index])
                for v in schema.variables
            ]
            return JaxBound(self, [*parts, jnp.asarray(full)])

    @cached_property
    def curvature(self) -> Callable[..., tuple[Any, Any, Any]]:
        """Value, gradient and Hessian of a block, compiled per shape."""
        import jax

        density = self._density

        def one(point: Any, *inputs: Any) -> tuple[Any, Any, Any]:
            value, gradient = jax.value_and_grad(density)(point, *inputs)
            return value, gradient, jax.hessian(density)(point, *inputs)

        function: Callable[..., tuple[Any, Any, Any]] = jax.jit(jax.vmap(one))
        return function

    @cached_property
    def values(self) -> Callable[..., Any]:
        """Log density of a block at many points, compiled per shape."""
        import jax

        inputs = len(self.target.graph[1])
        draws = jax.vmap(self._density, in_axes=(0,) + (None,) * inputs)
        function: Callable[..., Any] = jax.jit(jax.vmap(draws))
        return function

    @cached_property
    def _density(self) -> Callable[..., Any]:
        from pytensor.compile.mode import JAX
        from pytensor.graph.fg import FunctionGraph
        from pytensor.link.jax.dispatch import jax_funcify

        vector, inputs, logp = self.target.graph
        graph = FunctionGraph([vector, *inputs], [logp], clone=True)
        # JAX cannot raise on a parameter out of range: its density becomes minus infinity instead.
        JAX.including("local_check_parameter_to_ninf_switch").optimizer.rewrite(graph)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Skipping .* as JAX tracing would remove it")
            function = jax_funcify(graph)
        return lambda *arguments: function(*arguments)[0]


@dataclass(frozen=True, eq=False)
class JaxBound:
    """One block's rows."""

    backend: JaxBackend
    inputs: list[Any]

    def curvature(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Value, gradient and Hessian at points (replicate, d)."""
        with _on_cpu():
            value, gradient, hessian = self.backend.curvature(points, *self.inputs)
        return _array(value), _array(gradient), _array(hessian)

    def only(self, chosen: NDArray[Any]) -> JaxBound:
        """Hold the rows of some of the replicates."""
        with _on_cpu():
            return JaxBound(self.backend, [part[chosen] for part in self.inputs])

    def values(self, points: Floats) -> Floats:
        """Log density at points (replicate, draw, d), in pieces of one shape."""
        replicates, draws, _ = points.shape
        step = min(draws, max(1, _CHUNK // max(self.inputs[-1].size, 1)))
        parts = []
        with _on_cpu():
            for first in range(0, draws, step):
                # The last piece reaches back, so that it has the shape of the others.
                begin = min(first, draws - step)
                part = _array(self.backend.values(points[:, begin : begin + step], *self.inputs))
                parts.append(part[:, first - begin :])
        return np.concatenate(parts, axis=1)


def _array(value: Any) -> Floats:
    return np.asarray(value, dtype=np.float64)


@contextmanager
def _on_cpu() -> Iterator[None]:
    """Compute on the CPU in float64, whatever the process's own settings of JAX are."""
    import jax

    with jax.default_device(jax.devices("cpu")[0]), jax.enable_x64(True):
        yield
