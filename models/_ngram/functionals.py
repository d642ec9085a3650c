r"""Functionals of an n-gram model's posterior, in closed form from sparse counts.

With row weights, let :math:`f_c` be the share of all tokens that follow context c, and
:math:`\theta_c` the probabilities after c, Dirichlet with :math:`\alpha_{cv} = a + n_{cv}` and
total :math:`A_c`. Tracked are

.. math:: p_v = \sum_c f_c \theta_{cv}, \qquad
    H = -\sum_c f_c \sum_v \theta_{cv} \log \theta_{cv}

the probability of token v and the entropy of the next token, after a context of the fitted rows.
Contexts are independent, so means and variances add up. The moments of an entropy under a Dirichlet
distribution are those of Wolpert and Wolf (1995, doi:10.1103/PhysRevE.52.6841); the sums over pairs
of tokens factorise, so they cost one pass over the tokens that were seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.models._ngram.counts import Codes, Counts

__all__ = [
    "beta_draws",
    "beta_quantiles",
    "entropy_moments",
    "mean_table_entropy",
    "table_draws",
    "token_moments",
]


def token_moments(counts: Counts, a: float, track: Codes) -> tuple[Floats, Floats]:
    """Mean and variance of the probability of tracked tokens, each (replicate, token)."""
    share, total = _shares(counts), counts.total + a * counts.vocabulary
    mean, variance = np.empty((2, counts.replicates, len(track)))
    place = np.arange(len(counts.key))
    for k, token in enumerate(track):
        p = (a + counts.after(place, np.full_like(place, token))) / total
        mean[:, k] = _sum(counts, share * p)
        variance[:, k] = _sum(counts, share**2 * p * (1 - p) / (total + 1))
    return mean, variance


def entropy_moments(counts: Counts, a: float) -> tuple[Floats, Floats]:
    """Mean and variance of the entropy of the next token, each (replicate,), in nats."""
    from scipy.special import digamma, polygamma

    share, alpha = _shares(counts), a + counts.weight
    total = counts.total + a * counts.vocabulary
    unseen = counts.vocabulary - np.diff(counts.start)

    def over_tokens(seen: Floats, blind: Floats | float) -> Floats:
        """Sum over all tokens of each context: those seen, and the others, which are all alike."""
        added = np.bincount(counts.owner, seen, minlength=len(counts.key))
        return np.asarray(added + unseen * blind)

    mean = digamma(total + 1) - over_tokens(alpha * digamma(alpha + 1), a * digamma(a + 1)) / total
    low, low1 = digamma(total + 2), polygamma(1, total + 2)
    of = counts.owner
    first, first_blind = digamma(alpha + 1) - low[of], digamma(a + 1) - low
    second = (digamma(alpha + 2) - low[of]) ** 2 + polygamma(1, alpha + 2) - low1[of]
    second_blind = (digamma(a + 2) - low) ** 2 + polygamma(1, a + 2) - low1
    pairs = over_tokens(alpha * first, a * first_blind) ** 2
    pairs -= over_tokens((alpha * first) ** 2, (a * first_blind) ** 2)
    pairs -= low1 * (total**2 - over_tokens(alpha**2, a**2))
    same = over_tokens(alpha * (alpha + 1) * second, a * (a + 1) * second_blind)
    variance = np.maximum((pairs + same) / (total * (total + 1)) - mean**2, 0.0)
    return _sum(counts, share * mean), _sum(counts, share**2 * variance)


def mean_table_entropy(counts: Counts, a: float) -> Floats:
    """Entropy of the next token under the posterior mean of the table, (replicate,), in nats."""
    total = counts.total + a * counts.vocabulary
    p, blind = (a + counts.weight) / total[counts.owner], a / total
    entropy = -np.bincount(counts.owner, p * np.log(p), minlength=len(counts.key))
    entropy -= (counts.vocabulary - np.diff(counts.start)) * blind * np.log(blind)
    return _sum(counts, _shares(counts) * entropy)


def table_draws(
    counts: Counts, a: float, track: Codes, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    r"""Exact draws of token probabilities (replicate, count, token) and entropy (replicate, count).

    Whole tables are drawn, so this is for small vocabularies. Logs of gamma variables are drawn as
    :math:`\log G_{\alpha + 1} - E / \alpha`, which does not underflow for small concentrations.
    """
    alpha = np.full((len(counts.key), counts.vocabulary), a)
    alpha[counts.owner, counts.token] += counts.weight
    share = _shares(counts)[:, None]
    p = np.empty((counts.replicates, count, len(track)))
    entropy = np.empty((counts.replicates, count))
    for i in range(count):
        logs = np.log(rng.standard_gamma(alpha + 1)) - rng.standard_exponential(alpha.shape) / alpha
        logs -= np.logaddexp.reduce(logs, axis=1, keepdims=True)
        table = np.exp(logs)
        # A probability that underflowed adds nothing: its log is finite.
        entropy[:, i] = _sum(counts, -(share * table * logs).sum(axis=1))
        for k, token in enumerate(track):
            p[:, i, k] = _sum(counts, share[:, 0] * table[:, token])
    return p, entropy


def beta_quantiles(
    mean: Floats, variance: Floats, upper: float, probabilities: tuple[float, ...]
) -> Floats:
    """Quantiles (quantile, …) of beta variables on [0, upper] with these moments."""
    from scipy.special import betaincinv

    first, second, fixed = _beta(mean, variance, upper)
    out = np.empty((len(probabilities), *mean.shape))
    for i, probability in enumerate(probabilities):
        quantile = upper * betaincinv(first, second, probability)
        out[i] = np.where(fixed, mean, quantile)
    return out


def beta_draws(
    mean: Floats, variance: Floats, upper: float, count: int, rng: np.random.Generator
) -> Floats:
    """Independent draws (replicate, count, …) of beta variables on [0, upper]."""
    first, second, fixed = _beta(mean, variance, upper)
    size = (mean.shape[0], count, *mean.shape[1:])
    drawn = upper * rng.beta(first[:, None], second[:, None], size)
    return np.where(fixed[:, None], mean[:, None], drawn)


def _beta(mean: Floats, variance: Floats, upper: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Shapes of beta variables with these moments on [0, upper], and where nothing varies."""
    m, v = mean / upper, variance / upper**2
    fixed = v <= 0
    size = m * (1 - m) / np.where(fixed, 1.0, v) - 1
    return np.where(fixed, 1.0, m * size), np.where(fixed, 1.0, (1 - m) * size), fixed


def _shares(counts: Counts) -> Floats:
    """Share of each context among the tokens of its replicate."""
    return np.asarray(counts.total / _sum(counts, counts.total)[counts.replicate])


def _sum(counts: Counts, values: Floats) -> Floats:
    """Sum over the contexts of each replicate."""
    return np.bincount(counts.replicate, values, minlength=counts.replicates)
