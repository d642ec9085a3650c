r"""Influence: keep the synthetic rows that raise the log density of real rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.base import RowSelection
from bayescollapse.schemes.selection.predictive import unit_interval

__all__ = ["Influence", "row_influence"]


@dataclass(frozen=True, repr=False)
class Influence(RowSelection):
    r"""Keep the top share of rows by their first-order effect on the real rows' log density.

    If row i enters the emitting generation's posterior with weight :math:`w_i`, the expected mean
    log-likelihood of the N real rows at hand changes at the rate

    .. math:: \frac{\partial}{\partial w_i}\Big|_{0}
        E\Big[\frac1N \sum_j \log p(y_j \mid \theta)\Big]
        = \mathrm{Cov}\Big(\log p(x_i \mid \theta),\;
        \frac1N \sum_j \log p(y_j \mid \theta)\Big)

    under that posterior (exact), estimated from `draws` common posterior draws (Monte Carlo).
    Of :math:`\lceil m / \mathit{keep} \rceil` proposed rows the m with the largest covariance are
    kept.

    Parameters
    ----------
    keep : float, default 0.5
        Share of the proposed rows that is kept, above 0 and at most 1.
    draws : int, default 100
        Posterior draws behind a covariance, 2 or more.

    Raises
    ------
    ValueError
        If an argument is out of range; in a run, if the lineage has no real rows at hand.

    Notes
    -----
    The measure is the expected log density, not the log of the expected one, and first order: it
    says nothing of rows that help only together. The real rows are those of the emitting
    generation, which was trained on them. They are held out from the synthetic rows alone: where
    the posterior rests on them only (generation 0), the covariance is nearly the same for all rows
    and the choice nearly random.

    Obeys for a Gaussian mean with posterior variance v, real mean a distance e and row a distance d
    from the posterior mean: the covariance is ``(d e v + v**2 / 2) / sd**4`` (exact), so that the
    rows kept are those farthest out on the real rows' side. With ``keep=0.5`` their mean is 0.80 sd
    off the emitting one, however small e is: the choice corrects the sign of an error, not its
    size, and overshoots where n is large unless `keep` is near 1.

    References
    ----------
    After Zhang et al. 2021, One for More: Selecting Generalizable Samples for Generalizable ReID
    Model, arXiv 2012.05475, which learns to choose training samples whose gradient step lowers the
    loss of others; read here as a selection. The covariance form of the derivative is the local
    sensitivity of a posterior to a row's weight.

    Examples
    --------
    >>> from bayescollapse.schemes.selection.influence import Influence
    >>> Influence(keep=0.25).proposals(30)
    120
    """

    keep: float = 0.5
    draws: int = 100
    mode: ClassVar[str] = "pick"

    def __post_init__(self) -> None:
        """Refuse shares and counts out of range."""
        if unit_interval("keep", self.keep, "the share of the proposed rows that is kept") == 0:
            raise ValueError("keep must be above 0, got 0: no row would be kept")
        integer("draws", self.draws, minimum=2)

    def proposals(self, m: int) -> int:
        """Rows that are proposed when m are wanted."""
        return math.ceil(round(m / self.keep, 9))

    def select(self, rows: Values, context: Context) -> NDArray[Any]:
        """Mark the rows of largest influence with 1, as many as the generation wants."""
        previous, real = context.previous, context.real
        if previous is None or previous.log_likelihood is None:
            raise ValueError(
                "Influence reads context.previous.log_likelihood of the emitting generation, and "
                "this context has none: use it as the selection of a scheme"
            )
        if real is None:
            raise ValueError(
                "Influence compares synthetic rows with real ones, and the lineage has none at "
                f"hand for generation {context.generation}: use supply='fresh', 'stream' or 'fixed'"
            )
        proposed, known = previous.log_likelihood(rows, real, draws=self.draws)
        return _top(row_influence(proposed, known), context.n_synthetic)


def row_influence(proposed: Floats, real: Floats) -> Floats:
    """Covariance over draws of each row's log-likelihood with the mean real one.

    Parameters
    ----------
    proposed, real : ndarray, shape (replicate, draw, obs)
        Log-likelihoods of rows at common posterior draws, in nats.

    Returns
    -------
    ndarray, shape (replicate, obs)
        Rate at which the expected mean log density of the real rows changes with a row's weight, in
        nats; divisor draws - 1. Rows that are impossible at some draws count as minus infinity.

    Examples
    --------
    >>> import numpy as np
    >>> row_influence(np.array([[[0.0, 1.0], [1.0, 0.0]]]), np.array([[[0.0], [2.0]]]))
    array([[ 1., -1.]])
    """
    target = real.mean(axis=2)
    target = target - target.mean(axis=1, keepdims=True)
    possible = np.isfinite(proposed).all(axis=1)
    finite = np.where(possible[:, None], proposed, 0.0)
    covariance = np.matmul(target[:, None], finite)[:, 0] / (target.shape[1] - 1)
    return np.where(possible, covariance, -np.inf)


def _top(score: Floats, count: int) -> NDArray[Any]:
    """Mark exactly `count` highest scores of every replicate."""
    best = np.argpartition(-score, count - 1, axis=1)[:, :count]
    marks = np.zeros(score.shape)
    np.put_along_axis(marks, best, 1.0, axis=1)
    return marks
