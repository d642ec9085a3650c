"""Newton's method for the modes of many log densities at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curvature", "Modes", "newton"]

Floats = NDArray[np.float64]

Curvature = Callable[[Floats], tuple[Floats, Floats, Floats]]
"""Value (replicate,), gradient (replicate, d) and Hessian (replicate, d, d) at points."""

TOLERANCE = 1e-12
"""Newton decrement, in nats, at which a mode is found."""

_FLOOR = 1e-9, 1e-10
"""Smallest curvature of a step, relative to the largest and absolute."""


class Modes(NamedTuple):
    """Modes of a block of log densities.

    Parameters
    ----------
    point : ndarray, shape (replicate, d)
        The modes.
    precision : ndarray, shape (replicate, d, d)
        Minus the Hessian there.
    found : ndarray of bool, shape (replicate,)
        Whether the method converged to a point of negative definite Hessian.
    iterations : int
        Evaluations of the curvature.
    """

    point: Floats
    precision: Floats
    found: NDArray[np.bool_]
    iterations: int


def newton(curvature: Curvature, start: Floats, *, iterations: int = 100) -> Modes:
    """Climb to the modes of many log densities.

    Where the Hessian is not negative definite, its eigenvalues are replaced by their absolute
    values, which makes every step one uphill; a step that does not climb is halved.

    Parameters
    ----------
    curvature : callable
        Value, gradient and Hessian of all replicates.
    start : ndarray, shape (replicate, d)
        Where to begin.
    iterations : int
        Evaluations after which a replicate counts as not converged.

    Returns
    -------
    Modes
    """
    point = np.array(start, dtype=np.float64)
    value, gradient, hessian = (np.array(part) for part in curvature(point))
    step, decrement = _steps(gradient, hessian)
    done = decrement < TOLERANCE
    used, scale = 1, np.ones(len(point))
    while used < iterations and not done.all():
        candidate = np.where(done[:, None], point, point + scale[:, None] * step)
        new_value, new_gradient, new_hessian = curvature(candidate)
        used += 1
        # At the top rounding may hide the climb; a full step of tiny decrement is taken anyway.
        slack = 1e-12 * (1 + np.abs(value))
        better = np.isfinite(new_value) & (new_value >= value - slack) & ~done
        better &= np.isfinite(new_hessian).all(axis=(1, 2)) & np.isfinite(new_gradient).all(axis=1)
        point[better], value[better] = candidate[better], new_value[better]
        gradient[better], hessian[better] = new_gradient[better], new_hessian[better]
        scale = np.where(better, 1.0, scale / 2)
        step, decrement = _steps(gradient, hessian)
        done |= decrement < TOLERANCE
    return Modes(point, -hessian, done & _definite(-hessian), used)


def _steps(gradient: Floats, hessian: Floats) -> tuple[Floats, Floats]:
    """Uphill steps, and half the squared length of the gradient in the metric of the curvature."""
    finite = np.isfinite(hessian).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    identity = np.eye(gradient.shape[1])
    values, vectors = np.linalg.eigh(np.where(finite[:, None, None], -hessian, identity))
    size = np.abs(values)
    size = np.maximum(size, np.maximum(_FLOOR[0] * size.max(axis=1, keepdims=True), _FLOOR[1]))
    along = np.einsum("rji,rj->ri", vectors, np.where(finite[:, None], gradient, 0.0)) / size
    step = np.einsum("rij,rj->ri", vectors, along)
    decrement = 0.5 * np.einsum("ri,ri->r", size, along**2)
    return step, np.where(finite, decrement, np.inf)


def _definite(precision: Floats) -> NDArray[np.bool_]:
    smallest = np.linalg.eigvalsh(np.nan_to_num(precision))
    return np.asarray(smallest[:, 0] > np.maximum(1e-12 * smallest[:, -1], _FLOOR[1]))
