"""Frozen values that show what differs from their defaults."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields

__all__ = ["Value"]


@dataclass(frozen=True)
class Value:
    """Base of the frozen values on a scheme's axes.

    Subclasses are frozen dataclasses with ``repr=False`` whose fields are plain: numbers, strings,
    booleans, None, (nested) tuples of these, functions that can be imported by name, schedules, or
    further values. Equal values are equal, hash equally, and round-trip through a dictionary.
    """

    def __repr__(self) -> str:
        """One line with the fields that differ from their defaults."""
        parts = []
        for f in fields(self):
            value = getattr(self, f.name)
            if f.default is MISSING or value != f.default:
                parts.append(f"{f.name}={_short(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _short(value: object) -> str:
    name = getattr(value, "__qualname__", None)
    if name is None:
        return repr(value)
    return f"{getattr(value, '__module__', '?')}.{name}"
