"""Tables, figures and the page of the golden-ratio analysis."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import bayescollapse as bc
from bayescollapse.plots.share import plot_share
from bayescollapse.reporting import Section
from golden.logistic import FewShares
from golden.simulated import Sweep

GOLDEN = (np.sqrt(5) - 1) / 2
SHORT = {"minimum": "best", "95 % interval": "95 %", "divergences": "div.", "number": "fits"}
Rows = list[dict[str, Any]]


def minima_rows(sweeps: Sequence[Sweep]) -> Rows:
    """One row per sweep: where its minimum lies, and how far its errors are from the law."""
    rows = []
    for sweep in sweeps:
        low, high = sweep.located.low, sweep.located.high
        nearest = int(np.argmin(np.abs(sweep.shares - sweep.located.share)))
        known = np.isfinite(sweep.optimum)
        rows.append(
            {
                "model": sweep.family,
                "of": sweep.parameter,
                "k": f"{sweep.ratio:g}",
                "emission": sweep.emission,
                "minimum": f"{sweep.located.share:.3f}",
                "95 % interval": f"{low:.3f}–{high:.3f}",
                "theory": f"{sweep.optimum:.3f}" if known else "none",
                "error": f"{sweep.error[nearest]:.3f}±{sweep.mcse[nearest]:.3f}",
                "law": f"{sweep.law[nearest]:.3f}" if known else "none",
                "max z": f"{np.abs(sweep.z_scores).max():.1f}" if known else "none",
            }
        )
    return rows


def error_rows(sweeps: Sequence[Sweep]) -> Rows:
    """One row per real share of every sweep."""
    return [
        {
            "model": sweep.family,
            "parameter": sweep.parameter,
            "k": sweep.ratio,
            "emission": sweep.emission,
            "real_share": float(share),
            "error": float(error),
            "error_mcse": float(mcse),
            "theory": float(law),
        }
        for sweep in sweeps
        for share, error, mcse, law in zip(
            sweep.shares, sweep.error, sweep.mcse, sweep.law, strict=True
        )
    ]


def few_rows(result: FewShares) -> Rows:
    """One row per real share of a NUTS part, and the real-only fit."""
    rows = [
        {"real share": float(w), "error": float(e), "error MCSE": float(s)}
        for w, e, s in zip(result.shares, result.error, result.mcse, strict=True)
    ]
    return [
        *rows,
        {
            "real share": "real rows only",
            "error": result.real_only,
            "error MCSE": result.real_only_mcse,
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


def print_table(console: Console, title: str, rows: Rows) -> None:
    """Print rows as a table that an 80-column terminal shows whole; only the first column folds."""
    names = [name for name in rows[0] if name != "of"]
    table = Table(
        title=f"\n{title}", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False
    )
    for number, name in enumerate(names):
        table.add_column(SHORT.get(name, name), no_wrap=number > 0, min_width=3 if number else 12)
    for row in rows:
        shown = {**row, names[0]: f"{row[names[0]]}, {row['of']}"} if "of" in row else row
        cells = [shown[name] for name in names]
        table.add_row(*(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells))
    console.print(table)


def write_csv(path: Path, rows: Rows) -> None:
    """Write rows as a CSV file."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def share_figure(sweeps: Sequence[Sweep], facets: Sequence[str] = ("k", "emission")) -> Any:
    """Error against real share with law, located minimum and optimum, one facet per sweep."""
    marks = [
        {
            "model": sweep.family,
            "k": sweep.ratio,
            "emission": sweep.emission,
            "located": sweep.located.share,
            "low": sweep.located.low,
            "high": sweep.located.high,
            **({"optimum": sweep.optimum} if np.isfinite(sweep.optimum) else {}),
        }
        for sweep in sweeps
    ]
    rows = error_rows(sweeps)
    if not np.isfinite(sweeps[0].optimum):
        rows = [{name: value for name, value in row.items() if name != "theory"} for row in rows]
    return plot_share(
        rows, facets=facets, marks=marks, error_label="error / error of real rows only"
    )


def few_figure(result: FewShares) -> Any:
    """Error of a NUTS part against real share."""
    rows = [
        {"emission": "joint", "real_share": float(w), "error": float(e), "error_mcse": float(s)}
        for w, e, s in zip(result.shares, result.error, result.mcse, strict=True)
    ]
    return plot_share(rows, error_label="squared error, summed over coefficients")


def save_figure(figure: Any, path: Path) -> Path:
    """Write a figure, of matplotlib or an ArviZ plot, as PNG."""
    figure.savefig(path, dpi=150)
    return path


