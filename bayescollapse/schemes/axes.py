"""Values of the axes of a scheme: memory, selection and weighting."""

from __future__ import annotations

import numbers
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer, positive, share
from bayescollapse.schedules import Schedule

__all__ = [
    "COVARIATES",
    "KEEP_ALL",
    "SUPPLIES",
    "TOTALS",
    "KeepAll",
    "Memory",
    "RowWeighting",
    "Selection",
    "Weighting",
    "parse_memory",
    "parse_selection",
    "parse_weighting",
]

SUPPLIES = ("fresh", "fixed", "stream", "none")
COVARIATES = ("source", "resample", "fixed", "model")
TOTALS = ("rows", "real", "kish", "calibrated")


@dataclass(frozen=True)
class KeepAll:
    """Selection that uses every emitted row."""


Selection = KeepAll | Callable[..., NDArray[np.float64]]
"""Which synthetic rows are used."""

RowWeighting = Callable[..., NDArray[np.float64]]
"""Weights of rows from a person's own function ``f(rows, context)``."""

KEEP_ALL = KeepAll()


@dataclass(frozen=True)
class Memory:
    """Synthetic batches that a generation is trained on.

    Parameters
    ----------
    kind : {"last", "all", "window", "subsample"}
        The newest batch, all of them, the last `size` batches, or `size` rows drawn uniformly
        without replacement from the original real rows and all synthetic ones.
    size : int, optional
        Batches of a window, or rows of a subsample.

    Examples
    --------
    >>> from bayescollapse.schemes import Memory
    >>> Memory("window", 3)
    Memory('window', 3)
    """

    kind: str = "last"
    size: int | None = None

    def __post_init__(self) -> None:
        """Refuse unknown kinds and missing sizes."""
        if self.kind not in ("last", "all", "window", "subsample"):
            raise ValueError(
                f"memory must be 'last', 'all', 'window(j)' or 'subsample(rows)', got {self.kind!r}"
            )
        if self.kind in ("window", "subsample"):
            integer(f"size of memory {self.kind!r}", self.size)
        elif self.size is not None:
            raise ValueError(f"memory {self.kind!r} takes no size, got {self.size!r}")

    @property
    def label(self) -> str:
        """Name as a person writes it."""
        return self.kind if self.size is None else f"{self.kind}({self.size})"

    def __repr__(self) -> str:
        """Short form."""
        return (
            f"Memory({self.kind!r})" if self.size is None else f"Memory({self.kind!r}, {self.size})"
        )


@dataclass(frozen=True, repr=False)
class Weighting:
    """Real share and total weight of a generation's rows.

    Parameters
    ----------
    real_share : "pooled", "optimal", number or schedule
        Share of the total weight on real rows. ``pooled`` gives every row the same weight;
        ``optimal`` is resolved by the experiment from its counts, emission and total weight.
    total_weight : {"rows", "real", "kish", "calibrated"}, number or schedule
        Sample size that the power likelihood claims: the rows used, the real rows in use, Kish's
        effective size, the size whose claim is true for a Gaussian mean, or a number.
    """

    real_share: Schedule | str = "pooled"
    total_weight: Schedule | str = "rows"

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if isinstance(self.real_share, str):
            if self.real_share not in ("pooled", "optimal"):
                raise ValueError(
                    "real_share must be 'pooled', 'optimal', a number in [0, 1] or a schedule, got "
                    f"{self.real_share!r}"
                )
        elif isinstance(self.real_share, tuple):
            for value in self.real_share:
                share("real_share", value)
        elif not callable(self.real_share):
            share("real_share", self.real_share)
        if isinstance(self.total_weight, str):
            if self.total_weight not in TOTALS:
                raise ValueError(
                    f"total_weight must be one of {TOTALS}, a positive number or a schedule, got "
                    f"{self.total_weight!r}"
                )
        elif not callable(self.total_weight) and not isinstance(self.total_weight, tuple):
            positive("total_weight", self.total_weight)

    def __repr__(self) -> str:
        """Fields that differ from pooled rows."""
        parts = [f"real_share={self.real_share!r}"]
        if self.total_weight != "rows":
            parts.append(f"total_weight={self.total_weight!r}")
        return f"Weighting({', '.join(parts)})"


def parse_memory(value: Memory | str) -> Memory:
    """Read a memory from its label."""
    if isinstance(value, Memory):
        return value
    match = re.fullmatch(r"(window|subsample)\((\d+)\)", str(value))
    return Memory(match[1], int(match[2])) if match else Memory(str(value))


def parse_selection(value: Any) -> Selection:
    """Check a selection."""
    if isinstance(value, KeepAll) or callable(value):
        selection: Selection = value
        return selection
    raise ValueError(
        f"selection must be KeepAll() or a function f(proposed, context) -> weights, got {value!r}"
    )


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
        "weighting must be 'pooled', 'optimal', a real share in [0, 1], a tuple of shares, a "
        f"Weighting, or a function f(rows, context) -> weights, got {value!r}"
    )
