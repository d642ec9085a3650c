"""Definitions of collapse: what each one says, and the threshold that makes it a yes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from bayescollapse._checks import positive, share
from bayescollapse.measures.registry import Measure

__all__ = ["DEFINITIONS", "MEASURES", "Definition", "Thresholds"]

INF = float("inf")
RISE = "mean risk over generation 0's, in the generation with the highest lower limit"
EIGHT = "Schaeffer et al. (2025), arXiv:2503.03150"

Side = Literal["above", "below", "beyond"]

MEANINGS = {
    "catastrophic_factor": "a risk relative to generation 0's",
    "catastrophic_nats": "a rise of the held-out loss in nats per row",
    "growth_exponent": "a growth of the risk: exponent in generations",
    "growth_nats": "a growth of the held-out loss in nats per row and factor e in generations",
    "sd_ratio": "the sd of emitted rows relative to generation 0's",
    "scaling_gap": "a difference of exponents in the number of rows",
    "rare": "the largest real probability of a rare category",
    "tail": "the real mass of both tails together",
    "kept": "the share of its real mass below which a mode, tail or category is lost",
    "lineages": "a share of the lineages",
    "far_share": "a share of the emitted rows",
    "coverage_gap": "a coverage below the nominal one",
}
"""What every threshold is, for errors."""

SHARES = ("sd_ratio", "rare", "kept", "lineages", "far_share", "coverage_gap")
"""Thresholds from 0 to 1."""


@dataclass(frozen=True)
class Definition:
    """One definition of collapse.

    Parameters
    ----------
    name : str
        Its label on the dimension ``definition``.
    words : str
        What a reader is told.
    statistic : str
        What is compared with the threshold.
    side : {"above", "below", "beyond"}
        Where the whole interval of the statistic must lie: above or below the threshold, or beyond
        it on either side of 0.
    lowest, highest, null : float
        Range of the statistic, and its value where nothing collapses.
    needs : tuple of str
        Keys of :data:`~bayescollapse.measures.registry.NEEDS`.
    source : str
        Where the definition comes from.
    """

    name: str
    words: str
    statistic: str
    side: Side
    lowest: float
    highest: float
    null: float
    needs: tuple[str, ...]
    source: str = EIGHT


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the definitions of collapse.

    Parameters
    ----------
    catastrophic_factor : float, default 10
        Risk, relative to generation 0's, above which its rise is a catastrophe; above 1.
    catastrophic_nats : float, default 1
        The same where risk is the held-out loss: nats per row.
    growth_exponent : float, default 0.25
        Late growth of the risk above which it counts as diverging: exponent in generations.
    growth_nats : float, default 0.05
        The same where risk is the held-out loss: nats per row and factor e in generations.
    sd_ratio : float, default 0.5
        Sd of emitted rows, of generation 0's, below which the variance has collapsed; 0 to 1.
    scaling_gap : float, default 0.1
        Difference from the real-only exponent in the number of rows.
    rare : float, default 0.05
        Largest real probability of a rare category; 0 to 1.
    tail : float, default 0.05
        Real mass of both tails together, above 0 and below 1.
    kept : float, default 0.25
        Share of their real mass below which a mode, both tails together or the rare categories are
        lost; 0 to 1. One tail alone is half of the mass of both, and its loss is none of these.
    lineages : float, default 0.05
        Share of the lineages in which something must have been lost since generation 0; 0 to 1.
    far_share : float, default 0.05
        Share of emitted rows far from every real row, 0 to 1.
    coverage_gap : float, default 0.1
        Coverage below the nominal one that counts as false certainty; 0 to 1.

    Raises
    ------
    ValueError
        If a threshold is out of its range.

    Examples
    --------
    >>> Thresholds(sd_ratio=0.1).sd_ratio
    0.1
    """

    catastrophic_factor: float = 10.0
    catastrophic_nats: float = 1.0
    growth_exponent: float = 0.25
    growth_nats: float = 0.05
    sd_ratio: float = 0.5
    scaling_gap: float = 0.1
    rare: float = 0.05
    tail: float = 0.05
    kept: float = 0.25
    lineages: float = 0.05
    far_share: float = 0.05
    coverage_gap: float = 0.1

    def __post_init__(self) -> None:
        """Refuse thresholds that mean nothing."""
        for field in fields(self):
            check = share if field.name in SHARES else positive
            check(field.name, getattr(self, field.name), meaning=MEANINGS[field.name])
        for name, inside, allowed in (
            ("catastrophic_factor", self.catastrophic_factor > 1, "be above 1"),
            ("tail", self.tail < 1, "lie above 0 and below 1"),
        ):
            if not inside:
                raise ValueError(
                    f"{name} must {allowed}, got {getattr(self, name)!r}: it is {MEANINGS[name]}"
                )


