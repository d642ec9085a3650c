"""The paper's own update of a Gaussian covariance, as a plain NumPy loop.

He, Xu and Cheng centre real and synthetic rows separately: S_t = w S_real + (1-w) S_syn, each
around its own mean with divisor rows - 1. No likelihood of pooled rows does that, so this loop is
not an experiment of the library; it stands beside the PyMC model's, and shares no code with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["covariance_errors"]


def covariance_errors(
    shares: Sequence[float],
    *,
    replicates: int,
    generations: int,
    rows: int,
    dim: int,
    rng: np.random.Generator,
    pooled: bool = False,
) -> NDArray[np.float64]:
    """Squared Frobenius errors of the covariance, truth N(0, I), plug-in emission.

    Parameters
    ----------
    shares : sequence of float
        Real shares, which see the same random numbers.
    replicates, generations : int
        Lineages, and generations counted from 0.
    rows : int
        Real rows, and synthetic rows, of a generation.
    dim : int
        Dimensions of a row.
    rng : Generator
        Randomness.
    pooled : bool
        Fit the pooled rows by maximum likelihood instead, as a weighted normal model does.

    Returns
    -------
    ndarray, shape (share, replicate, generation)
        Errors.
    """
    w = np.asarray(shares, dtype=np.float64)[:, None]
    divisor = rows if pooled else rows - 1
    eye = np.eye(dim)
    errors = np.empty((len(shares), replicates, generations))
    for t in range(generations):
        x, scatter = _batch(rng, replicates, rows, dim)
        real = scatter / divisor
        if t == 0:
            mean = np.broadcast_to(x, (len(shares), *x.shape))
            covariance = np.broadcast_to(real, (len(shares), *real.shape))
        else:
            z, scatter = _batch(rng, replicates, rows, dim)
            root = np.linalg.cholesky(covariance)
            y = mean + (root @ z[..., None])[..., 0]
            made = root @ (scatter / divisor) @ root.swapaxes(-1, -2)
            share = w[..., None, None]
            covariance = share * real + (1 - share) * made
            if pooled:
                d = x - y
                covariance = covariance + share * (1 - share) * d[..., :, None] * d[..., None, :]
            mean = w[..., None] * x + (1 - w[..., None]) * y
        errors[:, :, t] = ((covariance - eye) ** 2).sum(axis=(-2, -1))
    return errors


def _batch(
    rng: np.random.Generator, replicates: int, rows: int, dim: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and centred scatter of standard normal rows."""
    z = rng.standard_normal((replicates, rows, dim))
    mean = z.mean(axis=1)
    centred = z - mean[:, None]
    return mean, centred.transpose(0, 2, 1) @ centred
