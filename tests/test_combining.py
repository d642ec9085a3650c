"""Several synthetic data sets of one round: how they are made, and how they are combined."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian_mean, linear_regression

KINDS = ("fully synthetic", "partially synthetic", "imputation")


@pytest.fixture(scope="module")
def regression():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, 2))
    estimator = linear_regression.estimator(features=2, noise_sd=1.0)
    rows = xr.Dataset({"x": (("obs", "feature"), x), "y": ("obs", x.sum(1) + rng.normal(size=30))})
    return estimator, estimator.fit(rows, seed=1), rows[["x"]]


def test_data_sets_are_emitted_from_different_draws():
    estimator = gaussian_mean.estimator(sd=0.001, prior_sd=5.0)
    rows = xr.Dataset({"y": ("obs", np.array([0.0]))})
    # One row and a wide posterior would not differ much; power 0.0001 makes it wide.
    posterior = estimator.fit(rows, [1e-8], seed=1)
    sets = bc.multiple(estimator, posterior, 40, 5, seed=3)
    assert sets["y"].dims == ("synthetic", "obs")
    assert sets["y"].std("obs").max() < 0.01
    assert sets["y"].mean("obs").std() > 0.5
    same = bc.multiple(estimator, posterior, 40, 5, emission="plug-in", seed=3)
    assert same["y"].mean("obs").std() < 0.01


def test_the_first_sets_do_not_depend_on_their_number(regression):
    estimator, posterior, covariates = regression
    few = bc.multiple(estimator, posterior, 2, 30, covariates=covariates, seed=3)
    many = bc.multiple(estimator, posterior, 5, 30, covariates=covariates, seed=3)
    xr.testing.assert_identical(few, many.isel(synthetic=slice(2)))
    assert (many["y"].isel(synthetic=0) != many["y"].isel(synthetic=1)).all()
    other = bc.multiple(estimator, posterior, 2, 30, covariates=covariates, seed=4)
    assert (few["y"] != other["y"]).all()


def test_covariates_are_shared_or_one_design_a_set(regression):
    estimator, posterior, covariates = regression
    shared = bc.multiple(estimator, posterior, 3, 30, covariates=covariates, seed=1)
    assert shared["x"].dims == ("synthetic", "obs", "feature")
    np.testing.assert_array_equal(shared["x"].isel(synthetic=2), covariates["x"])
    designs = shared[["x"]] * xr.DataArray([1.0, 2.0, 3.0], dims="synthetic")
    own = bc.multiple(estimator, posterior, 3, 30, covariates=designs, seed=1)
    xr.testing.assert_equal(own["x"], designs["x"])
    with pytest.raises(ValueError, match="K = 4 designs"):
        bc.multiple(estimator, posterior, 4, 30, covariates=designs)
    with pytest.raises(ValueError, match="covariates must hold"):
        bc.multiple(estimator, posterior, 4, 30)


@pytest.mark.parametrize(("K", "m"), [(0, 5), (2, 0), (1.5, 5)])
def test_counts_are_checked(regression, K, m):
    estimator, posterior, covariates = regression
    with pytest.raises(ValueError, match="must be an integer"):
        bc.multiple(estimator, posterior, K, m, covariates=covariates)


def test_total_variances_are_those_of_the_theory():
    rng = np.random.default_rng(2)
    q, v = rng.normal(size=(6, 7)), rng.uniform(0.1, 0.3, size=(6, 7))
    between, within = q.var(axis=0, ddof=1), v.mean(axis=0)
    total = {kind: bc.combine(q, v, kind=kind) for kind in KINDS}
    np.testing.assert_allclose(
        total["fully synthetic"]["variance"], theory.combined_variance(between, within, members=6)
    )
    np.testing.assert_allclose(
        total["imputation"]["variance"], theory.naive_combined_variance(between, within, members=6)
    )
    np.testing.assert_allclose(total["partially synthetic"]["variance"], between / 6 + within)
    for result in total.values():
        np.testing.assert_allclose(result["mean"], q.mean(axis=0))
        np.testing.assert_allclose(result["between"], between)
        np.testing.assert_allclose(result["within"], within)


@pytest.mark.parametrize("kind", KINDS)
def test_degrees_of_freedom_match_two_moments(kind):
    """Satterthwaite: T / E T is close to chi2_d / d in mean and variance when only b varies.

    With b = beta chi2_{K-1} / (K-1) the relative variance of T is 2 / d for d at b = beta.
    """
    K, beta, within = 9, 0.4, 0.1
    factor = 1 / K if kind == "partially synthetic" else 1 + 1 / K
    sign = -1 if kind == "fully synthetic" else 1
    spread = np.sqrt(beta) * np.linspace(-1, 1, K)
    spread *= np.sqrt(beta / spread.var(ddof=1))
    result = bc.combine(spread, np.full(K, within), kind=kind)
    total = factor * beta + sign * within
    variance = (factor * beta) ** 2 * 2 / (K - 1)
    np.testing.assert_allclose(result["degrees_of_freedom"], 2 * total**2 / variance)


def test_the_interval_is_students():
    result = bc.combine([1.0, 1.4, 0.6, 1.2], [0.05] * 4, level=0.9)
    freedom, total = float(result["degrees_of_freedom"]), float(result["variance"])
    expected = stats.t.interval(0.9, freedom, loc=1.05, scale=np.sqrt(total))
    np.testing.assert_allclose(result["interval"], expected)


def test_a_negative_variance_is_reported_and_marked():
    result = bc.combine(np.array([[1.0, 0.0], [1.1, 2.0]]), np.full((2, 2), 0.5))
    np.testing.assert_allclose(result["variance"], [1.5 * 0.005 - 0.5, 1.5 * 2.0 - 0.5])
    np.testing.assert_array_equal(result["negative"], [True, False])
    np.testing.assert_array_equal(np.isnan(result["degrees_of_freedom"]), [True, False])
    assert np.isnan(result["interval"][0]).all()
    assert np.isfinite(result["interval"][1]).all()


def test_estimates_that_all_agree():
    """No spread: nothing for fully synthetic rows, the claimed variance and a normal else."""
    agree = np.ones(5)
    assert bool(bc.combine(agree, np.full(5, 0.2))["negative"])
    other = bc.combine(agree, np.full(5, 0.04), kind="imputation")
    assert np.isinf(other["degrees_of_freedom"])
    np.testing.assert_allclose(other["interval"], 1 + 0.2 * stats.norm.ppf([0.025, 0.975]))


def test_labels_are_kept():
    q = xr.DataArray(
        np.arange(6.0).reshape(2, 3),
        dims=("parameter", "synthetic"),
        coords={"parameter": list("ab")},
    )
    result = bc.combine(q, xr.full_like(q, 0.1))
    assert result["interval"].dims == ("parameter", "bound")
    np.testing.assert_allclose(result["mean"].sel(parameter="b"), 4.0)
    assert result.attrs == {"kind": "fully synthetic", "level": 0.95, "data_sets": 3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [0.1]), "at least 2 data sets"),
        (([1.0, 2.0], [0.1]), "same shape"),
        (([1.0, 2.0], [0.1, -0.1]), "negative"),
        (([1.0, np.nan], [0.1, 0.1]), "missing"),
        ((1.0, 0.1), "shape"),
        ((xr.DataArray([1.0, 2.0], dims="x"), xr.DataArray([1.0, 2.0], dims="x")), "synthetic"),
    ],
)
def test_bad_estimates_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        bc.combine(*arguments)


@pytest.mark.parametrize("settings", [{"kind": "synthetic"}, {"level": 1.0}, {"level": True}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        bc.combine([1.0, 2.0], [0.1, 0.1], **settings)
