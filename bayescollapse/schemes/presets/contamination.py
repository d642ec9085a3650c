"""Sources that mix real rows with rows of the generation before."""

from __future__ import annotations

from typing import Any

from bayescollapse.schedules import Schedule, power
from bayescollapse.schemes.memory import Memory
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build, plug_in
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.supply import Contaminated
from bayescollapse.schemes.weighting import Weighting

__all__ = ["SETTINGS", "bakshi_chakraborty", "contaminated", "kanabar_gastpar", "wang_niu_li"]

SETTINGS: dict[str, tuple[Schedule, Schedule]] = {
    "constant": (0.1, 100),
    "constant, growing": (0.1, power(100, 1)),
    "none": (0.0, 100),
    "root decay, growing": (power(1, -0.5), power(100, 1)),
    "inverse decay": (power(1, -1), 100),
    "inverse decay, growing": (power(1, -1), power(100, 1.5)),
    "square decay, growing": (power(1, -2), power(100, 2)),
}
"""Real probability and rows of each generation of the settings that are told apart by the law."""


def contaminated(
    real_share: Schedule,
    total: Schedule,
    *,
    total_weight: Schedule | str = "rows",
    **axes: Any,
) -> Scheme:
    """Train on rows of unknown origin, each real with a probability.

    Constant contamination does bounded damage and never beats generation 0; a real probability that
    decays no faster than 1/t recovers the truth if the rows grow fast enough.

    Parameters
    ----------
    real_share : number or schedule
        Probability that a row is real, 0 to 1.
    total : number or schedule
        Rows of a generation, real and synthetic together.
    total_weight : "rows", number or schedule
        Total weight of a generation's rows.
    **axes
        Other axes of :class:`Scheme`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.contaminated(real_share=0.1, total=100)
    Scheme(supply=Contaminated(real_share=0.1, total=100), emission='joint')
    """
    return build(
        "contaminated",
        papers.BAKSHI_CHAKRABORTY,
        axes,
        supply=Contaminated(real_share, total),
        weighting=Weighting("pooled", total_weight),
    )


def bakshi_chakraborty(setting: str = "constant", *, point: str = "mean") -> Scheme:
    """Loop of Bakshi and Chakraborty: one pooled fit of rows of unknown origin.

    The paper found that the fate of a learner which does not know the origin of its rows is decided
    by how fast the probability of real rows decays and how fast the rows grow.

    Parameters
    ----------
    setting : str
        Real probability and rows of generation t:

        ==========================  ============  ===============
        setting                     probability   rows
        ==========================  ============  ===============
        ``constant``                0.1           100
        ``constant, growing``       0.1           100 (t + 1)
        ``none``                    0             100
        ``root decay, growing``     (t + 1)^-1/2  100 (t + 1)
        ``inverse decay``           (t + 1)^-1    100
        ``inverse decay, growing``  (t + 1)^-1    100 (t + 1)^1.5
        ``square decay, growing``   (t + 1)^-2    100 (t + 1)^2
        ==========================  ============  ===============
    point : str
        Estimate that emits rows; ``mle`` is the paper's, where the family has it.

    Notes
    -----
    Law: :func:`bayescollapse.theory.contaminated_risk`, for categories;
    :func:`~bayescollapse.theory.contamination_region`. Counts come with the setting.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.bakshi_chakraborty("constant", point="mle")
    Scheme(supply=Contaminated(real_share=0.1, total=100), emission='plug-in(mle)')
    """
    if setting not in SETTINGS:
        raise ValueError(f"setting must be one of {tuple(SETTINGS)}, got {setting!r}")
    real_share, total = SETTINGS[setting]
    return build(
        "bakshi_chakraborty",
        papers.BAKSHI_CHAKRABORTY,
        {},
        supply=Contaminated(real_share, total),
        emission=plug_in(point),
    )


def kanabar_gastpar(*, point: str = "mean") -> Scheme:
    """Loop of Kanabar and Gastpar: every generation's real and synthetic rows are kept.

    The paper found that the smallest worst-case error falls with the sum of rows times squared real
    fractions: a real row is worth its generation's real fraction squared.

    Parameters
    ----------
    point : str
        Estimate that emits rows; ``mle`` pools the rows as they are.

    Notes
    -----
    Law: :func:`bayescollapse.theory.effective_real_rows` (order of the best error) and
    :func:`~bayescollapse.theory.linear_oracle` (this loop, for a Gaussian mean). Counts:
    ``n_real`` and ``n_synthetic`` schedules whose ratio is the real fraction.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.kanabar_gastpar()
    Scheme(supply='stream', memory='all', emission='plug-in')
    """
    return build(
        "kanabar_gastpar",
        papers.KANABAR_GASTPAR,
        {},
        supply="stream",
        memory=Memory("all"),
        emission=plug_in(point),
    )


def wang_niu_li(*, point: str = "mean") -> Scheme:
    """Loop of Wang, Niu and Li: contaminated rows of all generations, a constant real fraction.

    The paper found that the loop converges at the smaller of the learner's own rate and the real
    fraction.

    Parameters
    ----------
    point : str
        Estimate that emits rows.

    Notes
    -----
    Law: :func:`bayescollapse.theory.linear_oracle`, for a Gaussian mean. Counts: a fraction c of
    real rows among N is ``n_real=c * N`` and ``n_synthetic=(1 - c) * N``.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.wang_niu_li().memory
    Memory('all')
    """
    return build(
        "wang_niu_li",
        papers.WANG_NIU_LI,
        {},
        supply="stream",
        memory=Memory("all"),
        emission=plug_in(point),
    )
