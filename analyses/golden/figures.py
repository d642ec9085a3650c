"""Pictures of the golden-ratio analysis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bayescollapse.plots.frame import GREY, PALETTE, tidy
from bayescollapse.plots.share import plot_share
from golden.growth import Growth
from golden.logistic import FewShares
from golden.ratios import Ratio
from golden.settings import slug
from golden.simulated import Sweep
from golden.tables import error_rows

ERROR = "error / real-only theory"
ASYMPTOTIC = "large-sample theory"
BARS = {"fmt": "o", "markersize": 3.5, "linewidth": 1.1}


def share_figure(sweeps: Sequence[Sweep], facets: Sequence[str]) -> Any:
    """Error against real share with law, located minimum and optimum, one facet per sweep."""
    marks = [
        {
            "model": sweep.model,
            "k": sweep.ratio,
            "emission": sweep.emission,
            "located": sweep.located.share,
            "low": sweep.located.low,
            "high": sweep.located.high,
            "optimum": sweep.optimum,
        }
        for sweep in sweeps
    ]
    figure = plot_share(error_rows(sweeps), facets=facets, marks=marks, error_label=ERROR)
    drawn = [axes for axes in figure.axes if axes.get_title()]  # a grid may have an empty place
    for axes, sweep in zip(drawn, sweeps, strict=True):
        if sweep.kind != "exact":
            axes.set_title(f"{axes.get_title()}\n({ASYMPTOTIC})", fontsize=10.5)
    return figure


def few_figure(result: FewShares) -> Any:
    """Error of a NUTS part against real share."""
    rows = [
        {"emission": "joint", "real_share": float(w), "error": float(e), "error_mcse": float(s)}
        for w, e, s in zip(result.shares, result.error, result.mcse, strict=True)
    ]
    return plot_share(rows, error_label="squared error, summed over coefficients")


def growth_figure(growths: Sequence[Growth]) -> Figure:
    """Error against generation, one facet a model."""
    figure, grid = _facets([growth.model for growth in growths])
    for axes, growth in zip(grid, growths, strict=True):
        t = np.arange(len(growth.error))
        step = max(1, len(t) // 12)
        exact = growth.kind == "exact"
        style = {"label": "theory"} if exact else {"label": ASYMPTOTIC, "linestyle": "--"}
        axes.plot(t, growth.law, color=PALETTE[1], linewidth=1.6, **style)
        axes.errorbar(
            t[::step],
            growth.error[::step],
            yerr=2 * growth.mcse[::step],
            color=PALETTE[0],
            label="measured (± 2 Monte Carlo standard errors)",
            **BARS,
        )
        axes.plot(t, growth.median, color=GREY, linestyle=":", label="median of lineages")
        axes.set(xlabel="generation", ylabel="error / first error of theory", ylim=(0, None))
    return _with_legend(figure, grid)


def ratio_figure(ratios: Sequence[Ratio]) -> Figure:
    """Error against the number of real rows per synthetic row, one facet a model."""
    models = list(dict.fromkeys(found.model for found in ratios))
    figure, grid = _facets(models)
    for axes, model in zip(grid, models, strict=True):
        for number, scheme in enumerate(("pooled", "best share")):
            part = [r for r in ratios if (r.model, r.scheme) == (model, scheme)]
            k = [found.ratio for found in part]
            color = PALETTE[2 * number]
            # A line through two points would say something about the ratios between them.
            line = {"linestyle": "-"} if len(k) > 2 else {"linestyle": "", "marker": "_", "ms": 16}
            law = "theory" if all(r.kind == "exact" for r in part) else ASYMPTOTIC
            if len(k) > 2 and law == ASYMPTOTIC:
                line["linestyle"] = "--"
            axes.plot(k, [r.law for r in part], color=color, label=f"{scheme}, {law}", **line)
            errors, bars = [r.error for r in part], [2 * r.mcse for r in part]
            axes.errorbar(k, errors, yerr=bars, color=color, label=f"{scheme}, measured", **BARS)
        axes.axhline(0.5, color=GREY, linestyle="--", linewidth=1, label="½: end of pooling")
        axes.set(xscale="log", xlabel="real rows per synthetic row, k", ylabel=ERROR)
        axes.set_ylim(0, None)
        _plain_ticks(axes, sorted({r.ratio for r in ratios if r.model == model}))
    return _with_legend(figure, grid)


def save(figure: Any, out: Path, name: str) -> Path:
    """Write a figure, of matplotlib or an ArviZ plot, as PNG."""
    path = out / f"{slug(name)}.png"
    figure.savefig(path, dpi=150)
    return path


def _facets(titles: Sequence[str], across: int = 2) -> tuple[Figure, list[Any]]:
    down = -(-len(titles) // across)
    figure = Figure(figsize=(9.0, 2.6 * down + 0.7), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False).ravel().tolist()
    for axes in grid[len(titles) :]:
        axes.set_axis_off()
    for axes, title in zip(grid, titles, strict=False):
        axes.set_title(title, fontsize=10.5)
        tidy(axes)
    return figure, grid[: len(titles)]


def _with_legend(figure: Figure, grid: Sequence[Any]) -> Figure:
    found: dict[str, Any] = {}
    for axes in grid:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(list(found.values()), list(found), loc="outside lower left", ncols=4, fontsize=9)
    return figure


def _plain_ticks(axes: Any, places: Sequence[float]) -> None:
    """Mark what was run on a logarithmic axis, in decimals."""
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()
