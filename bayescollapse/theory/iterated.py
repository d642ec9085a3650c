"""Iterated Bayesian learning: each learner sees rows of one posterior draw of the learner before.

The chain is a Gibbs sampler on parameter and rows, so it forgets the real rows and ends at the
prior; here is how fast.
"""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, fraction, generation_index, plain, positive, share

__all__ = ["iterated_information", "iterated_language_rate"]


def iterated_information(
    t: ArrayLike, *, n: ArrayLike, prior_weight: ArrayLike, about: str = "truth"
) -> Array:
    r"""Information that generation t still has, in nats, for a Gaussian mean and joint emission.

    .. math:: I(\theta^*; m_t) = -\tfrac12 \log(1 - h^{2t+1}), \qquad
        I(m_0; m_t) = -\tfrac12 \log(1 - h^{2t}), \qquad h = \frac{n}{n + \kappa_0}

    between the posterior mean m_t and a truth drawn from the prior, or between the first and a
    later generation of a stationary chain. Each generation sees n rows of the one before, the prior
    is worth kappa_0 rows and used anew each time. Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per generation, positive.
    prior_weight
        Rows that the prior is worth, positive.
    about
        "truth", or "first" for generation 0 of a stationary chain (infinite at t = 0).

    Returns
    -------
    ndarray
        Mutual information in nats, in [0, inf].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Chain of Griffiths and Kalish 2007, doi 10.1080/15326900701326576; the information was derived
    for this library.

    Examples
    --------
    >>> iterated_information([0, 5], n=10, prior_weight=2.0).round(4).tolist()
    [0.8959, 0.0723]
    """
    rows = positive("n", n, "pass the number of rows per generation")
    kappa = positive("prior_weight", prior_weight, "pass the rows the prior is worth")
    if about not in ("truth", "first"):
        raise ValueError(
            f'about must be "truth" or "first", got {about!r}: name what is to be known'
        )
    steps = 2 * generation_index(t) + (about == "truth")
    # log(rows/(rows + kappa)) and expm1 keep the digits of weak priors.
    with np.errstate(divide="ignore"):
        return plain(-0.5 * np.log(-np.expm1(-steps * np.log1p(kappa / rows))))


def iterated_language_rate(prior: ArrayLike, *, agreement: ArrayLike, noise: ArrayLike) -> Array:
    r"""Factor per generation on the distance to the prior for two languages.

    .. math:: 1 - \left[s + (1-s)(1-e)e \left(\frac{1}{a + e - 2ae}
        + \frac{1}{1 - a - e + 2ae}\right)\right]

    the second eigenvalue of the chain of languages: prior probability a of the first, one row per
    learner, on which the languages agree with probability s and else show the wrong form with
    probability e. Exact. 0 if rows say nothing, 1 if they say everything.

    Parameters
    ----------
    prior
        Prior probability a of one language, strictly between 0 and 1.
    agreement
        Probability s that a row is the same in both, in [0, 1].
    noise
        Probability e of the wrong form, in [0, 1].

    Returns
    -------
    ndarray
        Factor in [0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Griffiths and Kalish 2007, doi 10.1080/15326900701326576; derived again for this library and
    enumerated.

    Examples
    --------
    >>> round(float(iterated_language_rate(0.5, agreement=0.5, noise=0.05)), 4)
    0.405
    """
    a = fraction("prior", prior, "pass the prior probability of one language")
    s = share("agreement", agreement, "pass how often the languages agree")
    e = share("noise", noise, "pass how often the wrong form is shown")
    seen = a + e - 2 * a * e
    return plain(1 - s - (1 - s) * (1 - e) * e * (1 / seen + 1 / (1 - seen)))
