"""What the plots over generations share: facets, colours, legend and axes in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

__all__ = [
    "GREY",
    "PALETTE",
    "Panel",
    "band_edges",
    "draw_lines",
    "finish",
    "log_panels",
    "open_frame",
    "scheme_colors",
    "select",
    "tidy",
]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of Okabe and Ito that any colour vision tells apart on white, without yellow."""

MUTED = tuple("#332288 #88CCEE #117733 #CC6677 #DDCC77 #882255 #44AA99 #AA4499 #999933".split())
"""Nine muted colours of Tol, for eight or nine schemes."""

GREY = "#777777"


@dataclass(frozen=True)
class Panel:
    """What one measure looks like in a plot over generations.

    Parameters
    ----------
    title, axis : str
        Words above the panel, and on its vertical axis with units.
    log : bool
        Logarithmic axis where the values span more than a factor of ten.
    line : float, optional
        Value of a dashed reference line.
    limits : tuple of float, optional
        Limits of the vertical axis.
    """

    title: str
    axis: str
    log: bool = False
    line: float | None = None
    limits: tuple[float, float] | None = field(default=None)


def scheme_colors(count: int) -> list[str]:
    """Choose colours: distinct ones for up to nine schemes, an ordered ramp for more.

    Examples
    --------
    >>> scheme_colors(2)
    ['#0072B2', '#D55E00']
    """
    if count <= len(PALETTE):
        return list(PALETTE[:count])
    if count <= len(MUTED):
        return list(MUTED[:count])
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(c) for c in colormaps["viridis"](np.linspace(0, 0.92, count))]


def select(measured: xr.Dataset, coords: Mapping[str, Any] | None) -> xr.Dataset:
    """Take a subset of schemes, generations or parameters, keeping every dimension."""
    if not coords:
        return measured
    unknown = [d for d in coords if d not in measured.dims]
    if unknown:
        raise ValueError(
            f"coords must name dimensions of the measures, {sorted(map(str, measured.dims))}, got "
            f"{unknown}: correct the name"
        )
    return measured.sel({d: np.atleast_1d(v).tolist() for d, v in coords.items()})


def open_frame(data: xr.Dataset, panels: Mapping[str, Panel], *, backend: str | None) -> Any:
    """Make the facets of a plot: one per measure and parameter, coloured by scheme.

    Parameters
    ----------
    data : Dataset
        Measures on (parameter, scheme, generation).
    panels : mapping of str to Panel
        What each measure looks like.
    backend : str, optional
        Plotting backend of ArviZ.

    Returns
    -------
    PlotCollection
        Facets with titles, axes and legend, without lines.
    """
    from arviz_plots import PlotCollection

    labels = [str(s) for s in data["scheme"].values]
    count = len(data.data_vars) * data.sizes["parameter"]
    collection = PlotCollection.wrap(
        data,
        cols=["__variable__", "parameter"],
        col_wrap=2,
        backend=backend,
        aes={"color": ["scheme"]},
        color=scheme_colors(len(labels)),
        figure_kwargs=_figure_size(count, labels, backend),
    )
    _words(collection, data, panels)
    return collection


def draw_lines(collection: Any, data: xr.Dataset, label: str, **style: Any) -> None:
    """Draw one line over generations per facet and scheme."""
    from arviz_plots import visuals

    collection.map(visuals.line, label, data=data, xname="generation", **style)


def band_edges(
    value: xr.DataArray, error: xr.DataArray, *, log: bool
) -> tuple[xr.DataArray, xr.DataArray]:
    """Two standard errors on either side; on a logarithmic axis, those of the logarithm.

    Parameters
    ----------
    value, error : DataArray
        Estimates and standard errors, with missing ones where replicates are too few.
    log : bool
        Whether the axis is logarithmic: then the standard error of the logarithm is ``error /
        value`` (delta method), and values that are not above 0 have no band.

    Returns
    -------
    tuple of DataArray
        Lower and upper edge.

    Examples
    --------
    >>> one = xr.DataArray([1.0])
    >>> [round(float(edge[0]), 3) for edge in band_edges(one, one, log=True)]
    [0.135, 7.389]
    """
    if not log:
        return value - 2 * error, value + 2 * error
    above = value.where(value > 0)
    factor = xr.ufuncs.exp(2 * error / above)
    return above / factor, above * factor


