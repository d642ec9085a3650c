"""Verifiers: scores of images by what was learnt, once and for ever, from real digits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.schemes.selection.row_score import RowScore
from digits_parts.data import CLASSES, load_digits

__all__ = ["Legible", "Lifelike", "classifier", "discriminator", "imitations", "score_of"]

NEIGHBOURS = 25
DRAWN = 10
"""Groups of images drawn for a discriminator, each from a model of its own."""


@dataclass(frozen=True, repr=False)
class Legible(RowScore):
    """Score of a classifier: the probability that an image shows the digit it was made as.

    Extremely randomised trees on pixels, trained on all real digits that are not held out. Their
    probabilities are averages over leaves, which no image can push beyond 1.

    Parameters
    ----------
    source : {"mnist", "sklearn"}
        Which real digits.
    binary : bool
        Whether their pixels are 0 and 1.
    """

    source: str
    binary: bool = False

    def score(self, rows: Any, context: Any) -> NDArray[np.float64]:
        """Probability of each row's own label, shape (replicate, obs)."""
        pixels, digits = _flat(rows)
        found = classifier(self.source, self.binary).predict_proba(pixels)
        own = found[np.arange(len(digits)), digits]
        return np.asarray(own.reshape(rows["y"].shape[:2]))


@dataclass(frozen=True, repr=False)
class Lifelike(RowScore):
    """Score of a discriminator: the share of real images among an image's neighbours.

    The neighbours are 25 images of the same digit, real ones and ones that models of generation 0
    make, in the space of linear discriminants of the digits, so that pixel noise, by which any made
    image can be told from any real one, decides nothing. All real digits that are not held out
    are among them, and as many made ones.

    Parameters
    ----------
    source : {"mnist", "sklearn"}
        Which real digits.
    images, factors : int
        Real images, and factors, behind the made ones: those of generation 0.
    """

    source: str
    images: int
    factors: int

    def score(self, rows: Any, context: Any) -> NDArray[np.float64]:
        """Share of real neighbours, shape (replicate, obs)."""
        pixels, digits = _flat(rows)
        discriminants, judges = discriminator(self.source, self.images, self.factors)
        place = discriminants.transform(pixels)
        out = np.empty(len(digits))
        for digit in np.unique(digits):
            own = digits == digit
            out[own] = judges[digit].predict_proba(place[own])[:, 1]
        return out.reshape(rows["y"].shape[:2])


@cache
def classifier(source: str, binary: bool) -> Any:
    """Classifier of the digits; trained once a process, the same in every one."""
    from sklearn.ensemble import ExtraTreesClassifier
    from threadpoolctl import threadpool_limits

    known = load_digits(source, binary=binary).known
    with threadpool_limits(1):
        trees = ExtraTreesClassifier(200, random_state=0)
        return trees.fit(known["y"].to_numpy(), known["label"].to_numpy())


@cache
def discriminator(source: str, images: int, factors: int) -> tuple[Any, list[Any]]:
    """Linear discriminants, and for every digit a judge of real (1) against made (0) images."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.neighbors import KNeighborsClassifier
    from threadpoolctl import threadpool_limits

    known = load_digits(source).known
    pixels, digits = known["y"].to_numpy(), known["label"].to_numpy()
    judges = []
    with threadpool_limits(1):
        # Pixels that are white in every image have no variance to divide by: shrinkage.
        discriminants = LinearDiscriminantAnalysis(
            solver="eigen", shrinkage=0.05, n_components=CLASSES - 1
        ).fit(pixels, digits)
        for digit in range(CLASSES):
            real = pixels[digits == digit]
            made = imitations(real, images // CLASSES, factors, np.random.default_rng(digit))
            place = discriminants.transform(np.concatenate([real, made]))
            kind = np.repeat([1, 0], [len(real), len(made)])
            judges.append(KNeighborsClassifier(NEIGHBOURS).fit(place, kind))
    return discriminants, judges


def imitations(
    real: NDArray[Any], images: int, factors: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Images from probabilistic PCA fitted in closed form, as many as there are real ones.

    Parameters
    ----------
    real : ndarray, shape (image, pixel)
        Images of one digit.
    images : int
        Images that a model is fitted to; each of ten models makes a tenth of the imitations.
    factors : int
        Factors of the model.
    rng : Generator
        Which images, and the noise.
    """
    from sklearn.decomposition import PCA

    made = []
    for count in np.bincount(np.arange(len(real)) % DRAWN):
        sample = real[rng.choice(len(real), min(images, len(real)), replace=False)]
        model = PCA(factors, svd_solver="full").fit(sample)
        spread = np.sqrt(np.maximum(model.explained_variance_ - model.noise_variance_, 0.0))
        factor = rng.standard_normal((count, factors)) * spread
        noise = rng.standard_normal((count, real.shape[1])) * np.sqrt(model.noise_variance_)
        made.append(model.mean_ + factor @ model.components_ + noise)
    return np.concatenate(made)


def score_of(score: RowScore, images: xr.Dataset) -> NDArray[np.float64]:
    """Scores of images on ``obs``, outside of any loop."""
    rows = {name: images[name].to_numpy()[None] for name in ("y", "label")}
    return np.asarray(score.score(rows, None))[0]  # type: ignore[arg-type]


def _flat(rows: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Images end to end, and their digits."""
    pixels = np.asarray(rows["y"])
    digits = np.broadcast_to(rows["label"], pixels.shape[:2])
    return pixels.reshape(-1, pixels.shape[2]), digits.reshape(-1).astype(np.int64)
