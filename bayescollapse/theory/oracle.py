"""Exact errors of a Gaussian mean under any supply, memory and schedule.

The posterior mean of a generation is a weighted mean of batch means, so its error is linear in the
errors of the real batches (r) and in the emission noise of earlier generations (g)::

    e = W_r r + W_s (e + g)

which is solved generation by generation, because the noise of a generation may depend on its total
weight and, under "calibrated" weight, on its own risk.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    TotalWeightLike,
    at_least,
    finite,
    positive,
    share,
)
from bayescollapse.theory.emission import parse_narrowed

__all__ = ["LinearOracle", "linear_oracle"]


class LinearOracle(NamedTuple):
    """Errors of the posterior means of T generations.

    Attributes
    ----------
    covariance
        Covariance of the posterior means between generations, shape (T, T).
    risk
        Mean squared error of each generation, bias included, shape (T,).
    bias
        Expected posterior mean minus the truth, shape (T,).
    total_weight
        Total weight of each generation, shape (T,).
    """

    covariance: Array
    risk: Array
    bias: Array
    total_weight: Array


def linear_oracle(
    real_shares: ArrayLike,
    synthetic_shares: ArrayLike,
    *,
    real_rows: ArrayLike,
    synthetic_rows: ArrayLike,
    emission: EmissionLike = "plug-in",
    total_weights: TotalWeightLike,
    variance: float = 1.0,
    prior_weight: float = 0.0,
    prior_offset: float = 0.0,
) -> LinearOracle:
    r"""Exact bias, covariance and risk of a Gaussian mean in any linear loop.

    .. math::
        e = \Lambda (W_r r + W_s (e + g)) + (I - \Lambda)\, o, \qquad
        \Lambda = \mathrm{diag}\left(\frac{N_t}{N_t + \kappa_0}\right)

    with Var(r_j) = s2 / (rows of real batch j), Var(g_s) = sb s2/m_s + f s2/(N_s + kappa_0),
    f = 0 (plug-in), 1 (joint), 1/K (ensemble) or 1/m_s (predictive), sb the sampling bias, kappa_0
    the prior weight and o the prior offset. Each generation emits one batch, which later
    generations may use in any share. Exact for known row variance.

    Parameters
    ----------
    real_shares
        Share of the total weight of each generation on each real batch, shape (T, real batches).
    synthetic_shares
        Entry [t, s] is the share that the batch emitted by generation s has in generation t, shape
        (T, T), zero on and above the diagonal. With `real_shares` each generation adds up to 1.
    real_rows
        Rows of each real batch, 1 or more, scalar or shape (real batches,).
    synthetic_rows
        Rows of the batch that each generation emits, 1 or more, scalar or shape (T,).
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K), or a label such as
        "joint(sampling_bias=0.8)"; see `parse_narrowed`.
    total_weights
        Total weight of each generation, positive, scalar or shape (T,), or "calibrated" for
        s2 / risk of that generation (flat prior only). Row-wise rules such as "rows" are not known
        here: pass the numbers.
    variance
        Variance of a row, positive.
    prior_weight
        Rows that the prior N(truth + prior_offset, variance/prior_weight) is worth, 0 or more; it
        is used anew in every generation.
    prior_offset
        Prior mean minus the truth.

    Returns
    -------
    LinearOracle
        `covariance` (T, T), `risk` (T,) = its diagonal plus squared bias, `bias` (T,),
        `total_weight` (T,); in the units of `variance`.

    Raises
    ------
    ValueError
        If shapes do not match, shares do not add up to 1, a generation uses its own or later
        rows, or "calibrated" comes with a prior.

    References
    ----------
    Derived for this library.

    Examples
    --------
    Three generations that keep ten real rows and every synthetic batch of ten:

    >>> import numpy as np
    >>> pooled = np.tril(np.ones((3, 3)), -1) / np.arange(1, 4)[:, None]
    >>> result = linear_oracle(1 / np.arange(1, 4)[:, None], pooled, real_rows=10,
    ...     synthetic_rows=10, emission="joint", total_weights=[10, 20, 30])
    >>> [round(10 * float(value), 4) for value in result.risk]
    [1.0, 1.5, 1.6667]
    """
    real, synthetic = _shares(real_shares, synthetic_shares)
    count, batches = real.shape
    scale = float(positive("variance", variance, "pass the variance of one row"))
    kappa = float(at_least("prior_weight", prior_weight, 0, "pass the rows the prior is worth"))
    offset = float(finite("prior_offset", prior_offset, "pass the prior mean minus the truth"))
    real_variance = scale / _sized("real_rows", real_rows, batches)
    rows = _sized("synthetic_rows", synthetic_rows, count)
    mode, narrowing = parse_narrowed(emission, prior_weight=kappa)
    spread = mode.spread(rows)
    weight = _weights(total_weights, count, kappa)

    from_real, from_noise = np.zeros((count, batches)), np.zeros((count, count))
    noise, bias = np.zeros(count), np.zeros(count)
    for t in range(count):
        past = synthetic[t, :t]
        from_real[t] = real[t] + past @ from_real[:t]
        from_noise[t] = past @ from_noise[:t]
        from_noise[t, :t] += past
        if np.isnan(weight[t]):
            weight[t] = scale / (from_real[t] ** 2 @ real_variance + from_noise[t] ** 2 @ noise)
        shrink = weight[t] / (weight[t] + kappa)
        from_real[t] *= shrink
        from_noise[t] *= shrink
        bias[t] = shrink * (past @ bias[:t]) + (1 - shrink) * offset
        noise[t] = narrowing * scale / rows[t] + spread[t] * scale / (weight[t] + kappa)
    covariance = (from_real * real_variance) @ from_real.T + (from_noise * noise) @ from_noise.T
    return LinearOracle(covariance, np.diag(covariance) + bias**2, bias, weight)


def _shares(real_shares: ArrayLike, synthetic_shares: ArrayLike) -> tuple[Array, Array]:
    advice = "pass the share of the generation's total weight that lies on each batch"
    real = share("real_shares", real_shares, advice)
    synthetic = share("synthetic_shares", synthetic_shares, advice)
    if real.ndim != 2 or synthetic.shape != (len(real), len(real)):
        raise ValueError(
            "real_shares and synthetic_shares must have shapes (T, real batches) and (T, T), got "
            f"{real.shape} and {synthetic.shape}: pass one row per generation in both"
        )
    if np.any(np.triu(synthetic)):
        t, s = np.argwhere(np.triu(synthetic))[0]
        raise ValueError(
            f"synthetic_shares must be zero on and above the diagonal, got {synthetic[t, s]:g} at "
            f"[{t}, {s}]: a generation can only use rows emitted before it"
        )
    total = real.sum(axis=1) + synthetic.sum(axis=1)
    wrong = np.flatnonzero(np.abs(total - 1) > 1e-9)
    if wrong.size:
        raise ValueError(
            f"real_shares and synthetic_shares must add up to 1, got {total[wrong[0]]:g} in "
            f"generation {wrong[0]}: divide the weights by their total"
        )
    return real, synthetic


def _weights(total_weights: TotalWeightLike, count: int, kappa: float) -> Array:
    """Return total weights, NaN where they are still to be found."""
    if not isinstance(total_weights, str):
        return _sized("total_weights", total_weights, count, positive_only=True)
    if total_weights != "calibrated" or kappa > 0:
        raise ValueError(
            'total_weights must be numbers, or "calibrated" with prior_weight 0, got '
            f"{total_weights!r} with prior_weight {kappa:g}: pass one number per generation, for "
            "instance from total_weight_path"
        )
    return np.full(count, np.nan)


def _sized(name: str, value: ArrayLike, size: int, *, positive_only: bool = False) -> Array:
    advice = "pass one number, or one per batch or generation"
    checked = positive(name, value, advice) if positive_only else at_least(name, value, 1, advice)
    if checked.shape not in ((), (1,), (size,)):
        raise ValueError(f"{name} must have shape () or ({size},), got {checked.shape}: {advice}")
    return np.broadcast_to(checked, (size,)).copy()
