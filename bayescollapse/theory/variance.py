"""Laws of a Gaussian whose mean and variance are both unknown, under the prior 1/sigma^2."""

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
)
from bayescollapse.theory.gaussian import total_weight_path

__all__ = ["GaussianLaw", "gaussian_variance_law", "log_variance_drift", "variance_growth"]


class GaussianLaw(NamedTuple):
    """Expected variance estimate and risk of the mean, each of shape (generations, ...)."""

    variance: Array
    mean_risk: Array


def gaussian_variance_law(
    generations: int,
    *,
    n: ArrayLike,
    m: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
    emission: EmissionLike = "plug-in",
    total_weight: TotalWeightLike = "rows",
    variance: ArrayLike = 1.0,
    point: str = "mean of sd",
) -> GaussianLaw:
    r"""Compute the expected variance estimate and the risk of the mean of a Gaussian fit.

    Each generation is fitted by power likelihood, prior 1/sigma^2, to n fresh real rows with
    share w and m rows of the generation before. Its posterior has the weighted mean, and
    S/N, the weighted maximum-likelihood variance around it, as statistics. With E = E[S/N] and M
    the risk of the mean, a posterior with total weight N emits rows of variance q whose batch mean
    has variance u around the posterior mean:

    ============  ==============  ==================
    emission      q               u
    ============  ==============  ==================
    plug-in       v = F(N) E      v/m
    joint         v (1 + 1/N)     v/m + v/N
    ensemble(K)   v (1 + 1/N)     v/m + v/(K N)
    predictive    v (1 + 1/N)     v (1 + 1/N)/m
    ============  ==============  ==================

    with v = N/(N-3) E for all but plug-in, and then

    .. math::
        E_t &= w s_2 (1 - 1/n) + (1-w)(q - u) + w(1-w)(s_2/n + M_{t-1} + u) \\
        M_t &= w^2 s_2/n + (1-w)^2 (M_{t-1} + u)

    from E_0 = s_2 (1 - 1/n), M_0 = s_2/n and total weight n. Exact.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    n, m
        Real and synthetic rows per generation; n above 3 except for plug-in emission (above 2 at
        `point` "mean of sd"), m 1 or more.
    real_share
        Share of the total weight on real rows from generation 1 on, in [0, 1].
    schedule
        Real share of each generation instead: first axis generations, entry 0 equal to 1.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K) with m/K rows a member.
    total_weight
        "rows", "real", "kish", "calibrated" (from the recursion of the mean with known variance,
        `total_weight_path`) or a number above 3, as for n.
    variance
        Variance of a real row, positive.
    point
        Plug-in point of sigma, as in `log_variance_drift`; read under plug-in emission only.

    Returns
    -------
    GaussianLaw
        `variance` (E_t) and `mean_risk` (M_t), each of shape (generations, ...), in the units of
        `variance`.

    Raises
    ------
    ValueError
        If an argument is outside its range, or a total weight is too small for the emitted rows
        to have a finite variance.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> law = gaussian_variance_law(3, n=12, m=8, real_share=0.4, emission="joint")
    >>> [round(float(value), 4) for value in law.variance]
    [0.9167, 1.1094, 1.1591]
    """
    scale = positive("variance", variance, "pass the variance of one real row")
    n, m = np.asarray(n, dtype=float), np.asarray(m, dtype=float)
    shares = real_share_path(generations, real_share, schedule)
    mode = parse_emission(emission)
    weight = total_weight_path(
        generations, n=n, m=m, schedule=shares, emission=emission, total_weight=total_weight
    )
    factor = _point_factor(weight, point if mode.kind == "plug-in" else "mean of variance")
    spread = mode.spread(m)
    shape = np.broadcast_shapes(weight.shape[1:], scale.shape)
    estimate, risk = np.empty((len(shares), *shape)), np.empty((len(shares), *shape))
    estimate[0], risk[0] = scale * (1 - 1 / n), scale / n
    for t in range(1, len(shares)):
        w, last = shares[t], weight[t - 1]
        row, batch = _emitted(mode, factor[t - 1] * estimate[t - 1], last, m, spread)
        risk[t] = w**2 * scale / n + (1 - w) ** 2 * (risk[t - 1] + batch)
        within = w * scale * (1 - 1 / n) + (1 - w) * (row - batch)
        estimate[t] = within + w * (1 - w) * (scale / n + risk[t - 1] + batch)
    return GaussianLaw(variance=estimate, mean_risk=risk)


