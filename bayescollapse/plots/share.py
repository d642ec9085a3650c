"""Error against real share as a picture, with theory, located minimum and theoretical optimum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayescollapse.plots.frame import GREY, PALETTE, tidy
from bayescollapse.plots.records import Table, as_records

__all__ = ["plot_share"]

Records = list[dict[str, Any]]


def plot_share(
    table: Table,
    *,
    facets: Sequence[str] = ("k", "emission"),
    curves: Table = (),
    marks: Table = (),
    error_label: str = "squared error",
    columns: int = 2,
) -> Any:
    """Plot error against real share, one facet per ratio of real to synthetic rows and emission.

    Dots are measured errors with bars of two Monte Carlo standard errors on either side, the line
    is the theory, the shaded strip and its central line the minimum located from the dots with its
    interval, the dashed vertical line the theoretical optimum.

    Parameters
    ----------
    table : Dataset, DataFrame or sequence of mapping
        Measured errors: columns ``real_share`` and ``error``, the `facets`, and optionally
        ``error_mcse`` and ``theory`` (the law at the same real share).
    facets : sequence of str, default ("k", "emission")
        Columns whose combinations are facets; those that `table` lacks are ignored.
    curves : Dataset, DataFrame or sequence of mapping, optional
        Theory on a finer grid, instead of ``theory``: ``real_share`` and ``error``. A facet column
        that is left out means every facet.
    marks : Dataset, DataFrame or sequence of mapping, optional
        Up to one row per facet with any of ``located``, ``low`` and ``high`` (located minimum and
        its interval) and ``optimum`` (theory).
    error_label : str, default "squared error"
        Name and unit of the error, for the vertical axis.
    columns : int, default 2
        Facets side by side.

    Returns
    -------
    matplotlib.figure.Figure
        Apart from pyplot: ``figure.savefig(path)`` writes it.

    Raises
    ------
    TypeError
        If a table has no rows of named columns.
    ValueError
        If `table` is empty or lacks a column.

    Examples
    --------
    >>> table = [{"k": 1, "real_share": w, "error": 1 + (w - 0.6) ** 2} for w in (0.4, 0.6, 0.8)]
    >>> plot_share(table, marks=[{"optimum": 0.618}]).axes[0].get_title()
    '1 real per synthetic row'
    """
    rows = as_records(table)
    _check(rows)
    shown = [f for f in facets if f in rows[0]]
    keys = list(dict.fromkeys(tuple(row[f] for f in shown) for row in rows))
    lines, points = as_records(curves, argument="curves"), as_records(marks, argument="marks")
    figure, grid = _grid(len(keys), columns)
    for axes, key in zip(grid, keys, strict=False):
        place = dict(zip(shown, key, strict=True))
        inside = sorted(_match(rows, place), key=lambda row: row["real_share"])
        _marks(axes, _match(points, place))
        _theory(axes, _match(lines, place), inside)
        _measured(axes, inside)
        axes.set(xlabel="real share of the total weight", ylabel=error_label)
        axes.set_title(_title(place), fontsize=10.5)
        tidy(axes)
    _legend(figure, grid)
    return figure


def _check(rows: Records) -> None:
    if not rows:
        raise ValueError("table must hold at least one row, got none: measure some real shares")
    missing = [c for c in ("real_share", "error") if any(c not in row for row in rows)]
    if missing:
        raise ValueError(
            f"table must have the columns 'real_share' and 'error', lacks {missing} (it has "
            f"{list(rows[0])}): rename its columns"
        )


def _match(rows: Records, place: Mapping[str, Any]) -> Records:
    return [row for row in rows if all(row.get(c, v) == v for c, v in place.items())]


def _grid(count: int, columns: int) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    across = min(count, columns)
    down = -(-count // across)
    width = 9.0 if across > 1 else 6.5
    figure = Figure(figsize=(width * max(across, 2) / 2, 3.1 * down + 0.7), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False).ravel().tolist()
    for axes in grid[count:]:
        axes.set_axis_off()
    return figure, grid[:count]


def _measured(axes: Any, rows: Records) -> None:
    shares, errors = _column(rows, "real_share"), _column(rows, "error")
    bars = 2 * _column(rows, "error_mcse")
    axes.errorbar(
        shares,
        errors,
        yerr=np.where(np.isfinite(bars), bars, 0),
        fmt="o",
        markersize=4,
        linewidth=1.2,
        color=PALETTE[0],
        label="measured (± 2 Monte Carlo standard errors)",
    )
    if errors.min() > 0 and errors.max() > 10 * errors.min():
        axes.set_yscale("log")


def _theory(axes: Any, curve: Records, rows: Records) -> None:
    column = "error" if curve else "theory"
    source = sorted(curve, key=lambda row: row["real_share"]) if curve else rows
    values = _column(source, column)
    if np.isfinite(values).any():
        x = _column(source, "real_share")
        axes.plot(x, values, color=PALETTE[1], linewidth=1.6, label="theory")


def _marks(axes: Any, marks: Records) -> None:
    for mark in marks:
        if "low" in mark and "high" in mark:
            label = "located minimum, with interval"
            axes.axvspan(mark["low"], mark["high"], color=PALETTE[0], alpha=0.15, label=label)
        if "located" in mark:
            axes.axvline(mark["located"], color=PALETTE[0], linewidth=1, label="_located")
        if "optimum" in mark:
            style = {"color": GREY, "linestyle": "--", "label": "theoretical optimum"}
            axes.axvline(mark["optimum"], **style)


def _column(rows: Records, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([row.get(name, np.nan) for row in rows], dtype=np.float64)


def _title(place: Mapping[str, Any]) -> str:
    words = {"k": "{} real per synthetic row", "emission": "{} emission"}
    parts = [words.get(name, "{}").format(_short(value)) for name, value in place.items()]
    return ", ".join(parts)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _legend(figure: Any, grid: Sequence[Any]) -> None:
    found: dict[str, Any] = {}
    for axes in grid:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    columns = 4 if len(grid) > 1 else 2
    place = {"loc": "outside lower left", "ncols": columns, "fontsize": 9}
    figure.legend(list(found.values()), list(found), **place)
