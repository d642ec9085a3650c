"""Section: one titled piece of a page, with text, a table and a figure."""

from __future__ import annotations

import base64
import io
import math
import numbers
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayescollapse.plots.records import Table, as_records

__all__ = ["Section", "figure_uri", "format_value", "table_cells"]

DPI = 150


@dataclass(frozen=True)
class Section:
    """One titled piece of a page.

    Parameters
    ----------
    title : str
        Heading.
    text : str, optional
        Plain text below the heading; blank lines part paragraphs.
    table : Dataset, DataFrame or sequence of mapping, optional
        Table below the figure; a dataset gives one row per combination of its dimensions. Column
        names are headings, with underscores as spaces.
    figure : Figure, PlotCollection or Path, optional
        Picture below the text: a matplotlib figure, an ArviZ plot drawn with matplotlib, or a PNG
        file.
    caption : str, optional
        How to read the picture, in a sentence; required with a figure, which it also describes to
        readers who cannot see it.

    Raises
    ------
    ValueError
        If the title is empty, or a figure has no caption.

    Examples
    --------
    >>> from bayescollapse.reporting import Section
    >>> Section("Result", "The minimum lies where theory puts it.", table=[{"share": 0.618}]).title
    'Result'
    """

    title: str
    text: str = ""
    table: Table | None = None
    figure: Any = None
    caption: str = ""

    def __post_init__(self) -> None:
        """Refuse sections that a reader could not use."""
        if not self.title.strip():
            raise ValueError(f"title must not be empty, got {self.title!r}: name the section")
        if self.figure is not None and not self.caption.strip():
            raise ValueError(
                f"caption must say how to read the figure of section {self.title!r}, got "
                f"{self.caption!r}: give caption="
            )

    @property
    def paragraphs(self) -> list[str]:
        """Text, one entry per paragraph."""
        return [" ".join(part.split()) for part in self.text.split("\n\n") if part.strip()]


def table_cells(table: Table) -> tuple[list[str], list[list[tuple[str, bool]]]]:
    """Turn a table into headings and rows of (text, whether it is a number).

    Examples
    --------
    >>> table_cells([{"real_share": 0.61803, "scheme": "pooled"}])
    (['real share', 'scheme'], [[('0.618', True), ('pooled', False)]])
    """
    rows = as_records(table)
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [
        [(format_value(row.get(n, "")), _is_number(row.get(n))) for n in names] for row in rows
    ]
    return [name.replace("_", " ") for name in names], cells


def format_value(value: Any) -> str:
    """Write a value for a person: counts in full, other numbers to three significant digits.

    Examples
    --------
    >>> [format_value(v) for v in (12000, 0.61803, 1.0, 1234.5, 1.2e-7, float("nan"), None, True)]
    ['12000', '0.618', '1', '1234', '1.20e-07', '–', '–', 'yes']
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral) or not isinstance(value, numbers.Real):
        return str(value)
    number = float(value)
    if math.isnan(number):
        return "–"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number.is_integer() and abs(number) < 1e9 or 1000 <= abs(number) < 1e9:
        return f"{number:.0f}"
    return f"{number:#.3g}".removesuffix(".")


def figure_uri(figure: Any) -> str:
    """Turn a figure into a PNG data URI.

    Raises
    ------
    ValueError
        If the file is no PNG, or the plot was not drawn with matplotlib.
    TypeError
        If `figure` is none of the kinds that :class:`Section` names.
    """
    data = _png(figure)
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _png(figure: Any) -> bytes:
    if isinstance(figure, str | Path):
        data = Path(figure).read_bytes()
        if not data.startswith(b"\x89PNG"):
            raise ValueError(
                f"figure must be a PNG file, got {str(figure)!r}: save it as PNG first"
            )
        return data
    canvas = _matplotlib_figure(figure)
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def _matplotlib_figure(figure: Any) -> Any:
    if hasattr(figure, "savefig") and hasattr(figure, "axes"):
        return figure
    viz = getattr(figure, "viz", None)
    if viz is None:
        raise TypeError(
            "figure must be a matplotlib figure, an ArviZ PlotCollection or the path of a PNG "
            f"file, got {type(figure).__name__}: draw one of those"
        )
    if figure.backend != "matplotlib":
        raise ValueError(
            f"figure must be drawn with backend 'matplotlib', got {figure.backend!r}: draw it "
            "again with backend='matplotlib'"
        )
    return viz["figure"].item()


def close(figure: Any) -> None:
    """Forget a figure that pyplot keeps, once it is on a page."""
    from matplotlib import pyplot

    if not isinstance(figure, str | Path):
        pyplot.close(_matplotlib_figure(figure))
