"""Weighting: real share and total weight of a generation's rows."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import positive, share
from bayescollapse.schedules import Schedule
from bayescollapse.schemes.value import Value

__all__ = ["TOTALS", "RowWeighting", "Weighting", "parse_weighting"]

TOTALS = ("rows", "real", "kish", "calibrated")
SHARES = ("pooled", "optimal", "optimal by generation")

RowWeighting = Callable[..., NDArray[np.float64]]
"""Weights of rows from a person's own function ``f(rows, context)``."""


@dataclass(frozen=True, repr=False)
class Weighting(Value):
    """Real share and total weight of a generation's rows.

    Parameters
    ----------
    real_share : "pooled", "optimal", "optimal by generation", number or schedule
        Share of the total weight on real rows. ``pooled`` gives every row the same weight;
        ``optimal`` is the best constant share and ``optimal by generation`` the best one at every
        generation; both are resolved by the experiment from its counts, emission and total weight.
    total_weight : {"rows", "real", "kish", "calibrated"}, number or schedule
        Sample size that the power likelihood claims: the rows used, the real rows in use, Kish's
        effective size, the size whose claim is true for a Gaussian mean, or a number.
    by_age : number or schedule, default 1
        Relative weight of a row by the age of its batch, in generations since the batch was first
        used: 0 for the newest. Real and synthetic batches age alike; under ``pooled`` it weighs
        them against each other, otherwise within their shares. A tuple gives one weight per age,
        its last entry for all older batches too.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.Weighting("pooled", by_age=bc.schedules.geometric(1.0, 0.5))
    Weighting(by_age=Geometric(start=1.0, ratio=0.5))
    """

    real_share: Schedule | str = "pooled"
    total_weight: Schedule | str = "rows"
    by_age: Schedule = 1.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        _check_share(self.real_share)
        if isinstance(self.total_weight, str):
            if self.total_weight not in TOTALS:
                raise ValueError(
                    f"total_weight must be one of {TOTALS}, a positive number or a schedule, got "
                    f"{self.total_weight!r}"
                )
        elif not callable(self.total_weight) and not isinstance(self.total_weight, tuple):
            positive("total_weight", self.total_weight)
        if not callable(self.by_age) and not isinstance(self.by_age, tuple):
            positive("by_age", self.by_age)

    @property
    def ages(self) -> bool:
        """Whether batches of different age have different weights."""
        return callable(self.by_age) or isinstance(self.by_age, tuple)


def parse_weighting(value: Any) -> Weighting | RowWeighting:
    """Read a weighting from a share, a label or a function of rows and context."""
    if isinstance(value, Weighting):
        return value
    number = not isinstance(value, bool) and isinstance(value, numbers.Real)
    if number or isinstance(value, (str, tuple)):
        return Weighting(value)
    if callable(value):
        function: RowWeighting = value
        return function
    raise ValueError(
        "weighting must be 'pooled', 'optimal', 'optimal by generation', a real share in [0, 1], a "
        f"tuple of shares, a Weighting, or a function f(rows, context) -> weights, got {value!r}"
    )


def _check_share(value: Schedule | str) -> None:
    if isinstance(value, str):
        if value not in SHARES:
            raise ValueError(
                "real_share must be 'pooled', 'optimal', 'optimal by generation', a number in "
                f"[0, 1] or a schedule, got {value!r}"
            )
    elif isinstance(value, tuple):
        for entry in value:
            share("real_share", entry)
    elif not callable(value):
        share("real_share", value)
