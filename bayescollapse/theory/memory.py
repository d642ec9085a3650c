"""Replace or accumulate: errors of loops that see real rows at generation 0 only, flat prior."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    at_least,
    generation_index,
    parse_emission,
    plain,
)

__all__ = [
    "accumulate_error",
    "regression_accumulate_error",
    "regression_replace_error",
    "replace_error",
]


def replace_error(t: ArrayLike, *, n: ArrayLike, emission: EmissionLike = "plug-in") -> Array:
    """Error of the posterior mean when each generation sees only rows of the one before.

    n MSE_t / s2 with n rows a generation and real rows at generation 0 only: t + 1 (plug-in),
    2t + 1 (joint), 1 + t(1 + 1/K) (ensemble), 1 + t(1 + 1/n) (predictive). Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per generation, 1 or more.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K).

    Returns
    -------
    ndarray
        Error in units of that of generation 0, 1 or more.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Plug-in: Gerstgrasser et al. 2024, arXiv 2404.01413; the rest was derived for this library.

    Examples
    --------
    >>> replace_error([0, 1, 5], n=10, emission="joint").tolist()
    [1.0, 3.0, 11.0]
    """
    rows = _rows(n)
    return plain(1 + generation_index(t) * (1 + parse_emission(emission).spread(rows)))


def accumulate_error(t: ArrayLike, *, n: ArrayLike, emission: EmissionLike = "plug-in") -> Array:
    r"""Error of the posterior mean when every batch is kept and each row has weight 1.

    n MSE_t / s2 with n real rows, kept for ever, and n new synthetic rows a generation:

    .. math:: 1 + \sum_{s=1}^{t} \frac{1 + f/s}{(s+1)^2}

    with f = 0, 1, 1/K or 1/n for plug-in, joint, ensemble(K) and predictive emission. The limits
    are pi^2/6 for plug-in and 2 for joint, whose finite form is 2 - 1/(t+1). Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per batch, 1 or more.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K).

    Returns
    -------
    ndarray
        Error in units of that of generation 0, in [1, 2].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Plug-in: Gerstgrasser et al. 2024, arXiv 2404.01413; the rest was derived for this library.

    Examples
    --------
    >>> [round(float(x), 4) for x in accumulate_error([0, 1, 9], n=10, emission="joint")]
    [1.0, 1.5, 1.9]
    >>> round(float(accumulate_error(9, n=10)), 4)
    1.5498
    """
    rows = _rows(n)
    return _accumulated(t, parse_emission(emission).spread(rows))


def regression_replace_error(
    t: ArrayLike, *, rows: ArrayLike, features: ArrayLike, emission: EmissionLike = "plug-in"
) -> Array:
    """Error of least squares on one fixed design, each generation seeing only the last batch.

    In units of the real-only error s2 E tr((X'X)^-1) = s2 d/(T-d-1), for T rows of d isotropic
    Gaussian features that every generation shares: t + 1 (plug-in), 2t + 1 (joint),
    1 + t(1 + (d+2)/(T+2)) (predictive, where rows vary by their leverage). Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    rows
        Rows T of the design, at least features + 2.
    features
        Features d, 1 or more.
    emission
        "plug-in", "joint" or "predictive". An ensemble is refused: which rows of the design a
        member gets would matter.

    Returns
    -------
    ndarray
        Error in units of that of generation 0, 1 or more.

    Raises
    ------
    ValueError
        If an argument is outside its range, or the emission is an ensemble of two or more.

    References
    ----------
    Plug-in: Gerstgrasser et al. 2024, arXiv 2404.01413; joint and predictive were derived for this
    library.

    Examples
    --------
    >>> round(float(regression_replace_error(6, rows=40, features=5, emission="predictive")), 4)
    8.0
    """
    return plain(1 + generation_index(t) * (1 + _leverage(rows, features, emission)))


def regression_accumulate_error(
    t: ArrayLike, *, rows: ArrayLike, features: ArrayLike, emission: EmissionLike = "plug-in"
) -> Array:
    r"""Error of least squares on one fixed design when every batch is kept, weight 1 a row.

    In units of s2 E tr((X'X)^-1), as in `regression_replace_error`:

    .. math:: 1 + \sum_{s=1}^{t} \frac{1 + f/s}{(s+1)^2}

    with f = 0 (plug-in), 1 (joint) or (d+2)/(T+2) (predictive). Exact.

    Parameters
    ----------
    t, rows, features, emission
        As in `regression_replace_error`.

    Returns
    -------
    ndarray
        Error in units of that of generation 0, in [1, 2].

    Raises
    ------
    ValueError
        If an argument is outside its range, or the emission is an ensemble of two or more.

    References
    ----------
    Plug-in: Gerstgrasser et al. 2024, arXiv 2404.01413; joint and predictive were derived for this
    library.

    Examples
    --------
    >>> round(float(regression_accumulate_error(1, rows=40, features=5, emission="predictive")), 4)
    1.2917
    """
    return _accumulated(t, _leverage(rows, features, emission))


def _accumulated(t: ArrayLike, spread: ArrayLike) -> Array:
    index = generation_index(t)
    s = np.arange(1, int(index.max(initial=0)) + 1)
    rows = np.concatenate([[1.0], 1 + np.cumsum(1 / (s + 1.0) ** 2)])
    draws = np.concatenate([[0.0], np.cumsum(1 / (s * (s + 1.0) ** 2))])
    return plain(rows[index] + spread * draws[index])


def _leverage(rows: ArrayLike, features: ArrayLike, emission: EmissionLike) -> Array:
    """Share of the posterior variance that emission adds, averaged over Gaussian designs."""
    d = at_least("features", features, 1, "pass the number of columns of the design")
    total = at_least("rows", rows, 1, "pass the number of rows of the design")
    if np.any(total < d + 2):
        raise ValueError(
            f"rows must be at least features + 2, got rows {rows!r} with features {features!r}: "
            "with fewer rows the error has no finite mean"
        )
    mode = parse_emission(emission)
    if mode.kind == "predictive":
        return np.asarray((d + 2) / (total + 2))
    if mode.members > 1:
        raise ValueError(
            'emission must be "plug-in", "joint" or "predictive" for a regression, got '
            f"{emission!r}: no law is known for members that share one design"
        )
    return np.full(np.broadcast_shapes(d.shape, total.shape), float(mode.kind != "plug-in"))


def _rows(n: ArrayLike) -> Array:
    return at_least("n", n, 1, "pass the number of rows per generation")
