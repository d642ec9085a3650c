"""Checks of scalar settings, all refusing in the same words."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

__all__ = ["integer", "positive", "real_number", "share"]

WEIGHT = "the share of the total weight that lies on real rows"


def integer(name: str, value: Any, *, minimum: int = 1) -> int:
    """Check a count and return it as an int."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")
    return int(value)


def real_number(name: str, value: Any) -> float:
    """Check a finite number and return it as a float."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not np.isfinite(float(value))
    ):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def positive(name: str, value: Any, *, infinite: bool = False, meaning: str = "") -> float:
    """Check a positive number; inf only where it is allowed."""
    good = not isinstance(value, bool) and isinstance(value, numbers.Real) and float(value) > 0
    if not good or (np.isinf(float(value)) and not infinite):
        allowed = "a positive number or inf" if infinite else "a positive finite number"
        raise ValueError(f"{name} must be {allowed}, got {value!r}{_told(meaning)}")
    return float(value)


def share(name: str, value: Any, *, meaning: str = WEIGHT) -> float:
    """Check a number from 0 to 1: a share of the total weight, if nothing else is said."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}{_told(meaning)}")
    return float(value)


def _told(meaning: str) -> str:
    return f": it is {meaning}" if meaning else ""
