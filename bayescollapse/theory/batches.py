"""Loops with one set of real rows: growing batches, subsamples of the past, a fixed supply."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, at_least, generation_index, plain, share

__all__ = [
    "accumulate_efficiency",
    "fixed_supply_error",
    "growing_replace_error",
    "subsample_error",
]


def growing_replace_error(rows: ArrayLike, *, variance: ArrayLike = 1.0) -> Array:
    r"""Error of the mean when each generation sees only the one before and batches may grow.

    .. math:: R_t = s_2 \sum_{s=0}^{t} \frac{1}{n_s}

    under plug-in emission. Exact. Bounded if and only if the sum of 1/n_t is: batches must grow
    faster than t, for instance as t^1.1; then real rows are needed once only.

    Parameters
    ----------
    rows
        n_t, 1 or more, first axis generations (entry 0: real rows).
    variance
        Variance of a row, positive; broadcasts with the other axes.

    Returns
    -------
    ndarray, shape (generations, ...)
        Mean squared error in the units of `variance`.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Xu, He and Cheng 2025, arXiv 2505.13947.

    Examples
    --------
    >>> growing_replace_error([10, 20, 40]).round(4).tolist()
    [0.1, 0.15, 0.175]
    """
    count = at_least("rows", rows, 1, "pass the rows of each generation")
    if count.ndim == 0:
        raise ValueError(
            f"rows must have an axis of generations, got the number {count:g}: pass one number of "
            "rows per generation"
        )
    scale = at_least("variance", variance, 0, "pass the variance of one row")
    return np.asarray(scale * np.cumsum(1 / count, axis=0))


def subsample_error(t: ArrayLike) -> Array:
    r"""Error of the mean when each generation is fitted to n rows drawn from all batches so far.

    .. math:: A_t = 1 + \sum_{s=1}^{t} \frac{2 - 1/s}{(s+1)^2} + \frac{t}{t+1}
        \to \frac{\pi^2}{2} - 2 = 2.935

    n MSE_t / s2, with real rows in the first batch only, batches of n rows, plug-in emission, and n
    rows drawn from the (t+1) n kept ones. Asymptotic in n. Bounded, at the price of the constant.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.

    Returns
    -------
    ndarray
        Error in units of that of generation 0, in [1, pi^2/2 - 2).

    Raises
    ------
    ValueError
        If `t` is not a generation.

    References
    ----------
    Scheme of Kazdan et al. 2024, arXiv 2410.16713; the constant was derived for this library and
    simulated.

    Examples
    --------
    >>> subsample_error([0, 1, 8]).round(4).tolist()
    [1.0, 1.75, 2.6193]
    """
    index = generation_index(t)
    s = np.arange(1.0, int(index.max(initial=0)) + 1)
    sums = np.concatenate([[0.0], np.cumsum((2 - 1 / s) / (s + 1) ** 2)])
    return plain(1 + sums[index] + index / (index + 1))


def accumulate_efficiency(t: ArrayLike) -> Array:
    r"""Relative efficiency of generation t against generation 0 when every batch is kept.

    .. math:: \left(\sum_{i=1}^{t+1} \frac{1}{i^2}\right)^{-1} \to \frac{6}{\pi^2} = 0.608

    under plug-in emission. Exact for a Gaussian mean; asymptotic in the rows per batch for regular
    estimators in exponential families.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.

    Returns
    -------
    ndarray
        Ratio of the variances, in (6/pi^2, 1].

    Raises
    ------
    ValueError
        If `t` is not a generation.

    References
    ----------
    Dey and Donoho 2024, arXiv 2410.22812.

    Examples
    --------
    >>> accumulate_efficiency([0, 1, 9]).round(4).tolist()
    [1.0, 0.8, 0.6453]
    """
    index = generation_index(t)
    sums = np.cumsum(1 / np.arange(1.0, int(index.max(initial=0)) + 2) ** 2)
    return plain(1 / sums[index])


def fixed_supply_error(t: ArrayLike, *, n: ArrayLike, m: ArrayLike, real_share: ArrayLike) -> Array:
    r"""Error of the mean when the same real rows are mixed with those of the last generation.

    .. math:: \frac{R_t}{s_2} = \frac{1}{n} + \frac{q (1 - q^t)}{(1 - q)\, m}, \qquad
        q = (1-w)^2

    under plug-in emission; at w = 0 the second term is t/m. Exact. The error of the real rows never
    averages out, so no real share is better than 1.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n, m
        Real and synthetic rows per generation, each 1 or more.
    real_share
        Share w of the total weight on the real rows, in [0, 1].

    Returns
    -------
    ndarray
        Mean squared error for unit row variance.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Setting of Bertrand et al. 2024, arXiv 2310.00429; derived for this library.

    Examples
    --------
    >>> fixed_supply_error([0, 1, 5], n=20, m=10, real_share=0.3).round(4).tolist()
    [0.05, 0.099, 0.1434]
    """
    index = generation_index(t)
    rows = at_least("n", n, 1, "pass the number of real rows")
    made = at_least("m", m, 1, "pass the number of synthetic rows per generation")
    q = (1 - share("real_share", real_share)) ** 2
    inside = q < 1
    steps = np.where(inside, q * (1 - q**index) / np.where(inside, 1 - q, 1.0), index)
    return plain(1 / rows + steps / made)
