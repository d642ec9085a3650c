"""Selection by score: the best share of the proposals, or all rows above a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer, real_number
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.base import RowSelection
from bayescollapse.schemes.selection.columns import integer_codes, optional_name
from bayescollapse.schemes.selection.row_score import Score, check_score, row_scores

__all__ = ["Threshold", "TopShare"]


@dataclass(frozen=True, repr=False)
class TopShare(RowSelection):
    """Keep the best share of the proposals by a score.

    ``ceil(m / keep)`` rows are proposed, and the m of them with the highest scores are kept.

    Parameters
    ----------
    score : RowScore or callable
        ``f(proposed, context) -> ndarray`` of shape (replicate, obs); larger is better, minus
        infinity comes last. Or a frozen score such as
        :class:`~bayescollapse.schemes.selection.model_score.ModelScore`.
    keep : float
        Share of the proposals that is kept, in (0, 1].
    per : str, optional
        Name of a categorical response or covariate with integer codes: the best m/c rows of each of
        its c codes are kept. Where a code is proposed less often than that, all its rows are kept,
        and the places left go to the best of the other rows.
    categories : int, optional
        Number of codes c of `per`; the largest code proposed plus one if not given. It must
        divide m.

    Raises
    ------
    ValueError
        If the score is no function or a value is out of range.

    Notes
    -----
    Of rows with equal scores any may be kept; scores should be continuous. Law: none in general;
    for a Gaussian scored by the distance to its centre the kept rows are normal rows truncated at a
    random distance, which tends to the quantile `keep` as m grows.

    References
    ----------
    The image experiment of Yi, Liu, Cheng and Xu 2025, arXiv:2510.16657, keeps a tenth per class by
    a discriminator's score.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.rewards import LinearReward
    >>> from bayescollapse.schemes.selection.score import TopShare
    >>> top = TopShare(LinearReward(1.0), keep=0.5)
    >>> top.proposals(2)
    4
    >>> rows = {"y": np.array([[0.3, 2.0, -1.0, 0.9]])}
    >>> top.select(rows, Context(1, 0, 2, np.random.default_rng(0)))
    array([[False,  True, False,  True]])
    """

    mode = "pick"

    score: Score
    keep: float
    per: str | None = None
    categories: int | None = None

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        check_score("score", self.score)
        if not 0 < real_number("keep", self.keep) <= 1:
            raise ValueError(
                f"keep must lie in (0, 1], got {self.keep!r}: it is the share of proposals kept"
            )
        optional_name("per", self.per)
        if self.categories is not None:
            integer("categories", self.categories)
            if self.per is None:
                raise ValueError(
                    f"categories={self.categories} counts the codes of per=, which is not given"
                )

    @property
    def reads_oracle(self) -> bool:  # type: ignore[override]
        """Whether the score reads the truth."""
        return bool(getattr(self.score, "reads_oracle", False))

    def proposals(self, m: int) -> int:
        """Rows that are proposed when m are wanted."""
        # 1e-9: m/keep may miss a whole number by a rounding error.
        return max(m, ceil(m / self.keep - 1e-9))

    def select(self, rows: Values, context: Context) -> NDArray[np.bool_]:
        """Whether each row is among the m best, shape (replicate, obs)."""
        scores = row_scores("score", self.score, rows, context)
        m = context.n_synthetic
        if self.per is None:
            return _best(scores, m)
        codes = integer_codes(rows, self.per, "per", self.categories)
        count = self.categories or int(codes.max()) + 1
        if m % count:
            raise ValueError(
                f"per={self.per!r} shares the {m} rows among {count} categories, which do not "
                "divide them: change n_synthetic, or give categories="
            )
        return _best_of_each(scores, np.broadcast_to(codes, scores.shape), m, count)


@dataclass(frozen=True, repr=False)
class Threshold(RowSelection):
    """Accept the rows whose score reaches a value.

    Parameters
    ----------
    score : RowScore or callable
        As for :class:`TopShare`.
    at_least : float
        Smallest score that is accepted.
    max_proposals : int, default 100
        Proposals per wanted row after which a lineage is marked and goes on.

    Raises
    ------
    ValueError
        If the score is no function or a value is out of range.

    Notes
    -----
    With a Gaussian `ModelScore` this is a ball: accepted noise is a truncated normal, whose moments
    are :func:`bayescollapse.theory.truncated_moments`.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.rewards import LinearReward
    >>> from bayescollapse.schemes.selection.score import Threshold
    >>> rows = {"y": np.array([[0.3, 2.0, -1.0, 0.9]])}
    >>> context = Context(1, 0, 2, np.random.default_rng(0))
    >>> Threshold(LinearReward(1.0), at_least=0.3).select(rows, context)
    array([[ True,  True, False,  True]])
    """

    score: Score
    at_least: float
    max_proposals: int = 100

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        check_score("score", self.score)
        real_number("at_least", self.at_least)
        integer("max_proposals", self.max_proposals)

    @property
    def reads_oracle(self) -> bool:  # type: ignore[override]
        """Whether the score reads the truth."""
        return bool(getattr(self.score, "reads_oracle", False))

    def select(self, rows: Values, context: Context) -> NDArray[Any]:
        """Whether each row is accepted, shape (replicate, obs)."""
        return row_scores("score", self.score, rows, context) >= self.at_least


def _best(scores: Floats, m: int) -> NDArray[np.bool_]:
    keep = np.zeros(scores.shape, dtype=bool)
    if m >= scores.shape[1]:
        return ~keep
    best = np.argpartition(scores, -m, axis=1)[:, -m:]
    np.put_along_axis(keep, best, True, axis=1)
    return keep


def _best_of_each(scores: Floats, codes: NDArray[np.intp], m: int, count: int) -> NDArray[np.bool_]:
    """Best m/count rows of every code; what a code cannot fill goes to the best of the rest."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(codes, order, axis=1)
    chosen = np.zeros(scores.shape, dtype=bool)
    for code in range(count):
        here = ranked == code
        chosen |= here & (np.cumsum(here, axis=1) <= m // count)
    left = m - chosen.sum(axis=1, keepdims=True)
    if left.any():
        rest = ~chosen
        chosen |= rest & (np.cumsum(rest, axis=1) <= left)
    keep = np.empty_like(chosen)
    np.put_along_axis(keep, order, chosen, axis=1)
    return keep
