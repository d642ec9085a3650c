"""Evidence for a collapse: a statistic over replicates with its interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescollapse.measures.kernels import mean_and_error

__all__ = [
    "Evidence",
    "largest_rise",
    "late_growth",
    "mean_evidence",
    "median_evidence",
    "scaling_gap",
]

Floats = NDArray[np.float64]


class Evidence(NamedTuple):
    """A statistic and its interval, each with one entry per scheme.

    Attributes
    ----------
    value, low, high : ndarray
        Estimate and limits; missing where replicates are too few to tell.
    """

    value: Floats
    low: Floats
    high: Floats


def mean_evidence(
    x: ArrayLike, *, probability: float = 0.95, lowest: float = -np.inf, highest: float = np.inf
) -> Evidence:
    """Mean over replicates with Student's interval.

    Parameters
    ----------
    x : array_like, shape (scheme, replicate)
        Values.
    probability : float, default 0.95
        Level.
    lowest, highest : float, optional
        Range of the values, at which the interval is cut.

    Notes
    -----
    Where all R replicates have one value, Student's interval would have no width, and deny what a
    few replicates cannot see. For values of a finite range it is then widened to the means of all
    laws that put a mass of :math:`((1 - p) / 2)^{1/R}` or more on that value.

    Examples
    --------
    >>> mean_evidence([[1.0, 2.0, 3.0]]).value.tolist()
    [2.0]
    """
    values = np.asarray(x, dtype=np.float64)
    mean, error = mean_and_error(values, 1)
    value, low, high = _around(mean, error, values.shape[1], probability)
    if np.isfinite([lowest, highest]).all():
        rest = 1 - ((1 - probability) / 2) ** (1 / values.shape[1])
        same = np.ptp(values, axis=1) == 0
        low = np.where(same, value - rest * (value - lowest), low)
        high = np.where(same, value + rest * (highest - value), high)
    return Evidence(value, np.maximum(low, lowest), np.minimum(high, highest))


def median_evidence(x: ArrayLike, *, probability: float = 0.95) -> Evidence:
    """Median over replicates with the exact interval between two order statistics.

    Parameters
    ----------
    x : array_like, shape (scheme, replicate)
        Values; infinite ones are allowed.
    probability : float, default 0.95
        Level, which the interval exceeds by as little as the replicates allow.

    References
    ----------
    .. [1] Conover (1999), Practical Nonparametric Statistics, section 3.2.

    Examples
    --------
    >>> evidence = median_evidence([np.arange(100.0)])
    >>> float(evidence.low[0]), float(evidence.high[0])
    (39.0, 60.0)
    """
    from scipy.special import bdtr

    ordered = np.sort(np.asarray(x, dtype=np.float64), axis=1)
    count = ordered.shape[1]
    # The k-th smallest lies above the median with the chance of fewer than k rows below it.
    below = bdtr(np.arange(count), count, 0.5) <= (1 - probability) / 2
    k = int(below.sum())
    value = np.median(ordered, axis=1) if np.isfinite(ordered).all() else _middle(ordered)
    if k == 0:
        return Evidence(value, np.full(value.shape, np.nan), np.full(value.shape, np.nan))
    known = ~np.isnan(ordered).any(axis=1)
    low, high = ordered[:, k - 1], ordered[:, count - k]
    return Evidence(value, np.where(known, low, np.nan), np.where(known, high, np.nan))


def largest_rise(risk: ArrayLike, *, relative: bool, probability: float = 0.95) -> Evidence:
    r"""Rise of the mean risk since generation 0, at the generation where it is best established.

    The ratio of mean risks, or their difference, is compared in every generation after the first;
    the value is that of the one with the highest lower limit, and of those with equal ones (0,
    where replicates are too few to tell) the largest. The limits are those of the largest rise of
    all, wherever it is: the highest lower and the highest upper limit of any generation, which hold
    together (Bonferroni: each at level 1 - (1 - `probability`) / (generations - 1)).

    Parameters
    ----------
    risk : array_like, shape (scheme, replicate, generation)
        Risk of every lineage, at least two generations.
    relative : bool
        Whether to give the ratio (of risks that are 0 or more) or the difference.
    probability : float, default 0.95
        Level.

    Notes
    -----
    The interval of a ratio is Fieller's [1]_: the ratios r at which Student's test of
    :math:`x_t - r x_0` over replicates is not significant. Where the two risks have one law but for
    a factor, that difference is symmetric about 0, whatever the law, so that the test errs on the
    safe side even with few replicates. The lower limit is 0, and the upper one infinite, where
    replicates are too few to tell. A difference has Student's interval.

    The value is that of the chosen generation, which was chosen for being high: where nothing
    rises, the median ratio of squared Gaussian errors over six generations is 1.9 with 5
    replicates, 1.2 with 20 or 100. The limits do not suffer.

    References
    ----------
    .. [1] Fieller (1954), doi:10.1111/j.2517-6161.1954.tb00159.x.

    Examples
    --------
    >>> risk = np.random.default_rng(1).exponential(size=(1, 400, 3)) * [1.0, 1.0, 8.0]
    >>> bool(largest_rise(risk, relative=True).low[0] > 5)
    True
    """
    values = np.asarray(risk, dtype=np.float64)
    level = 1 - (1 - probability) / (values.shape[2] - 1)
    if relative:
        found = _ratio(values[..., 1:], values[..., :1], level)
    else:
        rise = values[..., 1:] - values[..., :1]
        found = _around(*mean_and_error(rise, 1), values.shape[1], level)
    # By the lower limit, and by the value where limits are equal.
    keys = [np.where(np.isnan(part), -np.inf, part) for part in (found.value, found.low)]
    best = np.lexsort(keys, axis=-1)[:, -1]
    value, low = (part[np.arange(best.size), best] for part in found[:2])
    return Evidence(value, low, np.fmax.reduce(found.high, axis=-1))


def late_growth(risk: ArrayLike, *, relative: bool, probability: float = 0.95) -> Evidence:
    r"""Growth of the mean risk over the second half of the generations.

    The least-squares slope of the mean risk, or of its logarithm, on :math:`\log(t + 1)`: the
    exponent of a power law in the relative case. A risk that has settled has slope 0.

    Parameters
    ----------
    risk : array_like, shape (scheme, replicate, generation)
        Risk of every lineage.
    relative : bool
        Whether to take logarithms.
    probability : float, default 0.95
        Level.

    Returns
    -------
    Evidence
        Missing with fewer than three generations in the second half.

    Notes
    -----
    The interval is Student's with the error of the delta method, which is too narrow where few
    replicates carry a mean: squared Gaussian errors that stay as they are give a lower limit above
    0.25 in 4.6, 5.4, 4.5, 3.6, 2.3, 1.8 and 0.9 % of runs of six generations with 2, 3, 5, 10, 20,
    40 and 100 replicates, and in 3.9 % at most of runs of 20 generations.

    No finite run can tell slow relaxation to a bound from divergence, nor see a risk that grows as
    slowly as a logarithm: run longer if in doubt.

    Examples
    --------
    >>> risk = np.ones((1, 50, 1)) * np.arange(1.0, 21.0)
    >>> round(float(late_growth(risk, relative=True).value[0]), 6)
    1.0
    """
    values = np.asarray(risk, dtype=np.float64)
    generations = values.shape[2]
    start = generations // 2
    if generations - start < 3:
        unknown = np.full(values.shape[0], np.nan)
        return Evidence(unknown, unknown, unknown)
    x = np.log(np.arange(start, generations) + 1)
    contrast = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    mean, influence = _linked(values[..., start:], relative)
    return _around(mean @ contrast, _error(influence @ contrast), values.shape[1], probability)


def scaling_gap(
    small: tuple[ArrayLike, ArrayLike],
    large: tuple[ArrayLike, ArrayLike],
    factor: float,
    *,
    probability: float = 0.95,
) -> Evidence:
    r"""Exponent of the risk in the number of rows, minus that of fits to real rows alone.

    .. math:: \frac{\log(E_{small} / E_{large}) - \log(E^{real}_{small} / E^{real}_{large})}
        {\log(n_{large} / n_{small})}

    Parameters
    ----------
    small, large : tuple of array_like
        Risk of every lineage (scheme, replicate), and that of its real rows alone (1, replicate),
        in the smaller and in the larger run, which are independent.
    factor : float
        Real rows of the larger run over those of the smaller, above 1.
    probability : float, default 0.95
        Level.

    Returns
    -------
    Evidence
        0 where the scaling law is that of real rows; below 0 where more rows help less.

    Examples
    --------
    >>> ones = np.ones((1, 9))
    >>> round(float(scaling_gap((ones, ones), (ones, ones / 4), 4.0).value[0]), 6)
    -1.0
    """
    if not factor > 1:
        raise ValueError(f"factor must be above 1, got {factor!r}: the larger run has more rows")
    value: Floats = np.zeros(1)
    variance: Floats = np.zeros(1)
    counts = []
    for sign, (risk, real) in ((1, small), (-1, large)):
        mean, influence = _linked(np.asarray(risk, dtype=np.float64)[..., None], True)
        mean_real, influence_real = _linked(np.asarray(real, dtype=np.float64)[..., None], True)
        value = value + sign * (mean - mean_real)[:, 0]
        variance = variance + _error((influence - influence_real)[..., 0]) ** 2
        counts.append(influence.shape[1])
    scale = np.log(factor)
    return _around(value / scale, np.sqrt(variance) / scale, min(counts), probability)


def _ratio(values: Floats, first: Floats, probability: float) -> Evidence:
    """Ratio of means over replicates to the first one, with Fieller's interval, on 0 or more."""
    from scipy.special import stdtrit

    count = values.shape[1]
    mean, base = values.mean(axis=1), first.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mean / base
        if count < 2:
            return Evidence(ratio, np.full(ratio.shape, np.nan), np.full(ratio.shape, np.nan))
        scale = stdtrit(count - 1, (1 + probability) / 2) ** 2 / (count * (count - 1))
        apart, start = values - mean[:, None], first - base[:, None]
        # The limits solve a r^2 - 2 b r + c = 0.
        a = base**2 - scale * (start**2).sum(axis=1)
        b = mean * base - scale * (apart * start).sum(axis=1)
        c = mean**2 - scale * (apart**2).sum(axis=1)
        root = b + np.sqrt(np.maximum(b**2 - a * c, 0.0))
        low, high = np.where(c > 0, c / root, 0.0), np.where(a > 0, root / a, np.inf)
    known = ~np.isnan(root)
    return Evidence(ratio, np.where(known, low, np.nan), np.where(known, high, np.nan))


def _linked(values: Floats, relative: bool) -> tuple[Floats, Floats]:
    """Mean over replicates or its logarithm, and what every replicate adds to it."""
    mean = values.mean(axis=1, keepdims=True)
    if not relative:
        return mean[:, 0], values - mean
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(mean[:, 0]), values / mean - 1


def _error(influence: Floats) -> Floats:
    return mean_and_error(influence, 1)[1]


def _around(value: Floats, error: Floats, count: int, probability: float) -> Evidence:
    from scipy.special import stdtrit

    if count < 2:
        unknown = np.full(np.shape(value), np.nan)
        return Evidence(value, unknown, unknown)
    width = stdtrit(count - 1, (1 + probability) / 2) * error
    return Evidence(value, value - width, value + width)


def _middle(ordered: Floats) -> Floats:
    """Median where some values are infinite or missing."""
    count = ordered.shape[1]
    low, high = ordered[:, (count - 1) // 2], ordered[:, count // 2]
    with np.errstate(invalid="ignore"):
        value = np.where(low == high, low, (low + high) / 2)
    return np.where(np.isnan(ordered).any(axis=1), np.nan, value)
