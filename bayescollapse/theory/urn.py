"""Category frequencies when every batch is kept: the posterior as a Polya urn.

The posterior of generation t is a Dirichlet with total c_t = c_0 + n t (prior, real and synthetic
rows, each of weight 1). Its mean is a martingale that settles at a random point.
"""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    at_least,
    generation_index,
    parse_emission,
    plain,
    positive,
    whole,
)

__all__ = ["urn_variance", "urn_variance_joint"]


def urn_variance(
    generations: int, *, n: ArrayLike, start_total: ArrayLike, emission: EmissionLike = "joint"
) -> Array:
    r"""Variance of the posterior mean around that of generation 0, in units of its diversity.

    .. math:: U_t = 1 - \prod_{s=1}^{t} \left(1 - \frac{n^2 g_{s-1}}{c_s^2}\right), \qquad
        c_s = c_0 + n s

    E||m_t - m_0||^2 = U_t (1 - sum m_0^2), half of that for one of two categories. The noise of a
    batch's frequencies is g = 1/n for plug-in (posterior mean) and predictive emission and
    (1/n) c/(c+1) + 1/(K (c+1)) for ensemble(K), K = 1 being joint. Exact. Under joint emission U
    tends to 1/(c_0 + 1), the variance of the posterior of generation 0: the loop draws from it.
    The others end with less.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    n
        Rows per batch, 1 or more.
    start_total
        c_0, total of the concentrations of generation 0's posterior (prior plus real rows),
        positive.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K) with n/K rows a member.

    Returns
    -------
    ndarray, shape (generations, ...)
        U_t, in [0, 1).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Joint emission: the martingale posterior of Fong, Holmes and Walker 2021, arXiv 2103.15671; the
    variances were derived for this library and simulated.

    Examples
    --------
    >>> urn_variance(3, n=5, start_total=6.0).round(4).tolist()
    [0.0, 0.0649, 0.0893]
    >>> urn_variance(3, n=5, start_total=6.0, emission="predictive").round(4).tolist()
    [0.0, 0.0413, 0.06]
    """
    count = whole("generations", generations, 1, "pass how many generations to follow")
    rows = at_least("n", n, 1, "pass the number of rows per batch")
    start = positive("start_total", start_total, "pass the sum of the concentrations")
    rows, start = np.broadcast_arrays(rows, start)
    mode = parse_emission(emission)
    left = np.ones((count, *rows.shape))
    for t in range(1, count):
        before, now = start + rows * (t - 1), start + rows * t
        noise = 1 / rows
        if mode.kind not in ("plug-in", "predictive"):
            noise = (before / rows + mode.spread(rows)) / (before + 1)
        left[t] = left[t - 1] * (1 - rows**2 * noise / now**2)
    return np.asarray(1 - left)


def urn_variance_joint(t: ArrayLike, *, n: ArrayLike, start_total: ArrayLike) -> Array:
    r"""Give `urn_variance` under joint emission in closed form, for any generation.

    .. math:: U_t = 1 - \frac{c_0 (c_t + 1)}{(c_0 + 1) c_t} \to \frac{1}{c_0 + 1}

    Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per batch, 1 or more.
    start_total
        c_0, positive.

    Returns
    -------
    ndarray
        U_t, in [0, 1/(c_0 + 1)).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> round(float(urn_variance_joint(2, n=5, start_total=6.0)), 4)
    0.0893
    """
    index = generation_index(t)
    rows = at_least("n", n, 1, "pass the number of rows per batch")
    start = positive("start_total", start_total, "pass the sum of the concentrations")
    total = start + rows * index
    return plain((total - start) / ((start + 1) * total))
