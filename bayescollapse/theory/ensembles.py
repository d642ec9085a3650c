"""One round of several synthetic data sets, each from its own posterior draw."""

from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, at_least, plain, positive

__all__ = ["combined_variance", "ensemble_mean_variance", "naive_combined_variance"]


def ensemble_mean_variance(
    n: ArrayLike, *, m: ArrayLike, members: ArrayLike, variance: ArrayLike = 1.0
) -> Array:
    r"""Variance of the average of K synthetic means around the truth.

    .. math:: \mathrm{Var}(\bar q) = \frac{s_2}{n} + \frac{1}{K}\left(\frac{s_2}{n}
        + \frac{s_2}{m}\right)

    for a Gaussian mean with flat prior and known variance: n real rows, K data sets of m rows from
    K posterior draws. Exact. For K = 1 an analyst who takes the rows for real claims s2/m.

    Parameters
    ----------
    n, m
        Real rows and rows per synthetic data set, each 1 or more.
    members
        Number K of synthetic data sets, 1 or more.
    variance
        Variance of a row, positive.

    Returns
    -------
    ndarray
        Variance in the units of `variance`.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Setting of van Breugel et al. 2023, arXiv 2305.09235; derived for this library and simulated.

    Examples
    --------
    >>> round(float(ensemble_mean_variance(30, m=40, members=6)), 5)
    0.04306
    """
    real = at_least("n", n, 1, "pass the number of real rows")
    made = at_least("m", m, 1, "pass the rows of one synthetic data set")
    count = _members(members, 1)
    scale = positive("variance", variance, "pass the variance of one row")
    return plain(scale * (1 / real + (1 / real + 1 / made) / count))


def combined_variance(between: ArrayLike, within: ArrayLike, *, members: ArrayLike) -> Array:
    r"""Estimate of the variance of an average over fully synthetic data sets.

    .. math:: T_f = \left(1 + \frac{1}{K}\right) b - \bar v

    with b the sample variance of the K estimates and v the mean of the variances each claims.
    Unbiased for `ensemble_mean_variance` (exact); may be negative, above all for few data sets.
    With plug-in data sets it averages s2/(K m) only: the data sets must come from posterior draws.

    Parameters
    ----------
    between
        Sample variance of the estimates, divisor K - 1, 0 or more.
    within
        Mean of the claimed variances, 0 or more, in the units of `between`.
    members
        Number K of data sets, 2 or more.

    Returns
    -------
    ndarray
        Variance in the units of `between`, of either sign.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Rule for fully synthetic data in the setting of van Breugel et al. 2023, arXiv 2305.09235;
    unbiasedness was derived for this library and simulated.

    Examples
    --------
    >>> round(float(combined_variance(0.06, 0.025, members=6)), 4)
    0.045
    """
    b, v, count = _parts(between, within, members)
    return plain((1 + 1 / count) * b - v)


def naive_combined_variance(between: ArrayLike, within: ArrayLike, *, members: ArrayLike) -> Array:
    r"""Variance by the rule for multiple imputation, too large for fully synthetic data.

    .. math:: \bar v + \left(1 + \frac{1}{K}\right) b

    It overstates `combined_variance` by twice the mean claimed variance. Exact.

    Parameters
    ----------
    between, within, members
        As in `combined_variance`.

    Returns
    -------
    ndarray
        Variance in the units of `between`.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Bias derived for this library in the setting of van Breugel et al. 2023, arXiv 2305.09235.

    Examples
    --------
    >>> round(float(naive_combined_variance(0.06, 0.025, members=6)), 4)
    0.095
    """
    b, v, count = _parts(between, within, members)
    return plain(v + (1 + 1 / count) * b)


def _parts(between: ArrayLike, within: ArrayLike, members: ArrayLike) -> tuple[Array, Array, Array]:
    return (
        at_least("between", between, 0, "pass the sample variance of the estimates"),
        at_least("within", within, 0, "pass the mean of the claimed variances"),
        _members(members, 2),
    )


def _members(members: ArrayLike, least: int) -> Array:
    return at_least("members", members, least, "pass the number of synthetic data sets")
