"""What a selection is: how many rows it is shown, and what its answer means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.value import Value

__all__ = [
    "KEEP_ALL",
    "MODES",
    "Filter",
    "KeepAll",
    "RowSelection",
    "Selection",
    "Strata",
    "mode_of",
    "parse_selection",
]

MODES = ("weigh", "fill", "pick", "edit")
"""What a selection's answer means; see :class:`RowSelection`."""

Strata = tuple[NDArray[np.int64], int]
"""Stratum of every row, shape (replicate or 1, obs), and the number of strata."""


@dataclass(frozen=True, repr=False)
class RowSelection(Value):
    """Base of the library's selections, each a frozen value.

    A selection answers with one number per proposed row. What that number means is the selection's
    mode:

    ``weigh``
        As many rows are proposed as are wanted, and the numbers are their relative weights; 0 drops
        a row. Functions that a person passes work in this way.
    ``fill``
        A positive number accepts a row. Rows are proposed, round after round from the same
        posterior draw, until as many are accepted as are wanted, or `max_proposals` per wanted row
        have been made. A lineage that is still short takes its remaining rows from the last ones
        proposed, accepted or not, and is marked in the run.
    ``pick``
        ``proposals(m)`` rows are proposed once, and exactly m of them get a positive number.
    ``edit``
        A row is proposed for each row that the emitting generation was trained on, at the same
        covariates; a positive number replaces the old row by the new one.

    Subclasses implement :meth:`select` in NumPy.
    """

    mode: ClassVar[str] = "fill"
    reads_oracle: ClassVar[bool] = False

    @property
    def shared(self) -> int:
        """Consecutive proposals that have the same covariates."""
        return 1

    def select(self, rows: Values, context: Context) -> NDArray[Any]:
        """One number per proposed row.

        Parameters
        ----------
        rows : mapping of str to ndarray, shape (replicate or 1, obs, …)
            Proposed rows; variables that are the same in all replicates may have a leading axis of
            length 1.
        context : Context
            What else a selection may read.

        Returns
        -------
        ndarray, shape (replicate, obs)
        """
        raise NotImplementedError

    def proposals(self, m: int) -> int:
        """Rows that are proposed when m are wanted (mode ``pick``)."""
        return m

    def strata(self, rows: Values, context: Context) -> Strata | None:
        """Strata that are filled equally (mode ``fill``); None for a single one."""
        return None

    def __call__(self, proposed: xr.Dataset, context: Context) -> Floats:
        """Numbers of the rows of a dataset (replicate, obs)."""
        values = {str(name): variable.values for name, variable in proposed.data_vars.items()}
        return np.asarray(self.select(values, context), dtype=np.float64)


@dataclass(frozen=True, repr=False)
class KeepAll(Value):
    """Selection that uses every emitted row."""


@dataclass(frozen=True, repr=False)
class Filter(RowSelection):
    """Accept the rows to which a function gives a positive number, and propose until there are m.

    Parameters
    ----------
    function : callable
        ``f(proposed, context) -> ndarray`` of shape (replicate, obs): true, or positive, where a
        row is accepted. Rows are judged one by one: the answer must not depend on how many others
        are proposed beside them.
    max_proposals : int, default 100
        Proposals per wanted row after which a lineage is marked and goes on.

    Examples
    --------
    >>> from bayescollapse.schemes import Filter, Scheme
    >>> def positive(proposed, context):
    ...     return proposed["y"].values > 0
    >>> Scheme(selection=Filter(positive)).selection.max_proposals
    100
    """

    function: Any
    max_proposals: int = 100

    def __post_init__(self) -> None:
        """Refuse what is no function."""
        from bayescollapse._checks import integer

        if not callable(self.function):
            raise ValueError(
                f"function must be a function f(proposed, context) -> bool, got {self.function!r}"
            )
        integer("max_proposals", self.max_proposals)

    def __call__(self, proposed: xr.Dataset, context: Context) -> Floats:
        """Give the function's answer."""
        return np.asarray(self.function(proposed, context), dtype=np.float64)

    def select(self, rows: Values, context: Context) -> NDArray[Any]:
        """Give the function's answer for labelled rows."""
        if context.label is None:
            raise ValueError("Filter.select needs context.label, which names the rows' dimensions")
        return self(context.label(rows), context)


Selection = KeepAll | RowSelection | Callable[..., NDArray[np.float64]]
"""Which synthetic rows are used."""

KEEP_ALL = KeepAll()


def mode_of(selection: Selection) -> str:
    """Tell what the answer of a selection means; a person's function weighs rows."""
    return str(getattr(selection, "mode", "weigh"))


def parse_selection(value: Any) -> Selection:
    """Check a selection."""
    if isinstance(value, KeepAll) or (callable(value) and mode_of(value) in MODES):
        selection: Selection = value
        return selection
    raise ValueError(
        "selection must be KeepAll(), a selection of bc.schemes or a function "
        f"f(proposed, context) -> weights, got {value!r}"
    )
