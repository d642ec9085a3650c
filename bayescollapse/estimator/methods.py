"""Methods: how posteriors are drawn, by name, and the engine of each."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayescollapse.estimator.engine import Engine
    from bayescollapse.estimator.graph import RowModel

__all__ = ["APPROXIMATE", "METHODS", "Method", "model_engine", "parse_method"]

METHODS = ("auto", "exact", "nuts", "laplace", "advi", "map")
"""Methods by name; ``laplace(check=0.05)`` checks a random 5 % of the cells."""

APPROXIMATE = ("advi", "map")
"""Methods whose posteriors are declared approximate."""

_ENGINES = {
    "nuts": ("bayescollapse.estimator.mcmc", "NutsEngine"),
    "laplace": ("bayescollapse.estimator.laplace", "LaplaceEngine"),
    "advi": ("bayescollapse.estimator.variational", "AdviEngine"),
    "map": ("bayescollapse.estimator.variational", "MapEngine"),
}


@dataclass(frozen=True)
class Method:
    """How posteriors are drawn.

    Parameters
    ----------
    name : str
        One of :data:`METHODS`.
    check : float, optional
        Share of cells whose Laplace approximation is checked and corrected by importance; all of
        them if not given.
    """

    name: str
    check: float | None = None

    @property
    def label(self) -> str:
        """Name as a person writes it."""
        return self.name if self.check is None else f"{self.name}(check={self.check:g})"


def parse_method(value: str) -> Method:
    """Read a method from its label.

    Raises
    ------
    ValueError
        If the label is unknown, or the share of checked cells is not in (0, 1].

    Examples
    --------
    >>> from bayescollapse.estimator.methods import parse_method
    >>> parse_method("laplace(check=0.05)")
    Method(name='laplace', check=0.05)
    """
    match = (
        re.fullmatch(r"laplace\(check=([0-9.eE+-]+)\)", value) if isinstance(value, str) else None
    )
    if match:
        check = float(match[1])
        if not 0 < check <= 1:
            raise ValueError(
                f"check must lie in (0, 1], got {check:g} in method {value!r}: it is the share of "
                "cells whose approximation is checked, and a run always records how good it is"
            )
        return Method("laplace", None if check == 1 else check)
    if value not in METHODS:
        raise ValueError(
            f"method must be one of {METHODS} or 'laplace(check=SHARE)', got {value!r}"
        )
    return Method(value)


def model_engine(method: Method, row_model: RowModel) -> Engine:
    """Make the engine of a method that reads a PyMC model."""
    module, name = _ENGINES[method.name]
    kind = getattr(importlib.import_module(module), name)
    settings = {} if method.check is None else {"check": method.check}
    engine: Engine = kind(row_model, **settings)
    return engine
