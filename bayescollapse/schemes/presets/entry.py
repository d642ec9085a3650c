"""Entry of the catalogue of presets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bayescollapse.schemes.scheme import Scheme

__all__ = ["Preset"]


@dataclass(frozen=True)
class Preset:
    """A preset with its law and the calls that show what it is.

    Parameters
    ----------
    function : callable
        The preset.
    law : tuple of str
        Functions of ``bayescollapse.theory`` that the loop obeys; empty where none is known.
    remark : str
        What the law is about, or why there is none.
    examples : tuple of mapping
        Arguments of the calls that are listed.

    Examples
    --------
    >>> from bayescollapse.schemes.presets.generic import replace
    >>> list(Preset(replace, ("replace_error",), examples=({"emission": "plug-in"},)).schemes)
    ["replace(emission='plug-in')"]
    """

    function: Callable[..., Scheme]
    law: tuple[str, ...] = ()
    remark: str = ""
    examples: tuple[Mapping[str, Any], ...] = field(default=({},))

    @property
    def name(self) -> str:
        """Name of the preset."""
        return self.function.__name__

    @property
    def schemes(self) -> dict[str, Scheme]:
        """Schemes of the listed calls, by the call."""
        return {_call(self.name, given): self.function(**given) for given in self.examples}


def _call(name: str, given: Mapping[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})"
