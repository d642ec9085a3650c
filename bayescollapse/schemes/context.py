"""What the lineage hands to a scheme's own functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

__all__ = ["Context", "Previous"]


@dataclass(frozen=True)
class Previous:
    """The previous generation, as a selection or weighting may use it.

    Parameters
    ----------
    posterior : callable
        ``posterior(draws) -> Dataset`` of posterior draws, dimensions (replicate, draw, …).
    log_density : callable
        ``log_density(rows) -> DataArray`` of log posterior predictive densities (replicate, obs).
    propose : callable
        ``propose(m) -> Dataset`` of m further rows per replicate under the scheme's own emission.
    """

    posterior: Callable[[int], xr.Dataset]
    log_density: Callable[[xr.Dataset], xr.DataArray]
    propose: Callable[[int], xr.Dataset]


@dataclass(frozen=True)
class Context:
    """Everything that reaches a selection or a weighting.

    Parameters
    ----------
    generation : int
        The generation that is about to be fitted.
    n_real, n_synthetic : int
        Real and synthetic rows of this generation.
    rng : Generator
        A stream of its own, keyed by block and generation.
    real : Dataset or None
        Real rows of this generation (replicate, obs); None where there are none.
    previous : Previous or None
        The previous generation; None at generation 0.
    oracle : Dataset or None
        True parameters, only for functions that declare ``reads_oracle = True``.
    """

    generation: int
    n_real: int
    n_synthetic: int
    rng: np.random.Generator
    real: xr.Dataset | None
    previous: Previous | None
    oracle: xr.Dataset | None = None
