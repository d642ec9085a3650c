"""Pictures of the digits analysis."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from digits_parts.data import Digits
from digits_parts.results import REAL, Rows, images, makers

__all__ = ["curve", "grid", "sheet"]

SAMPLES = 3


def grid(run: xr.DataTree, scheme: str, digits: Digits, most: int = 7) -> Any:
    """Draw real digits and those of some generations, 10 digits wide, three of each.

    Parameters
    ----------
    run : DataTree
        The run, with rows.
    scheme : str
        Label of a scheme.
    digits : Digits
        Size of the images.
    most : int
        Blocks that are drawn, reality included.
    """
    from matplotlib.figure import Figure

    every = makers(run)
    places = np.unique(np.linspace(0, len(every) - 1, min(most, len(every))).round().astype(int))
    blocks = [every[i] for i in places]
    figure = Figure(figsize=(9, 2.05 * len(blocks)), layout="constrained")
    axes = figure.subplots(len(blocks), 1, squeeze=False)[:, 0]
    for axis, maker in zip(axes, blocks, strict=True):
        axis.imshow(
            sheet(*images(run, scheme, maker), digits.side),
            cmap="gray_r",
            vmin=0,
            vmax=1,
            interpolation="nearest",
        )
        axis.set(xticks=[], yticks=[])
        name = "real images" if maker == REAL else f"made by\ngeneration {maker}"
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)
    return figure


def sheet(pixels: NDArray[Any], labels: NDArray[np.int64], side: int) -> NDArray[np.float64]:
    """Put the first three images of every digit on one sheet: (3 rows, 10 columns) of images.

    Parameters
    ----------
    pixels : ndarray, shape (image, pixel)
        Images.
    labels : ndarray, shape (image,)
        Their digits; a place without an image stays white.
    side : int
        Pixels a side.
    """
    margin = max(side // 14, 1)
    step = side + margin
    whole = np.zeros((SAMPLES * step - margin, 10 * step - margin))
    for digit in range(10):
        own = pixels[labels == digit][:SAMPLES]
        for i, image in enumerate(own):
            place = slice(i * step, i * step + side), slice(digit * step, digit * step + side)
            whole[place] = image.reshape(side, side)
    return whole


def curve(rows: Rows, column: str, label: str, reference: float | None = None) -> Any:
    """Draw a column of the table over generations, one line per scheme.

    Parameters
    ----------
    rows : list of dict
        The table.
    column : str
        What is drawn.
    label : str
        Axis label.
    reference : float, optional
        A dashed line.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axis = figure.subplots()
    for scheme in dict.fromkeys(row["scheme"] for row in rows):
        own = [r for r in rows if r["scheme"] == scheme and r[column] is not None]
        axis.plot(
            [r["generation"] for r in own], [r[column] for r in own], marker="o", label=scheme
        )
    if reference is not None:
        axis.axhline(reference, color="black", linestyle="dashed", linewidth=1, label="real images")
    axis.set(xlabel="generation", ylabel=label)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return figure
