"""Divergences of one parameter from its mean and sd: shift, ratio of sds, Hellinger distance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescollapse.measures.registry import REFERENCES, Measure

__all__ = ["MEASURES", "gaussian_hellinger", "sd_ratio", "shift_sds"]

Floats = NDArray[np.float64]


def shift_sds(mean_p: ArrayLike, mean_q: ArrayLike, sd_q: ArrayLike) -> Floats:
    r"""Shift of the mean in standard deviations of the reference.

    .. math:: (m_p - m_q) / s_q

    Parameters
    ----------
    mean_p, mean_q, sd_q : array_like
        Mean, and mean and standard deviation of the reference; they broadcast.

    Returns
    -------
    ndarray
        Shift in reference sds, any sign; null 0. Unchanged by increasing affine maps. Infinite from
        a reference that is a point mass, missing if the means agree there.

    Raises
    ------
    ValueError
        If a standard deviation is negative.

    Examples
    --------
    >>> float(shift_sds(3.0, 1.0, 4.0))
    0.5
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.subtract(mean_p, mean_q) / _sd("sd_q", sd_q))


def sd_ratio(sd_p: ArrayLike, sd_q: ArrayLike) -> Floats:
    """Divide the standard deviation by that of the reference.

    Parameters
    ----------
    sd_p, sd_q : array_like
        Standard deviations; they broadcast.

    Returns
    -------
    ndarray
        Ratio, 0 to infinity; null 1. Unchanged by one-to-one affine maps. Missing if both are 0.

    Raises
    ------
    ValueError
        If a standard deviation is negative.

    Notes
    -----
    Of two samples of n and m Gaussian draws, the ratio of sample sds is biased upwards by about
    ``1 / (2 m)`` of its value; from closed-form summaries it is exact.

    Examples
    --------
    >>> float(sd_ratio(1.0, 2.0))
    0.5
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(_sd("sd_p", sd_p) / _sd("sd_q", sd_q))


def gaussian_hellinger(
    mean_p: ArrayLike, sd_p: ArrayLike, mean_q: ArrayLike, sd_q: ArrayLike
) -> Floats:
    r"""Hellinger distance between two Gaussians on the line.

    .. math:: H^2 = 1 - \sqrt{\frac{2 s_p s_q}{s_p^2 + s_q^2}}
        \exp\left(-\frac{(m_p - m_q)^2}{4 (s_p^2 + s_q^2)}\right)

    Parameters
    ----------
    mean_p, sd_p, mean_q, sd_q : array_like
        Means and standard deviations; they broadcast. A standard deviation of 0 is a point mass.

    Returns
    -------
    ndarray
        Distance, 0 to 1: 1 between a point mass and anything else. Symmetric; unchanged by
        one-to-one affine maps.

    Raises
    ------
    ValueError
        If a standard deviation is negative.

    Notes
    -----
    For posteriors that are not Gaussian this compares their first two moments only. From moments of
    n draws of one distribution each it is on average 0.044, 0.028 and 0.020 for n = 200, 500 and
    1,000; from closed forms it is 0.

    References
    ----------
    .. [1] Kailath (1967), doi:10.1109/TCOM.1967.1089532.

    Examples
    --------
    >>> round(float(gaussian_hellinger(2.0, 1.0, 0.0, 1.0)), 4)
    0.6273
    """
    sd_p, sd_q = _sd("sd_p", sd_p), _sd("sd_q", sd_q)
    shift = np.subtract(mean_p, mean_q)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        squares = sd_p**2 + sd_q**2
        narrowing = (sd_p - sd_q) ** 2 / squares
        exponent = np.log1p(-narrowing) / 2 - shift**2 / (4 * squares)
        distance = np.sqrt(-np.expm1(exponent))
    equal = (shift == 0) & (sd_p == sd_q)
    apart = (squares == 0) & np.isfinite(shift)
    return np.where(equal, 0.0, np.where(apart, 1.0, distance))


def _sd(name: str, value: ArrayLike) -> Floats:
    sd = np.asarray(value, dtype=np.float64)
    if (sd < 0).any():
        raise ValueError(f"{name} must be 0 or more, got {float(np.nanmin(sd))!r}")
    return sd


_FROM_DRAWS = "compares two moments only; {} upwards at equality if they are those of sampled draws"


def _measure(name: str, meaning: str, units: str, **properties: Any) -> Measure:
    given: dict[str, Any] = {"lowest": 0.0, "highest": math.inf, "null": 0.0, "symmetric": False}
    given |= {"references": REFERENCES, **properties}
    return Measure(name=name, question="posterior drift", meaning=meaning, units=units, **given)


MEASURES = (
    _measure(
        "shift_sds",
        "posterior mean minus the reference's, in its sds",
        "reference sds",
        lowest=-math.inf,
        invariant="increasing affine",
        source="standardised difference of means",
    ),
    _measure(
        "sd_ratio",
        "posterior sd over the reference's",
        "1",
        invariant="affine",
        null=1.0,
        source="ratio of standard deviations",
    ),
    _measure(
        "gaussian_kl",
        "Kullback-Leibler divergence from the reference, of Gaussians with the moments",
        "nats",
        invariant="affine",
        bias=_FROM_DRAWS.format("2 / draws"),
        source="Kullback and Leibler (1951), doi:10.1214/aoms/1177729694",
    ),
    _measure(
        "gaussian_hellinger",
        "Hellinger distance to the reference, of Gaussians with the moments",
        "1",
        highest=1.0,
        symmetric=True,
        invariant="affine",
        bias=_FROM_DRAWS.format("0.6 / sqrt(draws)"),
        source="Kailath (1967), doi:10.1109/TCOM.1967.1089532",
    ),
    _measure(
        "gaussian_wasserstein",
        "order-2 Wasserstein distance to the reference, of Gaussians with the moments",
        "units of the parameter",
        symmetric=True,
        invariant="translation",
        bias=_FROM_DRAWS.format("1.5 sds / sqrt(draws)"),
        source="Dowson and Landau (1982), doi:10.1016/0047-259X(82)90077-X",
    ),
    _measure(
        "wasserstein",
        "order-2 Wasserstein distance to the reference, from draws",
        "units of the parameter",
        symmetric=True,
        invariant="translation",
        needs=("draws",),
        bias="upwards, of order sd / sqrt(draws): compare with its permutation null",
        source="Panaretos and Zemel (2019), doi:10.1146/annurev-statistics-030718-104938",
    ),
)
"""What posterior drift measures of one parameter."""
