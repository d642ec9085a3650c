"""Emission: how a fitted posterior produces synthetic rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats

__all__ = ["Emission", "Emitter", "emission_parameters", "parse_emission", "posterior_draws"]

KINDS = ("plug-in", "joint", "predictive", "ensemble")


@dataclass(frozen=True)
class Emission:
    """How one posterior emits m rows.

    Parameters
    ----------
    kind : {"plug-in", "joint", "predictive", "ensemble"}
        ``plug-in``: all rows at the posterior mean of the model's free variables on their own
        scale. ``joint``: one posterior draw, one replicated data set. ``predictive``: one posterior
        draw per row. ``ensemble``: `members` draws, an equal number of rows each.
    members : int, optional
        Number of draws of an ensemble.

    Notes
    -----
    The four have the same one-row marginal up to the point estimate, but different laws: joint rows
    are exchangeable, not independent, and hand the parameter uncertainty on to the next generation.

    Examples
    --------
    >>> from bayescollapse.estimator.emission import parse_emission
    >>> parse_emission("ensemble(5)")
    Emission('ensemble(5)')
    """

    kind: str
    members: int | None = None

    @property
    def label(self) -> str:
        """Name as a person writes it."""
        return self.kind if self.members is None else f"{self.kind}({self.members})"

    @property
    def recorded(self) -> int:
        """Number of parameter values that a run records per emission; 0 for one draw per row."""
        return {"plug-in": 1, "joint": 1, "predictive": 0}.get(self.kind, self.members or 0)

    def __repr__(self) -> str:
        """Short form that :func:`parse_emission` reads."""
        return f"Emission({self.label!r})"


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
        If the label is unknown.
    """
    if isinstance(value, Emission):
        value = value.label
    match = re.fullmatch(r"ensemble\((\d+)\)", value) if isinstance(value, str) else None
    if match and int(match[1]) > 0:
        return Emission("ensemble", int(match[1]))
    if value in KINDS[:3]:
        return Emission(value)
    raise ValueError(
        "emission must be 'plug-in', 'joint', 'predictive' or 'ensemble(K)' with K >= 1, got "
        f"{value!r}"
    )


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
        point = {name: value[:, None] for name, value in fit.point().items()}
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
