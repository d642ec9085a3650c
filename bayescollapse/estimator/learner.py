"""What an experiment needs of an estimator."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import xarray as xr

from bayescollapse.estimator.emission import Emission
from bayescollapse.estimator.engine import Engine
from bayescollapse.rows import RowSchema

__all__ = ["Learner"]


@runtime_checkable
class Learner(Protocol):
    """An estimator: a PyMC model (``bc.Estimator``) or a posterior of its own kind.

    It must be possible to pickle it: workers get a copy.
    """

    @property
    def schema(self) -> RowSchema:
        """Responses, covariates and parameters."""

    def resolve(self, method: str) -> str:
        """Name the method that ``method`` stands for; ValueError if it is unknown."""

    def engine(self, method: str = "auto") -> Engine:
        """Engine of a method."""

    def fingerprint(self) -> str:
        """Digest of everything that decides a posterior, settings included."""

    def fit(
        self,
        rows: xr.Dataset,
        weights: Any = None,
        *,
        method: str = "auto",
        draws: int = 500,
        tune: int | None = None,
        chains: int = 2,
        seed: int | None = None,
    ) -> xr.DataTree:
        """Posterior given weighted rows."""

    def emit(
        self,
        posterior: xr.DataTree,
        m: int,
        *,
        emission: str | Emission = "joint",
        covariates: xr.Dataset | None = None,
        seed: int | None = None,
    ) -> xr.Dataset:
        """Synthetic rows from a posterior."""
