r"""Points: which estimate a plug-in emission takes from a posterior.

A point estimate depends on the scale it is taken on, and the loop depends on the estimate: for a
Gaussian with prior 1/sigma^2, the posterior mean of sigma^2 makes a fully synthetic loop expand,
that of log sigma keeps it in balance, a mode makes it collapse
(:func:`bayescollapse.theory.log_variance_drift`). So a point names its scale:

=================  ================================================================================
``mean``           posterior mean of every free variable on its own scale
``map``            mode of the joint posterior density of all free variables on their own scale: no
                   Jacobian of the sampler's transformations, as in ``pm.find_MAP``
``marginal map``   mode of each variable's own posterior density
``mle``            maximum of the weighted likelihood alone; the prior does not matter
``unbiased``       the same with the divisor total weight minus estimated means for a variance
=================  ================================================================================

``mean of log sigma`` transforms a variable first and the estimate back; ``map of square sigma`` is
the mode of the density of sigma^2. ``mle`` and ``unbiased`` take no transformation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats, Stats

__all__ = [
    "POINTS",
    "POSITIVE",
    "TRANSFORMS",
    "UNIT",
    "Point",
    "PointFit",
    "PointSampler",
    "check_point",
    "mean_of_draws",
    "parse_point",
]

POINTS = ("mean", "map", "marginal map", "mle", "unbiased")
"""Points by name."""

POWERS = {"identity": 1.0, "log": 0.0, "sqrt": 0.5, "square": 2.0, "reciprocal": -1.0}
"""Powers that are averaged; the logarithm is the limit of powers near 0."""

POSITIVE = ("log", "sqrt", "square", "reciprocal")
"""Transformations of a positive variable."""

UNIT = (*POSITIVE, "logit")
"""Transformations of a variable between 0 and 1."""

TRANSFORMS = UNIT
"""Transformations by name."""

Estimate = Callable[[Stats], dict[str, Floats]]


@dataclass(frozen=True, repr=False)
class Point:
    """Point estimate of a plug-in emission.

    Parameters
    ----------
    kind : {"mean", "map", "marginal map", "mle", "unbiased"}
        The estimate.
    of : mapping of str to str, or tuple of pairs, optional
        Free variable to the transformation that the estimate is taken after: ``log``, ``sqrt``,
        ``square``, ``reciprocal`` (positive variables) or ``logit`` (between 0 and 1). Variables
        that are not named are taken as they are.

    Raises
    ------
    ValueError
        If a name is unknown, or the kind takes no transformation.

    Examples
    --------
    >>> from bayescollapse.estimator.points import Point
    >>> Point("mean", of={"sigma": "log"})
    Point('mean of log sigma')
    """

    kind: str = "mean"
    of: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse unknown names; keep the transformations as sorted pairs, so equals are equal."""
        if self.kind not in POINTS:
            raise ValueError(f"point must be one of {POINTS}, got {self.kind!r}")
        pairs: Any = self.of.items() if isinstance(self.of, Mapping) else self.of
        object.__setattr__(self, "of", tuple(sorted((str(n), str(t)) for n, t in pairs)))
        if self.of and self.kind in ("mle", "unbiased"):
            raise ValueError(
                f"point {self.kind!r} takes no transformation, got of={dict(self.of)}: "
                "transformations belong to 'mean', 'map' and 'marginal map'"
            )
        if len(dict(self.of)) < len(self.of):
            raise ValueError(f"of must name every variable once, got {self.of}")
        for name, transform in self.of:
            if transform not in TRANSFORMS:
                raise ValueError(
                    f"of must map variables to one of {TRANSFORMS}, got {transform!r} for {name!r}"
                )
            if not name or any(mark in name for mark in (", ", " and ", ")", "=")):
                raise ValueError(
                    f"of names {name!r}, which no label can hold: rename the variable without "
                    "', ', ' and ', ')' and '='"
                )

    @property
    def label(self) -> str:
        """Name as a person writes it."""
        named = " and ".join(f"{transform} {name}" for name, transform in self.of)
        return f"{self.kind} of {named}" if named else self.kind

    def transform(self, name: str) -> str:
        """Name the transformation of a variable; ``identity`` where it has none."""
        return dict(self.of).get(name, "identity")

    def power(self, name: str) -> float:
        """Power that a variable is raised to; 0 stands for the logarithm."""
        return POWERS[self.transform(name)]

    def __repr__(self) -> str:
        """Short form that :func:`parse_point` reads."""
        return f"Point({self.label!r})"


class PointFit(Protocol):
    """A fit that knows other points than its posterior mean."""

    def estimate(self, point: Point) -> dict[str, Floats]:
        """Estimate of every free variable on its own scale, shape (replicate, …)."""


@runtime_checkable
class PointSampler(Protocol):
    """An exact sampler that knows other points than the posterior mean; optional."""

    def point_estimate(self, point: Point) -> Estimate:
        """Give the function from statistics to the point, in closed form.

        Raises
        ------
        ValueError
            If the family does not have this point; :func:`check_point` says so in common words.
        """


