"""Part 1: what one round of verified rows does, over the verifier's bias and radius."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse import theory
from verification_parts.settings import NOISE_SD, Settings, verified

FEATURES = 8
ROWS = 100
"""Real rows along each direction, and accepted rows."""
FARTHEST, NARROWEST, WIDEST = 0.7, 0.01, 0.5
Floats = NDArray[np.float64]


def measure(settings: Settings, executor: Executor) -> xr.Dataset:
    """Run every cell of the map, and put the laws beside it.

    Returns
    -------
    Dataset
        On (distance, radius): ``measured`` log ratio of distances before and after with its
        ``standard_error``, ``exact`` and ``second_order`` laws, ``z`` against the exact one, and
        ``short``, the number of marked lineages.
    """
    distances = np.linspace(0, FARTHEST, settings.distances).round(4)
    radii = np.linspace(NARROWEST, WIDEST, settings.radii).round(4)
    schemes = {
        f"{distance:g} from the truth, radius {radius:g}": verified(radius, distance * direction())
        for distance in distances
        for radius in radii
    }
    rows = FEATURES * ROWS
    run = settings.run(
        "one-round", executor, schemes, features=FEATURES, real=rows, synthetic=(rows,)
    )
    grid = (len(distances), len(radii))
    ratio, error = log_ratio(_errors(run))
    exact = exact_law(distances, radii)
    short = run["training"]["short"].isel(generation=0).sum("replicate").to_numpy()
    columns = {
        "measured": ratio.reshape(grid),
        "standard_error": error.reshape(grid),
        "exact": exact,
        "second_order": theorem(distances, radii),
        "z": (ratio.reshape(grid) - exact) / error.reshape(grid),
        "short": short.reshape(grid).astype(int),
    }
    return xr.Dataset(
        {name: (("distance", "radius"), value) for name, value in columns.items()},
        coords={"distance": distances, "radius": radii},
    )


def exact_law(distances: Any, radii: Any) -> Floats:
    """Log ratio of distances before and after, without approximation.

    Parameters
    ----------
    distances, radii : array_like
        The two axes.

    Returns
    -------
    ndarray, shape (distance, radius)
    """
    path = theory.verified_path(
        2,
        offset=_offsets(distances),
        start_variance=NOISE_SD**2 / ROWS,
        accepted=ROWS,
        radius=np.asarray(radii),
        noise_sd=NOISE_SD,
    )
    return np.asarray(0.5 * np.log(FEATURES * NOISE_SD**2 / ROWS / path.truth_error[1]))


def theorem(distances: Any, radii: Any) -> Floats:
    """Log ratio of distances by theorem 3.1, to second order; arguments as in `exact_law`."""
    step = theory.verified_step(
        _offsets(distances),
        accepted=ROWS,
        singular_values=np.sqrt(ROWS),
        radius=np.asarray(radii),
        noise_sd=NOISE_SD,
    )
    return np.asarray(0.5 * np.log(step.baseline / step.risk))


def break_even(cells: xr.Dataset, name: str) -> Floats:
    """Distance at which a log ratio falls through 0, by radius; NaN where it does not.

    Straight lines between cells, so a measurement and a law are compared on the same footing.
    """
    return np.array([_crossing(cells, name, radius)[0] for radius in cells["radius"].to_numpy()])


def break_even_error(cells: xr.Dataset) -> Floats:
    """Give the standard error of the measured break-even distance, to first order."""
    return np.array([_crossing(cells, "measured", r)[1] for r in cells["radius"].to_numpy()])


def direction() -> Floats:
    """Draw the fixed unit vector along which verifiers are biased."""
    vector = np.random.default_rng(0).standard_normal(FEATURES)
    return np.asarray(vector / np.linalg.norm(vector))


def log_ratio(errors: Floats) -> tuple[Floats, Floats]:
    """Half the log ratio of mean squared errors before and after, with its standard error.

    Parameters
    ----------
    errors : ndarray, shape (scheme, replicate, 2)
        Squared errors of generations 0 and 1.
    """
    before, after = errors.mean(axis=1).T
    relative = 0.5 * (errors[..., 0] / before[:, None] - errors[..., 1] / after[:, None])
    spread = relative.std(axis=1, ddof=1) / np.sqrt(errors.shape[1])
    return 0.5 * np.log(before / after), spread


def _offsets(distances: Any) -> Floats:
    """Truth minus verifier's centre, shape (distance, 1, feature)."""
    return -np.multiply.outer(np.asarray(distances), direction())[:, None]


def _errors(run: Any) -> Floats:
    mean = run["summary"]["beta"].sel(statistic="mean")
    squared = ((mean - run["truth"]["beta"]) ** 2).sum("feature")
    return np.asarray(squared.transpose("scheme", "replicate", "generation"))


def _crossing(cells: xr.Dataset, name: str, radius: float) -> tuple[float, float]:
    line = cells.sel(radius=radius)
    x, y, error = (line[v].to_numpy() for v in ("distance", name, "standard_error"))
    falls = np.nonzero((y[:-1] > 0) & (y[1:] <= 0))[0]
    if not len(falls):
        return np.nan, np.nan
    left = int(falls[0])
    share = y[left] / (y[left] - y[left + 1])
    slope = (y[left + 1] - y[left]) / (x[left + 1] - x[left])
    here = (1 - share) * error[left] + share * error[left + 1]
    return float(x[left] + share * (x[left + 1] - x[left])), float(abs(here / slope))
