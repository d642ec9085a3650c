"""Tables, sentences and the page of the mixture analysis."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console
from rich.table import Table

from bayescollapse.reporting import Section, page
from modes.figures import LOWEST, density_figure, label_figure, mass_figure
from modes.measures import HALF, LEAD, PROMINENCE, QUARTER, first_loss, true_mass
from modes.settings import BOUNDARY, ROWS, TRUTH, Settings

Rows = list[dict[str, Any]]

TITLE = "Does a rare mode survive when a mixture model is trained on its own output?"


def lead() -> str:
    """Say what is asked, before any result."""
    shares = " %, ".join(f"{100 * w:.0f}" for w in TRUTH["weights"])
    means = ", ".join(f"{m:g}" for m in TRUTH["mu"])
    return f"""Real rows come from three Gaussians with shares of {shares} % at {means}. A Bayesian
    mixture of three Gaussians is fitted to {ROWS} rows, draws rows from what it has learned, and
    its successor is fitted to those. The rare group expects {ROWS * true_mass():.0f} of {ROWS} rows
    in a generation. This page follows the probability that each generation's posterior puts on
    values above {BOUNDARY:g}, where a row is nearer to the rare group than to the others; the truth
    is {true_mass():.3f}."""


def loss_rows(measured: xr.Dataset) -> Rows:
    """One row per scheme: where the rare mode stands in the last generation."""
    rows = []
    for scheme in measured["scheme"].to_numpy().tolist():
        part = measured.sel(scheme=scheme)
        last = part.isel(generation=-1)
        mass = last["mass"].to_numpy()
        rows.append(
            {
                "scheme": scheme,
                "lineages": part.sizes["replicate"],
                "lost": int(last["lost_posterior"].sum()),
                "ever": int((part["lost_posterior"].any("generation")).sum()),
                "by rows": int(part["lost_rows"].isel(generation=-2).sum()),
                "3 modes": int((last["modes"] >= len(TRUTH["mu"])).sum()),
                "holds": int(last["covers"].sum()),
                "probability": f"{np.median(mass):.3f} ({mass.min():.3f}–{mass.max():.3f})",
            }
        )
    return rows


def generation_rows(measured: xr.Dataset, generations: tuple[int, ...]) -> Rows:
    """One row per scheme and generation: mass and label beside their true values."""
    rows = []
    for scheme in measured["scheme"].to_numpy().tolist():
        for t in generations:
            part = measured.sel(scheme=scheme, generation=t)
            rows.append(
                {
                    "scheme": scheme,
                    "t": t,
                    "probability": _interval(part, "mass"),
                    "last label": _interval(part, "weight"),
                    "seen": f"{float(part['seen'].mean()):.3f}",
                    "holds": f"{int(part['covers'].sum())}/{part['covers'].size}",
                }
            )
    return rows


def gate_rows(measured: xr.Dataset) -> Rows:
    """One row per scheme: fits, and how many failed or were repeated."""
    rows = []
    for scheme in measured["scheme"].to_numpy().tolist():
        part = measured.sel(scheme=scheme)
        failed = ~part["passed"]
        rows.append(
            {
                "scheme": scheme,
                "fits": int(failed.size),
                "failed": int(failed.sum()),
                "in lineages": int(failed.any("generation").sum()),
                "repeated": int((part["attempts"] > 1).sum()),
                "lost": int(part["lost_posterior"].sum()),
                "lost, failed": int((failed & part["lost_posterior"]).sum()),
            }
        )
    return rows


def findings(measured: xr.Dataset) -> list[str]:
    """Say what was measured, in sentences made from the run alone."""
    last = int(measured["generation"][-1])
    sentences = [_fate(measured.sel(scheme=s), s, last) for s in measured["scheme"].to_numpy()]
    return [*sentences, _unseen(measured, last), _labels(measured), _gate(measured)]


def write_csv(path: Path, measured: xr.Dataset) -> None:
    """Write one line per fit."""
    table = measured.to_dataframe().reset_index()
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*LEAD, "true_mass", *map(str, measured.data_vars)])
        for row in table.to_dict("records"):
            values = [row[name] for name in (*LEAD, *map(str, measured.data_vars))]
            writer.writerow([*values[:3], true_mass(), *values[3:]])


def print_table(console: Console, title: str, rows: Rows) -> None:
    """Print rows as a table that an 80-column terminal shows whole."""
    table = Table(
        title=f"\n{title}", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False
    )
    for number, name in enumerate(rows[0]):
        table.add_column(name, no_wrap=number == 0, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)


def write_page(settings: Settings, run: Any, measured: xr.Dataset) -> Path:
    """Write the report; every picture is also a PNG file."""
    lost = first_loss(measured, "replace")
    lineage = 0 if lost is None else lost
    which = f"Lineage {lineage}, " + (
        "the first of all (no lineage had lost the mode under replace at the end)."
        if lost is None
        else "chosen because it is the first that has lost the mode under replace at the end."
    )
    sections = [
        Section("What was measured", "\n\n".join(findings(measured))),
        Section("Is the rare mode still there?", LOSS, loss_rows(measured)),
        Section(
            "What each posterior says",
            figure=_picture(mass_figure(measured), settings.out, "mass"),
            caption=MASS,
        ),
        Section(
            "Beside the truth, over generations", TABLE, generation_rows(measured, settings.shown)
        ),
        Section(
            "What predictions look like",
            which,
            figure=_picture(
                density_figure(run, lineage, settings.shown), settings.out, "densities"
            ),
            caption=DENSITY,
        ),
        Section(
            "What the labels say",
            f"{which}\n\n{LABELS}",
            figure=_picture(label_figure(run, lineage), settings.out, "labels"),
            caption=LABEL_PICTURE,
        ),
        Section("Did every fit pass its checks?", GATE, gate_rows(measured)),
        Section("What theory expects", THEORY),
    ]
    return page(TITLE, lead(), sections, settings.out / "report.html")


def _interval(part: xr.Dataset, name: str) -> str:
    mean, low, high = (float(part[name + s].mean()) for s in ("", "_low", "_high"))
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def _fate(part: xr.Dataset, scheme: str, last: int) -> str:
    end, count = part.isel(generation=-1), part.sizes["replicate"]
    mass, ever = end["mass"].to_numpy(), part["lost_posterior"].any("generation")
    modes = int((end["modes"] >= len(TRUTH["mu"])).sum())
    return (
        f"{scheme[0].upper()}{scheme[1:]}: in generation {last} the rare mode is lost in "
        f"{int(end['lost_posterior'].sum())} of {count} lineages, and at some time in "
        f"{int(ever.sum())}. The posterior mean of its probability lies between {mass.min():.3f} "
        f"and {mass.max():.3f} over lineages; the 95 % interval holds the true {true_mass():.3f} "
        f"in {int(end['covers'].sum())} of {count}. The posterior predictive density has three "
        f"modes or more in {modes} of {count}."
    )


def _unseen(measured: xr.Dataset, last: int) -> str:
    end = measured.isel(generation=-1)
    wrong = ~end["covers"]
    clean = int((wrong & end["passed"]).sum())
    return (
        f"Of the {end['covers'].size} posteriors of generation {last}, {int(wrong.sum())} have a "
        "95 % interval of this probability that misses the truth, where about "
        f"{0.05 * wrong.size:.1f} are expected of honest ones. {clean} of these {int(wrong.sum())} "
        "passed every sampling check: whoever sees such a fit alone has no sign of what happened."
    )


def _labels(measured: xr.Dataset) -> str:
    moved = (measured["weight_place"] < BOUNDARY) & (measured["generation"] > 0)
    after = int((measured["generation"] > 0).sum()) * measured.sizes["scheme"]
    total = after * measured.sizes["replicate"]
    return (
        f"In {int(moved.sum())} of {total} fits after generation 0, the component with the highest "
        f"mean lies below {BOUNDARY:g} (posterior mean): its label then names another group, and "
        "its weight says nothing about the rare one."
    )


def _gate(measured: xr.Dataset) -> str:
    failed = ~measured["passed"]
    return (
        f"{int(failed.sum())} of {failed.size} fits failed their sampling checks after three "
        "attempts; they are kept, marked and counted."
    )


def _picture(figure: Any, out: Path, name: str) -> Path:
    path = out / f"{name}.png"
    figure.savefig(path, dpi=150)
    return path


LOSS = f"""Lost: the 97.5 % point of the posterior of the mode's probability lies below {HALF:g}
times its true value in the last generation; ever: in any generation. By rows: fewer than
{QUARTER:g} times the true share of the rows that the last generation was given by the one before
lie above {BOUNDARY:g}. 3 modes: lineages whose posterior predictive density has at least three
modes in the last generation (a mode rises by {PROMINENCE:.0%} of the highest above the dips beside
it). Holds: lineages whose 95 % interval of the probability holds the truth in the last generation.
Probability: posterior means, median and range over lineages."""
MASS = f"""Each line is one lineage: the posterior mean of the probability above {BOUNDARY:g}, on a
logarithmic axis, with its 95 % interval shaded; values below {LOWEST:g} are drawn there. Dashed:
truth. Crosses: fits that failed their checks. A colour is the same lineage in every panel, and all
schemes start from the same real rows."""
TABLE = f"""Means over lineages; t is the generation. Probability: that of values above
{BOUNDARY:g}, posterior mean and 95 % interval, true value {true_mass():.3f}. Last label: weight of
the component with the highest mean, true value {TRUTH["weights"][-1]:.2f}. Seen: share of the
training weight above {BOUNDARY:g}. Holds: lineages whose interval of the probability holds the
truth."""
DENSITY = """Generations from top to bottom, schemes from left to right. Dashed: truth. Solid:
posterior predictive density; thin: single posterior draws, whose spread is what the posterior
admits not to know. Grey: the rows it was fitted to. Shaded: where the rare mode is. Heights are
proportional to the square root of the density, so that a small mode can be seen."""
LABELS = """Components are labelled by their means, in ascending order. While every group has rows,
labels and groups agree. Once a group is gone, its label returns to the prior or joins another
group: a weight by label can then stay large although the mode has vanished. The probability of a
place, above, needs no labels."""
LABEL_PICTURE = """Posterior weights by label with 95 % intervals. Dashed: true weights, in the same
colours."""
GATE = """A fit passes when R-hat is at most 1.01 or below what a converged chain of its effective
size shows in 999 of 1,000 cases, effective sizes are at least 100 a chain, and nothing diverged. It
is tried up to three times, with more draws and then longer adaptation. A mixture can have more than
one posterior mode, between which two short chains may not cross. Lost, failed: of the fits of any
generation that count as lost, those that failed."""
THEORY = """Replace with joint emission is a Gibbs sampler on rows and parameters: in the long run
its posterior draws return to the prior, whatever the data were (Griffiths and Kalish, 2007,
doi:10.1080/15326900701326576). A mode without rows is gone from what the next generation sees, and
only the prior can bring it back.

Accumulating with joint emission keeps all rows exchangeable: where a loop ends up is one draw from
generation 0's posterior (Fong, Holmes and Walker, 2021, arXiv:2103.15671). A mode that generation 0
saw stays, at a share that is off by about what generation 0 did not know, and the posterior closes
around it.

Fresh real rows bring the mode back every generation. Their share of the weight is the one that
theory gives for smooth parameters of many rows, no more than a guide for a mode of few.

Mode loss is one of the eight meanings of model collapse that Schaeffer et al. (2025,
arXiv:2503.03150) tell apart."""