def finish(collection: Any, note: str, labels: Sequence[str]) -> Any:
    """Add the legend and the note on line styles, and tidy matplotlib axes."""
    matplotlib = collection.backend == "matplotlib"
    place = {"loc": "outside lower left", "ncols": _columns(labels)} if matplotlib else {}
    collection.add_legend("scheme", title="Scheme", **place)
    left = {"size": 10, "x": 0.01, "ha": "left"} if matplotlib else {}
    collection.add_title(note, **left)
    if matplotlib:
        for axes in collection.viz["figure"].item().axes:
            _whole_generations(axes)
            tidy(axes)
    return collection


def log_panels(data: xr.Dataset, panels: Mapping[str, Panel]) -> list[str]:
    """Names of measures whose positive values span more than a factor of ten."""
    chosen = []
    for name in map(str, data.data_vars):
        values = data[name].to_numpy()
        values = values[np.isfinite(values) & (values > 0)]
        if panels[name].log and values.size and values.max() > 10 * values.min():
            chosen.append(name)
    return chosen


def _words(collection: Any, data: xr.Dataset, panels: Mapping[str, Panel]) -> None:
    from arviz_plots import visuals

    times = data["generation"].to_numpy()
    margin = 0.03 * max(float(np.ptp(times)), 1.0)
    ends = (float(times.min()) - margin, float(times.max()) + margin)

    def describe(da: Any, target: Any, var_name: str, sel: Any, isel: Any) -> Any:
        panel = panels[var_name]
        visuals.set_xlim(da, target, limits=ends)
        visuals.labelled_x(da, target, text="generation")
        visuals.labelled_y(da, target, text=panel.axis)
        if panel.limits is not None:
            visuals.set_ylim(da, target, limits=panel.limits)
        return visuals.labelled_title(da, target, text=f"{sel['parameter']}: {panel.title}")

    collection.facet_map(describe, "title", subset_info=True)
    logged = log_panels(data, panels)
    if logged:
        collection.facet_map(visuals.set_yscale, "log", var_names=logged, scale="log")
    lined = {n: p.line for n, p in panels.items() if n in data and p.line is not None}
    if lined:
        flat = data["parameter"].copy(data=np.zeros(data.sizes["parameter"]))
        lines = xr.Dataset({name: flat + value for name, value in lined.items()})
        style = {"color": GREY, "linestyle": "--" if collection.backend == "matplotlib" else "C1"}
        collection.map(visuals.hline, "reference", data=lines, ignore_aes="all", **style)


def _columns(labels: Sequence[str]) -> int:
    return max(1, min(len(labels), 100 // (max(map(len, labels)) + 7)))


def _figure_size(count: int, labels: Sequence[str], backend: str | None) -> dict[str, Any]:
    from arviz_base import rcParams

    if (backend or rcParams["plot.backend"]) != "matplotlib":
        return {}
    rows = -(-count // 2)
    legend = -(-len(labels) // _columns(labels))
    width = 9.0 if count > 1 else 6.5
    return {"figsize": (width, 2.9 * rows + 0.22 * legend + 0.9), "layout": "constrained"}


def _whole_generations(axes: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def tidy(axes: Any) -> None:
    """Give matplotlib axes a light grid, no box, and plain numbers on logarithmic scales."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if axes.get_yscale() == "log":
        low, high = axes.get_ylim()
        steps = (1.0, 2.0, 5.0) if high < 500 * low else (1.0,)
        axes.yaxis.set_major_locator(LogLocator(subs=steps))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
