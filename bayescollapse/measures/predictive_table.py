"""What the measures of predictive drift mean: their words, units and properties."""

from __future__ import annotations

from typing import Any

from bayescollapse.measures.registry import REFERENCES, Measure

__all__ = ["MEASURES", "WORDS"]

INF = float("inf")
ROWS = ("rows",)
DISTANCE = "David (1968), doi:10.1093/biomet/55.3.573; Simpson (1949), doi:10.1038/163688a0"
EIGHT = "Schaeffer et al. (2025), arXiv:2503.03150"

WORDS = {
    "held_out_loss": ("held-out log density lost, against the reference", "nats per row"),
    "truth_divergence": ("divergence of the predictive from the truth", "nats per row"),
    "truth_divergence_error": (
        "standard error of the divergence from the finite number of rows",
        "nats per row",
    ),
    "emitted_mean_shift": ("mean of emitted rows minus the reference's", "reference sds"),
    "emitted_log_sd_ratio": ("log of the emitted rows' sd over the reference's", "log ratio"),
    "emitted_quantile_shift": (
        "quantile of emitted rows minus the reference's",
        "reference sds",
    ),
    "tail_mass": ("mass beyond the reference rows' outer quantiles, of theirs", "1"),
    "rare_mass": ("mass of rare categories, of theirs in the reference", "1"),
    "support_loss": ("reference mass of categories not emitted, beyond chance", "1"),
    "modes_kept": ("share of the reference rows' modes that are kept", "1"),
    "far_rows": ("share of emitted rows far from every reference row", "1"),
    "entropy_change": ("entropy of emitted rows minus the reference rows'", "nats"),
    "diversity": ("mean distance between two emitted rows, of the reference rows'", "1"),
}
"""Words and units of every variable."""


def _measure(name: str, lowest: float, highest: float, null: float | str, **rest: Any) -> Measure:
    """Give one line; its units are those of the variable."""
    fields: dict[str, Any] = {"symmetric": False, "invariant": "affine", "needs": ROWS}
    fields |= {"references": REFERENCES, **rest}
    return Measure(
        name=name,
        question="predictive drift",
        units=WORDS[name][1],
        lowest=lowest,
        highest=highest,
        null=null,
        **fields,
    )


MEASURES = (
    _measure(
        "held_out_loss",
        -INF,
        INF,
        0.0,
        invariant=True,
        needs=("held-out rows",),
        bias="at most that of 200 posterior draws where no closed form is known",
        source="Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x",
    ),
    _measure(
        "emitted_mean_shift",
        -INF,
        INF,
        "0 on average",
        needs=("emitted rows",),
        source="standardised difference of means",
    ),
    _measure(
        "emitted_log_sd_ratio",
        -INF,
        INF,
        "0 on average",
        needs=("emitted rows",),
        source="log ratio of standard deviations",
    ),
    _measure(
        "emitted_quantile_shift",
        -INF,
        INF,
        "0 on average",
        needs=("emitted rows",),
        bias="outer quantiles of few rows lie too far inside, in all generations alike",
        source="standardised difference of quantiles",
    ),
    _measure(
        "tail_mass",
        0.0,
        INF,
        "1 on average",
        invariant="increasing changes of scale",
        source=EIGHT,
    ),
    _measure("rare_mass", 0.0, INF, "1 on average", invariant=True, source=EIGHT),
    _measure(
        "support_loss",
        -1.0,
        1.0,
        "0 on average",
        invariant=True,
        bias="categories that no real row has are not counted",
        source="Good (1953), doi:10.1093/biomet/40.3-4.237",
    ),
    _measure(
        "modes_kept",
        0.0,
        1.0,
        1.0,
        bias="below 1 by chance where a mode is expected to have fewer than about 4 rows",
        source=EIGHT,
    ),
    _measure("far_rows", 0.0, 1.0, "about 0.001", source=EIGHT),
    _measure(
        "entropy_change",
        -INF,
        INF,
        "0 on average",
        bias="of order 1 / rows in both entropies: within 0.06 nats from 20 smooth rows on",
        source="Kraskov, Stoegbauer and Grassberger (2004), doi:10.1103/PhysRevE.69.066138; "
        "Paninski (2003), doi:10.1162/089976603321780272",
    ),
    _measure("diversity", 0.0, INF, "1 on average", source=DISTANCE),
)
"""Lines of the table of measures; ``truth_divergence`` declares its own."""
