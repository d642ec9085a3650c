"""Schedules: values that change over generations.

A schedule is a number (constant), a tuple (one value per generation), or one of the frozen values
made here. A plain function ``f(t)`` is accepted where an experiment can tabulate it, and is stored
as the table.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Geometric", "Linear", "Power", "Schedule", "geometric", "linear", "power", "tabulate"]


@dataclass(frozen=True)
class Power:
    """``start · (t + 1) ** exponent``."""

    start: float
    exponent: float

    def __call__(self, generation: int) -> float:
        """Value at a generation."""
        return float(self.start * (generation + 1) ** self.exponent)


@dataclass(frozen=True)
class Linear:
    """``start + step · t``."""

    start: float
    step: float

    def __call__(self, generation: int) -> float:
        """Value at a generation."""
        return float(self.start + self.step * generation)


@dataclass(frozen=True)
class Geometric:
    """``start · ratio ** t``."""

    start: float
    ratio: float

    def __call__(self, generation: int) -> float:
        """Value at a generation."""
        return float(self.start * self.ratio**generation)


Schedule = float | tuple[float, ...] | Power | Linear | Geometric | Callable[[int], float]
"""A value per generation."""


def power(start: float, exponent: float) -> Power:
    """Power schedule ``start · (t + 1) ** exponent``.

    Parameters
    ----------
    start : float
        Value at generation 0.
    exponent : float
        Exponent; negative to decay.

    Examples
    --------
    >>> from bayescollapse import schedules
    >>> schedules.power(1.0, -0.5)(3)
    0.5
    """
    return Power(float(start), float(exponent))


def linear(start: float, step: float) -> Linear:
    """Linear schedule ``start + step · t``.

    Examples
    --------
    >>> from bayescollapse import schedules
    >>> schedules.linear(100, 50)(2)
    200.0
    """
    return Linear(float(start), float(step))


def geometric(start: float, ratio: float) -> Geometric:
    """Geometric schedule ``start · ratio ** t``.

    Examples
    --------
    >>> from bayescollapse import schedules
    >>> schedules.geometric(1.0, 0.5)(3)
    0.125
    """
    return Geometric(float(start), float(ratio))


def tabulate(name: str, schedule: Any, generations: int) -> tuple[float, ...]:
    """Values of a schedule at generations 0 to ``generations - 1``.

    Parameters
    ----------
    name : str
        How error messages name the schedule.
    schedule : number, tuple or callable
        The schedule.
    generations : int
        How many values.

    Raises
    ------
    ValueError
        If a tuple is too short, or the schedule is of another type.

    Examples
    --------
    >>> from bayescollapse.schedules import power, tabulate
    >>> tabulate("real_share", power(1, -1), 2)
    (1.0, 0.5)
    """
    if not isinstance(schedule, bool) and isinstance(schedule, numbers.Real):
        return (float(schedule),) * generations
    if isinstance(schedule, (tuple, list)):
        if len(schedule) < generations:
            raise ValueError(
                f"{name} is a tuple of {len(schedule)} values, but there are {generations} "
                "generations: give one value per generation"
            )
        return tuple(float(value) for value in schedule[:generations])
    if callable(schedule):
        return tuple(float(schedule(t)) for t in range(generations))
    raise ValueError(
        f"{name} must be a number, a tuple with one value per generation, a schedule of "
        f"bc.schedules or a function of the generation, got {schedule!r}"
    )
