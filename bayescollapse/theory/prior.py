"""How a proper prior that is used anew in every generation pulls the loop towards itself.

The prior of the mean is N(prior_mean, variance/prior_weight): `prior_weight` is the number of rows
it is worth. A prior standard deviation tau is prior_weight = variance/tau**2.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    TotalWeightLike,
    at_least,
    finite,
    parse_emission,
    plain,
    positive,
    real_share_path,
)
from bayescollapse.theory.gaussian import total_weight_path

__all__ = ["PriorDrift", "PriorStationary", "prior_drift", "prior_stationary"]


class PriorDrift(NamedTuple):
    """Errors of the posterior mean of each generation, every field of shape (generations, ...)."""

    bias: Array
    variance: Array
    risk: Array
    total_weight: Array


class PriorStationary(NamedTuple):
    """Law that a fully synthetic loop with a proper prior settles at.

    Attributes
    ----------
    mean
        Mean of the posterior mean and of the parameter: the prior mean.
    posterior_mean_variance
        Variance of the posterior mean over lineages.
    parameter_variance
        Variance over lineages of one posterior draw.
    posterior_variance
        Variance that each posterior claims.
    contraction
        Factor per generation on the distance of the expected posterior mean to the prior mean.
    """

    mean: Array
    posterior_mean_variance: Array
    parameter_variance: Array
    posterior_variance: Array
    contraction: Array


def prior_drift(
    generations: int,
    *,
    n: ArrayLike,
    m: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
    prior_weight: ArrayLike,
    prior_mean: ArrayLike = 0.0,
    truth: ArrayLike = 0.0,
    emission: EmissionLike = "plug-in",
    total_weight: TotalWeightLike = "rows",
    variance: ArrayLike = 1.0,
) -> PriorDrift:
    r"""Bias, variance and risk of a Gaussian mean whose prior is used in every generation.

    Each generation is fitted to n fresh real rows with share w and m rows of the generation before.
    With the data's part h_t = N_t/(N_t + prior_weight) of the posterior,

    .. math::
        \mathrm{bias}_t &= (1-h_t)(\mu_0 - \mu) + h_t (1-w_t)\,\mathrm{bias}_{t-1} \\
        \mathrm{var}_t &= h_t^2 \left[ w_t^2 \frac{s_2}{n} + (1-w_t)^2 \left(
            \mathrm{var}_{t-1} + \frac{s_2}{m} + f v_{t-1} \right) \right]

    with v = s2/(N + prior_weight) and f = 0 (plug-in), 1 (joint), 1/K (ensemble) or 1/m
    (predictive). Generation 0 has w = 1 and total weight n. At w = 0 the bias tends to
    prior_mean - truth: a fully synthetic loop forgets the data. Exact for known row variance.

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
    prior_weight
        Rows that the prior is worth, 0 or more; 0 is a flat prior.
    prior_mean, truth
        Mean of the prior and of the real rows, in the units of the rows.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K) with m/K rows a member.
    total_weight
        "rows", "real", "kish", "calibrated" (from the recursion with a flat prior,
        `total_weight_path`) or a positive number; the prior's weight comes on top.
    variance
        Variance of a row, positive.

    Returns
    -------
    PriorDrift
        `bias` in the units of the rows; `variance` and `risk` = variance + bias^2 in their squared
        units; `total_weight` in rows. All of shape (generations, ...).

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> drift = prior_drift(4, n=20, m=20, real_share=0.0, prior_weight=5.0, prior_mean=1.0)
    >>> [round(float(value), 4) for value in drift.bias]
    [0.2, 0.2889, 0.3679, 0.4381]
    """
    scale = positive("variance", variance, "pass the variance of one row")
    kappa = at_least("prior_weight", prior_weight, 0, "pass the rows the prior is worth")
    offset = finite("prior_mean", prior_mean, "pass the mean of the prior")
    offset = offset - finite("truth", truth, "pass the mean of the real rows")
    n, m = np.asarray(n, dtype=float), np.asarray(m, dtype=float)
    shares = real_share_path(generations, real_share, schedule)
    weight = total_weight_path(
        generations, n=n, m=m, schedule=shares, emission=emission, total_weight=total_weight
    )
    spread = parse_emission(emission).spread(m)
    shape = np.broadcast_shapes(weight.shape[1:], scale.shape, kappa.shape, offset.shape)
    bias, spreading = np.zeros((len(shares), *shape)), np.zeros((len(shares), *shape))
    weights = np.empty_like(bias)
    for t, w in enumerate(shares):
        weights[t] = weight[t]
        data = weight[t] / (weight[t] + kappa)
        bias[t], spreading[t] = (1 - data) * offset, data**2 * w**2 * scale / n
        if t > 0:
            noise = scale / m + spread * scale / (weight[t - 1] + kappa)
            bias[t] += data * (1 - w) * bias[t - 1]
            spreading[t] += data**2 * (1 - w) ** 2 * (spreading[t - 1] + noise)
    return PriorDrift(bias, spreading, spreading + bias**2, weights)


def prior_stationary(
    n: ArrayLike,
    *,
    prior_weight: ArrayLike,
    prior_mean: ArrayLike = 0.0,
    emission: EmissionLike = "joint",
    variance: ArrayLike = 1.0,
) -> PriorStationary:
    r"""Law that a Gaussian mean settles at when each generation sees only the one before.

    Real rows are used at generation 0 only, every generation has n rows of weight 1 and the prior
    N(prior_mean, variance/prior_weight). With h = n/(n + prior_weight) and posterior variance
    v = s2/(n + prior_weight), the posterior mean has

    .. math:: \mathrm{Var}(m) = \frac{h^2 (s_2/n + f v)}{1 - h^2}

    and a posterior draw Var(m) + v. Under joint emission (f = 1) the draw has exactly the prior's
    variance: the loop is a Gibbs sampler of the prior. Plug-in (f = 0), ensemble(K) (f = 1/K) and
    predictive (f = 1/n) emission leave less. The expected posterior mean is
    prior_mean + h^(t+1) (truth - prior_mean). Exact for known row variance.

    Parameters
    ----------
    n
        Rows per generation, 1 or more.
    prior_weight
        Rows that the prior is worth, positive.
    prior_mean
        Mean of the prior, in the units of the rows.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K).
    variance
        Variance of a row, positive.

    Returns
    -------
    PriorStationary
        `mean`, `posterior_mean_variance`, `parameter_variance`, `posterior_variance` and
        `contraction`, broadcast over the arguments they depend on.

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
    >>> joint = prior_stationary(10, prior_weight=2.0)
    >>> round(float(joint.parameter_variance), 4)
    0.5
    >>> plug_in = prior_stationary(10, prior_weight=2.0, emission="plug-in")
    >>> round(float(plug_in.parameter_variance), 4)
    0.3106
    """
    rows = at_least("n", n, 1, "pass the number of rows per generation")
    kappa = positive("prior_weight", prior_weight, "pass the rows the prior is worth")
    scale = positive("variance", variance, "pass the variance of one row")
    mean = finite("prior_mean", prior_mean, "pass the mean of the prior")
    data = rows / (rows + kappa)
    claimed = scale / (rows + kappa)
    noise = scale / rows + parse_emission(emission).spread(rows) * claimed
    settled = data**2 * noise / (1 - data**2)
    return PriorStationary(
        plain(mean), plain(settled), plain(settled + claimed), plain(claimed), plain(data)
    )