def answer(sweeps: Sequence[Sweep]) -> str:
    """State the finding, in figures of this run."""
    lines = []
    for sweep in sweeps:
        if sweep.family == "Gaussian mean" and sweep.ratio == 1:
            low, high = sweep.located.low, sweep.located.high
            where = "inside" if low <= GOLDEN <= high else "outside"
            lines.append(
                f"{sweep.emission} emission: smallest error at a real share of "
                f"{sweep.located.share:.3f} (95 % interval {low:.3f} to {high:.3f}; theory "
                f"{sweep.optimum:.3f}); the inverse golden ratio {GOLDEN:.3f} lies {where} this "
                "interval."
            )
    return "\n\n".join(lines)


def sections(
    simulated: Sequence[Sweep],
    marginal: Sequence[Sweep],
    few: dict[str, FewShares],
    loops: Any,
    out: Path,
) -> list[Section]:
    """Sections of the page; every picture is also written as a PNG file."""
    parts = [Section("Where the smallest errors are", table=minima_rows(simulated), text=MINIMA)]
    groups: dict[tuple[str, str], list[Sweep]] = {}
    for sweep in simulated:
        groups.setdefault((sweep.family, sweep.parameter), []).append(sweep)
    for (family, parameter), group in groups.items():
        picture = _picture(share_figure(group), out, f"share-{family}-{parameter}")
        parts.append(Section(f"{family}: error of {parameter}", figure=picture, caption=SHARES))
    picture = _picture(share_figure(marginal, facets=("model",)), out, "share-real-table")
    rows = minima_rows(marginal)
    parts.append(Section("Real table: shares of categories", MARGINALS, rows, picture, SHARES))
    for name, result in few.items():
        picture = _picture(few_figure(result), out, f"share-{name}")
        parts.append(Section(name, NUTS, few_rows(result), picture, FEW))
    parts.append(Section("Did every fit pass its checks?", GATE, gate_rows(few)))
    drift = _picture(bc.plot_drift(loops, measures=["squared_error", "kl_first"]), out, "drift")
    parts.append(Section("Drift over generations", LOOPS, figure=drift, caption=DRIFT))
    coverage = _picture(
        bc.plot_information(loops, measures=["coverage", "certainty"]), out, "coverage"
    )
    parts.append(Section("Coverage over generations", figure=coverage, caption=COVERAGE))
    everything = error_rows([*simulated, *marginal])
    parts.append(
        Section("All errors", "Errors in units of the error of real rows only.", everything)
    )
    return parts


MINIMA = """Errors are squared errors of the posterior mean, averaged over replicates and the second
half of the generations, in units of what theory gives a fit to the real rows alone. k is the number
of real rows per synthetic row. The minimum and its interval come from a curve through the measured
errors and resampled replicates; "theory" is the optimal share for many generations. "Error" is
measured at the share nearest the minimum, with its Monte Carlo standard error, beside the law for
these generations and this emission; "max z" is the largest distance of any share's error from its
law, in Monte Carlo standard errors.

The laws of the Gaussian mean (known or unknown variance) and of the categories are exact. That of
linear regression is first order, low by about (features + 1) / n; the spread sigma has none. Those
of logistic and Poisson regression are first order too, and neglect terms that are not small at 100
rows: measured errors lie above them and "max z" is large. They are there for the place of the
minimum."""
SHARES = """Dots: measured errors with two Monte Carlo standard errors. Line: the law for these
generations and this emission. Shaded: the located minimum with its 95 % interval. Dashed: the
optimal share of theory."""
MARGINALS = """Fresh real rows are resampled from the table; the truth is the fit on the whole
table; emission is plug-in at the posterior mean."""
NUTS = """Each generation is a NUTS fit of the PyMC model to weighted rows, under joint emission.
Replicates are few, so the bars are wide and no minimum is claimed."""
FEW = "Dots: measured errors with two Monte Carlo standard errors over the replicates."
GATE = """A fit passes when R-hat is at most 1.01 or below what a converged chain of its effective
size shows in 999 of 1,000 cases, effective sizes are at least 100 a chain, and nothing diverged.
Exact posteriors have nothing to check."""
LOOPS = """Five loops on a Gaussian with unknown mean and variance, joint emission, n = m = 100,
Jeffreys' prior."""
DRIFT = """Top: squared error against the truth. Bottom: Gaussian Kullback-Leibler divergence from
the first generation's posterior, in nats. Solid: mean over replicates; dotted: median; where they
part, a few lineages carry the mean."""
COVERAGE = """Top: how often the central 95 % interval holds the truth; the dashed line is what it
claims. Bottom: real rows claimed per real row worth; 1 is honest, above 1 is overconfident."""


def _picture(figure: Any, out: Path, name: str) -> Path:
    safe = "".join(c if c.isalnum() else "-" for c in name.lower())
    return save_figure(figure, out / f"{safe}.png")
