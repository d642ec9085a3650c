r"""Logistic regression.

.. math:: y_i \mid \beta \sim \mathrm{Bernoulli}(\operatorname{logit}^{-1}(x_i^\top \beta)), \qquad
    \beta_j \sim \mathrm{Normal}(0, \tau^2)

There is no intercept: give the model a column of ones. There is no closed posterior: fit by NUTS,
or by ``method="laplace"`` in large sweeps.

Used by He, Xu and Cheng (2025, arXiv:2502.18049), on simulated rows and on a survey table.
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

__all__ = ["estimator", "model"]


def model(rows: xr.Dataset | None = None, *, features: int, prior_sd: float = 2.5) -> pm.Model:
    """PyMC model of a logistic regression.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` in {0, 1} on ``obs`` and ``x`` on (``obs``, ``feature``); two rows of zeros
        if not given.
    features : int
        Number of columns of ``x``, at least 1.
    prior_sd : float, default 2.5
        Prior standard deviation of every coefficient; inf is the flat prior.

    Returns
    -------
    pymc.Model
        Parameter ``beta`` on ``feature``, covariates ``x``, observed variable ``y`` on ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import logistic_regression
    >>> [rv.name for rv in logistic_regression.model(features=2).free_RVs]
    ['beta']
    """
    import pymc as pm

    labels = np.array([0, 1]) if rows is None else rows["y"].to_numpy()
    design = np.zeros((2, features)) if rows is None else rows["x"].to_numpy()
    with pm.Model(coords={"feature": range(features)}) as logistic:
        x = pm.Data("x", design, dims=("obs", "feature"))
        y = pm.Data("y_rows", labels, dims="obs")
        if np.isinf(prior_sd):
            beta = pm.Flat("beta", dims="feature")
        else:
            beta = pm.Normal("beta", 0.0, prior_sd, dims="feature")
        pm.Bernoulli("y", logit_p=x @ beta, observed=y, dims="obs")
    return logistic


def estimator(*, features: int, prior_sd: float = 2.5) -> Estimator:
    """Estimator of logistic regression coefficients, without a closed form.

    Parameters
    ----------
    features : int
        Number of columns of ``x``, at least 1.
    prior_sd : float, default 2.5
        Prior standard deviation of every coefficient, positive; inf is the flat prior, whose
        posterior is improper when the classes can be separated.

    Returns
    -------
    Estimator
        Parameter ``beta``, row variables ``y`` in {0, 1} and ``x``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from bayescollapse.models import logistic_regression
    >>> logistic_regression.estimator(features=2).schema.covariates[0].shape
    (2,)
    """
    from bayescollapse.estimator import Estimator

    integer("features", features)
    positive("prior_sd", prior_sd, infinite=True)
    return Estimator(partial(model, features=features, prior_sd=prior_sd))
