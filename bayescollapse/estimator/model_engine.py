"""What every engine of a PyMC model shares: its rows, its forward function and its density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Group, Weight
from bayescollapse.estimator.exact import Floats, ForwardFunction
from bayescollapse.estimator.forward import Density, Forward
from bayescollapse.estimator.graph import RowModel, probe
from bayescollapse.estimator.points import TRANSFORMS, Point, check_point
from bayescollapse.rows import Values, concatenate_rows

__all__ = ["ModelEngine"]


class ModelEngine:
    """Base of the engines that read a PyMC model; each adds ``method``, ``block``, ``condition``.

    Parameters
    ----------
    row_model : RowModel
        The model with exchangeable rows.
    """

    method: str

    def __init__(self, row_model: RowModel) -> None:
        self.schema = row_model.schema
        self.row_model = row_model
        self._probed = False
        self._forward = Forward(row_model)
        self._density = Density(row_model)
        self._tempered: dict[tuple[float, float], Forward] = {}

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
        return _blockwise(self._forward, parameters, covariates, m, rng)

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Forward function of tempered or narrowed rows, compiled once for each setting."""
        key = (temperature, sampling_bias)
        if key not in self._tempered:
            self._tempered[key] = Forward(
                self.row_model, temperature=temperature, sampling_bias=sampling_bias
            )
        compiled = self._tempered[key]

        def forward(
            parameters: Values, covariates: Values, m: int, rng: np.random.Generator
        ) -> dict[str, NDArray[Any]]:
            try:
                return _blockwise(compiled, parameters, covariates, m, rng)
            except ValueError as error:
                reason = str(error).partition("\n")[0]
                raise ValueError(
                    f"no rows at temperature={temperature!r} and sampling_bias={sampling_bias!r}: "
                    f"{reason} (the tempered law may not exist at these parameters; take a "
                    "temperature nearer 1)"
                ) from error

        return forward

    def check_point(self, point: Point) -> None:
        """Refuse a point that draws do not give; a mode only where the fit is one.

        Raises
        ------
        ValueError
            If the engine's fits do not have the point.
        """
        if point == Point("map") and self.method == "map":
            return
        free = {v.name: self.row_model.model[v.name] for v in self.schema.parameters}
        variables = {name: _transforms(rv) for name, rv in free.items()}
        check_point(self, point, variables, ("mean",))

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


def _blockwise(
    forward: Forward, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """Rows of every replicate, at one value of its parameters or one for each row."""
    replicates, per_replicate = next(iter(parameters.values())).shape[:2]
    if per_replicate == 1:
        one = {name: value[:, 0] for name, value in parameters.items()}
        return forward.many(one, covariates, m, rng)
    flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in parameters.items()}
    x = {name: value.reshape(-1, *value.shape[2:]) for name, value in covariates.items()}
    rows = forward.per_row(flat, x, replicates * m, rng)
    return {name: value.reshape(replicates, m, *value.shape[1:]) for name, value in rows.items()}


def _transforms(rv: Any) -> tuple[str, ...]:
    """Name what keeps a mean inside the variable's range; draws show the rest."""
    if rv.owner.op.ndim_supp == 0:
        return TRANSFORMS
    return ("log",) if type(rv.owner.op).__name__ == "DirichletRV" else ()
