"""Mechanisms that choose among synthetic rows: verifiers, curation, edits, balance, influence."""

from __future__ import annotations

from typing import Any

from bayescollapse.schedules import Schedule
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.balance import ClassBalance
from bayescollapse.schemes.selection.curation import Curation
from bayescollapse.schemes.selection.edit import TokenEdit
from bayescollapse.schemes.selection.influence import Influence
from bayescollapse.schemes.selection.noisy import NoisyVerifier
from bayescollapse.schemes.selection.row_score import Score
from bayescollapse.schemes.selection.score import TopShare
from bayescollapse.schemes.selection.truncation import Truncation
from bayescollapse.schemes.selection.verifier import VerifierBall
from bayescollapse.schemes.weighting import Weighting

__all__ = [
    "class_balanced",
    "curated",
    "edited",
    "influential",
    "label_verified",
    "truncated",
    "verified",
    "verified_by",
]


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


def edited(
    *, total_weight: Schedule | str = "rows", emission: Any = "joint", **settings: Any
) -> Scheme:
    """Keep the rows at hand, and replace those of which the model is sure by new ones.

    Parameters
    ----------
    total_weight, emission
        Other axes of :class:`Scheme`.
    **settings
        ``confidence``, ``quantile`` or ``share``, ``mask`` and ``shrink`` of
        :class:`~bayescollapse.schemes.selection.edit.TokenEdit`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.edited(share=0.25)
    Scheme(supply='none', selection=TokenEdit(share=0.25), emission='joint')
    """
    return build(
        "edited",
        papers.TOEDIT,
        {"emission": emission},
        supply="none",
        selection=TokenEdit(**settings),
        weighting=Weighting("pooled", total_weight),
    )


def truncated(
    *,
    threshold: float | None = None,
    quantile: float | None = None,
    supply: str = "none",
    real_share: Schedule | str = "pooled",
    total_weight: Schedule | str = "rows",
    **axes: Any,
) -> Scheme:
    """Drop the synthetic rows to which the emitting generation gives a high probability.

    Parameters
    ----------
    threshold : float, optional
        Highest probability that is kept, for discrete rows.
    quantile : float, optional
        Share of every batch that is kept, for continuous rows.
    supply : str
        Real rows; none after generation 0 unless asked for.
    real_share : "pooled", number or schedule
        Share of the total weight on real rows, where there are any.
    total_weight, **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.truncated(quantile=0.9, supply="fresh").selection
    Truncation(quantile=0.9)
    """
    return build(
        "truncated",
        papers.FORTIFAI,
        axes,
        supply=supply,
        selection=Truncation(threshold, quantile),
        weighting=Weighting(real_share, total_weight),
    )


def class_balanced(
    variable: str,
    categories: int,
    *,
    max_proposals: int = 100,
    supply: str = "fresh",
    real_share: Schedule | str = "pooled",
    total_weight: Schedule | str = "rows",
    **axes: Any,
) -> Scheme:
    """Train on synthetic rows in which every category has the same share.

    The paper found that diffusion models trained on rare classes generate them better when their
    loss pushes the classes towards balance; read here as a selection. The loop converges at once,
    to shares that are wrong unless the truth is balanced.

    Parameters
    ----------
    variable : str
        A response or covariate with the codes 0 to `categories` - 1.
    categories : int
        Number of categories; it divides the number of synthetic rows.
    max_proposals : int
        Proposals per wanted row after which a lineage is marked and goes on.
    supply : str
        Real rows; fresh unless asked for.
    real_share : "pooled", number or schedule
        Share of the total weight on real rows, where there are any.
    total_weight, **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.class_balanced("y", 3).selection
    ClassBalance(variable='y', categories=3)
    """
    return build(
        "class_balanced",
        papers.QIN,
        axes,
        supply=supply,
        selection=ClassBalance(variable, categories, max_proposals),
        weighting=Weighting(real_share, total_weight),
    )


def influential(
    keep: float = 0.5,
    *,
    draws: int = 100,
    supply: str = "fresh",
    real_share: Schedule | str = "pooled",
    total_weight: Schedule | str = "rows",
    **axes: Any,
) -> Scheme:
    """Train on the synthetic rows that most raise the log density of the real rows at hand.

    Parameters
    ----------
    keep : float
        Share of the proposed rows that is kept, in (0, 1].
    draws : int
        Posterior draws behind a row's influence.
    supply : {"fresh", "fixed", "stream"}
        Real rows, which it needs.
    real_share : "pooled", number or schedule
        Share of the total weight on real rows.
    total_weight, **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.influential(0.25).selection
    Influence(keep=0.25)
    """
    return build(
        "influential",
        papers.ZHANG,
        axes,
        supply=supply,
        selection=Influence(keep, draws),
        weighting=Weighting(real_share, total_weight),
    )
