"""What the lineage hands to a scheme's own functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values

__all__ = ["Context", "Previous"]

RowDensity = Callable[[Values], Floats]


@dataclass(frozen=True)
class Previous:
    """The emitting generation, as a selection may use it.

    Parameters
    ----------
    posterior : callable
        ``posterior(draws) -> Dataset`` of posterior draws, dimensions (replicate, draw, …).
    log_density : callable
        ``log_density(rows) -> DataArray`` of log posterior predictive densities (replicate, obs),
        in nats.
    propose : callable
        ``propose(m) -> Dataset`` of m further rows per replicate under the scheme's own emission.
    log_likelihood : callable, optional
        ``log_likelihood(*rows, draws=100)``: row-wise log-likelihoods at common posterior draws,
        one array (replicate, draw, obs) for each dataset or mapping of rows.
    log_predictive : callable, optional
        The same as `log_density`, from and to plain arrays (replicate, obs).
    """

    posterior: Callable[[int], xr.Dataset]
    log_density: Callable[[xr.Dataset], xr.DataArray]
    propose: Callable[[int], xr.Dataset]
    log_likelihood: Callable[..., tuple[Floats, ...]] | None = None
    log_predictive: RowDensity | None = None


@dataclass(frozen=True)
class Context:
    """Everything that reaches a selection or a weighting.

    Parameters
    ----------
    generation : int
        The generation that is about to be fitted.
    n_real, n_synthetic : int
        Real and synthetic rows of this generation.
    rng_source : Generator or callable
        A stream of its own, keyed by block and generation.
    real_source : Dataset, callable or None
        Real rows (replicate, obs) that the lineage has at hand; None where it has none after
        generation 0. For a selection these are the rows of the emitting generation.
    previous : Previous or None
        The emitting generation; None for a weighting.
    oracle_source : Dataset, callable or None
        True parameters (replicate, …), only for functions that declare ``reads_oracle = True``.
    trained_source : mapping of str to ndarray, callable or None
        Rows that the emitting generation was trained on, shape (replicate, obs, …).
    true_log_density : callable or None
        ``f(rows) -> ndarray`` (replicate, obs): log density of rows, as plain arrays, under the
        truth; for functions that read the oracle only.
    label : callable or None
        ``label(rows) -> Dataset``: names the dimensions of rows that are plain arrays.

    Notes
    -----
    Functions read the properties `real`, `oracle` and `trained`. Their sources are values, or
    functions without arguments that are called when the property is first read.
    """

    generation: int
    n_real: int
    n_synthetic: int
    rng_source: Any = field(repr=False)
    real_source: Any = field(default=None, repr=False)
    previous: Previous | None = None
    oracle_source: Any = field(default=None, repr=False)
    trained_source: Any = field(default=None, repr=False)
    true_log_density: RowDensity | None = field(default=None, repr=False)
    label: Callable[[Values], xr.Dataset] | None = field(default=None, repr=False)

    @cached_property
    def rng(self) -> np.random.Generator:
        """Stream of the function's own randomness."""
        value: np.random.Generator = _read(self.rng_source)
        return value

    @cached_property
    def real(self) -> xr.Dataset | None:
        """Real rows at hand."""
        value: xr.Dataset | None = _read(self.real_source)
        return value

    @cached_property
    def oracle(self) -> xr.Dataset | None:
        """True parameters, where the function reads them."""
        value: xr.Dataset | None = _read(self.oracle_source)
        return value

    @cached_property
    def trained(self) -> Values | None:
        """Rows that the emitting generation was trained on."""
        value: Values | None = _read(self.trained_source)
        return value


def _read(source: Any) -> Any:
    return source() if callable(source) else source
