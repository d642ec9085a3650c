"""Pictures of the digits analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from digits_parts.data import CLASSES
from digits_parts.loops import LEGIBLE, LIFELIKE, UNVERIFIED
from digits_parts.measures import interval

__all__ = ["REAL", "curves", "grid", "line_of_images"]

REAL = "real images"
COLOURS = {UNVERIFIED: "#4c566a", LIFELIKE: "#0072b2", LEGIBLE: "#d55e00"}


def grid(blocks: Sequence[tuple[str, xr.Dataset]], side: int, *, each: int = 2) -> Any:
    """Draw one line of images for every name: 0 to 9, some of each digit.

    Parameters
    ----------
    blocks : sequence of (str, Dataset)
        Name of a line, and images ``y`` (obs, feature) with their ``label``.
    side : int
        Pixels a side.
    each : int
        Images of each digit; the first ones.
    """
    from matplotlib.figure import Figure

    lines = [
        line_of_images(images["y"].to_numpy(), images["label"].to_numpy(), side, each)
        for _, images in blocks
    ]
    height, width = lines[0].shape
    figure = Figure(figsize=(9, 8.2 * len(lines) * height / width + 0.1), layout="constrained")
    axis = figure.subplots()
    axis.imshow(np.concatenate(lines), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    places = (np.arange(len(lines)) + 0.5) * height
    axis.set(xticks=[], yticks=places, yticklabels=[name for name, _ in blocks])
    axis.tick_params(length=0, labelsize=8)
    axis.spines[:].set_visible(False)
    return figure


def line_of_images(
    pixels: NDArray[Any], digits: NDArray[np.int64], side: int, each: int
) -> NDArray[np.float64]:
    """Put the first images of every digit side by side; a missing one stays white.

    Parameters
    ----------
    pixels : ndarray, shape (image, pixel)
        Images.
    digits : ndarray, shape (image,)
        Their digits.
    side, each : int
        Pixels a side, and images of each digit.
    """
    step = side + 1
    whole = np.zeros((step, CLASSES * each * step - 1))
    for digit in range(CLASSES):
        for i, image in enumerate(pixels[digits == digit][:each]):
            left = (digit * each + i) * step
            whole[:side, left : left + side] = image.reshape(side, side)
    return whole


def curves(
    measured: xr.Dataset,
    name: str,
    label: str,
    *,
    scale: str = "linear",
    references: dict[str, float] | None = None,
) -> Any:
    """Draw a measure over generations: every lineage thin, their mean with its interval.

    Parameters
    ----------
    measured : Dataset
        On (scheme, replicate, generation).
    name, label : str
        The measure, and how the axis calls it.
    scale : {"linear", "log", "symlog"}
        Axis of the measure; on a logarithmic one means are geometric.
    references : dict of str to float, optional
        Horizontal lines, dashed for real images.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.8), layout="constrained")
    axis = figure.subplots()
    for scheme in measured["scheme"].to_numpy().tolist():
        colour = COLOURS[scheme]
        own = measured[name].sel(scheme=scheme)
        t, summary = own["generation"].to_numpy(), interval(own, log=scale == "log")
        axis.plot(t, own.transpose("generation", ...), color=colour, linewidth=0.5, alpha=0.4)
        axis.plot(t, summary["mean"], color=colour, marker="o", markersize=3, label=scheme)
        if measured.sizes["replicate"] > 2:
            axis.fill_between(
                t, summary["low"], summary["high"], color=colour, alpha=0.15, linewidth=0
            )
    for words, value in (references or {}).items():
        style = "dashed" if words == REAL else "dotted"
        axis.axhline(value, color="black", linestyle=style, linewidth=1, label=words)
    options = {"linthresh": 100.0} if scale == "symlog" else {}
    axis.set_yscale(scale, **options)
    axis.set(xlabel="generation", ylabel=label)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=9)
    return figure