def parse_point(value: str | Point) -> Point:
    """Read a point from its label.

    Raises
    ------
    ValueError
        If the label is unknown.

    Examples
    --------
    >>> from bayescollapse.estimator.points import parse_point
    >>> parse_point("mean of log sigma and logit p").of
    (('p', 'logit'), ('sigma', 'log'))
    """
    if isinstance(value, Point):
        return value
    kind, _, named = str(value).partition(" of ")
    pairs = []
    for part in named.split(" and ") if named else ():
        transform, _, name = part.partition(" ")
        pairs.append((name, transform))
    return Point(kind, tuple(pairs))


def check_point(
    owner: Any,
    point: Point,
    variables: Mapping[str, tuple[str, ...]],
    kinds: tuple[str, ...] = POINTS,
) -> None:
    """Refuse a point that a family does not have.

    Parameters
    ----------
    owner : object
        The sampler, which errors name.
    point : Point
        The point.
    variables : mapping of str to tuple of str
        Free variables, and the transformations that each may have.
    kinds : tuple of str
        Points that the family has.

    Raises
    ------
    ValueError
        If the family does not have the point.
    """
    name = type(owner).__name__
    if point.kind not in kinds:
        raise ValueError(
            f"emission 'plug-in({point.label})' is not defined for {name}, which has the points "
            f"{kinds}: choose one of these"
        )
    for variable, transform in point.of:
        allowed = variables.get(variable)
        if allowed is None:
            raise ValueError(
                f"emission 'plug-in({point.label})' names {variable!r}, but the free variables are "
                f"{list(variables)}: choose among these"
            )
        if transform not in allowed:
            options = f"one of {allowed}" if allowed else "its own scale only"
            raise ValueError(
                f"emission 'plug-in({point.label})' transforms {variable!r} by {transform!r}, "
                f"which does not suit its range: {name} takes it on {options}"
            )


def mean_of_draws(draws: Mapping[str, Floats], weights: Floats, point: Point) -> dict[str, Floats]:
    """Mean of transformed draws, transformed back.

    Parameters
    ----------
    draws : mapping of str to ndarray, shape (replicate, draw, …)
        Draws of every free variable.
    weights : ndarray, shape (replicate or 1, draw)
        Weights of the draws; each row sums to 1.
    point : Point
        A mean.

    Returns
    -------
    dict of str to ndarray, shape (replicate, …)
        With the Monte Carlo error of the draws, as any figure of a sampled posterior. Probabilities
        on the last axis are scaled to sum to 1.

    Raises
    ------
    ValueError
        If the point is no mean, names an unknown variable, or a draw is outside the range of its
        transformation.
    """
    if point.kind != "mean":
        raise ValueError(
            f"emission 'plug-in({point.label})' cannot be read off posterior draws, which give "
            "means only: use method='exact' where the family has it, or method='map' for "
            "'plug-in(map)'"
        )
    unknown = [name for name, _ in point.of if name not in draws]
    if unknown:
        raise ValueError(
            f"emission 'plug-in({point.label})' names {unknown}, but the free variables are "
            f"{list(draws)}: choose among these"
        )
    return {name: _mean_of(value, weights, point, name) for name, value in draws.items()}


def _mean_of(draws: Floats, weights: Floats, point: Point, name: str) -> Floats:
    transform = point.transform(name)
    low = float(draws.min())
    if transform != "identity" and (low <= 0 or (transform == "logit" and draws.max() >= 1)):
        bounds = "between 0 and 1" if transform == "logit" else "positive"
        raise ValueError(
            f"emission 'plug-in({point.label})' transforms {name!r} by {transform!r}, which needs "
            f"{bounds} values, got draws from {low:g} to {float(draws.max()):g}: name another "
            "transformation"
        )
    wide = np.broadcast_to(weights, draws.shape[:2])
    mean = np.einsum("rd,rd...->r...", wide, _forward(draws, transform))
    value = _backward(mean, transform)
    if transform == "log" and _on_simplex(draws):
        value = value / value.sum(axis=-1, keepdims=True)
    return value


def _on_simplex(draws: Floats) -> bool:
    return draws.ndim > 2 and bool(np.allclose(draws.sum(axis=-1), 1.0, atol=1e-8))


def _forward(value: Floats, transform: str) -> NDArray[np.float64]:
    if transform == "logit":
        return np.asarray(np.log(value) - np.log1p(-value))
    power = POWERS[transform]
    return np.asarray(np.log(value) if power == 0 else value**power)


def _backward(value: Floats, transform: str) -> NDArray[np.float64]:
    if transform == "logit":
        return np.asarray(1 / (1 + np.exp(-value)))
    power = POWERS[transform]
    return np.asarray(np.exp(value) if power == 0 else value ** (1 / power))
