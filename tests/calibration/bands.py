"""Simultaneous bands of the ECDF of discrete ranks, exact, and the p-value that belongs to them.

If a sampler is calibrated, the rank of the truth among L posterior draws is uniform on 0, …, L.
At the cut i/(L + 1) the number of simulations with a rank below i is binomial, and the numbers at
consecutive cuts are a Markov chain: given the number at one cut, the increment to the next is
binomial again. The probability that a whole ECDF stays between two sequences of counts is therefore
an exact forward recursion (Säilynoja, Bürkner and Vehtari 2022, arXiv:2103.10522, section 2.2),
here on the cuts of the discrete ranks, so that nothing is randomised or interpolated. ArviZ finds
its bands by simulation, which would take millions of simulations at the levels that are needed when
many ECDFs are judged together.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom

__all__ = ["band", "counts_below", "coverage", "p_value"]


def counts_below(ranks, draws):
    """Count the ranks below each cut 1, …, `draws`; ranks lie in 0, …, `draws`."""
    ranks = np.asarray(ranks)
    if ranks.min() < 0 or ranks.max() > draws:
        raise ValueError(f"ranks must lie in 0, …, {draws}, got {ranks.min()} to {ranks.max()}")
    return np.cumsum(np.bincount(ranks, minlength=draws + 1))[:-1]


def coverage(lower, upper, simulations):
    """Probability that uniform ranks have ``lower <= counts <= upper`` at every cut.

    Parameters
    ----------
    lower, upper : ndarray of int, shape (cut,)
        Smallest and largest count allowed at every cut; the cuts split [0, 1] into equal parts.
    simulations : int
        Number of ranks.
    """
    if np.any(lower > upper):
        return 0.0
    log_factorial = gammaln(np.arange(simulations + 1) + 1.0)
    parts = len(lower) + 1
    counts, mass = np.array([0]), np.array([1.0])
    for cut in range(len(lower)):
        # Share of the next part in what lies right of the previous cut.
        share = 1.0 / (parts - cut)
        after = np.arange(lower[cut], upper[cut] + 1)
        mass = mass @ _increments(counts, after, simulations, share, log_factorial)
        counts = after
    return float(min(mass.sum(), 1.0))


def p_value(ranks, draws):
    """Probability that uniform ranks depart from the diagonal at least as much as these.

    The statistic is the smallest pointwise binomial tail over all cuts, so ``p_value > level`` is
    the same as lying inside the simultaneous band of probability 1 - level.
    """
    counts, simulations = counts_below(ranks, draws), len(ranks)
    tails = _tails(counts, simulations, _cuts(draws))
    inner = _limits(tails.min() * (1 + 1e-9), simulations, draws)
    return 1.0 - coverage(*inner, simulations)


@lru_cache(maxsize=64)
def band(simulations, draws, probability):
    """Smallest and largest counts of the simultaneous band of at least this probability.

    The pointwise tail is the largest for which the exact simultaneous probability is reached.
    """
    low, high = np.log((1 - probability) / (2 * draws)) - 2.0, np.log(0.5)
    for _ in range(40):
        middle = (low + high) / 2
        reached = coverage(*_limits(np.exp(middle), simulations, draws), simulations)
        low, high = (middle, high) if reached >= probability else (low, middle)
    return _limits(np.exp(low), simulations, draws)


def _cuts(draws):
    return np.arange(1, draws + 1) / (draws + 1)


def _tails(counts, simulations, cuts):
    law = binom(simulations, cuts)
    return np.minimum(law.cdf(counts), law.sf(counts - 1))


def _limits(tail, simulations, draws):
    """Counts whose lower and upper binomial tails both exceed `tail`."""
    law = binom(simulations, _cuts(draws)[:, None])
    counts = np.arange(simulations + 1)
    lower = (law.cdf(counts) <= tail).sum(axis=1)
    upper = simulations - (law.sf(counts - 1) <= tail).sum(axis=1)
    return lower, upper


def _increments(before, after, simulations, share, log_factorial):
    """Binomial probabilities of going from `before` to `after` counts."""
    left = simulations - before[:, None]
    step = after[None, :] - before[:, None]
    rest = left - step
    possible = (step >= 0) & (rest >= 0)
    step, rest = np.where(possible, step, 0), np.where(possible, rest, 0)
    log_mass = log_factorial[left] - log_factorial[step] - log_factorial[rest]
    log_mass = log_mass + step * np.log(share) + rest * np.log1p(-share)
    return np.exp(np.where(possible, log_mass, -np.inf))
