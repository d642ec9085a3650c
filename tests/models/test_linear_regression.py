"""Linear regression: ridge with more columns than rows, noise priors, g-priors, covariates."""

import numpy as np
import pytest
import scipy.stats
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import linear_regression
from bayescollapse.models.linear_regression import InverseGamma, PriorPrecision, g_prior
from bayescollapse.sources import NormalCovariates

NOISE = InverseGamma(shape=2.0, scale=0.5)


def batch(n, p, seed, noise=1.0, replicates=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(replicates, n, p))
    return {"x": x, "y": x[..., :3].sum(axis=-1) + noise * rng.normal(size=(replicates, n))}


def in_row_space(x, y, weights, prior_sd):
    """Posterior by the marginal law of the rows, which inverts matrices of rows, not columns."""
    root = np.sqrt(weights)[:, None]
    x, y = root * x, root[:, 0] * y
    kernel = np.eye(len(y)) + prior_sd**2 * x @ x.T
    location = prior_sd**2 * x.T @ np.linalg.solve(kernel, y)
    covariance = prior_sd**2 * (
        np.eye(x.shape[1]) - prior_sd**2 * x.T @ np.linalg.solve(kernel, x)
    )
    return location, covariance, NOISE.scale + y @ np.linalg.solve(kernel, y) / 2


@pytest.mark.parametrize("noise", [1.0, 1e-6])
@pytest.mark.parametrize(("first", "second", "p"), [(50, 50, 200), (30, 10, 20), (9, 9, 20)])
def test_ridge_with_more_columns_than_rows(first, second, p, noise):
    sampler = linear_regression.estimator(features=p, prior_sd=0.3, noise_prior=NOISE).exact
    a, b = batch(first, p, seed=1, noise=noise), batch(second, p, seed=2, noise=noise)
    factors = [0.4, 1.7]
    stats = sampler.merge([sampler.suffstats(a, None), sampler.suffstats(b, None)], factors)
    got = sampler.summary(stats, (0.1, 0.9))
    weights = np.repeat(factors, [first, second])
    x, y = (np.concatenate([a[name], b[name]], axis=1) for name in "xy")
    shape = NOISE.shape + weights.sum() / 2
    for r in range(2):
        location, covariance, scale = in_row_space(x[r], y[r], weights, 0.3)
        beta = scipy.stats.t(2 * shape, location, np.sqrt(scale / shape * np.diagonal(covariance)))
        np.testing.assert_allclose(got[r, 0, 1:], location, atol=1e-10)
        np.testing.assert_allclose(got[r, 2:, 1:], beta.ppf([[0.1], [0.9]]), atol=1e-9)
        variance = scipy.stats.invgamma(shape, scale=scale)
        np.testing.assert_allclose(got[r, 2:, 0], np.sqrt(variance.ppf([0.1, 0.9])), rtol=1e-9)
    np.testing.assert_array_equal(sampler.summary(sampler.merge([stats], [1.0]), (0.1, 0.9)), got)
    rescaled = sampler.merge([sampler.suffstats(a, None)], [0.4])
    weighted = sampler.suffstats(a, np.full((2, first), 0.4))
    np.testing.assert_allclose(
        sampler.summary(rescaled, (0.1,)), sampler.summary(weighted, (0.1,)), rtol=1e-8, atol=1e-12
    )


def test_rows_of_weight_zero_do_not_count_as_rows():
    """Twenty-five rows, of which six count, and eight columns."""
    sampler = linear_regression.estimator(features=8, prior_sd=0.3, noise_prior=NOISE).exact
    rows, weights = batch(25, 8, seed=3), np.zeros((2, 25))
    weights[:, 5:11] = 0.7
    removed = {name: value[:, 5:11] for name, value in rows.items()}
    np.testing.assert_allclose(
        sampler.summary(sampler.suffstats(rows, weights), (0.2,)),
        sampler.summary(sampler.suffstats(removed, weights[:, 5:11]), (0.2,)),
        rtol=1e-10,
    )


@pytest.mark.parametrize("noise_sd", [None, 1.5])
def test_g_prior_shrinks_by_one_factor(noise_sd):
    """On its own design at weight 1 the posterior mean is g/(1+g) times least squares."""
    rows, g = batch(30, 4, seed=4, replicates=1), 7.0
    prior = g_prior(rows["x"][0], g=g)
    sampler = linear_regression.estimator(
        features=4, noise_sd=noise_sd, prior_precision=prior
    ).exact
    got = sampler.summary(sampler.suffstats(rows, None), ())[0, :, -4:]
    least_squares, residual = np.linalg.lstsq(rows["x"][0], rows["y"][0])[:2]
    np.testing.assert_allclose(got[0], g / (1 + g) * least_squares, rtol=1e-10)
    inverse = np.linalg.inv(rows["x"][0].T @ rows["x"][0])
    if noise_sd is None:
        fitted = least_squares @ np.linalg.inv(inverse) @ least_squares
        variance = (residual[0] + fitted / (1 + g)) / (30 - 2)
    else:
        variance = noise_sd**2
    np.testing.assert_allclose(got[1], np.sqrt(variance * g / (1 + g) * np.diagonal(inverse)))


