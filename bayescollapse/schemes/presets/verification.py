"""Papers in which somebody chooses among the synthetic rows: verifiers, curators, filters."""

from __future__ import annotations

from typing import Any

from bayescollapse.schedules import Schedule
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build, plug_in
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.base import Selection
from bayescollapse.schemes.selection.curation import Curation
from bayescollapse.schemes.selection.influence import Influence
from bayescollapse.schemes.selection.noisy import NoisyVerifier
from bayescollapse.schemes.selection.row_score import Score
from bayescollapse.schemes.selection.verifier import VerifierBall
from bayescollapse.schemes.weighting import Weighting

__all__ = ["feng", "ferbach", "one_for_more", "ren", "yi_liu_cheng_xu"]

MEAN_NOISE = 0.7978845608028654
"""Mean absolute value of standard normal noise, sqrt(2/pi): the slack of the authors' code."""


def yi_liu_cheng_xu(
    radius: float = 0.1,
    *,
    slack: float = MEAN_NOISE,
    centre: Any = None,
    bias: Any = 0.0,
    max_proposals: int = 100,
) -> Scheme:
    """Loop of Yi, Liu, Cheng and Xu: synthetic rows that a verifier's ball accepts, nothing else.

    The paper found that verification prevents collapse, but draws the loop to the verifier's centre
    instead of the truth: errors fall at first, then plateau, or rise again if the verifier is
    biased.

    Parameters
    ----------
    radius : float
        Radius of the ball of coefficients that the verifier allows.
    slack : float
        Residual allowed on top; the authors' is the noise sd times sqrt(2/pi), here for sd 1.
    centre : float or array_like, optional
        Coefficients the verifier believes in; the truth plus `bias` if not given.
    bias : float or array_like
        Verifier minus truth.
    max_proposals : int
        Proposals per wanted row after which a lineage is marked and goes on.

    Notes
    -----
    Law: :func:`bayescollapse.theory.verified_path`, :func:`~bayescollapse.theory.verified_step`,
    :func:`~bayescollapse.theory.verified_error_bound`. Counts: ``n_synthetic`` is the number of
    accepted rows; they grow in the paper. With covariates from
    :class:`~bayescollapse.sources.orthonormal.OrthonormalDesign` every direction is given as many.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.yi_liu_cheng_xu(0.1, slack=0.8, centre=0.5).selection
    VerifierBall(radius=0.1, slack=0.8, centre=0.5, per='direction')
    """
    ball = VerifierBall(
        radius, slack, centre=centre, bias=bias, per="direction", max_proposals=max_proposals
    )
    return build(
        "yi_liu_cheng_xu",
        papers.YI_LIU_CHENG_XU,
        {},
        supply="none",
        selection=ball,
        emission=plug_in(),
        covariates="source",
    )


def feng(right: float = 0.8, wrong: float = 0.4, **settings: Any) -> Scheme:
    """Loop of Feng et al.: one round of synthetic labels that an imperfect verifier has passed.

    The paper found that verified synthetic labels lead to the best accuracy as long as the share of
    wrong ones is below a breakdown point, and to the worst beyond it.

    Parameters
    ----------
    right, wrong : float
        Probabilities of keeping a row with a right and a wrong label.
    **settings
        ``labels``, ``correct`` and others of
        :class:`~bayescollapse.schemes.selection.noisy.NoisyVerifier`.

    Notes
    -----
    Law: :func:`bayescollapse.theory.kept_label_error`,
    :func:`~bayescollapse.theory.label_error_breakdown`. Counts: two generations.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.feng(0.8, 0.4).selection
    NoisyVerifier(right=0.8, wrong=0.4)
    """
    return build(
        "feng",
        papers.FENG,
        {},
        supply="none",
        selection=NoisyVerifier(right, wrong, **settings),
        emission=plug_in(),
    )


def ferbach(reward: Score, among: int = 2, *, real_share: Schedule = 0.0) -> Scheme:
    """Loop of Ferbach et al.: one of every K synthetic rows, chosen by people's preferences.

    The paper found that curation raises the expected reward every generation and ends on its
    maximum, with no variance left; a share of real rows keeps the loop stable.

    Parameters
    ----------
    reward : RowScore or callable
        ``f(proposed, context) -> ndarray`` (replicate, obs), in nats.
    among : int
        K, at least 2.
    real_share : number or schedule
        Share of the total weight on fresh real rows; 0 is the loop without any.

    Notes
    -----
    Law: :func:`bayescollapse.theory.curated_population` and
    :func:`~bayescollapse.theory.curation_limit`, for many rows.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.schemes.selection.rewards import TableReward
    >>> bc.schemes.ferbach(TableReward((0.0, 1.0)), among=4).selection
    Curation(reward=TableReward(values=(0.0, 1.0)), among=4)
    """
    alone = isinstance(real_share, (int, float)) and real_share == 0
    return build(
        "ferbach",
        papers.FERBACH,
        {},
        supply="none" if alone else "fresh",
        selection=Curation(reward, among),
        weighting=Weighting("pooled" if alone else real_share),
        emission=plug_in(),
    )


def ren(selection: Selection) -> Scheme:
    """Loop of Ren et al.: iterated learning in which interaction filters the rows.

    The paper found that iterated learning among language models amplifies the biases of their
    prior, and that a filter between generations decides which hypothesis the chain ends on.

    Parameters
    ----------
    selection : RowSelection or callable
        The filter, for example :class:`~bayescollapse.schemes.selection.base.Filter`.

    Notes
    -----
    No law: the paper's is about a hypothesis at which the filtered prior is stationary.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.schemes.selection.verifier import VerifierBall
    >>> bc.schemes.ren(VerifierBall(0.5, 0.8, centre=0.0)).emission.label
    'joint'
    """
    return build("ren", papers.REN, {}, supply="none", selection=selection, emission="joint")


def one_for_more(keep: float = 0.5) -> Scheme:
    """Read "One for More" as a scheme: synthetic rows that raise the log density of real ones.

    The paper found that a person re-identification model generalises better when its training
    samples are chosen by how much a step on them helps on other samples.

    Parameters
    ----------
    keep : float
        Share of the proposed rows that is kept, in (0, 1].

    Notes
    -----
    No law. Fresh real rows, plug-in emission; the choice is
    :class:`~bayescollapse.schemes.selection.influence.Influence`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.one_for_more(0.25).selection
    Influence(keep=0.25)
    """
    return build("one_for_more", papers.ZHANG, {}, selection=Influence(keep), emission=plug_in())
