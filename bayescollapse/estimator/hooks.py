"""What an engine may do in its own way: emit rows, and give its predictive density.

Most posteriors can be handed on as a few parameters, from which the engine's ``forward`` makes rows
and ``log_density`` makes densities. Some cannot: Dirichlet weights on every row, a table of
transition probabilities with as many rows as there are contexts. Their engines implement the
protocols of this module, and the generation loop uses these in place of the default path.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.emission import Emission, emission_parameters
from bayescollapse.estimator.engine import Engine, Fit
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values

__all__ = ["DENSITY_DRAWS", "DensityEngine", "EmittingEngine", "emit_rows", "log_predictive"]

DENSITY_DRAWS = 200
"""Posterior draws behind a log predictive density that has no closed form."""


@runtime_checkable
class EmittingEngine(Protocol):
    """An engine whose posteriors emit rows without being written down as parameters."""

    def emit(
        self,
        fit: Any,
        emission: Emission,
        m: int,
        covariates: Values,
        parameters_rng: np.random.Generator | None,
        noise_rng: np.random.Generator,
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Floats] | None]:
        """Responses (replicate, m, …), and the parameters (replicate, member, …) behind them.

        The parameters are those of the engine's schema, for the run's ``emission`` group; None
        where there is no fixed number of them, or they were never made. A plug-in emission is given
        no `parameters_rng`.
        """


@runtime_checkable
class DensityEngine(Protocol):
    """An engine that knows its log predictive density."""

    def log_predictive(self, fit: Any, rows: Values, rng: np.random.Generator) -> Floats:
        """Log of the posterior mean of every row's density, shape (replicate, obs), in nats.

        `rows` have a leading axis of one or of all replicates.
        """


def emit_rows(
    engine: Engine,
    fit: Fit,
    emission: Emission,
    m: int,
    covariates: Values,
    parameters_rng: np.random.Generator | None,
    noise_rng: np.random.Generator,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any] | None]:
    """Emit m rows from the posterior of every replicate.

    Parameters
    ----------
    engine : Engine
        Its own ``emit`` is used if it has one, else its ``forward`` at posterior draws.
    fit : Fit
        Posteriors of a block of replicates.
    emission : Emission
        How rows come from the posterior.
    m : int
        Rows a replicate.
    covariates : mapping of str to ndarray, shape (replicate, m, …)
        Covariates of the rows.
    parameters_rng : Generator or None
        Stream of the posterior draws; a plug-in emission needs none.
    noise_rng : Generator
        Stream of the rows' noise.

    Returns
    -------
    responses : dict of str to ndarray, shape (replicate, m, …)
        The rows, without covariates.
    recorded : dict of str to ndarray, shape (replicate, member, …), or None
        Distinct parameter values behind them.

    Raises
    ------
    ValueError
        If the members of an ensemble do not divide m.
    """
    if isinstance(engine, EmittingEngine):
        return engine.emit(fit, emission, m, covariates, parameters_rng, noise_rng)
    parameters, recorded = emission_parameters(fit, emission, m, parameters_rng)
    return engine.forward(parameters, covariates, m, noise_rng), recorded


def log_predictive(engine: Engine, fit: Fit, rows: Values, rng: np.random.Generator) -> Floats:
    """Log predictive density of rows.

    Parameters
    ----------
    engine : Engine
        Its own ``log_predictive`` is used if it has one, else the mean over 200 posterior draws.
    fit : Fit
        Posteriors of a block of replicates.
    rows : mapping of str to ndarray, shape (replicate or 1, obs, …)
        Responses and covariates.
    rng : Generator
        Stream of the posterior draws.

    Returns
    -------
    ndarray, shape (replicate, obs)
        In nats.

    Notes
    -----
    The log of a mean over draws is biased downwards by half the relative variance of that mean.
    """
    if isinstance(engine, DensityEngine):
        return engine.log_predictive(fit, rows, rng)
    draws = fit.draws(DENSITY_DRAWS, rng)
    replicates = next(iter(draws.values())).shape[0]
    wide = {n: np.broadcast_to(v, (replicates, *v.shape[1:])) for n, v in rows.items()}
    density = engine.log_density(draws, wide)
    return np.asarray(np.logaddexp.reduce(density, axis=1) - np.log(density.shape[1]))
