"""Kullback-Leibler divergence from draws through their moments, without bias for Gaussians."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescollapse.measures.divergence.sizes import Effective, joint_samples, sizes_of
from bayescollapse.measures.registry import KNOWING, Measure

__all__ = ["MEASURES", "Plane", "common_plane", "kl_moments", "moments_of"]

Floats = NDArray[np.float64]

_FLAT = 1e-10
"""Share of pooled variance below which a direction is one in which neither sample varies."""

_POINT = 1e-14
"""Share of pooled variance below which a sample does not vary in a direction in which both do."""


def kl_moments(x: ArrayLike, y: ArrayLike, *, effective: Effective | None = None) -> Floats:
    r"""Gaussian Kullback-Leibler divergence between two samples, corrected for finite draws.

    The closed form of :func:`normal_kl` at sample means and unbiased sample covariances S, with
    every term replaced by its unbiased estimate. With :math:`\nu = n - 1` degrees of freedom for x,
    :math:`\mu = m - 1` for the reference y, and d parameters

    .. math:: \widehat{KL} = \tfrac12 \left[ \tfrac{\mu - d - 1}{\mu} \left(
        (1 - \tfrac1n) \operatorname{tr} S_y^{-1} S_x + \hat\delta^\top S_y^{-1} \hat\delta \right)
        - \tfrac{d}{m} - d + (\log |S_y| - b(\mu)) - (\log |S_x| - b(\nu)) \right]

    .. math:: b(\nu) = \sum_{i=1}^{d} \psi\left(\tfrac{\nu + 1 - i}{2}\right)
        + d \log\tfrac{2}{\nu}

    Parameters
    ----------
    x, y : array_like, shape (…, draw, parameter)
        Draws, and draws of the reference; leading axes broadcast.
    effective : tuple of float, optional
        Effective sizes of the two samples, which take the place of n and m; from repeated draws if
        not given.

    Returns
    -------
    ndarray, shape (…)
        Divergence of x from y in nats. The population's is 0 or more; an estimate can fall below 0,
        by chance, when the two are alike. Not symmetric; unchanged by one-to-one affine maps.
        Infinite if one of the two does not vary in a direction in which the other does, or if they
        lie on different planes; missing if effective sizes are too small for the dimension.

    Raises
    ------
    ValueError
        If shapes do not fit or there are not at least three draws more than parameters.

    Notes
    -----
    Unbiased for independent Gaussian draws, of any number; the spread is of order d / n where the
    distributions are equal. For other distributions it compares two moments only, and excess
    kurtosis of c adds a bias of order c d / n. Directions in which neither sample varies, such as
    the sum of the entries of a simplex, are left out and not counted in d. Equal draws count as
    repeats of a sampler that stayed unless most of them occur in the other sample too, as those of
    atoms do (:func:`~.sizes.have_atoms`); for atoms that the two do not share give
    ``effective=(n, m)``, or the corrections will be far too large.

    References
    ----------
    .. [1] Kullback and Leibler (1951), doi:10.1214/aoms/1177729694.
    .. [2] Mardia, Kent and Bibby (1979), Multivariate Analysis, sections 3.4 and 3.8: moments of
       Wishart matrices, their inverses and log determinants.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1).normal(size=(2, 500, 5))
    >>> abs(float(kl_moments(x[0], x[1]))) < 0.03
    True
    """
    first, second = joint_samples(x, y)
    draws, parameters = min(first.shape[-2], second.shape[-2]), first.shape[-1]
    if draws < parameters + 3:
        raise ValueError(
            f"x and y must hold at least {parameters + 3} draws each, three more than parameters, "
            f"got {first.shape[-2]} and {second.shape[-2]}: keep more draws, or choose parameters"
        )
    size_x, size_y = sizes_of(first, second, effective)
    lead = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    known = np.isfinite(first).all(axis=(-2, -1)) & np.isfinite(second).all(axis=(-2, -1))
    mean_x, cov_x = moments_of(first, size_x)
    mean_y, cov_y = moments_of(second, size_y)
    plane = common_plane(mean_x, cov_x, mean_y, cov_y)
    value = np.where(plane.rank == 0, 0.0, _unbiased(plane, size_x, size_y))
    value = np.where(plane.apart, np.inf, value)
    return np.broadcast_to(np.where(known, value, np.nan), lead).copy()


def moments_of(x: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Mean, and covariance without bias for an effective number of draws; 0 where not finite."""
    good = np.isfinite(x).all(axis=(-2, -1), keepdims=True)
    draws = np.where(good, x, 0.0)
    mean = draws.mean(axis=-2)
    inner = draws - mean[..., None, :]
    cov = np.swapaxes(inner, -1, -2) @ inner / x.shape[-2]
    factor = np.where(size > 1, size / np.maximum(size - 1, 1e-300), 0.0)
    return mean, cov * np.where(np.isfinite(factor), factor, 1.0)[..., None, None]


