"""Predictive densities of the emitting generation, and cuts through a batch of them."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context

__all__ = ["above_cut", "log_predictive", "log_probabilities", "unit_interval"]

ROUNDING = 1e-9
"""How far above 0 rounding may lift the log of a probability."""


def log_predictive(rows: Values, context: Context, name: str) -> Floats:
    """Log predictive density of rows under the emitting generation.

    Parameters
    ----------
    rows : mapping of str to ndarray, shape (replicate or 1, obs, …)
        Rows.
    context : Context
        Holds the emitting generation.
    name : str
        How the error message names the selection.

    Returns
    -------
    ndarray, shape (replicate, obs)
        In nats.

    Raises
    ------
    ValueError
        If the context has no emitting generation.
    """
    previous = context.previous
    if previous is None or previous.log_predictive is None:
        raise ValueError(
            f"{name} reads context.previous.log_predictive, the predictive density of the emitting "
            "generation, and this context has none: use it as the selection of a scheme"
        )
    return previous.log_predictive(rows)


def log_probabilities(rows: Values, context: Context, name: str, argument: str) -> Floats:
    """Log predictive probability of rows that have one, shape (replicate, obs), in nats.

    Raises
    ------
    ValueError
        If no variable of the rows is discrete, or a value exceeds the probability 1: then these are
        densities, which no probability can be compared with.
    """
    if not any(value.dtype.kind in "iub" for value in rows.values()):
        raise ValueError(_continuous(name, argument, "no variable of the rows is discrete"))
    density = log_predictive(rows, context, name)
    highest = float(density.max(initial=-np.inf))
    if highest > ROUNDING:
        raise ValueError(_continuous(name, argument, f"a row has density {np.exp(highest):.4g}"))
    return density


def above_cut(density: Floats, count: int) -> NDArray[np.bool_]:
    """Mark the `count` highest values of every replicate; fewer where values tie at the cut.

    Examples
    --------
    >>> import numpy as np
    >>> above_cut(np.array([[0.0, 3.0, 1.0, 2.0]]), 2)
    array([[False,  True, False,  True]])
    """
    obs = density.shape[1]
    if count <= 0:
        return np.zeros(density.shape, dtype=np.bool_)
    if count >= obs:
        return np.ones(density.shape, dtype=np.bool_)
    highest_left = np.partition(density, obs - count - 1, axis=1)[:, obs - count - 1, None]
    return np.asarray(density > highest_left)


def unit_interval(name: str, value: Any, advice: str) -> float:
    """Check a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= float(value) <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value!r}: it is {advice}")
    return float(value)


def _continuous(name: str, argument: str, reason: str) -> str:
    return (
        f"{name}({argument}=…) compares probabilities of discrete rows, but {reason}: use "
        "quantile= for continuous rows"
    )
