r"""Tempered rows of any PyMC model: its observed variables rewritten, family by family.

Rows at temperature :math:`\tau` come from :math:`p(y \mid \theta)^{1/\tau}`, renormalised. A table
holds the families in which that is a distribution of the same kind in closed form; every other one
is refused by name. A sampling bias multiplies the covariance of the noise around the location, and
exists for families of a symmetric location and a scale.

Only the forward graph is rewritten: posteriors and densities are those of the model. An observed
variable that depends on another one is tempered given it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import pytensor.tensor as pt
from pymc.distributions.continuous import TruncatedNormalRV
from pymc.distributions.discrete import DiscreteUniformRV
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import toposort
from pytensor.tensor.random import basic
from pytensor.tensor.random.op import RandomVariable

from bayescollapse.estimator.rebuild import rebuild

__all__ = ["LOCATION_SCALE", "TEMPERED", "tempered_responses"]

Rule = Callable[..., Sequence[Any]]


def _scaled(location: Any, scale: Any, t: float) -> Sequence[Any]:
    return location, scale * np.sqrt(t)


def _student(degrees: Any, location: Any, scale: Any, t: float) -> Sequence[Any]:
    fewer = (degrees + 1) / t - 1
    return fewer, location, scale * pt.sqrt(degrees / fewer)


def _log_normal(location: Any, scale: Any, t: float) -> Sequence[Any]:
    return location + (t - 1) * scale**2, scale * np.sqrt(t)


def _bernoulli(p: Any, t: float) -> Sequence[Any]:
    # Relative to the larger one, so that powers do not underflow together.
    largest = pt.maximum(p, 1 - p)
    yes, no = (p / largest) ** (1 / t), ((1 - p) / largest) ** (1 / t)
    return (yes / (yes + no),)


def _categorical(p: Any, t: float) -> Sequence[Any]:
    powers = (p / p.max(axis=-1, keepdims=True)) ** (1 / t)
    return (powers / powers.sum(axis=-1, keepdims=True),)


TEMPERED: dict[type[Any], Rule] = {
    basic.NormalRV: _scaled,
    basic.HalfNormalRV: _scaled,
    TruncatedNormalRV: lambda mu, sigma, low, high, t: (mu, sigma * np.sqrt(t), low, high),
    basic.MvNormalRV: lambda mean, covariance, t: (mean, covariance * t),
    basic.LogNormalRV: _log_normal,
    basic.LaplaceRV: lambda mu, b, t: (mu, b * t),
    basic.StudentTRV: _student,
    basic.ExponentialRV: lambda scale, t: (scale * t,),
    basic.GammaRV: lambda shape, scale, t: ((shape - 1) / t + 1, scale * t),
    basic.InvGammaRV: lambda shape, scale, t: ((shape + 1) / t - 1, scale / t),
    basic.BetaRV: lambda a, b, t: ((a - 1) / t + 1, (b - 1) / t + 1),
    basic.DirichletRV: lambda a, t: ((a - 1) / t + 1,),
    basic.VonMisesRV: lambda mu, kappa, t: (mu, kappa / t),
    basic.GeometricRV: lambda p, t: (1 - (1 - p) ** (1 / t),),
    basic.BernoulliRV: _bernoulli,
    basic.CategoricalRV: _categorical,
    basic.UniformRV: lambda low, high, t: (low, high),
    DiscreteUniformRV: lambda low, high, t: (low, high),
}
"""Parameters of the operator at a temperature, by family."""

LOCATION_SCALE: dict[type[Any], Rule] = {
    basic.NormalRV: _scaled,
    basic.MvNormalRV: lambda mean, covariance, bias: (mean, covariance * bias),
    basic.LaplaceRV: _scaled,
    basic.LogisticRV: _scaled,
    basic.CauchyRV: _scaled,
    basic.StudentTRV: lambda nu, mu, sigma, bias: (nu, mu, sigma * np.sqrt(bias)),
}
"""Parameters of the operator at a sampling bias, by family."""


def tempered_responses(
    responses: Sequence[Variable], temperature: float, sampling_bias: float
) -> list[Variable]:
    """Rewrite observed variables at a temperature and a sampling bias.

    Parameters
    ----------
    responses : sequence of Variable
        Observed variables of a model.
    temperature : float
        Positive; 1 leaves them as they are.
    sampling_bias : float
        In (0, 1]; 1 leaves them as they are.

    Returns
    -------
    list of Variable
        In the same order.

    Raises
    ------
    ValueError
        If a family has no tempered law of its kind, or no location and scale.

    Notes
    -----
    A Student-t variable with nu degrees of freedom stays one with (nu + 1)/temperature - 1, which
    must be positive; likewise the shapes of gamma, inverse-gamma, beta and Dirichlet variables. It
    depends on the parameters, so it shows when rows are drawn, as an error of the generator.
    """
    memo: dict[Variable, Variable] = {}
    for rv in _in_order(responses):
        node = rv.owner
        if not isinstance(node.op, RandomVariable):
            _refuse(rv, "temperature" if temperature != 1 else "sampling_bias")
        _, size, *parameters = node.inputs
        parameters = rebuild(parameters, memo)
        if temperature != 1:
            parameters = _apply(TEMPERED, rv, parameters, "temperature", temperature)
        if sampling_bias != 1:
            parameters = _apply(LOCATION_SCALE, rv, parameters, "sampling_bias", sampling_bias)
        made = node.op.make_node(node.inputs[0], rebuild([size], memo)[0], *parameters)
        memo[rv] = made.outputs[1]
    return [memo[rv] for rv in responses]


def _in_order(responses: Sequence[Variable]) -> list[Variable]:
    place = {out: i for i, node in enumerate(toposort(responses)) for out in node.outputs}
    return sorted(responses, key=lambda rv: place[rv])


def _apply(
    table: dict[type[Any], Rule],
    rv: Variable,
    parameters: Sequence[Any],
    setting: str,
    value: float,
) -> list[Any]:
    # Subclasses may have other parameters: a family is its own class.
    rule = table.get(type(rv.owner.op))
    if rule is None:
        _refuse(rv, setting)
    return [pt.as_tensor(p) for p in rule(*parameters, value)]


def _refuse(rv: Variable, setting: str) -> NoReturn:
    kind = type(rv.owner.op).__name__.removesuffix("RV")
    table = TEMPERED if setting == "temperature" else LOCATION_SCALE
    known = ", ".join(sorted(cls.__name__.removesuffix("RV") for cls in table))
    reason = (
        "its power is no distribution of the same kind"
        if setting == "temperature"
        else "it has no symmetric location and scale"
    )
    raise ValueError(
        f"emission with {setting} cannot draw the observed variable {rv.name!r}, which is {kind}: "
        f"{reason} that is known here ({known}); leave {setting} out, or write the model with one "
        "of these"
    )
