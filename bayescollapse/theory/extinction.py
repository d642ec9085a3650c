"""Categories that die out when each generation is the frequencies of the one before.

Generation 0 is the frequency of a category among n real rows, generation t that among n rows drawn
at the frequency of generation t - 1: the Wright-Fisher model without mutation. A count of 0 or n
stays for ever.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    at_least,
    generation_index,
    plain,
    positive,
    share,
    whole,
)
from bayescollapse.theory.categorical import probability_vector

__all__ = [
    "SurvivalBracket",
    "absorption_time",
    "absorption_time_diffusion",
    "resampled_counts",
    "survival_bracket",
    "tempered_probabilities",
]

_MOST_ROWS = 3000


class SurvivalBracket(NamedTuple):
    """Bounds on the probability that a category is still alive."""

    lower: Array
    upper: Array


def resampled_counts(generations: int, *, n: int, probability: float) -> Array:
    r"""Distribution of the count of a category in each generation.

    .. math:: X_0 \sim \mathrm{Binomial}(n, p), \qquad X_t \sim \mathrm{Binomial}(n, X_{t-1}/n)

    Exact, by the transition matrix of n + 1 counts. The probability of survival at generation t is
    1 - result[t, 0].

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    n
        Rows per generation, a whole number from 1 to 3000 (the matrix has (n+1)^2 entries).
    probability
        True probability p, in [0, 1].

    Returns
    -------
    ndarray, shape (generations, n + 1)
        Probabilities of the counts 0, ..., n.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    The Wright-Fisher model of population genetics; elementary.

    Examples
    --------
    >>> counts = resampled_counts(2, n=2, probability=0.5)
    >>> counts.tolist()
    [[0.25, 0.5, 0.25], [0.375, 0.25, 0.375]]
    """
    count = whole("generations", generations, 1, "pass how many generations to follow")
    rows = _size(n)
    p = share("probability", probability, "pass the true probability of the category")
    if p.ndim > 0:
        raise ValueError(f"probability must be one number, got shape {p.shape}: call once for each")
    path = np.empty((count, rows + 1))
    path[0] = _binomial(rows, p[None])[0]
    step = _binomial(rows, np.arange(rows + 1) / rows) if count > 1 else path[:1]
    for t in range(1, count):
        path[t] = path[t - 1] @ step
    return path


def survival_bracket(t: ArrayLike, *, n: ArrayLike, probability: ArrayLike) -> SurvivalBracket:
    r"""Bounds on the probability that a rare category is still alive at generation t.

    .. math:: 1 - e^{-n p g_j} \le \Pr(X_t > 0) \le 1 - (1 - 3 n p^2 - 3 j p) e^{-n p g_j},
        \qquad j = t + 1

    with g_1 = 1 and g_{j+1} = 1 - exp(-g_j), which lies between 1/j and 3/j: about n p of its rows'
    lines survive t generations with chance 2/t each. Exact inequalities; the upper one is cut off
    at 1.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per generation, 1 or more.
    probability
        True probability p, in [0, 1].

    Returns
    -------
    SurvivalBracket
        `lower` and `upper`, in [0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Suresh et al. 2025, arXiv 2412.17646; checked by enumeration.

    Examples
    --------
    >>> bracket = survival_bracket(8, n=100, probability=0.01)
    >>> round(float(bracket.lower), 4), round(float(bracket.upper), 4)
    (0.1723, 0.4206)
    """
    index = generation_index(t)
    rows = at_least("n", n, 1, "pass the number of rows per generation")
    p = share("probability", probability, "pass the true probability of the category")
    lines = np.ones(int(index.max(initial=0)) + 1)
    for j in range(1, len(lines)):
        lines[j] = -np.expm1(-lines[j - 1])
    dead = np.exp(-rows * p * lines[index])
    slack = 3 * rows * p**2 + 3 * (index + 1) * p
    return SurvivalBracket(plain(1 - dead), plain(np.minimum(1.0, 1 - (1 - slack) * dead)))


def absorption_time(n: int, *, probability: ArrayLike) -> Array:
    r"""Count the fits, generation 0 among them, until one of two categories is lost.

    .. math:: 1 + \sum_i \Pr(X_0 = i)\, \tau_i, \qquad (I - Q) \tau = 1

    with Q the transitions between counts 1, ..., n - 1. Exact expectation.

    Parameters
    ----------
    n
        Rows per generation, a whole number from 2 to 3000.
    probability
        True probability p of one of the two, in [0, 1].

    Returns
    -------
    ndarray
        Expected number of fits, 1 or more.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Shumailov et al. 2024, arXiv 2305.17493, shows the absorption; the count is elementary.

    Examples
    --------
    >>> round(float(absorption_time(160, probability=0.5)), 1)
    219.6
    """
    rows = _size(n)
    if rows < 2:
        raise ValueError("n must be 2 or more, got 1: one row shows one category at once")
    p = share("probability", probability, "pass the true probability of the category")
    inner = _binomial(rows, np.arange(1, rows) / rows)[:, 1:-1]
    left = np.linalg.solve(np.eye(rows - 1) - inner, np.ones(rows - 1))
    return plain(1 + _binomial(rows, p.ravel())[:, 1:-1].dot(left).reshape(p.shape))


def absorption_time_diffusion(n: ArrayLike, *, probability: ArrayLike) -> Array:
    r"""Approximate the expected number of fits until one of two categories is lost.

    .. math:: -2 n \left[p \log p + (1-p) \log(1-p)\right]

    Asymptotic in n (diffusion limit): 1 percent above `absorption_time` at n = 160, p = 1/2.

    Parameters
    ----------
    n
        Rows per generation, 1 or more.
    probability
        True probability p, in [0, 1].

    Returns
    -------
    ndarray
        Number of fits, 0 or more.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Kimura's diffusion, applied to Shumailov et al. 2024, arXiv 2305.17493.

    Examples
    --------
    >>> round(float(absorption_time_diffusion(160, probability=0.5)), 1)
    221.8
    """
    from scipy.special import entr

    rows = at_least("n", n, 1, "pass the number of rows per generation")
    p = share("probability", probability, "pass the true probability of the category")
    return plain(2 * rows * (entr(p) + entr(1 - p)))


def tempered_probabilities(
    t: ArrayLike, *, probabilities: ArrayLike, temperature: ArrayLike
) -> Array:
    r"""Probabilities after t generations that emit at a temperature, for endless rows.

    .. math:: p_t \propto p_0^{\tau^{-t}}

    so that log odds are multiplied by 1/tau each generation: tau < 1 ends on the most likely
    category, tau > 1 at equal probabilities. Exact for the population.

    Parameters
    ----------
    t
        Generation, whole, 0 or more; broadcasts with the leading axes.
    probabilities
        p_0, adding up to 1 over the last axis, shape (..., categories).
    temperature
        tau, positive; broadcasts with the leading axes.

    Returns
    -------
    ndarray, shape (..., categories)
        Probabilities.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Marchi et al. 2024, arXiv 2404.02325.

    Examples
    --------
    >>> tempered_probabilities(2, probabilities=[0.8, 0.2], temperature=0.5).round(4).tolist()
    [0.9961, 0.0039]
    """
    index = generation_index(t)
    p = probability_vector("probabilities", probabilities)
    tau = positive("temperature", temperature, "1 leaves probabilities as they are")
    power = np.exp(np.minimum(-index * np.log(tau), 700.0))[..., None]
    with np.errstate(divide="ignore"):
        logs = np.where(p > 0, np.log(p), -np.inf)
    relative = logs - logs.max(axis=-1, keepdims=True)
    scaled = np.where(np.isinf(relative), -np.inf, power * np.where(p > 0, relative, 0.0))
    weights = np.exp(scaled)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _size(n: int) -> int:
    rows = whole("n", n, 1, "pass the number of rows per generation")
    if rows > _MOST_ROWS:
        raise ValueError(
            f"n must be at most {_MOST_ROWS}, got {rows}: the transition matrix would have "
            f"{(rows + 1) ** 2} entries; use survival_bracket or absorption_time_diffusion"
        )
    return rows


def _binomial(rows: int, p: Array) -> Array:
    """Probabilities of the counts 0, ..., rows for each p, shape (len(p), rows + 1)."""
    from scipy.special import gammaln, xlog1py, xlogy

    k = np.arange(rows + 1)
    ways = gammaln(rows + 1) - gammaln(k + 1) - gammaln(rows - k + 1)
    p = np.asarray(p, dtype=float)[:, None]
    return np.asarray(np.exp(ways + xlogy(k, p) + xlog1py(rows - k, -p)))
