"""Generic presets that choose among synthetic rows: verifiers and curation."""

from __future__ import annotations

from typing import Any

from bayescollapse.schedules import Schedule
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.curation import Curation
from bayescollapse.schemes.selection.noisy import NoisyVerifier
from bayescollapse.schemes.selection.row_score import Score
from bayescollapse.schemes.selection.score import TopShare
from bayescollapse.schemes.selection.verifier import VerifierBall
from bayescollapse.schemes.weighting import Weighting

__all__ = ["curated", "label_verified", "verified", "verified_by"]


def verified(
    radius: float,
    slack: float,
    *,
    supply: str = "none",
    total_weight: Schedule | str = "rows",
    emission: Any = "joint",
    memory: Any = "last",
    covariates: str | None = None,
    **settings: Any,
) -> Scheme:
    """Train on synthetic rows whose residual against a verifier's centre is small.

    The loop goes to the verifier's centre, not to the truth: an unbiased verifier helps steadily, a
    mildly biased one helps and then harms.

    Parameters
    ----------
    radius, slack : float
        Of the verifier's ball: a row passes if its residual is at most
        ``radius * norm(x) + slack``.
    supply : str
        Real rows; none after generation 0 unless asked for.
    total_weight, emission, memory, covariates
        Other axes of :class:`Scheme`.
    **settings
        ``centre`` or ``bias``, ``per`` and others of
        :class:`~bayescollapse.schemes.selection.verifier.VerifierBall`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.verified(0.5, 0.8, bias=0.1)
    Scheme(supply='none', selection=VerifierBall(radius=0.5, slack=0.8, bias=0.1), emission='joint')
    """
    return build(
        "verified",
        papers.YI_LIU_CHENG_XU,
        {"emission": emission, "memory": memory, "covariates": covariates},
        supply=supply,
        selection=VerifierBall(radius, slack, **settings),
        weighting=Weighting("pooled", total_weight),
    )


def verified_by(
    score: Score,
    keep: float,
    *,
    per: str | None = None,
    categories: int | None = None,
    supply: str = "none",
    total_weight: Schedule | str = "rows",
    **axes: Any,
) -> Scheme:
    """Train on the share of the synthetic rows that a verifier scores highest.

    The verifier is any PyMC model, as
    :class:`~bayescollapse.schemes.selection.model_score.ModelScore`, or any function of rows. The
    paper keeps the best tenth of the images of each class, by a discriminator.

    Parameters
    ----------
    score : RowScore or callable
        ``f(proposed, context) -> ndarray`` (replicate, obs); larger is better.
    keep : float
        Share of the proposed rows that is kept, in (0, 1].
    per : str, optional
        A categorical variable whose categories keep equally many rows.
    categories : int, optional
        Number of its categories.
    supply : str
        Real rows; none after generation 0 unless asked for.
    total_weight, **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.schemes.selection.rewards import QuadraticReward
    >>> bc.schemes.verified_by(QuadraticReward(0.0, 1.0), keep=0.1).selection
    TopShare(score=QuadraticReward(centre=0.0, width=1.0), keep=0.1)
    """
    return build(
        "verified_by",
        papers.YI_LIU_CHENG_XU,
        axes,
        supply=supply,
        selection=TopShare(score, keep, per, categories),
        weighting=Weighting("pooled", total_weight),
    )


def label_verified(
    right: float,
    wrong: float,
    *,
    supply: str = "none",
    total_weight: Schedule | str = "rows",
    emission: Any = "joint",
    memory: Any = "last",
    covariates: str | None = None,
    **settings: Any,
) -> Scheme:
    """Train on synthetic labels that a verifier which errs has passed.

    A share p of wrong labels becomes p psi / (p psi + (1 - p) phi): more than half of the kept ones
    are right as long as p is below phi / (phi + psi).

    Parameters
    ----------
    right, wrong : float
        Probabilities phi and psi of keeping a row with a right and a wrong label.
    supply : str
        Real rows; none after generation 0 unless asked for.
    total_weight, emission, memory, covariates
        Other axes of :class:`Scheme`.
    **settings
        ``labels``, ``correct`` and others of
        :class:`~bayescollapse.schemes.selection.noisy.NoisyVerifier`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.label_verified(0.8, 0.4).selection
    NoisyVerifier(right=0.8, wrong=0.4)
    """
    return build(
        "label_verified",
        papers.FENG,
        {"emission": emission, "memory": memory, "covariates": covariates},
        supply=supply,
        selection=NoisyVerifier(right, wrong, **settings),
        weighting=Weighting("pooled", total_weight),
    )


def curated(
    reward: Score,
    among: int = 2,
    *,
    supply: str = "none",
    real_share: Schedule | str = "pooled",
    total_weight: Schedule | str = "rows",
    **axes: Any,
) -> Scheme:
    """Train on one of every K synthetic rows, chosen with odds that follow a reward.

    Without real rows the loop ends on the rows of highest reward; with enough of them it stays near
    the real distribution.

    Parameters
    ----------
    reward : RowScore or callable
        ``f(proposed, context) -> ndarray`` (replicate, obs), in nats.
    among : int
        K, at least 2.
    supply : str
        Real rows; none after generation 0 unless asked for.
    real_share : "pooled", number or schedule
        Share of the total weight on real rows, where there are any.
    total_weight, **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.schemes.selection.rewards import TableReward
    >>> bc.schemes.curated(TableReward((0.0, 1.0)), among=4, supply="fresh").selection
    Curation(reward=TableReward(values=(0.0, 1.0)), among=4)
    """
    return build(
        "curated",
        papers.FERBACH,
        axes,
        supply=supply,
        selection=Curation(reward, among),
        weighting=Weighting(real_share, total_weight),
    )
