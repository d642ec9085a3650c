"""Curation: of every K proposed rows one is chosen, with odds that follow a reward."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.base import RowSelection
from bayescollapse.schemes.selection.row_score import Score, check_score, row_scores

__all__ = ["Curation"]


@dataclass(frozen=True, repr=False)
class Curation(RowSelection):
    r"""Keep one of every K proposed rows, chosen by the Bradley-Terry (Luce) rule.

    .. math:: \Pr(\text{row } i \text{ of } K) = \frac{e^{r_i}}{\sum_{j \le K} e^{r_j}}

    ``K * m`` rows are proposed, and each K consecutive ones compete.

    Parameters
    ----------
    reward : RowScore or callable
        ``f(proposed, context) -> ndarray`` of shape (replicate, obs), in nats; or a frozen reward
        such as :class:`~bayescollapse.schemes.selection.rewards.QuadraticReward`. Only differences
        matter. Infinite rewards are refused.
    among : int
        K, at least 2.

    Raises
    ------
    ValueError
        If the reward is no function or K is less than 2; when rows are chosen, if a reward is not
        finite.

    Notes
    -----
    The population of chosen rows is :math:`p(x) H(x)`, H in (0, K)
    (:func:`bayescollapse.theory.curation_factor`); generation after generation it follows
    :func:`~bayescollapse.theory.curated_population` and ends on the rows of the highest reward,
    :func:`~bayescollapse.theory.curation_limit`. E[e^r] never falls
    (:func:`~bayescollapse.theory.curation_gain_bound`). Real rows, a matter of the scheme's supply,
    keep it near the reference (:func:`~bayescollapse.theory.curation_divergence_bound`).

    The K rows that compete have the same covariates, like K answers to one question; under
    ``ensemble`` emission they come from the same member.

    References
    ----------
    Ferbach et al. 2024, arXiv:2407.09499.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.curation import Curation
    >>> from bayescollapse.schemes.selection.rewards import TableReward
    >>> curation = Curation(TableReward((0.0, 50.0)), among=2)
    >>> curation.proposals(3)
    6
    >>> rows = {"y": np.array([[0, 1, 1, 0, 0, 1]])}
    >>> curation.select(rows, Context(1, 0, 3, np.random.default_rng(0))).astype(int)
    array([[0, 1, 1, 0, 0, 1]])
    """

    mode = "pick"

    reward: Score
    among: int

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        check_score("reward", self.reward)
        integer("among", self.among, minimum=2)

    @property
    def reads_oracle(self) -> bool:  # type: ignore[override]
        """Whether the reward reads the truth."""
        return bool(getattr(self.reward, "reads_oracle", False))

    @property
    def shared(self) -> int:
        """Consecutive proposals that have the same covariates: the K that compete."""
        return self.among

    def proposals(self, m: int) -> int:
        """Rows that are proposed when m are wanted."""
        return self.among * m

    def select(self, rows: Values, context: Context) -> NDArray[np.bool_]:
        """Whether each row is chosen among its K, shape (replicate, obs)."""
        rewards = row_scores("reward", self.reward, rows, context)
        if not np.isfinite(rewards).all():
            raise ValueError(
                "reward must be finite, got infinite values: use a large number where a row is "
                "never, or always, to be chosen"
            )
        replicates, proposed = rewards.shape
        drawn = context.rng.random((replicates, proposed // self.among))
        chosen = np.empty(rewards.shape, dtype=bool)
        # Member by member: NumPy is slow along an axis of a few entries.
        members = [rewards[:, i :: self.among] for i in range(self.among)]
        highest = reduce(np.maximum, members)
        reached = list(accumulate(np.exp(member - highest) for member in members))
        # A uniform number on the summed worth falls into row i with probability e^r_i / sum e^r.
        drawn *= reached[-1]
        taken = np.zeros(drawn.shape, dtype=bool)
        for i, level in enumerate(reached[:-1]):
            below = drawn < level
            chosen[:, i :: self.among] = below & ~taken
            taken = below
        chosen[:, self.among - 1 :: self.among] = ~taken
        return chosen
