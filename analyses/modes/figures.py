"""Pictures of the mixture analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bayescollapse.plots.frame import GREY, PALETTE, tidy
from modes.measures import density, true_mass
from modes.settings import BOUNDARY, TRUTH

FAILED = "#B00020"
GRID = np.linspace(-10, 10, 401)
DRAWN = 30
LOWEST = 1e-3
"""Lower end of the axis of probabilities, where smaller ones are drawn."""


def mass_figure(measured: xr.Dataset) -> Figure:
    """Posterior mass at the rare mode over generations, one facet a scheme, one line a lineage."""
    figure, grid = _facets(measured["scheme"].to_numpy().tolist())
    for axes, scheme in grid:
        axes.set(yscale="log", ylim=(LOWEST, 1))
        axes.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
        part = measured.sel(scheme=scheme)
        for number, replicate in enumerate(part["replicate"].to_numpy()):
            _lineage(axes, part.sel(replicate=replicate), PALETTE[number % (len(PALETTE) - 1)])
        axes.axhline(true_mass(), color="black", linestyle="--", linewidth=1.2)
        axes.set_ylabel(f"probability above {BOUNDARY:g}")
    _legend(
        figure,
        [
            Line2D([], [], color=GREY, label="posterior mean of a lineage"),
            Patch(color=GREY, alpha=0.2, label="its 95 % interval"),
            Line2D([], [], color="black", linestyle="--", label="truth"),
            Line2D([], [], color=FAILED, marker="x", linestyle="", label="failed its checks"),
        ],
    )
    return figure


def label_figure(run: Any, replicate: int) -> Figure:
    """Posterior weights by label in one lineage, one facet a scheme."""
    weights = run["summary"]["weights"].sel(replicate=replicate).load()
    figure, grid = _facets(weights["scheme"].to_numpy().tolist())
    for axes, scheme in grid:
        for label, truth in enumerate(TRUTH["weights"]):
            part = weights.sel(scheme=scheme, component=label)
            times = part["generation"].to_numpy()
            low, high = (part.sel(statistic=s).to_numpy() for s in ("q2.5", "q97.5"))
            axes.fill_between(times, low, high, color=PALETTE[label], alpha=0.18, linewidth=0)
            axes.plot(times, part.sel(statistic="mean").to_numpy(), color=PALETTE[label])
            axes.axhline(truth, color=PALETTE[label], linestyle="--", linewidth=1)
        axes.set(ylabel="weight", ylim=(0, 1))
    names = ("lowest mean", "middle mean", "highest mean (the rare group)")
    lines = [Line2D([], [], color=PALETTE[k], label=name) for k, name in enumerate(names)]
    _legend(figure, [*lines, Line2D([], [], color=GREY, linestyle="--", label="truth")])
    return figure


def density_figure(run: Any, replicate: int, generations: Sequence[int]) -> Figure:
    """Posterior predictive densities: generations down, schemes across."""
    draws = run["posterior"].to_dataset(inherit=False).sel(replicate=replicate).load()
    rows = run["rows"].to_dataset(inherit=False).load()
    schemes = draws["scheme"].to_numpy().tolist()
    figure = Figure(figsize=(11.0, 2.2 * len(generations) + 0.8), layout="constrained")
    grid = figure.subplots(len(generations), len(schemes), squeeze=False, sharex=True, sharey=True)
    for line, generation in zip(grid, generations, strict=True):
        for axes, scheme in zip(line, schemes, strict=True):
            at = {"scheme": scheme, "generation": generation}
            _histogram(axes, rows, at | {"replicate": replicate})
            _densities(axes, draws.sel(at))
            axes.set_title(f"{scheme}, generation {generation}", fontsize=9.5)
            axes.set_yscale("function", functions=(_root, np.square))
            axes.set(ylim=(0, 0.5), yticks=[0, 0.02, 0.1, 0.2, 0.4])
            tidy(axes)
    for axes in grid[-1]:
        axes.set_xlabel("y")
    for axes in grid[:, 0]:
        axes.set_ylabel("density")
    _legend(
        figure,
        [
            Line2D([], [], color="black", linestyle="--", label="truth"),
            Line2D([], [], color=PALETTE[0], label="posterior predictive"),
            Line2D([], [], color=PALETTE[0], alpha=0.3, linewidth=0.8, label="single draws"),
            Patch(color="#bbbbbb", label="rows it was trained on"),
            Patch(color=PALETTE[1], alpha=0.12, label="where the rare mode is"),
        ],
    )
    return figure


def _facets(schemes: list[str]) -> tuple[Figure, list[tuple[Any, str]]]:
    down = -(-len(schemes) // 2)
    figure = Figure(figsize=(9.5, 2.9 * down + 0.7), layout="constrained")
    grid = figure.subplots(down, 2, squeeze=False, sharex=True, sharey=True).ravel().tolist()
    for number, (axes, scheme) in enumerate(zip(grid, schemes, strict=False)):
        axes.set_title(scheme, fontsize=10.5)
        if number + 2 >= len(schemes):
            axes.set_xlabel("generation")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        tidy(axes)
    return figure, list(zip(grid, schemes, strict=False))


def _lineage(axes: Any, part: xr.Dataset, color: str) -> None:
    times = part["generation"].to_numpy()
    low, mean, high = (
        np.maximum(part[name].to_numpy(), LOWEST) for name in ("mass_low", "mass", "mass_high")
    )
    axes.fill_between(times, low, high, color=color, alpha=0.1, linewidth=0)
    axes.plot(times, mean, color=color, linewidth=1.4)
    failed = ~part["passed"].to_numpy()
    axes.plot(times[failed], mean[failed], "x", color=FAILED, markersize=6)


def _densities(axes: Any, draws: xr.Dataset) -> None:
    parts = {
        name: draws[name].transpose("chain", "draw", "component").to_numpy().reshape(-1, 3)
        for name in TRUTH
    }
    each = density(GRID, **parts)
    for curve in each[:: max(len(each) // DRAWN, 1)]:
        axes.plot(GRID, curve, color=PALETTE[0], alpha=0.12, linewidth=0.7)
    axes.plot(GRID, each.mean(axis=0), color=PALETTE[0], linewidth=1.6)
    axes.plot(GRID, density(GRID, **TRUTH), color="black", linestyle="--", linewidth=1.2)
    axes.axvspan(BOUNDARY, GRID[-1], color=PALETTE[1], alpha=0.07, linewidth=0)


def _root(values: Any) -> Any:
    return np.sqrt(np.maximum(values, 0))


def _histogram(axes: Any, rows: xr.Dataset, at: dict[str, Any]) -> None:
    chosen = np.all([rows[name].to_numpy() == value for name, value in at.items()], axis=0)
    axes.hist(
        rows["y"].to_numpy()[chosen],
        bins=np.linspace(GRID[0], GRID[-1], 51),
        weights=rows["weight"].to_numpy()[chosen],
        density=True,
        color="#cccccc",
    )


def _legend(figure: Figure, handles: Sequence[Any]) -> None:
    figure.legend(handles=list(handles), loc="outside lower left", ncols=5, fontsize=9)
