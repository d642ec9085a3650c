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
        meaning=WORDS[name][0],
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
        invariant="increasing affine changes of scale",
        needs=("emitted rows",),
        source="standardised difference of means",
    ),
    _measure(
        "emitted_log_sd_ratio",
        -INF,
        INF,
        "0 on average",
        needs=("emitted rows",),
        bias="-1/(2(m - 1)) against the truth, for m Gaussian rows; none against equally many rows",
        source="log ratio of standard deviations",
    ),
    _measure(
        "emitted_quantile_shift",
        -INF,
        INF,
        "0 on average",
        invariant="increasing affine changes of scale",
        needs=("emitted rows",),
        bias="outer quantiles of few rows lie too far inside: for all rows alike, but the truth's",
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
        bias="categories that no reference row has are not counted; above 0 where the reference "
        "has no more rows than are emitted, below it in generation 0 against itself",
        source="Good (1953), doi:10.1093/biomet/40.3-4.237",
    ),
    _measure(
        "modes_kept",
        0.0,
        1.0,
        1.0,
        bias="below 1 by chance where a mode is expected to have fewer than about 8 rows",
        source=EIGHT,
    ),
    _measure(
        "far_rows",
        0.0,
        1.0,
        "about 0.001, or one over the distinct reference rows; 0 for categories",
        bias="fresh categories that few rows of any kind have count as far by chance",
        source=EIGHT,
    ),
    _measure(
        "entropy_change",
        -INF,
        INF,
        "0 on average",
        bias="of order 1 / rows in both entropies: with 20 rows -0.06 (Gaussian) to 0.06 (uniform)"
        ", -0.22 for Cauchy tails, 0.21 for the edges of beta(1/2, 1/2); with 200 a seventh of it",
        source="Kraskov, Stoegbauer and Grassberger (2004), doi:10.1103/PhysRevE.69.066138; "
        "Paninski (2003), doi:10.1162/089976603321780272",
    ),
    _measure("diversity", 0.0, INF, "1 on average", source=DISTANCE),
)
"""Lines of the table of measures; ``truth_divergence`` declares its own."""
