"""Presets: training loops of the literature, each one value of :class:`Scheme`."""

from __future__ import annotations

from typing import Any

from bayescollapse._checks import integer
from bayescollapse.schedules import Schedule
from bayescollapse.schemes.memory import Memory
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.weighting import Weighting

__all__ = [
    "accumulate",
    "accumulate_subsample",
    "he_xu_cheng",
    "optimal",
    "pooled",
    "replace",
    "weighted",
]

HE_XU_CHENG = "He, Xu and Cheng (2025), arXiv:2502.18049"
GRIFFITHS = "Griffiths and Kalish (2007), doi:10.1080/15326900701326576"
SHUMAILOV = "Shumailov et al. (2024), arXiv:2305.17493"
GERSTGRASSER = "Gerstgrasser et al. (2024), arXiv:2404.01413"
KAZDAN = "Kazdan et al. (2024), arXiv:2410.16713"
ALEMOHAMMAD = "Alemohammad et al. (2024), arXiv:2307.01850"


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
    return _preset(
        "replace",
        f"{SHUMAILOV}; {GRIFFITHS}",
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
    weighting = Weighting("pooled", total_weight)
    return _preset(
        "accumulate", GERSTGRASSER, axes, supply="fixed", memory=Memory("all"), weighting=weighting
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
    return _preset(
        "accumulate_subsample", KAZDAN, axes, supply="fixed", memory=Memory("subsample", rows)
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
    return _preset("pooled", ALEMOHAMMAD, axes, weighting=Weighting("pooled", total_weight))


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
    return _preset("weighted", HE_XU_CHENG, axes, weighting=Weighting(real_share, total_weight))


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
    return _preset("optimal", HE_XU_CHENG, axes, weighting=Weighting("optimal", total_weight))


def he_xu_cheng(real_share: Schedule | str = "optimal") -> Scheme:
    """Loop of He, Xu and Cheng: fresh real rows, the last synthetic batch, plug-in emission.

    The paper finds that the best real share is the inverse golden ratio when real and synthetic
    rows are equally many, and that pooling is inferior.

    Parameters
    ----------
    real_share : number, schedule, "optimal" or "pooled"
        Share of the total weight on real rows.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.he_xu_cheng(0.618).citation
    'He, Xu and Cheng (2025), arXiv:2502.18049'
    """
    return _preset(
        "he_xu_cheng", HE_XU_CHENG, {}, weighting=Weighting(real_share), emission="plug-in"
    )


def _preset(name: str, citation: str, axes: dict[str, Any], **own: Any) -> Scheme:
    clash = sorted(set(axes) & set(own))
    if clash:
        raise ValueError(
            f"bc.schemes.{name} fixes {clash}, which were also given: use bc.Scheme(…) to combine "
            "axes freely"
        )
    return Scheme(**own, **axes, name=name, citation=citation)
