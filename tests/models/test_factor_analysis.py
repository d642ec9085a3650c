"""Factor analysis: the Woodbury density, its draws, and the two forms of the loadings."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import multivariate_normal

from bayescollapse.estimator.prior import PriorDraw
from bayescollapse.models import factor_analysis

FORMS = [
    {"classes": 3},
    {"classes": 3, "class_loadings": False, "feature_noise": True},
    {"triangular": False, "feature_noise": True},
    {"classes": 2, "triangular": False},
]


def loadings(theta, form, features, factors):
    """Loadings (class, feature, factor) of one draw, written out by hand."""
    if not form.get("triangular", True):
        full = theta["loading"]
    else:
        lead = theta["diagonal"].shape[:-1]
        full = np.zeros((*lead, features, factors))
        row, column = np.tril_indices(features, -1, factors)
        full[..., range(factors), range(factors)] = theta["diagonal"]
        full[..., row, column] = theta["below"]
    return full.reshape(-1, features, factors)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_density_is_the_normal_with_the_whole_covariance(form):
    rng = np.random.default_rng(1)
    estimator = factor_analysis.estimator(features=5, factors=2, **form)
    theta = PriorDraw(estimator.row_model)(3, rng)
    y, label = rng.normal(size=(9, 5)), rng.integers(form.get("classes", 1), size=9)
    values = {"y": y[None]} | ({"label": label[None]} if "classes" in form else {})
    found = estimator.engine("map").log_density({k: v[None] for k, v in theta.items()}, values)[0]
    for d in range(3):
        one = {name: value[d] for name, value in theta.items()}
        w = loadings(one, form, 5, 2)
        w = np.broadcast_to(w, (form.get("classes", 1), 5, 2))
        mean = one["mean"].reshape(-1, 5)
        noise = np.diag(np.broadcast_to(one["noise_sd"], 5) ** 2)
        exact = [
            multivariate_normal(mean[c], w[c] @ w[c].T + noise).logpdf(row)
            for row, c in zip(y, label, strict=True)
        ]
        np.testing.assert_allclose(found[d], exact, rtol=1e-8, atol=1e-8)


def test_drawn_rows_have_the_moments_of_the_density():
    """20,000 rows of class 1: means and covariances within 5 standard errors, 1 in 10,000."""
    rng = np.random.default_rng(2)
    form = {"classes": 2}
    estimator = factor_analysis.estimator(features=3, factors=2, **form)
    theta = PriorDraw(estimator.row_model)(1, rng)
    label = np.ones((1, 20_000), dtype=np.int64)
    engine = estimator.engine("map")
    wide = {name: value[:, None] for name, value in theta.items()}
    y = engine.forward(wide, {"label": label}, 20_000, rng)["y"][0]
    one = {name: value[0] for name, value in theta.items()}
    w = loadings(one, form, 3, 2)[1]
    cov = w @ w.T + one["noise_sd"] ** 2 * np.eye(3)
    assert (np.abs(y.mean(0) - one["mean"][1]) < 5 * np.sqrt(np.diag(cov) / 20_000)).all()
    error = np.sqrt((np.outer(np.diag(cov), np.diag(cov)) + cov**2) / 20_000)
    assert (np.abs(np.cov(y.T) - cov) < 5 * error).all()


def test_both_forms_have_the_same_prior_of_the_covariance():
    """Means of W W' under both priors: K sd^2 on the diagonal; 5 MCSE, 4,000 draws."""
    rng = np.random.default_rng(3)
    for triangular in (True, False):
        form = {"triangular": triangular}
        estimator = factor_analysis.estimator(features=3, factors=2, loading_sd=0.5, **form)
        theta = PriorDraw(estimator.row_model)(4000, rng)
        draws = (loadings({n: v[d] for n, v in theta.items()}, form, 3, 2)[0] for d in range(4000))
        square = np.stack([w @ w.T for w in draws])
        mcse = square.std(axis=0) / np.sqrt(4000)
        assert (np.abs(square.mean(axis=0) - 0.5 * np.eye(3)) < 5 * mcse).all()
        # A chi-squared diagonal entry of W W' has variance 2 K sd^4.
        diagonal = np.diagonal(square, axis1=1, axis2=2)
        np.testing.assert_allclose(diagonal.var(axis=0), 0.25, rtol=0.25)


def test_a_mode_finds_the_covariance():
    rng = np.random.default_rng(4)
    w = np.array([[2.0], [1.0], [-1.0], [0.0]])
    y = rng.normal(size=(2000, 1)) @ w.T + 0.5 * rng.normal(size=(2000, 4)) + 3
    estimator = factor_analysis.estimator(features=4, factors=1, mean_sd=10.0)
    fit = estimator.fit(xr.Dataset({"y": (("obs", "feature"), y)}), method="map", seed=1, draws=1)
    one = {name: fit["posterior"][name].values[0, 0] for name in fit["posterior"].data_vars}
    assert bool(fit["sample_stats"]["passed"])
    np.testing.assert_allclose(one["mean"], 3, atol=0.25)
    assert one["noise_sd"] == pytest.approx(0.5, abs=0.03)
    np.testing.assert_allclose(loadings(one, {}, 4, 1)[0], w, atol=0.2)


@pytest.mark.parametrize(
    "bad",
    [
        {"features": 0, "factors": 1},
        {"features": 2, "factors": 3},
        {"features": 2, "factors": 1, "classes": 0},
        {"features": 2, "factors": 1, "noise_scale": -1.0},
    ],
)
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        factor_analysis.estimator(**bad)
