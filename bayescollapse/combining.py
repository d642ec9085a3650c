"""What the analyses of several synthetic data sets say together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.synthetic_sets import SYNTHETIC_DIM

__all__ = ["combine"]


def combine(
    estimates: ArrayLike | xr.DataArray,
    variances: ArrayLike | xr.DataArray,
    *,
    kind: str = "fully synthetic",
    level: float = 0.95,
) -> xr.Dataset:
    r"""Combine the estimates of several synthetic or completed data sets.

    With K estimates of mean q and sample variance b (divisor K - 1), and the mean v of the
    variances that the analyses claim, the variance of q and its degrees of freedom are

    ==================== ======================= ========================================
    kind                 total variance          degrees of freedom
    ==================== ======================= ========================================
    fully synthetic      (1 + 1/K) b - v         (K - 1) (1 - v / ((1 + 1/K) b))^2
    partially synthetic  b / K + v               (K - 1) (1 + v / (b / K))^2
    imputation           (1 + 1/K) b + v         (K - 1) (1 + v / ((1 + 1/K) b))^2
    ==================== ======================= ========================================

    Parameters
    ----------
    estimates : array_like or DataArray, shape (K, …)
        One estimate per data set; a DataArray names that dimension ``synthetic``.
    variances : array_like or DataArray, shape (K, …)
        The variance that each analysis claims when it takes its rows for real; not negative.
    kind : {"fully synthetic", "partially synthetic", "imputation"}, default "fully synthetic"
        ``fully synthetic``: all rows come from posterior draws, a new one per data set
        (:func:`multiple`). ``partially synthetic``: values in the real rows were replaced.
        ``imputation``: missing values were filled in.
    level : float, default 0.95
        Probability of the central t interval, between 0 and 1.

    Returns
    -------
    Dataset
        ``mean``, ``variance`` (total), ``within`` (v), ``between`` (b), ``degrees_of_freedom``,
        ``interval`` on ``bound`` (lower, upper), and ``negative``: true where the total variance is
        not positive. There it is reported as it is, and degrees of freedom and interval are NaN.

    Raises
    ------
    ValueError
        If there are fewer than 2 data sets, shapes differ, a value is missing or infinite, a
        variance is negative, `kind` is unknown, or `level` is no probability.

    Notes
    -----
    The total variance for fully synthetic data is unbiased for a Gaussian mean (exact), but may be
    negative, most often with few or large data sets; clipping it to zero would bias it. More data
    sets make that rarer. The t intervals are approximations.

    References
    ----------
    .. [1] Raghunathan, Reiter and Rubin 2003, Multiple imputation for statistical disclosure
       limitation, Journal of Official Statistics 19 (fully synthetic).
    .. [2] Reiter 2003, Inference for partially synthetic, public use microdata sets, Survey
       Methodology 29.
    .. [3] Rubin 1987, Multiple imputation for nonresponse in surveys, Wiley.
    .. [4] van Breugel et al. 2023, arXiv 2305.09235.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> together = bc.combine([1.0, 1.4, 0.6, 1.2], [0.05, 0.05, 0.05, 0.05])
    >>> round(float(together["mean"]), 2), round(float(together["variance"]), 4)
    (1.05, 0.0958)
    """
    q, v, dims, coords = _checked(estimates, variances)
    if kind not in RULES:
        raise ValueError(f"kind must be one of {tuple(RULES)}, got {kind!r}")
    if isinstance(level, bool) or not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}")
    between, within = q.var(axis=0, ddof=1), v.mean(axis=0)
    total, freedom = RULES[kind](between, within, q.shape[0])
    mean = q.mean(axis=0)
    interval = _interval(mean, total, freedom, level)
    return xr.Dataset(
        {
            "mean": (dims, mean),
            "variance": (dims, total),
            "within": (dims, within),
            "between": (dims, between),
            "degrees_of_freedom": (dims, freedom),
            "interval": ((*dims, "bound"), interval),
            "negative": (dims, total <= 0),
        },
        coords={**coords, "bound": ["lower", "upper"]},
        attrs={"kind": kind, "level": level, "data_sets": q.shape[0]},
    )


class _Parts(NamedTuple):
    """Total variance and degrees of freedom."""

    total: Floats
    freedom: Floats


def _fully_synthetic(between: Floats, within: Floats, count: int) -> _Parts:
    spread = (1 + 1 / count) * between
    total = spread - within
    freedom = (count - 1) * (1 - _ratio(within, spread)) ** 2
    return _Parts(total, np.where(total > 0, freedom, np.nan))


def _partially_synthetic(between: Floats, within: Floats, count: int) -> _Parts:
    return _sum(between / count, within, count)


def _imputation(between: Floats, within: Floats, count: int) -> _Parts:
    return _sum((1 + 1 / count) * between, within, count)


def _sum(spread: Floats, within: Floats, count: int) -> _Parts:
    total = spread + within
    freedom = (count - 1) * (1 + _ratio(within, spread)) ** 2
    return _Parts(total, np.where(total > 0, freedom, np.nan))


RULES: dict[str, Callable[[Floats, Floats, int], _Parts]] = {
    "fully synthetic": _fully_synthetic,
    "partially synthetic": _partially_synthetic,
    "imputation": _imputation,
}


def _ratio(within: Floats, spread: Floats) -> Floats:
    """Within over between, infinite where all estimates agree."""
    ratio = np.full(spread.shape, np.inf)
    np.divide(within, spread, out=ratio, where=spread > 0)
    return ratio


def _interval(mean: Floats, total: Floats, freedom: Floats, level: float) -> Floats:
    from scipy.special import stdtrit

    half = stdtrit(freedom, (1 + level) / 2) * np.sqrt(np.where(total > 0, total, np.nan))
    return np.asarray(np.stack([mean - half, mean + half], axis=-1))


def _checked(estimates: Any, variances: Any) -> tuple[Floats, Floats, tuple[str, ...], Any]:
    q, v = _leading(estimates, "estimates"), _leading(variances, "variances")
    if q.shape != v.shape:
        raise ValueError(
            f"estimates and variances must have the same shape (K, …), got {q.shape} and {v.shape}"
        )
    if q.shape[0] < 2:
        raise ValueError(
            f"combine needs at least 2 data sets, got {q.shape[0]}: one data set does not show how "
            "much the posterior draw adds"
        )
    for name, values in (("estimates", q), ("variances", v)):
        if not np.isfinite(values).all():
            raise ValueError(
                f"{name} hold missing or infinite values: every analysis must give one"
            )
    if (v < 0).any():
        raise ValueError(f"variances must not be negative, got {v.min()}")
    dims, coords = _labels(estimates, variances, q.ndim - 1)
    return q.astype(np.float64), v.astype(np.float64), dims, coords


def _leading(values: Any, name: str) -> NDArray[Any]:
    if isinstance(values, xr.DataArray):
        if SYNTHETIC_DIM not in values.dims:
            raise ValueError(
                f"{name} must have the dimension {SYNTHETIC_DIM!r}, got {values.dims}: rename it"
            )
        values = values.transpose(SYNTHETIC_DIM, ...)
    array = np.asarray(values)
    if array.ndim == 0 or array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be numbers of shape (K, …), got {values!r}")
    return array


def _labels(estimates: Any, variances: Any, count: int) -> tuple[tuple[str, ...], Any]:
    """Dimensions and coordinates beside the data sets."""
    if isinstance(estimates, xr.DataArray):
        rest = estimates.isel({SYNTHETIC_DIM: 0}, drop=True)
        if isinstance(variances, xr.DataArray):
            other = variances.isel({SYNTHETIC_DIM: 0}, drop=True).dims
            if other != rest.dims:
                raise ValueError(
                    f"estimates and variances must have the same dimensions, got {rest.dims} and "
                    f"{other}"
                )
        return tuple(map(str, rest.dims)), rest.coords
    return tuple(f"dim_{i}" for i in range(count)), {}
