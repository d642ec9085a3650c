r"""Censored linear regression (tobit).

.. math:: y_i = \min(\max(y_i^*, l), u), \qquad
    y_i^* \mid \beta, \sigma \sim \mathrm{Normal}(x_i^\top \beta, \sigma^2)

with :math:`\beta_j \sim \mathrm{Normal}(0, v^2)` and :math:`\sigma` half-normal. Limits are fixed
numbers. A row at a limit says only that the value lies at or beyond it: its likelihood is the
probability of that, while the others have a density, so log-likelihoods of rows at a limit and
between the limits are not in the same unit. A row beyond a limit is impossible. There is no
intercept: give the model a column of ones.

There is no closed posterior: fit by NUTS. After Tobin (1958), doi:10.2307/1907382. As a truth,
``bc.Truth(..., estimator=...)``, it gives other learners rows that pile up at a limit.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescollapse._checks import integer, positive, real_number

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["estimator", "model"]


def model(
    rows: xr.Dataset | None = None,
    *,
    features: int,
    lower: float | None = None,
    upper: float | None = None,
    prior_sd: float = 2.5,
    noise_scale: float = 1.0,
) -> pm.Model:
    """PyMC model of a censored regression.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` on ``obs`` and ``x`` on (``obs``, ``feature``); two rows at a limit if not
        given.
    features : int
        Number of columns of ``x``, at least 1.
    lower, upper : float, optional
        Limits; at least one.
    prior_sd : float, default 2.5
        Prior standard deviation of every coefficient.
    noise_scale : float, default 1
        Half-normal prior scale of ``sigma``, the noise before censoring.

    Returns
    -------
    pymc.Model
        Parameters ``beta`` on ``feature`` and ``sigma``; covariates ``x``, observed variable ``y``.

    Examples
    --------
    >>> from bayescollapse.models import censored_regression
    >>> [rv.name for rv in censored_regression.model(features=2, upper=1.0).free_RVs]
    ['beta', 'sigma']
    """
    import pymc as pm

    limit = upper if lower is None else lower
    response = np.full(2, limit) if rows is None else rows["y"].to_numpy()
    design = np.eye(2, features) if rows is None else rows["x"].to_numpy()
    with pm.Model(coords={"feature": range(features)}) as tobit:
        x = pm.Data("x", design, dims=("obs", "feature"))
        y = pm.Data("y_rows", response, dims="obs")
        beta = pm.Normal("beta", 0.0, prior_sd, dims="feature")
        sigma = pm.HalfNormal("sigma", noise_scale)
        latent = pm.Normal.dist(x @ beta, sigma)
        pm.Censored("y", latent, lower=lower, upper=upper, observed=y, dims="obs")
    return tobit


def estimator(
    *,
    features: int,
    lower: float | None = None,
    upper: float | None = None,
    prior_sd: float = 2.5,
    noise_scale: float = 1.0,
) -> Estimator:
    """Estimator of a censored regression, fitted by NUTS.

    Parameters
    ----------
    features : int
        Number of columns of ``x``, at least 1.
    lower, upper : float, optional
        Limits, lower below upper; at least one.
    prior_sd : float, default 2.5
        Prior standard deviation of every coefficient, positive.
    noise_scale : float, default 1
        Half-normal prior scale of ``sigma``, positive, in units of the response.

    Returns
    -------
    Estimator
        Parameters ``beta`` and ``sigma``; row variables ``y``, within the limits, and ``x``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    Rows above a limit equal the limit:

    >>> import bayescollapse as bc
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import censored_regression
    >>> estimator = censored_regression.estimator(features=1, upper=1.0)
    >>> one = {"beta": np.zeros((1, 1, 1)), "sigma": np.full((1, 1), 2.0)}
    >>> posterior = xr.DataTree.from_dict({"posterior": xr.Dataset({
    ...     "beta": (("chain", "draw", "feature"), one["beta"]),
    ...     "sigma": (("chain", "draw"), one["sigma"])})})
    >>> x = xr.Dataset({"x": (("obs", "feature"), np.ones((500, 1)))})
    >>> float(estimator.emit(posterior, 500, covariates=x, seed=1)["y"].max())
    1.0
    """
    from bayescollapse.estimator import Estimator

    integer("features", features)
    limits: dict[str, Any] = {"lower": lower, "upper": upper}
    for name, limit in limits.items():
        if limit is not None:
            real_number(name, limit)
    if lower is None and upper is None:
        raise ValueError(
            "lower and upper are both None, but a censored regression needs a limit: give at least "
            "one, or use linear_regression"
        )
    if lower is not None and upper is not None and lower >= upper:
        raise ValueError(f"lower must be below upper, got lower={lower!r} and upper={upper!r}")
    setting: dict[str, Any] = {"prior_sd": prior_sd, "noise_scale": noise_scale}
    for name, value in setting.items():
        positive(name, value)
    return Estimator(partial(model, features=features, **limits, **setting))
