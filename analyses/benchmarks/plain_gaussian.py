"""Plain NumPy loops of one Gaussian lineage: the recursion alone, and with all recorded outputs.

Fresh real rows at a fixed real share, the last synthetic batch, plug-in emission, Jeffreys' prior.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]

Noise = Callable[[int], Floats]
"""Standard normal numbers by count: a generation's real rows first, then its synthetic ones."""

SHARE, PROBABILITIES = 0.618, np.array([0.025, 0.25, 0.5, 0.75, 0.975])


class Posterior(NamedTuple):
    """Location and spread of mu, shape and scale of the variance."""

    location: float
    spread: float
    shape: float
    scale: float


def recursion(noise: Noise, rows: int, generations: int) -> tuple[float, float]:
    """Compute only the recursion: weighted moments and plug-in values."""
    mu, sigma, synthetic = 0.0, 1.0, np.empty(0)
    by_row = _row_weights(rows)
    factors = [plug_in_factor(weights.sum()) for weights in by_row]
    for t in range(generations):
        y, weights = np.concatenate([noise(rows), synthetic]), by_row[t > 0]
        mu = weights @ y / weights.sum()
        sigma = factors[t > 0] * np.sqrt(weights @ (y - mu) ** 2 / 2)
        synthetic = mu + sigma * noise(rows)
    return mu, sigma


def same_outputs(
    noise: Noise, rows: int, generations: int, quantiles: Callable[[Posterior], list[Floats]]
) -> list[Floats]:
    """Compute all that a lineage records: one array a generation."""
    synthetic, out, by_row = np.empty(0), [], _row_weights(rows)
    for t in range(generations):
        y, weights = np.concatenate([noise(rows), synthetic]), by_row[t > 0]
        total = weights.sum()
        location, shape = weights @ y / total, (total - 1) / 2
        scale = weights @ (y - location) ** 2 / 2
        first, second = plug_in_factor(total), 1 / (shape - 1)
        of_mu = (location, np.sqrt(scale / total * second))
        of_sigma = (np.sqrt(scale) * first, np.sqrt(scale * (second - first**2)))
        synthetic = location + of_sigma[0] * noise(rows)
        emitted = (synthetic.mean(), synthetic.std(ddof=1))
        training = (weights[:rows].sum() / total, total, total**2 / (weights @ weights))
        mu, sigma = quantiles(Posterior(location, np.sqrt(scale / shape / total), shape, scale))
        of_rows = np.quantile(synthetic, PROBABILITIES)
        out.append(np.concatenate([of_mu, mu, of_sigma, sigma, emitted, of_rows, training]))
    return out


def by_special(posterior: Posterior) -> list[Floats]:
    """Quantiles of mu and sigma from special functions."""
    location, spread, shape, scale = posterior
    mu = location + spread * special.stdtrit(2 * shape, PROBABILITIES)
    return [mu, np.sqrt(scale / special.gammainccinv(shape, PROBABILITIES))]


def by_stats(posterior: Posterior) -> list[Floats]:
    """Quantiles of mu and sigma from distributions."""
    location, spread, shape, scale = posterior
    mu = stats.t.ppf(PROBABILITIES, 2 * shape, location, spread)
    return [mu, np.sqrt(stats.invgamma.ppf(PROBABILITIES, shape, scale=scale))]


def plug_in_factor(total: float) -> float:
    """Posterior mean of sigma at unit scale, for a total weight."""
    return float(np.exp(special.gammaln(total / 2 - 1) - special.gammaln((total - 1) / 2)))


def _row_weights(rows: int) -> tuple[Floats, Floats]:
    return np.ones(rows), np.repeat([2 * SHARE, 2 * (1 - SHARE)], rows)
