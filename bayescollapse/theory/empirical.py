"""Empirical distributions and frequencies that are resampled generation after generation."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, at_least, generation_index, plain, share
from bayescollapse.theory.recursion import risk

__all__ = [
    "accumulated_diversity",
    "accumulated_diversity_limit",
    "empirical_cdf_risk",
    "fixed_supply_frequency_error",
    "resampled_concentration",
]


def empirical_cdf_risk(
    generations: int,
    *,
    n: ArrayLike,
    m: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
) -> Array:
    r"""Cramer-von Mises distance of a weighted empirical distribution to a continuous truth.

    Generation t weighs n fresh real rows with share w and m rows drawn from the weighted points
    of generation t - 1. R_t = E int (F_t - F)^2 dF follows the recursion with

    .. math:: a = \frac{1}{6n}, \qquad b = \frac{1}{6m}, \qquad c = 1 - \frac{1}{m}

    Without real rows and with m = n, R_t = (1 - (1-1/n)^(t+1))/6, and a single point is left in
    the end. Exact.

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

    Returns
    -------
    ndarray, shape (generations, ...)
        Expected distance, no unit, at most 1/6 in the limit.

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    He, Xu and Cheng 2025, arXiv 2502.18049.

    Examples
    --------
    >>> path = empirical_cdf_risk(3, n=15, m=15, real_share=0.5)
    >>> [round(float(value), 5) for value in path]
    [0.01111, 0.00815, 0.00746]
    """
    n = at_least("n", n, 1, "pass the number of real rows per generation")
    m = at_least("m", m, 1, "pass the number of synthetic rows per generation")
    return risk(
        generations,
        real_share=real_share,
        schedule=schedule,
        a=1 / (6 * n),
        b=1 / (6 * m),
        c=1 - 1 / m,
    )


def resampled_concentration(t: ArrayLike, *, n: ArrayLike, concentration: ArrayLike = 0.0) -> Array:
    r"""Sum of squared frequencies when each generation is the frequencies of n rows of the last.

    .. math:: E \sum_i \hat p_{t,i}^2 = 1 - \left(1 - \frac{1}{n}\right)^{t+1} (1 - S^*)

    with S* that of the truth, 0 for a continuous one: then this is the probability that two rows
    drawn from generation t are copies of one real row. It tends to 1, a single category. Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per generation, 1 or more.
    concentration
        Sum S* of squared true probabilities, in [0, 1].

    Returns
    -------
    ndarray
        Expected sum of squares, in (0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Seddik et al. 2024, arXiv 2404.05090; derived again for this library.

    Examples
    --------
    >>> resampled_concentration([0, 9], n=20, concentration=0.2).round(4).tolist()
    [0.24, 0.521]
    """
    index = generation_index(t)
    rows = at_least("n", n, 1, "pass the number of rows per generation")
    start = share("concentration", concentration, "pass the sum of squared probabilities")
    return plain(1 - (1 - 1 / rows) ** (index + 1) * (1 - start))


def fixed_supply_frequency_error(
    t: ArrayLike, *, m: ArrayLike, real_share: ArrayLike, concentration: ArrayLike
) -> Array:
    r"""Squared distance to the real frequencies when the same real rows are used for ever.

    .. math:: V_t = V_\infty \left(1 - (u^2 (1 - 1/m))^t\right), \qquad
        V_\infty = \frac{u^2 (1 - \|q\|^2)/m}{1 - u^2 (1 - 1/m)}, \qquad u = 1 - w

    with q the frequencies among the real rows, which generation 0 starts at and later ones mix with
    share w with those of m rows of the generation before. Exact, given q.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    m
        Synthetic rows per generation, 1 or more.
    real_share
        Share w of the total weight on real rows, in [0, 1].
    concentration
        Sum of the squared real frequencies, in [0, 1].

    Returns
    -------
    ndarray
        E||p_t - q||^2, no unit.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Setting of Seddik et al. 2024, arXiv 2404.05090; derived for this library and simulated.

    Examples
    --------
    >>> found = fixed_supply_frequency_error([0, 1, 50], m=20, real_share=0.5, concentration=0.3)
    >>> found.round(5).tolist()
    [0.0, 0.00875, 0.01148]
    """
    index = generation_index(t)
    rows = at_least("m", m, 1, "pass the number of synthetic rows per generation")
    left = (1 - share("real_share", real_share)) ** 2
    start = share("concentration", concentration, "pass the sum of squared real frequencies")
    rate = left * (1 - 1 / rows)
    return plain(left * (1 - start) / rows * (1 - rate**index) / (1 - rate))


def accumulated_diversity(t: ArrayLike, *, n: ArrayLike) -> Array:
    r"""Part of the diversity that is left when every batch is kept and rows have weight 1.

    .. math:: D_t = \prod_{i=1}^{t+1} \left(1 - \frac{1}{n i^2}\right)

    with n real rows and n new rows a generation, drawn at the maximum likelihood estimate. It is
    E[s2_t]/s2 for a Gaussian variance with divisor equal to the rows, E(1 - sum p_t^2)/(1 - sum
    p^2) for frequencies, and 1 - D_t is then E||p_t - p||^2/(1 - sum p^2). Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per batch, 1 or more.

    Returns
    -------
    ndarray
        Part left, in [0, 1); no unit.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Kazdan et al. 2024, arXiv 2410.16713, for the Gaussian variance; the rest was derived for this
    library.

    Examples
    --------
    >>> accumulated_diversity([0, 9], n=10).round(4).tolist()
    [0.9, 0.8515]
    """
    index = generation_index(t)
    rows = _rows(n)
    steps = np.arange(1, int(index.max(initial=0)) + 2).reshape(-1, *(1,) * rows.ndim)
    left = np.cumprod(1 - 1 / (rows * steps**2.0), axis=0)
    if rows.ndim == 0:
        return plain(left[index])
    index, rows = np.broadcast_arrays(index, rows)
    spread = np.broadcast_to(
        left.reshape(len(left), *(1,) * (rows.ndim - left.ndim + 1), *left.shape[1:]),
        (len(left), *rows.shape),
    )
    return plain(np.take_along_axis(spread, index[None], axis=0)[0])


def accumulated_diversity_limit(n: ArrayLike) -> Array:
    r"""Part of the diversity that is left after endless generations that keep every batch.

    .. math:: D_\infty = \frac{\sin x}{x}, \qquad x = \frac{\pi}{\sqrt n}

    Exact limit of `accumulated_diversity`: keeping everything stops the collapse.

    Parameters
    ----------
    n
        Rows per batch, 1 or more.

    Returns
    -------
    ndarray
        Part left, in [0, 1); no unit.

    Raises
    ------
    ValueError
        If `n` is outside its range.

    References
    ----------
    Kazdan et al. 2024, arXiv 2410.16713.

    Examples
    --------
    >>> round(float(accumulated_diversity_limit(10)), 4)
    0.8434
    """
    return plain(np.sinc(1 / np.sqrt(_rows(n))))


def _rows(n: ArrayLike) -> Array:
    return at_least("n", n, 1, "pass the number of rows per batch")
