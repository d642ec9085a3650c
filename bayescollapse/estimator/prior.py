"""Prior draws of the free variables of a row model, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymc.distributions.continuous import FlatRV, HalfFlatRV
from pymc.pytensorf import find_rng_nodes
from pytensor.tensor.random.type import random_generator_type

from bayescollapse.estimator.functions import Outputs, compile_function, generators
from bayescollapse.estimator.graph import RowModel
from bayescollapse.estimator.rebuild import rebuild

__all__ = ["PriorDraw"]


class PriorDraw:
    """Draw the free variables of a model from their prior.

    Parameters
    ----------
    built : RowModel
        The row model.

    Raises
    ------
    ValueError
        If the prior is improper, or is no generative one.
    """

    def __init__(self, built: RowModel) -> None:
        self._built = built
        _refuse_prior(built)

    def __call__(self, size: int, rng: np.random.Generator) -> Outputs:
        """Draw from the prior.

        Parameters
        ----------
        size : int
            Number of draws.
        rng : Generator
            Source of randomness.

        Returns
        -------
        dict of str to ndarray, shape (size, …)
            Free variables on their own scale.
        """
        function, rngs = self._compiled
        draws = [function(*generators(rng, rngs)) for _ in range(size)]
        names = [v.name for v in self._built.schema.parameters]
        return {name: np.stack(d) for name, d in zip(names, zip(*draws, strict=True), strict=True)}

    @cached_property
    def _compiled(self) -> tuple[Callable[..., Sequence[NDArray[Any]]], int]:
        outputs = [self._built.model[v.name] for v in self._built.schema.parameters]
        rngs = find_rng_nodes(outputs)
        inputs = [random_generator_type(f"rng_{i}") for i in range(len(rngs))]
        replaced = rebuild(outputs, dict(zip(rngs, inputs, strict=True)))
        return compile_function(inputs, replaced), len(rngs)


def _refuse_prior(built: RowModel) -> None:
    model, responses = built.model, {v.name for v in built.schema.responses}
    for rv in model.free_RVs:
        if isinstance(rv.owner.op, FlatRV | HalfFlatRV):
            raise ValueError(
                f"the prior of {rv.name!r} is improper "
                f"({type(rv.owner.op).__name__.removesuffix('RV')}), so no truth can be drawn from "
                "it: give the variable a proper prior, or name a truth"
            )
    others = [p.name for p in model.potentials]
    others += [rv.name for rv in model.observed_RVs if rv.name not in responses]
    if others:
        raise ValueError(
            f"the prior contains {others} (a pm.Potential, or an observed variable without rows), "
            "so it cannot be drawn from: name a truth instead"
        )
