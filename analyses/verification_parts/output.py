"""Tables, sentences and files of the verification analysis."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console
from rich.table import Table

from verification_parts import compare, laws, loops, one_round
from verification_parts.figures import Results
from verification_parts.loops import Loop, Outcome, Study

Rows = list[dict[str, Any]]
FIGURES = ("theory", "measured", "standard_error", "z")
SHORT = {"standard_error": "SE", "measured": "meas.", "emission": "emission"}


def cell_rows(cells: xr.Dataset) -> Rows:
    """One row per cell of the map."""
    return [
        {
            "distance": float(distance),
            "radius": float(radius),
            "second_order": float(cells["second_order"][i, j]),
            "theory": float(cells["exact"][i, j]),
            "measured": float(cells["measured"][i, j]),
            "standard_error": float(cells["standard_error"][i, j]),
            "z": float(cells["z"][i, j]),
        }
        for i, distance in enumerate(cells["distance"].to_numpy())
        for j, radius in enumerate(cells["radius"].to_numpy())
    ]


def chosen_cells(cells: xr.Dataset) -> Rows:
    """Corners, edges and middle of the map."""
    picked = [
        set(cells[name].to_numpy()[[0, cells.sizes[name] // 2, -1]])
        for name in ("distance", "radius")
    ]
    return [r for r in cell_rows(cells) if r["distance"] in picked[0] and r["radius"] in picked[1]]


def break_even_rows(cells: xr.Dataset) -> Rows:
    """One row per radius: the distance at which a round turns from gain to loss."""
    columns = zip(
        cells["radius"].to_numpy(),
        one_round.break_even(cells, "exact"),
        one_round.break_even(cells, "measured"),
        one_round.break_even_error(cells),
        strict=True,
    )
    return [
        {
            "radius": float(radius),
            "theory": float(law),
            "measured": float(found),
            "standard_error": float(error),
            "z": float((found - law) / error),
        }
        for radius, law, found, error in columns
    ]


def follow_all(study: Study, outcomes: dict[Loop, Outcome]) -> Results:
    """Put the law of every loop beside its lineages."""
    return {loop: (outcome, laws.follow(loop, study.rows)) for loop, outcome in outcomes.items()}


def error_rows(results: Results) -> Rows:
    """Distances of every loop and generation, to the truth and, where it differs, the centre."""
    return [
        row
        for outcome, law in results.values()
        for of in (("truth", "centre") if law.loop.distance else ("truth",))
        for row in compare.error_rows(outcome, law, of)
    ]


def acceptance_rows(results: Results) -> Rows:
    """List accepted shares of every loop and generation."""
    return [
        row for outcome, law in results.values() for row in compare.acceptance_rows(outcome, law)
    ]


def coverage_rows(results: Results) -> Rows:
    """Coverage of every loop and generation, with the total weight that is claimed."""
    return [
        row | {"total_weight": float(outcome.total_weight[row["t"]])}
        for outcome, law in results.values()
        for of in (("truth", "centre") if law.loop.distance else ("truth",))
        for row in compare.coverage_rows(outcome, law, of)
    ]


def centre_rows(results: Results) -> Rows:
    """Coverage of the verifier's centre at the last generation, one row per verified loop."""
    rows = []
    for outcome, law in results.values():
        if law.loop.radius is not None:
            row = list(compare.coverage_rows(outcome, law, "centre"))[-1]
            rows.append(
                {name: row[name] for name in ("verifier", "radius", "emission", "t", *FIGURES)}
                | {"limit": laws.limit_coverage(law.loop)}
            )
    return rows


def contraction_rows(results: Results) -> Rows:
    """Contraction of every loop with plug-in emission: the first round, and all later ones."""
    rows = []
    for outcome, law in results.values():
        for words, steps in (("first", slice(0, 1)), ("later", slice(1, None))):
            row = compare.contraction_row(outcome, law, steps)
            named = {"verifier": row["verifier"], "radius": row["radius"], "rounds": words}
            rows.append(named | {"largest": row["largest"]} | {k: row[k] for k in FIGURES})
    return rows


def end_rows(results: Results) -> Rows:
    """Distance to the verifier's centre at the last generation, one row per verified loop."""
    rows = []
    for outcome, law in results.values():
        if law.loop.radius is not None:
            row = list(compare.error_rows(outcome, law, "centre"))[-1]
            named = {name: row[name] for name in ("verifier", "radius", "t")}
            ends = {"bound": float(laws.bound(law)[-1]), "floor": laws.floor(law)}
            rows.append(named | ends | {name: row[name] for name in FIGURES})
    return rows


def rounded(rows: Rows, *, shares: bool = False) -> Rows:
    """Round z to two decimals, and shares to four: smaller figures say nothing."""
    digits = {"z": 2}
    if shares:
        digits |= dict.fromkeys(("theory", "measured", "standard_error", "limit"), 4)
    return [
        {k: round(v, digits[k]) + 0.0 if k in digits else v for k, v in row.items()} for row in rows
    ]


def at(rows: Rows, generations: Iterable[int], *, drop: Sequence[str] = ()) -> Rows:
    """Rows of some generations, without columns that say nothing."""
    wanted = set(generations)
    return [{k: v for k, v in row.items() if k not in drop} for row in rows if row["t"] in wanted]


