"""What theory says of the loops: errors, contraction, acceptance and coverage.

Directions do not mix and are alike here, so a loop is the law of one number z, the offset of a
coefficient from the verifier's centre. Its density is followed on a grid: the mean of n kept rows
is normal around T(z) with variance sigma^2 m_2(z) / n, an approximation for 50 rows and more of
bounded noise. Under joint emission, rows come from a posterior draw, which adds the posterior's
variance to the emitting point. `second_order` is the library's law, which takes z itself to be
normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.stats import chi2

from bayescollapse import theory
from verification_parts.loops import FEATURES, Loop
from verification_parts.settings import NOISE_SD

PROBABILITY = 0.95
POINTS, REACH = 700, 6.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """Law of every generation of a loop.

    Parameters
    ----------
    loop : Loop
        The loop.
    rows : ndarray, shape (generation,)
        Rows along each direction.
    points : ndarray, shape (point,)
        Equally spaced offsets from the verifier's centre.
    mass : ndarray, shape (generation, point)
        Density of the offset times the spacing.
    emitting : ndarray, shape (generation, point)
        The same for the point that rows are made at.
    """

    loop: Loop
    rows: Floats
    points: Floats
    mass: Floats
    emitting: Floats

    @property
    def centre_error(self) -> Floats:
        """Mean squared distance from the verifier's centre."""
        return np.asarray(FEATURES * self.mass @ self.points**2)

    @property
    def truth_error(self) -> Floats:
        """Mean squared distance from the truth."""
        return np.asarray(FEATURES * self.mass @ (self.points + self.loop.bias[0]) ** 2)

    @cached_property
    def second_order(self) -> tuple[Floats, Floats]:
        """Mean squared distances from the truth and the centre by the library's law."""
        return _second_order(self.loop, self.rows)

    def acceptance(self) -> Floats:
        """Share of proposed rows that is accepted, shape (generation,)."""
        return np.asarray(self.emitting @ _step(self.loop, self.points)[2])

    def products(self) -> tuple[Floats, Floats]:
        """Give expected products of neighbouring offsets, and squares of the former.

        Their ratio is the slope of a regression through 0 of one generation's offset on that of
        the one before; plug-in emission only. Shape (generation - 1,).
        """
        if self.loop.emission != "plug-in":
            raise ValueError(f"emission must be 'plug-in', got {self.loop.emission!r}")
        moved = _step(self.loop, self.points)[0]
        before = FEATURES * self.mass[:-1]
        return before @ (self.points * moved), before @ self.points**2

    def coverage(self, of: str) -> Floats:
        """Probability that the 95 % region, a disc, contains the truth or the centre."""
        middle = -self.loop.bias[0] if of == "truth" else 0.0
        radius = np.sqrt(chi2.ppf(PROBABILITY, FEATURES) * NOISE_SD**2 / self.rows)
        pairs = zip(self.mass, radius, strict=True)
        return np.array([_disc(self.points, mass, middle, r) for mass, r in pairs])


def follow(loop: Loop, rows: Floats) -> Law:
    """Follow a loop.

    Parameters
    ----------
    loop : Loop
        The loop.
    rows : ndarray, shape (generation,)
        Rows along each direction.
    """
    points = _grid(loop, rows)
    mass, emitting = np.empty((2, len(rows), len(points)))
    mass[0] = _normal(points, -loop.bias[:1], np.array([NOISE_SD / np.sqrt(rows[0])]))[0]
    moved, kept, _ = _step(loop, points)
    for t, count in enumerate(rows):
        if t:
            spread = NOISE_SD * np.sqrt(kept / count)
            mass[t] = emitting[t - 1] @ _normal(points, moved, spread)
        emitting[t] = mass[t]
        if loop.emission == "joint":
            claimed = np.full(len(points), NOISE_SD / np.sqrt(count))
            emitting[t] = mass[t] @ _normal(points, points, claimed)
    return Law(loop, rows, points, mass, emitting)


def bound(law: Law) -> Floats:
    """Bound of theorem 4.1 on the mean squared distance from the verifier's centre."""
    return theory.verified_error_bound(
        len(law.rows),
        initial_error=law.centre_error[0],
        accepted=law.rows,
        dimensions=FEATURES,
        radius=law.loop.radius,
        noise_sd=NOISE_SD,
    )


