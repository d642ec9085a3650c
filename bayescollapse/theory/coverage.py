"""How often a posterior interval contains the truth when its error is larger than it claims."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    at_least,
    fraction,
    generation_index,
    plain,
    positive,
)
from bayescollapse.theory.memory import accumulate_error, replace_error

__all__ = ["accumulate_coverage", "central_coverage", "replace_coverage"]


def central_coverage(
    risk: ArrayLike, posterior_variance: ArrayLike, *, probability: ArrayLike = 0.95
) -> Array:
    r"""Coverage of the central interval of a Gaussian posterior whose mean is unbiased.

    .. math:: 2 \Phi\left(z \sqrt{v/R}\right) - 1, \qquad z = \Phi^{-1}((1 + p)/2)

    with v the posterior variance, R the mean squared error of the posterior mean and p the nominal
    probability. Exact for Gaussian errors without bias, asymptotic otherwise.

    Parameters
    ----------
    risk
        Mean squared error of the posterior mean, 0 or more, in squared units of the parameter.
    posterior_variance
        Variance that the posterior claims, positive, in the units of `risk`.
    probability
        Nominal probability of the interval, strictly between 0 and 1.

    Returns
    -------
    ndarray
        Probability that the interval contains the truth, in (0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library.

    Examples
    --------
    At the optimal share with pooled total weight and k = 1 the risk is .618 and the claimed
    variance 1/2, in units of the real-only risk:

    >>> round(float(central_coverage(0.618034, 0.5)), 3)
    0.922
    """
    from scipy.special import erf, ndtri

    error = at_least("risk", risk, 0, "pass the mean squared error of the posterior mean")
    claimed = positive("posterior_variance", posterior_variance, "pass the posterior's variance")
    level = fraction("probability", probability, "pass the nominal probability of the interval")
    with np.errstate(divide="ignore"):
        widths = ndtri((1 + level) / 2) * np.sqrt(claimed / error)
    return plain(erf(widths / np.sqrt(2)))


def replace_coverage(
    t: ArrayLike,
    *,
    n: ArrayLike,
    emission: EmissionLike = "plug-in",
    probability: ArrayLike = 0.95,
) -> Array:
    """Coverage for a Gaussian mean when each generation sees only rows of the one before.

    The posterior claims s2/n for ever, so coverage is 2 Phi(z / sqrt(A_t)) - 1 with A_t from
    `replace_error`. Exact for known row variance and a flat prior.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per generation, 1 or more.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K).
    probability
        Nominal probability, strictly between 0 and 1.

    Returns
    -------
    ndarray
        Probability that the interval contains the truth, in (0, 1).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> round(float(replace_coverage(3, n=10)), 4)
    0.6729
    """
    return central_coverage(replace_error(t, n=n, emission=emission), 1.0, probability=probability)


def accumulate_coverage(
    t: ArrayLike,
    *,
    n: ArrayLike,
    emission: EmissionLike = "plug-in",
    probability: ArrayLike = 0.95,
) -> Array:
    """Coverage for a Gaussian mean when every batch is kept and each row has weight 1.

    The posterior claims s2/(n(t+1)) while the error stays, so coverage is
    2 Phi(z / sqrt((t+1) A_t)) - 1 with A_t from `accumulate_error`, and tends to 0. Exact for known
    row variance and a flat prior.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per batch, 1 or more.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K).
    probability
        Nominal probability, strictly between 0 and 1.

    Returns
    -------
    ndarray
        Probability that the interval contains the truth, in (0, 1).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> [round(float(x), 3) for x in accumulate_coverage([0, 9, 199], n=10, emission="joint")]
    [0.95, 0.347, 0.078]
    """
    error = accumulate_error(t, n=n, emission=emission)
    claimed = 1.0 / (generation_index(t) + 1)
    return central_coverage(error, claimed, probability=probability)
