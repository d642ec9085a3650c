"""Rewards of rows as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescollapse._checks import positive
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.columns import (
    integer_codes,
    optional_name,
    plain_numbers,
    response_name,
)
from bayescollapse.schemes.selection.row_score import RowScore

__all__ = ["LinearReward", "QuadraticReward", "TableReward"]


@dataclass(frozen=True, repr=False)
class QuadraticReward(RowScore):
    r"""Reward that falls with the squared distance from a centre.

    .. math:: r(y) = -\frac{\lVert y - c \rVert^2}{2 g^2}

    Parameters
    ----------
    centre : float or array_like
        c, in units of the response; one number stands for all its entries.
    width : float
        g, positive, in units of the response.
    response : str, optional
        Name of the response; found where only one variable fits.

    Raises
    ------
    ValueError
        If a value is out of range.

    Notes
    -----
    Curated among very many, N(c, s2) becomes a normal with precision 1/s2 + t/g^2 after t
    generations: :func:`bayescollapse.theory.tilted_population`.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.rewards import QuadraticReward
    >>> context = Context(1, 0, 2, np.random.default_rng(0))
    >>> QuadraticReward(1.0, 0.5).score({"y": np.array([[1.0, 2.0]])}, context)
    array([[-0., -2.]])
    """

    centre: Any
    width: float
    response: str | None = None

    def __post_init__(self) -> None:
        """Refuse values out of range, and turn arrays into tuples."""
        object.__setattr__(self, "centre", plain_numbers("centre", self.centre))
        positive("width", self.width)
        optional_name("response", self.response)

    def score(self, rows: Values, context: Context) -> Floats:
        """Reward of every row, shape (replicate, obs), in nats."""
        y = rows[response_name(rows, self.response)]
        away = y - _per_entry("centre", self.centre, y.shape[2:])
        return _over_entries(away * away) * (-0.5 / self.width**2)


@dataclass(frozen=True, repr=False)
class LinearReward(RowScore):
    r"""Reward that grows along a direction.

    .. math:: r(y) = b^\top y

    Parameters
    ----------
    slope : float or array_like
        b, in nats per unit of the response; one number stands for all its entries.
    response : str, optional
        Name of the response; found where only one variable fits.

    Raises
    ------
    ValueError
        If a value is out of range.

    Notes
    -----
    Among very many, N(mu, s2) moves to N(mu + b s2, s2) in one generation, and keeps its variance.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.rewards import LinearReward
    >>> context = Context(1, 0, 2, np.random.default_rng(0))
    >>> LinearReward(-2.0).score({"y": np.array([[1.0, 2.0]])}, context)
    array([[-2., -4.]])
    """

    slope: Any
    response: str | None = None

    def __post_init__(self) -> None:
        """Refuse values out of range, and turn arrays into tuples."""
        object.__setattr__(self, "slope", plain_numbers("slope", self.slope))
        optional_name("response", self.response)

    def score(self, rows: Values, context: Context) -> Floats:
        """Reward of every row, shape (replicate, obs), in nats."""
        y = rows[response_name(rows, self.response)]
        return _over_entries(y * _per_entry("slope", self.slope, y.shape[2:]))


@dataclass(frozen=True, repr=False)
class TableReward(RowScore):
    """Reward of each category.

    Parameters
    ----------
    values : array_like, shape (categories,)
        Reward of the codes 0, 1, … of the response, in nats.
    response : str, optional
        Name of the response; found where only one variable fits.

    Raises
    ------
    ValueError
        If a value is not finite; when rows are scored, if a code has no entry.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.rewards import TableReward
    >>> context = Context(1, 0, 2, np.random.default_rng(0))
    >>> TableReward((0.0, 0.5, 1.0)).score({"y": np.array([[2, 1]])}, context)
    array([[1. , 0.5]])
    """

    values: Any
    response: str | None = None

    def __post_init__(self) -> None:
        """Refuse values out of range, and turn arrays into tuples."""
        values = plain_numbers("values", self.values)
        if np.ndim(values) != 1:
            raise ValueError(f"values must be one reward per category, got {self.values!r}")
        object.__setattr__(self, "values", values)
        optional_name("response", self.response)

    def score(self, rows: Values, context: Context) -> Floats:
        """Reward of every row, shape (replicate, obs), in nats."""
        name = response_name(rows, self.response)
        codes = integer_codes(rows, name, "response", len(self.values))
        return np.asarray(self.values)[codes]


def _per_entry(argument: str, value: Any, shape: tuple[int, ...]) -> Floats:
    array = np.asarray(value)
    if array.ndim and array.shape != shape:
        raise ValueError(
            f"{argument} has shape {array.shape}, but the response has {shape} per row: pass one "
            "number per entry, or a single one"
        )
    return array


def _over_entries(values: Floats) -> Floats:
    """Sum over the entries of each row, where it has more than one number."""
    if values.ndim == 2:
        return values
    return np.asarray(values.reshape(*values.shape[:2], -1).sum(axis=2))
