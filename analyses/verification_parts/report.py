"""The page of the verification analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from bayescollapse.reporting import Section, page
from verification_parts import figures, output
from verification_parts.figures import Results
from verification_parts.settings import Settings

TITLE = "What does a verifier do to a loop that is trained on its own output?"
LEAD = """A linear regression is fitted to real rows once. From then on every generation makes rows,
a verifier keeps those it believes, and the next generation is fitted to these alone. The verifier
knows something that the learner does not: it believes in some coefficients, its centre, and keeps a
row when the response lies within a radius of what they predict, plus a slack (the mean absolute
noise). If its centre is the truth, it passes knowledge on. If it is not, it passes on its error.

The setting and the theorems are those of Yi, Liu, Cheng and Xu (2025, arXiv:2510.16657)."""


def write_page(
    settings: Settings,
    cells: xr.Dataset,
    rates: Results,
    reversal: Results,
    agreement: output.Rows,
    marked: output.Rows,
) -> Path:
    """Write the page and its pictures.

    Parameters
    ----------
    settings : Settings
        Sizes, and where results go.
    cells : Dataset
        The map of one round.
    rates, reversal : mapping of Loop to (Outcome, Law)
        The loops.
    agreement, marked : list of dict
        Tables of z-scores and of marked lineages.
    """
    gap = max(settings.generations // 10, 1)
    shown = [0, gap, 3 * gap, settings.generations - 1]
    sections = [
        *_round_sections(cells, settings.out),
        *_rate_sections(rates, gap, shown, settings.out),
        *_reversal_sections(reversal, gap, shown, settings.out),
        Section("And the verifier's centre?", CENTRE, _centre_rows(rates, reversal)),
        Section("Were there always enough rows to keep?", MARKED, marked),
        Section("How close are measurements to theory?", AGREEMENT, agreement),
        Section("What differs from the paper", DIFFERENCES),
    ]
    lead = "\n\n".join([LEAD, *output.findings(cells, rates, reversal)])
    return page(TITLE, lead, sections, settings.out / "report.html")


def _round_sections(cells: xr.Dataset, out: Path) -> list[Section]:
    picture = _picture(figures.map_figure(cells), out, "one-round")
    return [
        Section("One round", ROUND, output.rounded(output.chosen_cells(cells)), picture, MAP),
        Section("Where gain turns into loss", EVEN, output.rounded(output.break_even_rows(cells))),
    ]


def _rate_sections(results: Results, gap: int, shown: list[int], out: Path) -> list[Section]:
    picture = _picture(figures.rates_figure(results, gap), out, "many-rounds")
    rows = output.rounded(output.at(output.error_rows(results), shown, drop=("emission",)))
    accepted = output.at(output.acceptance_rows(results), shown, drop=("emission",))
    return [
        Section("Many rounds", MANY, rows, picture, RATES),
        Section("How fast?", CONTRACTION, output.rounded(output.contraction_rows(results))),
        Section(
            "How close to the verifier's centre?", ENDS, output.rounded(output.end_rows(results))
        ),
        Section("How many rows pass?", ACCEPTANCE, output.rounded(accepted)),
    ]


def _reversal_sections(results: Results, gap: int, shown: list[int], out: Path) -> list[Section]:
    reversal = _picture(figures.reversal_figure(results, gap), out, "reversal")
    errors = [r for r in output.error_rows(results) if r["distance_to"] == "truth"]
    far = output.rounded(output.at(errors, shown, drop=("radius", "distance_to")))
    coverage = _picture(figures.coverage_figure(results, gap), out, "coverage")
    closing = _picture(figures.closing_figure(results), out, "closing")
    rows = [r for r in output.coverage_rows(results) if r["holds"] == "truth"]
    covered = output.rounded(output.at(rows, shown, drop=("radius", "holds")), shares=True)
    return [
        Section(
            "A mild bias: gain, plateau, reversal",
            MILD,
            far,
            reversal,
            REVERSAL,
        ),
        Section("Credible regions close on the wrong point", CLOSE, None, closing, CLOSING),
        Section("How often do regions hold the truth?", REGIONS, covered, coverage, COVERAGE),
    ]


ROUND = """Eight coefficients, 100 real rows along each of eight orthogonal directions; then one
generation fitted to 100 verified rows along each. The verifier's centre lies at a given distance
from the truth, along one fixed random direction. Theory is on the left as the paper's theorem 3.1
has it, to second order in the error of the real rows. In the table, "theory" is the law without
that approximation, which measurements are compared with, and "second order" the theorem. All cells
share their real rows and their noise, so their z-scores rise and fall together. The table has some
of the cells; all are in one-round.csv."""
MAP = """Left: logarithm of how much closer one round brings the fit to the truth, as theory has it.
Middle: the same, measured. Blue is gain, red is loss, and the dashed line is where theory puts the
border. Right: how many standard errors measurements are away from theory; structure there would
mean that theory misses something."""
EVEN = """Distance of the verifier's centre from the truth at which one round neither helps nor
harms. Straight lines between the cells of the map, for theory and measurement alike."""
MANY = """Two coefficients, 25 real rows along each of two directions at generation 0; generation t
is fitted to 50 t verified rows along each. A verifier whose centre is 1 from the truth along the
diagonal, and one whose centre is the truth, each with three radii; plug-in emission. Balls of
radius 0.1 and 0.5 do not hold the truth when the verifier is biased; the paper assumes that they
do, but the laws below do not need it.

