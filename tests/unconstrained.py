"""Unconstrained coordinates of parameters, written again in NumPy, for importance sampling."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["constrain", "unconstrain"]

Draws = Mapping[str, np.ndarray]


def unconstrain(theta: Draws, kinds: Mapping[str, str]) -> np.ndarray:
    """Coordinates of shape (draw, coordinate)."""
    parts = [_free(np.asarray(theta[name]), kind) for name, kind in kinds.items()]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def constrain(
    flat: np.ndarray, kinds: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Parameters, and the log of the Jacobian determinant, shape (draw,)."""
    theta, jacobian, start = {}, np.zeros(len(flat)), 0
    for name, kind in kinds.items():
        shape = (shapes[name][0] - 1,) if kind == "simplex" else shapes[name]
        stop = start + int(np.prod(shape, dtype=int))
        part = flat[:, start:stop].reshape(len(flat), *shape)
        theta[name], log_det = _bound(part, kind)
        jacobian, start = jacobian + log_det, stop
    return theta, jacobian


def _free(value: np.ndarray, kind: str) -> np.ndarray:
    if kind == "positive":
        return np.log(value)
    if kind == "simplex":
        return np.log(value[:, :-1] / value[:, -1:])
    if kind == "ordered":
        return np.concatenate([value[:, :1], np.log(np.diff(value, axis=1))], axis=1)
    if kind.startswith("column"):
        column, out = int(kind.split(":")[1]), value.copy()
        out[:, :, column] = _free(value[:, :, column], "ordered")
        return out
    return value


def _bound(value: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    if kind == "positive":
        return np.exp(value), value.reshape(len(value), -1).sum(1)
    if kind == "simplex":
        raw = np.exp(np.concatenate([value, np.zeros((len(value), 1))], axis=1))
        weights = raw / raw.sum(1, keepdims=True)
        return weights, np.log(weights).sum(1)
    if kind == "ordered":
        steps = np.concatenate([value[:, :1], np.exp(value[:, 1:])], axis=1)
        return np.cumsum(steps, axis=1), value[:, 1:].sum(1)
    if kind.startswith("column"):
        column, out = int(kind.split(":")[1]), value.copy()
        out[:, :, column], log_det = _bound(value[:, :, column], "ordered")
        return out, log_det
    return value, np.zeros(len(value))
