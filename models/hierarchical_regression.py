r"""Hierarchical regression: intercepts that vary between groups.

.. math:: y_i \mid a, \beta, \sigma \sim \mathrm{Normal}(a_{g(i)} + x_i^\top \beta, \sigma^2),
    \qquad a_g = \mu + \tau z_g, \quad z_g \sim \mathrm{Normal}(0, 1)

with :math:`\mu \sim \mathrm{Normal}(0, c^2)`, :math:`\tau` half-normal, :math:`\beta_j \sim
\mathrm{Normal}(0, v^2)` and :math:`\sigma` half-normal. The groups are a fixed set; every row, real
or synthetic, carries the code of its group as a covariate beside its ``x``.

The intercepts are written **non-centred**: the free variables are ``intercept`` :math:`\mu`,
``group_sd`` :math:`\tau` and ``z``, which NUTS samples well where groups have few rows and
:math:`\tau` may be near zero (Betancourt and Girolami, 2013, arXiv:1312.0906). Two consequences:
plug-in emission takes the posterior means of :math:`\mu`, :math:`\tau` and :math:`z`, and
:math:`\hat\mu + \hat\tau \hat z_g` is not quite the posterior mean of :math:`a_g`; and a group's
intercept has to be computed from the three (as in the example of :func:`estimator`). ``x`` should
have no column of ones.

There is no closed posterior: fit by NUTS. The model is that of the eight schools (Rubin, 1981) and
of radon in houses (Gelman and Hill, 2007, chapter 12).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescollapse._checks import integer, positive

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["estimator", "model"]


def model(
    rows: xr.Dataset | None = None,
    *,
    groups: int,
    features: int,
    intercept_sd: float = 5.0,
    group_scale: float = 1.0,
    prior_sd: float = 2.5,
    noise_scale: float = 1.0,
) -> pm.Model:
    """PyMC model of a regression with varying intercepts.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` and the integer codes ``group`` on ``obs``, and ``x`` on (``obs``,
        ``feature``); two rows of group 0 if not given.
    groups : int
        Number of groups G, at least 2; codes are 0 to G - 1.
    features : int
        Number of columns of ``x``, at least 1.
    intercept_sd : float, default 5
        Prior standard deviation of the mean intercept.
    group_scale : float, default 1
        Half-normal prior scale of the standard deviation between groups.
    prior_sd : float, default 2.5
        Prior standard deviation of every coefficient.
    noise_scale : float, default 1
        Half-normal prior scale of the noise standard deviation.

    Returns
    -------
    pymc.Model
        Parameters ``intercept``, ``group_sd``, ``z`` on ``groups``, ``beta`` on ``feature`` and
        ``sigma``; covariates ``x`` and ``group``, observed variable ``y``.

    Examples
    --------
    >>> from bayescollapse.models import hierarchical_regression
    >>> [rv.name for rv in hierarchical_regression.model(groups=4, features=2).free_RVs]
    ['intercept', 'group_sd', 'z', 'beta', 'sigma']
    """
    import pymc as pm

    response = np.array([0.0, 1.0]) if rows is None else rows["y"].to_numpy()
    design = np.eye(2, features) if rows is None else rows["x"].to_numpy()
    codes = np.zeros(2, dtype=np.int64) if rows is None else rows["group"].to_numpy()
    with pm.Model(coords={"feature": range(features), "groups": range(groups)}) as hierarchy:
        x = pm.Data("x", design, dims=("obs", "feature"))
        group = pm.Data("group", codes, dims="obs")
        y = pm.Data("y_rows", response, dims="obs")
        intercept = pm.Normal("intercept", 0.0, intercept_sd)
        group_sd = pm.HalfNormal("group_sd", group_scale)
        z = pm.Normal("z", dims="groups")
        beta = pm.Normal("beta", 0.0, prior_sd, dims="feature")
        sigma = pm.HalfNormal("sigma", noise_scale)
        # Compiled indexing reads past the end without a word; NaN makes a foreign code an error.
        known = (group >= 0) & (group < groups)
        varying = (intercept + group_sd * z)[pm.math.clip(group, 0, groups - 1)]
        mean = pm.math.switch(known, varying + x @ beta, np.nan)
        pm.Normal("y", mean, sigma, observed=y, dims="obs")
    return hierarchy


def estimator(
    *,
    groups: int,
    features: int,
    intercept_sd: float = 5.0,
    group_scale: float = 1.0,
    prior_sd: float = 2.5,
    noise_scale: float = 1.0,
) -> Estimator:
    """Estimator of a regression with varying intercepts, fitted by NUTS.

    Parameters
    ----------
    groups : int
        Number of groups G, at least 2; codes are 0 to G - 1. A group without rows is drawn from
        the distribution of groups.
    features : int
        Number of columns of ``x``, at least 1.
    intercept_sd : float, default 5
        Prior standard deviation of the mean intercept, in units of the response, as are the others.
    group_scale : float, default 1
        Half-normal prior scale of the standard deviation between groups, positive.
    prior_sd : float, default 2.5
        Prior standard deviation of every coefficient, positive.
    noise_scale : float, default 1
        Half-normal prior scale of the noise standard deviation, positive.

    Returns
    -------
    Estimator
        Parameters ``intercept``, ``group_sd``, ``z``, ``beta`` and ``sigma``; row variables ``y``,
        ``x`` and ``group``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Rows whose code is not one of 0 to G - 1 have no likelihood: a fit to them fails and names them.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.models import hierarchical_regression
    >>> estimator = hierarchical_regression.estimator(groups=3, features=1)
    >>> [v.name for v in estimator.schema.covariates]
    ['x', 'group']
    >>> parameters = {"intercept": 1.0, "group_sd": 0.5, "z": np.array([-1.0, 0.0, 1.0])}
    >>> parameters["intercept"] + parameters["group_sd"] * parameters["z"]
    array([0.5, 1. , 1.5])
    """
    from bayescollapse.estimator import Estimator

    integer("groups", groups, minimum=2)
    integer("features", features)
    setting: dict[str, Any] = {
        "intercept_sd": intercept_sd,
        "group_scale": group_scale,
        "prior_sd": prior_sd,
        "noise_scale": noise_scale,
    }
    for name, value in setting.items():
        positive(name, value)
    return Estimator(partial(model, groups=groups, features=features, **setting))
