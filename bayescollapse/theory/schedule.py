"""The best real share of every generation, for counts that may change.

The loop draws fresh real rows and keeps the last synthetic batch. Given the error of the generation
before, the best share of a Gaussian mean weighs both sources by their precision, whatever the
counts.
"""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, EmissionLike, at_least
from bayescollapse.theory.emission import parse_narrowed
from bayescollapse.theory.share import OptimalPath

__all__ = ["optimal_schedule"]


def optimal_schedule(
    real_rows: ArrayLike,
    synthetic_rows: ArrayLike,
    *,
    emission: EmissionLike = "plug-in",
    total_weight: str | float | tuple[float, ...] = "rows",
) -> OptimalPath:
    r"""Best real share of each generation of a Gaussian mean, for any sequence of counts.

    .. math::
        h_t = R_{t-1} + \frac{\beta}{m_t} + \frac{f_t}{N_{t-1}}, \qquad
        w_t = \frac{h_t}{1/n_t + h_t}, \qquad R_t = w_t / n_t

    with f the emission's share of the posterior variance (0 plug-in, 1 joint, 1/K ensemble(K),
    1/m predictive), beta the sampling bias (1 if none), N the total weight and R in units of the
    row variance. Each step is the best combination of two independent unbiased estimates, and a
    smaller error never hurts later generations, so the path is the best one as a whole. Exact for
    known row variance, a flat prior and total weights that do not depend on the share.

    Parameters
    ----------
    real_rows
        Real rows n of every generation, shape (generations,).
    synthetic_rows
        Synthetic rows m of generations 1 and later, shape (generations - 1,).
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K), or a label with a sampling bias.
    total_weight
        "rows", "real", "calibrated", a positive number, or one number per generation.

    Returns
    -------
    OptimalPath
        `real_share` w_t and `risk_ratio` R_t n_t, each of shape (generations,); the two are equal.

    Raises
    ------
    ValueError
        If counts are out of range, or the total weight is "kish", which depends on the share.

    References
    ----------
    Garg, Bhattacharya and Sur 2025, arXiv 2509.22341, for n = m and plug-in emission; otherwise
    derived for this library.

    Examples
    --------
    >>> path = optimal_schedule([100] * 4, [100] * 3)
    >>> [round(float(value), 4) for value in path.real_share]
    [1.0, 0.6667, 0.625, 0.619]
    """
    n = np.atleast_1d(at_least("real_rows", real_rows, 1, "pass the real rows per generation"))
    m = np.atleast_1d(
        at_least("synthetic_rows", synthetic_rows, 1, "pass the synthetic rows per generation")
    )
    if n.size > 1 and m.shape != (n.size - 1,):
        raise ValueError(
            f"synthetic_rows must have one entry for each of generations 1 to {n.size - 1}, got "
            f"{m.size}"
        )
    mode, bias = parse_narrowed(emission)
    share, spread = np.ones(n.size), np.broadcast_to(mode.spread(m), m.shape)
    risk = 1 / n
    claimed = _claimed(total_weight, n, m)
    for t in range(1, n.size):
        variance = risk[t - 1] if claimed is None else 1 / claimed[t - 1]
        handed_down = risk[t - 1] + bias / m[t - 1] + spread[t - 1] * variance
        share[t] = handed_down / (1 / n[t] + handed_down)
        risk[t] = share[t] / n[t]
    return OptimalPath(real_share=share, risk_ratio=risk * n)


def _claimed(total: str | float | tuple[float, ...], n: Array, m: Array) -> Array | None:
    """Total weight of every generation; None where it follows from the risk."""
    if isinstance(total, str):
        if total == "calibrated":
            return None
        if total not in ("rows", "real"):
            raise ValueError(
                "total_weight must be 'rows', 'real', 'calibrated', a positive number or one per "
                f"generation, got {total!r}: 'kish' depends on the share that is sought"
            )
        return np.concatenate([n[:1], n[1:] + m[: n.size - 1]]) if total == "rows" else n
    table = np.broadcast_to(np.asarray(total, dtype=float), n.shape).copy()
    table[0] = n[0]
    if not (np.isfinite(table).all() and (table > 0).all()):
        raise ValueError(f"total_weight must be positive and finite, got {total!r}")
    return table
