r"""Mixture of Gaussians, its labels summed out and its components sorted by their means.

.. math:: y_i \mid w, \mu, \sigma \sim \sum_{k=1}^K w_k\,\mathrm{Normal}(\mu_k, \sigma_k^2)

with :math:`w \sim \mathrm{Dirichlet}(a, …, a)`, :math:`\log \sigma_k \sim \mathrm{Normal}(\log s,
r^2)` independent, and :math:`\mu` the order statistics of :math:`K` independent
:math:`\mathrm{Normal}(m, v^2)`, :math:`\mu_1 \le … \le \mu_K`.

**Label switching.** The likelihood is the same for all :math:`K!` labellings, so with exchangeable
priors every posterior margin would be the same for all components. Here components are labelled by
their mean, in the prior itself: order statistics of normals have the density :math:`K!\prod_k
\mathrm{Normal}(\mu_k; m, v^2)` on :math:`\mu_1 \le … \le \mu_K`, and because the Dirichlet is
symmetric and the :math:`\sigma_k` are alike, this *is* the exchangeable mixture with its components
sorted. The law of rows, the posterior predictive and prior draws are those of the unordered model;
only names are fixed. What sorting cannot do: where two components overlap, "the second component"
may be a different one in different draws or fits, and its margin may have two modes. Questions
about a place (how much mass lies near 4?) need no labels.

A mixture's likelihood has no bound where one component shrinks onto one row. The log-normal prior
of :math:`\sigma_k` falls faster than any power at 0, which keeps the posterior proper and bounded.
There is no closed posterior: fit by NUTS. Components that no row supports return to their prior.

Mixtures are the standard example of modes lost in recursive training: Shumailov et al. (2024,
arXiv:2305.17493) and Alemohammad et al. (2024, arXiv:2307.01850). On labels: Stephens (2000),
doi:10.1111/1467-9868.00265.
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
    components: int,
    prior_mean: float = 0.0,
    prior_sd: float = 5.0,
    sd_median: float = 1.0,
    sd_spread: float = 0.5,
    concentration: float = 1.0,
) -> pm.Model:
    """PyMC model of a Gaussian mixture with sorted means.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` on ``obs``; -1 and 1 if not given.
    components : int
        Number of components K, at least 2.
    prior_mean, prior_sd : float, default 0 and 5
        Of every component mean before sorting.
    sd_median, sd_spread : float, default 1 and 0.5
        Median of every component's standard deviation, and the standard deviation of its
        logarithm.
    concentration : float, default 1
        Dirichlet concentration of every weight; 1 is the flat prior.

    Returns
    -------
    pymc.Model
        Parameters ``weights``, ``mu`` (ascending) and ``sigma`` on ``component``; observed variable
        ``y`` on ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import gaussian_mixture
    >>> [rv.name for rv in gaussian_mixture.model(components=3).free_RVs]
    ['weights', 'mu', 'sigma']
    """
    import pymc as pm

    from bayescollapse.models._ordered import ordered_normals

    values = np.array([-1.0, 1.0]) if rows is None else rows["y"].to_numpy()
    with pm.Model(coords={"component": range(components)}) as mixture:
        y = pm.Data("y_rows", values, dims="obs")
        weights = pm.Dirichlet("weights", np.full(components, concentration), dims="component")
        mu = ordered_normals("mu", prior_mean, prior_sd, size=components, dims="component")
        sigma = pm.LogNormal("sigma", np.log(sd_median), sd_spread, dims="component")
        pm.NormalMixture("y", weights, mu, sigma, observed=y, dims="obs")
    return mixture


def estimator(
    *,
    components: int,
    prior_mean: float = 0.0,
    prior_sd: float = 5.0,
    sd_median: float = 1.0,
    sd_spread: float = 0.5,
    concentration: float = 1.0,
) -> Estimator:
    """Estimator of a Gaussian mixture with sorted means, fitted by NUTS.

    Parameters
    ----------
    components : int
        Number of components K, at least 2.
    prior_mean, prior_sd : float, default 0 and 5
        Of every component mean before sorting, in units of the rows; set them to where rows can
        be.
    sd_median, sd_spread : float, default 1 and 0.5
        Median of every component's standard deviation, in units of the rows, and the standard
        deviation of its logarithm: 95 % of the prior lies within a factor of 2.7.
    concentration : float, default 1
        Dirichlet concentration of every weight, positive; 1 is the flat prior.

    Returns
    -------
    Estimator
        Parameters ``weights``, ``mu`` (ascending; true values must be) and ``sigma``; row variable
        ``y``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Chains can settle in different modes where rows support more than one clustering; the gate then
    fails on R-hat, and the run counts it.
    Where components overlap, chains of 500 draws often need a second attempt to pass the gate:
    ``draws=1000`` is a good start.

    Examples
    --------
    >>> from bayescollapse.models import gaussian_mixture
    >>> [p.name for p in gaussian_mixture.estimator(components=2).schema.parameters]
    ['weights', 'mu', 'sigma']
    """
    from bayescollapse.estimator import Estimator

    integer("components", components, minimum=2)
    real_number("prior_mean", prior_mean)
    setting: dict[str, Any] = {
        "prior_sd": prior_sd,
        "sd_median": sd_median,
        "sd_spread": sd_spread,
        "concentration": concentration,
    }
    for name, value in setting.items():
        positive(name, value)
    return Estimator(partial(model, components=components, prior_mean=prior_mean, **setting))
