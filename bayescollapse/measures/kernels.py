"""NumPy kernels of the measures: divergences, distances, intervals and Monte Carlo errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "binomial_interval",
    "gaussian_kl",
    "gaussian_wasserstein",
    "mean_and_error",
    "ratio_and_error",
    "wasserstein_1d",
]

Floats = NDArray[np.float64]


def gaussian_kl(mean_p: ArrayLike, sd_p: ArrayLike, mean_q: ArrayLike, sd_q: ArrayLike) -> Floats:
    r"""Kullback-Leibler divergence of one Gaussian from another.

    .. math:: KL(p \| q) = \log\frac{s_q}{s_p} + \frac{s_p^2 + (m_p - m_q)^2}{2 s_q^2} - \frac12

    Parameters
    ----------
    mean_p, sd_p, mean_q, sd_q : array_like
        Means and standard deviations; they broadcast. A standard deviation of 0 is a point mass.

    Returns
    -------
    ndarray
        Divergence in nats, 0 to infinity; exactly 0 where the two are equal, infinite where exactly
        one of them is a point mass or where two point masses differ.

    Raises
    ------
    ValueError
        If a standard deviation is negative.

    Notes
    -----
    For posteriors that are not Gaussian this compares their first two moments only.

    References
    ----------
    .. [1] Kullback and Leibler (1951), doi:10.1214/aoms/1177729694.

    Examples
    --------
    >>> from bayescollapse.measures import gaussian_kl
    >>> float(gaussian_kl(1.0, 1.0, 0.0, 1.0))
    0.5
    """
    mean_p, sd_p, mean_q, sd_q = _gaussians(mean_p, sd_p, mean_q, sd_q)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_ratio = np.log(sd_p / sd_q)
        spread = np.expm1(2 * log_ratio) / 2 - log_ratio
        value = np.maximum(spread, 0.0) + ((mean_p - mean_q) / sd_q) ** 2 / 2
    known = np.isfinite(mean_p) & np.isfinite(mean_q)
    value = np.where(known & (sd_q == 0), np.inf, value)
    return np.where((mean_p == mean_q) & (sd_p == sd_q), 0.0, value)


def gaussian_wasserstein(
    mean_p: ArrayLike, sd_p: ArrayLike, mean_q: ArrayLike, sd_q: ArrayLike
) -> Floats:
    r"""Wasserstein distance of order 2 between two Gaussians on the line.

    .. math:: W_2(p, q) = \sqrt{(m_p - m_q)^2 + (s_p - s_q)^2}

    Parameters
    ----------
    mean_p, sd_p, mean_q, sd_q : array_like
        Means and standard deviations; they broadcast. A standard deviation of 0 is a point mass.

    Returns
    -------
    ndarray
        Distance in units of the variable, 0 to infinity.

    Raises
    ------
    ValueError
        If a standard deviation is negative.

    References
    ----------
    .. [1] Dowson and Landau (1982), doi:10.1016/0047-259X(82)90077-X.

    Examples
    --------
    >>> from bayescollapse.measures import gaussian_wasserstein
    >>> float(gaussian_wasserstein(3.0, 5.0, 0.0, 1.0))
    5.0
    """
    mean_p, sd_p, mean_q, sd_q = _gaussians(mean_p, sd_p, mean_q, sd_q)
    return np.hypot(mean_p - mean_q, sd_p - sd_q)


def wasserstein_1d(x: ArrayLike, y: ArrayLike, *, order: float = 1) -> Floats:
    """Wasserstein distance between two samples on the line, by coupling their quantile functions.

    Parameters
    ----------
    x, y : array_like, shape (…, draw)
        Draws along the last axis, in any order and of any two lengths; leading axes broadcast.
    order : float, default 1
        Order of the distance, 1 or more.

    Returns
    -------
    ndarray
        Distance between the two empirical distributions in units of the variable, 0 to infinity.

    Raises
    ------
    ValueError
        If `order` is below 1 or a sample is empty.

    Notes
    -----
    Exact for the empirical distributions. As an estimate of the distance between the distributions
    they were drawn from it is biased upwards: two samples of n draws of one distribution are of
    order ``sd / sqrt(n)`` apart, not 0.

    References
    ----------
    .. [1] Panaretos and Zemel (2019), doi:10.1146/annurev-statistics-030718-104938.

    Examples
    --------
    >>> from bayescollapse.measures import wasserstein_1d
    >>> float(wasserstein_1d([0.0, 1.0, 3.0], [8.0, 5.0, 6.0]))
    5.0
    """
    if not order >= 1:
        raise ValueError(f"order must be 1 or more, got {order!r}")
    first, second = (np.sort(np.asarray(a, dtype=np.float64), axis=-1) for a in (x, y))
    n, m = first.shape[-1], second.shape[-1]
    if n == 0 or m == 0:
        raise ValueError(f"x and y must hold at least one draw each, got {n} and {m}")
    steps = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    width = np.diff(steps, prepend=0) / (n * m)
    gap = np.abs(first[..., (steps - 1) // m] - second[..., (steps - 1) // n])
    return np.asarray((gap**order @ width) ** (1 / order))


def binomial_interval(
    successes: ArrayLike, trials: ArrayLike, *, probability: float = 0.95
) -> tuple[Floats, Floats]:
    """Exact (Clopper-Pearson) interval of a binomial probability.

    Parameters
    ----------
    successes, trials : array_like
        Counts; they broadcast. Without a trial the interval is (0, 1).
    probability : float, default 0.95
        Level of the interval, above 0 and below 1.

    Returns
    -------
    tuple of ndarray
        Lower and upper limit, 0 to 1.

    Raises
    ------
    ValueError
        If a count is negative or above `trials`, or `probability` is out of range.

    Notes
    -----
    Conservative: it covers with at least `probability`, with more when there are few trials.

    References
    ----------
    .. [1] Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> from bayescollapse.measures import binomial_interval
    >>> low, high = binomial_interval(9, 10)
    >>> round(float(low), 3), round(float(high), 3)
    (0.555, 0.997)
    """
    from scipy.special import betaincinv

    hits, total = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie above 0 and below 1, got {probability!r}")
    if not np.all((hits >= 0) & (hits <= total)):
        raise ValueError(
            f"successes must lie between 0 and trials, got {successes!r} of {trials!r}: check the "
            "order of the arguments"
        )
    tail = (1 - probability) / 2
    misses = total - hits
    low = betaincinv(np.maximum(hits, 1), misses + 1, tail)
    high = betaincinv(hits + 1, np.maximum(misses, 1), 1 - tail)
    return np.where(hits == 0, 0.0, low), np.where(misses == 0, 1.0, high)


def mean_and_error(x: ArrayLike, axis: int) -> tuple[Floats, Floats]:
    """Mean over independent replicates and its Monte Carlo standard error.

    Parameters
    ----------
    x : array_like
        Values; missing ones make mean and error missing, they are never dropped.
    axis : int
        Axis of the replicates.

    Returns
    -------
    tuple of ndarray
        Mean, and standard error (missing with a single replicate), in units of `x`.

    Examples
    --------
    >>> from bayescollapse.measures import mean_and_error
    >>> mean, error = mean_and_error([1.0, 2.0, 3.0], 0)
    >>> float(mean), round(float(error), 3)
    (2.0, 0.577)
    """
    values = np.asarray(x, dtype=np.float64)
    count = values.shape[axis]
    with np.errstate(invalid="ignore", over="ignore"):
        mean = values.mean(axis=axis)
        if count < 2:
            return mean, np.full(mean.shape, np.nan)
        return mean, values.std(axis=axis, ddof=1) / np.sqrt(count)


def ratio_and_error(
    tops: Sequence[ArrayLike], bottoms: Sequence[ArrayLike], axis: int
) -> tuple[Floats, Floats]:
    """Product of means over a product of means, with a paired delta-method standard error.

    Parameters
    ----------
    tops, bottoms : sequence of array_like
        Positive quantities of the same replicates; each is averaged over `axis` first.
    axis : int
        Axis of the replicates, not negative.

    Returns
    -------
    tuple of ndarray
        Ratio, and its Monte Carlo standard error (missing with a single replicate).

    Notes
    -----
    A ratio of means is biased by order 1 / replicates. The error is the spread over replicates of
    the summed relative deviations from the means, so quantities that vary together cancel.

    References
    ----------
    .. [1] Oehlert (1992), A note on the delta method, doi:10.1080/00031305.1992.10475842.

    Examples
    --------
    >>> from bayescollapse.measures import ratio_and_error
    >>> ratio, error = ratio_and_error([[2.0, 4.0]], [[1.0, 2.0]], 0)
    >>> float(ratio), float(error)
    (2.0, 0.0)
    """
    signed = [(1, t) for t in tops] + [(-1, b) for b in bottoms]
    ratio, influence = np.asarray(1.0), np.asarray(0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for sign, quantity in signed:
            values = np.asarray(quantity, dtype=np.float64)
            mean = values.mean(axis=axis, keepdims=True)
            ratio = ratio * mean**sign
            influence = influence + sign * (values / mean - 1)
        _, relative = mean_and_error(influence, axis)
        flat = np.squeeze(ratio, axis=axis)
        return flat, np.abs(flat) * relative


def _gaussians(*arrays: ArrayLike) -> tuple[Floats, ...]:
    mean_p, sd_p, mean_q, sd_q = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in arrays))
    for name, sd in (("sd_p", sd_p), ("sd_q", sd_q)):
        if (sd < 0).any():
            raise ValueError(f"{name} must be 0 or more, got {float(np.nanmin(sd))!r}")
    return mean_p, sd_p, mean_q, sd_q
