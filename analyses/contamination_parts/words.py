"""What the page says: its texts, and sentences made from the run alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contamination_parts.exponents import CATEGORIES as CELL_CATEGORIES
from contamination_parts.exponents import FIRST, Atlas
from contamination_parts.frequencies import CATEGORIES, Curve
from contamination_parts.text import LENGTH, RANGE, ROWS, STEP, WORDS, TextCurve, Texts

TITLE = "What if nobody knows which rows are real?"
LEAD = """A model is fitted to rows of which some are real and the others were made by the model of
the generation before, and nothing says which. Does it get worse for ever, does it settle, or can
it still improve? Bakshi and Chakraborty (2026, arXiv:2602.10531) give the answer for category
frequencies, such as those of the next word after a context. It depends on how the share of real
rows and the number of rows change over generations. This page measures their law on simulated
frequencies, maps where loops recover, and trains next-word models on real text."""


def findings(curves: Sequence[Curve], atlas: Atlas, texts: Texts) -> list[str]:
    """Say what was measured, in figures of this run."""
    return [_paths(curves), _beside_law(curves, atlas), _joint(curves), _texts(texts)]


def _paths(curves: Sequence[Curve]) -> str:
    said = [
        f"{c.mixing.name}: {c.error[-1]:.2g} (theory {c.law[-1]:.2g}) at generation {c.last}"
        for c in curves
        if c.emission == "plug-in"
    ]
    return (
        "Frequencies, rows made at a point estimate. In multiples of the first error, errors are, "
        f"with {'; with '.join(said)}."
    )


def _beside_law(curves: Sequence[Curve], atlas: Atlas) -> str:
    every = [*curves, *atlas.measured]
    z = np.concatenate([c.z_scores for c in every])
    return (
        f"Of {z.size} errors in {len(every)} loops, {np.mean(np.abs(z) < 2):.0%} lie within two "
        f"standard errors of the law; the farthest is {np.abs(z).max():.1f} standard errors away. "
        "Errors of one loop are correlated over generations, so a whole stretch can lie off by two."
    )


def _joint(curves: Sequence[Curve]) -> str:
    at = {(c.mixing.name, c.emission): c.error[-1] for c in curves}
    ratios = [at[name, "joint"] / at[name, "plug-in"] for name, e in at if e == "joint"]
    return (
        "Drawing the made-up rows from one posterior draw (joint emission) instead of the point "
        f"estimate multiplies the last error by {min(ratios):.2f} to {max(ratios):.2f}: the draw "
        "adds the posterior's own uncertainty in every generation."
    )


def _texts(texts: Texts) -> str:
    named = {(c.share, c.emission, c.growing): c for c in texts.curves}
    last = len(texts.curves[0].loss) - 1
    none, quarter = named[0.0, "plug-in", False], named[0.25, "plug-in", False]
    growing = named[0.25, "plug-in", True]
    return (
        f"Real text, plug-in emission. Without real text the loss rises from {none.loss[0]:.2f} to "
        f"{none.loss[-1]:.2f} nats per word in {last} generations; with a quarter real it rises to "
        f"{quarter.loss[-1]:.2f}, as if each row were worth {_worth(quarter)} real ones (law for "
        f"frequent words: {quarter.worth_law:.2f}); with a quarter real and more rows every "
        f"generation it ends at {growing.loss[-1]:.2f}."
    )


def _worth(curve: TextCurve) -> str:
    return f"{curve.worth:.2f} ± {curve.worth_mcse:.2f}"


def about_text(texts: Texts) -> str:
    """Say what the text experiment is."""
    learn, held = texts.corpus.topics
    return f"""The reference text that comes with Python (pydoc_data.topics), every paragraph once
    and without ruled lines, is split at random into {learn} topics to learn from and {held} that
    are held out. A model of the next word given the word before, with {WORDS} different words (all
    others, {texts.corpus.unknown:.0%} of the held-out ones, count as one), reads {ROWS} rows of
    {LENGTH} words and writes such rows itself. In every later generation, each of {ROWS} rows is
    real with the probability named, and otherwise written by the generation before. “Growing” texts
    gain {STEP} rows a generation. Loss is the average of minus the log predictive probability of
    the held-out rows, in nats per word; lower is better.

    After each word the prior counts one pseudo-word, spread evenly over the vocabulary, so that
    nothing is impossible. It is used anew in every generation: a little chance gets into every text
    that is written, and without real text it adds up."""


PATHS = f"""Rows fall into {CATEGORIES} categories; the learner counts. Generation t has the number
of rows named, each real with the probability named and otherwise made by generation t - 1 at its
point estimate (plug-in) or at one posterior draw (joint). Error is the squared distance of the
learned from the true frequencies, averaged over lineages, in units of generation 0's. Fixed shares
and sizes settle above generation 0, never below it; growing sizes can bring the error down as long
as the number of real rows grows too; where real rows fade too fast, the damage of the first
generations is never forgotten.

