"""When a loop with rows of unknown source recovers, and with how many rows.

The loop and its words are those of `bayescollapse.theory.contamination`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescollapse.theory._inputs import Array, at_least, per_generation, plain, positive, share
from bayescollapse.theory.contamination import real_chance, row_counts, true_diversity

__all__ = ["ContaminationRegion", "contamination_region", "effective_real_rows", "rows_to_improve"]


class ContaminationRegion(NamedTuple):
    """What becomes of the error when the real probability decays and batches grow as powers.

    Attributes
    ----------
    region
        "recovery" (the error goes to 0), "floor" (it settles above 0 and below V) or "collapse"
        (it goes to V: one category is left).
    exponent
        In recovery R_t falls as t^-exponent; 0 elsewhere.
    """

    region: NDArray[np.str_]
    exponent: Array


def contamination_region(
    decay: ArrayLike, growth: ArrayLike, *, level: ArrayLike = 1.0
) -> ContaminationRegion:
    r"""Tell recovery from collapse where a_t = level (t+1)^-A and N_t = N_0 (t+1)^B.

    ===============================  ==========  =======================================
    exponents                        region      error
    ===============================  ==========  =======================================
    A < 1, B > A                     recovery    falls as t^-(B-A)
    A = 1, B > 1                     recovery    falls as t^-min(B-1, 2 level), with a
                                                 factor log t where the two are equal
    A <= 1, B = A                    floor       V/(2 level N_0 + 1) where 0 < A
    A > 1, B > 1                     floor       depends on N_0, never forgotten
    A <= 1, B < A; A > 1, B <= 1     collapse    V
    ===============================  ==========  =======================================

    At A = B = 0 the floor is `contaminated_limit`. At A = level = 1 and 1 < B < 3 the error
    approaches V/((3-B) N_0 t^(B-1)). Asymptotic in t; each row was checked against the recursion.

    Parameters
    ----------
    decay
        A, 0 or more: how fast the real probability falls.
    growth
        B, 0 or more: how fast batches grow.
    level
        Real probability at t = 0, in (0, 1].

    Returns
    -------
    ContaminationRegion
        `region` (text) and `exponent`, broadcast over the arguments.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived from the recursion of Bakshi and Chakraborty 2026, arXiv 2602.10531.

    Examples
    --------
    >>> found = contamination_region([0.5, 1.0, 1.0, 2.0], [1.0, 1.5, 0.0, 2.0])
    >>> found.region.tolist(), found.exponent.tolist()
    (['recovery', 'recovery', 'collapse', 'floor'], [0.5, 0.5, 0.0, 0.0])
    """
    fall = at_least("decay", decay, 0, "pass the exponent of the real probability")
    rise = at_least("growth", growth, 0, "pass the exponent of the number of rows")
    first = share("level", level, "pass the real probability of generation 0")
    first = positive("level", first, "with no real rows at all every loop collapses")
    fall, rise, first = np.broadcast_arrays(fall, rise, first)
    recovers = (fall <= 1) & (rise > fall)
    collapses = np.where(fall <= 1, rise < fall, rise <= 1)
    region = np.where(recovers, "recovery", np.where(collapses, "collapse", "floor"))
    slowest = np.where(fall < 1, np.inf, 2 * first)
    exponent = np.where(recovers, np.minimum(rise - fall, slowest), 0.0)
    return ContaminationRegion(region, plain(exponent))


def rows_to_improve(risk: ArrayLike, *, real_probability: ArrayLike, diversity: ArrayLike) -> Array:
    r"""Fewest rows with which the next generation is no worse than this one.

    .. math:: R_t \le R_{t-1} \iff
        N_t \ge \frac{V/R_{t-1} - (1-a_t)^2}{1 - (1-a_t)^2}

    Exact, not rounded; infinite at a_t = 0 (unless the error is already V).

    Parameters
    ----------
    risk
        Error R_{t-1} of this generation, positive and at most V.
    real_probability
        a_t of the next generation, in [0, 1].
    diversity
        V, positive and below 1.

    Returns
    -------
    ndarray
        Number of rows, in [1, inf].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived from the recursion of Bakshi and Chakraborty 2026, arXiv 2602.10531.

    Examples
    --------
    >>> round(float(rows_to_improve(0.009, real_probability=0.1, diversity=0.9)), 2)
    522.05
    """
    v = true_diversity(diversity)
    error = positive("risk", risk, "pass the error of the last generation")
    if np.any(error > v * (1 + 1e-12)):
        raise ValueError(
            f"risk must be at most diversity, got {risk!r} with diversity {diversity!r}: learned "
            "frequencies cannot be further from the truth than one category is"
        )
    left = (1 - real_chance(real_probability)) ** 2
    gap = 1 - left
    wanted = np.maximum(v / error, 1.0) - left
    ratio = wanted / np.where(gap > 0, gap, 1.0)
    nothing = np.where(v / error > 1, np.inf, 1.0)
    return plain(np.where(gap > 0, ratio, nothing))


def effective_real_rows(real_probability: ArrayLike, *, rows: ArrayLike) -> Array:
    r"""Real rows that a pool of rows of unknown source is worth, up to each generation.

    .. math:: \sum_{s \le t} N_s a_s^2

    A row that is real with probability a counts a^2: the best squared error any learner of the
    whole pool can guarantee is of the order of the inverse. Asymptotic, with an unknown constant;
    the sum itself is exact arithmetic.

    Parameters
    ----------
    real_probability
        a_s in [0, 1], first axis generations (1 at generation 0 if that is all real).
    rows
        N_s, 1 or more, one number or the same first axis.

    Returns
    -------
    ndarray
        Rows, cumulative over the first axis.

    Raises
    ------
    ValueError
        If an argument is outside its range or a shape does not fit.

    References
    ----------
    Minimax rate of Kanabar and Gastpar, as restated by Bakshi and Chakraborty 2026, arXiv
    2602.10531; not verified here beyond the arithmetic.

    Examples
    --------
    >>> effective_real_rows([1.0, 0.5, 0.5], rows=100).tolist()
    [100.0, 125.0, 150.0]
    """
    real = real_chance(real_probability)
    if real.ndim == 0:
        raise ValueError(
            f"real_probability must have an axis of generations, got the number {real:g}: pass one "
            "probability per generation"
        )
    count = per_generation("rows", row_counts(rows), len(real))
    extra = max(count.ndim, real.ndim)
    count, real = (x.reshape(len(x), *(1,) * (extra - x.ndim), *x.shape[1:]) for x in (count, real))
    return np.asarray(np.cumsum(count * real**2, axis=0))
