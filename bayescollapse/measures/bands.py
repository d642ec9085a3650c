"""Simultaneous bands of the ECDF of discrete ranks, exact, and the p-value that belongs to them.

If a posterior is calibrated, the rank of the truth among L posterior draws is uniform on 0, …, L.
At the cut i/(L + 1) the number of simulations with a rank below i is binomial, and the numbers at
consecutive cuts are a Markov chain. The probability that a whole ECDF stays between two sequences
of counts is therefore an exact forward recursion (Säilynoja, Bürkner and Vehtari 2022,
arXiv:2103.10522, section 2.2), here on the cuts of the discrete ranks, so that nothing is
randomised or interpolated. The counts of the parts between cuts are multinomial, that is,
independent Poisson counts given their sum, so every step of the recursion is one convolution with
the same short kernel (Moscovich and Nadler 2017, arXiv:1503.04363). ArviZ finds its
bands by simulation, which would take millions of simulations at the levels that are needed when
many ECDFs are judged together.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["band", "counts_below", "coverage", "p_value"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

NEGLIGIBLE = 1e-19
"""Poisson mass left out of a step; a probability loses at most this times the number of cuts."""


def counts_below(ranks: ArrayLike, draws: int) -> Counts:
    """Count the ranks below each cut.

    Parameters
    ----------
    ranks : array_like of int, shape (…, simulation)
        Ranks in 0, …, `draws`.
    draws : int
        Draws that every truth was ranked among.

    Returns
    -------
    ndarray of int, shape (…, draws)
        Number of ranks below 1, …, `draws`.

    Raises
    ------
    ValueError
        If a rank is out of range.

    Examples
    --------
    >>> counts_below([0, 1, 1, 3], 3).tolist()
    [1, 3, 3]
    """
    values = np.asarray(ranks)
    if values.min() < 0 or values.max() > draws:
        raise ValueError(f"ranks must lie in 0, …, {draws}, got {values.min()} to {values.max()}")
    flat = values.reshape(-1, values.shape[-1]).astype(np.int64)
    places = flat + (draws + 1) * np.arange(len(flat))[:, None]
    table = np.bincount(places.ravel(), minlength=len(flat) * (draws + 1))
    below = np.cumsum(table.reshape(-1, draws + 1), axis=1)[:, :-1]
    return np.asarray(below.reshape(*values.shape[:-1], draws), dtype=np.int64)


def coverage(lower: ArrayLike, upper: ArrayLike, simulations: int) -> Floats:
    """Probability that uniform ranks have ``lower <= counts <= upper`` at every cut.

    Parameters
    ----------
    lower, upper : array_like of int, shape (…, cut)
        Smallest and largest count allowed at every cut; the cuts split [0, 1] into equal parts.
    simulations : int
        Number of ranks.

    Returns
    -------
    ndarray, shape (…)
        Probability, 0 to 1.

    Notes
    -----
    Exact but for rounding, about 1e-12.

    Examples
    --------
    One rank on 0, 1, which is 0 with probability 1/2:

    >>> round(float(coverage([1], [1], 1)), 12)
    0.5
    """
    low, high = (np.atleast_1d(np.asarray(a, dtype=np.int64)) for a in (lower, upper))
    shape = low.shape[:-1]
    low, high = (np.clip(a.reshape(-1, a.shape[-1]), 0, simulations) for a in (low, high))
    possible = (low <= high).all(axis=1)
    out = np.zeros(len(low))
    if possible.any():
        out[possible] = _inside(low[possible], high[possible], simulations)
    return np.asarray(np.minimum(out, 1.0).reshape(shape))


def p_value(ranks: ArrayLike, draws: int) -> Floats:
    """Probability that uniform ranks depart from the diagonal at least as much as these.

    The statistic is the smallest pointwise binomial tail over all cuts, so ``p_value > level`` is
    the same as lying inside the simultaneous band of probability 1 - level.

    Parameters
    ----------
    ranks : array_like of int, shape (…, simulation)
        Ranks in 0, …, `draws`.
    draws : int
        Draws that every truth was ranked among.

    Returns
    -------
    ndarray, shape (…)
        p-value, 0 to 1; exact to about 1e-12, so smaller ones are not told apart.

    Examples
    --------
    >>> float(p_value([0, 1, 2, 3], 3))
    1.0
    """
    counts = counts_below(ranks, draws)
    simulations = np.asarray(ranks).shape[-1]
    cdf, sf = _tables(simulations, draws)
    cut = np.arange(draws)
    tails = np.minimum(cdf[cut, counts], sf[cut, counts]).min(axis=-1)
    lower, upper = _limits(tails * (1 + 1e-9), simulations, draws)
    return np.asarray(np.maximum(1.0 - coverage(lower, upper, simulations), 0.0))


@lru_cache(maxsize=64)
def band(simulations: int, draws: int, probability: float) -> tuple[Counts, Counts]:
    """Smallest and largest counts of the simultaneous band of at least this probability.

    The pointwise tail is the largest for which the exact simultaneous probability is reached.

    Parameters
    ----------
    simulations : int
        Number of ranks.
    draws : int
        Draws that every truth was ranked among.
    probability : float
        Probability that uniform ranks stay inside, above 0 and below 1.

    Returns
    -------
    tuple of ndarray of int, shape (draws,)
        Lower and upper count at every cut.

    Examples
    --------
    >>> lower, upper = band(100, 3, 0.95)
    >>> lower.tolist(), upper.tolist()
    ([15, 39, 65], [35, 61, 85])
    """
    low, high = np.log((1 - probability) / (2 * draws)) - 2.0, np.log(0.5)
    for _ in range(40):
        middle = (low + high) / 2
        reached = coverage(*_limits(np.exp(middle), simulations, draws), simulations)
        low, high = (middle, high) if reached >= probability else (low, middle)
    return _limits(np.exp(low), simulations, draws)


def _inside(lower: Counts, upper: Counts, simulations: int) -> Floats:
    """Forward recursion for several pairs of limits (pair, cut) at once."""
    parts = lower.shape[1] + 1
    steps = _poisson(simulations / parts, simulations)
    mass, start = np.ones((len(lower), 1)), 0
    for cut in range(parts - 1):
        mass = _convolved(mass, steps)
        low, high = lower[:, cut, None], upper[:, cut, None]
        first, last = int(low.min()), int(high.max())
        mass, start = _window(mass, start, first, last), first
        counts = np.arange(first, last + 1)
        mass = np.where((counts >= low) & (counts <= high), mass, 0.0)
    rest = simulations - np.arange(start, start + mass.shape[1])
    final = np.where(rest < len(steps), steps[np.minimum(rest, len(steps) - 1)], 0.0)
    total = _poisson(float(simulations), simulations, whole=True)[simulations]
    return np.asarray(mass @ final / total)


def _poisson(rate: float, largest: int, *, whole: bool = False) -> Floats:
    """Poisson probabilities of 0, 1, … up to where what is left is negligible."""
    from scipy.special import gammaln, pdtrc

    counts = np.arange(largest + 1)
    mass = np.exp(counts * np.log(rate) - rate - gammaln(counts + 1.0))
    if whole:
        return np.asarray(mass)
    needed = int((pdtrc(counts, rate) > NEGLIGIBLE).sum()) + 1
    return np.asarray(mass[: min(needed, largest) + 1])


def _convolved(mass: Floats, steps: Floats) -> Floats:
    width = mass.shape[1]
    out = np.zeros((len(mass), width + len(steps) - 1))
    for step, probability in enumerate(steps):
        out[:, step : step + width] += probability * mass
    return out


def _window(mass: Floats, start: int, first: int, last: int) -> Floats:
    """Mass at the counts from `first` to `last`, of mass that begins at `start`."""
    out = np.zeros((len(mass), last - first + 1))
    left, right = max(first, start), min(last + 1, start + mass.shape[1])
    if left < right:
        out[:, left - first : right - first] = mass[:, left - start : right - start]
    return out


@lru_cache(maxsize=8)
def _tables(simulations: int, draws: int) -> tuple[Floats, Floats]:
    """Binomial tails of every count (cut, count): at most, and at least this many."""
    from scipy.special import bdtr, bdtrc

    cuts = (np.arange(1, draws + 1) / (draws + 1))[:, None]
    counts = np.arange(simulations + 1)
    return bdtr(counts, simulations, cuts), bdtrc(counts - 1, simulations, cuts)


def _limits(tail: float | Floats, simulations: int, draws: int) -> tuple[Counts, Counts]:
    """Find the counts (…, cut) whose lower and upper binomial tails both exceed `tail` (…)."""
    cdf, sf = _tables(simulations, draws)
    tails = np.asarray(tail)
    lower = np.empty((*tails.shape, draws), dtype=np.int64)
    upper = np.empty_like(lower)
    for cut in range(draws):
        lower[..., cut] = np.searchsorted(cdf[cut], tails, side="right")
        upper[..., cut] = simulations - np.searchsorted(sf[cut, ::-1], tails, side="right")
    return lower, upper
