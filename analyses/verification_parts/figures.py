"""Pictures of the verification analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bayescollapse.plots.frame import GREY, PALETTE, tidy
from verification_parts import compare, one_round
from verification_parts.laws import PROBABILITY, Law, bound
from verification_parts.loops import EMISSIONS, Loop, Outcome

Results = Mapping[Loop, tuple[Outcome, Law]]

RANGE = 0.8
FINE = 200
DRAWN = 12
DOTS = Line2D([], [], color=GREY, marker="o", markersize=4, linestyle="", label="measured ± 2 SE")
LINE = Line2D([], [], color=GREY, label="theory")
VERIFIERS = {
    "unbiased": PALETTE[0],
    "mild bias": PALETTE[1],
    "strong bias": PALETTE[3],
    "no verifier": GREY,
}


def map_figure(cells: xr.Dataset) -> Figure:
    """One round over bias and radius: theory on a fine grid, measured on a coarse one, and z."""
    figure = Figure(figsize=(12.5, 4.2), layout="constrained")
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    x = np.linspace(0, one_round.FARTHEST, FINE)
    y = np.linspace(one_round.NARROWEST, one_round.WIDEST, FINE)
    law = one_round.theorem(x, y)
    colours = {"cmap": "RdBu", "vmin": -RANGE, "vmax": RANGE}
    shown = axes[0].pcolormesh(x, y, law.T, shading="nearest", rasterized=True, **colours)
    distance, radius = (cells[name].to_numpy() for name in ("distance", "radius"))
    axes[1].pcolormesh(distance, radius, cells["measured"].T, shading="nearest", **colours)
    z = axes[2].pcolormesh(
        distance, radius, cells["z"].T, shading="nearest", cmap="PuOr", vmin=-4, vmax=4
    )
    for panel in axes:
        panel.contour(x, y, law.T, levels=[0], colors="black", linewidths=1.4, linestyles="--")
        panel.set_xlabel("distance of its centre from the truth")
        panel.set(xlim=x[[0, -1]], ylim=y[[0, -1]])
    axes[0].set_ylabel("radius of the verifier's ball")
    axes[0].set_title("one-step theory", fontsize=10.5)
    axes[1].set_title("measured", fontsize=10.5)
    axes[2].set_title("measured − theory", fontsize=10.5)
    figure.colorbar(shown, ax=axes[:2], label="log (distance before / after)")
    figure.colorbar(z, ax=axes[2], label="standard errors (z)")
    return figure


def rates_figure(results: Results, gap: int) -> Figure:
    """Squared distances over generations by radius, to the centre and to the truth."""
    figure = Figure(figsize=(12.5, 4.6), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    panels = (
        ("biased verifier", "centre", "Biased verifier:\ndistance to its centre"),
        ("biased verifier", "truth", "Biased verifier:\ndistance to the truth"),
        ("unbiased verifier", "truth", "Unbiased verifier: distance to\nthe truth, its centre"),
    )
    radii = list(dict.fromkeys(loop.radius for loop in results if loop.radius is not None))
    for panel, (verifier, of, title) in zip(axes, panels, strict=True):
        for loop, (outcome, law) in results.items():
            none = loop.radius is None and of == "truth"
            if loop.verifier == verifier or none:
                color = GREY if loop.radius is None else PALETTE[radii.index(loop.radius)]
                _errors(panel, outcome, law, of, color, gap)
                if of == "centre" or verifier.startswith("unbiased"):
                    _bound(panel, law, color)
        panel.set(yscale="log", xlabel="generation")
        panel.set_title(title, fontsize=10.5)
        _whole(panel)
    axes[0].set_ylabel("mean squared distance")
    colours = [
        Line2D([], [], color=PALETTE[i], linewidth=3, label=f"radius {r:g}")
        for i, r in enumerate(radii)
    ]
    none = Line2D([], [], color=GREY, linewidth=3, label="no verifier")
    dotted = Line2D([], [], color=GREY, linestyle=":", label="bound of theorem 4.1")
    _legend(figure, [*colours, none, DOTS, LINE, dotted])
    return figure


def reversal_figure(results: Results, gap: int) -> Figure:
    """Squared distance to the truth in units of that of the real rows alone, by emission."""
    figure, axes = _by_emission()
    for panel, emission in zip(axes, EMISSIONS, strict=True):
        for loop, (outcome, law) in results.items():
            if loop.emission == emission:
                unit = law.truth_error[0]
                _errors(panel, outcome, law, "truth", VERIFIERS[loop.verifier], gap, unit)
        panel.axhline(1, color="black", linestyle="--", linewidth=1)
        panel.set(yscale="log", xlabel="generation")
        _whole(panel)
    axes[0].set_ylabel("mean squared distance to the truth,\nin units of generation 0")
    dashed = Line2D([], [], color="black", linestyle="--", label="real rows alone")
    _legend(figure, [*_verifiers(), DOTS, LINE, dashed])
    return figure


def coverage_figure(results: Results, gap: int) -> Figure:
    """Coverage of the truth and of the verifier's centre by the 95 % region."""
    figure = Figure(figsize=(9.5, 6.2), layout="constrained")
    grid = figure.subplots(2, 2, sharex=True, sharey=True)
    for line, of in zip(grid, ("truth", "centre"), strict=True):
        for panel, emission in zip(line, EMISSIONS, strict=True):
            for loop, (outcome, law) in results.items():
                if loop.emission == emission and (of == "truth" or loop.radius is not None):
                    color = VERIFIERS[loop.verifier]
                    _coverage(panel, outcome, law, of, color, gap)
            panel.axhline(PROBABILITY, color="black", linestyle="--", linewidth=1)
            panel.set(ylim=(-0.03, 1.03))
            whose = "the truth" if of == "truth" else "the verifier's centre"
            panel.set_title(f"holds {whose}: {emission} emission", fontsize=10.5)
            _whole(panel)
        line[0].set_ylabel("share of lineages")
    for panel in grid[1]:
        panel.set_xlabel("generation")
    dashed = Line2D([], [], color="black", linestyle="--", label="what a 95 % region claims")
    _legend(figure, [*_verifiers(), DOTS, LINE, dashed])
    return figure


