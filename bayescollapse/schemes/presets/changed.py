"""Generic presets that change, drop or balance synthetic rows: editing, truncation, classes."""

from __future__ import annotations

from typing import Any

from bayescollapse.schedules import Schedule
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.balance import ClassBalance
from bayescollapse.schemes.selection.edit import TokenEdit
from bayescollapse.schemes.selection.influence import Influence
from bayescollapse.schemes.selection.truncation import Truncation
from bayescollapse.schemes.weighting import Weighting

__all__ = ["class_balanced", "edited", "influential", "truncated"]


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
