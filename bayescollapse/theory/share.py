"""Which real share to choose: the best one, the best path, and the range that beats real rows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    Emission,
    EmissionLike,
    TotalWeightLike,
    at_least,
    parse_total_weight,
    plain,
    positive,
    whole,
)
from bayescollapse.theory.emission import parse_narrowed

__all__ = ["OptimalPath", "beats_real_only", "optimal_path", "optimal_share", "pooled_risk"]


class OptimalPath(NamedTuple):
    """Best real share of each generation and the risk it reaches, in units of a."""

    real_share: Array
    risk_ratio: Array


def optimal_share(
    k: ArrayLike,
    *,
    emission: EmissionLike = "plug-in",
    n: ArrayLike | None = None,
    total_weight: TotalWeightLike | None = None,
    c: ArrayLike = 1,
) -> Array:
    r"""Constant real share with the smallest limit of the risk.

    Each generation is fitted to n fresh real rows and m = n/k rows of the generation before. With
    q = b/a the noise of emission in units of the real-only risk,

    .. math:: w^* = 1 - \frac{(1+q+c) - \sqrt{(1+q+c)^2 - 4c}}{2c}

    and the limit of the risk at w* is a w*. At q = c = 1 this is the inverse golden ratio, .618.
    For a Gaussian mean q = sb k + f n/N, where the emission gives f (0 plug-in, 1 joint, 1/K
    ensemble(K), k/n predictive) and the sampling bias sb (1 if not named), and `total_weight`
    gives N:

    ============  ==================================================================
    total_weight  consequence
    ============  ==================================================================
    "rows"        n/N = k/(1+k)
    "real"        n/N = 1
    "kish"        n/N = w^2 + k (1-w)^2, so the optimum solves a quintic (bisection)
    "calibrated"  N = n R_0/R_t: q = sb k and c grows by f
    a number      n/N as given
    ============  ==================================================================

    Exact for a Gaussian mean with known variance and a flat prior, first order for regular
    likelihoods in general. With `c` other than 1 the emission term stays the Gaussian one.

    Parameters
    ----------
    k
        Real rows per synthetic row, n/m, positive. Broadcasts with `n` and `c`.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K), or a label such as
        "joint(sampling_bias=0.8)"; all points of a plug-in emission are one here, see
        `parse_narrowed`.
    n
        Real rows per generation, 1 or more. Needed for "joint" and ensemble emission with a
        number as `total_weight`. Without it "predictive" is taken in the limit of many rows,
        where it equals "plug-in" (a number as `total_weight` needs no n there).
    total_weight
        "rows" (also None), "real", "kish", "calibrated" or a positive number.
    c
        Factor on the risk handed down, 0 or more; 1 for a Gaussian mean.

    Returns
    -------
    ndarray
        Real share in (0, 1).

    Raises
    ------
    ValueError
        If an argument is outside its range, or `n` is needed and missing.

    References
    ----------
    He, Xu and Cheng 2025, arXiv 2502.18049, for plug-in emission and c = 1; all other cases were
    derived for this library.

    Examples
    --------
    >>> round(float(optimal_share(1)), 6)
    0.618034
    >>> round(float(optimal_share(1, emission="joint")), 4)
    0.6861
    >>> round(float(optimal_share(1, emission="joint", total_weight="calibrated")), 4)
    0.7071
    """
    k, c = _ratio(k), _factor(c)
    rows = None if n is None else at_least("n", n, 1, "pass the number of real rows per generation")
    mode, bias = parse_narrowed(emission)
    noise = bias * k
    rule = parse_total_weight("rows" if total_weight is None else total_weight)
    if not isinstance(rule, str):
        return _closed(noise + _number_noise(k, mode, rows, rule), c)
    spread = _spread(k, mode, rows)
    if rule == "calibrated":
        return _closed(noise, c + spread)
    if rule == "kish":
        return _kish(k, spread, c, noise)
    return _closed(noise + spread * (k / (1 + k) if rule == "rows" else 1.0), c)


def optimal_path(generations: int, k: ArrayLike, *, c: ArrayLike = 1.0) -> OptimalPath:
    r"""Best real share of each generation when it may change from one to the next.

    .. math:: w_0 = 1, \qquad w_t = \frac{c w_{t-1} + k}{1 + c w_{t-1} + k}, \qquad R_t = a w_t

    It falls to the best constant share. Exact given k = b/a and c.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    k
        Ratio b/a, positive.
    c
        Factor on the risk handed down, 0 or more.

    Returns
    -------
    OptimalPath
        `real_share` and `risk_ratio` = R_t/a, each of shape (generations, ...); along this path
        the two are equal. `real_share` can be passed to `risk` as its schedule.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Garg, Bhattacharya and Sur 2025, arXiv 2509.22341, for k = c = 1; otherwise derived for this
    library.

    Examples
    --------
    >>> [round(float(value), 4) for value in optimal_path(4, 1.0).real_share]
    [1.0, 0.6667, 0.625, 0.619]
    """
    count = whole("generations", generations, 1, "pass how many generations to follow")
    k, c = _ratio(k), _factor(c)
    path = np.ones((count, *np.broadcast_shapes(k.shape, c.shape)))
    for t in range(1, count):
        handed_down = c * path[t - 1] + k
        path[t] = handed_down / (1 + handed_down)
    return OptimalPath(real_share=path, risk_ratio=path.copy())


def beats_real_only(k: ArrayLike, *, c: ArrayLike = 1.0) -> Array:
    r"""Smallest real share above which the loop ends up better than real rows alone.

    The limit of the risk is below a exactly where

    .. math:: \max\left(0, \frac{k + c - 1}{k + c + 1}\right) < w < 1

    with k = b/a, which is n/m for a Gaussian mean under plug-in emission. Exact. Where k + c < 1
    the share 0 belongs to the interval too.

    Parameters
    ----------
    k
        Ratio b/a, positive.
    c
        Factor on the risk handed down, 0 or more.

    Returns
    -------
    ndarray
        Lower end of the interval of real shares, in [0, 1).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library; 1/3 at k = c = 1 is also in Garg, Bhattacharya and Sur 2025,
    arXiv 2509.22341.

    Examples
    --------
    >>> round(float(beats_real_only(1.0)), 4)
    0.3333
    """
    total = _ratio(k) + _factor(c)
    return plain(np.maximum(0.0, (total - 1) / (total + 1)))


def pooled_risk(k: ArrayLike) -> Array:
    """Limit of R_t/a when every row has weight 1, (1+k)/(2+k).

    The real share is then k/(1+k). Exact for c = 1 and b/a = k: a Gaussian mean under plug-in
    emission. Tends to 1/2 for endless synthetic rows (k to 0).

    Parameters
    ----------
    k
        Ratio n/m, positive.

    Returns
    -------
    ndarray
        Ratio of the limit to the risk of real rows alone, in (1/2, 1).

    Raises
    ------
    ValueError
        If `k` is not positive and finite.

    References
    ----------
    He, Xu and Cheng 2025, arXiv 2502.18049.

    Examples
    --------
    >>> round(float(pooled_risk(1.0)), 4)
    0.6667
    """
    k = _ratio(k)
    return plain((1 + k) / (2 + k))


def _closed(ratio: Array, c: Array) -> Array:
    # Written without 1 - u: for few real rows u is close to 1 and the difference loses digits.
    root = np.sqrt((1 - c) ** 2 + 2 * ratio * (1 + c) + ratio**2)
    return plain((ratio + c - 1 + root) / (ratio + c + 1 + root))


def _spread(k: Array, mode: Emission, n: Array | None) -> Array:
    if mode.kind == "predictive":
        return np.zeros_like(k) if n is None else np.asarray(k / n)
    return np.full_like(k, 0.0 if mode.kind == "plug-in" else 1.0 / mode.members)


def _number_noise(k: Array, mode: Emission, n: Array | None, weight: Array) -> Array:
    if mode.kind == "plug-in":
        return np.zeros_like(k)
    if mode.kind == "predictive":
        return np.asarray(k / weight)
    if n is None:
        raise ValueError(
            f"n must be given with {mode.kind} emission and a number as total_weight, got None: "
            "pass the number of real rows per generation"
        )
    return np.asarray(n / (mode.members * weight))


def _kish(k: Array, spread: Array, c: Array, noise: Array) -> Array:
    """Bisect the derivative of the limit risk in u = 1 - w.

    The risk is P(u)/(1 - c u^2) with P(u) = (1-u)^2 + u^2 (sb k + f((1-u)^2 + k u^2)). P is convex
    for f <= 2 and the denominator concave, so the ratio has one stationary point, and its
    derivative is negative at 0 and positive at min(1, 1/sqrt(c)).
    """
    k, spread, c, noise = np.broadcast_arrays(k, spread, c, noise)
    low = np.zeros(k.shape)
    high = 1 / np.sqrt(np.maximum(c, 1.0))
    for _ in range(60):
        u = (low + high) / 2
        rows = (1 - u) ** 2 + k * u**2
        risk = (1 - u) ** 2 + u**2 * (noise + spread * rows)
        slope = -2 * (1 - u) + 2 * u * (noise + spread * rows) + 2 * spread * u**2 * (u - 1 + k * u)
        falling = slope * (1 - c * u**2) + 2 * c * u * risk < 0
        low, high = np.where(falling, u, low), np.where(falling, high, u)
    return plain(1 - (low + high) / 2)


def _factor(c: ArrayLike) -> Array:
    return at_least("c", c, 0, "pass the factor on the risk handed down, 1 for a Gaussian mean")


def _ratio(k: ArrayLike) -> Array:
    return positive("k", k, "pass n/m, or b/a where emission adds more than its rows' noise")
