"""Covariance matrices mixed from separately centred batches, and their one-dimensional case."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    at_least,
    finite,
    parse_emission,
    positive,
    real_share_path,
)

__all__ = ["CovarianceLaw", "centred_variance_mean", "covariance_risk"]


class CovarianceLaw(NamedTuple):
    """Risk of a covariance matrix and the variance of its trace, per generation."""

    risk: Array
    trace_variance: Array


def covariance_risk(
    generations: int,
    *,
    covariance: ArrayLike,
    n: ArrayLike,
    m: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
) -> CovarianceLaw:
    r"""Risk of a covariance matrix in squared Frobenius norm.

    S_t = w S_real + (1-w) S_syn, each batch around its own mean with divisor rows - 1, plug-in
    emission. With C = tr(S)^2 + tr(S^2), R_t = E||S_t - S||^2 and Q_t = Var(tr S_t),

    .. math::
        R_t &= \frac{w^2 C}{n-1} + (1-w)^2 \left[R_{t-1}
            + \frac{C + R_{t-1} + Q_{t-1}}{m-1}\right] \\
        Q_t &= \frac{2 w^2 \mathrm{tr}(S^2)}{n-1} + (1-w)^2 \left[Q_{t-1}
            + \frac{2 (\mathrm{tr}(S^2) + R_{t-1})}{m-1}\right]

    Exact. In one dimension R = Q, the recursion with a = 2 s2^2/(n-1), b = 2 s2^2/(m-1) and
    c = (m+1)/(m-1): bounded only if (1-w)^2 c < 1. A fit of the pooled rows follows
    `gaussian_variance_law` instead.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    covariance
        True covariance matrix, symmetric and positive definite, shape (p, p).
    n, m
        Real and synthetic rows per generation, each 2 or more.
    real_share
        Share of the total weight on real rows from generation 1 on, in [0, 1].
    schedule
        Real share of each generation instead: first axis generations, entry 0 equal to 1.

    Returns
    -------
    CovarianceLaw
        `risk` and `trace_variance`, each of shape (generations, ...), in squared units of the
        covariance.

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    He, Xu and Cheng 2025, arXiv 2502.18049; the explicit form was derived for this library and
    simulated.

    Examples
    --------
    >>> law = covariance_risk(3, covariance=[[1.0, 0.4], [0.4, 1.0]], n=15, m=15, real_share=0.5)
    >>> law.risk.round(4).tolist()
    [0.4514, 0.3526, 0.3249]
    """
    matrix = _covariance(covariance)
    n = at_least("n", n, 2, "a centred batch needs two rows")
    m = at_least("m", m, 2, "a centred batch needs two rows")
    shares = real_share_path(generations, real_share, schedule)
    square = float(np.sum(matrix**2))
    both = float(np.trace(matrix)) ** 2 + square
    shape = np.broadcast_shapes(shares.shape[1:], n.shape, m.shape)
    risk, trace = np.empty((len(shares), *shape)), np.empty((len(shares), *shape))
    risk[0], trace[0] = both / (n - 1), 2 * square / (n - 1)
    for t in range(1, len(shares)):
        w, left = shares[t], (1 - shares[t]) ** 2
        made = (both + risk[t - 1] + trace[t - 1]) / (m - 1)
        risk[t] = w**2 * both / (n - 1) + left * (risk[t - 1] + made)
        walked = 2 * (square + risk[t - 1]) / (m - 1)
        trace[t] = w**2 * 2 * square / (n - 1) + left * (trace[t - 1] + walked)
    return CovarianceLaw(risk, trace)


def centred_variance_mean(
    generations: int,
    *,
    n: ArrayLike,
    total_weight: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
    emission: EmissionLike = "joint",
    variance: ArrayLike = 1.0,
) -> Array:
    r"""Follow the expected variance estimate mixed from separately centred batches.

    .. math:: E_t = w s_2 + (1-w) f_{t-1} E_{t-1}, \qquad
        f = \frac{N-1}{N-3} \text{ (joint)}, \quad
        \left(1 + \frac{1}{N}\right) \frac{N-1}{N-3} \text{ (predictive)}

    and f = 1 for plug-in at the estimate itself. One dimension, prior 1/sigma^2: the posterior has
    N - 1 degrees of freedom, the estimate as its scale, and total weight N (n at generation 0).
    Exact. Finite in the long run only if (1-w) f < 1; then E tends to w s2/(1 - (1-w) f): bias, not
    variance, decides.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    n
        Real rows per generation, above 3 unless emission is plug-in.
    total_weight
        Total weight N of generations from 1 on, above 3 unless emission is plug-in.
    real_share
        Share of the total weight on real rows from generation 1 on, in [0, 1].
    schedule
        Real share of each generation instead: first axis generations, entry 0 equal to 1.
    emission
        "plug-in", "joint" or "predictive".
    variance
        Variance of a real row, positive.

    Returns
    -------
    ndarray, shape (generations, ...)
        E_t in the units of `variance`.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the emission is an ensemble of two or more.

    References
    ----------
    Derived for this library and simulated.

    Examples
    --------
    >>> centred_variance_mean(3, n=20, total_weight=40, real_share=0.5).round(4).tolist()
    [1.0, 1.0588, 1.058]
    """
    scale = positive("variance", variance, "pass the variance of one real row")
    mode = parse_emission(emission)
    if mode.members > 1:
        raise ValueError(
            f'emission must be "plug-in", "joint" or "predictive" here, got {emission!r}: no law '
            "is known for a centred batch of several members"
        )
    least = 2.0 if mode.kind == "plug-in" else 3.0
    shares = real_share_path(generations, real_share, schedule)
    first, later = (
        _growth(name, value, mode.kind, least)
        for name, value in (("n", n), ("total_weight", total_weight))
    )
    shape = np.broadcast_shapes(shares.shape[1:], first.shape, later.shape, scale.shape)
    path = np.empty((len(shares), *shape))
    path[0] = scale
    for t in range(1, len(shares)):
        grown = (first if t == 1 else later) * path[t - 1]
        path[t] = shares[t] * scale + (1 - shares[t]) * grown
    return path


def _growth(name: str, value: ArrayLike, kind: str, least: float) -> Array:
    weight = at_least(name, value, least, "with less weight the posterior has no such moment")
    if kind == "plug-in":
        return np.ones_like(weight)
    if np.any(weight == least):
        raise ValueError(
            f"{name} must be above {least:g}, got {least:g}: with less weight the posterior of "
            "sigma has no such moment"
        )
    factor = (weight - 1) / (weight - 3)
    return np.asarray(factor * (1 + 1 / weight) if kind == "predictive" else factor)


def _covariance(value: ArrayLike) -> Array:
    matrix = finite("covariance", value, "pass a symmetric positive definite matrix")
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if not square or not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix)[0] <= 0:
        raise ValueError(
            "covariance must be a symmetric positive definite matrix, got shape "
            f"{matrix.shape}: pass the covariance of one real row"
        )
    return matrix
