"""Divergences between two Gaussians of any dimension, in closed form."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["normal_energy", "normal_hellinger", "normal_kl", "normal_wasserstein"]

Floats = NDArray[np.float64]

_STEP, _REACH = 0.5, 76.0
"""Trapezoidal rule of `_mean_norm` on a log scale: its error is below 1e-16 of the value."""


def normal_kl(mean_p: ArrayLike, cov_p: ArrayLike, mean_q: ArrayLike, cov_q: ArrayLike) -> Floats:
    r"""Kullback-Leibler divergence of one Gaussian from another in d dimensions.

    .. math:: KL(p \| q) = \tfrac12 \left[ \operatorname{tr}(\Sigma_q^{-1}\Sigma_p) - d
        + \delta^\top \Sigma_q^{-1} \delta - \log\frac{|\Sigma_p|}{|\Sigma_q|} \right],
        \quad \delta = m_p - m_q

    Parameters
    ----------
    mean_p, mean_q : array_like, shape (…, parameter)
        Means; leading axes broadcast.
    cov_p, cov_q : array_like, shape (…, parameter, parameter)
        Positive definite covariances.

    Returns
    -------
    ndarray, shape (…)
        Divergence in nats, 0 to infinity. Not symmetric; unchanged by one-to-one affine maps.

    Raises
    ------
    ValueError
        If shapes do not fit or a covariance is not symmetric and positive definite.

    References
    ----------
    .. [1] Kullback and Leibler (1951), doi:10.1214/aoms/1177729694.

    Examples
    --------
    >>> import numpy as np
    >>> float(normal_kl([1.0, 1.0], np.eye(2), [0.0, 0.0], np.eye(2)))
    1.0
    """
    shift, cov_p, cov_q = _gaussians(mean_p, cov_p, mean_q, cov_q, definite=True)
    ratio = np.linalg.solve(cov_q, cov_p)
    moved = np.linalg.solve(cov_q, shift[..., None])[..., 0]
    spread = np.trace(ratio, axis1=-2, axis2=-1) - shift.shape[-1]
    logs = _log_det(cov_q) - _log_det(cov_p)
    value = (spread + logs + (shift * moved).sum(axis=-1)) / 2
    return np.where(_equal(shift, cov_p, cov_q), 0.0, np.maximum(value, 0.0))


def normal_hellinger(
    mean_p: ArrayLike, cov_p: ArrayLike, mean_q: ArrayLike, cov_q: ArrayLike
) -> Floats:
    r"""Hellinger distance between two Gaussians in d dimensions.

    .. math:: H^2 = 1 - \frac{|\Sigma_p|^{1/4} |\Sigma_q|^{1/4}}{|\bar\Sigma|^{1/2}}
        \exp\left(-\tfrac18 \delta^\top \bar\Sigma^{-1} \delta\right),
        \quad \bar\Sigma = \tfrac12 (\Sigma_p + \Sigma_q)

    Parameters
    ----------
    mean_p, mean_q : array_like, shape (…, parameter)
        Means; leading axes broadcast.
    cov_p, cov_q : array_like, shape (…, parameter, parameter)
        Positive definite covariances.

    Returns
    -------
    ndarray, shape (…)
        Distance, 0 to 1. Symmetric; unchanged by one-to-one affine maps.

    Raises
    ------
    ValueError
        If shapes do not fit or a covariance is not symmetric and positive definite.

    References
    ----------
    .. [1] Kailath (1967), doi:10.1109/TCOM.1967.1089532.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(normal_hellinger([2.0, 0.0], np.eye(2), [0.0, 0.0], np.eye(2))), 4)
    0.6273
    """
    shift, cov_p, cov_q = _gaussians(mean_p, cov_p, mean_q, cov_q, definite=True)
    middle = (cov_p + cov_q) / 2
    moved = np.linalg.solve(middle, shift[..., None])[..., 0]
    logs = (_log_det(cov_p) + _log_det(cov_q)) / 4 - _log_det(middle) / 2
    exponent = logs - (shift * moved).sum(axis=-1) / 8
    distance = np.sqrt(np.maximum(-np.expm1(exponent), 0.0))
    return np.where(_equal(shift, cov_p, cov_q), 0.0, distance)


def normal_wasserstein(
    mean_p: ArrayLike, cov_p: ArrayLike, mean_q: ArrayLike, cov_q: ArrayLike
) -> Floats:
    r"""Wasserstein distance of order 2 between two Gaussians in d dimensions.

    .. math:: W_2^2 = \|\delta\|^2 + \operatorname{tr}\left(\Sigma_p + \Sigma_q
        - 2 (\Sigma_q^{1/2} \Sigma_p \Sigma_q^{1/2})^{1/2}\right)

    Parameters
    ----------
    mean_p, mean_q : array_like, shape (…, parameter)
        Means; leading axes broadcast.
    cov_p, cov_q : array_like, shape (…, parameter, parameter)
        Covariances; singular ones and point masses are allowed.

    Returns
    -------
    ndarray, shape (…)
        Distance in units of the parameters, 0 to infinity. Symmetric; unchanged by rotations and
        translations only.

    Raises
    ------
    ValueError
        If shapes do not fit or a covariance is not symmetric with eigenvalues of 0 or more.

    References
    ----------
    .. [1] Dowson and Landau (1982), doi:10.1016/0047-259X(82)90077-X.

    Examples
    --------
    >>> import numpy as np
    >>> float(normal_wasserstein([3.0, 0.0], 4 * np.eye(2), [0.0, 4.0], 4 * np.eye(2)))
    5.0
    """
    shift, cov_p, cov_q = _gaussians(mean_p, cov_p, mean_q, cov_q, definite=False)
    values, vectors = np.linalg.eigh(cov_q)
    scaled = vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]
    product = np.swapaxes(scaled, -1, -2) @ cov_p @ scaled
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0.0)).sum(axis=-1)
    traces = np.trace(cov_p + cov_q, axis1=-2, axis2=-1)
    squared = (shift**2).sum(axis=-1) + np.maximum(traces - 2 * cross, 0.0)
    same = (cov_p == cov_q).all(axis=(-2, -1))
    return np.sqrt(np.where(same, (shift**2).sum(axis=-1), squared))


def normal_energy(
    mean_p: ArrayLike, cov_p: ArrayLike, mean_q: ArrayLike, cov_q: ArrayLike
) -> Floats:
    r"""Energy distance between two Gaussians in d dimensions.

    .. math:: D = 2 E\|X - Y\| - E\|X - X'\| - E\|Y - Y'\|

    Each term is the mean length of a Gaussian Z: in one dimension in closed form, in more by

    .. math:: E\|Z\| = \frac{1}{2\sqrt\pi} \int_0^\infty
        \frac{1 - E e^{-t \|Z\|^2}}{t^{3/2}}\, dt

    with a trapezoidal rule on log t that is accurate to rounding.

    Parameters
    ----------
    mean_p, mean_q : array_like, shape (…, parameter)
        Means; leading axes broadcast.
    cov_p, cov_q : array_like, shape (…, parameter, parameter)
        Covariances; singular ones and point masses are allowed.

    Returns
    -------
    ndarray, shape (…)
        Distance in units of the parameters, 0 to infinity; its square root is a metric. Symmetric;
        unchanged by rotations and translations only.

    Raises
    ------
    ValueError
        If shapes do not fit or a covariance is not symmetric with eigenvalues of 0 or more.

    References
    ----------
    .. [1] Szekely and Rizzo (2013), doi:10.1016/j.jspi.2013.03.018.

    Examples
    --------
    >>> round(float(normal_energy([1.0], [[1.0]], [0.0], [[1.0]])), 4)
    0.5418
    """
    shift, cov_p, cov_q = _gaussians(mean_p, cov_p, mean_q, cov_q, definite=False)
    nowhere = np.zeros_like(shift)
    between = _mean_norm(shift, cov_p + cov_q)
    within = _mean_norm(nowhere, 2 * cov_p) + _mean_norm(nowhere, 2 * cov_q)
    value = np.maximum(2 * between - within, 0.0)
    return np.where(_equal(shift, cov_p, cov_q), 0.0, value)


def _mean_norm(mean: Floats, cov: Floats) -> Floats:
    """Mean length of a Gaussian."""
    values, vectors = np.linalg.eigh(cov)
    values = np.maximum(values, 0.0)
    squares = np.einsum("...i,...ij->...j", mean, vectors) ** 2
    if mean.shape[-1] == 1:
        return _folded_mean(np.sqrt(squares[..., 0]), np.sqrt(values[..., 0]))
    size = (values + squares).sum(axis=-1)
    scale = np.where(size > 0, size, 1.0)
    nodes = np.arange(-_REACH, _REACH + _STEP, _STEP)
    times = np.exp(nodes)[:, None] / scale[..., None, None]
    spread = np.log1p(2 * times * values[..., None, :]) / 2
    decay = times * squares[..., None, :] / (1 + 2 * times * values[..., None, :])
    missing = -np.expm1(-(spread + decay).sum(axis=-1))
    total = (missing * np.exp(-nodes / 2)).sum(axis=-1) * _STEP
    return np.asarray(total * np.sqrt(scale) / (2 * math.sqrt(math.pi)))


def _folded_mean(mean: Floats, sd: Floats) -> Floats:
    from scipy.special import erf

    with np.errstate(divide="ignore", invalid="ignore"):
        z = mean / sd
        value = sd * math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2) + mean * erf(z / math.sqrt(2))
    return np.where(sd > 0, value, mean)


def _log_det(cov: Floats) -> Floats:
    return np.asarray(np.linalg.slogdet(cov)[1])


def _equal(shift: Floats, cov_p: Floats, cov_q: Floats) -> NDArray[np.bool_]:
    return np.asarray((shift == 0).all(axis=-1) & (cov_p == cov_q).all(axis=(-2, -1)))


def _gaussians(
    mean_p: ArrayLike, cov_p: ArrayLike, mean_q: ArrayLike, cov_q: ArrayLike, *, definite: bool
) -> tuple[Floats, Floats, Floats]:
    """Difference of means, and both covariances, broadcast to one leading shape."""
    means = [np.asarray(a, dtype=np.float64) for a in (mean_p, mean_q)]
    covs = [_covariance(n, c, definite) for n, c in (("cov_p", cov_p), ("cov_q", cov_q))]
    sizes = {a.shape[-1] if a.ndim else 0 for a in (*means, *covs)}
    if len(sizes) != 1:
        raise ValueError(
            f"means must have shape (…, parameter) and covariances (…, parameter, parameter), got "
            f"{[a.shape for a in means]} and {[a.shape for a in covs]}: the last axes must agree"
        )
    shift = means[0] - means[1]
    lead = np.broadcast_shapes(shift.shape[:-1], *(c.shape[:-2] for c in covs))
    size = sizes.pop()
    shift = np.broadcast_to(shift, (*lead, size))
    return shift, *(np.broadcast_to(c, (*lead, size, size)) for c in covs)  # type: ignore[return-value]


def _covariance(name: str, value: ArrayLike, definite: bool) -> Floats:
    cov = np.asarray(value, dtype=np.float64)
    if cov.ndim < 2 or cov.shape[-1] != cov.shape[-2]:
        raise ValueError(f"{name} must have shape (…, parameter, parameter), got {cov.shape}")
    if not np.allclose(cov, np.swapaxes(cov, -1, -2), rtol=1e-8, atol=0):
        raise ValueError(f"{name} must be symmetric and finite")
    values = np.linalg.eigvalsh(cov)
    floor = 1e-12 * np.abs(values).max(axis=-1)
    if (values[..., 0] < -floor).any():
        raise ValueError(f"{name} must have no negative eigenvalue, got {values.min():.3g}")
    if definite and (values[..., 0] <= floor).any():
        raise ValueError(
            f"{name} must be positive definite, but its smallest eigenvalue is "
            f"{values[..., 0].min():.3g}: leave out parameters that are functions of the others"
        )
    return cov
