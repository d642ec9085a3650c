"""What every engine of a PyMC model shares: its rows, its forward function and its density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.forward import Density, Forward
from bayescollapse.estimator.graph import RowModel, probe
from bayescollapse.rows import Values, concatenate_rows

__all__ = ["ModelEngine"]


class ModelEngine:
    """Base of the engines that read a PyMC model; each adds ``method``, ``block``, ``condition``.

    Parameters
    ----------
    row_model : RowModel
        The model with exchangeable rows.
    """

    def __init__(self, row_model: RowModel) -> None:
        self.schema = row_model.schema
        self.row_model = row_model
        self._probed = False
        self._forward = Forward(row_model)
        self._density = Density(row_model)

    def digest(self, rows: Values) -> None:
        """Nothing: the method reads the rows."""

    def join(self, digests: Sequence[Any]) -> None:
        """Nothing to join."""

    def gather(self, groups: Sequence[Group], weights: Sequence[Weight]) -> tuple[Values, Floats]:
        """All rows (replicate, obs, …) and their weights (replicate, obs); the first are probed."""
        rows = concatenate_rows([part for group in groups for part in group.parts])
        replicates = next(iter(rows.values())).shape[0]
        by_row = [
            np.broadcast_to(weight, (replicates, group.count))
            for group, weight in zip(groups, weights, strict=True)
        ]
        if not self._probed:
            # Template rows may be too plain to show that one row's term depends on another row.
            probe(self.row_model, {name: value[0] for name, value in rows.items()})
            self._probed = True
        return rows, np.concatenate(by_row, axis=1)

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Responses from the compiled forward function."""
        replicates, per_replicate = next(iter(parameters.values())).shape[:2]
        if per_replicate == 1:
            one = {name: value[:, 0] for name, value in parameters.items()}
            return self._forward.many(one, covariates, m, rng)
        flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in parameters.items()}
        x = {name: value.reshape(-1, *value.shape[2:]) for name, value in covariates.items()}
        rows = self._forward.per_row(flat, x, replicates * m, rng)
        return {
            name: value.reshape(replicates, m, *value.shape[1:]) for name, value in rows.items()
        }

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