def floor(law: Law) -> float:
    """Bound on the same after many generations of the last one's rows."""
    floored = theory.verified_floor(
        law.rows[-1], dimensions=FEATURES, radius=law.loop.radius, noise_sd=NOISE_SD
    )
    return float(floored)


def limit_coverage(loop: Loop) -> float:
    """Give the coverage of the verifier's centre after many rounds of many rows.

    The variance around the centre tends to rho / (1 - rho^2) of what the posterior claims, and to
    rho / (1 - rho) under joint emission: regions are honest where rho is the inverse golden ratio,
    or 1/2.
    """
    rho = rate(loop)
    excess = rho / (1 - rho**2 if loop.emission == "plug-in" else 1 - rho)
    return float(chi2.cdf(chi2.ppf(PROBABILITY, FEATURES) / excess, FEATURES))


def rate(loop: Loop) -> float:
    """Largest factor on the distance to the verifier's centre in one round."""
    if loop.radius is None:
        return 1.0
    return float(theory.contraction_rate(radius=loop.radius, noise_sd=NOISE_SD))


def _second_order(loop: Loop, rows: Floats) -> tuple[Floats, Floats]:
    passed_on = NOISE_SD**2 / rows if loop.emission == "joint" else np.zeros(len(rows))
    offset, variance = np.empty((2, len(rows), FEATURES))
    offset[0], variance[0] = -loop.bias, NOISE_SD**2 / rows[0]
    for t in range(1, len(rows)):
        start = variance[t - 1] + passed_on[t - 1]
        if loop.radius is None:
            offset[t], variance[t] = offset[t - 1], start + NOISE_SD**2 / rows[t]
            continue
        path = theory.verified_path(
            2,
            offset=offset[t - 1],
            start_variance=start,
            accepted=rows[t],
            radius=loop.radius,
            noise_sd=NOISE_SD,
        )
        offset[t], variance[t] = path.offset[1], path.variance[1]
    truth, centre = (((offset + b) ** 2 + variance).sum(axis=1) for b in (loop.bias, 0.0))
    return truth, centre


def _step(loop: Loop, z: Floats) -> tuple[Floats, Floats, Floats]:
    """Next offset, variance of kept noise in units of the noise's, and accepted share."""
    if loop.radius is None:
        return z, np.ones_like(z), np.ones_like(z)
    step = theory.verified_map(z, radius=loop.radius, noise_sd=NOISE_SD)
    return step.offset, step.slope, step.acceptance


def _grid(loop: Loop, rows: Floats) -> Floats:
    """Equally spaced points that hold nearly all mass of every generation."""
    inverse = 1 / rows
    spread = inverse[:2].sum() if loop.radius is not None else inverse.sum()
    width = REACH * NOISE_SD * np.sqrt(spread * (2 if loop.emission == "joint" else 1))
    return np.linspace(-loop.bias[0] - width, width, POINTS)


def _normal(points: Floats, mean: Floats, sd: Floats) -> Floats:
    """Give normal densities times the spacing, shape (mean, point).

    Sums over equally spaced points are exact to rounding for smooth functions wider than the
    spacing.
    """
    z = (points - mean[:, None]) / sd[:, None]
    return np.asarray(
        np.exp(-0.5 * z**2) * (points[1] - points[0]) / sd[:, None] / np.sqrt(2 * np.pi)
    )


def _disc(points: Floats, mass: Floats, middle: float, radius: float) -> float:
    """Probability that two independent offsets lie in a disc around (middle, middle)."""
    density = CubicSpline(points, mass / (points[1] - points[0]))
    below = density.antiderivative()
    angle = NODES * np.pi / 2
    along, half = radius * np.sin(angle), radius * np.cos(angle)
    low, high = (np.clip(middle + s * half, points[0], points[-1]) for s in (-1, 1))
    inside = np.where(abs(middle + along) <= abs(points).max(), density(middle + along), 0.0)
    return float(np.clip(WEIGHTS @ (inside * (below(high) - below(low)) * half) * np.pi / 2, 0, 1))
