"""Emission: how a fitted posterior produces synthetic rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer, positive
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.points import Point, PointFit, parse_point

__all__ = [
    "Emission",
    "Emitter",
    "emission_parameters",
    "estimate",
    "parse_emission",
    "posterior_draws",
]

KINDS = ("plug-in", "joint", "predictive", "ensemble")

MEAN = Point()


@dataclass(frozen=True, repr=False)
class Emission:
    r"""How one posterior emits m rows.

    Parameters
    ----------
    kind : {"plug-in", "joint", "predictive", "ensemble"}
        ``plug-in``: all rows at one point estimate. ``joint``: one posterior draw, one replicated
        data set. ``predictive``: one posterior draw per row. ``ensemble``: `members` draws, an
        equal number of rows each.
    members : int, optional
        Number of draws of an ensemble.
    point : str or Point, default "mean"
        Estimate of a plug-in emission: ``mean`` (of the model's free variables on their own scale),
        ``map``, ``marginal map``, ``mle``, ``unbiased``, or one of the first three on another
        scale, for example ``"mean of log sigma"``; :mod:`bayescollapse.estimator.points` defines
        them. Exact families have them in closed form. Sampled posteriors have means, on any scale,
        from their draws; ``map`` needs ``method="map"`` there.
    temperature : float, default 1
        Rows come from the density :math:`p(y \mid \theta)^{1/\tau}`, renormalised; positive.
        Below 1 it sharpens. Several responses are tempered one after the other, each given those it
        depends on. Refused for families whose tempered law is of another kind (Poisson).
    sampling_bias : float, default 1
        Factor on the covariance of the rows' noise around their location, in (0, 1]; below 1 rows
        are drawn too close to it [1]_. Families of symmetric location and scale only.

    Raises
    ------
    ValueError
        If an argument is out of range, or does not belong to the kind.

    Notes
    -----
    The four have the same one-row marginal up to the point estimate, but different laws: joint rows
    are exchangeable, not independent, and hand the parameter uncertainty on to the next generation.

    A label holds all of it, and ``emission=`` takes labels: ``"plug-in(mle)"``,
    ``"plug-in(mean of log sigma)"``, ``"ensemble(5, temperature=0.8)"``,
    ``"joint(sampling_bias=0.9)"``. A run records the parameters before they are tempered.

    References
    ----------
    .. [1] Alemohammad et al. (2024). Self-consuming generative models go MAD. arXiv:2307.01850

    Examples
    --------
    >>> from bayescollapse.estimator.emission import Emission, parse_emission
    >>> Emission("plug-in", point="mle", temperature=0.5).label
    'plug-in(mle, temperature=0.5)'
    >>> parse_emission("ensemble(5)")
    Emission('ensemble', members=5)
    """

    kind: str
    members: int | None = None
    point: Point = field(default=MEAN)
    temperature: float = 1.0
    sampling_bias: float = 1.0

    # Written out because it takes the label of a point.
    def __init__(
        self,
        kind: str,
        members: int | None = None,
        *,
        point: str | Point = MEAN,
        temperature: float = 1.0,
        sampling_bias: float = 1.0,
    ) -> None:
        """Check the values."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")
        if (kind == "ensemble") != (members is not None):
            raise ValueError(
                f"members must be given for 'ensemble', and only there, got {members!r} for "
                f"{kind!r}"
            )
        chosen = parse_point(point)
        if chosen != MEAN and kind != "plug-in":
            raise ValueError(
                f"point={chosen.label!r} belongs to kind='plug-in', got {kind!r}, which draws from "
                "the posterior"
            )
        bias = positive("sampling_bias", sampling_bias)
        if bias > 1:
            raise ValueError(f"sampling_bias must lie in (0, 1], got {sampling_bias!r}")
        values = {
            "kind": kind,
            "members": None if members is None else integer("members", members),
            "point": chosen,
            "temperature": positive("temperature", temperature),
            "sampling_bias": bias,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def label(self) -> str:
        """Name as a person writes it; :func:`parse_emission` reads it."""
        parts = [] if self.members is None else [str(self.members)]
        parts += [] if self.point == MEAN else [self.point.label]
        parts += [f"{name}={value!r}" for name, value in self._settings]
        return f"{self.kind}({', '.join(parts)})" if parts else self.kind

    @property
    def recorded(self) -> int:
        """Number of parameter values that a run records per emission; 0 for one draw per row."""
        return {"plug-in": 1, "joint": 1, "predictive": 0}.get(self.kind, self.members or 0)

    @property
    def tempered(self) -> bool:
        """Whether rows come from another density than the model's."""
        return bool(self._settings)

    @property
    def plain(self) -> bool:
        """Whether it is one of the four kinds as they are, which every engine has."""
        return self.point == MEAN and not self.tempered

    @property
    def _settings(self) -> list[tuple[str, float]]:
        named = (("temperature", self.temperature), ("sampling_bias", self.sampling_bias))
        return [(name, value) for name, value in named if value != 1]

    def __repr__(self) -> str:
        """One line with the fields that differ from their defaults."""
        parts = [repr(self.kind)]
        parts += [] if self.members is None else [f"members={self.members}"]
        parts += [] if self.point == MEAN else [f"point={self.point.label!r}"]
        parts += [f"{name}={value!r}" for name, value in self._settings]
        return f"Emission({', '.join(parts)})"


class Emitter(Protocol):
    """What an emission needs of the posteriors of a block."""

    def point(self) -> dict[str, Floats]:
        """Posterior mean of every free variable on its own scale, shape (replicate, …)."""

    def draws(self, count: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Posterior draws, shape (replicate, count, …)."""


def parse_emission(value: str | Emission) -> Emission:
    """Read an emission from its label.

    Raises
    ------
    ValueError
        If the label is unknown, or a value in it is out of range.

    Examples
    --------
    >>> from bayescollapse.estimator.emission import parse_emission
    >>> parse_emission("plug-in(mean of log sigma, temperature=0.8)").temperature
    0.8
    """
    if isinstance(value, Emission):
        return value
    match = re.fullmatch(r"([a-z-]+)(?:\((.+)\))?", value) if isinstance(value, str) else None
    if match is None or match[1] not in KINDS:
        raise _unknown(value)
    settings: dict[str, Any] = {}
    for place, part in enumerate(match[2].split(", ") if match[2] else ()):
        name, equals, number = part.partition("=")
        if equals and name in ("temperature", "sampling_bias") and name not in settings:
            settings[name] = _number(name, number, value)
        elif place == 0 and match[1] == "ensemble" and re.fullmatch(r"[0-9]+", part):
            settings["members"] = int(part)
        elif place == 0 and match[1] == "plug-in" and not equals:
            settings["point"] = part
        else:
            raise _unknown(value)
    if (match[1] == "ensemble") != (settings.get("members", 0) > 0):
        raise _unknown(value)
    return Emission(match[1], **settings)


def _number(name: str, text: str, label: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, got {text!r} in emission {label!r}") from None


def _unknown(value: object) -> ValueError:
    return ValueError(
        "emission must be 'plug-in', 'joint', 'predictive' or 'ensemble(K)' with K >= 1, got "
        f"{value!r}; a point and settings go into the brackets: 'plug-in(mle)', "
        "'joint(temperature=0.8)', 'ensemble(5, sampling_bias=0.9)'"
    )


def estimate(fit: Emitter, point: Point) -> dict[str, Floats]:
    """Point estimate of every free variable on its own scale, shape (replicate, …).

    Parameters
    ----------
    fit : Emitter
        Posteriors of a block; for other points than the mean with a method ``estimate``
        (:class:`~bayescollapse.estimator.points.PointFit`).
    point : Point
        Which estimate.

    Raises
    ------
    ValueError
        If the fit does not have the point.
    """
    if point == MEAN:
        return fit.point()
    if not hasattr(fit, "estimate"):
        raise ValueError(
            f"emission 'plug-in({point.label})' is not known to {type(fit).__name__}, which gives "
            "posterior means only: use 'plug-in'"
        )
    return cast(PointFit, fit).estimate(point)


def emission_parameters(
    fit: Emitter, emission: Emission, m: int, rng: np.random.Generator | None
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]] | None]:
    """Parameters behind m rows of every replicate.

    Parameters
    ----------
    fit : Emitter
        Posteriors of a block of replicates.
    emission : Emission
        How to emit.
    m : int
        Rows a replicate.
    rng : Generator or None
        Stream of the posterior draws; a plug-in emission needs none.

    Returns
    -------
    parameters : dict of str to ndarray, shape (replicate, 1 or m, …)
        One value for all rows, or one per row.
    recorded : dict of str to ndarray, shape (replicate, member, …), or None
        The distinct values; None where every row has its own.
    """
    if emission.kind == "plug-in":
        found = estimate(fit, emission.point)
        point = {name: value[:, None] for name, value in found.items()}
        return point, point
    if rng is None:
        raise ValueError(
            f"emission {emission.label!r} draws from the posterior: rng must be a Generator, got "
            "None"
        )
    draws = fit.draws(posterior_draws(emission, m), rng)
    if emission.kind == "predictive":
        return draws, None
    if emission.kind == "joint":
        return draws, draws
    repeats = m // (emission.members or 1)
    return {name: np.repeat(value, repeats, axis=1) for name, value in draws.items()}, draws


def posterior_draws(emission: Emission, m: int) -> int:
    """Count the posterior draws behind m rows: 0 for plug-in, 1, m, or the members of an ensemble.

    Raises
    ------
    ValueError
        If the members of an ensemble do not divide m.
    """
    if emission.kind == "ensemble":
        members = emission.members or 1
        if m % members:
            raise ValueError(
                f"emission 'ensemble({members})' needs a number of synthetic rows that {members} "
                f"divides, got {m}: change n_synthetic or the number of members"
            )
        return members
    return {"plug-in": 0, "joint": 1, "predictive": m}[emission.kind]
