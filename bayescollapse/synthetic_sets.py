"""One round of several synthetic data sets, each from its own posterior draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from bayescollapse._checks import integer

if TYPE_CHECKING:
    from bayescollapse.estimator.emission import Emission
    from bayescollapse.estimator.estimator import Estimator

__all__ = ["SYNTHETIC_DIM", "multiple"]

SYNTHETIC_DIM = "synthetic"
"""Dimension of the data sets."""


def multiple(
    estimator: Estimator,
    posterior: xr.DataTree,
    K: int,
    m: int,
    *,
    covariates: xr.Dataset | None = None,
    emission: str | Emission = "joint",
    seed: int | None = None,
) -> xr.Dataset:
    """Emit K synthetic data sets from one posterior, each from its own draw.

    Parameters
    ----------
    estimator : Estimator
        The model.
    posterior : DataTree
        Tree with a ``posterior`` group, as ``Estimator.fit`` returns. Draws are taken from it
        uniformly, with replacement: give it many more than K.
    K : int
        Number of data sets, 1 or more; :func:`combine` needs 2.
    m : int
        Rows of each.
    covariates : Dataset, optional
        Covariates of the m rows, the same for all data sets, or with the dimension ``synthetic``
        in front; needed where the model has any.
    emission : {"joint", "plug-in", "predictive", "ensemble(K)"}, default "joint"
        How each data set comes from the posterior. The rules of :func:`combine` are for ``joint``:
        data sets from one plug-in value share its error and do not show it.
    seed : int, optional
        Seed; a fresh one if not given. The first data sets are the same whatever K is.

    Returns
    -------
    Dataset
        Responses and covariates with the dimensions (synthetic, obs).

    Raises
    ------
    ValueError
        If K or m is no count, or covariates are missing or do not fit.

    References
    ----------
    van Breugel et al. 2023, arXiv 2305.09235 (there with separately trained deep generators).

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> estimator = gaussian_mean.estimator()
    >>> posterior = estimator.fit(xr.Dataset({"y": ("obs", np.arange(5.0))}), seed=1)
    >>> dict(bc.multiple(estimator, posterior, 3, 10, seed=2).sizes)
    {'synthetic': 3, 'obs': 10}
    """
    from bayescollapse.estimator.inputs import entropy

    integer("K", K)
    integer("m", m)
    designs = _designs(covariates, K)
    # One child per data set: set k is the same whatever K is.
    children = np.random.SeedSequence(entropy(seed)).spawn(K)
    emitted = [
        estimator.emit(
            posterior,
            m,
            emission=emission,
            covariates=design,
            seed=int(child.generate_state(1, np.uint64)[0]),
        )
        for design, child in zip(designs, children, strict=True)
    ]
    return xr.concat(
        emitted, dim=SYNTHETIC_DIM, data_vars="all", coords="minimal", compat="equals", join="exact"
    )


def _designs(covariates: xr.Dataset | None, count: int) -> list[xr.Dataset | None]:
    if covariates is None or SYNTHETIC_DIM not in covariates.dims:
        return [covariates] * count
    if covariates.sizes[SYNTHETIC_DIM] != count:
        raise ValueError(
            f"covariates must hold K = {count} designs on {SYNTHETIC_DIM!r}, got "
            f"{covariates.sizes[SYNTHETIC_DIM]}"
        )
    return [covariates.isel({SYNTHETIC_DIM: k}, drop=True) for k in range(count)]
