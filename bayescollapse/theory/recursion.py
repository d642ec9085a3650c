"""The recursion that links the error of one generation to that of the one before.

Every generation is fitted to n fresh real rows, which carry the share w of the total weight, and
to m rows that the generation before it emitted. With a the error of a fit to the real rows alone,
b the error that emission adds, and c the factor on the error handed down::

    R_0 = a,    R_t = w**2 a + (1 - w)**2 (c R_{t-1} + b)

For the mean of a Gaussian with row variance s2, a = s2/n, b = s2/m and c = 1 under plug-in
emission, exactly; `emission_terms` has the other emissions.
"""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    at_least,
    fraction,
    plain,
    positive,
    real_share_path,
    share,
)

__all__ = ["burn_in", "limit_risk", "relaxation", "risk"]


def risk(
    generations: int,
    *,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
    a: ArrayLike,
    b: ArrayLike,
    c: ArrayLike = 1.0,
) -> Array:
    r"""Mean squared error of each generation.

    .. math:: R_0 = a, \qquad R_t = w_t^2 a + (1 - w_t)^2 (c R_{t-1} + b)

    Exact wherever a, b and c are (Gaussian mean, categorical frequencies, variance of separately
    centred batches); first order for M-estimators and generalised linear models.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    real_share
        Share of the total weight on real rows from generation 1 on, in [0, 1]. Broadcasts with
        `a`, `b` and `c`.
    schedule
        Real share of each generation instead of one for all: first axis of length `generations`,
        entry 0 equal to 1, remaining axes broadcast with `a`, `b` and `c`.
    a
        Risk of a fit to n real rows, positive, in squared units of the parameter.
    b
        Risk that emission adds, 0 or more, in the units of `a`.
    c
        Factor on the risk handed down, 0 or more, no unit.

    Returns
    -------
    ndarray, shape (generations, ...)
        Risk of generations 0, 1, ..., in the units of `a`.

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    Garg, Bhattacharya and Sur 2025, arXiv 2509.22341; He, Xu and Cheng 2025, arXiv 2502.18049;
    the form with a, b and c was derived for this library.

    Examples
    --------
    >>> [round(float(value), 4) for value in risk(4, real_share=0.5, a=1.0, b=1.0)]
    [1.0, 0.75, 0.6875, 0.6719]
    """
    shares = real_share_path(generations, real_share, schedule)
    a, b, c = _terms(a, b, c)
    shape = np.broadcast_shapes(shares.shape[1:], a.shape, b.shape, c.shape)
    path = np.empty((len(shares), *shape))
    path[0] = a
    for t in range(1, len(shares)):
        path[t] = shares[t] ** 2 * a + (1 - shares[t]) ** 2 * (c * path[t - 1] + b)
    return path


def limit_risk(real_share: ArrayLike, *, a: ArrayLike, b: ArrayLike, c: ArrayLike = 1.0) -> Array:
    r"""Risk that a loop with a constant real share settles at.

    .. math:: R_\infty = \frac{w^2 a + (1-w)^2 b}{1 - (1-w)^2 c}

    Infinite where (1-w)^2 c >= 1. Exact given a, b and c.

    Parameters
    ----------
    real_share
        Share of the total weight on real rows, in [0, 1].
    a, b, c
        As in `risk`; all broadcast together.

    Returns
    -------
    ndarray
        Limit of the risk, in the units of `a`, in (0, inf].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    He, Xu and Cheng 2025, arXiv 2502.18049, for c = 1; otherwise derived for this library.

    Examples
    --------
    >>> round(float(limit_risk(0.5, a=1.0, b=1.0)), 4)
    0.6667
    >>> float(limit_risk(0.0, a=1.0, b=1.0))
    inf
    """
    a, b, c = _terms(a, b, c)
    real_share = share("real_share", real_share)
    rest = (1 - real_share) ** 2
    gap = 1 - rest * c
    settled = (real_share**2 * a + rest * b) / np.where(gap > 0, gap, 1.0)
    return plain(np.where(gap > 0, settled, np.inf))


def relaxation(real_share: ArrayLike, *, c: ArrayLike = 1.0) -> Array:
    """Factor by which the distance to the limit shrinks in one generation, (1-w)^2 c.

    Exact. At 1 or above the risk grows without bound.

    Parameters
    ----------
    real_share
        Share of the total weight on real rows, in [0, 1].
    c
        Factor on the risk handed down, 0 or more.

    Returns
    -------
    ndarray
        Factor per generation, 0 or more, no unit.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> round(float(relaxation(0.618034)), 4)
    0.1459
    """
    return plain((1 - share("real_share", real_share)) ** 2 * _factor(c))


def burn_in(real_share: ArrayLike, *, tolerance: ArrayLike, c: ArrayLike = 1.0) -> Array:
    """Count the generations until `tolerance` times the initial distance to the limit is left.

    log(tolerance) / log((1-w)^2 c), not rounded; 0 where w = 1 or c = 0, infinite where
    (1-w)^2 c >= 1. Exact.

    Parameters
    ----------
    real_share
        Share of the total weight on real rows, in [0, 1].
    tolerance
        Remaining part of the initial distance, strictly between 0 and 1.
    c
        Factor on the risk handed down, 0 or more.

    Returns
    -------
    ndarray
        Number of generations, in [0, inf].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> round(float(burn_in(0.618034, tolerance=0.01)), 2)
    2.39
    """
    rate = np.asarray(relaxation(real_share, c=c))
    left = fraction("tolerance", tolerance, "pass the part of the initial distance that may remain")
    inside = (rate > 0) & (rate < 1)
    steps = np.log(left) / np.log(np.where(inside, rate, 0.5))
    return plain(np.where(inside, steps, np.where(rate < 1, 0.0, np.inf)))


def _terms(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> tuple[Array, Array, Array]:
    return (
        positive("a", a, "pass the risk of a fit to the real rows alone"),
        at_least("b", b, 0, "pass the risk that emission adds"),
        _factor(c),
    )


def _factor(c: ArrayLike) -> Array:
    return at_least("c", c, 0, "pass the factor on the risk handed down, 1 for a Gaussian mean")
