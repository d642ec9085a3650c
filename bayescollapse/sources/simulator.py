"""A simulator: real rows from a person's own function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import ROW_DIM, RowSchema
from bayescollapse.sources.base import Place, stack_parameters

if TYPE_CHECKING:
    from bayescollapse.estimator.learner import Learner

__all__ = ["Simulator"]


class Simulator:
    """Real rows from a function.

    Parameters
    ----------
    function : callable
        ``function(m, rng) -> Dataset`` of m rows on ``obs``, using no randomness but `rng`.
    truth : mapping of str to array_like, optional
        True parameter values, if known.

    Raises
    ------
    TypeError
        If `function` is not callable.

    Examples
    --------
    >>> import xarray as xr
    >>> import bayescollapse as bc
    >>> source = bc.Simulator(lambda m, rng: xr.Dataset({"y": ("obs", rng.gamma(2.0, size=m))}))
    """

    def __init__(
        self,
        function: Callable[[int, np.random.Generator], xr.Dataset],
        *,
        truth: Mapping[str, Any] | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(
                f"function must be a callable f(m, rng) -> Dataset, got {type(function).__name__}"
            )
        self.function = function
        self.truth_values = truth

    def check(self, estimator: Learner) -> None:
        """Draw two rows and check them, and the truth, against the model."""
        bound = self.bind(estimator, seed=0)
        bound.draw(2, 1, np.random.default_rng(0))

    def bind(self, estimator: Learner, *, seed: int) -> BoundSimulator:
        """Tell the simulator which rows it must return."""
        schema = estimator.schema
        stacked = None
        if self.truth_values is not None:
            arrays = {n: np.asarray(v, dtype=np.float64) for n, v in self.truth_values.items()}
            stacked = stack_parameters(arrays, schema)
        return BoundSimulator(self.function, schema, stacked)

    def describe(self) -> dict[str, Any]:
        """Give the configuration as plain values."""
        name = f"{self.function.__module__}.{self.function.__qualname__}"
        truth = {n: np.asarray(v).tolist() for n, v in (self.truth_values or {}).items()}
        return {"source": "Simulator", "function": name, "truth": truth}


@dataclass(frozen=True)
class BoundSimulator:
    """A simulator with the rows it must return."""

    function: Callable[[int, np.random.Generator], xr.Dataset]
    schema: RowSchema
    stacked: Floats | None
    default_covariates: str = "source"

    def truth(self, place: Place) -> Floats | None:
        """Give the true values, the same for every replicate."""
        if self.stacked is None:
            return None
        return np.broadcast_to(self.stacked, (place.replicates, self.stacked.shape[-1]))

    def real(self, n: int, place: Place) -> dict[str, NDArray[Any]]:
        """One call of the function per replicate."""
        return self.draw(n, place.replicates, place.generator())

    def covariates(self, m: int, place: Place) -> dict[str, NDArray[Any]]:
        """Covariates of freshly simulated rows."""
        rows = self.draw(m, place.replicates, place.generator("covariates"))
        return {v.name: rows[v.name] for v in self.schema.covariates}

    def draw(self, m: int, replicates: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        """Simulate and check the rows of a block."""
        drawn = []
        for _ in range(replicates):
            rows = self.function(m, rng)
            values = self.schema.values(rows, argument="function(m, rng)")
            if rows.sizes[ROW_DIM] != m:
                raise ValueError(
                    f"function(m, rng) must return m = {m} rows on 'obs', got {rows.sizes[ROW_DIM]}"
                )
            drawn.append(values)
        return {name: np.concatenate([d[name] for d in drawn]) for name in drawn[0]}
