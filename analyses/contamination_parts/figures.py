"""Pictures of the analysis of contaminated sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bayescollapse.plots.frame import GREY, PALETTE, tidy
from contamination_parts.exponents import Atlas
from contamination_parts.frequencies import Curve
from contamination_parts.settings import EMISSIONS
from contamination_parts.text import ALONE, WORDS, TextCurve, Texts, worth_law

COLORS = dict(zip(EMISSIONS, PALETTE, strict=False))
FATES = {"recovery": "#A6DBA0", "floor": "#F7E1A0", "collapse": "#E7A6A0"}
DOTS = 12
"""Measured dots a curve."""

PANELS = 4
LABEL_GAP = 0.045
"""Least distance of two labels, as a part of the vertical axis."""


def paths_figure(curves: Sequence[Curve]) -> Figure:
    """Error over generations: one panel a mixing, lines for the law, dots for the measurements."""
    mixings = list(dict.fromkeys(curve.mixing for curve in curves))
    down = -(-(len(mixings) + 1) // PANELS)
    figure = Figure(figsize=(13, 3.1 * down), layout="constrained")
    grid = figure.subplots(down, PANELS, sharex=True, sharey=True).ravel().tolist()
    for axes, mixing in zip(grid, mixings, strict=False):
        for curve in curves:
            if curve.mixing == mixing:
                _path(axes, curve, COLORS[curve.emission])
        axes.axhline(1, color=GREY, linestyle="--", linewidth=1)
        axes.set(xscale="log", yscale="log", ylim=(0.003, 130))
        axes.set_title(f"{mixing.name}\nin the long run: {mixing.fate}", fontsize=9.5)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("fits so far (generation + 1)")
        tidy(axes)
    for axes in grid[::PANELS]:
        axes.set_ylabel("error / error of generation 0")
    for axes in grid[len(mixings) :]:
        axes.axis("off")
    handles = [Line2D([], [], color=c, label=f"{e}: law") for e, c in COLORS.items()]
    handles += [
        Line2D([], [], color=c, marker="o", linestyle="", label=f"{e}: measured")
        for e, c in COLORS.items()
    ]
    handles.append(Line2D([], [], color=GREY, linestyle="--", label="generation 0"))
    grid[len(mixings)].legend(handles=handles, loc="center", fontsize=10, frameon=False)
    return figure


def map_figure(atlas: Atlas) -> Figure:
    """Draw two maps over the exponents: the long run, and the last simulated generation."""
    figure = Figure(figsize=(12.5, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _regions(left, atlas)
    _ratios(figure, right, atlas)
    for axes in (left, right):
        axes.set(
            xlabel="A: the real share falls as (t+1)^-A",
            ylabel="B: the number of rows grows as (t+1)^B",
            xlim=(-0.12, atlas.decay[-1] + 0.12),
            ylim=(-0.12, atlas.growth[-1] + 0.12),
        )
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def loss_figure(texts: Texts) -> Figure:
    """Held-out loss over generations: one panel an emission, one line a real share."""
    figure = Figure(figsize=(11.5, 4.6), layout="constrained")
    panels = figure.subplots(1, len(EMISSIONS), sharey=True)
    alone = next(curve for curve in texts.curves if curve.label == ALONE)
    for axes, emission in zip(panels, EMISSIONS, strict=True):
        chosen = [c for c in texts.curves if c.emission == emission and c is not alone]
        for number, curve in enumerate(chosen):
            _loss(axes, curve, PALETTE[number], "-")
        _loss(axes, alone, "black", "--")
        axes.set(xlabel="generation", title=f"{emission} emission", xlim=(0, len(alone.loss) * 1.3))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xticks([t for t in axes.get_xticks() if 0 <= t < len(alone.loss)])
        tidy(axes)
        axes.axhline(np.log(WORDS), color=GREY, linestyle=":", linewidth=1.2)
        axes.text(0.2, np.log(WORDS), "every word equally likely", va="bottom", color=GREY)
        colors = [*PALETTE[: len(chosen)], "black"]
        _labels(axes, [*chosen, alone], colors)
    panels[0].set_ylabel("loss on held-out topics (nats per word)")
    return figure


def worth_figure(texts: Texts) -> Figure:
    """Worth of the last generation in real rows against the real share, beside the law."""
    figure = Figure(figsize=(9.5, 4.4), layout="constrained")
    axes, generations = figure.subplots(), len(texts.curves[0].loss)
    shares = np.linspace(0, 1, 101)
    for emission, color in COLORS.items():
        law = [worth_law(w, emission, False, generations) for w in shares]
        axes.plot(shares, law, color=color, label=f"{emission}: law for frequent words")
        dots = [c for c in texts.curves if c.emission == emission and not c.growing]
        axes.errorbar(
            [c.share for c in dots],
            [c.worth for c in dots],
            [2 * c.worth_mcse for c in dots],
            fmt="o",
            color=color,
            capsize=3,
            label=f"{emission}: measured",
        )
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="its real rows alone")
    axes.set(
        xlabel="share of real rows", ylabel="worth, in rows of real text per row", ylim=(0, 1.2)
    )
    axes.legend(fontsize=9, frameon=False)
    tidy(axes)
    return figure


def _path(axes: Any, curve: Curve, color: str) -> None:
    axes.plot(np.arange(1, len(curve.far) + 1), curve.far, color=color, linewidth=1.4)
    shown = np.unique(np.geomspace(1, curve.last + 1, DOTS).round().astype(int)) - 1
    axes.errorbar(
        shown + 1, curve.error[shown], 2 * curve.mcse[shown], fmt="o", color=color, markersize=4
    )


def _regions(axes: Any, atlas: Atlas) -> None:
    codes = np.searchsorted(sorted(FATES), atlas.fate)
    colors = ListedColormap([FATES[name] for name in sorted(FATES)])
    axes.pcolormesh(atlas.decay, atlas.growth, codes, cmap=colors, vmin=0, vmax=2, rasterized=True)
    axes.plot([0, 1], [0, 1], color="#B8860B", linewidth=3)
    axes.annotate(
        "on this line: floor", (0.62, 0.62), (0.66, 0.36), fontsize=9, rotation=0, color="#7A5A00"
    )
    axes.text(0.45, 1.7, "recovery:\nthe error goes to 0", ha="center", fontsize=10)
    axes.text(1.5, 1.77, "floor:\nthe error stays", ha="center", fontsize=10)
    axes.text(1.5, 0.1, "collapse: one category is left", ha="center", fontsize=10)
    for curve in atlas.measured:
        axes.plot(curve.mixing.decay, curve.mixing.growth, "o", color="black", markersize=5)
    axes.set_title("In the long run, by theory (dots: simulated cells)", fontsize=10.5)


def _ratios(figure: Figure, axes: Any, atlas: Atlas) -> None:
    low, high = (float(end) for end in np.log10([atlas.ratio.min(), atlas.ratio.max()]))
    norm = TwoSlopeNorm(0, low, high)
    mesh = axes.pcolormesh(
        atlas.decay, atlas.growth, np.log10(atlas.ratio), cmap="RdBu_r", norm=norm, rasterized=True
    )
    for curve in atlas.measured:
        place = (curve.mixing.decay, curve.mixing.growth)
        value = [np.log10(curve.error[-1])]
        axes.scatter(*place, c=value, cmap="RdBu_r", norm=norm, s=330, edgecolors="black")
        above = (0, 13) if place[1] < 1.9 else (0, -22)
        axes.annotate(
            f"{curve.error[-1]:.2f}",
            place,
            above,
            textcoords="offset points",
            ha="center",
            fontsize=9,
            fontweight="bold",
        )
    bar = figure.colorbar(mesh, ax=axes, label="error / error of generation 0")
    ticks = [
        x for x in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if low <= np.log10(x) <= high
    ]
    bar.set_ticks(np.log10(ticks), labels=[f"{x:g}" for x in ticks])
    axes.set_title(f"At generation {atlas.last}: map by theory, circles measured", fontsize=10.5)


def _loss(axes: Any, curve: TextCurve, color: str, style: str) -> None:
    times = np.arange(len(curve.loss))
    axes.fill_between(
        times,
        curve.loss - 2 * curve.mcse,
        curve.loss + 2 * curve.mcse,
        color=color,
        alpha=0.15,
        linewidth=0,
    )
    axes.plot(times, curve.loss, style, color=color)


def _labels(axes: Any, curves: Sequence[TextCurve], colors: Sequence[str]) -> None:
    """Write labels at the ends of lines, lowest first, each above the one before."""
    low, high = axes.get_ylim()
    free = -np.inf
    for place in np.argsort([curve.loss[-1] for curve in curves]):
        curve = curves[place]
        free = max(curve.loss[-1], free + LABEL_GAP * (high - low))
        words = curve.label.removesuffix(f", {curve.emission}")
        axes.text(len(curve.loss) - 0.8, free, words, fontsize=9, va="center", color=colors[place])