The table compares the last simulated generation with the exact recursion; z is their distance in
standard errors, and the largest of all generations stands beside it."""
PATHS_PICTURE = """Lines: the exact recursion. Dots: measured, with two standard errors over
lineages; where rows grow fast, fewer generations are simulated. Dashed: the error of generation 0.
Both axes are logarithmic."""
MAP = f"""The real share falls as (t+1)^-A and the number of rows grows as {FIRST} (t+1)^B, with
{CELL_CATEGORIES} categories and plug-in emission. Theory: the error goes to 0 where A is at most 1
and B is larger than A; it stays where B = A, and where both exceed 1; otherwise one category is
left in the end. What happens in the long run need not show early: near the edges, loops are slow.

Theory, measured and z are of the last simulated generation, in units of generation 0's error."""
MAP_PICTURE = """Left: what becomes of the error for ever. Right: the error at the last simulated
generation over that of generation 0, blue where it fell and red where it rose. Circles are filled
by the measured error and labelled with it: where law and measurement agree, a circle has the colour
of what surrounds it."""
LOSS_PICTURE = """Lines: mean over lineages, shaded with two standard errors. Dashed: every
generation is fitted to as many real rows. Dotted: the loss of a model that knows nothing; above it,
a model is sure of words that do not come. All lineages share the split into topics, so standard
errors do not speak of other splits."""
WORTH = f"""How many real rows would have given a model of the same loss? The number is read off a
learning curve, measured on the same held-out rows, and divided by the rows of generation 0 (so a
growing text can be worth more than 1). A dash means a loss beyond that of the shortest text,
{ROWS * RANGE[0]:.0f} rows. Theory is the recursion for words that follow each other
often: in the long run a (2 - a) for plug-in and (1 - q)/(1 + q), q = (1 - a)^2, for joint emission
at a real share of a. Next-word frequencies of rare contexts are neither many nor free of the prior,
so theory is a guide here and z may be large; the errors of the frequencies above have no such
excuse."""
WORTH_PICTURE = """Dots: measured at the last generation, with two standard errors. Lines: the law
for frequent words, for as many generations. Dotted: what the real rows alone would be worth to
someone who knew which they are."""
SAMPLES = """The first two rows that generations of the first lineage were trained on, as they were
written: punctuation is set as the model's words are joined, and &lt;unk&gt; is any word outside of
the vocabulary.""".replace("&lt;", "<").replace("&gt;", ">")
LAWS = """With V one minus the sum of squared true frequencies, a_t the real share and N_t the rows
of generation t: R_0 = V/N_0 and R_t = (1-a_t)^2 (1-1/N_t) (R_{t-1} + d_{t-1}) + V/N_t, where d = 0
for plug-in emission (theorem 3.1 of Bakshi and Chakraborty, 2026, arXiv:2602.10531) and
d_{t-1} = (V - R_{t-1})/(N_{t-1} + 1) for joint emission. The functions are contaminated_risk,
contaminated_limit and contamination_region of bayescollapse.theory."""
