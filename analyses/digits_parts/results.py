"""What a run of the digits analysis says: densities, variety, images."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from digits_parts.data import Digits

__all__ = ["REAL", "density_rows", "finding", "images", "makers", "variety"]

REAL = -1
"""Stands for reality among the generations that made images."""

Rows = list[dict[str, Any]]


def makers(run: xr.DataTree) -> list[int]:
    """List the generations whose images the run holds, reality first: each trained the next."""
    return [REAL, *range(run["training"].sizes["generation"] - 1)]


def images(run: xr.DataTree, scheme: str, maker: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Images (image, pixel) that a generation made, and their labels.

    Parameters
    ----------
    run : DataTree
        The run, with rows.
    scheme : str
        Label of a scheme.
    maker : int
        Generation that made them; :data:`REAL` for the real images of generation 0.
    """
    rows = run["rows"].to_dataset()
    trained = 0 if maker == REAL else maker + 1
    real = rows["real"].values.astype(bool)
    here = (rows["scheme"].values == scheme) & (rows["generation"].values == trained)
    here &= real if maker == REAL else ~real & (rows["batch"].values == maker)
    chosen = np.flatnonzero(here)
    return rows["y"].values[chosen], rows["label"].values[chosen].astype(np.int64)


def variety(pixels: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """Root mean squared difference, per pixel, of an image from the mean of its digit.

    Parameters
    ----------
    pixels : ndarray, shape (image, pixel)
        Images.
    labels : ndarray, shape (image,)
        Their digits.
    """
    total, degrees = 0.0, 0
    for digit in np.unique(labels):
        own = pixels[labels == digit]
        total += float(((own - own.mean(axis=0)) ** 2).sum()) / own.shape[1]
        degrees += len(own) - 1
    return float(np.sqrt(total / max(degrees, 1)))


def density_rows(run: xr.DataTree, digits: Digits) -> Rows:
    """One row per scheme and generation: held-out log density, change, variety, convergence."""
    density = run["predictive"]["held_out_log_density"].isel(replicate=0)
    stats = run["sample_stats"].to_dataset().isel(replicate=0)
    training = run["training"].to_dataset().isel(replicate=0)
    rows = []
    for scheme in density["scheme"].values.tolist():
        first = float(density.sel(scheme=scheme, generation=0))
        real = variety(*images(run, scheme, REAL))
        for t in density["generation"].values.tolist():
            here = dict(scheme=scheme, generation=t)
            value = float(density.sel(here))
            made = None
            if t < density.sizes["generation"] - 1:
                made = variety(*images(run, scheme, t)) / real
            rows.append(
                {
                    "scheme": scheme,
                    "generation": t,
                    "real images": int(training["real_rows"].sel(here)),
                    "made images": int(training["synthetic_rows"].sel(here)),
                    "nats per image": value,
                    "nats per pixel": value / digits.features,
                    "change": value - first,
                    "variety of what it makes": made,
                    "iterations": int(stats["iterations"].sel(here)),
                    "converged": bool(stats["passed"].sel(here)),
                }
            )
    return rows


def finding(rows: Rows) -> str:
    """State what happened, in figures of this run."""
    lines = []
    for scheme in dict.fromkeys(row["scheme"] for row in rows):
        own = [row for row in rows if row["scheme"] == scheme]
        last, drawn = own[-1], [row for row in own if row["variety of what it makes"] is not None]
        way = "fell" if last["change"] < 0 else "rose"
        sentence = (
            f"{scheme}: the held-out log density {way} from {own[0]['nats per image']:.1f} nats "
            f"per real image in generation 0 to {last['nats per image']:.1f} in generation "
            f"{last['generation']}"
        )
        if drawn:
            sentence += (
                f"; images made by generation {drawn[-1]['generation']} differ from the mean of "
                f"their digit {drawn[-1]['variety of what it makes']:.2f} times as much as real "
                f"ones do (generation 0: {drawn[0]['variety of what it makes']:.2f})"
            )
        lines.append(sentence + ".")
    failed = sum(not row["converged"] for row in rows)
    lines.append(f"{failed} of {len(rows)} fits did not converge by the rule of their method.")
    return "\n\n".join(lines)
