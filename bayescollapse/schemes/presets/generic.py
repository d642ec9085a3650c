"""Mechanisms with real rows alone to choose: replace, mix, weigh, accumulate."""

from __future__ import annotations

from typing import Any

from bayescollapse._checks import integer
from bayescollapse.schedules import Schedule
from bayescollapse.schemes.memory import Memory
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.weighting import Weighting

__all__ = [
    "accumulate",
    "accumulate_subsample",
    "calibrated",
    "optimal",
    "optimal_by_generation",
    "pooled",
    "replace",
    "weighted",
]


def replace(*, total_weight: Schedule | str = "rows", **axes: Any) -> Scheme:
    """Train every generation on the previous one's rows alone.

    With joint emission and a proper prior this is a Gibbs sampler on rows and parameters, whose
    posterior draws return to the prior; with plug-in emission errors grow without bound.

    Parameters
    ----------
    total_weight : {"rows", "calibrated"}, number or schedule
        Total weight of a generation's rows.
    **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.replace()
    Scheme(supply='none', emission='joint')
    """
    return build(
        "replace",
        f"{papers.SHUMAILOV}; {papers.GRIFFITHS_KALISH}",
        axes,
        supply="none",
        weighting=Weighting("pooled", total_weight),
    )


def accumulate(*, total_weight: Schedule | str = "rows", **axes: Any) -> Scheme:
    """Keep the first real rows and add every generation's rows to them.

    Errors stay bounded, but the posterior closes on a wrong value: its claimed certainty grows
    while its error stays.

    Parameters
    ----------
    total_weight : {"rows", "real", "kish", "calibrated"}, number or schedule
        Total weight of a generation's rows.
    **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.accumulate(emission="plug-in")
    Scheme(supply='fixed', memory='all', emission='plug-in')
    """
    return build(
        "accumulate",
        papers.GERSTGRASSER,
        axes,
        supply="fixed",
        memory=Memory("all"),
        weighting=Weighting("pooled", total_weight),
    )


def accumulate_subsample(rows: int, **axes: Any) -> Scheme:
    """Train on a fixed number of rows drawn from the first real rows and all synthetic ones.

    Parameters
    ----------
    rows : int
        Rows drawn without replacement each generation.
    **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.accumulate_subsample(100).memory
    Memory('subsample', 100)
    """
    integer("rows", rows)
    return build(
        "accumulate_subsample",
        papers.KAZDAN,
        axes,
        supply="fixed",
        memory=Memory("subsample", rows),
    )


def pooled(*, total_weight: Schedule | str = "rows", **axes: Any) -> Scheme:
    """Mix fresh real rows with the previous generation's rows, all with the same weight.

    Parameters
    ----------
    total_weight : {"rows", "real", "kish", "calibrated"}, number or schedule
        Total weight of a generation's rows.
    **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.pooled()
    Scheme(supply='fresh', emission='joint')
    """
    return build("pooled", papers.ALEMOHAMMAD, axes, weighting=Weighting("pooled", total_weight))


def weighted(real_share: Schedule, *, total_weight: Schedule | str = "rows", **axes: Any) -> Scheme:
    """Mix fresh real rows with the previous generation's rows at a fixed or scheduled real share.

    Parameters
    ----------
    real_share : number or schedule
        Share of the total weight on real rows, 0 to 1.
    total_weight : {"rows", "real", "kish", "calibrated"}, number or schedule
        Total weight of a generation's rows.
    **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.weighted(0.7)
    Scheme(supply='fresh', weighting=Weighting(real_share=0.7), emission='joint')
    """
    if isinstance(real_share, str):
        raise ValueError(
            f"real_share must be a number in [0, 1] or a schedule, got {real_share!r}: use "
            "bc.schemes.pooled() or bc.schemes.optimal()"
        )
    weighting = Weighting(real_share, total_weight)
    return build("weighted", papers.HE_XU_CHENG, axes, weighting=weighting)


def optimal(*, total_weight: str | float = "rows", **axes: Any) -> Scheme:
    """Mix fresh real rows with the previous generation's rows at the optimal real share.

    The experiment resolves the share from its counts, the emission and the total weight, and
    refuses where no optimum is known (other supplies or memories, counts that change).

    Parameters
    ----------
    total_weight : {"rows", "real", "kish", "calibrated"} or number
        Total weight of a generation's rows.
    **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.optimal(emission="plug-in")
    Scheme(supply='fresh', weighting=Weighting(real_share='optimal'), emission='plug-in')
    """
    weighting = Weighting("optimal", total_weight)
    return build("optimal", papers.HE_XU_CHENG, axes, weighting=weighting)


def optimal_by_generation(*, total_weight: str | float = "rows", **axes: Any) -> Scheme:
    """Mix fresh real rows with the previous generation's at the best share of every generation.

    The share starts at 1 and falls to the constant optimum: 1, 2/3, 5/8, 13/21, … for as many real
    as synthetic rows and plug-in emission. Counts may change over generations. The experiment
    resolves the shares.

    Parameters
    ----------
    total_weight : {"rows", "real", "calibrated"} or number
        Total weight of a generation's rows.
    **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.optimal_by_generation(emission="plug-in").weighting
    Weighting(real_share='optimal by generation')
    """
    weighting = Weighting("optimal by generation", total_weight)
    return build("optimal_by_generation", papers.GARG, axes, weighting=weighting)


def calibrated(real_share: Schedule | str = "optimal", **axes: Any) -> Scheme:
    """Mix fresh and synthetic rows with the total weight whose claim is true.

    The posterior of a Gaussian mean then covers the truth as often as it says, whatever the
    generation. Under joint emission rows carry twice the error on, so that the best real share
    rises to 0.7071 for as many real as synthetic rows, and errors are bounded above 0.2929 only.

    Parameters
    ----------
    real_share : number, schedule, "optimal" or "pooled"
        Share of the total weight on real rows.
    **axes
        Other axes of :class:`Scheme`.

    Notes
    -----
    A scheme of this library, in the setting of the paper cited.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.calibrated(0.7).weighting
    Weighting(real_share=0.7, total_weight='calibrated')
    """
    weighting = Weighting(real_share, "calibrated")
    return build("calibrated", papers.HE_XU_CHENG, axes, weighting=weighting)
