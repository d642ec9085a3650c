r"""Linear regression.

.. math:: y_i \mid \beta, \sigma \sim \mathrm{Normal}(x_i^\top \beta, \sigma^2)

With a known noise sd the prior is :math:`\beta_j \sim \mathrm{Normal}(0, \tau^2)`. With an unknown
one, :math:`\beta_j \mid \sigma \sim \mathrm{Normal}(0, \sigma^2 \tau^2)` and
:math:`p(\sigma^2) \propto 1/\sigma^2`, or :math:`\sigma^2 \sim \mathrm{InverseGamma}(a, b)`, which
makes the prior proper where :math:`\tau` is finite. An infinite :math:`\tau` is the flat prior. A
prior precision :math:`K` in place of :math:`\tau` is
:math:`\beta \sim \mathrm{Normal}(0, \sigma^2 K^{-1})`: the g-prior has
:math:`K = X_0^\top X_0 / g` for a fixed reference design :math:`X_0`. There is no intercept: give
the model a column of ones.

With row weights :math:`W` and :math:`K = I/\tau^2` the posterior under an unknown noise sd is
:math:`\beta \mid \sigma \sim \mathrm{Normal}(m, \sigma^2 (X^\top W X + K)^{-1})` around
:math:`m = (X^\top W X + K)^{-1} X^\top W y`, and
:math:`\sigma^2 \sim \mathrm{InverseGamma}(a + N/2, b + \tfrac12 \{(y - Xm)^\top W (y - Xm) +
m^\top K m\})` for total weight :math:`N` (with :math:`N - p` for the flat prior of p coefficients,
and a = b = 0 for :math:`1/\sigma^2`). A proper prior of the coefficients allows more columns than
rows (ridge regression).

Used by He, Xu and Cheng (2025, arXiv:2502.18049), Gerstgrasser et al. (2024, arXiv:2404.01413) and
Dohmatob, Feng and Kempe (2024, arXiv:2402.07712).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescollapse._checks import integer, positive
from bayescollapse.models._linear_regression_priors import InverseGamma, PriorPrecision, g_prior
from bayescollapse.models._linear_regression_sampler import LinearRegressionSampler

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = [
    "InverseGamma",
    "LinearRegressionSampler",
    "PriorPrecision",
    "estimator",
    "g_prior",
    "model",
]


def model(
    rows: xr.Dataset | None = None,
    *,
    features: int,
    noise_sd: float | None = None,
    prior_sd: float = np.inf,
    noise_prior: InverseGamma | None = None,
    prior_precision: PriorPrecision | None = None,
) -> pm.Model:
    """PyMC model of a linear regression.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` on ``obs`` and ``x`` on (``obs``, ``feature``); a small design if not given.
    features : int
        Number of columns of ``x``, at least 1.
    noise_sd : float, optional
        Known noise standard deviation; unknown under the prior 1/sigma^2 if not given.
    prior_sd : float, default inf
        Prior sd of every coefficient, in units of the noise sd where that is unknown; inf is flat.
    noise_prior : InverseGamma, optional
        Prior of an unknown noise variance; 1/sigma^2 if not given.
    prior_precision : PriorPrecision, optional
        Prior precision matrix of the coefficients in units of one over the noise variance, in place
        of `prior_sd`.

    Returns
    -------
    pymc.Model
        Parameters ``beta`` on ``feature`` (and ``sigma``), covariates ``x``, observed variable
        ``y``.

    Examples
    --------
    >>> from bayescollapse.models import linear_regression
    >>> [rv.name for rv in linear_regression.model(features=2).free_RVs]
    ['sigma', 'beta']
    """
    import pymc as pm
    import pytensor.tensor as pt

    template = np.arange(features + 2.0)

    def root_of_inverse_gamma(shape: object, scale: object, size: object) -> pt.TensorVariable:
        return pt.sqrt(pm.InverseGamma.dist(shape, scale, size=size))

    response = template if rows is None else rows["y"].to_numpy()
    design = np.vander(template / 2, features) if rows is None else rows["x"].to_numpy()
    with pm.Model(coords={"feature": range(features)}) as regression:
        x = pm.Data("x", design, dims=("obs", "feature"))
        y = pm.Data("y_rows", response, dims="obs")
        if noise_sd is not None:
            sigma, beta_sd = noise_sd, prior_sd
        elif noise_prior is None:
            sigma = pm.HalfFlat("sigma")
            pm.Potential("jeffreys", -pt.log(sigma))
            beta_sd = sigma * prior_sd
        else:
            sigma = pm.CustomDist(
                "sigma",
                noise_prior.shape,
                noise_prior.scale,
                dist=root_of_inverse_gamma,
                transform=pm.distributions.transforms.log,
            )
            beta_sd = sigma * prior_sd
        if prior_precision is not None:
            root = np.linalg.cholesky(np.linalg.inv(prior_precision.array()))
            beta = pm.MvNormal("beta", np.zeros(features), chol=sigma * root, dims="feature")
        elif np.isinf(prior_sd):
            beta = pm.Flat("beta", dims="feature")
        else:
            beta = pm.Normal("beta", 0.0, beta_sd, dims="feature")
        pm.Normal("y", x @ beta, sigma, observed=y, dims="obs")
    return regression


def estimator(
    *,
    features: int,
    noise_sd: float | None = None,
    prior_sd: float = np.inf,
    noise_prior: InverseGamma | None = None,
    prior_precision: PriorPrecision | None = None,
) -> Estimator:
    """Estimator of linear regression coefficients, with its exact posterior.

    Parameters
    ----------
    features : int
        Number of columns of ``x``, at least 1.
    noise_sd : float, optional
        Known noise standard deviation, positive; unknown under the prior 1/sigma^2 if not given.
    prior_sd : float, default inf
        Prior sd of every coefficient, positive, in units of the noise sd where that is unknown; inf
        is flat.
    noise_prior : InverseGamma, optional
        Prior of an unknown noise variance; 1/sigma^2 if not given.
    prior_precision : PriorPrecision, optional
        Prior precision matrix of the coefficients in units of one over the noise variance, in place
        of `prior_sd`: ``g_prior(design)`` builds Zellner's.

    Returns
    -------
    Estimator
        Parameters ``beta`` and, where unknown, ``sigma``; row variables ``y`` and ``x``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, or two exclude each other.

    Notes
    -----
    The posterior costs O(features**3) for a replicate and generation: 128 replicates with 200
    columns take about a second.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import linear_regression
    >>> x = np.random.default_rng(1).normal(size=(200, 1))
    >>> rows = xr.Dataset({"x": (("obs", "feature"), x), "y": ("obs", 3 * x[:, 0])})
    >>> fitted = linear_regression.estimator(features=1, noise_sd=1.0).fit(rows, seed=1)
    >>> round(float(fitted["posterior"]["beta"].mean()))
    3

    Ridge regression with a proper prior, and the g-prior of the rows' own design:

    >>> ridge = linear_regression.estimator(
    ...     features=300, prior_sd=0.1, noise_prior=linear_regression.InverseGamma(2.0, 1.0)
    ... )
    >>> zellner = linear_regression.estimator(
    ...     features=1, prior_precision=linear_regression.g_prior(x)
    ... )
    """
    from bayescollapse.estimator import Estimator

    integer("features", features)
    positive("prior_sd", prior_sd, infinite=True)
    if noise_sd is not None:
        positive("noise_sd", noise_sd)
    _check_priors(features, noise_sd, prior_sd, noise_prior, prior_precision)
    setting: dict[str, Any] = {"features": features, "noise_sd": noise_sd, "prior_sd": prior_sd}
    setting |= {"noise_prior": noise_prior, "prior_precision": prior_precision}
    return Estimator(partial(model, **setting), exact=LinearRegressionSampler(**setting))


def _check_priors(
    features: int,
    noise_sd: float | None,
    prior_sd: float,
    noise_prior: InverseGamma | None,
    prior_precision: PriorPrecision | None,
) -> None:
    if noise_prior is not None and not isinstance(noise_prior, InverseGamma):
        raise TypeError(f"noise_prior must be an InverseGamma or None, got {noise_prior!r}")
    if noise_prior is not None and noise_sd is not None:
        raise ValueError(
            f"noise_prior={noise_prior!r} and noise_sd={noise_sd!r} exclude each other: a known "
            "noise has no prior; give one of them"
        )
    if prior_precision is None:
        return
    if not isinstance(prior_precision, PriorPrecision):
        raise TypeError(
            "prior_precision must be a PriorPrecision or None, got "
            f"{type(prior_precision).__name__}: wrap a matrix in PriorPrecision(matrix), or build "
            "it with g_prior(design)"
        )
    if len(prior_precision.matrix) != features:
        raise ValueError(
            f"prior_precision is a matrix of {len(prior_precision.matrix)} columns, but features "
            f"is {features}: build it from a design with the columns of x"
        )
    if not np.isinf(prior_sd):
        raise ValueError(
            f"prior_precision and prior_sd={prior_sd!r} exclude each other: both are the prior of "
            "beta; give one of them"
        )
