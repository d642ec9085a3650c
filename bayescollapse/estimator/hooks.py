"""What an engine may do in its own way: emit rows, and give its predictive density.

Most posteriors can be handed on as a few parameters, from which the engine's ``forward`` makes rows
and ``log_density`` makes densities. Some cannot: Dirichlet weights on every row, a table of
transition probabilities with as many rows as there are contexts. Their engines implement the
protocols of this module, and the generation loop uses these in place of the default path.

An engine refuses every emission that it does not honour, before a row is drawn:
:func:`check_emission` does so for an experiment that is being set up, :func:`emit_rows` for every
caller.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.emission import Emission, emission_parameters
from bayescollapse.estimator.engine import Engine, ExactEngine, ExactFit, Fit
from bayescollapse.estimator.exact import (
    Floats,
    ForwardFunction,
    PredictiveSampler,
    TemperedSampler,
)
from bayescollapse.estimator.points import Point, PointSampler
from bayescollapse.rows import Values

__all__ = [
    "DENSITY_DRAWS",
    "DensityEngine",
    "EmittingEngine",
    "check_emission",
    "emit_rows",
    "log_predictive",
    "refuse_unplain",
]

DENSITY_DRAWS = 200
"""Posterior draws behind a log predictive density that has no closed form."""


@runtime_checkable
class EmittingEngine(Protocol):
    """An engine whose posteriors emit rows without being written down as parameters.

    Two attributes are optional. ``repeatable`` (bool) says whether ``emit`` finds the posterior
    draws of joint and ensemble emission again from a `parameters_rng` in the same state, whatever
    `noise_rng` and the number of rows a draw are, so that a generation can emit in rounds; engines
    without their own ``emit`` always do. ``check_emission(emission)`` raises ValueError for what
    ``emit`` does not honour; without it, points other than the posterior mean, temperature and
    sampling bias are refused.
    """

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
        If the members of an ensemble do not divide m, or the engine cannot emit that way.
    """
    if not emission.plain:
        check_emission(engine, emission)
    if isinstance(engine, EmittingEngine):
        return engine.emit(fit, emission, m, covariates, parameters_rng, noise_rng)
    parameters, recorded = emission_parameters(fit, emission, m, parameters_rng)
    forward = _tempered(engine, emission) if emission.tempered else engine.forward
    return forward(parameters, covariates, m, noise_rng), recorded


def check_emission(engine: Engine, emission: Emission) -> None:
    """Refuse an emission that an engine does not honour; nothing is compiled or drawn.

    Parameters
    ----------
    engine : Engine
        The engine of an estimator.
    emission : Emission
        How rows are to come from its posteriors.

    Raises
    ------
    ValueError
        If the engine does not have the point, or its rows cannot be tempered or narrowed.

    Examples
    --------
    >>> from bayescollapse.estimator.emission import parse_emission
    >>> from bayescollapse.estimator.hooks import check_emission
    >>> from bayescollapse.models import gaussian
    >>> check_emission(gaussian.estimator().engine(), parse_emission("plug-in(unbiased)"))
    """
    if emission.plain:
        return
    if isinstance(engine, EmittingEngine):
        own = getattr(engine, "check_emission", None)
        if own is None:
            refuse_unplain(engine, emission)
        else:
            own(emission)
        return
    if emission.point != Point():
        _check_point(engine, emission)
    if emission.tempered:
        _tempered(engine, emission)


def refuse_unplain(engine: object, emission: Emission) -> None:
    """Refuse points other than the posterior mean, temperature and sampling bias.

    Raises
    ------
    ValueError
        If the emission has one of these.
    """
    if not emission.plain:
        raise ValueError(
            f"emission {emission.label!r} is not known to {type(engine).__name__}, which emits its "
            f"rows itself: use {Emission(emission.kind, emission.members).label!r}, without a "
            "point, temperature or sampling_bias"
        )


def _check_point(engine: Engine, emission: Emission) -> None:
    if isinstance(engine, ExactEngine):
        if not isinstance(engine.sampler, PointSampler):
            raise ValueError(
                f"emission {emission.label!r} needs {type(engine.sampler).__name__} to have a "
                "method point_estimate(point), and it has none: add it (see "
                "bayescollapse.estimator.points), or use 'plug-in'"
            )
        engine.sampler.point_estimate(emission.point)
        return
    own = getattr(engine, "check_point", None)
    if own is None:
        refuse_unplain(engine, emission)
    else:
        own(emission.point)


def _tempered(engine: Engine, emission: Emission) -> ForwardFunction:
    """Forward function at the temperature and sampling bias of an emission."""
    own: object = engine.sampler if isinstance(engine, ExactEngine) else engine
    if not isinstance(own, TemperedSampler):
        raise ValueError(
            f"emission {emission.label!r} needs {type(own).__name__} to have a method "
            "tempered(temperature, sampling_bias), and it has none: its tempered rows have no "
            "closed form, or nobody wrote it down (see bayescollapse.estimator.exact)"
        )
    return own.tempered(emission.temperature, emission.sampling_bias)


def log_predictive(engine: Engine, fit: Fit, rows: Values, rng: np.random.Generator) -> Floats:
    """Log predictive density of rows.

    Parameters
    ----------
    engine : Engine
        Its own ``log_predictive`` is used if it has one, then the closed form of its exact sampler,
        else the mean over 200 posterior draws.
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
    sampler = getattr(engine, "sampler", None)
    if isinstance(sampler, PredictiveSampler) and isinstance(fit, ExactFit):
        density = sampler.log_predictive(fit.stats, rows)
        shape = (engine.block, density.shape[1])
        return np.asarray(density if density.shape == shape else np.broadcast_to(density, shape))
    draws = fit.draws(DENSITY_DRAWS, rng)
    replicates = next(iter(draws.values())).shape[0]
    wide = {n: np.broadcast_to(v, (replicates, *v.shape[1:])) for n, v in rows.items()}
    density = engine.log_density(draws, wide)
    return np.asarray(np.logaddexp.reduce(density, axis=1) - np.log(density.shape[1]))
