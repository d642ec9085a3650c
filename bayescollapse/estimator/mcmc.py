"""The NUTS engine: one replicate a block, compiled once per process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import FIGURES, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.forward import Density, Forward
from bayescollapse.estimator.graph import RowModel, probe
from bayescollapse.estimator.nuts import NutsFit, NutsSampler
from bayescollapse.estimator.trees import PooledDraws
from bayescollapse.rows import Values, concatenate_rows

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


class NutsEngine:
    """NUTS posteriors of any smooth PyMC model.

    Parameters
    ----------
    row_model : RowModel
        The model with exchangeable rows.
    """

    method = "nuts"
    block = 1

    def __init__(self, row_model: RowModel) -> None:
        self.schema = row_model.schema
        self._row_model = row_model
        self._probed = False
        self._sampler = NutsSampler(row_model)
        self._forward = Forward(row_model)
        self._density = Density(row_model)

    def digest(self, rows: Values) -> None:
        """Nothing: the sampler reads the rows."""

    def join(self, digests: Sequence[Any]) -> None:
        """Nothing to join."""

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> SampledFit:
        """Fit the only replicate of the block."""
        rows = concatenate_rows([part for group in groups for part in group.parts])
        by_row = [
            weight[0] if isinstance(weight, np.ndarray) else np.full(group.count, weight)
            for group, weight in zip(groups, weights, strict=True)
        ]
        one = {name: value[0] for name, value in rows.items()}
        if not self._probed:
            # Template rows may be too plain to show that one row's term depends on another row.
            probe(self._row_model, one)
            self._probed = True
        fit = self._sampler.fit(
            one,
            np.concatenate(by_row),
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            seeds=settings.seeds,
        )
        packed = self.schema.pack(fit.parameters, lead=2)
        return SampledFit(self.schema, packed.reshape(-1, packed.shape[-1]), fit)

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Responses from the compiled forward function, one call a replicate."""
        blocks = []
        for r in range(next(iter(parameters.values())).shape[0]):
            one = {name: value[r] for name, value in parameters.items()}
            x = {name: value[r] for name, value in covariates.items()}
            if next(iter(one.values())).shape[0] == 1:
                single = {name: value[0] for name, value in one.items()}
                blocks.append(self._forward(single, x, m, rng))
            else:
                blocks.append(self._forward.per_row(one, x, m, rng))
        return {name: np.stack([block[name] for block in blocks]) for name in blocks[0]}

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Row-wise log-likelihood from the compiled density, one call a replicate."""
        count = next(iter(parameters.values())).shape[0]
        return np.stack(
            [
                self._density(
                    {name: value[r] for name, value in parameters.items()},
                    {name: value[r] for name, value in rows.items()},
                )
                for r in range(count)
            ]
        )
