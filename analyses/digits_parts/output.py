"""Tables and the page of the digits analysis."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import xarray as xr
from rich.console import Console
from rich.table import Table

from bayescollapse.reporting import Section, page
from digits_parts import findings, pictures, words
from digits_parts.data import CLASSES, balanced, load_digits
from digits_parts.loops import KEEP, Loop, Settings
from digits_parts.measures import LEAD, MEASURES, made, real_figures

__all__ = ["print_table", "write_csv", "write_page"]

Rows = list[dict[str, Any]]

EACH = 2
"""Images of each digit in a line of a picture."""


def print_table(console: Console, title: str, rows: Rows) -> None:
    """Print rows as a table."""
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)


def write_csv(path: Path, measured: xr.Dataset) -> None:
    """Write one line per fit."""
    columns = [*LEAD, *MEASURES, "passed"]
    table = measured.to_dataframe().reset_index()[columns]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(table.itertuples(index=False))


def write_page(
    settings: Settings,
    loop: Loop,
    measured: xr.Dataset,
    best: xr.Dataset,
    neural: Loop | None,
    neural_measured: xr.Dataset | None,
) -> Path:
    """Write the report; every picture is also a PNG file.

    Parameters
    ----------
    settings : Settings
        Sizes, and where results go.
    loop, measured
        Probabilistic PCA: its run, and what was measured of it.
    best : Dataset
        What was measured of one model of all real images that are not held out.
    neural, neural_measured : optional
        The decoder: its run, and what was measured of it.
    """
    sections = [
        Section(
            "Expected and seen",
            "\n\n".join(findings.findings(measured)) + f"\n\n{words.READ}",
            findings.seen_rows(measured),
        ),
        Section("With a verifier against without", words.AGAINST, findings.against_rows(measured)),
        *_curve_sections(settings, measured, best),
        Section("In figures", words.TABLE, findings.generation_rows(measured)),
        *_grid_sections(settings, loop, "pca"),
    ]
    if neural is not None and neural_measured is not None:
        sections += _neural_sections(settings, neural, neural_measured)
    sections += [
        Section("Images, model and method", _format(words.METHOD, settings)),
        Section("The verifiers", _format(words.VERIFIERS, settings)),
        Section("How far this goes", words.LIMITS),
    ]
    return page(words.TITLE, _format(words.LEAD, settings), sections, settings.out / "report.html")


def _curve_sections(settings: Settings, measured: xr.Dataset, best: xr.Dataset) -> list[Section]:
    real, ideal = real_figures(settings.source), best.isel(scheme=0, replicate=0, generation=0)
    titles = {
        "frechet": ("How far made digits are from real ones", words.FRECHET),
        "density": ("How well generations predict real digits", words.DENSITY),
        "recognised": ("Whether made digits can be read", words.RECOGNISED),
        "variety": ("How much digits of one kind differ", words.VARIETY),
    }
    axes = {
        "frechet": ("squared Fréchet distance", "log"),
        "density": ("log density (nats per held-out image)", "symlog"),
        "recognised": ("share recognised", "linear"),
        "variety": ("variety, held-out images = 1", "linear"),
    }
    sections = []
    for name, (title, text) in titles.items():
        references = {"one model of all real images": float(ideal[name])}
        if name in real:
            references = {pictures.REAL: real[name], **references}
        label, scale = axes[name]
        figure = pictures.curves(measured, name, label, scale=scale, references=references)
        path = _save(figure, settings, f"pca-{name}")
        sections.append(Section(title, text, None, path, words.CURVE))
    return sections


def _grid_sections(settings: Settings, loop: Loop, stem: str) -> list[Section]:
    """One picture per scheme: images that every generation of the first lineage makes."""
    digits = load_digits(settings.source, binary=loop.binary)
    sections = []
    sizes = loop.run["predictive"].to_dataset()
    for number, scheme in enumerate(sizes["scheme"].to_numpy().tolist()):
        real = balanced(digits.held_out, EACH * CLASSES)
        blocks = [("real", real)]
        for t in sizes["generation"].to_numpy().tolist():
            images = made(loop, scheme, 0, t, EACH * CLASSES, settings.seed)
            blocks.append((str(t), images))
        figure = pictures.grid(blocks, digits.side, each=EACH)
        path = _save(figure, settings, f"{stem}-digits-{number}")
        model = "the decoder" if loop.binary else "probabilistic PCA"
        sections.append(
            Section(f"What each generation makes: {model}, {scheme}", "", None, path, words.GRID)
        )
    return sections


def _neural_sections(settings: Settings, loop: Loop, measured: xr.Dataset) -> list[Section]:
    text = _format(words.NEURAL, settings, held_out=loop.held_out)
    seen = "\n\n".join(findings.findings(measured))
    rows = [
        {
            "scheme": scheme,
            "lineage": lineage,
            "generation": t,
            **{
                findings.NAMES[name]: round(float(cell[name]), 3)
                for name in ("frechet", "density", "recognised", "variety")
            },
        }
        for scheme in measured["scheme"].to_numpy().tolist()
        for lineage in measured["replicate"].to_numpy().tolist()
        for t in measured["generation"].to_numpy().tolist()
        for cell in [measured.sel(scheme=scheme, replicate=lineage, generation=t)]
    ]
    figure = pictures.curves(measured, "frechet", "squared Fréchet distance", scale="log")
    path = _save(figure, settings, "decoder-frechet")
    first = Section("A decoder beside it", f"{text}\n\n{seen}", rows, path, words.NEURAL_CURVE)
    return [first, *_grid_sections(settings, loop, "decoder")]


def _save(figure: Any, settings: Settings, name: str) -> Path:
    path = settings.out / f"{name}.png"
    figure.savefig(path, dpi=150, facecolor="white")
    return path


def _format(text: str, settings: Settings, **more: Any) -> str:
    digits = load_digits(settings.source)
    facts: dict[str, Any] = {
        "name": digits.name,
        "pool": digits.pool.sizes["obs"],
        "other": digits.other.sizes["obs"],
        "test": digits.held_out.sizes["obs"],
        "known": digits.known.sizes["obs"],
        "pixels": digits.features,
        "proposed": round(settings.made / KEEP),
        "keep": f"{100 * KEEP:g}",
        "parameters": CLASSES * digits.features * (1 + settings.factors) + 1,
        "last": settings.generations - 1,
        "decoder_last": settings.decoder_generations - 1,
        **vars(settings),
        **more,
    }
    return text.format(**facts)
