"""Checks of arguments shared by the closed forms; nothing here is public."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Array",
    "Emission",
    "EmissionLike",
    "TotalWeightLike",
    "at_least",
    "finite",
    "fraction",
    "generation_index",
    "parse_emission",
    "parse_total_weight",
    "per_generation",
    "plain",
    "positive",
    "real_share_path",
    "share",
    "whole",
]

type Array = NDArray[np.float64]
type EmissionLike = str | tuple[str, int]
type TotalWeightLike = str | ArrayLike

_TOTAL_WEIGHTS = ("rows", "real", "kish", "calibrated")


class Emission(NamedTuple):
    """How a posterior makes synthetic rows: its kind and, for an ensemble, its members."""

    kind: str
    members: int = 1

    def spread(self, synthetic_rows: ArrayLike) -> Array:
        """Return the share of the posterior variance that the mean of a batch of m rows carries.

        It is 0 for plug-in, 1 for joint, 1/K for ensemble(K) and 1/m for predictive.
        """
        rows = np.asarray(synthetic_rows, dtype=float)
        if self.kind == "plug-in":
            return np.zeros_like(rows)
        if self.kind == "predictive":
            return np.asarray(1.0 / rows)
        if np.any(rows < self.members):
            raise ValueError(
                f"emission must have at most m members, got ensemble({self.members}) with m = "
                f"{_first(rows, rows < self.members):g}: use fewer members or more synthetic rows"
            )
        return np.full_like(rows, 1.0 / self.members)


def parse_emission(emission: EmissionLike) -> Emission:
    """Read "plug-in", "joint", "predictive", ("ensemble", K) or "ensemble(K)"."""
    if emission in ("plug-in", "joint", "predictive"):
        return Emission(str(emission))
    members: object = None
    if isinstance(emission, str) and (match := re.fullmatch(r"ensemble\((\d+)\)", emission)):
        members = int(match.group(1))
    elif isinstance(emission, tuple | list) and len(emission) == 2 and emission[0] == "ensemble":
        members = emission[1]
    if isinstance(members, int | np.integer) and not isinstance(members, bool) and members >= 1:
        return Emission("ensemble", int(members))
    raise ValueError(
        'emission must be "plug-in", "joint", "predictive" or ("ensemble", K) with a whole K of '
        f"1 or more, got {emission!r}: name how the synthetic rows are drawn from the posterior"
    )


def parse_total_weight(total_weight: TotalWeightLike) -> str | Array:
    """Return the named rule, or the positive number(s) as an array."""
    if isinstance(total_weight, str):
        if total_weight in _TOTAL_WEIGHTS:
            return total_weight
        raise ValueError(
            'total_weight must be "rows", "real", "kish", "calibrated" or a positive number, '
            f"got {total_weight!r}: pass the sum of the row weights or one of these rules"
        )
    return positive("total_weight", total_weight, "pass the sum of the row weights")


def finite(name: str, value: ArrayLike, advice: str) -> Array:
    """Return `value` as finite floats."""
    return _checked(name, value, advice, "be finite", np.isfinite)


def positive(name: str, value: ArrayLike, advice: str) -> Array:
    """Return `value` as floats that are finite and above 0."""
    return _checked(
        name, value, advice, "be positive and finite", lambda x: (x > 0) & np.isfinite(x)
    )


def at_least(name: str, value: ArrayLike, least: float, advice: str) -> Array:
    """Return `value` as floats that are finite and no smaller than `least`."""
    return _checked(
        name,
        value,
        advice,
        f"be finite and at least {least:g}",
        lambda x: (x >= least) & np.isfinite(x),
    )


def share(name: str, value: ArrayLike, advice: str | None = None) -> Array:
    """Return `value` as floats in [0, 1]."""
    advice = advice or "pass the share of the total weight that lies on real rows"
    return _checked(name, value, advice, "lie in [0, 1]", lambda x: (x >= 0) & (x <= 1))


def fraction(name: str, value: ArrayLike, advice: str) -> Array:
    """Return `value` as floats strictly between 0 and 1."""
    return _checked(
        name, value, advice, "lie strictly between 0 and 1", lambda x: (x > 0) & (x < 1)
    )


def whole(name: str, value: int, least: int, advice: str) -> int:
    """Return `value` as one whole number no smaller than `least`."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least:
        return int(value)
    raise ValueError(f"{name} must be a whole number of {least} or more, got {value!r}: {advice}")


def generation_index(t: ArrayLike) -> NDArray[np.int64]:
    """Return generation numbers, which count from 0, as whole numbers."""
    advice = "generations are numbered 0, 1, 2, and so on"
    value = _checked(
        "t",
        t,
        advice,
        "be whole and at least 0",
        lambda x: (x >= 0) & np.isfinite(x) & (x == np.floor(x)),
    )
    return value.astype(np.int64)


def real_share_path(
    generations: int, real_share: ArrayLike | None, schedule: ArrayLike | None
) -> Array:
    """Return the real share of every generation, shape (generations, ...), 1 at generation 0."""
    count = whole("generations", generations, 1, "pass how many generations to follow")
    if (real_share is None) == (schedule is None):
        given = "neither" if real_share is None else "both"
        raise ValueError(
            f"exactly one of real_share and schedule must be given, got {given}: "
            "pass real_share for one share throughout or schedule for one per generation"
        )
    if schedule is None:
        constant = share("real_share", np.asarray(real_share, dtype=float))
        path = np.broadcast_to(constant, (count, *constant.shape)).copy()
        path[0] = 1.0
        return path
    path = share("schedule", schedule)
    if path.ndim == 0 or path.shape[0] != count or np.any(path[0] != 1.0):
        raise ValueError(
            f"schedule must hold {count} generations on its first axis and be 1 at generation 0, "
            f"got shape {path.shape}: generation 0 is fitted to real rows only"
        )
    return path


def per_generation(name: str, value: Array, generations: int) -> Array:
    """Return one value per generation, shape (generations, ...), from a constant or a path."""
    count = whole("generations", generations, 1, "pass how many generations to follow")
    path = value[None] if value.ndim == 0 else value
    if path.shape[0] not in (1, count):
        raise ValueError(
            f"{name} must be one number or have {count} generations (or 1) on its first axis, got "
            f"shape {value.shape}: entry t belongs to generation t, other axes broadcast"
        )
    return np.broadcast_to(path, (count, *path.shape[1:]))


def plain(value: ArrayLike) -> Array:
    """Return an array as it is, and a zero-dimensional one as a NumPy float."""
    result: Array = np.asarray(value, dtype=float)[()]
    return result


def _checked(
    name: str,
    value: ArrayLike,
    advice: str,
    allowed: str,
    test: Callable[[Array], NDArray[np.bool_]],
) -> Array:
    try:
        result: Array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must {allowed}, got {value!r}: {advice}") from None
    good = np.asarray(test(result))
    if not np.all(good):
        raise ValueError(f"{name} must {allowed}, got {_first(result, ~good):g}: {advice}")
    return result


def _first(values: Array, bad: NDArray[np.bool_]) -> float:
    return float(values[bad].flat[0])