def agreement_rows(parts: dict[str, Rows]) -> Rows:
    """How far measurements are from theory, part by part."""
    rows = []
    for name, part in parts.items():
        z = np.array([row["z"] for row in part])
        z = z[np.isfinite(z)]
        rows.append(
            {
                "comparison": name,
                "number": len(z),
                "largest |z|": float(np.abs(z).max()),
                "share beyond 2": float((np.abs(z) > 2).mean()),
            }
        )
    return rows


def marked_rows(cells: xr.Dataset, lineages: int, studies: dict[str, Results]) -> Rows:
    """How many lineages were marked, because the stated number of proposals did not suffice."""
    rows = [
        {
            "part": "One round",
            "lineages": int(cells["short"].size) * lineages,
            "marked": int(cells["short"].sum()),
        }
    ]
    for name, results in studies.items():
        marked = np.array([outcome.short.any(axis=1) for outcome, _ in results.values()])
        rows.append({"part": name, "lineages": marked.size, "marked": int(marked.sum())})
    return rows


def findings(cells: xr.Dataset, rates: Results, reversal: Results) -> list[str]:
    """Say what was measured, in figures of this run."""
    return [_one_round(cells), _many_rounds(rates), _reversal(reversal), _regions(reversal)]


def print_table(console: Console, title: str, rows: Rows) -> None:
    """Print rows as a table; only the first column folds."""
    console.print(f"\n{title}")
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for number, name in enumerate(rows[0]):
        table.add_column(SHORT.get(name, name.replace("_", " ")), no_wrap=number > 0)
    for row in rows:
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    console.print(table)


def write_csv(path: Path, rows: Rows) -> None:
    """Write rows as a CSV file."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=names)
        writer.writeheader()
        writer.writerows(rows)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{round(value, 1) + 0.0:.1f}" if name == "z" else f"{value:.4g}"


def _one_round(cells: xr.Dataset) -> str:
    rows = [row for row in break_even_rows(cells) if np.isfinite(row["measured"])]
    wide = max(rows, key=lambda row: row["standard_error"]) if rows else None
    if wide is None:
        return "One round: no radius has a distance at which gain turns into loss."
    measured = [row["measured"] for row in rows]
    best = float(np.exp(cells["measured"].max()))
    worst = float(np.exp(-cells["measured"].min()))
    return (
        f"One round of verified rows brings the fit up to {best:.2f} times closer to the truth, or "
        f"up to {worst:.2f} times farther from it. It helps while the verifier's centre is within "
        f"about {min(measured):.2f} to {max(measured):.2f} of the truth, depending on the radius "
        f"(standard error at most {wide['standard_error']:.3f}); real rows alone are off by "
        f"{np.sqrt(one_round.FEATURES / one_round.ROWS):.2f}."
    )


def _many_rounds(results: Results) -> str:
    biased = [pair for loop, pair in results.items() if loop.distance]
    last = len(biased[0][1].rows) - 1
    parts = []
    for outcome, law in biased:
        to_centre, to_truth = (
            np.sqrt(compare.squared(outcome, law, of).mean(axis=0)[-1])
            for of in ("centre", "truth")
        )
        parts.append(
            f"radius {law.loop.radius:g}: {to_centre:.3f} from its centre, {to_truth:.3f} from the "
            "truth"
        )
    return (
        f"A verifier whose centre is {biased[0][1].loop.distance:g} from the truth draws the loop "
        f"to itself. At generation {last}, {'; '.join(parts)}. The radius sets how fast, not where."
    )


def _reversal(results: Results) -> str:
    loop = next(a for a in results if (a.verifier, a.emission) == ("mild bias", "plug-in"))
    outcome, law = results[loop]
    measured, error = compare.mean_and_error(compare.squared(outcome, law, "truth"))
    unit = law.truth_error[0]
    low, expected = int(measured.argmin()), int(law.truth_error.argmin())
    return (
        "Under a mild bias (plug-in emission) the squared error falls to "
        f"{measured[low] / unit:.2f} ± {error[low] / unit:.2f} of that of the real rows alone, at "
        f"generation {low} (theory: {law.truth_error[expected] / unit:.2f} at generation "
        f"{expected}), and is back at "
        f"{measured[-1] / unit:.2f} ± {error[-1] / unit:.2f} at generation {len(measured) - 1} "
        f"(theory: {law.truth_error[-1] / unit:.2f})."
    )


def _regions(results: Results) -> str:
    parts = []
    for emission in loops.EMISSIONS:
        loop = next(a for a in results if (a.verifier, a.emission) == ("mild bias", emission))
        outcome, law = results[loop]
        truth, centre = (
            100 * compare.inside(outcome, law, of).mean(axis=0)[-1] for of in ("truth", "centre")
        )
        parts.append(
            f"{emission} emission {truth:.1f} % hold the truth and {centre:.1f} % the "
            "verifier's centre"
        )
    weight = outcome.total_weight[-1]
    return (
        f"At the last generation under a mild bias, posteriors claim to rest on {weight:.0f} rows; "
        f"of their 95 % regions, with {'; with '.join(parts)}."
    )
