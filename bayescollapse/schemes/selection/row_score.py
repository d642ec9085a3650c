"""Scores of rows: what verifiers and rewards have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.columns import block_shape, check_function
from bayescollapse.schemes.value import Value

__all__ = ["RowScore", "Score", "check_score", "row_scores"]


@dataclass(frozen=True, repr=False)
class RowScore(Value):
    """Base of the library's scores and rewards: one number per proposed row, larger is better.

    Each is a frozen value that works wherever a function ``f(proposed, context) -> ndarray`` of
    shape (replicate, obs) does. Subclasses implement :meth:`score` in NumPy.
    """

    reads_oracle: ClassVar[bool] = False

    def score(self, rows: Values, context: Context) -> Floats:
        """Give one number per proposed row.

        Parameters
        ----------
        rows : mapping of str to ndarray, shape (replicate or 1, obs, …)
            Proposed rows.
        context : Context
            What else a score may read.

        Returns
        -------
        ndarray, shape (replicate or 1, obs)
        """
        raise NotImplementedError

    def __call__(self, proposed: xr.Dataset, context: Context) -> Floats:
        """Score the rows of a dataset (replicate, obs)."""
        values = {str(name): variable.values for name, variable in proposed.data_vars.items()}
        return self.score(values, context)


Score = RowScore | Callable[[xr.Dataset, Context], Any]
"""A frozen score, or a person's own function ``f(proposed, context) -> (replicate, obs)``."""


def check_score(argument: str, value: Any) -> None:
    """Refuse what is neither a score nor a function."""
    check_function(argument, value, "f(proposed, context) -> ndarray (replicate, obs)")


def row_scores(argument: str, score: Score, rows: Values, context: Context) -> Floats:
    """Scores of a block of proposed rows, checked.

    Parameters
    ----------
    argument : str
        How errors name the score.
    score : RowScore or callable
        A person's own function is given a labelled dataset.
    rows : mapping of str to ndarray, shape (replicate or 1, obs, …)
        Proposed rows.
    context : Context
        What else a score may read.

    Returns
    -------
    ndarray, shape (replicate, obs)

    Raises
    ------
    ValueError
        If the scores have the wrong shape or one is NaN.
    """
    shape = block_shape(rows)
    if isinstance(score, RowScore):
        values = np.asarray(score.score(rows, context), dtype=np.float64)
    else:
        if context.label is None:
            raise ValueError(f"{argument} needs context.label, which names the rows' dimensions")
        values = np.asarray(score(context.label(rows), context), dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != shape[1] or values.shape[0] not in (1, shape[0]):
        raise ValueError(
            f"{argument} must return one number per row, shape (replicate, obs) = {shape}, got "
            f"{values.shape}"
        )
    if np.isnan(values).any():
        raise ValueError(
            f"{argument} returned {int(np.isnan(values).sum())} NaN: return -inf for rows that are "
            "never to be kept"
        )
    return np.broadcast_to(values, shape)
