"""One generation of a loop whose rows pass a verifier that holds a ball.

A regression y = x'theta + noise emits rows along orthonormal directions v_j. The verifier, which
believes in the coefficients theta_c, keeps a row if

    |y - x'theta_c| <= radius ||x|| + slack

and the next generation is least squares on the kept rows. Directions do not mix, so everything
here is about the offset z = v_j'(theta - theta_c) of one direction. Kept rows have normal noise
truncated to [-h - z, h - z], h = radius + slack, and their mean is pulled towards theta_c.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, at_least, finite, plain, positive
from bayescollapse.theory.truncated import inside_probability, truncated_moments

__all__ = [
    "VerifiedMap",
    "VerifiedStep",
    "contraction_rate",
    "verified_map",
    "verified_step",
]


class VerifiedMap(NamedTuple):
    """What a verifier does to an offset from its centre in one generation of endless rows.

    Attributes
    ----------
    offset
        Offset of the next generation, T(z), in the units of the coefficients.
    slope
        T'(z), in (0, 1); also the variance of kept noise in units of the noise variance.
    acceptance
        Probability that an emitted row is kept.
    """

    offset: Array
    slope: Array
    acceptance: Array


class VerifiedStep(NamedTuple):
    """Mean squared errors before and after one verified generation, summed over directions.

    Attributes
    ----------
    risk
        Error of the generation fitted to kept rows, E||theta_1 - theta*||^2.
    baseline
        Error of generation 0, E||theta_0 - theta*||^2.
    bias
        Part of `risk` that neither real nor synthetic rows remove: the squared pull at the truth.
    """

    risk: Array
    baseline: Array
    bias: Array


def verified_map(
    offset: ArrayLike,
    *,
    radius: ArrayLike,
    slack: ArrayLike | None = None,
    noise_sd: ArrayLike = 1.0,
) -> VerifiedMap:
    r"""Offset from the verifier's centre after one generation of endless kept rows.

    .. math:: T(z) = z + \sigma\, m_1\!\left(\frac{-h-z}{\sigma}, \frac{h-z}{\sigma}\right),
        \qquad T'(z) = m_2 \le \rho < 1, \qquad h = r + s_c

    T(0) = 0 and T is a contraction, so any start ends at the verifier's centre and not at the
    truth; the radius sets how fast. Exact.

    Parameters
    ----------
    offset
        z = v'(theta - theta_c), any finite number, in units of the coefficients (unit covariate).
    radius
        Radius of the verifier's ball, 0 or more, in the units of `offset`.
    slack
        Residual allowed on top, 0 or more, in units of the response; None is
        noise_sd sqrt(2/pi), the mean absolute noise. Radius and slack must not both be 0.
    noise_sd
        Standard deviation of the noise, positive.

    Returns
    -------
    VerifiedMap
        `offset`, `slope` and `acceptance`; all arguments broadcast.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Rule and default slack: Yi, Liu, Cheng and Xu 2025, arXiv 2510.16657; the map was derived for
    this library, checked by finite differences and simulation.

    Examples
    --------
    >>> step = verified_map(1.0, radius=0.1)
    >>> [round(float(value), 4) for value in step]
    [0.2311, 0.2125, 0.4305]
    """
    z = finite("offset", offset, "pass how far the coefficients are from the verifier's centre")
    reach, sigma = verifier_reach(radius, slack, noise_sd)
    low, high = (-reach - z) / sigma, (reach - z) / sigma
    moments = truncated_moments(low, high)
    return VerifiedMap(
        plain(z + sigma * moments.mean), moments.variance, inside_probability(low, high)
    )


def contraction_rate(
    *, radius: ArrayLike, slack: ArrayLike | None = None, noise_sd: ArrayLike = 1.0
) -> Array:
    r"""Largest factor on the distance to the verifier's centre in one generation.

    .. math:: \rho = 1 - \frac{2 c\, \varphi(c)}{2\Phi(c) - 1}, \qquad c = \frac{r + s_c}{\sigma}

    the slope of `verified_map` at 0, where it is largest. Exact. It tends to 1 as the verifier
    keeps everything: without a verifier nothing contracts.

    Parameters
    ----------
    radius, slack, noise_sd
        As in `verified_map`.

    Returns
    -------
    ndarray
        Factor per generation, in (0, 1).

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library after Yi, Liu, Cheng and Xu 2025, arXiv 2510.16657; that the slope is
    largest at 0 was checked on a grid.

    Examples
    --------
    >>> round(float(contraction_rate(radius=0.1)), 4)
    0.241
    """
    reach, sigma = verifier_reach(radius, slack, noise_sd)
    return truncated_moments(-reach / sigma, reach / sigma).variance


def verified_step(
    offset: ArrayLike,
    *,
    accepted: ArrayLike,
    singular_values: ArrayLike,
    radius: ArrayLike,
    slack: ArrayLike | None = None,
    noise_sd: ArrayLike = 1.0,
) -> VerifiedStep:
    r"""Mean squared error after one verified generation, to second order in that of generation 0.

    Generation 0 is least squares on a design with singular values mu_j; generation 1 is least
    squares on n_1 kept rows along each right singular vector v_j.

    .. math:: \frac{R_1}{\sigma^2} = \sum_j \left[ \frac{m_{2j}}{n_1} + m_{1j}^2
        + \frac{m_{2j}^2 + m_{1j} m_{3j}}{\mu_j^2} \right], \qquad
        \frac{R_0}{\sigma^2} = \sum_j \frac{1}{\mu_j^2}

    with the moments of the noise kept at the truth, inside
    (-r - s_c - z_j)/sigma and (r + s_c - z_j)/sigma. An unbiased verifier (z = 0) improves on
    generation 0 where m_2/n_1 < (1 - m_2^2)/mu^2. Second order in 1/mu_j; `verified_path` has no
    such error.

    Parameters
    ----------
    offset
        z_j = v_j'(theta* - theta_c), truth minus verifier, shape (..., directions), in units of
        the coefficients.
    accepted
        Kept rows n_1 per direction, 1 or more, inf for endless rows; broadcasts with the leading
        axes of `offset`.
    singular_values
        mu_j, positive, shape (..., directions), or one for all.
    radius, slack, noise_sd
        As in `verified_map`; they broadcast with the leading axes of `offset`.

    Returns
    -------
    VerifiedStep
        `risk`, `baseline` and `bias`, without the axis of directions, in squared units of the
        coefficients.

    Raises
    ------
    ValueError
        If an argument is outside its range or `offset` has no axis of directions.

    References
    ----------
    Yi, Liu, Cheng and Xu 2025, arXiv 2510.16657, theorem 3.1 in the form of the authors' code,
    derived again and simulated for this library.

    Examples
    --------
    >>> step = verified_step([0.0], accepted=100, singular_values=10.0, radius=0.1)
    >>> round(float(step.risk), 5), round(float(step.baseline), 5)
    (0.00299, 0.01)
    >>> biased = verified_step([0.3], accepted=100, singular_values=10.0, radius=0.1)
    >>> round(float(biased.risk), 4)
    0.055
    """
    z = directions("offset", offset)
    reach, sigma = verifier_reach(radius, slack, noise_sd)
    reach, sigma = reach[..., None], sigma[..., None]
    rows = accepted_rows(accepted)[..., None]
    mu = positive("singular_values", singular_values, "pass those of the real design")
    first, second, third = truncated_moments((-reach - z) / sigma, (reach - z) / sigma)
    pull, carried = first**2, (second**2 + first * third) / mu**2
    risk = sigma**2 * (second / rows + pull + carried)
    parts = (risk, sigma**2 / mu**2, sigma**2 * pull)
    return VerifiedStep(
        *(plain(np.sum(np.broadcast_to(part, risk.shape), axis=-1)) for part in parts)
    )


def verifier_reach(
    radius: ArrayLike, slack: ArrayLike | None, noise_sd: ArrayLike
) -> tuple[Array, Array]:
    """Return the largest residual that passes along a unit covariate, and the noise's sd."""
    sigma = positive("noise_sd", noise_sd, "pass the standard deviation of the noise")
    ball = at_least("radius", radius, 0, "pass the radius of the verifier's ball")
    extra = np.asarray(sigma * np.sqrt(2 / np.pi))
    if slack is not None:
        extra = at_least("slack", slack, 0, "pass the residual allowed on top of the radius")
    reach = np.asarray(ball + extra)
    if np.any(reach <= 0):
        raise ValueError(
            "radius + slack must be positive, got 0: a verifier that allows no residual keeps no "
            "row; pass a larger radius or slack"
        )
    reach, sigma = np.broadcast_arrays(reach, sigma)
    return reach, sigma


def directions(name: str, value: ArrayLike) -> Array:
    """Return finite numbers with an axis of directions."""
    z = finite(name, value, "pass one number per direction on the last axis")
    if z.ndim == 0:
        raise ValueError(
            f"{name} must have one entry per direction on its last axis, got the number {z:g}: "
            f"pass [{z:g}] for one direction"
        )
    return z


def accepted_rows(accepted: ArrayLike) -> Array:
    """Return counts of kept rows, 1 or more, with inf allowed."""
    rows = np.asarray(accepted, dtype=float)
    if np.any(np.isnan(rows) | (rows < 1)):
        raise ValueError(
            f"accepted must be at least 1, got {accepted!r}: pass the rows that the verifier keeps "
            "per direction, inf for endless rows"
        )
    return rows
