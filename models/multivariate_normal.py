r"""Mean and covariance of a multivariate normal.

.. math:: y_i \mid \mu, \Sigma \sim \mathrm{Normal}_p(\mu, \Sigma)

The conjugate prior is :math:`\Sigma \sim \mathrm{InverseWishart}(\Psi, \nu)`,
:math:`\mu \mid \Sigma \sim \mathrm{Normal}(\mu_0, \Sigma/\kappa)`, by default with
:math:`\mu_0 = 0`, :math:`\kappa = 1`, :math:`\nu = p + 3` and :math:`\Psi = 2I`, so that
:math:`\Sigma` is the identity on average. With total row weight :math:`N`, weighted mean
:math:`\bar y` and weighted scatter matrix :math:`S` around it, the posterior is of the same form
with :math:`\kappa + N`, :math:`\nu + N`, mean :math:`(\kappa\mu_0 + N\bar y)/(\kappa + N)` and
scale :math:`\Psi + S + \frac{\kappa N}{\kappa + N}(\bar y - \mu_0)(\bar y - \mu_0)^\top`. NUTS
samples the log-Cholesky factor of :math:`\Sigma`.

The other prior, :class:`LKJ`, separates scales from correlations and has no closed posterior, so
it is fitted by NUTS.

Rows have the dimension ``dim``, parameters ``mu`` (``dim``) and ``covariance`` (``dim``,
``dim_2``).

Used by He, Xu and Cheng (2025, arXiv:2502.18049), Shumailov et al. (2024, arXiv:2305.17493),
Alemohammad et al. (2023, arXiv:2307.01850) and Kazdan et al. (2024, arXiv:2410.16713).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescollapse._checks import integer, positive, real_number
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.inverse_wishart import inverse_wishart_roots
from bayescollapse.models._multivariate_normal_sampler import (
    MultivariateNormalSampler,
    NormalInverseWishart,
)

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["LKJ", "MultivariateNormalSampler", "NormalInverseWishart", "estimator", "model"]


@dataclass(frozen=True)
class LKJ:
    """Prior with independent standard deviations and an LKJ correlation matrix.

    Parameters
    ----------
    concentration : float
        Of the correlation matrix, positive; 1 is uniform, larger values shrink correlations.
    sd_scale : float
        Scale of the half-normal prior of every standard deviation, positive.
    mean : float
        Prior mean of every entry of ``mu``.
    mean_sd : float
        Prior sd of every entry of ``mu``, positive.
    """

    concentration: float = 2.0
    sd_scale: float = 2.0
    mean: float = 0.0
    mean_sd: float = 10.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        real_number("mean", self.mean)
        for name in ("concentration", "sd_scale", "mean_sd"):
            positive(name, getattr(self, name))


def model(
    rows: xr.Dataset | None = None,
    *,
    dim: int,
    prior: NormalInverseWishart | LKJ | None = None,
) -> pm.Model:
    """PyMC model of a multivariate normal.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` on (``obs``, ``dim``); ``dim + 1`` rows of small numbers if not given.
    dim : int
        Number of dimensions of a row, at least 1 (2 under an LKJ prior).
    prior : NormalInverseWishart or LKJ, optional
        The prior; ``NormalInverseWishart()`` if not given.

    Returns
    -------
    pymc.Model
        Parameters ``covariance`` and ``mu`` (under an LKJ prior ``factor``, the packed Cholesky
        factor, ``mu``, and ``covariance`` as a deterministic variable), observed variable ``y``.

    Examples
    --------
    >>> from bayescollapse.models import multivariate_normal
    >>> [rv.name for rv in multivariate_normal.model(dim=2).free_RVs]
    ['covariance', 'mu']
    """
    import pymc as pm
    import pytensor.tensor as pt

    prior = NormalInverseWishart() if prior is None else prior
    template = np.eye(dim + 1, dim) if rows is None else rows["y"].to_numpy()
    coords = {"dim": range(dim), "dim_2": range(dim)}
    with pm.Model(coords=coords) as normal:
        y = pm.Data("y_rows", template, dims=("obs", "dim"))
        if isinstance(prior, LKJ):
            sd = pm.HalfNormal.dist(prior.sd_scale, shape=dim)
            chol, _, _ = pm.LKJCholeskyCov(
                "factor", eta=prior.concentration, n=dim, sd_dist=sd, store_in_trace=False
            )
            pm.Deterministic("covariance", chol @ chol.T, dims=("dim", "dim_2"))
            mu = pm.Normal("mu", prior.mean, prior.mean_sd, dims="dim")
        else:
            mean, degrees, scale = prior.resolve(dim)
            covariance = _inverse_wishart("covariance", degrees, scale, dims=("dim", "dim_2"))
            chol = pt.linalg.cholesky(covariance)
            mu = pm.MvNormal("mu", mean, chol=chol / np.sqrt(prior.weight), dims="dim")
        pm.MvNormal("y", mu, chol=chol, observed=y, dims=("obs", "dim"))
    return normal


def estimator(*, dim: int, prior: NormalInverseWishart | LKJ | None = None) -> Estimator:
    """Estimator of a mean vector and covariance matrix.

    Parameters
    ----------
    dim : int
        Number of dimensions of a row, at least 1 (2 under an LKJ prior).
    prior : NormalInverseWishart or LKJ, optional
        The prior; ``NormalInverseWishart()`` if not given. Its posterior is exact; under an
        :class:`LKJ` prior it is drawn by NUTS.

    Returns
    -------
    Estimator
        Parameters ``covariance`` and ``mu`` (``factor`` and ``mu`` under an LKJ prior), row
        variable ``y`` on ``dim``.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range.

    Notes
    -----
    A plug-in emission takes posterior means: of ``covariance`` under the conjugate prior, of its
    packed Cholesky factor under an LKJ prior.

    Posterior draws hold ``dim**2`` numbers for every covariance: lower ``keep_draws`` of an
    experiment where `dim` is large.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import multivariate_normal
    >>> y = np.random.default_rng(1).normal([2.0, 5.0], 1.0, size=(500, 2))
    >>> rows = xr.Dataset({"y": (("obs", "dim"), y)})
    >>> posterior = multivariate_normal.estimator(dim=2).fit(rows, seed=1)
    >>> posterior["posterior"]["mu"].mean(("chain", "draw")).values.round()
    array([2., 5.])
    """
    from bayescollapse.estimator import Estimator

    integer("dim", dim)
    if isinstance(prior, LKJ):
        integer("dim", dim, minimum=2)
        return Estimator(partial(model, dim=dim, prior=prior))
    prior = NormalInverseWishart() if prior is None else prior
    if not isinstance(prior, NormalInverseWishart):
        raise TypeError(f"prior must be a NormalInverseWishart, an LKJ or None, got {prior!r}")
    prior.resolve(dim)
    sampler = MultivariateNormalSampler(dim, prior)
    return Estimator(partial(model, dim=dim, prior=prior), exact=sampler)


def _inverse_wishart(name: str, degrees: float, scale: Floats, **settings: Any) -> Any:
    """Free variable with an inverse-Wishart prior, sampled by its log-Cholesky factor."""
    import pymc as pm

    return pm.CustomDist(
        name,
        degrees,
        scale,
        logp=_inverse_wishart_logp,
        random=_inverse_wishart_draws,
        support_point=lambda rv, size, degrees, scale: scale / (degrees + scale.shape[-1] + 1),
        signature="(),(p,p)->(p,p)",
        transform=pm.distributions.transforms.CholeskyCovTransform(n=len(scale)),
        **settings,
    )


def _inverse_wishart_logp(value: Any, degrees: Any, scale: Any) -> Any:
    """Log density of an inverse-Wishart matrix, through Cholesky factors."""
    import pytensor.tensor as pt

    p = value.shape[-1]
    chol, scale_chol = pt.linalg.cholesky(value), pt.linalg.cholesky(scale)
    log_det, scale_log_det = (
        2 * pt.log(pt.diagonal(factor, axis1=-2, axis2=-1)).sum(axis=-1)
        for factor in (chol, scale_chol)
    )
    ratio = pt.linalg.solve_triangular(chol, scale_chol, lower=True)
    log_gamma = p * (p - 1) / 4 * np.log(np.pi) + pt.gammaln((degrees - pt.arange(p)) / 2).sum()
    return (
        degrees / 2 * (scale_log_det - p * np.log(2))
        - log_gamma
        - (degrees + p + 1) / 2 * log_det
        - (ratio**2).sum(axis=(-2, -1)) / 2
    )


def _inverse_wishart_draws(
    degrees: Floats, scale: Floats, rng: np.random.Generator, size: Any = None
) -> Floats:
    """Draws of an inverse-Wishart matrix, of shape size + (p, p)."""
    shape = () if size is None else tuple(size)
    root = inverse_wishart_roots(
        np.asarray(scale)[None], np.reshape(degrees, 1), int(np.prod(shape, dtype=int)), rng
    )
    draws = root[0] @ root[0].swapaxes(-1, -2)
    return np.asarray(draws.reshape(*shape, *scale.shape))
