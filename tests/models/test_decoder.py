"""The nonlinear decoder: fitted by ADVI only, drawing images of a given class."""

import numpy as np
import pytest
import xarray as xr

from bayescollapse.models import decoder


@pytest.fixture(scope="module")
def fitted():
    """Four pixels; class 0 lights the first two, class 1 the last two."""
    rng = np.random.default_rng(1)
    label = np.arange(80) % 2
    on = np.where(label[:, None] == 0, [0.95, 0.95, 0.05, 0.05], [0.05, 0.05, 0.95, 0.95])
    y = (rng.random((80, 4)) < on).astype(int)
    rows = xr.Dataset({"y": (("obs", "feature"), y), "label": ("obs", label)})
    estimator = decoder.estimator(features=4, classes=2, latent=1, hidden=3)
    return estimator, rows, estimator.fit(rows, draws=50, seed=1)


def test_images_are_those_of_their_class(fitted):
    estimator, _, fit = fitted
    label = xr.Dataset({"label": ("obs", np.repeat([0, 1], 200))})
    y = estimator.emit(fit, 400, covariates=label, seed=2)["y"].values
    # Binomial sd is below 0.04; the thresholds leave 0.3 for the posterior.
    assert y[:200, :2].mean() > 0.6 > 0.4 > y[:200, 2:].mean()
    assert y[200:, 2:].mean() > 0.6 > 0.4 > y[200:, :2].mean()


def test_the_right_class_is_more_probable(fitted):
    estimator, rows, fit = fitted
    names = [p.name for p in estimator.schema.parameters]
    theta = {n: fit["posterior"][n].values[:1, :10] for n in names}
    values = estimator.schema.values(rows)
    right = estimator.engine().log_density(theta, values).mean()
    wrong = estimator.engine().log_density(theta, {**values, "label": 1 - values["label"]}).mean()
    assert wrong + 1 < right < 0


def test_z_is_local_and_every_other_method_refused(fitted):
    estimator, _, _ = fitted
    assert "z" not in [p.name for p in estimator.schema.parameters]
    with pytest.raises(ValueError, match="advi"):
        estimator.resolve("nuts")


def test_normal_pixels_have_a_noise_sd():
    estimator = decoder.estimator(features=4, classes=2, pixels="normal")
    assert "noise_sd" in [p.name for p in estimator.schema.parameters]


@pytest.mark.parametrize(
    "bad", [{"latent": 0}, {"pixels": "grey"}, {"weight_sd": 0.0}, {"bias_sd": np.inf}]
)
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        decoder.estimator(features=4, classes=2, **bad)
