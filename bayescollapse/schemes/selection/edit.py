r"""Token edit: replace the rows of which the emitting model is sure, keep the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.base import RowSelection
from bayescollapse.schemes.selection.columns import block_shape
from bayescollapse.schemes.selection.predictive import (
    above_cut,
    log_predictive,
    log_probabilities,
    unit_interval,
)

__all__ = ["TokenEdit"]

CONFIDENCE = 0.99
"""Confidence of the paper."""

MASK_SEED = 20241214
"""Seed of the order in which a fixed mask takes rows; any number does."""


@dataclass(frozen=True, repr=False)
class TokenEdit(RowSelection):
    r"""Replace old rows by new ones under a mask, and keep the rest.

    With :math:`M_t` the diagonal 0/1 matrix of the rows that generation t replaces,

    .. math:: y_t = M_t \tilde y_t + (I - M_t) y_{t-1}

    where the new row is emitted at the old row's covariates. One of four masks is chosen. Without
    any argument it is ``confidence=0.99``, the paper's.

    Parameters
    ----------
    confidence : float, optional
        Replace a row whose predictive probability under the emitting generation is at least this,
        0 to 1; for discrete rows.
    quantile : float, optional
        Replace the rows whose predictive density lies above this quantile of their batch, 0 to 1;
        0 replaces all rows and 1 none.
    share : float, optional
        Replace this share of the rows, whatever they are, 0 to 1; 1 replaces all rows and 0 none.
    mask : {"fixed", "fresh"}, default "fixed"
        Which rows a `share` replaces: the same ones in all generations and lineages, an arbitrary
        set in no relation to the order of the rows, or a new random set for each generation and
        lineage.
    shrink : float, default 1
        Factor, 0 to 1, by which the *number* of replaced rows shrinks from one generation to the
        next, under a `quantile` or a `share`. A fixed mask shrinks inside itself. The norm of the
        mask, the square root of that number, shrinks by its square root.

    Raises
    ------
    ValueError
        If an argument is out of range, two masks are given, or `shrink` or `mask` meets a mask that
        it cannot act on; in a run, if `confidence` meets rows without a discrete variable.

    Notes
    -----
    Numbers of rows are rounded to the nearest integer. Obeys for a linear regression with plug-in
    emission: all rows replaced is the fully synthetic loop, with error ``unit * (t + 1)``
    (:func:`bayescollapse.theory.regression_replace_error`); no row replaced is static. The bound of
    two units for all generations that the paper states is not universal. With 40 rows and 5
    coefficients (exact recursion) it holds for a fixed mask of 27 % of the rows, reaching 1.6
    units, and fails for one of 40 %, at 2.4; it fails for fresh masks of 27 % (simulated).

    References
    ----------
    ToEdit 2024, arXiv 2412.14689.

    Examples
    --------
    >>> from bayescollapse.schemes.selection.edit import TokenEdit
    >>> TokenEdit(), TokenEdit(share=0.27, shrink=0.25)
    (TokenEdit(confidence=0.99), TokenEdit(share=0.27, shrink=0.25))
    """

    confidence: float | None = None
    quantile: float | None = None
    share: float | None = None
    mask: str = "fixed"
    shrink: float = 1.0
    mode: ClassVar[str] = "edit"

    def __post_init__(self) -> None:
        """Fill in the paper's confidence; refuse values out of range and contradictions."""
        given = [n for n in ("confidence", "quantile", "share") if getattr(self, n) is not None]
        if len(given) > 1:
            raise ValueError(
                f"TokenEdit takes one of confidence=, quantile= and share=, got {given}"
            )
        if not given:
            object.__setattr__(self, "confidence", CONFIDENCE)
        _check_numbers(self)
        if self.mask not in ("fixed", "fresh"):
            raise ValueError(f"mask must be 'fixed' or 'fresh', got {self.mask!r}")
        if self.mask != "fixed" and self.share is None:
            raise ValueError(f"mask={self.mask!r} needs share=: other masks follow the rows")
        if self.shrink != 1 and self.confidence is not None:
            raise ValueError(
                f"shrink={self.shrink!r} needs share= or quantile=: with confidence= the rows "
                "decide how many of them are replaced"
            )

    def select(self, rows: Values, context: Context) -> NDArray[Any]:
        """Mark with 1 the old rows that are replaced; `rows` are the new ones."""
        if self.share is not None:
            return self._masked(rows, context)
        old = context.trained
        if old is None:
            raise ValueError(
                "TokenEdit reads context.trained, the rows that the emitting generation was "
                "trained on, and this context has none: use it as the selection of a scheme"
            )
        if self.confidence is not None:
            density = log_probabilities(old, context, "TokenEdit", "confidence")
            least = math.log(self.confidence) if self.confidence else -math.inf
            return np.asarray(density >= least, dtype=np.float64)
        assert self.quantile is not None
        density = log_predictive(old, context, "TokenEdit")
        count = self._count(1 - self.quantile, density.shape[1], context)
        return np.asarray(above_cut(density, count), dtype=np.float64)

    def _masked(self, rows: Values, context: Context) -> NDArray[Any]:
        assert self.share is not None
        replicates, obs = block_shape(rows)
        count = self._count(self.share, obs, context)
        if self.mask == "fresh":
            order = context.rng.random((replicates, obs)).argsort(axis=1).argsort(axis=1)
        else:
            order = np.broadcast_to(_fixed_ranks(obs), (replicates, obs))
        return np.asarray(order < count, dtype=np.float64)

    def _count(self, share: float, obs: int, context: Context) -> int:
        """Rows that are replaced; the first generation to be edited is number 1."""
        return round(share * self.shrink ** (context.generation - 1) * obs)


def _check_numbers(edit: TokenEdit) -> None:
    advice = {
        "confidence": "the least probability of a row that is replaced",
        "quantile": "the share of a batch that is kept",
        "share": "the share of the rows that is replaced",
        "shrink": "the factor on the number of replaced rows from one generation to the next",
    }
    for name, text in advice.items():
        value = getattr(edit, name)
        if value is not None:
            unit_interval(name, value, text)


@lru_cache(maxsize=8)
def _fixed_ranks(obs: int) -> NDArray[np.int64]:
    """Rank of every row in an arbitrary order that depends on the number of rows alone."""
    ranks = np.random.default_rng(MASK_SEED).permutation(obs)
    ranks.setflags(write=False)
    return ranks
