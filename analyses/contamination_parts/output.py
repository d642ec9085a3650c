"""Tables, sentences and the page of the analysis of contaminated sources."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bayescollapse.reporting import Section, page
from contamination_parts import words
from contamination_parts.exponents import Atlas
from contamination_parts.figures import loss_figure, map_figure, paths_figure, worth_figure
from contamination_parts.frequencies import Curve
from contamination_parts.settings import Settings
from contamination_parts.text import ALONE, Texts

Rows = list[dict[str, Any]]

SHORT = {
    "standard error": "s.e.",
    "s.e. of loss": "s.e.",
    "generation": "t",
    "largest |z|": "max |z|",
}
SAMPLED = ("0 % real, plug-in", "25 % real, plug-in", "0 % real, joint")


def path_rows(curves: Sequence[Curve]) -> Rows:
    """One row per mixing and emission: the last simulated generation, and the largest |z|."""
    return [
        {
            "rows": curve.mixing.name,
            "emission": curve.emission,
            "generation": curve.last,
            "theory": float(curve.law[-1]),
            "measured": float(curve.error[-1]),
            "standard error": float(curve.mcse[-1]),
            "z": _tenths(curve.z_scores[-1]),
            "largest |z|": _tenths(np.abs(curve.z_scores).max()),
            "long run": curve.mixing.fate,
        }
        for curve in curves
    ]


def cell_rows(atlas: Atlas) -> Rows:
    """One row per simulated cell of the exponents."""
    return [
        {"A": c.mixing.decay, "B": c.mixing.growth, **row}
        for c, row in zip(atlas.measured, path_rows(atlas.measured), strict=True)
    ]


def shown_cells(atlas: Atlas) -> Rows:
    """Rows of the cells without what the exponents say."""
    return [
        {name: value for name, value in row.items() if name not in ("rows", "emission")}
        for row in cell_rows(atlas)
    ]


def text_rows(texts: Texts) -> Rows:
    """One row per scheme: first and last loss, and worth in real rows beside the law."""
    return [
        {
            "text": curve.label,
            "first loss": float(curve.loss[0]),
            "last loss": float(curve.loss[-1]),
            "s.e. of loss": float(curve.mcse[-1]),
            "theory": curve.worth_law,
            "measured": curve.worth,
            "standard error": curve.worth_mcse,
            "z": _tenths((curve.worth - curve.worth_law) / curve.worth_mcse),
        }
        for curve in texts.curves
    ]


def sample_rows(texts: Texts) -> Rows:
    """Show what generations of lineage 0 were trained on: the first rows, word for word."""
    last = len(texts.curves[0].loss) - 1
    rows = [
        {"text": label, "generation": t, "first two rows": texts.sample(label, t)}
        for label in SAMPLED
        for t in (last // 3, last)
    ]
    first = {"text": "real", "generation": 0, "first two rows": texts.sample(ALONE, 0)}
    return [first, *rows]


def every_path(curves: Sequence[Curve]) -> Rows:
    """One row per generation of every curve."""
    return [
        {
            "level": curve.mixing.level,
            "decay": curve.mixing.decay,
            "growth": curve.mixing.growth,
            "first_rows": curve.mixing.first,
            "emission": curve.emission,
            "generation": t,
            "theory": float(curve.law[t]),
            "measured": float(curve.error[t]),
            "standard_error": float(curve.mcse[t]),
        }
        for curve in curves
        for t in range(len(curve.error))
    ]


def every_loss(texts: Texts) -> Rows:
    """One row per generation of every text."""
    return [
        {
            "text": curve.label,
            "generation": t,
            "loss": float(curve.loss[t]),
            "standard_error": float(curve.mcse[t]),
            "different_words": float(curve.words[t]),
        }
        for curve in texts.curves
        for t in range(len(curve.loss))
    ]


def print_table(console: Console, title: str, rows: Rows, hidden: Sequence[str] = ()) -> None:
    """Print rows as a table that an 80-column terminal shows whole; only the first column folds."""
    names = [name for name in rows[0] if name not in hidden]
    table = Table(
        title=f"\n{title}", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False
    )
    for number, name in enumerate(names):
        table.add_column(SHORT.get(name, name), no_wrap=number > 0, min_width=3)
    for row in rows:
        cells = [row[name] for name in names]
        table.add_row(*(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells))
    console.print(table)


def write_csv(path: Path, rows: Rows) -> None:
    """Write rows as a CSV file."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_page(settings: Settings, curves: Sequence[Curve], atlas: Atlas, texts: Texts) -> Path:
    """Write the report; every picture is also a PNG file."""
    out, found = settings.out, words.findings(curves, atlas, texts)
    sections = [
        Section(
            "Frequencies: error over generations",
            words.PATHS,
            path_rows(curves),
            _picture(paths_figure(curves), out / "frequencies.png"),
            words.PATHS_PICTURE,
        ),
        Section(
            "How fast may the real share fall?",
            words.MAP,
            shown_cells(atlas),
            _picture(map_figure(atlas), out / "exponents.png"),
            words.MAP_PICTURE,
        ),
        Section(
            "Real text: loss over generations",
            words.about_text(texts),
            figure=_picture(loss_figure(texts), out / "loss.png"),
            caption=words.LOSS_PICTURE,
        ),
        Section(
            "Real text: what a contaminated row is worth",
            words.WORTH,
            text_rows(texts),
            _picture(worth_figure(texts), out / "worth.png"),
            words.WORTH_PICTURE,
        ),
        Section("What the texts look like", words.SAMPLES, sample_rows(texts)),
        Section("The laws", words.LAWS),
    ]
    return page(
        words.TITLE, words.LEAD + "\n\n" + "\n\n".join(found), sections, out / "report.html"
    )


def _tenths(value: float) -> str:
    return "–" if np.isnan(value) else f"{float(value):.1f}".replace("-0.0", "0.0")


def _picture(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=150)
    return path
