"""Covariate distributions of a truth, and the common form they take inside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer, positive, real_number
from bayescollapse.rows import ROW_DIM, RowSchema

__all__ = ["CovariateSource", "NormalCovariates", "covariate_block", "describe_covariates"]


class CovariateSource(Protocol):
    """Covariates of a whole block of replicates in one call."""

    def block(self, replicates: int, m: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        """Covariates of shape (replicate, m, …) by name."""


@dataclass(frozen=True)
class NormalCovariates:
    """Independent normal covariates, drawn for a whole block at once.

    Parameters
    ----------
    features : int
        Number of columns.
    mean, sd : float
        Of every column; `sd` is positive.
    name : str, default "x"
        Name of the covariates in the model.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.sources import NormalCovariates
    >>> NormalCovariates(2).block(3, 5, np.random.default_rng(1))["x"].shape
    (3, 5, 2)
    """

    features: int
    mean: float = 0.0
    sd: float = 1.0
    name: str = "x"

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        integer("features", self.features)
        real_number("mean", self.mean)
        positive("sd", self.sd)

    def block(self, replicates: int, m: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        """Covariates of shape (replicate, m, feature)."""
        x = rng.standard_normal((replicates, m, self.features))
        if self.sd != 1.0:
            x *= self.sd
        if self.mean:
            x += self.mean
        return {self.name: x}


def covariate_block(
    covariates: CovariateSource
    | Callable[[int, np.random.Generator], xr.Dataset]
    | xr.Dataset
    | None,
    schema: RowSchema,
    m: int,
    replicates: int,
    rng: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    """Covariates of a block from any of the accepted forms, checked against the model."""
    only = RowSchema((), schema.covariates, (), schema.coords)
    if not only.covariates:
        return {}
    if covariates is None:
        raise ValueError(
            f"covariates must be given: the model reads {[v.name for v in schema.covariates]}; "
            "pass covariates=f(m, rng) -> Dataset, NormalCovariates(features), or a Dataset (fixed "
            "design)"
        )
    if isinstance(covariates, xr.Dataset):
        return _fixed_design(only.values(covariates, argument="covariates"), m, replicates)
    if callable(covariates):
        drawn = [_one_draw(covariates, only, m, rng) for _ in range(replicates)]
        return {name: np.concatenate([d[name] for d in drawn]) for name in drawn[0]}
    return covariates.block(replicates, m, rng)


def describe_covariates(covariates: Any) -> Any:
    """Plain description of a covariate source, part of a run's identity."""
    if isinstance(covariates, xr.Dataset):
        digest = hashlib.sha256()
        for name in sorted(map(str, covariates.data_vars)):
            digest.update(
                name.encode() + np.ascontiguousarray(covariates[name].to_numpy()).tobytes()
            )
        return {"design": digest.hexdigest()[:16], "rows": int(covariates.sizes.get(ROW_DIM, 0))}
    if callable(covariates):
        return {"function": f"{covariates.__module__}.{covariates.__qualname__}"}
    return None if covariates is None else repr(covariates)


def _fixed_design(
    design: dict[str, NDArray[Any]], m: int, replicates: int
) -> dict[str, NDArray[Any]]:
    rows = next(iter(design.values())).shape[1]
    if rows != m:
        raise ValueError(
            f"covariates is a fixed design of {rows} rows, but {m} rows are wanted: n_real and "
            "n_synthetic must equal the design's rows, or pass covariates=f(m, rng) for a random "
            "design"
        )
    return {n: np.broadcast_to(v, (replicates, *v.shape[1:])) for n, v in design.items()}


def _one_draw(
    function: Callable[[int, np.random.Generator], xr.Dataset],
    schema: RowSchema,
    m: int,
    rng: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    rows = function(m, rng)
    values = schema.values(rows, argument="covariates(m, rng)")
    if rows.sizes[ROW_DIM] != m:
        raise ValueError(
            f"covariates(m, rng) must return m = {m} rows on 'obs', got {rows.sizes[ROW_DIM]}"
        )
    return values
