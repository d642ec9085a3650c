r"""Factor analysis and probabilistic PCA of images or any multivariate rows, by class.

.. math:: y_i \mid c_i \sim \mathrm{Normal}(\mu_{c_i},\; W_{c_i} W_{c_i}^\top + \Psi), \qquad
    \Psi = \mathrm{diag}(\psi^2)

This is :math:`y_i = \mu_{c_i} + W_{c_i} z_i + \psi \epsilon_i` with the factors
:math:`z_i \sim \mathrm{Normal}(0, I_K)` integrated out, so a row has one log-likelihood term and
can be weighted. It costs K x K solves only, by the Woodbury identity: with
:math:`V = \Psi^{-1/2} W`, :math:`M = I_K + V^\top V` and :math:`r = \Psi^{-1/2} (y - \mu)`,

.. math:: -2 \log p(y) = p \log 2\pi + \textstyle\sum_j \log \psi_j^2 + \log |M| + r^\top r
    - (V^\top r)^\top M^{-1} (V^\top r)

Dimensions: ``y`` (obs, feature), the covariate ``label`` (obs) where there are classes, ``mean``
(label, feature), ``loading`` (label, feature, factor), ``noise_sd`` (), or (feature) for factor
analysis proper.

Priors: ``mean`` ~ Normal(0, mean_sd); every loading ~ Normal(0, loading_sd) independently;
``noise_sd`` ~ LogNormal(log noise_scale, 1), which stays proper where a feature is constant (the
border of images).

**Rotation.** The likelihood and the prior do not change when W is multiplied by an orthogonal
matrix, so with ``triangular=False`` single loadings mean nothing: read invariant quantities (the
mean, the noise, :math:`W W^\top`), and do not fit by NUTS, whose chains would wander along the
orbit. ``triangular=True`` names one W per orbit, lower triangular with a positive diagonal. Its
prior is what the LQ decomposition makes of independent normals: ``below`` the diagonal
Normal(0, loading_sd), and diagonal entry j (of K, from 1) loading_sd times a chi variable with
K - j + 1 degrees of freedom. Both forms put the *same* prior on :math:`W W^\top` and on rows.

There is no closed posterior: NUTS on small rows (triangular), ``advi`` or ``map``, declared as
approximate, on images. Probabilistic PCA is Tipping and Bishop (1999,
doi:10.1111/1467-9868.00196); the prior of the triangular form is Bartlett's decomposition.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
    factors: int,
    classes: int | None = None,
    class_loadings: bool = True,
    feature_noise: bool = False,
    triangular: bool = True,
    mean_sd: float = 1.0,
    loading_sd: float = 1.0,
    noise_scale: float = 1.0,
) -> pm.Model:
    """PyMC model of factor analysis with the factors integrated out.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` on (``obs``, ``feature``), and ``label`` in 0, …, classes - 1 on ``obs``
        where there are classes; zeros if not given.
    features : int
        Number of features p (pixels), at least 1.
    factors : int
        Number of factors K, 1 to `features`.
    classes : int, optional
        Number of classes; none if not given, and then there is no ``label``.
    class_loadings : bool, default True
        Loadings of every class, instead of common ones.
    feature_noise : bool, default False
        A noise sd per feature (factor analysis) instead of one (probabilistic PCA).
    triangular : bool, default True
        Lower triangular loadings with a positive diagonal, which names one of all rotations.
    mean_sd, loading_sd : float, default 1
        Prior sd of means and loadings, positive.
    noise_scale : float, default 1
        Prior median of the noise sd, positive.

    Returns
    -------
    pymc.Model
        Parameters ``mean``, ``loading`` (or its parts ``diagonal`` and ``below``), ``noise_sd``;
        covariate ``label``; observed variable ``y``.

    Examples
    --------
    >>> from bayescollapse.models import factor_analysis
    >>> [rv.name for rv in factor_analysis.model(features=4, factors=2).free_RVs]
    ['mean', 'diagonal', 'below', 'noise_sd']
    """
    import pymc as pm
    import pytensor.tensor as pt

    values = np.zeros((3, features)) if rows is None else rows["y"].to_numpy()
    coords: dict[str, Any] = {"feature": range(features), "factor": range(factors)}
    by_class: tuple[str, ...] = ()
    if classes is not None:
        coords["label_value"] = range(classes)
        by_class = ("label_value",)
    by_loading = by_class if class_loadings else ()
    with pm.Model(coords=coords) as analysis:
        y = pm.Data("y_rows", values, dims=("obs", "feature"))
        mean = pm.Normal("mean", 0.0, mean_sd, dims=(*by_class, "feature"))
        if triangular:
            loading = _triangular(features, factors, by_loading, loading_sd)
        else:
            loading = pm.Normal("loading", 0.0, loading_sd, dims=(*by_loading, "feature", "factor"))
        noise_sd = pm.LogNormal(
            "noise_sd", np.log(noise_scale), 1.0, dims="feature" if feature_noise else None
        )
        noise = noise_sd * pt.ones(features)
        if classes is None:
            label = pt.zeros(y.shape[0], dtype="int64")
            centre = pt.zeros((y.shape[0], 1)) + mean
        else:
            codes = np.zeros(3, dtype=np.int64) if rows is None else rows["label"].to_numpy()
            label = pm.Data("label", codes, dims="obs")
            # A product with indicators: the gradient of mean[label] would be many times slower.
            centre = pt.eye(classes)[label] @ mean
        if not by_loading:
            loading, label = loading[None], 0 * label
        pm.CustomDist(
            "y",
            centre,
            loading,
            noise,
            label,
            logp=_logp,
            random=_random,
            signature="(d),(c,d,k),(d),()->(d)",
            dtype="float64",
            observed=y,
            dims=("obs", "feature"),
        )
    return analysis


def estimator(
    *,
    features: int,
    factors: int,
    classes: int | None = None,
    class_loadings: bool = True,
    feature_noise: bool = False,
    triangular: bool = True,
    mean_sd: float = 1.0,
    loading_sd: float = 1.0,
    noise_scale: float = 1.0,
) -> Estimator:
    """Estimator of factor analysis; see :func:`model` for the arguments.

    Parameters
    ----------
    features, factors, classes : int
        Sizes; `classes` is optional.
    class_loadings, feature_noise, triangular : bool
        Form of loadings and noise.
    mean_sd, loading_sd, noise_scale : float
        Priors, positive.

    Returns
    -------
    Estimator
        Parameters ``mean``, ``loading`` (or ``diagonal`` and ``below``), ``noise_sd``; row
        variables ``y`` and ``label``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from bayescollapse.models import factor_analysis
    >>> images = factor_analysis.estimator(features=64, factors=5, classes=10, triangular=False)
    >>> [(p.name, p.shape) for p in images.schema.parameters]
    [('mean', (10, 64)), ('loading', (10, 64, 5)), ('noise_sd', ())]
    """
    from bayescollapse.estimator import Estimator

    integer("features", features)
    integer("factors", factors)
    if factors > features:
        raise ValueError(
            f"factors must be at most features = {features}, got {factors}: more factors than "
            "features describe no other covariance"
        )
    if classes is not None:
        integer("classes", classes)
    positive("mean_sd", mean_sd)
    positive("loading_sd", loading_sd)
    positive("noise_scale", noise_scale)
    settings = partial(
        model,
        features=features,
        factors=factors,
        classes=classes,
        class_loadings=class_loadings,
        feature_noise=feature_noise,
        triangular=triangular,
        mean_sd=mean_sd,
        loading_sd=loading_sd,
        noise_scale=noise_scale,
    )
    return Estimator(settings)


def _triangular(features: int, factors: int, lead: tuple[str, ...], sd: float) -> Any:
    """Lower triangular loadings with a positive diagonal; to be called inside a model."""
    import pymc as pm
    import pytensor.tensor as pt

    row, column = np.tril_indices(features, -1, factors)
    pm.modelcontext(None).add_coord("entry", range(len(row)))
    degrees = factors - np.arange(factors, dtype=np.float64)
    diagonal = pm.CustomDist(
        "diagonal",
        degrees,
        sd,
        logp=_chi_logp,
        random=_chi_random,
        support_point=_chi_start,
        transform=pm.distributions.transforms.log,
        dims=(*lead, "factor"),
    )
    below = pm.Normal("below", 0.0, sd, dims=(*lead, "entry"))
    loading = pt.zeros((*diagonal.shape[:-1], features, factors))
    loading = loading[..., np.arange(factors), np.arange(factors)].set(diagonal)
    return loading[..., row, column].set(below)


def _chi_logp(value: Any, degrees: Any, sd: Any) -> Any:
    import pytensor.tensor as pt

    constant = (degrees / 2 - 1) * np.log(2.0) + pt.gammaln(degrees / 2)
    scaled = value / sd
    return (degrees - 1) * pt.log(scaled) - scaled**2 / 2 - constant - pt.log(sd)


def _chi_start(variable: Any, size: Any, degrees: Any, sd: Any) -> Any:
    import pytensor.tensor as pt

    return pt.zeros_like(variable) + sd * pt.sqrt(degrees)


def _chi_random(
    degrees: NDArray[Any], sd: NDArray[Any], rng: np.random.Generator, size: Any = None
) -> NDArray[np.float64]:
    return np.asarray(sd * np.sqrt(rng.chisquare(degrees, size)))


def _logp(value: Any, centre: Any, loading: Any, noise: Any, label: Any) -> Any:
    """Log density of every row: one factorisation per class, K x K."""
    import pytensor.tensor as pt
    from pytensor.tensor.linalg import cholesky, solve_triangular

    # A random variable pads its parameters with batch axes; these two are the same in all rows.
    loading, noise = loading[0], noise[0]
    factors = loading.shape[-1]
    scaled = loading / noise[:, None]
    inner = pt.eye(factors) + scaled.transpose(0, 2, 1) @ scaled
    root = cholesky(inner, lower=True)
    inverse = solve_triangular(root, pt.broadcast_to(pt.eye(factors), inner.shape), lower=True)
    residual = (value - centre) / noise
    # Projections on the factors of all classes at once: gathering loadings by row would not fit.
    flat = scaled.transpose(1, 0, 2).reshape((scaled.shape[1], -1))
    projected = (residual @ flat).reshape((residual.shape[0], -1, factors))
    own = pt.eye(loading.shape[0])[label]
    projected = (projected * own[:, :, None]).sum(axis=1)
    explained = (inverse[label] * projected[:, None, :]).sum(axis=-1)
    half_log_det = pt.log(pt.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    return (
        -0.5 * value.shape[1] * np.log(2 * np.pi)
        - pt.log(noise).sum()
        - half_log_det[label]
        - 0.5 * ((residual**2).sum(axis=-1) - (explained**2).sum(axis=-1))
    )


def _random(
    centre: NDArray[Any],
    loading: NDArray[Any],
    noise: NDArray[Any],
    label: NDArray[Any],
    rng: np.random.Generator,
    size: tuple[int, ...] | None = None,
) -> NDArray[np.float64]:
    """Draw rows; batch axes broadcast as those of any random variable."""
    lead = np.broadcast_shapes(
        centre.shape[:-1], loading.shape[:-3], noise.shape[:-1], label.shape, tuple(size or ())
    )
    features, factors = loading.shape[-2:]
    score = rng.standard_normal((*lead, factors))
    error = rng.standard_normal((*lead, features))
    index = np.asarray(label, dtype=np.int64)
    own = np.broadcast_to(loading, (*lead, *loading.shape[-3:]))
    index = np.broadcast_to(index, lead)[..., None, None, None]
    own = np.take_along_axis(own, index, axis=-3)[..., 0, :, :]
    return np.asarray(centre + (own @ score[..., None])[..., 0] + noise * error)
