"""Measures of emitted rows against the rows of a reference, replicate by replicate."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.measures.category_kernels import (
    category_counts,
    category_entropy,
    chance_of_difference,
    relative_mass,
    support_loss,
)
from bayescollapse.measures.layout import LEAD
from bayescollapse.measures.registry import LackingError
from bayescollapse.measures.row_kernels import (
    far_share,
    find_basins,
    mean_difference,
    neighbour_entropy,
    tail_ratio,
    tied,
)
from bayescollapse.measures.row_samples import FEWEST, Kernel
from bayescollapse.measures.rows_compared import RowReference

__all__ = ["ROWS", "row_measures"]

Floats = NDArray[np.float64]

ROWS = (
    "tail_mass",
    "rare_mass",
    "support_loss",
    "modes_kept",
    "far_rows",
    "entropy_change",
    "diversity",
)
"""Measures that are counted over rows."""

TIES = (
    "entropy_change of {!r}: more than 1 % of the rows that are compared are tied, by rounding or "
    "by resampling a table, and have no entropy (compare with reference='first', if it is the real "
    "rows that are tied)"
)


def row_measures(
    compared: RowReference, coords: dict[str, Any], *, rare: float, tail: float, kept: float
) -> tuple[dict[str, xr.DataArray], list[str]]:
    """Compare the emitted rows of every cell with those of a reference.

    Parameters
    ----------
    compared : RowReference
        Both kinds of rows.
    coords : dict of str to ndarray
        Coordinates of the run's cells.
    rare, tail, kept : float
        As for :func:`~.predictive.predictive_drift`.

    Returns
    -------
    tuple of dict of str to DataArray, and list of str
        Values on (scheme, replicate, generation, response), and what could not be computed.

    Raises
    ------
    LackingError
        If there are too few rows for any of it.
    """
    samples = compared.samples
    labels = list(samples.real)
    values: dict[str, Floats] = {}
    notes = []
    for i, label in enumerate(labels):
        make = partial(_continuous, tail=tail, kept=kept)
        if samples.discrete[label]:
            make = partial(_discrete, rare=rare, kept=kept)
        found = samples.apply(compared.kernels(label, make), label)
        if _lost(found):
            notes.append(TIES.format(label))
        for name, value in found.items():
            if not np.isnan(value).all():
                empty = np.full((*samples.shape, len(labels)), np.nan)
                values.setdefault(name, empty)[..., i] = value
    if not values:
        raise LackingError(
            f"no generation, or not the reference, has {FEWEST} rows to compare (run the "
            f"experiment with n_real and n_synthetic of at least {FEWEST})"
        )
    coords = coords | {"response": labels}
    dims = (*LEAD, "response")
    return {n: xr.DataArray(v, coords=coords, dims=dims) for n, v in values.items()}, notes


def _lost(found: dict[str, Floats]) -> bool:
    """Whether some cell has rows, but no entropy."""
    if "entropy_change" not in found:
        return False
    return bool((np.isnan(found["entropy_change"]) & ~np.isnan(found["far_rows"])).any())


def _continuous(real: NDArray[Any], *, tail: float, kept: float) -> Kernel:
    """Give the kernel of a continuous response."""
    basins = find_basins(real)
    difference = mean_difference(real)
    entropy = np.nan if tied(real) else neighbour_entropy(real)

    def kernel(rows: NDArray[Any]) -> dict[str, Floats]:
        x = np.sort(rows, axis=-1)
        place = np.searchsorted(basins.edges, x)
        mass = category_counts(place, np.arange(basins.mass.size))[..., :-1] / x.shape[-1]
        values = {
            "tail_mass": tail_ratio(x, real, tail=tail),
            "modes_kept": (mass >= kept * basins.mass).mean(axis=-1),
            "far_rows": far_share(x, real),
            "entropy_change": np.where(tied(x), np.nan, neighbour_entropy(x)) - entropy,
        }
        if difference > 0:
            values["diversity"] = mean_difference(x) / difference
        return values

    return kernel


def _discrete(real: NDArray[Any], *, rare: float, kept: float) -> Kernel:
    """Give the kernel of a response of categories or counts."""
    categories, count = np.unique(real, return_counts=True)
    own = np.append(count, 0)
    p = own / count.sum()
    common = p > rare
    entropy, difference = category_entropy(count), chance_of_difference(count)

    def kernel(x: NDArray[Any]) -> dict[str, Floats]:
        counts = category_counts(x, categories)
        mass = counts[..., common] / x.shape[-1]
        values = {
            "support_loss": support_loss(counts, own),
            "far_rows": counts[..., -1] / x.shape[-1],
            "entropy_change": category_entropy(counts) - entropy,
        }
        if common.any():
            values["modes_kept"] = (mass >= kept * p[common]).mean(axis=-1)
        if p[~common].sum() > 0:
            values["rare_mass"] = relative_mass(counts, p, ~common)
        if difference > 0:
            values["diversity"] = chance_of_difference(counts) / difference
        return values

    return kernel
