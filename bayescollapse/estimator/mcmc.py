"""The NUTS engine: one replicate a block, compiled once per process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import FIGURES, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.graph import RowModel
from bayescollapse.estimator.model_engine import ModelEngine
from bayescollapse.estimator.nuts import NutsFit, NutsSampler
from bayescollapse.estimator.trees import PooledDraws

__all__ = ["NutsEngine", "SampledFit"]


@dataclass(frozen=True)
class SampledFit(PooledDraws):
    """One replicate's posterior as draws, with the gate figures of its last attempt."""

    fit: NutsFit

    @property
    def figures(self) -> dict[str, NDArray[Any]]:
        """Gate figures of the last attempt."""
        gate = self.fit.figures
        values = (
            gate.rhat,
            gate.ess_bulk,
            gate.ess_tail,
            gate.divergences,
            self.fit.attempts,
            gate.passed,
        )
        return {name: np.atleast_1d(value) for name, value in zip(FIGURES, values, strict=True)}

    def keep(self, count: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Evenly spaced draws of every chain."""
        length = next(iter(self.fit.parameters.values())).shape[1]
        chosen = np.linspace(0, length - 1, max(count // chains, 1)).round().astype(int)
        return {name: value[None, :, chosen] for name, value in self.fit.parameters.items()}


class NutsEngine(ModelEngine):
    """NUTS posteriors of any smooth PyMC model.

    Parameters
    ----------
    row_model : RowModel
        The model with exchangeable rows.
    """

    method = "nuts"
    block = 1

    def __init__(self, row_model: RowModel) -> None:
        super().__init__(row_model)
        self._sampler = NutsSampler(row_model)

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> SampledFit:
        """Fit the only replicate of the block."""
        rows, by_row = self.gather(groups, weights)
        fit = self._sampler.fit(
            {name: value[0] for name, value in rows.items()},
            by_row[0],
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            seeds=settings.seeds,
        )
        packed = self.schema.pack(fit.parameters, lead=2)
        return SampledFit(self.schema, packed.reshape(-1, packed.shape[-1]), fit)
