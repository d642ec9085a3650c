r"""Exact error of a Gaussian covariance that is fitted to pooled, weighted rows.

A PyMC normal with unknown mean and covariance, fitted by power likelihood, has its posterior mean
of the covariance at

.. math:: S_t = w A + (1-w) B + w (1-w) (\bar x - \bar y)(\bar x - \bar y)^\top

with A and B the scatter of real and synthetic rows around their own means, divided by their
numbers, if the prior is too weak to be seen. `bayescollapse.theory.covariance_risk` is the law of
another update, which leaves the last term out and divides by the rows minus one. Here is the law of
this one, for a truth with mean 0 and covariance I: by symmetry seven moments of (mu_t, S_t) pass
from one generation to the next through a closed set of equations, because batches are normal given
the parameters that emitted them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments", "fitted", "pooled_covariance_risk", "sent"]


class Moments(NamedTuple):
    """Moments of a mean m and a covariance matrix S.

    Attributes
    ----------
    m2, m4 : float
        E|m|^2 and E|m|^4.
    trace, trace2, square : float
        E tr S, E (tr S)^2 and E tr S^2.
    along, product : float
        E m'Sm and E |m|^2 tr S.
    """

    m2: float
    m4: float
    trace: float
    trace2: float
    square: float
    along: float
    product: float


def pooled_covariance_risk(
    generations: int, *, p: int, n: int, m: int, real_share: float, emission: str = "plug-in"
) -> NDArray[np.float64]:
    """Give the expected squared Frobenius distance of S_t to the identity, (generations,).

    Parameters
    ----------
    generations : int
        How many generations to return, numbered from 0.
    p : int
        Dimensions of a row.
    n, m : int
        Real and synthetic rows per generation; the total weight is n, and n + m from generation 1.
    real_share : float
        Share of the total weight on real rows from generation 1 on.
    emission : {"plug-in", "joint"}
        Rows from the posterior mean, or from one posterior draw (inverse Wishart, p + 1 degrees of
        freedom more than the total weight).

    Raises
    ------
    ValueError
        If the emission is another one.

    Examples
    --------
    >>> pooled_covariance_risk(3, p=2, n=100, m=100, real_share=0.618).round(4).tolist()
    [0.0596, 0.0403, 0.0375]
    """
    if emission not in ("plug-in", "joint"):
        raise ValueError(
            f"emission must be 'plug-in' or 'joint', got {emission!r}: no law is known"
        )
    state = first(p, n)
    path = [state.square - 2 * state.trace + p]
    for t in range(1, generations):
        if emission == "joint":
            state = sent(state, p, n if t == 1 else n + m)
        state = fitted(state, p, n, m, real_share)
        path.append(state.square - 2 * state.trace + p)
    return np.array(path)


def first(p: int, n: int) -> Moments:
    """Moments of the fit to n real rows: mean and scatter are independent."""
    a, scatter2, scatter_square = _scatter(float(p), float(p * p), float(p), n)
    m2 = p / n
    return Moments(m2, p * (p + 2) / n**2, a * p, scatter2, scatter_square, a * m2, a * p * m2)


def sent(s: Moments, p: int, weight: float) -> Moments:
    """Moments of one posterior draw: S from an inverse Wishart around S, m from N(m, S/weight)."""
    # With N + p + 1 degrees of freedom and scale N S: E S' = S, second moments by von Rosen (1988).
    c2 = weight**2 / ((weight + 1) * weight * (weight - 2))
    c1 = (weight - 1) * c2
    square = (c1 + c2) * s.square + c2 * s.trace2
    trace2 = c1 * s.trace2 + 2 * c2 * s.square
    return Moments(
        s.m2 + s.trace / weight,
        s.m4 + (2 * s.product + 4 * s.along) / weight + (trace2 + 2 * square) / weight**2,
        s.trace,
        trace2,
        square,
        s.along + square / weight,
        s.product + trace2 / weight,
    )


def fitted(s: Moments, p: int, n: int, m: int, w: float) -> Moments:
    """Moments of the fit to n real rows and m rows that were emitted at (m, S)."""
    r, given = 1 - w, _Given(s, p)
    a, real2, real_square = _scatter(float(p), float(p * p), float(p), n)
    b, made2, made_square = _scatter(s.trace, s.trace2, s.square, m)
    # Given (m, S), the new mean and the difference d of the batch means are normal around r m and
    # -m, with these covariances, and this one between them.
    new, v, k = (w**2 / n, r**2 / m), (1 / n, 1 / m), (w / n, -r / m)
    m2, m4 = given.lengths(r, new)
    d2, d4 = given.lengths(-1.0, v)
    md, m2d2 = given.together(r, new, v, k)
    # With G = w A + r B, S' = G + c dd'; the batches' scatters do not depend on their means.
    c, cross = w * r, 2 * w * r * a * b * s.trace
    d_g_d = w * a * d2 + r * b * (s.along + given.squared(S, v))
    trace_d2 = w * a * p * d2 + r * b * (s.product + given.traces(S, v))
    m_g_m = w * a * m2 + r * b * (r**2 * s.along + given.squared(S, new))
    trace_m2 = w * a * p * m2 + r * b * (r**2 * s.product + given.traces(S, new))
    return Moments(
        m2,
        m4,
        w * a * p + r * b * s.trace + c * d2,
        w**2 * real2 + cross * p + r**2 * made2 + 2 * c * trace_d2 + c**2 * d4,
        w**2 * real_square + cross + r**2 * made_square + 2 * c * d_g_d + c**2 * d4,
        m_g_m + c * md,
        trace_m2 + c * m2d2,
    )


Mixture = tuple[float, float]
"""A matrix x I + y S, as (x, y)."""

S = (0.0, 1.0)


class _Given(NamedTuple):
    """Expectations, over (m, S), of what is polynomial given them."""

    s: Moments
    p: int

    def trace(self, x: Mixture) -> float:
        """E tr X."""
        return x[0] * self.p + x[1] * self.s.trace

    def traces(self, x: Mixture, y: Mixture) -> float:
        """E tr X tr Y."""
        cross = (x[0] * y[1] + x[1] * y[0]) * self.p * self.s.trace
        return x[0] * y[0] * self.p**2 + cross + x[1] * y[1] * self.s.trace2

    def squared(self, x: Mixture, y: Mixture) -> float:
        """E tr XY."""
        cross = (x[0] * y[1] + x[1] * y[0]) * self.s.trace
        return x[0] * y[0] * self.p + cross + x[1] * y[1] * self.s.square

    def along(self, x: Mixture) -> float:
        """E m'Xm."""
        return x[0] * self.s.m2 + x[1] * self.s.along

    def product(self, x: Mixture) -> float:
        """E |m|^2 tr X."""
        return x[0] * self.p * self.s.m2 + x[1] * self.s.product

    def lengths(self, f: float, x: Mixture) -> tuple[float, float]:
        """E|z|^2 and E|z|^4 of z ~ N(f m, X)."""
        cross = 2 * self.product(x) + 4 * self.along(x)
        fourth = f**4 * self.s.m4 + f**2 * cross + self.traces(x, x) + 2 * self.squared(x, x)
        return f**2 * self.s.m2 + self.trace(x), fourth

    def together(self, r: float, x: Mixture, y: Mixture, k: Mixture) -> tuple[float, float]:
        """E(z'd)^2 and E|z|^2|d|^2 of z ~ N(r m, X) and d ~ N(-m, Y) with covariance K."""
        s = self.s
        inner = r**2 * s.m4 - 2 * r * self.product(k) + self.traces(k, k)
        spread = r**2 * self.along(y) + self.along(x) - 2 * r * self.along(k)
        noise = self.squared(x, y) + self.squared(k, k)
        lengths = r**2 * (s.m4 + self.product(y)) + self.product(x) + self.traces(x, y)
        return inner + spread + noise, lengths - 4 * r * self.along(k) + 2 * self.squared(k, k)


def _scatter(trace: float, trace2: float, square: float, rows: int) -> tuple[float, float, float]:
    """Mean factor of a batch's scatter / rows, E of its squared trace, E tr of its square."""
    k = rows - 1
    return (
        k / rows,
        (k**2 * trace2 + 2 * k * square) / rows**2,
        (k * (k + 1) * square + k * trace2) / rows**2,
    )