def test_default_g_is_worth_one_row():
    x = batch(30, 4, seed=5)["x"][0]
    np.testing.assert_allclose(g_prior(x).array(), x.T @ x / 30)


def test_a_prior_that_reads_the_rows_is_refused():
    """Zellner's prior on the rows' own design would change with every generation."""
    import pymc as pm

    rows = batch(30, 2, seed=6, replicates=1)
    with pm.Model() as model:
        x = pm.Data("x", rows["x"][0], dims=("obs", "feature"))
        beta = pm.MvNormal("beta", np.zeros(2), tau=x.T @ x / 30)
        pm.Normal("y", x @ beta, 1.0, observed=rows["y"][0], dims="obs")
    with pytest.raises(ValueError, match="prior of 'beta' reads the rows"):
        bc.Estimator(model).schema  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise_sd": 1.0, "noise_prior": NOISE}, "exclude each other"),
        ({"prior_sd": 1.0, "prior_precision": PriorPrecision(np.eye(2))}, "exclude each other"),
        ({"prior_precision": PriorPrecision(np.eye(3))}, "matrix of 3 columns, but features is 2"),
    ],
)
def test_contradicting_priors_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        linear_regression.estimator(features=2, **arguments)


def test_bad_priors_are_refused():
    with pytest.raises(TypeError, match="PriorPrecision"):
        linear_regression.estimator(features=2, prior_precision=np.eye(2))
    with pytest.raises(TypeError, match="InverseGamma"):
        linear_regression.estimator(features=2, noise_prior=(1.0, 1.0))
    with pytest.raises(ValueError, match="scale must be a positive finite number"):
        InverseGamma(scale=np.inf)
    with pytest.raises(ValueError, match="positive definite"):
        g_prior(np.ones((5, 2)))
    with pytest.raises(ValueError, match="symmetric"):
        PriorPrecision([[1.0, 0.5], [0.0, 1.0]])


@pytest.mark.parametrize(("prior_sd", "allowed"), [(np.inf, False), (1.0, True)])
def test_weight_that_a_flat_prior_needs(prior_sd, allowed):
    """Total weight 0.9 and a noise prior worth one row: not enough for two free coefficients."""
    estimator = linear_regression.estimator(
        features=2, prior_sd=prior_sd, noise_prior=InverseGamma(shape=0.5, scale=1.0)
    )
    rows = estimator.schema.dataset(batch(9, 2, seed=7), replicate=0)
    if allowed:
        assert np.isfinite(estimator.fit(rows, np.full(9, 0.1), seed=1)["posterior"]["sigma"]).all()
    else:
        with pytest.raises(ValueError, match="posterior of sigma is improper"):
            estimator.fit(rows, np.full(9, 0.1), seed=1)


def test_priors_are_part_of_the_identity():
    priors = [{"prior_sd": 0.5}, {"prior_precision": g_prior(np.eye(2), g=0.25)}]
    priors += [{"prior_sd": 0.5, "noise_prior": NOISE}]
    assert len({linear_regression.estimator(features=2, **p).fingerprint() for p in priors}) == 3


@pytest.mark.parametrize("design", ["random", "fixed"])
def test_wide_ridge_runs_in_a_loop(design):
    """A design of 15 rows and 40 columns, random or fixed; accumulated batches are merged."""
    x = np.random.default_rng(8).normal(size=(15, 40))
    covariates = NormalCovariates(40)
    if design == "fixed":
        covariates = xr.Dataset({"x": (("obs", "feature"), x)})
    experiment = bc.Experiment(
        linear_regression.estimator(features=40, prior_sd=0.3, noise_prior=NOISE),
        bc.Truth(beta=np.linspace(-1, 1, 40), sigma=0.5, covariates=covariates),
        {"replace": bc.schemes.replace(), "accumulate": bc.schemes.accumulate()},
        n_real=15,
        generations=5,
        replicates=3,
        references=["real_only"],  # n + m rows do not fit a fixed design of n.
        seed=1,
    )
    summary = experiment.run(progress=False)["summary"]
    assert np.isfinite(summary["beta"]).all()
    assert (summary["sigma"].sel(statistic="mean") > 0).all()
