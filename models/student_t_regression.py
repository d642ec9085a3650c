r"""Linear regression with Student-t noise.

.. math:: y_i \mid \beta, \sigma, \nu \sim \mathrm{Student}\text{-}t_\nu(x_i^\top \beta, \sigma),
    \qquad \beta_j \sim \mathrm{Normal}(0, v^2), \quad \sigma \sim \mathrm{HalfNormal}(s)

The degrees of freedom are a number, or :math:`\nu \sim \mathrm{Gamma}(2, 0.1)` (mean 20) after
Juárez and Steel (2010, doi:10.1198/jbes.2009.07145). ``sigma`` is the scale; the standard deviation
is :math:`\sigma\sqrt{\nu/(\nu-2)}`, infinite for :math:`\nu \le 2`. There is no intercept: give the
model a column of ones.

There is no closed posterior: fit by NUTS. As a truth, ``bc.Truth(..., estimator=...)``, it gives
other learners outliers that they do not expect.
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
    features: int,
    degrees_of_freedom: float | None = None,
    prior_sd: float = 2.5,
    noise_scale: float = 1.0,
) -> pm.Model:
    """PyMC model of a regression with Student-t noise.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` on ``obs`` and ``x`` on (``obs``, ``feature``); two rows if not given.
    features : int
        Number of columns of ``x``, at least 1.
    degrees_of_freedom : float, optional
        Degrees of freedom; unknown under a Gamma(2, 0.1) prior if not given.
    prior_sd : float, default 2.5
        Prior standard deviation of every coefficient.
    noise_scale : float, default 1
        Half-normal prior scale of ``sigma``.

    Returns
    -------
    pymc.Model
        Parameters ``beta`` on ``feature``, ``sigma`` and, where unknown, ``nu``; covariates ``x``,
        observed variable ``y``.

    Examples
    --------
    >>> from bayescollapse.models import student_t_regression
    >>> [rv.name for rv in student_t_regression.model(features=2).free_RVs]
    ['beta', 'sigma', 'nu']
    """
    import pymc as pm

    response = np.array([0.0, 1.0]) if rows is None else rows["y"].to_numpy()
    design = np.eye(2, features) if rows is None else rows["x"].to_numpy()
    with pm.Model(coords={"feature": range(features)}) as regression:
        x = pm.Data("x", design, dims=("obs", "feature"))
        y = pm.Data("y_rows", response, dims="obs")
        beta = pm.Normal("beta", 0.0, prior_sd, dims="feature")
        sigma = pm.HalfNormal("sigma", noise_scale)
        nu = pm.Gamma("nu", 2.0, 0.1) if degrees_of_freedom is None else degrees_of_freedom
        pm.StudentT("y", nu=nu, mu=x @ beta, sigma=sigma, observed=y, dims="obs")
    return regression


def estimator(
    *,
    features: int,
    degrees_of_freedom: float | None = None,
    prior_sd: float = 2.5,
    noise_scale: float = 1.0,
) -> Estimator:
    """Estimator of a regression with Student-t noise, fitted by NUTS.

    Parameters
    ----------
    features : int
        Number of columns of ``x``, at least 1.
    degrees_of_freedom : float, optional
        Degrees of freedom, positive; unknown under a Gamma(2, 0.1) prior if not given.
    prior_sd : float, default 2.5
        Prior standard deviation of every coefficient, positive.
    noise_scale : float, default 1
        Half-normal prior scale of ``sigma``, positive, in units of the response.

    Returns
    -------
    Estimator
        Parameters ``beta``, ``sigma`` and, where unknown, ``nu``; row variables ``y`` and ``x``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Where this model is the truth of a learner with a parameter of the same name, the run compares
    the two: ``sigma`` of a normal learner is a standard deviation, here it is the scale.

    Examples
    --------
    A truth with heavy tails for a learner that assumes normal noise:

    >>> import bayescollapse as bc
    >>> from bayescollapse.models import linear_regression, student_t_regression
    >>> from bayescollapse.sources import NormalCovariates
    >>> heavy = student_t_regression.estimator(features=2, degrees_of_freedom=2.5)
    >>> truth = bc.Truth(
    ...     beta=[1.0, -1.0], sigma=1.0, covariates=NormalCovariates(2), estimator=heavy)
    >>> run = bc.Experiment(
    ...     linear_regression.estimator(features=2), truth, bc.schemes.pooled(),
    ...     n_real=50, generations=2, replicates=4).run(progress=False)
    >>> dict(run["summary"]["beta"].sizes)["replicate"]
    4
    """
    from bayescollapse.estimator import Estimator

    integer("features", features)
    setting: dict[str, Any] = {"prior_sd": prior_sd, "noise_scale": noise_scale}
    for name, value in setting.items():
        positive(name, value)
    if degrees_of_freedom is not None:
        positive("degrees_of_freedom", degrees_of_freedom)
    return Estimator(
        partial(model, features=features, degrees_of_freedom=degrees_of_freedom, **setting)
    )
