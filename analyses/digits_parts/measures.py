"""What generations make: distance to real digits, legibility, variety, held-out density."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from digits_parts.data import Digits, labels, load_digits
from digits_parts.features import features_of, frechet, network, recognised
from digits_parts.loops import Loop

__all__ = [
    "LEAD",
    "MEASURES",
    "against",
    "contrast",
    "interval",
    "made",
    "measure",
    "real_figures",
    "variety",
]

LEAD = ("scheme", "replicate", "generation")
MEASURES = ("frechet", "density", "recognised", "variety")


def measure(loop: Loop, source: str, sample: int, seed: int) -> xr.Dataset:
    """Measure every generation of a run by images that it makes before any selection.

    Parameters
    ----------
    loop : Loop
        The run, and its model.
    source : str
        Which real digits.
    sample : int
        Images made per generation and lineage.
    seed : int
        Seed of these images; the same noise in every cell.

    Returns
    -------
    Dataset
        On (scheme, replicate, generation): ``frechet``, squared distance to the held-out images;
        ``density``, nats per held-out image; ``recognised``, share of made images; ``variety``, 1
        for real images; ``passed``, whether the fit converged.
    """
    digits = load_digits(source, binary=loop.binary)
    model = network(source, loop.binary)
    target = features_of(model, digits.held_out["y"].to_numpy())
    real = variety(digits.held_out["y"].to_numpy(), digits.held_out["label"].to_numpy())
    predictive = loop.run["predictive"].to_dataset()
    shape = tuple(predictive.sizes[d] for d in LEAD)
    values = {name: np.empty(shape) for name in ("frechet", "recognised", "variety")}
    for place, images in _every(loop, sample, seed):
        pixels, own = images["y"].to_numpy(), images["label"].to_numpy()
        values["frechet"][place] = frechet(features_of(model, pixels), target)
        values["recognised"][place] = recognised(model, pixels, own)
        values["variety"][place] = variety(pixels, own) / real
    data: dict[str, Any] = {name: (LEAD, value) for name, value in values.items()}
    density = predictive["held_out_log_density"].transpose(*LEAD)
    passed = loop.run["sample_stats"]["passed"].transpose(*LEAD)
    coords = {d: density[d].to_numpy() for d in LEAD}
    return xr.Dataset(
        {**data, "density": (LEAD, density.to_numpy()), "passed": (LEAD, passed.to_numpy() > 0)},
        coords=coords,
    )


def made(
    loop: Loop, scheme: str, replicate: int, generation: int, sample: int, seed: int
) -> xr.Dataset:
    """Images that a generation makes, equally many of each digit.

    Parameters
    ----------
    loop : Loop
        The run, and its model.
    scheme, replicate, generation
        Which cell.
    sample, seed : int
        How many images, and their noise.
    """
    cell = {"scheme": scheme, "replicate": replicate, "generation": generation}
    summary = loop.run["summary"].to_dataset().sel({**cell, "statistic": "mean"}, drop=True)
    point = xr.DataTree.from_dict({"posterior": summary.expand_dims(chain=[0], draw=[0])})
    asked = xr.Dataset({"label": ("obs", labels(sample))})
    return loop.estimator.emit(point, sample, emission="plug-in", covariates=asked, seed=seed)


def variety(pixels: NDArray[Any], digits: NDArray[np.int64]) -> float:
    """Root mean squared difference, per pixel, of an image from the mean of its digit.

    Parameters
    ----------
    pixels : ndarray, shape (image, pixel)
        Images.
    digits : ndarray, shape (image,)
        Their digits.
    """
    total, degrees = 0.0, 0
    for digit in np.unique(digits):
        own = pixels[digits == digit]
        total += float(((own - own.mean(axis=0)) ** 2).sum()) / own.shape[1]
        degrees += len(own) - 1
    return float(np.sqrt(total / max(degrees, 1)))


def real_figures(source: str, *, binary: bool = False) -> dict[str, float]:
    """Measure real digits: the pool, which no feature was learnt from, against those held out.

    Parameters
    ----------
    source : str
        Which real digits.
    binary : bool
        Whether pixels are 0 and 1.
    """
    digits: Digits = load_digits(source, binary=binary)
    model, pool, held_out = network(source, binary), digits.pool, digits.held_out
    first, second = (features_of(model, part["y"].to_numpy()) for part in (pool, held_out))
    known = recognised(model, pool["y"].to_numpy(), pool["label"].to_numpy())
    return {"frechet": frechet(first, second), "recognised": known, "variety": 1.0}


def interval(values: xr.DataArray, *, log: bool = False) -> xr.Dataset:
    """Mean over lineages with its 95 % interval by Student's t.

    Parameters
    ----------
    values : DataArray
        With the dimension ``replicate``; the interval is NaN for a single lineage.
    log : bool
        Geometric mean and interval, for positive values that spread by factors.

    Returns
    -------
    Dataset
        ``mean``, ``low``, ``high``.
    """
    from scipy.stats import t

    used = np.log(values) if log else values
    count = used.sizes["replicate"]
    mean = used.mean("replicate")
    if count > 1:
        half = used.std("replicate", ddof=1) / np.sqrt(count) * t.ppf(0.975, count - 1)
    else:
        half = mean * np.nan
    parts = {"mean": mean, "low": mean - half, "high": mean + half}
    return xr.Dataset({n: np.exp(v) if log else v for n, v in parts.items()})


def contrast(measured: xr.Dataset, name: str, scheme: str, first: int, last: int) -> xr.Dataset:
    """Change of a measure between two generations, paired within lineages.

    Parameters
    ----------
    measured : Dataset
        From :func:`measure`.
    name : str
        The measure; ``frechet`` changes by a factor, all others by a difference.
    scheme : str
        Label of a scheme.
    first, last : int
        Generations.
    """
    own = measured[name].sel(scheme=scheme)
    before = own.sel(generation=first, drop=True)
    after = own.sel(generation=last, drop=True)
    if name == "frechet":
        return interval(after / before, log=True)
    return interval(after - before)


def against(measured: xr.Dataset, name: str, scheme: str, other: str, t: int) -> xr.Dataset:
    """Compare two schemes in one generation, paired within lineages; as :func:`contrast`.

    Parameters
    ----------
    measured : Dataset
        From :func:`measure`.
    name, scheme, other : str
        The measure; the scheme, and what it is compared with.
    t : int
        Generation.
    """
    own, base = (measured[name].sel(scheme=s, generation=t, drop=True) for s in (scheme, other))
    return interval(own / base, log=True) if name == "frechet" else interval(own - base)


def _every(loop: Loop, sample: int, seed: int) -> Iterator[tuple[tuple[int, ...], xr.Dataset]]:
    sizes = loop.run["predictive"].to_dataset()
    coords = [sizes[d].to_numpy().tolist() for d in LEAD]
    for place in np.ndindex(*(len(c) for c in coords)):
        scheme, replicate, generation = (c[i] for c, i in zip(coords, place, strict=True))
        yield place, made(loop, scheme, replicate, generation, sample, seed)