DEFINITIONS = (
    Definition(
        "catastrophic_rise",
        "the risk rises to a multiple of generation 0's",
        RISE,
        "above",
        0.0,
        INF,
        1.0,
        ("truth",),
    ),
    Definition(
        "any_rise",
        "the risk rises above generation 0's",
        RISE,
        "above",
        0.0,
        INF,
        1.0,
        ("truth",),
    ),
    Definition(
        "divergence",
        "the risk keeps growing",
        "late growth exponent of the risk",
        "above",
        -INF,
        INF,
        0.0,
        ("truth",),
    ),
    Definition(
        "variance_collapse",
        "the spread of emitted rows vanishes",
        "median sd of emitted rows over generation 0's",
        "below",
        0.0,
        INF,
        1.0,
        ("emitted rows",),
    ),
    Definition(
        "scaling_change",
        "more rows help less, or more, than real rows do",
        "exponent in rows minus that of real rows",
        "beyond",
        -INF,
        INF,
        0.0,
        ("truth", "real_only", "larger run"),
    ),
    Definition(
        "mode_loss",
        "modes of the real rows disappear",
        "share of lineages that lost a mode, net of generation 0's",
        "above",
        -1.0,
        1.0,
        0.0,
        ("rows",),
    ),
    Definition(
        "tail_loss",
        "both tails, or the rare categories, of the real rows disappear",
        "share of lineages that lost both tails, or rare categories, net of generation 0's",
        "above",
        -1.0,
        1.0,
        0.0,
        ("rows",),
    ),
    Definition(
        "hallucination",
        "rows appear where there are no real ones",
        "share of rows far from every real row",
        "above",
        0.0,
        1.0,
        0.001,
        ("rows",),
    ),
    Definition(
        "false_certainty",
        "intervals close on a wrong value",
        "coverage of the widest interval",
        "below",
        0.0,
        1.0,
        0.95,
        ("truth",),
        source="coverage, Neyman (1937), doi:10.1098/rsta.1937.0005; no definition of "
        "Schaeffer et al.",
    ),
)
"""The eight definitions of [1]_ as this library measures them, and false certainty."""

IN_NATS = "where risk is the held-out loss, range, unit and null value are those of nats"
CHOSEN = f"upwards, as the generation was chosen for its rise: 1.2 to 1.9 in place of 1; {IN_NATS}"
FRESH = "upwards where fresh categories have few rows of any kind: they count as far by chance"
BIAS = {
    "catastrophic_rise": CHOSEN,
    "any_rise": CHOSEN,
    "divergence": IN_NATS,
    "hallucination": FRESH,
}

MEASURES = tuple(
    Measure(
        name=entry.name,
        question="definitions of collapse",
        meaning=entry.statistic,
        units="1",
        lowest=entry.lowest,
        highest=entry.highest,
        symmetric=False,
        invariant="affine",
        needs=entry.needs,
        null=entry.null,
        bias=BIAS.get(entry.name, "none known"),
        source=entry.source,
    )
    for entry in DEFINITIONS
)
"""Lines of the table of measures: the statistic of every definition."""