"Theory" is the law of a coefficient, followed numerically through the generations; its one
approximation is that the mean of 50 or more kept rows is normal. "Second order" is the library's
closed recursion (verified_path), which takes the coefficient itself to be normal in every
generation."""
RATES = """Dots: mean squared distance over lineages, with two Monte Carlo standard errors (SE).
Lines: theory. Dotted: the bound of theorem 4.1, which holds at every generation and is close to
equality near the centre. Without a verifier errors add up, slowly because batches grow. A small
radius is fast. A biased verifier draws the loop to its own centre (left) and so leaves it at a
distance of 1 from the truth (middle)."""
CONTRACTION = """Slope of a generation's offset from the verifier's centre on that of the generation
before, through 0, over lineages and directions. "First" is the round after the real rows; "later"
are all others, weighed by their rows. "Largest" is the rate of theorem 4.1, the slope at the
centre: no round contracts more slowly."""
ENDS = """Mean squared distance to the verifier's centre at the last generation. "Bound" is that
of theorem 4.1 for these batches, "floor" its limit if all generations to come had the rows of this
one. Where contraction is slow the loop still lags behind its batches, and the bound is loose where
it started far away."""
ACCEPTANCE = """Share of the proposed rows that the verifier accepted, over lineages: rows that
generation t made for its successor. A small radius, or a loop far from the verifier's centre, costs
proposals."""
MILD = """Two coefficients, 10 real rows along each of two directions, radius 1.5; batches grow as
before. A mild bias is one as large as the error of the real rows alone; a strong one three times
that. Verified rows first remove noise that the real rows left behind, then replace it by the
verifier's bias. Under joint emission, rows come from a posterior draw instead of the posterior
mean, which adds noise, most while batches are small."""
REVERSAL = """Mean squared distance to the truth, in units of generation 0. Below the dashed line
the loop is better than the real rows alone. With an unbiased verifier it keeps improving; with a
mild bias it improves, stays for a while and returns; with a strong one it soon gets worse.
Line: theory; dots: measured, with two SE."""
CLOSE = """Posteriors do not know that rows were selected, and count every row in full: with batches
that grow, the total weight that they claim grows, whatever the verifier believes in."""
CLOSING = """One coefficient under a mild bias. Band: from the median lower end to the median upper
end of 95 % intervals. It begins wide around the truth, and closes on the verifier's centre. Thin
lines: posterior means of a few lineages; where they leave the band, their intervals are too
narrow."""
REGIONS = """Share of lineages whose 95 % posterior region, a disc around both coefficients, holds
the truth. "Total weight" is the sample size that the posterior claims. Standard errors are those
that theory implies; z comes from the exact binomial tail, so it stays sensible where nearly all or
nearly no regions hold the truth. Even with an unbiased verifier regions claim too much here: errors
of earlier generations remain, and posteriors know nothing of them. Joint emission does not mend
this: it adds noise to the rows, while the posterior claims what it did."""
CENTRE = """Share of lineages whose 95 % region holds the verifier's centre, at the last generation,
and its limit after many rounds of many rows. Where the radius is small, regions hold the centre
more often than they claim, as kept rows vary less than the noise that the model knows of. Where it
is large they hold it less often, as errors of earlier generations remain. They are honest where a
round contracts by 0.618, the inverse golden ratio, under plug-in emission, and by 1/2 under
joint."""
COVERAGE = """Top: share of lineages whose 95 % region holds the truth. Bottom: the verifier's
centre; an unbiased verifier's centre is the truth. Dashed: what the regions claim. Lines: theory;
dots: measured, with two SE."""
MARKED = """Every round proposes until enough rows are kept along each direction, at most 100 rows
per row that is wanted. A lineage that is still short of rows is completed with rejected ones,
marked, and goes on; none is left out of the figures."""
AGREEMENT = """Comparisons of one part share lineages and noise, so their z-scores are not
independent: they may all lie high or low together. If theory is right, 5 % of them lie beyond 2
on average over seeds, and one beyond 5 anywhere has a probability below 1 in 1,000."""
DIFFERENCES = """The paper's real design of 100 rows of eight standard normal covariates is replaced
by 800 rows along the unit vectors, which hold the same information on average, and equally along
all directions. Its map has 300 by 300 cells with 100 lineages each; here theory is drawn on 200 by
200 cells and measured on fewer, with more lineages. Its settings of many rounds are not known to
us; those used here are stated above. Joint emission, credible regions and their coverage are not in
the paper."""


def _centre_rows(*studies: Results) -> output.Rows:
    rows = [row for results in studies for row in output.centre_rows(results)]
    return output.rounded(rows, shares=True)


def _picture(figure: Any, out: Path, name: str) -> Path:
    path = out / f"{name}.png"
    figure.savefig(path, dpi=150)
    return path
