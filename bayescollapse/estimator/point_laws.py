r"""Points of the laws that conjugate posteriors are made of, in closed form.

A power q stands for the scale the point is taken on: the mean is
:math:`(\mathrm{E}\,x^q)^{1/q}`, with the limit :math:`\exp \mathrm{E} \log x` at q = 0, and a mode
is that of the density of :math:`x^q` (of :math:`\log x` at q = 0).
"""

from __future__ import annotations

import numpy as np

from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.points import Point

__all__ = [
    "beta_point",
    "gamma_point",
    "positive_weight",
    "root_inverse_gamma_point",
    "simplex_mode",
]


def gamma_point(shape: Floats, rate: Floats, point: Point, name: str) -> Floats:
    """Mean or mode of a gamma variable; a mode may lie on the boundary, 0.

    Parameters
    ----------
    shape, rate : ndarray, shape (replicate,) or (1,)
        Of the gamma law, positive.
    point : Point
        A mean or a mode.
    name : str
        The variable.

    Raises
    ------
    ValueError
        If the mean does not exist.
    """
    from scipy.special import digamma, gammaln

    q = point.power(name)
    if point.kind != "mean":
        return np.asarray(np.maximum(shape - q, 0.0) / rate)
    _refuse_infinite(shape + q, point, name)
    if q == 0:
        return np.asarray(np.exp(digamma(shape)) / rate)
    return np.asarray(np.exp((gammaln(shape + q) - gammaln(shape)) / q) / rate)


def root_inverse_gamma_point(
    shape: Floats, scale: Floats, point: Point, name: str, *, given: int = 0
) -> Floats:
    r"""Mean or mode of :math:`\sigma`, where :math:`1/\sigma^2` is gamma of this shape and rate.

    Parameters
    ----------
    shape, scale : ndarray, shape (replicate,) or (1,)
        Of the inverse-gamma law of sigma^2.
    point : Point
        A mean or a mode.
    name : str
        The variable.
    given : int
        Coefficients that are Gaussian given sigma, with sds in proportion to it. The joint density
        of all has their mode at their means, and sigma^-given more at it.

    Raises
    ------
    ValueError
        If the mean does not exist.
    """
    from scipy.special import digamma, gammaln

    q = point.power(name)
    if point.kind != "mean":
        more = given if point.kind == "map" else 0
        return np.asarray(np.sqrt(2 * scale / (2 * shape + q + more)))
    _refuse_infinite(shape - q / 2, point, name)
    if q == 0:
        return np.asarray(np.sqrt(scale) * np.exp(-digamma(shape) / 2))
    return np.asarray(np.sqrt(scale) * np.exp((gammaln(shape - q / 2) - gammaln(shape)) / q))


def beta_point(first: Floats, second: Floats, point: Point, name: str) -> Floats:
    """Mean or mode of a beta variable; a mode may lie on the boundary, 0 or 1.

    Parameters
    ----------
    first, second : ndarray, shape (replicate,)
        Of the beta law, positive.
    point : Point
        A mean or a mode.
    name : str
        The variable.

    Raises
    ------
    ValueError
        If the mean does not exist, or the density has no single mode.
    """
    from scipy.special import digamma, expit, gammaln

    logit = point.transform(name) == "logit"
    if point.kind != "mean":
        q, r = (0.0, 0.0) if logit else (point.power(name), 1.0)
        return simplex_mode(np.stack([first - q, second - r], axis=-1), point)[..., 0]
    if logit:
        return np.asarray(expit(digamma(first) - digamma(second)))
    q, total = point.power(name), first + second
    _refuse_infinite(first + q, point, name)
    if q == 0:
        return np.asarray(np.exp(digamma(first) - digamma(total)))
    log_moment = gammaln(first + q) - gammaln(first) + gammaln(total) - gammaln(total + q)
    return np.asarray(np.exp(log_moment / q))


def simplex_mode(exponents: Floats, point: Point) -> Floats:
    """Maximum over probabilities of a product of their powers.

    Parameters
    ----------
    exponents : ndarray, shape (replicate, category)
        Powers. A probability whose power is not positive is 0: where it is negative the density is
        unbounded there, and this is its largest pole.
    point : Point
        For errors.

    Returns
    -------
    ndarray, shape (replicate, category)

    Raises
    ------
    ValueError
        If no power is positive.
    """
    used = np.maximum(exponents, 0.0)
    total = used.sum(axis=-1, keepdims=True)
    if not total.all():
        raise ValueError(
            f"emission 'plug-in({point.label})': the density has no single mode, because no "
            "probability has a positive power; use rows of positive weight, a prior concentration "
            "above 1, or another point"
        )
    return np.asarray(used / total)


def positive_weight(weight: Floats, point: Point, least: float = 0.0) -> Floats:
    """Refuse a total weight that an estimate from the likelihood alone cannot have.

    Parameters
    ----------
    weight : ndarray, shape (replicate,) or (1,)
        Total weight.
    point : Point
        For errors.
    least : float
        The weight must exceed this.
    """
    if (weight <= least).any():
        raise ValueError(
            f"emission 'plug-in({point.label})' needs a total weight above {least:g}, got "
            f"{float(np.min(weight)):g}: give more weight, or use 'plug-in', which reads the prior"
        )
    return weight


def _refuse_infinite(exists: Floats, point: Point, name: str) -> None:
    if (np.asarray(exists) <= 0).any():
        raise ValueError(
            f"emission 'plug-in({point.label})': the posterior of {name!r} has no such mean, "
            "because the total weight is too small; give more weight, or use 'mean of log "
            f"{name}', which always exists"
        )
