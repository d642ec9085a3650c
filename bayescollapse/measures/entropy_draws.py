"""Entropies from the kept draws of a run: all parameters together, and margins of any form."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.experiment.progress import Progress, show_progress
from bayescollapse.measures.entropy_kernels import (
    gaussian_entropy,
    gaussian_log_density,
    knn_entropy,
    normal_fit,
)
from bayescollapse.measures.layout import LEAD, flatten, group
from bayescollapse.measures.mutual_kernels import SINGULAR

__all__ = ["dependent_entries", "draw_entropies", "joint_log_density"]

Floats = NDArray[np.float64]


def dependent_entries(run: xr.DataTree, like: xr.DataArray) -> list[str]:
    """Parameters that determine one another linearly, such as the entries of a simplex.

    Parameters
    ----------
    run : DataTree
        Result of an experiment with draws.
    like : DataArray
        Statistics on (scheme, replicate, generation, parameter), which name the parameters.

    Notes
    -----
    Judged from the draws of the first generation around their means, all replicates together. All
    entries together then have no density, so that no joint entropy exists.
    """
    values = next(_by_scheme(run, like))[:, 0]
    replicates, count, size = values.shape
    centred = (values - values.mean(axis=1, keepdims=True)).reshape(-1, size)
    scale = centred.std(axis=0)
    moving = np.flatnonzero(scale > 0)
    if not np.isfinite(centred).all() or replicates * (count - 1) <= moving.size:
        return []
    unit = centred[:, moving] / scale[moving]
    sizes, axes = np.linalg.eigh(unit.T @ unit / len(unit))
    inside = (np.abs(axes[:, sizes <= SINGULAR]) > SINGULAR**0.5).any(axis=1)
    return [str(label) for label in like["parameter"].to_numpy()[moving[inside]]]


def draw_entropies(
    run: xr.DataTree, like: xr.DataArray, *, neighbours: int | None, progress: bool
) -> dict[str, xr.DataArray]:
    """Entropies of the kept draws of every cell.

    Parameters
    ----------
    run : DataTree
        Result of an experiment with draws.
    like : DataArray
        Statistics on (scheme, replicate, generation, parameter), which name the parameters.
    neighbours : int, optional
        Neighbours of nearest-neighbour entropies, also of the margins; the joint normal one alone
        if not given.
    progress : bool
        Show a progress bar.

    Returns
    -------
    dict of str to DataArray
        ``joint_entropy`` on (scheme, replicate, generation), and ``entropy`` of the margins.
    """
    joint = np.full([like.sizes[d] for d in LEAD], np.nan)
    margins = np.full(like.shape, np.nan)
    total = like.sizes["scheme"] * like.sizes["replicate"]
    with show_progress(total, title="entropies", shown=progress) as bar:
        for place, draws in enumerate(_by_scheme(run, like)):
            label = str(like["scheme"].to_numpy()[place])
            if neighbours is None:
                joint[place] = _normal(draws)
                continue
            _nearest(draws, neighbours, joint[place], margins[place], bar, label)
    out = {"joint_entropy": like.isel(parameter=0, drop=True).copy(data=joint)}
    return out if neighbours is None else out | {"entropy": like.copy(data=margins)}


def joint_log_density(run: xr.DataTree, truth: xr.DataArray, like: xr.DataArray) -> xr.DataArray:
    """Log density of the truth under a normal with the moments of the kept draws of every cell.

    Parameters
    ----------
    run : DataTree
        Result of an experiment with draws.
    truth : DataArray
        Truths on (replicate, parameter).
    like : DataArray
        Statistics on (scheme, replicate, generation, parameter).

    Returns
    -------
    DataArray
        On (scheme, replicate, generation); -inf where the draws are a point or lie in a plane,
        which misses the truth.
    """
    found = np.full([like.sizes[d] for d in LEAD], np.nan)
    points = truth.transpose("replicate", "parameter").to_numpy()[:, None, None, :]
    for place, draws in enumerate(_by_scheme(run, like)):
        count, size = draws.shape[-2:]
        mean, white, logs = normal_fit(draws)
        square = (((points - mean[..., None, :]) @ white) ** 2).sum(axis=(-2, -1))
        square = np.where(logs == -np.inf, np.inf, square)
        found[place] = gaussian_log_density(square, logs, size, draws=count)
    return like.isel(parameter=0, drop=True).copy(data=found)


def _by_scheme(run: xr.DataTree, like: xr.DataArray) -> Iterator[Floats]:
    """Draws (replicate, generation, draw, parameter), so that those of one scheme are in memory."""
    posterior = group(run, "posterior", needed_for="entropies of draws")
    labels = like["parameter"].to_numpy()
    lead = (*LEAD, "chain", "draw")
    for place in range(posterior.sizes["scheme"]):
        drawn = flatten(posterior.isel(scheme=[place]), lead).sel(parameter=labels)
        # A run in memory and one that was read lie otherwise in memory, and sums in another order
        # differ in their last bit.
        values = np.ascontiguousarray(drawn.isel(scheme=0).to_numpy())
        yield values.reshape(*values.shape[:2], -1, values.shape[-1])


def _normal(draws: Floats) -> Floats:
    count, size = draws.shape[-2:]
    return gaussian_entropy(normal_fit(draws)[2], size, draws=count)


def _nearest(
    draws: Floats, neighbours: int, joint: Floats, margins: Floats, bar: Progress, label: str
) -> None:
    """Fill in entropies of one scheme."""
    for replicate, lineage in enumerate(draws):
        for t, cell in enumerate(lineage):
            joint[replicate, t] = knn_entropy(cell, neighbours=neighbours)[0]
            for p in range(cell.shape[1]):
                margin = cell[:, p : p + 1]
                margins[replicate, t, p] = knn_entropy(margin, neighbours=neighbours)[0]
        bar.advance(label)
