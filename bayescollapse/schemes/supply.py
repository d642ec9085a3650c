"""Supply: the real rows of a generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bayescollapse._checks import share
from bayescollapse.schedules import Schedule
from bayescollapse.schemes.value import Value

__all__ = ["SUPPLIES", "Contaminated", "parse_supply"]

SUPPLIES = ("fresh", "fixed", "stream", "none")


@dataclass(frozen=True, repr=False)
class Contaminated(Value):
    """Supply of rows from a contaminated source, which does not say which of them are real.

    Generation 0 has `total` real rows. Every later one has `total` rows, each of them real with
    probability `real_share` and emitted by the generation before otherwise; the run records which
    were real, the learner never reads it.

    Parameters
    ----------
    real_share : number or schedule
        Probability that a row is real, 0 to 1.
    total : number or schedule
        Rows of a generation, real and synthetic together; fractions are rounded down. It takes the
        place of the experiment's `n_real` and `n_synthetic`.

    Examples
    --------
    >>> from bayescollapse.schemes import Contaminated, Scheme
    >>> Scheme(supply=Contaminated(0.1, total=100), emission="plug-in")
    Scheme(supply=Contaminated(real_share=0.1, total=100), emission='plug-in')
    """

    real_share: Schedule
    total: Schedule

    def __post_init__(self) -> None:
        """Refuse shares out of range and totals that are no rows."""
        _each("real_share", self.real_share, share)
        _each("total", self.total, _rows)


def parse_supply(value: Any) -> str | Contaminated:
    """Check a supply."""
    if isinstance(value, Contaminated) or (isinstance(value, str) and value in SUPPLIES):
        return value
    raise ValueError(
        f"supply must be one of {SUPPLIES} or Contaminated(real_share=…, total=…), got {value!r}"
    )


def _each(name: str, value: Any, check: Any) -> None:
    """Check the values of a schedule that are known before the generations are counted."""
    if isinstance(value, tuple):
        for entry in value:
            check(name, entry)
    elif not callable(value):
        check(name, value)


def _rows(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 1:
        raise ValueError(f"{name} must be at least 1 row in every generation, got {value!r}")
