"""Class balance: equal shares of every category among the synthetic rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.base import RowSelection, Strata
from bayescollapse.schemes.selection.columns import block_shape, integer_codes

__all__ = ["ClassBalance"]


@dataclass(frozen=True, repr=False)
class ClassBalance(RowSelection):
    r"""Propose rows until every category has the same number of them.

    Rows of a category that is full are thrown away, so within a category the rows follow the
    emission and the categories' shares are 1/C whatever the emitting model says:

    .. math:: q(x) = \frac{1}{C} \sum_{c=1}^{C} p_{t-1}(x \mid c)

    Parameters
    ----------
    variable : str
        A response or covariate that holds the codes 0 to C - 1.
    categories : int
        Number C of categories, 2 or more and at most the number of synthetic rows. Where it does
        not divide that number, the first categories get one row more.
    max_proposals : int, default 100
        Proposals per wanted row after which a lineage goes on without balance, and is marked. A
        category of probability p needs about 1/(C p) of them.

    Raises
    ------
    ValueError
        If an argument is out of range; in a run, if the variable is missing or holds other values.

    Notes
    -----
    Obeys: with real share w, real category probabilities q and a categorical model without prior,
    the expected probabilities of every later generation are ``w * q + (1 - w) / C``. The loop
    converges in one step, to shares that are wrong unless the truth is balanced. A category that
    has died out (Dirichlet concentration 0) cannot be proposed.

    References
    ----------
    After Qin et al. 2023, Class-Balancing Diffusion Models, arXiv 2305.00562, which balances the
    classes by a regulariser during training; read here as a selection.

    Examples
    --------
    >>> from bayescollapse.schemes.selection.balance import ClassBalance
    >>> ClassBalance("y", categories=3)
    ClassBalance(variable='y', categories=3)
    """

    variable: str
    categories: int
    max_proposals: int = 100
    mode: ClassVar[str] = "fill"

    def __post_init__(self) -> None:
        """Refuse names that are none and counts out of range."""
        if not isinstance(self.variable, str) or not self.variable:
            raise ValueError(
                f"variable must be the name of a response or covariate, got {self.variable!r}"
            )
        integer("categories", self.categories, minimum=2)
        integer("max_proposals", self.max_proposals)

    def select(self, rows: Values, context: Context) -> NDArray[Any]:
        """Accept every row: the strata alone decide which ones have a place."""
        return np.ones(block_shape(rows))

    def strata(self, rows: Values, context: Context) -> Strata:
        """Codes of the rows, and the number of categories."""
        codes = integer_codes(rows, self.variable, "variable", self.categories)
        return codes, self.categories
