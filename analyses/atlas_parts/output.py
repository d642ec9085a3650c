"""Table, figure and page of the atlas."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from scipy.special import ndtri

import bayescollapse as bc
from atlas_parts.part import Outcome
from bayescollapse.reporting import Section, page

Rows = list[dict[str, Any]]

FALSE_ALARM = 1e-3
"""Probability that the table fails although every law holds, at most."""

TITLE = "Does every training loop obey its law?"
LEAD = """Papers on models that learn from their own output each have a loop of their own. Here each
is one value, a scheme, and each runs through the same experiment on a model for which its law is
known. This page holds what was measured against the laws."""
TABLE = """Each row is the mean of a quantity over lineages and over the generations for which the
law is averaged, with its Monte Carlo standard error. z is the distance in standard errors, beyond
the relative slack of laws that hold for many rows only; of bounds it is the distance on the wrong
side. Rows of the same experiment share their real rows and their noise, so their z are alike."""
CAPTION = """Dots: z of every row of the table, in its order. Shaded: the normal band in which all
of them lie with the stated probability, if every law holds; darker: one standard error. Bounds that
are kept have z = 0."""
UNCHECKED = """No law is known for these presets, or none in bayescollapse.theory."""


def z_limit(rows: int) -> float:
    """Bound on every |z|, from half of the false-alarm probability shared among the rows.

    The other half is left for means that are not quite normal.
    """
    return float(-ndtri(FALSE_ALARM / 2 / rows / 2))


def passed(outcomes: Sequence[Outcome]) -> list[bool]:
    """Whether each row of the table passes."""
    limit = z_limit(len(outcomes))
    return [abs(outcome.z) <= limit for outcome in outcomes]


def rows_of(outcomes: Sequence[Outcome]) -> Rows:
    """Rows of the table."""
    return [
        {
            "preset": outcome.check.label,
            "law": outcome.check.law,
            "quantity": outcome.check.quantity,
            "relation": outcome.check.kind,
            "theory": outcome.theory,
            "measured": outcome.measured,
            "standard error": outcome.standard_error,
            "z": outcome.z,
            "pass": fine,
        }
        for outcome, fine in zip(outcomes, passed(outcomes), strict=True)
    ]


def answer(outcomes: Sequence[Outcome]) -> str:
    """State the finding, in figures of this run."""
    fine, limit = passed(outcomes), z_limit(len(outcomes))
    presets = {outcome.check.preset for outcome in outcomes}
    worst = max(outcomes, key=lambda outcome: abs(outcome.z))
    return (
        f"{sum(fine)} of {len(fine)} laws of {len(presets)} presets are obeyed: |z| is at most "
        f"{limit:.2f}, which has a false-alarm probability of {FALSE_ALARM:g} for the whole table. "
        f"The largest is {abs(worst.z):.2f} ({worst.check.label}, {worst.check.law})."
    )


def print_table(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print the table, two lines a row, narrow enough for a terminal."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("preset, law", "theory", "measured", "s.e.", "z", "pass"):
        first = name == "preset, law"
        table.add_column(
            name, overflow="fold", no_wrap=not first, justify="left" if first else "right"
        )
    signs = {"at most": "≤ ", "at least": "≥ ", "equal": ""}
    for row in rows_of(outcomes):
        numbers = (f"{row[name]:.4g}" for name in ("measured", "standard error"))
        theory = f"{signs[row['relation']]}{row['theory']:.4g}"
        ending = (f"{row['z']:.2f}", "yes" if row["pass"] else "NO")
        table.add_row(f"{row['preset']}\n  {row['law']}", theory, *numbers, *ending)
    console.print(table)


def write_csv(path: Path, rows: Rows) -> None:
    """Write rows as a CSV file."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def figure(outcomes: Sequence[Outcome]) -> Figure:
    """Draw z of all rows against the normal band."""
    z, limit = np.array([outcome.z for outcome in outcomes]), z_limit(len(outcomes))
    place = np.arange(len(z))
    drawn = Figure(figsize=(7.0, 0.16 * len(z) + 1.2), layout="constrained")
    axes = drawn.subplots()
    axes.axvspan(-limit, limit, color="#0072b2", alpha=0.08, lw=0)
    axes.axvspan(-1, 1, color="#0072b2", alpha=0.12, lw=0)
    axes.axvline(0, color="0.5", lw=0.8)
    outside = np.abs(z) > limit
    shown = np.clip(z, -1.6 * limit, 1.6 * limit)
    axes.plot(shown[~outside], place[~outside], "o", ms=4, color="#0072b2")
    axes.plot(shown[outside], place[outside], "s", ms=5, color="#d55e00")
    names = [f"{outcome.check.preset}: {outcome.check.law}" for outcome in outcomes]
    axes.set_yticks(place, names, fontsize=6.5)
    axes.set_ylim(len(z) - 0.4, -0.6)
    axes.set_xlim(-1.65 * limit, 1.65 * limit)
    axes.set_xlabel("z: measured minus law, in Monte Carlo standard errors")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return drawn


def report(outcomes: Sequence[Outcome], out: Path) -> Path:
    """Write table, figure and page."""
    rows, drawn = rows_of(outcomes), figure(outcomes)
    write_csv(out / "laws.csv", rows)
    drawn.savefig(out / "z.png", dpi=150)
    frame = bc.schemes.table()
    without = frame[frame["law"] == ""][["call", "paper", "remark"]].to_dict("records")
    sections = [
        Section("Laws", TABLE, rows),
        Section("Distances", figure=out / "z.png", caption=CAPTION),
        Section("Presets without a law here", UNCHECKED, without),
    ]
    return page(TITLE, f"{LEAD}\n\n{answer(outcomes)}", sections, out / "report.html")
