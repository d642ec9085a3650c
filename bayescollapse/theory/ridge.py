"""Ridge regression on one fixed design that is fitted to labels of earlier fits."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, at_least, finite, positive, real_share_path

__all__ = ["RidgeLaw", "ridge_law"]


class RidgeLaw(NamedTuple):
    """Bias and variance of ridge coefficients by direction, shape (generations, ..., directions).

    `risk` is their sum of squares over directions, shape (generations, ...).
    """

    bias: Array
    variance: Array
    risk: Array


def ridge_law(
    generations: int,
    *,
    singular_values: ArrayLike,
    coefficients: ArrayLike,
    penalty: ArrayLike,
    rows: ArrayLike,
    noise_variance: ArrayLike = 1.0,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
) -> RidgeLaw:
    r"""Ridge regression on one fixed design, with fresh real labels and labels of the last fit.

    Labels are w y_real + (1-w) y_syn, penalty rows * penalty * ||beta||^2. In each right singular
    direction, with d = s^2/(s^2 + n penalty),

    .. math::
        \mathrm{bias}_t &= -(1-d)\beta + d (1-w)\, \mathrm{bias}_{t-1} \\
        \mathrm{var}_t &= d^2 \left[\frac{s_2}{s^2} (w^2 + (1-w)^2)
            + (1-w)^2 \mathrm{var}_{t-1}\right]

    and generation 0 has w = 1. The limits are -(1-d) beta/(1 - d(1-w)) and
    d^2 (s2/s^2)(w^2+(1-w)^2)/(1 - d^2 (1-w)^2). Exact at any size.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    singular_values
        s of the design, positive, shape (..., directions).
    coefficients
        True coefficients in the right singular directions, shape (..., directions).
    penalty
        Ridge penalty per row, 0 or more; broadcasts with the leading axes.
    rows
        Rows n of the design, 1 or more.
    noise_variance
        Variance s2 of a label, 0 or more.
    real_share
        Share of the total weight on real labels from generation 1 on, one number in [0, 1].
    schedule
        Real share of each generation instead, shape (generations,), entry 0 equal to 1.

    Returns
    -------
    RidgeLaw
        `bias`, `variance` and `risk`.

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    Setting of Garg, Bhattacharya and Sur 2025, arXiv 2509.22341; the finite form was derived for
    this library and simulated.

    Examples
    --------
    >>> law = ridge_law(
    ...     50, singular_values=[5.0], coefficients=[1.0], penalty=0.3, rows=30, real_share=0.6)
    >>> round(float(law.bias[-1, 0]), 4), round(float(law.variance[-1, 0]), 4)
    (-0.375, 0.0123)
    """
    s = positive("singular_values", singular_values, "pass those of the design")
    beta = finite("coefficients", coefficients, "pass the true coefficients by direction")
    if s.ndim == 0 and beta.ndim == 0:
        raise ValueError(
            "coefficients must have one entry per direction on the last axis, got one number: "
            "pass a list"
        )
    weight = at_least("penalty", penalty, 0, "pass the penalty per row")[..., None]
    weight = weight * at_least("rows", rows, 1, "pass the rows of the design")[..., None]
    s2 = at_least("noise_variance", noise_variance, 0, "pass the variance of a label")[..., None]
    shares = real_share_path(generations, real_share, schedule)[..., None]
    d = s**2 / (s**2 + weight)
    shape = np.broadcast_shapes(d.shape, beta.shape, s2.shape, shares.shape[1:])
    bias, variance = np.zeros((len(shares), *shape)), np.zeros((len(shares), *shape))
    for t, w in enumerate(shares):
        before = (bias[t - 1], variance[t - 1]) if t > 0 else (0.0, 0.0)
        bias[t] = -(1 - d) * beta + d * (1 - w) * before[0]
        fresh = s2 / s**2 * (w**2 + (1 - w) ** 2)
        variance[t] = d**2 * (fresh + (1 - w) ** 2 * before[1])
    return RidgeLaw(bias, variance, np.sum(bias**2 + variance, axis=-1))
