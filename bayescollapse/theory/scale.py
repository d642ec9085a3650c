"""Gaussians that collapse: typical scale, Wasserstein distance, and sampling with less spread."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    at_least,
    generation_index,
    plain,
    positive,
    real_share_path,
    share,
)
from bayescollapse.theory.recursion import limit_risk
from bayescollapse.theory.variance import GaussianLaw

__all__ = [
    "narrowed_effective_rows",
    "narrowed_gaussian_law",
    "narrowed_variance",
    "scale_decay",
    "wasserstein_error",
]


def scale_decay(t: ArrayLike, *, n: ArrayLike) -> Array:
    r"""Ratio of the expected standard deviation of generation t to the true one.

    .. math:: \frac{E\, s_t}{\sigma} = c_4(n)^{t+1}, \qquad
        c_4(n) = \sqrt{\frac{2}{n-1}}\, \frac{\Gamma(n/2)}{\Gamma((n-1)/2)}

    for one dimension, s^2 with divisor n - 1, plug-in emission and each generation fitted to n rows
    of the one before. Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per generation, 2 or more.

    Returns
    -------
    ndarray
        Ratio in (0, 1).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Bertrand et al. 2024, arXiv 2310.00429; derived again for this library.

    Examples
    --------
    >>> scale_decay([0, 9, 99], n=20).round(4).tolist()
    [0.9869, 0.8768, 0.2684]
    """
    from scipy.special import gammaln

    rows = at_least("n", n, 2, "a standard deviation needs two rows")
    log_c4 = np.log(2 / (rows - 1)) / 2 + gammaln(rows / 2) - gammaln((rows - 1) / 2)
    return plain(np.exp((generation_index(t) + 1) * log_c4))


def wasserstein_error(t: ArrayLike, *, n: ArrayLike, variance: ArrayLike = 1.0) -> Array:
    r"""Squared Wasserstein distance between generation t and the truth, in expectation.

    .. math:: E\,W_2^2 = s_2 \left[\frac{t+1}{n} + 2 - 2 c_4(n)^{t+1}\right]

    for the loop of `scale_decay`. Exact. It grows without bound although the variance collapses:
    the mean walks away.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per generation, 2 or more.
    variance
        Variance of a real row, positive.

    Returns
    -------
    ndarray
        Distance in the units of `variance`.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Setting of Shumailov et al. 2024, arXiv 2305.17493; derived for this library and simulated.

    Examples
    --------
    >>> wasserstein_error([0, 8], n=20).round(4).tolist()
    [0.0761, 0.6733]
    """
    scale = positive("variance", variance, "pass the variance of one row")
    decay = scale_decay(t, n=n)
    walk = (generation_index(t) + 1) / np.asarray(n, dtype=float)
    return plain(scale * (walk + 2 * (1 - decay)))


def narrowed_variance(t: ArrayLike, *, sampling_bias: ArrayLike) -> Array:
    """Ratio of the expected to the true variance, with rows drawn too close to the mean.

    sampling_bias^t, where rows of N(mu, S) are drawn from N(mu, sampling_bias S), the divisor is
    n - 1 and each generation sees only the one before. Exact in any dimension. Almost every lineage
    loses its variance even at 1, `log_variance_drift`.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    sampling_bias
        Factor on the covariance of emitted rows, in [0, 1].

    Returns
    -------
    ndarray
        Ratio in [0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Alemohammad et al. 2024, arXiv 2307.01850.

    Examples
    --------
    >>> narrowed_variance([0, 1, 2], sampling_bias=0.8).round(4).tolist()
    [1.0, 0.8, 0.64]
    """
    return plain(_bias(sampling_bias) ** generation_index(t))


def narrowed_gaussian_law(
    generations: int,
    *,
    n: ArrayLike,
    m: ArrayLike,
    sampling_bias: ArrayLike,
    real_share: ArrayLike | None = None,
    schedule: ArrayLike | None = None,
    variance: ArrayLike = 1.0,
) -> GaussianLaw:
    r"""Variance estimate and risk of the mean when rows are drawn too close to the mean.

    The maximum likelihood fit of n fresh real rows with share w and m rows drawn from
    N(mean, f E) of the generation before, f the sampling bias.

    .. math::
        E_t &= w s_2 (1 - 1/n) + (1-w)(1 - 1/m) f E_{t-1}
            + w(1-w)(s_2/n + M_{t-1} + f E_{t-1}/m) \\
        M_t &= w^2 s_2/n + (1-w)^2 (M_{t-1} + f E_{t-1}/m)

    from E_0 = s_2 (1 - 1/n), M_0 = s_2/n. Exact. f below 1 helps the mean and destroys the
    variance; for many rows E tends to w s_2/(1 - (1-w) f).

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    n, m
        Real and synthetic rows per generation, each 1 or more.
    sampling_bias
        Factor f on the variance of emitted rows, in [0, 1].
    real_share
        Share of the total weight on real rows from generation 1 on, in [0, 1]; n/(n+m) pools.
    schedule
        Real share of each generation instead: first axis generations, entry 0 equal to 1.
    variance
        Variance of a real row, positive.

    Returns
    -------
    GaussianLaw
        `variance` (E_t) and `mean_risk` (M_t), each of shape (generations, ...).

    Raises
    ------
    ValueError
        If an argument is outside its range, or not exactly one of `real_share` and `schedule` is
        given.

    References
    ----------
    Setting of Alemohammad et al. 2024, arXiv 2307.01850; derived for this library and simulated.

    Examples
    --------
    >>> law = narrowed_gaussian_law(3, n=12, m=8, real_share=0.4, sampling_bias=0.8)
    >>> law.variance.round(4).tolist()
    [0.9167, 0.8137, 0.7663]
    """
    scale = positive("variance", variance, "pass the variance of one real row")
    n = at_least("n", n, 1, "pass the number of real rows per generation")
    m = at_least("m", m, 1, "pass the number of synthetic rows per generation")
    f = _bias(sampling_bias)
    shares = real_share_path(generations, real_share, schedule)
    shape = np.broadcast_shapes(shares.shape[1:], n.shape, m.shape, f.shape, scale.shape)
    estimate, risk = np.empty((len(shares), *shape)), np.empty((len(shares), *shape))
    estimate[0], risk[0] = scale * (1 - 1 / n), scale / n
    for t in range(1, len(shares)):
        w, row = shares[t], f * estimate[t - 1]
        batch = risk[t - 1] + row / m
        within = w * scale * (1 - 1 / n) + (1 - w) * (1 - 1 / m) * row
        estimate[t] = within + w * (1 - w) * (scale / n + batch)
        risk[t] = w**2 * scale / n + (1 - w) ** 2 * batch
    return GaussianLaw(variance=estimate, mean_risk=risk)


def narrowed_effective_rows(
    real_share: ArrayLike, *, n: ArrayLike, m: ArrayLike, sampling_bias: ArrayLike = 1.0
) -> Array:
    r"""Real rows whose mean has the error that a loop with known variance settles at.

    .. math:: n_e = \frac{1 - (1-w)^2}{w^2/n + (1-w)^2 f/m}

    with f the sampling bias. Exact for a Gaussian mean with known variance; the estimated variance
    would shrink f further. Does not depend on generation 0.

    Parameters
    ----------
    real_share
        Share w of the total weight on fresh real rows, in [0, 1].
    n, m
        Real and synthetic rows per generation, each 1 or more.
    sampling_bias
        Factor f on the variance of emitted rows, in [0, 1].

    Returns
    -------
    ndarray
        Number of rows, 0 or more; below n where the loop does harm.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Alemohammad et al. 2024, arXiv 2307.01850; derived again for this library.

    Examples
    --------
    >>> narrowed_effective_rows(0.1, n=100, m=900, sampling_bias=[1.0, 0.8]).round(2).tolist()
    [190.0, 231.71]
    """
    n = at_least("n", n, 1, "pass the number of real rows per generation")
    m = at_least("m", m, 1, "pass the number of synthetic rows per generation")
    return plain(1 / limit_risk(real_share, a=1 / n, b=_bias(sampling_bias) / m))


def _bias(value: ArrayLike) -> Array:
    return share("sampling_bias", value, "pass the factor on the variance of emitted rows")
