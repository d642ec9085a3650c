"""Tables of the golden-ratio analysis: theory, measured, standard error, and z."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from golden.growth import Growth
from golden.logistic import FewShares
from golden.ratios import Ratio
from golden.simulated import Sweep

SHORT = {
    "generation": "t",
    "best share, theory": "theory",
    "best share, measured": "measured",
    "standard error": "s.e.",
    "largest |z|": "max|z|",
    "divergences": "div.",
    "number": "fits",
    "pooled, theory": "pooled\ntheory",
    "pooled, measured": "pooled\nmeasured",
    "pooled, standard error": "pooled\ns.e.",
    "pooled, z": "pooled\nz",
    "best share, standard error": "best\ns.e.",
    "best share, z": "best\nz",
}
Rows = list[dict[str, Any]]


def share_rows(sweeps: Iterable[Sweep]) -> Rows:
    """One row per sweep: the best real share by theory, and where the smallest error was found."""
    return [
        {
            "model": sweep.model,
            "k": f"{sweep.ratio:g}",
            "emission": sweep.emission,
            "best share, theory": f"{sweep.optimum:.3f}",
            "best share, measured": f"{sweep.located.share:.3f}",
            "95 % interval": f"{sweep.located.low:.3f}–{sweep.located.high:.3f}",
        }
        for sweep in sweeps
    ]


def best_rows(sweeps: Iterable[Sweep]) -> Rows:
    """One row per sweep: the error at the share that theory calls best."""
    rows = []
    for sweep in sweeps:
        at = sweep.nearest
        rows.append(
            {
                "model": sweep.model,
                "k": f"{sweep.ratio:g}",
                "emission": sweep.emission,
                "law": sweep.kind,
                "share": f"{sweep.shares[at]:.3f}",
                **_compared(sweep.law[at], sweep.error[at], sweep.mcse[at]),
                "largest |z|": f"{np.abs(sweep.z_scores).max():.1f}",
            }
        )
    return rows


def growth_rows(growths: Iterable[Growth]) -> Rows:
    """Two rows per model: a generation on the way, and the last."""
    return [
        {
            "model": growth.model,
            "law": growth.kind,
            "generation": t,
            **_compared(growth.law[t], growth.error[t], growth.mcse[t]),
            "median": _three(growth.median[t]),
        }
        for growth in growths
        for t in (len(growth.error) // 4, len(growth.error) - 1)
    ]


def ratio_rows(ratios: Sequence[Ratio]) -> Rows:
    """One row per model and ratio, pooled rows beside the best share."""
    rows: dict[tuple[str, float], dict[str, Any]] = {}
    for found in ratios:
        row = rows.setdefault(
            (found.model, found.ratio),
            {
                "model": found.model,
                "k": f"{found.ratio:g}",
                "law": found.kind,
                "generations": found.generations,
            },
        )
        compared = _compared(found.law, found.error, found.mcse)
        row |= {f"{found.scheme}, {name}": value for name, value in compared.items()}
    return list(rows.values())


def error_rows(sweeps: Iterable[Sweep]) -> Rows:
    """One row per real share of every sweep."""
    return [
        {
            "model": sweep.model,
            "k": sweep.ratio,
            "emission": sweep.emission,
            "law": sweep.kind,
            "real_share": float(share),
            "theory": float(law),
            "error": float(error),
            "error_mcse": float(mcse),
            "z": float((error - law) / mcse),
        }
        for sweep in sweeps
        for share, error, mcse, law in zip(
            sweep.shares, sweep.error, sweep.mcse, sweep.law, strict=True
        )
    ]


def growth_errors(growths: Iterable[Growth]) -> Rows:
    """One row per generation of every loop without fresh real rows."""
    return [
        {
            "model": growth.model,
            "law": growth.kind,
            "generation": t,
            "theory": float(growth.law[t]),
            "error": float(growth.error[t]),
            "error_mcse": float(growth.mcse[t]),
            "z": float(growth.z_scores[t]),
            "median": float(growth.median[t]),
        }
        for growth in growths
        for t in range(len(growth.error))
    ]


def ratio_errors(ratios: Iterable[Ratio]) -> Rows:
    """One row per model, ratio and scheme."""
    return [
        {
            "model": found.model,
            "law": found.kind,
            "scheme": found.scheme,
            "k": found.ratio,
            "generations": found.generations,
            "real_share": found.share,
            "theory": found.law,
            "error": found.error,
            "error_mcse": found.mcse,
            "z": found.z,
            "limit": found.limit,
        }
        for found in ratios
    ]


def few_rows(result: FewShares) -> Rows:
    """One row per real share of a NUTS part, and the real-only fit."""
    rows = [
        {"real share": float(w), "error": float(e), "standard error": float(s)}
        for w, e, s in zip(result.shares, result.error, result.mcse, strict=True)
    ]
    return [
        *rows,
        {
            "real share": "real rows only",
            "error": result.real_only,
            "standard error": result.real_only_mcse,
        },
    ]


def gate_rows(results: dict[str, FewShares]) -> Rows:
    """Gate figures of the NUTS parts."""
    rows = []
    for name, result in results.items():
        stats = result.run["sample_stats"].to_dataset(inherit=False)
        rows.append(
            {
                "part": name,
                "number": int(stats["passed"].size),
                "failed": int((~stats["passed"].astype(bool)).sum()),
                "retried": int((stats["attempts"] > 1).sum()),
                "R-hat ≤": round(float(stats["rhat"].max()), 4),
                "bulk ESS ≥": round(float(stats["ess_bulk"].min())),
                "tail ESS ≥": round(float(stats["ess_tail"].min())),
                "divergences": int(stats["divergences"].sum()),
            }
        )
    return rows


def print_table(console: Console, title: str, rows: Rows, *, without: Sequence[str] = ()) -> None:
    """Print rows as a table that an 80-column terminal shows whole; only the first column folds."""
    names = [name for name in rows[0] if name not in without]
    console.print(f"\n[italic]{title}[/italic]")
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for number, name in enumerate(names):
        table.add_column(SHORT.get(name, name), no_wrap=number > 0, min_width=3 if number else 12)
    for row in rows:
        cells = [row[name] for name in names]
        table.add_row(*(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells))
    console.print(table)


def write_csv(path: Path, rows: Rows) -> None:
    """Write rows as a CSV file."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _compared(theory: float, measured: float, mcse: float) -> dict[str, str]:
    return {
        "theory": _three(theory),
        "measured": _three(measured),
        "standard error": f"{mcse:.2g}",
        "z": f"{(measured - theory) / mcse:.1f}",
    }


def _three(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"
