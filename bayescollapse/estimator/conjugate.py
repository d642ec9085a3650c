"""Closed forms shared by conjugate families."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bayescollapse.estimator.exact import Floats

__all__ = ["root_inverse_gamma_constants"]


def root_inverse_gamma_constants(
    shape: Floats, probabilities: tuple[float, ...]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Moments and quantiles of sigma at unit scale, where 1/sigma^2 is gamma with this shape.

    Parameters
    ----------
    shape : ndarray, shape (replicate,) or (1,)
        Shape of the gamma variable.
    probabilities : tuple of float
        Probabilities of the quantiles.

    Returns
    -------
    first, second : ndarray, shape (replicate,)
        E[sigma] and E[sigma^2]; infinite where they do not exist.
    t_quantiles, sigma_quantiles : ndarray, shape (replicate, quantile)
        Student-t quantiles with 2·shape degrees of freedom, and quantiles of sigma.

    Notes
    -----
    Weights are mostly the same in every replicate: each distinct shape is computed once and kept.
    """
    if shape.size == 1:
        moments = _unit_constants(float(shape[0]), probabilities)
        first, second, t_quantiles, s_quantiles = (np.array([value]) for value in moments)
        return first, second, t_quantiles, s_quantiles
    distinct, index = np.unique(shape, return_inverse=True)
    columns = zip(
        *(_unit_constants(float(value), probabilities) for value in distinct), strict=True
    )
    first, second, t_quantiles, s_quantiles = (np.array(column)[index] for column in columns)
    return first, second, t_quantiles, s_quantiles


@lru_cache(maxsize=4096)
def _unit_constants(
    shape: float, probabilities: tuple[float, ...]
) -> tuple[float, float, tuple[float, ...], tuple[float, ...]]:
    """Moments of a root-inverse-gamma variable of unit scale, its and Student-t quantiles."""
    from scipy.special import gammainccinv, gammaln, stdtrit

    first = np.exp(gammaln(shape - 0.5) - gammaln(shape)) if shape > 0.5 else np.inf
    second = 1 / (shape - 1) if shape > 1 else np.inf
    p = np.array(probabilities)
    return (
        float(first),
        float(second),
        tuple(np.asarray(stdtrit(2 * shape, p)).tolist()),
        tuple(np.asarray(1 / np.sqrt(gammainccinv(shape, p))).tolist()),
    )
