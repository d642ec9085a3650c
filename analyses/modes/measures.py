"""How much of the rare mode is left: in the posterior, in its labels, and in emitted rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.signal import find_peaks
from scipy.special import ndtr

from modes.settings import BOUNDARY, RARE, TRUTH

Floats = NDArray[np.float64]

LEAD = ("scheme", "replicate", "generation")
HALF = 0.5
QUARTER = 0.25
GRID = np.linspace(-12, 12, 961)
PROMINENCE = 0.01
"""A mode rises this much, relative to the highest one, above the dips beside it."""


def mass_above(boundary: float, weights: Any, mu: Any, sigma: Any) -> Floats:
    """Probability that a mixture puts above a boundary; components on the last axis.

    >>> float(mass_above(0.0, np.array([0.3, 0.7]), np.array([-9.0, 9.0]), np.ones(2)).round(6))
    0.7
    """
    return np.asarray((weights * ndtr((mu - boundary) / sigma)).sum(axis=-1))


def density(grid: Floats, weights: Any, mu: Any, sigma: Any) -> Floats:
    """Density of mixtures on a grid, shape (…, grid)."""
    z = (grid - mu[..., None]) / sigma[..., None]
    kernel = np.exp(-0.5 * z**2) / (sigma[..., None] * np.sqrt(2 * np.pi))
    return np.asarray((weights[..., None] * kernel).sum(axis=-2))


def count_modes(each: Floats) -> int:
    """Count the modes of the mean of densities, shape (…, grid)."""
    mean = each.reshape(-1, each.shape[-1]).mean(axis=0)
    return len(find_peaks(mean, prominence=PROMINENCE * mean.max())[0])


def true_mass() -> float:
    """Probability that the truth puts above the boundary."""
    return float(mass_above(BOUNDARY, **TRUTH))


def measure(run: Any) -> xr.Dataset:
    """Everything the tables and pictures need, on (scheme, replicate, generation).

    Returns
    -------
    Dataset
        ``mass``, ``mass_low``, ``mass_high`` (posterior mean and central 95 % interval of the
        probability above the boundary, from the kept draws); ``weight``, ``weight_low``,
        ``weight_high`` of the last label, and ``weight_place``, the posterior mean of its
        component's mean; ``seen`` (share of the training weight above the boundary); ``emitted``
        (share of emitted rows above it; missing in the last generation); ``lost_posterior``,
        ``lost_rows``, ``covers``; ``modes`` of the posterior predictive density; ``passed`` and
        ``attempts``.
    """
    draws = run["posterior"].to_dataset(inherit=False).load()
    parts = {
        name: draws[name].transpose(*LEAD, "chain", "draw", "component").to_numpy()
        for name in TRUTH
    }
    mass = mass_above(BOUNDARY, **parts)
    mass = mass.reshape(*mass.shape[:3], -1)
    low, high = np.quantile(mass, [0.025, 0.975], axis=-1)
    truth = true_mass()
    labels = _last_label(run)
    seen, emitted = row_shares(run["rows"].to_dataset(inherit=False).load(), draws)
    stats = run["sample_stats"].to_dataset(inherit=False).load()
    values = {
        "mass": mass.mean(axis=-1),
        "mass_low": low,
        "mass_high": high,
        **labels,
        "seen": seen,
        "emitted": emitted,
        "lost_posterior": high < HALF * truth,
        "lost_rows": emitted < QUARTER * truth,
        "covers": (low <= truth) & (truth <= high),
        "modes": _modes(parts),
        "passed": stats["passed"].transpose(*LEAD).to_numpy().astype(bool),
        "attempts": stats["attempts"].transpose(*LEAD).to_numpy(),
    }
    coords = {d: draws[d].to_numpy() for d in LEAD}
    return xr.Dataset({name: (LEAD, value) for name, value in values.items()}, coords=coords)


def row_shares(rows: xr.Dataset, draws: xr.Dataset) -> tuple[Floats, Floats]:
    """Shares above the boundary of what each fit was trained on, and of what it emitted."""
    shape = tuple(draws.sizes[d] for d in LEAD)
    codes = [np.searchsorted(np.sort(draws[d].to_numpy()), rows[d].to_numpy()) for d in LEAD[1:]]
    order = {label: i for i, label in enumerate(draws["scheme"].to_numpy().tolist())}
    scheme = np.array([order[label] for label in rows["scheme"].to_numpy().tolist()])
    above = rows["y"].to_numpy() > BOUNDARY
    weight = rows["weight"].to_numpy()
    replicate, generation = codes
    seen = _share(shape, (scheme, replicate, generation), weight, above)
    # Generation t is trained on the rows that generation t - 1 emitted.
    newest = ~rows["real"].to_numpy() & (rows["batch"].to_numpy() == generation - 1)
    at = (scheme[newest], replicate[newest], generation[newest] - 1)
    return seen, _share(shape, at, np.ones(newest.sum()), above[newest])


def first_loss(measured: xr.Dataset, scheme: str) -> int | None:
    """First lineage whose rare mode is lost in the last generation, by the posterior; or none."""
    last = measured["lost_posterior"].sel(scheme=scheme).isel(generation=-1).to_numpy()
    return int(np.argmax(last)) if last.any() else None


def _modes(parts: Mapping[str, Floats]) -> NDArray[np.int64]:
    """Count the modes of every posterior predictive density."""
    shape = parts["mu"].shape[:3]
    flat = {name: value.reshape(-1, *value.shape[3:]) for name, value in parts.items()}
    counts = [
        count_modes(density(GRID, **{name: value[i] for name, value in flat.items()}))
        for i in range(int(np.prod(shape)))
    ]
    return np.array(counts).reshape(shape)


def _share(shape: tuple[int, ...], at: Any, weight: Floats, above: NDArray[np.bool_]) -> Floats:
    total, part = np.zeros(shape), np.zeros(shape)
    np.add.at(total, at, weight)
    np.add.at(part, at, weight * above)
    return np.divide(part, total, out=np.full(shape, np.nan), where=total > 0)


def _last_label(run: Any) -> dict[str, Floats]:
    summary = run["summary"].to_dataset(inherit=False).load().isel(component=RARE)
    wanted = {
        "weight": ("weights", "mean"),
        "weight_low": ("weights", "q2.5"),
        "weight_high": ("weights", "q97.5"),
        "weight_place": ("mu", "mean"),
    }
    return {
        name: summary[parameter].sel(statistic=statistic).transpose(*LEAD).to_numpy()
        for name, (parameter, statistic) in wanted.items()
    }
