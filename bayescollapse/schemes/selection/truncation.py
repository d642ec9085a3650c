r"""Truncation: drop the synthetic rows in which the emitting model is over-confident."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayescollapse.rows import Values, count_rows
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.base import RowSelection
from bayescollapse.schemes.selection.predictive import (
    above_cut,
    log_predictive,
    log_probabilities,
    unit_interval,
)

__all__ = ["Truncation"]


@dataclass(frozen=True, repr=False)
class Truncation(RowSelection):
    r"""Drop synthetic rows to which the emitting generation gives a high probability.

    A row's weight is

    .. math:: w(x) = 1[\, p_{t-1}(x) \le \gamma \,]

    with p the posterior predictive of the generation that emitted the row and gamma the
    `threshold`, or for continuous rows the `quantile` of the predictive densities of the row's
    batch. The weights are frozen: an indicator that moved with the parameters would be no
    likelihood. The weights left over carry the whole synthetic share of the total weight.

    Parameters
    ----------
    threshold : float, optional
        Highest probability that is kept, above 0 and at most 1; for discrete rows. 1 keeps all.
    quantile : float, optional
        Share of every batch that is kept, above 0 and at most 1: the rows of lowest density, their
        number rounded up, more where densities tie. 1 keeps all.

    Raises
    ------
    ValueError
        Unless exactly one of the two is given, in range; in a run, if `threshold` meets rows
        without a discrete variable, or densities above 1.

    Notes
    -----
    A threshold drops a whole category: a categorical variable alone oscillates, since a category
    that is dropped at one generation has a low probability, and is kept, at the next. A lineage
    whose rows are all above the threshold keeps them all and is marked short in the run. Where an
    engine has no closed form for the predictive density, that is a mean over 200 posterior draws.

    Obeys: ``threshold=1`` and ``quantile=1`` keep every row. With a Gaussian mean of known variance
    the rows kept by a quantile are the two tails of the predictive, so the error variance grows by
    the mean square of a tail (:func:`bayescollapse.theory.truncated_moments`) over the rows kept.

    References
    ----------
    Truncated loss of ForTIFAI 2025, arXiv 2509.08972, where the indicator moves with the
    parameters.

    Examples
    --------
    >>> from bayescollapse.schemes.selection.truncation import Truncation
    >>> Truncation(threshold=0.8), Truncation(quantile=0.9)
    (Truncation(threshold=0.8), Truncation(quantile=0.9))
    """

    threshold: float | None = None
    quantile: float | None = None
    mode: ClassVar[str] = "weigh"

    def __post_init__(self) -> None:
        """Refuse anything but one cut inside its range."""
        if (self.threshold is None) == (self.quantile is None):
            raise ValueError(
                "Truncation needs one of threshold= (discrete rows) and quantile= (continuous "
                f"rows), got threshold={self.threshold!r}, quantile={self.quantile!r}"
            )
        for name, advice in (
            ("threshold", "the highest probability that is kept"),
            ("quantile", "the share of a batch that is kept"),
        ):
            value = getattr(self, name)
            if value is not None and unit_interval(name, value, advice) == 0:
                raise ValueError(f"{name} must be above 0, got 0: no row would be kept")

    def select(self, rows: Values, context: Context) -> NDArray[Any]:
        """Weight 1 for rows at or below the cut, 0 above."""
        if self.quantile is not None:
            density = log_predictive(rows, context, "Truncation")
            dropped = count_rows(rows) - math.ceil(round(self.quantile * count_rows(rows), 9))
            return np.asarray(~above_cut(density, dropped), dtype=np.float64)
        assert self.threshold is not None
        density = log_probabilities(rows, context, "Truncation", "threshold")
        if self.threshold == 1:
            return np.ones(density.shape)
        return np.asarray(density <= math.log(self.threshold), dtype=np.float64)
