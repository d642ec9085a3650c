"""Least squares and ridge regressions that are fitted to labels of earlier regressions."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    at_least,
    finite,
    generation_index,
    plain,
    share,
)

__all__ = [
    "fresh_design_error",
    "information_trace",
    "min_norm_error",
    "mixture_bias",
]


def fresh_design_error(
    t: ArrayLike,
    *,
    rows: ArrayLike,
    features: ArrayLike,
    noise_variance: ArrayLike = 1.0,
    chain_rows: ArrayLike | None = None,
    chain_noise_variance: ArrayLike | None = None,
) -> Array:
    r"""Error of least squares when every generation labels new covariates for the next.

    .. math:: E\|\hat\beta_t - \beta\|^2 = \frac{s_2 d}{T - d - 1} + t \frac{s_0 d}{T_0 - d - 1}

    for T rows with d independent standard normal features in the last fit, T_0 rows with noise
    variance s_0 in the t fits before it. Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    rows
        Rows T of the last fit, at least features + 2.
    features
        Features d, 1 or more.
    noise_variance
        Variance s2 of the last fit's labels, 0 or more.
    chain_rows, chain_noise_variance
        T_0 and s_0 of the fits before; None is `rows` and `noise_variance`.

    Returns
    -------
    ndarray
        Error in units of the noise variance over squared feature units.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Dohmatob, Feng and Kempe 2024, arXiv 2402.07712.

    Examples
    --------
    >>> fresh_design_error([0, 3], rows=40, features=5).round(4).tolist()
    [0.1471, 0.5882]
    """
    d = at_least("features", features, 1, "pass the number of columns of the design")
    last = _rows_above("rows", rows, d)
    chain = last if chain_rows is None else _rows_above("chain_rows", chain_rows, d)
    s2 = at_least("noise_variance", noise_variance, 0, "pass the variance of a label")
    s0 = s2
    if chain_noise_variance is not None:
        s0 = at_least("chain_noise_variance", chain_noise_variance, 0, "pass that of a label")
    return plain(s2 * d / (last - d - 1) + generation_index(t) * s0 * d / (chain - d - 1))


def min_norm_error(
    t: ArrayLike,
    *,
    rows: ArrayLike,
    features: ArrayLike,
    noise_variance: ArrayLike = 0.0,
    signal: ArrayLike = 1.0,
) -> Array:
    r"""Error of the least-norm fit to fewer rows than features, with new covariates each time.

    .. math:: E\|\hat\beta_t - \beta\|^2 = \|\beta\|^2 \left(1 - g^{t+1}\right)
        + \frac{s_2 T}{d - T - 1} \frac{1 - g^{t+1}}{1 - g}, \qquad g = \frac{T}{d} < 1

    Each fit keeps the part g of the signal and of the noise before it. Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    rows
        Rows T per generation, 1 or more; at most features - 1, and features - 2 with noise.
    features
        Independent standard normal features d.
    noise_variance
        Variance s2 of the labels, 0 or more.
    signal
        Squared norm of the true coefficients, 0 or more.

    Returns
    -------
    ndarray
        Error in the units of `signal`.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Dohmatob, Feng and Kempe 2024, arXiv 2402.07712, without noise; the noise term was derived for
    this library and simulated.

    Examples
    --------
    >>> min_norm_error([0, 3], rows=15, features=30).round(4).tolist()
    [0.5, 0.9375]
    """
    count = at_least("rows", rows, 1, "pass the number of rows per generation")
    d = at_least("features", features, 1, "pass the number of columns of the design")
    s2 = at_least("noise_variance", noise_variance, 0, "pass the variance of a label")
    length = at_least("signal", signal, 0, "pass the squared norm of the true coefficients")
    short = d - count - 1
    if np.any((short < 0) | ((short == 0) & (s2 > 0))):
        raise ValueError(
            f"rows must be below features (by 2 or more with noise), got rows {rows!r} with "
            f"features {features!r}: with more rows use fresh_design_error"
        )
    part = count / d
    left = 1 - part ** (generation_index(t) + 1)
    noise = np.where(s2 > 0, s2 * count / np.where(short > 0, short, 1.0), 0.0)
    return plain(left * (length + noise / (1 - part)))


def mixture_bias(synthetic_share: ArrayLike, *, offset: ArrayLike) -> Array:
    r"""Error that no number of rows removes when a share of labels comes from a wrong model.

    .. math:: E\|\hat\beta - \beta\|^2 \to p^2 \|\beta_{syn} - \beta\|^2

    for least squares on pooled real and synthetic rows with the same covariates in distribution.
    Asymptotic in the rows: any fixed share of synthetic rows stops the gain from more data.

    Parameters
    ----------
    synthetic_share
        Share p of synthetic rows, in [0, 1].
    offset
        Distance of the synthetic rows' coefficients to the truth, 0 or more.

    Returns
    -------
    ndarray
        Limit of the squared error.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Dohmatob et al. 2025, arXiv 2410.04840, for many more rows than features; derived for this
    library.

    Examples
    --------
    >>> round(float(mixture_bias(0.2, offset=0.5)), 4)
    0.01
    """
    part = share("synthetic_share", synthetic_share, "pass the share of synthetic rows")
    return plain((part * at_least("offset", offset, 0, "pass a distance of coefficients")) ** 2)


def information_trace(family: str, *, coefficients: ArrayLike) -> Array:
    r"""Trace of the inverse information of one row of a logistic or Poisson regression.

    .. math:: \mathrm{tr}(I^{-1}) = \frac{1}{E[v(\|\beta\| Z) Z^2]} + \frac{p-1}{E[v(\|\beta\| Z)]}

    for standard normal covariates without intercept, v the variance of the response at a linear
    predictor. The error of maximum likelihood is tr(I^-1)/n and that of the loop the recursion with
    a = tr(I^-1)/n, b = tr(I^-1)/m, c = 1. The trace is exact (Poisson in closed form, logistic by
    quadrature), the error law first order in 1/n.

    Parameters
    ----------
    family
        "logistic" or "poisson" (log link).
    coefficients
        True coefficients, shape (..., p), norm at most 10.

    Returns
    -------
    ndarray
        Trace, in squared units of the coefficients.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Settings of He, Xu and Cheng 2025, arXiv 2502.18049; derived for this library.

    Examples
    --------
    >>> round(float(information_trace("logistic", coefficients=[1.0, 1.0])), 3)
    15.465
    >>> round(float(information_trace("poisson", coefficients=[1.0, 1.0])), 4)
    0.4905
    """
    beta = finite("coefficients", coefficients, "pass the true coefficients")
    if beta.ndim == 0:
        raise ValueError(f"coefficients must be a list, got the number {beta:g}: pass [{beta:g}]")
    length = np.sqrt(np.sum(beta**2, axis=-1))
    if np.any(length > 10):
        raise ValueError(
            f"coefficients must have a norm of at most 10, got {np.max(length):g}: rescale the "
            "covariates"
        )
    if family == "poisson":
        across = np.exp(length**2 / 2)
        along = across * (1 + length**2)
    elif family == "logistic":
        # A fine even grid: the integrand is analytic and far narrower than its ends.
        z = np.linspace(-9, 9, 2001)
        mass = np.exp(-(z**2) / 2)
        mass /= mass.sum()
        slope = 0.25 / np.cosh(length[..., None] * z / 2) ** 2
        across, along = slope @ mass, slope @ (mass * z**2)
    else:
        raise ValueError(
            f'family must be "logistic" or "poisson", got {family!r}: name the regression'
        )
    return plain(1 / along + (beta.shape[-1] - 1) / across)


def _rows_above(name: str, value: ArrayLike, features: Array) -> Array:
    rows = at_least(name, value, 1, "pass the number of rows")
    if np.any(rows < features + 2):
        raise ValueError(
            f"{name} must be at least features + 2, got {value!r}: with fewer rows the error has "
            "no finite mean"
        )
    return rows
