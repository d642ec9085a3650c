"""Many generations of a loop whose rows pass a verifier: errors to the truth and to its centre.

Real rows are used at generation 0 only. Written in offsets from the verifier's centre, as in
`bayescollapse.theory.verification`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, at_least, per_generation, plain, whole
from bayescollapse.theory.truncated import truncated_moments
from bayescollapse.theory.verification import (
    accepted_rows,
    contraction_rate,
    directions,
    verifier_reach,
)

__all__ = ["VerifiedPath", "verified_error_bound", "verified_floor", "verified_path"]

_NODES = 24


class VerifiedPath(NamedTuple):
    """Law of the coefficients of each generation of a verified loop.

    Attributes
    ----------
    offset
        Expected offset from the verifier's centre, shape (generations, ..., directions).
    variance
        Variance of the offset over lineages, same shape.
    centre_error
        E||theta_t - theta_c||^2, shape (generations, ...).
    truth_error
        E||theta_t - theta*||^2, shape (generations, ...).
    """

    offset: Array
    variance: Array
    centre_error: Array
    truth_error: Array


def verified_path(
    generations: int,
    *,
    offset: ArrayLike,
    start_variance: ArrayLike,
    accepted: ArrayLike,
    radius: ArrayLike,
    slack: ArrayLike | None = None,
    noise_sd: ArrayLike = 1.0,
) -> VerifiedPath:
    r"""Follow the errors of a verified loop to the truth and to the verifier's centre.

    With T the map of `verified_map` and m_2 the variance of kept noise,

    .. math:: E z_t = E\,T(z_{t-1}), \qquad
        \mathrm{Var}\, z_t = \mathrm{Var}\, T(z_{t-1}) + \frac{\sigma^2}{n_t} E\, m_2(z_{t-1})

    from z_0 ~ N(offset, start_variance). Exact at generations 0 and 1; later generations take z_t
    to be normal, an error that vanishes as 1/n_t^2 (second order). As n_t grows the coefficients
    go to the verifier's centre: an error to the truth that first falls and then turns is the sign
    of a mild bias.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    offset
        Truth minus verifier's centre by direction, shape (..., directions), in units of the
        coefficients.
    start_variance
        Variance of generation 0 along each direction, 0 or more, sigma^2/mu_j^2 for least squares;
        broadcasts with `offset`.
    accepted
        Kept rows per direction, 1 or more, inf for endless rows: one number, or first axis
        generations (entry t is what generation t is fitted to, entry 0 is not used) and other axes
        that broadcast with the leading axes of `offset`.
    radius, slack, noise_sd
        As in `verified_map`; they broadcast with the leading axes of `offset`.

    Returns
    -------
    VerifiedPath
        `offset`, `variance`, `centre_error` and `truth_error`.

    Raises
    ------
    ValueError
        If an argument is outside its range or a shape does not fit.

    References
    ----------
    Setting: Yi, Liu, Cheng and Xu 2025, arXiv 2510.16657. The recursion was derived for this
    library and simulated.

    Examples
    --------
    A mild bias: gain at first, then reversal.

    >>> path = verified_path(
    ...     5, offset=[0.1], start_variance=0.04, accepted=1000, radius=2.0, slack=0.0)
    >>> [round(float(value), 4) for value in path.truth_error]
    [0.04, 0.0247, 0.0167, 0.0127, 0.0108]
    >>> import numpy as np
    >>> long = verified_path(
    ...     40, offset=[0.1], start_variance=0.04, accepted=np.inf, radius=2.0, slack=0.0)
    >>> round(float(long.truth_error.min()), 4), round(float(long.truth_error[-1]), 4)
    (0.008, 0.01)
    """
    whole("generations", generations, 1, "pass how many generations to follow")
    truth = directions("offset", offset)
    reach, sigma = verifier_reach(radius, slack, noise_sd)
    reach, sigma = reach[..., None], sigma[..., None]
    rows = per_generation("accepted", accepted_rows(accepted), generations)[..., None]
    start = at_least("start_variance", start_variance, 0, "pass the variance of generation 0")
    shape = np.broadcast_shapes(truth.shape, start.shape, reach.shape, rows.shape[1:])
    mean, variance = np.empty((generations, *shape)), np.empty((generations, *shape))
    mean[0], variance[0] = truth, start
    for t in range(1, generations):
        mean[t], spread, kept = _step(mean[t - 1], variance[t - 1], reach, sigma)
        variance[t] = spread + sigma**2 * kept / rows[t]
    return VerifiedPath(
        mean,
        variance,
        np.sum(mean**2 + variance, axis=-1),
        np.sum((mean - truth) ** 2 + variance, axis=-1),
    )


def verified_error_bound(
    generations: int,
    *,
    initial_error: ArrayLike,
    accepted: ArrayLike,
    dimensions: ArrayLike,
    radius: ArrayLike,
    slack: ArrayLike | None = None,
    noise_sd: ArrayLike = 1.0,
) -> Array:
    r"""Bound on the squared distance to the verifier's centre.

    .. math:: E\|\theta_t - \theta_c\|^2 \le \rho^{2t} E\|\theta_0 - \theta_c\|^2
        + p \sigma^2 \sum_{j=1}^{t} \frac{\rho^{2(t-j)+1}}{n_j}

    with n_j kept rows per direction in generation j. An exact inequality at any size, close to
    equality near the centre. It goes to 0 if and only if n_t grows without bound; if n_t grows as
    a power of t it falls as p sigma^2 rho/((1 - rho^2) n_t).

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    initial_error
        E||theta_0 - theta_c||^2, 0 or more, in squared units of the coefficients.
    accepted
        As in `verified_path`.
    dimensions
        Directions p, 1 or more.
    radius, slack, noise_sd
        As in `verified_map`.

    Returns
    -------
    ndarray, shape (generations, ...)
        Bound in the units of `initial_error`.

    Raises
    ------
    ValueError
        If an argument is outside its range or a shape does not fit.

    References
    ----------
    Yi, Liu, Cheng and Xu 2025, arXiv 2510.16657, theorem 4.1, with the rate of
    `contraction_rate`; derived again and simulated for this library.

    Examples
    --------
    >>> bound = verified_error_bound(
    ...     4, initial_error=1.0, accepted=50, dimensions=1, radius=0.1)
    >>> [round(float(value), 4) for value in bound]
    [1.0, 0.0629, 0.0085, 0.0053]
    """
    whole("generations", generations, 1, "pass how many generations to follow")
    rho = np.asarray(contraction_rate(radius=radius, slack=slack, noise_sd=noise_sd))
    _, sigma = verifier_reach(radius, slack, noise_sd)
    start = at_least("initial_error", initial_error, 0, "pass E||theta_0 - theta_c||^2")
    p = at_least("dimensions", dimensions, 1, "pass the number of coefficients")
    rows = per_generation("accepted", accepted_rows(accepted), generations)
    bound = np.empty(
        (generations, *np.broadcast_shapes(rho.shape, start.shape, p.shape, rows.shape[1:]))
    )
    bound[0] = start
    for t in range(1, generations):
        bound[t] = rho**2 * bound[t - 1] + p * sigma**2 * rho / rows[t]
    return bound


def verified_floor(
    accepted: ArrayLike,
    *,
    dimensions: ArrayLike,
    radius: ArrayLike,
    slack: ArrayLike | None = None,
    noise_sd: ArrayLike = 1.0,
) -> Array:
    r"""Bound on the squared distance to the verifier's centre after many generations.

    .. math:: \limsup_t E\|\theta_t - \theta_c\|^2 \le \frac{p\sigma^2\rho}{n (1 - \rho^2)}

    for a constant number n of kept rows per direction. An exact inequality, and equality to first
    order in 1/n, as every start ends near the centre.

    Parameters
    ----------
    accepted
        Kept rows per direction in every generation, 1 or more, inf for endless rows.
    dimensions
        Directions p, 1 or more.
    radius, slack, noise_sd
        As in `verified_map`.

    Returns
    -------
    ndarray
        Bound in squared units of the coefficients.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Yi, Liu, Cheng and Xu 2025, arXiv 2510.16657, theorem 4.1.

    Examples
    --------
    >>> round(float(verified_floor(50, dimensions=1, radius=0.1)), 5)
    0.00512
    """
    rho = contraction_rate(radius=radius, slack=slack, noise_sd=noise_sd)
    _, sigma = verifier_reach(radius, slack, noise_sd)
    p = at_least("dimensions", dimensions, 1, "pass the number of coefficients")
    return plain(p * sigma**2 * rho / (accepted_rows(accepted) * (1 - rho**2)))


def _step(mean: Array, variance: Array, reach: Array, sigma: Array) -> tuple[Array, Array, Array]:
    """Mean and variance of T(z), and expected kept noise variance, for normal z."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    z = mean + np.sqrt(variance) * nodes.reshape(-1, *(1,) * mean.ndim)
    moments = truncated_moments((-reach - z) / sigma, (reach - z) / sigma)
    moved = z + sigma * moments.mean
    first, kept = (np.tensordot(weights, x, axes=1) for x in (moved, moments.variance))
    return first, np.tensordot(weights, (moved - first) ** 2, axes=1), kept
