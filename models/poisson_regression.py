r"""Poisson regression with a log link.

.. math:: y_i \mid \beta \sim \mathrm{Poisson}(e^{x_i^\top \beta}), \qquad
    \beta_j \sim \mathrm{Normal}(0, \tau^2)

There is no intercept: give the model a column of ones. There is no closed posterior: fit by NUTS,
or by ``method="laplace"`` in large sweeps.

The logarithm of the rate is bounded smoothly, :math:`\eta - \log(1 + e^{\eta - 40})` in place of
:math:`\eta = x_i^\top \beta`, so that neither rates nor gradients overflow far from the posterior
and no rate exceeds what a 64-bit count can hold. The rate is low by the factor
:math:`1 + e^{\eta - 40}`: nothing in double precision for counts below ten, 2e-9 for counts of
5e8, always less than the spread of the count itself below 3e11.

Used by He, Xu and Cheng (2025, arXiv:2502.18049) on simulated rows, by maximum likelihood.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bayescollapse._checks import integer, positive

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["LARGEST_LOG_RATE", "estimator", "model"]

LARGEST_LOG_RATE = 40.0
"""Bound of the logarithm of a rate: exp(40) is 2.4e17, and a 64-bit count holds 9.2e18."""


def model(rows: xr.Dataset | None = None, *, features: int, prior_sd: float = 1.0) -> pm.Model:
    """PyMC model of a Poisson regression.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with the counts ``y`` on ``obs`` and ``x`` on (``obs``, ``feature``); two rows of zeros
        if not given.
    features : int
        Number of columns of ``x``, at least 1.
    prior_sd : float, default 1
        Prior standard deviation of every coefficient; inf is the flat prior.

    Returns
    -------
    pymc.Model
        Parameter ``beta`` on ``feature``, covariates ``x``, observed variable ``y`` on ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import poisson_regression
    >>> [rv.name for rv in poisson_regression.model(features=2).free_RVs]
    ['beta']
    """
    import pymc as pm

    counts = np.array([0, 1]) if rows is None else rows["y"].to_numpy()
    design = np.zeros((2, features)) if rows is None else rows["x"].to_numpy()
    with pm.Model(coords={"feature": range(features)}) as poisson:
        x = pm.Data("x", design, dims=("obs", "feature"))
        y = pm.Data("y_rows", counts, dims="obs")
        if np.isinf(prior_sd):
            beta = pm.Flat("beta", dims="feature")
        else:
            beta = pm.Normal("beta", 0.0, prior_sd, dims="feature")
        eta = x @ beta
        log_rate = eta - pm.math.log1pexp(eta - LARGEST_LOG_RATE)
        pm.Poisson("y", pm.math.exp(log_rate), observed=y, dims="obs")
    return poisson


def estimator(*, features: int, prior_sd: float = 1.0) -> Estimator:
    """Estimator of Poisson regression coefficients, without a closed form.

    Parameters
    ----------
    features : int
        Number of columns of ``x``, at least 1.
    prior_sd : float, default 1
        Prior standard deviation of every coefficient, positive; with columns of unit spread, 1 lets
        a rate change by a factor of 7 per standard deviation. inf is the flat prior, whose
        posterior is improper when a column is only present where all counts are zero.

    Returns
    -------
    Estimator
        Parameter ``beta``, row variables ``y`` (counts) and ``x``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from bayescollapse.models import poisson_regression
    >>> poisson_regression.estimator(features=2).schema.responses[0].dtype
    'int64'
    """
    from bayescollapse.estimator import Estimator

    integer("features", features)
    positive("prior_sd", prior_sd, infinite=True)
    return Estimator(partial(model, features=features, prior_sd=prior_sd))
