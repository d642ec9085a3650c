"""Law of category frequencies under a Dirichlet prior."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    Emission,
    EmissionLike,
    TotalWeightLike,
    at_least,
    parse_emission,
    plain,
    positive,
    real_share_path,
    share,
)
from bayescollapse.theory.gaussian import total_weight_path

__all__ = ["DirichletLaw", "dirichlet_law", "dirichlet_stationary"]


class DirichletLaw(NamedTuple):
    """Law of the posterior mean of category probabilities over lineages.

    Attributes
    ----------
    mean
        Expected posterior mean, shape (generations, ..., categories).
    variance
        Variances of the posterior mean, summed over categories, shape (generations, ...).
    risk
        Expected squared distance of the posterior mean to the true probabilities, shape
        (generations, ...).
    """

    mean: Array
    variance: Array
    risk: Array


def dirichlet_law(
    generations: int,
    *,
    probabilities: ArrayLike,
    n: ArrayLike,
    m: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
    prior_total: ArrayLike = 0.0,
    prior_mean: ArrayLike | None = None,
    emission: EmissionLike = "plug-in",
    total_weight: TotalWeightLike = "rows",
) -> DirichletLaw:
    r"""Mean, variance and risk of Dirichlet posterior means, generation by generation.

    Each generation is fitted to n fresh real rows with share w and m rows of the generation before,
    under a Dirichlet prior with total A and mean p_0 that is used anew each time. With the data's
    part h = N/(N + A) of the posterior and V = 1 - sum p^2,

    .. math::
        b_t &= (1-h_t) p_0 + h_t (w_t p + (1-w_t) b_{t-1}) \\
        T_t &= h_t^2 \left[ w_t^2 V/n + (1-w_t)^2
            (T_{t-1} + g_{t-1} (1 - \|b_{t-1}\|^2 - T_{t-1})) \right]

    and R_t = T_t + ||b_t - p||^2. The emitting posterior gives g = 1/m for plug-in (posterior
    mean) and predictive emission, which are the same here, and with C = N + A

    .. math:: g = \frac{1}{m} \frac{C}{C + 1} + \frac{1}{K (C + 1)}

    for ensemble(K), K = 1 being joint. Generation 0 has w = 1 and total weight n. Exact.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    probabilities
        True probabilities that add up to 1 over the last axis, shape (..., categories).
    n, m
        Real and synthetic rows per generation, each 1 or more.
    real_share
        Share of the total weight on real rows from generation 1 on, in [0, 1].
    schedule
        Real share of each generation instead: first axis generations, entry 0 equal to 1.
    prior_total
        Sum A of the Dirichlet concentrations, 0 or more. 0 leaves the weighted frequencies
        themselves; a uniform density has A equal to the number of categories.
    prior_mean
        Prior mean p_0, shape of `probabilities`; None is equal probabilities.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K) with m/K rows a member.
    total_weight
        "rows", "real", "kish", "calibrated" (from the recursion of a Gaussian mean,
        `total_weight_path`) or a positive number; the prior's total comes on top.

    Returns
    -------
    DirichletLaw
        `mean`, `variance` and `risk`; no unit.

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    Derived for this library. For A = 0 and plug-in emission see Seddik et al. 2024,
    arXiv 2404.05090.

    Examples
    --------
    >>> law = dirichlet_law(3, probabilities=[0.7, 0.2, 0.1], n=30, m=20, real_share=0.5,
    ...     prior_total=3.0, emission="joint")
    >>> [round(float(value), 4) for value in law.risk]
    [0.0144, 0.0167, 0.0162]
    >>> law.mean.shape
    (3, 3)
    """
    p = probability_vector("probabilities", probabilities)
    equal = np.full(p.shape[-1], 1 / p.shape[-1])
    prior = equal if prior_mean is None else probability_vector("prior_mean", prior_mean)
    if prior.shape[-1] != p.shape[-1]:
        raise ValueError(
            f"prior_mean must have {p.shape[-1]} categories, got {prior.shape[-1]}: pass one "
            "probability per category"
        )
    concentration = at_least("prior_total", prior_total, 0, "pass the sum of the concentrations")
    n, m = np.asarray(n, dtype=float), np.asarray(m, dtype=float)
    shares = real_share_path(generations, real_share, schedule)
    weight = total_weight_path(
        generations, n=n, m=m, schedule=shares, emission=emission, total_weight=total_weight
    )
    shape = np.broadcast_shapes(
        weight.shape[1:], concentration.shape, p.shape[:-1], prior.shape[:-1]
    )
    mean = np.empty((len(shares), *shape, p.shape[-1]))
    variance = np.empty((len(shares), *shape))
    mode = parse_emission(emission)
    for t, w in enumerate(shares):
        data = weight[t] / (weight[t] + concentration)
        target, spread = w[..., None] * p, w**2 * _diversity(p) / n
        if t > 0:
            left = _diversity(mean[t - 1]) - variance[t - 1]
            handed = variance[t - 1] + _noise(mode, m, weight[t - 1] + concentration) * left
            target = target + (1 - w)[..., None] * mean[t - 1]
            spread = spread + (1 - w) ** 2 * handed
        mean[t] = (1 - data)[..., None] * prior + data[..., None] * target
        variance[t] = data**2 * spread
    return DirichletLaw(mean, variance, variance + np.sum((mean - p) ** 2, axis=-1))


def dirichlet_stationary(
    n: ArrayLike,
    *,
    prior_total: ArrayLike,
    prior_diversity: ArrayLike = 1.0,
    emission: EmissionLike = "joint",
) -> Array:
    r"""Variance of posterior means that a fully synthetic loop with a Dirichlet prior settles at.

    .. math:: T_\infty = \frac{h^2 g\, V_0}{1 - h^2 (1 - g)}, \qquad h = \frac{n}{n + A}

    summed over categories, with V_0 = 1 - sum p_0^2 of the prior mean p_0 and g of `dirichlet_law`;
    each generation sees n rows of the one before. Under joint emission it is h V_0/(A + 1), what
    parameters drawn from the prior give: the loop samples its prior. Plug-in (posterior mean) and
    predictive emission leave less. For one of two categories, take prior_diversity = mu(1 - mu).
    Exact.

    Parameters
    ----------
    n
        Rows per generation, 1 or more.
    prior_total
        Sum A of the Dirichlet concentrations, positive. (At 0 one category is left in the end.)
    prior_diversity
        V_0, in [0, 1]; 1 gives the ratio.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K) with n/K rows a member.

    Returns
    -------
    ndarray
        Variance, no unit.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Griffiths and Kalish 2007, doi 10.1080/15326900701326576, for joint emission; the others were
    derived for this library.

    Examples
    --------
    >>> round(float(dirichlet_stationary(10, prior_total=6.0, prior_diversity=2 / 9)), 5)
    0.01984
    >>> plug_in = dirichlet_stationary(
    ...     10, prior_total=6.0, prior_diversity=2 / 9, emission="plug-in")
    >>> round(float(plug_in), 5)
    0.01339
    """
    rows = at_least("n", n, 1, "pass the number of rows per generation")
    total = positive("prior_total", prior_total, "pass the sum of the concentrations")
    start = share("prior_diversity", prior_diversity, "pass 1 - sum of squared prior means")
    data = rows / (rows + total)
    noise = _noise(parse_emission(emission), rows, rows + total)
    return plain(data**2 * noise * start / (1 - data**2 * (1 - noise)))


def _noise(mode: Emission, m: Array, concentration: Array) -> Array:
    """Noise of a batch's frequencies as a part of the posterior mean's diversity."""
    if mode.kind in ("plug-in", "predictive"):
        return 1 / m
    drawn = 1 / (concentration + 1)
    return np.asarray((1 - drawn) / m + mode.spread(m) * drawn)


def _diversity(p: Array) -> Array:
    return np.asarray(1 - np.sum(p**2, axis=-1))


def probability_vector(name: str, value: ArrayLike) -> Array:
    """Return probabilities that add up to 1 over the last axis."""
    advice = "pass probabilities that add up to 1 over the last axis"
    p = share(name, value, advice)
    if p.ndim == 0:
        raise ValueError(f"{name} must have one entry per category, got {p:g}: {advice}")
    total = p.sum(axis=-1)
    if np.any(np.abs(total - 1) > 1e-9):
        raise ValueError(
            f"{name} must add up to 1, got {total[np.abs(total - 1) > 1e-9].flat[0]:g}: {advice}"
        )
    return p