def closing_figure(results: Results) -> Figure:
    """Intervals of one coefficient over generations, under a mild bias."""
    figure, axes = _by_emission()
    for panel, emission in zip(axes, EMISSIONS, strict=True):
        loop = next(a for a in results if (a.verifier, a.emission) == ("mild bias", emission))
        outcome, law = results[loop]
        times = np.arange(len(law.rows))
        low, high = np.median(outcome.interval, axis=0).T
        panel.fill_between(times, low, high, color=PALETTE[1], alpha=0.22, linewidth=0)
        centre = 1 + loop.bias[0]
        means = outcome.offset[:DRAWN, :, 0] + centre
        panel.plot(times, means.T, color=PALETTE[1], linewidth=0.6, alpha=0.7)
        panel.axhline(1, color="black", linestyle="--", linewidth=1.2)
        panel.axhline(centre, color=PALETTE[0], linestyle="-.", linewidth=1.2)
        panel.set_xlabel("generation")
        _whole(panel)
    axes[0].set_ylabel("first coefficient")
    _legend(
        figure,
        [
            Line2D([], [], color="black", linestyle="--", label="truth"),
            Line2D([], [], color=PALETTE[0], linestyle="-.", label="verifier's centre"),
            Patch(color=PALETTE[1], alpha=0.22, label="95 % interval, median ends"),
            Line2D([], [], color=PALETTE[1], linewidth=0.8, label=f"means of {DRAWN} lineages"),
        ],
    )
    return figure


def _errors(
    panel: Any, outcome: Outcome, law: Law, of: str, color: str, gap: int, unit: float = 1.0
) -> None:
    measured, error = compare.mean_and_error(compare.squared(outcome, law, of))
    panel.plot(compare.error_law(law, of) / unit, color=color, linewidth=1.6)
    shown = np.arange(0, len(measured), gap)
    panel.errorbar(
        shown,
        measured[shown] / unit,
        yerr=2 * error[shown] / unit,
        fmt="o",
        markersize=4,
        color=color,
    )


def _bound(panel: Any, law: Law, color: str) -> None:
    if law.loop.radius is not None:
        panel.plot(bound(law), color=color, linewidth=1.3, linestyle=":")


def _coverage(panel: Any, outcome: Outcome, law: Law, of: str, color: str, gap: int) -> None:
    expected = law.coverage(of)
    shown = np.arange(0, len(expected), gap)
    holds = compare.inside(outcome, law, of)
    bars = 2 * np.sqrt(expected * (1 - expected) / len(holds))
    panel.plot(expected, color=color, linewidth=1.6)
    panel.errorbar(
        shown, holds.mean(axis=0)[shown], yerr=bars[shown], fmt="o", markersize=4, color=color
    )


def _by_emission() -> tuple[Figure, Any]:
    figure = Figure(figsize=(9.5, 4.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for panel, emission in zip(axes, EMISSIONS, strict=True):
        panel.set_title(f"{emission} emission", fontsize=10.5)
    return figure, axes


def _verifiers() -> list[Line2D]:
    return [
        Line2D([], [], color=color, linewidth=3, label=name) for name, color in VERIFIERS.items()
    ]


def _whole(panel: Any) -> None:
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(panel)


def _legend(figure: Figure, handles: Sequence[Any]) -> None:
    figure.legend(handles=list(handles), loc="outside lower left", ncols=4, fontsize=9)