class Plane(NamedTuple):
    """Two sets of moments in pooled principal axes, flat directions made neutral."""

    turn: Floats
    varies: NDArray[np.bool_]
    shift: Floats
    cov_x: Floats
    cov_y: Floats
    rank: Floats
    apart: NDArray[np.bool_]


def common_plane(mean_x: Floats, cov_x: Floats, mean_y: Floats, cov_y: Floats) -> Plane:
    """Rotate to pooled principal axes, and find directions in which neither or only one varies."""
    pooled: Floats = (cov_x + cov_y) / 2
    sd = np.sqrt(np.diagonal(pooled, axis1=-2, axis2=-1))
    scale = np.where(sd > 0, sd, 1.0)
    values, vectors = np.linalg.eigh(pooled / (scale[..., :, None] * scale[..., None, :]))
    turn = vectors / scale[..., :, None]
    varies = values > _FLAT
    shift = np.einsum("...i,...ij->...j", mean_x - mean_y, turn)
    far = np.maximum(np.abs(mean_x), np.abs(mean_y)) / scale
    limit = 1e-8 * np.maximum(1.0, far.max(axis=-1, keepdims=True))
    apart = (~varies & (np.abs(shift) > limit)).any(axis=-1)
    both, unit = varies[..., :, None] & varies[..., None, :], np.eye(sd.shape[-1])
    covs = []
    for cov in (cov_x, cov_y):
        turned = np.where(both, np.swapaxes(turn, -1, -2) @ cov @ turn, unit)
        point = np.linalg.eigvalsh(turned)[..., 0] <= _POINT
        apart = apart | point
        covs.append(np.where(point[..., None, None], unit, turned))
    rank = np.asarray(varies.sum(axis=-1), dtype=np.float64)
    return Plane(turn, varies, np.where(varies, shift, 0.0), covs[0], covs[1], rank, apart)


def _unbiased(plane: Plane, size_x: Floats, size_y: Floats) -> Floats:
    shift, cov_x, cov_y, rank = plane.shift, plane.cov_x, plane.cov_y, plane.rank
    flat = shift.shape[-1] - rank
    ratio = np.trace(np.linalg.solve(cov_y, cov_x), axis1=-2, axis2=-1) - flat
    moved = np.linalg.solve(cov_y, shift[..., None])[..., 0]
    distance = (shift * moved).sum(axis=-1)
    logs = np.linalg.slogdet(cov_y)[1] - np.linalg.slogdet(cov_x)[1]
    logs = logs - _log_bias(size_y - 1, rank) + _log_bias(size_x - 1, rank)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = 1 - (rank + 1) / (size_y - 1)
        value = shrink * (ratio * (1 - 1 / size_x) + distance) - rank / size_y - rank + logs
    return np.where((size_y > rank + 2) & (size_x > rank), value / 2, np.nan)


def _log_bias(freedom: Floats, rank: Floats) -> Floats:
    """Mean of the log determinant of a sample covariance minus that of the population's."""
    from scipy.special import digamma

    freedom, rank = np.broadcast_arrays(freedom, rank)
    large = 1e12  # where the bias has vanished to rounding
    usable = np.clip(freedom, 1.0, large)
    total = rank * np.log(2 / usable)
    for place in range(int(rank.max(initial=0))):
        term = digamma(np.maximum(usable - place, 0.5) / 2)
        total = total + np.where(place < rank, term, 0.0)
    return np.where(freedom >= large, 0.0, total)


MEASURES = (
    Measure(
        name="kl_moments",
        question="posterior drift",
        meaning="Kullback-Leibler divergence from the reference, of all parameters, by moments",
        units="nats",
        lowest=0.0,
        highest=math.inf,
        symmetric=False,
        invariant="affine",
        needs=("draws",),
        references=KNOWING,
        null=0.0,
        bias="none for Gaussians; compares two moments only; an estimate can fall below 0; "
        "large for atoms that the two do not share, which count as repeats",
        source="Kullback and Leibler (1951), doi:10.1214/aoms/1177729694",
    ),
)
"""What posterior drift measures of all parameters jointly, through moments."""
