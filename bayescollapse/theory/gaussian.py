"""Laws of the mean of a Gaussian with known row variance and a flat prior, for finite t."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    TotalWeightLike,
    at_least,
    parse_emission,
    parse_total_weight,
    positive,
    real_share_path,
)
from bayescollapse.theory.emission import posterior_weight

__all__ = ["mean_risk", "total_weight_path"]


def mean_risk(
    generations: int,
    *,
    n: ArrayLike,
    m: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
    emission: EmissionLike = "plug-in",
    total_weight: TotalWeightLike = "rows",
    variance: ArrayLike = 1.0,
) -> Array:
    r"""Mean squared error of the posterior mean, generation by generation.

    Each generation sees n fresh real rows and m rows of the generation before it.

    .. math:: R_0 = s_2/n, \quad
        R_t = w_t^2 \frac{s_2}{n}
        + (1-w_t)^2 \left(R_{t-1} + \frac{s_2}{m} + f\,\frac{s_2}{N_{t-1}}\right)

    where s_2 is the row variance, f = 0 (plug-in), 1 (joint), 1/K (ensemble) or 1/m (predictive),
    and N_{t-1} the total weight of the posterior that emits: n at generation 0, after that
    as `total_weight` says. Exact.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    n, m
        Real and synthetic rows per generation, each 1 or more.
    real_share
        Share of the total weight on real rows from generation 1 on, in [0, 1].
    schedule
        Real share of each generation instead: first axis generations, entry 0 equal to 1.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K) with m/K rows a member.
    total_weight
        "rows", "real", "kish", "calibrated" or a positive number.
    variance
        Variance of a row, positive, in squared units of the rows.

    Returns
    -------
    ndarray, shape (generations, ...)
        Risk in the units of `variance`; the other arguments broadcast into the trailing axes.

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    He, Xu and Cheng 2025, arXiv 2502.18049, for plug-in emission; the other emissions were
    derived for this library.

    Examples
    --------
    >>> path = mean_risk(4, n=50, m=50, real_share=0.5, emission="joint")
    >>> [round(50 * float(value), 4) for value in path]
    [1.0, 1.0, 0.875, 0.8438]
    """
    scale = positive("variance", variance, "pass the variance of one row")
    unit, _ = _unit_path(generations, n, m, real_share, schedule, emission, total_weight)
    shape = np.broadcast_shapes(unit.shape[1:], scale.shape)
    return np.broadcast_to(unit.reshape(_pad(unit, shape)), (len(unit), *shape)) * scale


def total_weight_path(
    generations: int,
    *,
    n: ArrayLike,
    m: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
    emission: EmissionLike = "plug-in",
    total_weight: TotalWeightLike = "rows",
) -> Array:
    """Total weight of each generation.

    n at generation 0. From generation 1 on n + m for "rows", n for "real", the Kish effective size
    1/(w^2/n + (1-w)^2/m) for "kish", the number given, or n R_0/R_t for "calibrated" with R_t from
    `mean_risk` under the same emission: the number of real rows whose error equals that of
    generation t. Exact; "calibrated" is exact for a Gaussian mean and first order otherwise.

    Parameters
    ----------
    generations, n, m, real_share, schedule, emission, total_weight
        As in `mean_risk`.

    Returns
    -------
    ndarray, shape (generations, ...)
        Total weight in rows, positive.

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    "calibrated" was derived for this library.

    Examples
    --------
    >>> path = total_weight_path(3, n=50, m=50, real_share=0.5, total_weight="calibrated")
    >>> [round(float(value), 4) for value in path]
    [50.0, 66.6667, 72.7273]
    """
    return _unit_path(generations, n, m, real_share, schedule, emission, total_weight)[1]


def _unit_path(
    generations: int,
    n: ArrayLike,
    m: ArrayLike,
    real_share: ArrayLike | None,
    schedule: ArrayLike | None,
    emission: EmissionLike,
    total_weight: TotalWeightLike,
) -> tuple[Array, Array]:
    """Risk and total weight of every generation for unit row variance."""
    shares = real_share_path(generations, real_share, schedule)
    rule = parse_total_weight(total_weight)
    n = _rows(n)
    m = at_least("m", m, 1, "pass the number of synthetic rows per generation")
    spread = parse_emission(emission).spread(m)
    size = () if isinstance(rule, str) else rule.shape
    shape = np.broadcast_shapes(shares.shape[1:], n.shape, m.shape, size)
    risk, weight = np.empty((len(shares), *shape)), np.empty((len(shares), *shape))
    risk[0], weight[0] = 1 / n, n
    for t in range(1, len(shares)):
        w = shares[t]
        batch = risk[t - 1] + 1 / m + spread / weight[t - 1]
        risk[t] = w**2 / n + (1 - w) ** 2 * batch
        if isinstance(rule, str) and rule == "calibrated":
            weight[t] = 1 / risk[t]
        else:
            weight[t] = posterior_weight(n, m, total_weight=rule, real_share=w)
    return risk, weight


def _rows(n: ArrayLike) -> Array:
    return at_least("n", n, 1, "pass the number of real rows per generation")


def _pad(path: Array, shape: tuple[int, ...]) -> tuple[int, ...]:
    return (len(path), *(1,) * (len(shape) - path.ndim + 1), *path.shape[1:])