def log_variance_drift(
    n: ArrayLike, *, emission: EmissionLike = "plug-in", point: str = "unbiased"
) -> Array:
    r"""Drift of the log variance estimate over one fully synthetic generation, in expectation.

    Each generation is fitted to n rows of the one before, prior 1/sigma^2. With nu = n - 1 and s^2
    the unbiased estimate, plug-in emission at the point F s^2 drifts by

    .. math:: \psi(\nu/2) - \log(\nu/2) + \log F

    joint emission by exactly 0, and predictive emission by about 2/n.

    =====================  =====================================================  ==========
    point                  F                                                      drift near
    =====================  =====================================================  ==========
    "unbiased"             1                                                      -1/n
    "maximum likelihood"   (n-1)/n                                                -2/n
    "mean of variance"     nu/(nu-2)                                              +1/n
    "mean of sd"           (nu/2) [Gamma((nu-1)/2)/Gamma(nu/2)]^2                 +1/(2n)
    "mean of log"          (nu/2) exp(-psi(nu/2))                                 0 exactly
    "marginal mode"        nu/(nu+2): mode of the density of sigma^2              -3/n
    "joint mode"           nu/(nu+3): mode of the density of (mu, sigma^2)        -4/n
    =====================  =====================================================  ==========

    Exact for plug-in and joint; first order for predictive (within 10% at n = 20).

    Parameters
    ----------
    n
        Rows per generation, above 1; above 3 for "mean of variance", joint and predictive, above 2
        for "mean of sd".
    emission
        "plug-in", "joint" or "predictive"; an ensemble of two or more has no known law.
    point
        Plug-in point of sigma^2, from the table; read under plug-in emission only.

    Returns
    -------
    ndarray
        Change of E[log s^2] per generation, in nats; negative values mean collapse.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the emission is an ensemble of two or more.

    References
    ----------
    Derived for this library; the collapse of "unbiased" is in Shumailov et al. 2024, arXiv
    2305.17493.

    Examples
    --------
    >>> round(float(log_variance_drift(20)), 4)
    -0.0536
    >>> round(float(log_variance_drift(20, point="mean of sd")), 4)
    0.0283
    """
    from scipy.special import digamma

    rows, mode = _one_variance(n, emission)
    if mode.kind == "predictive":
        return plain(2 / rows)
    if mode.kind != "plug-in":
        return plain(np.zeros_like(rows))
    half = (rows - 1) / 2
    return plain(digamma(half) - np.log(rows / 2) + np.log(_point_factor(rows, point)))


def variance_growth(
    n: ArrayLike, *, emission: EmissionLike = "plug-in", point: str = "unbiased"
) -> Array:
    """Factor on the expected variance estimate in one fully synthetic generation.

    With nu = n - 1: F of `log_variance_drift` for plug-in (1 at "unbiased"), nu/(nu-2) for joint,
    (1 + 1/n) nu/(nu-2) for predictive. Exact. A loop can hold this at 1 or above while almost
    every lineage collapses: compare `log_variance_drift`.

    Parameters
    ----------
    n, emission, point
        As in `log_variance_drift`.

    Returns
    -------
    ndarray
        E[s^2 of the next generation] / E[s^2], positive, no unit.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the emission is an ensemble of two or more.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> round(float(variance_growth(20, emission="joint")), 4)
    1.1176
    """
    rows, mode = _one_variance(n, emission)
    factor = _point_factor(rows, point if mode.kind == "plug-in" else "mean of variance")
    inflation = 1 + 1 / rows if mode.kind == "predictive" else 1.0
    return plain(inflation * factor * (rows - 1) / rows)


def _emitted(
    mode: Emission, v: Array, weight: Array, m: Array, spread: Array
) -> tuple[Array, Array]:
    """Variance of an emitted row, and of the batch mean, around the posterior mean."""
    row = v if mode.kind == "plug-in" else v * (1 + 1 / weight)
    return row, v / m + spread * v / weight


def _one_variance(n: ArrayLike, emission: EmissionLike) -> tuple[Array, Emission]:
    rows = at_least("n", n, 1, "pass the number of rows per generation")
    mode = parse_emission(emission)
    if mode.members > 1:
        raise ValueError(
            f'emission must be "plug-in", "joint" or "predictive" here, got {emission!r}: rows of '
            "several members have no common variance, see gaussian_variance_law"
        )
    _above("n", rows, 1.0 if mode.kind == "plug-in" else 3.0)
    return rows, mode


def _point_factor(weight: Array, point: str) -> Array:
    """Plug-in variance divided by S/N, for a posterior of total weight N."""
    from scipy.special import digamma, gammaln

    half = (weight - 1) / 2
    if point == "maximum likelihood":
        return np.ones_like(weight)
    if point == "marginal mode":
        return weight / (weight + 1)
    if point == "joint mode":
        return weight / (weight + 2)
    if point not in ("unbiased", "mean of variance", "mean of sd", "mean of log"):
        raise ValueError(
            'point must be "unbiased", "maximum likelihood", "mean of variance", "mean of sd", '
            f'"mean of log", "marginal mode" or "joint mode", got {point!r}: name the point '
            "estimate of sigma that emits rows"
        )
    least = {"mean of variance": 3.0, "mean of sd": 2.0}.get(point, 1.0)
    _above("total_weight (n at generation 0)", weight, least)
    if point == "unbiased":
        return weight / (weight - 1)
    if point == "mean of variance":
        return weight / (weight - 3)
    if point == "mean of sd":
        ratio: Array = np.exp(2 * (gammaln(half - 0.5) - gammaln(half)))
        return weight / 2 * ratio
    return np.asarray(weight / 2 * np.exp(-digamma(half)))


def _above(name: str, value: Array, least: float) -> None:
    if np.any(value <= least):
        raise ValueError(
            f"{name} must be above {least:g} in every generation, got {np.min(value):g}: with less "
            "weight the posterior of sigma has no such moment"
        )
