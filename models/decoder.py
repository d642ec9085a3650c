r"""Nonlinear decoder of images: a Bayesian variational autoencoder without the encoder.

.. math:: z_i \sim \mathrm{Normal}(0, I), \qquad
    h_i = \tanh(A^\top z_i + B_{c_i}), \qquad
    \eta_i = G^\top h_i + g

and pixels :math:`y_{ij} \sim \mathrm{Bernoulli}(\operatorname{logit}^{-1} \eta_{ij})`, or
:math:`y_{ij} \sim \mathrm{Normal}(\operatorname{logit}^{-1} \eta_{ij}, \psi^2)`. The label
:math:`c_i` enters the hidden layer, so the decoder draws images of a given class.

Dimensions: ``y`` (obs, feature), the covariate ``label`` (obs), ``z`` (obs, latent),
``latent_weight`` A (latent, hidden), ``label_weight`` B (label_value, hidden), ``pixel_weight`` G
(hidden, feature), ``pixel_bias`` g (feature), ``noise_sd`` psi ().

Priors: A and B ~ Normal(0, 1), G ~ Normal(0, weight_sd), g ~ Normal(0, bias_sd), psi ~
LogNormal(log 0.3, 1); all proper.

``z`` has one value per row. It cannot be integrated out in closed form, so it is named with
``local=`` and the posterior is mean-field ADVI, **declared as approximate**: there is no other
method. The posterior has many equivalent modes (hidden units can be exchanged or change sign); ADVI
finds one. Read what it predicts, not single weights. Held-out densities integrate ``z`` out by
importance sampling and are too low on average.

The model is that of Kingma and Welling (2014, arXiv:1312.6114) with a prior on its weights.
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

PIXELS = ("bernoulli", "normal")


def model(
    rows: xr.Dataset | None = None,
    *,
    features: int,
    classes: int,
    latent: int = 8,
    hidden: int = 64,
    pixels: str = "bernoulli",
    weight_sd: float = 1.0,
    bias_sd: float = 3.0,
) -> pm.Model:
    """PyMC model of a decoder with one hidden layer.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` on (``obs``, ``feature``), 0 or 1 for ``bernoulli``, and ``label`` in 0, …,
        classes - 1 on ``obs``; zeros if not given.
    features : int
        Number of pixels, at least 1.
    classes : int
        Number of classes, at least 1.
    latent, hidden : int
        Local variables of an image, and hidden units.
    pixels : {"bernoulli", "normal"}
        Likelihood of a pixel.
    weight_sd, bias_sd : float
        Prior sd of the pixels' weights and biases (logits), positive.

    Returns
    -------
    pymc.Model
        Local variable ``z``; parameters ``latent_weight``, ``label_weight``, ``pixel_weight``,
        ``pixel_bias`` (and ``noise_sd``); covariate ``label``; observed variable ``y``.

    Examples
    --------
    >>> from bayescollapse.models import decoder
    >>> [rv.name for rv in decoder.model(features=4, classes=2).free_RVs]
    ['z', 'latent_weight', 'label_weight', 'pixel_weight', 'pixel_bias']
    """
    import pymc as pm
    import pytensor.tensor as pt

    kind = np.int64 if pixels == "bernoulli" else np.float64
    values = np.zeros((3, features), dtype=kind) if rows is None else rows["y"].to_numpy()
    codes = np.zeros(3, dtype=np.int64) if rows is None else rows["label"].to_numpy()
    coords = {
        "latent": range(latent),
        "hidden": range(hidden),
        "feature": range(features),
        "label_value": range(classes),
    }
    with pm.Model(coords=coords) as autoencoder:
        y = pm.Data("y_rows", values, dims=("obs", "feature"))
        label = pm.Data("label", codes, dims="obs")
        z = pm.Normal("z", 0.0, 1.0, dims=("obs", "latent"))
        latent_weight = pm.Normal("latent_weight", 0.0, 1.0, dims=("latent", "hidden"))
        label_weight = pm.Normal("label_weight", 0.0, 1.0, dims=("label_value", "hidden"))
        pixel_weight = pm.Normal("pixel_weight", 0.0, weight_sd, dims=("hidden", "feature"))
        pixel_bias = pm.Normal("pixel_bias", 0.0, bias_sd, dims="feature")
        # A product with indicators: the gradient of label_weight[label] would be slower.
        units = pt.tanh(z @ latent_weight + pt.eye(classes)[label] @ label_weight)
        logits = units @ pixel_weight + pixel_bias
        if pixels == "bernoulli":
            pm.Bernoulli("y", logit_p=logits, observed=y, dims=("obs", "feature"))
        else:
            noise_sd = pm.LogNormal("noise_sd", np.log(0.3), 1.0)
            grey = pm.math.sigmoid(logits)
            pm.Normal("y", grey, noise_sd, observed=y, dims=("obs", "feature"))
    return autoencoder


def estimator(
    *,
    features: int,
    classes: int,
    latent: int = 8,
    hidden: int = 64,
    pixels: str = "bernoulli",
    weight_sd: float = 1.0,
    bias_sd: float = 3.0,
) -> Estimator:
    """Estimator of a decoder, fitted by ADVI; see :func:`model` for the arguments.

    Parameters
    ----------
    features, classes, latent, hidden : int
        Sizes, at least 1.
    pixels : {"bernoulli", "normal"}
        Likelihood of a pixel.
    weight_sd, bias_sd : float
        Priors, positive.

    Returns
    -------
    Estimator
        With ``local=("z",)``: ``method="auto"`` is ``advi``, and every other method is refused.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from bayescollapse.models import decoder
    >>> images = decoder.estimator(features=64, classes=10, latent=2, hidden=16)
    >>> images.resolve("auto")
    'advi'
    """
    from bayescollapse.estimator import Estimator

    for name, value in (
        ("features", features),
        ("classes", classes),
        ("latent", latent),
        ("hidden", hidden),
    ):
        integer(name, value)
    positive("weight_sd", weight_sd)
    positive("bias_sd", bias_sd)
    if pixels not in PIXELS:
        raise ValueError(f"pixels must be one of {PIXELS}, got {pixels!r}")
    settings = partial(
        model,
        features=features,
        classes=classes,
        latent=latent,
        hidden=hidden,
        pixels=pixels,
        weight_sd=weight_sd,
        bias_sd=bias_sd,
    )
    return Estimator(settings, local=("z",))
