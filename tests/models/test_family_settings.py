"""Settings of the sampled families, guards, and truths that a learner does not expect."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import bayescollapse as bc
from bayescollapse.estimator.forward import Forward, PriorDraw
from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.models import (
    censored_regression,
    gaussian_mixture,
    hierarchical_regression,
    linear_regression,
    poisson_regression,
    regression_mixture,
    student_t_regression,
)
from bayescollapse.sources import NormalCovariates


@pytest.mark.parametrize(
    ("module", "setting", "message"),
    [
        (poisson_regression, {"features": 0}, "features"),
        (poisson_regression, {"features": 1, "prior_sd": -1}, "prior_sd"),
        (gaussian_mixture, {"components": 1}, "components"),
        (gaussian_mixture, {"components": 2, "concentration": 0}, "concentration"),
        (gaussian_mixture, {"components": 2, "prior_mean": np.inf}, "prior_mean"),
        (regression_mixture, {"components": 2, "features": 2, "ordered_by": 2}, "ordered_by"),
        (regression_mixture, {"components": 2, "features": 2, "ordered_by": "a"}, "ordered_by"),
        (regression_mixture, {"components": 2, "features": ["a", "a"], "ordered_by": "a"}, "diff"),
        (regression_mixture, {"components": 2, "features": "ab", "ordered_by": "a"}, "features"),
        (hierarchical_regression, {"groups": 1, "features": 1}, "groups"),
        (hierarchical_regression, {"groups": 2, "features": 1, "noise_scale": 0}, "noise_scale"),
        (student_t_regression, {"features": 1, "degrees_of_freedom": 0}, "degrees_of_freedom"),
        (censored_regression, {"features": 1}, "at least"),
        (censored_regression, {"features": 1, "lower": 1.0, "upper": 1.0}, "below upper"),
        (censored_regression, {"features": 1, "lower": np.nan}, "lower"),
    ],
)
def test_bad_settings_are_refused(module, setting, message):
    with pytest.raises(ValueError, match=message):
        module.estimator(**setting)


def test_prior_draws_are_ordered_and_symmetric():
    """Sorting by mean: order statistics of three normals, and standard deviations left alike."""
    estimator = gaussian_mixture.estimator(components=3, prior_mean=1.0, prior_sd=2.0)
    draws = PriorDraw(estimator.row_model)(4000, np.random.default_rng(1))
    assert (np.diff(draws["mu"], axis=1) > 0).all()
    # Means of the order statistics of three standard normals; |z| > 4 in three: 2e-4.
    expected = 1.0 + 2.0 * np.array([-1.5, 0, 1.5]) / np.sqrt(np.pi)
    error = draws["mu"].std(0) / np.sqrt(4000)
    assert (np.abs(draws["mu"].mean(0) - expected) < 4 * error).all()
    unordered = draws["mu"][np.arange(4000), np.random.default_rng(2).integers(3, size=4000)]
    assert stats.kstest(unordered, stats.norm(1.0, 2.0).cdf).pvalue > 1e-4
    for k in range(3):
        assert stats.kstest(np.log(draws["sigma"][:, k]), stats.norm(0, 0.5).cdf).pvalue > 1e-4
        assert stats.kstest(draws["weights"][:, k], stats.beta(1, 2).cdf).pvalue > 1e-4


def test_rows_of_a_prior_do_not_know_the_order():
    """Emitted rows of sorted and of shuffled components have the same law: Mann-Whitney at 1e-4."""
    estimator = gaussian_mixture.estimator(components=2, concentration=0.5)
    rng = np.random.default_rng(3)
    draws = PriorDraw(estimator.row_model)(3000, rng)
    y = Forward(estimator.row_model).per_row(draws, {}, 3000, rng)["y"]
    weights = rng.dirichlet([0.5, 0.5], size=3000)
    label = (rng.random(3000) > weights[:, 0]).astype(int)
    mu, sigma = rng.normal(0, 5, (3000, 2)), np.exp(rng.normal(0, 0.5, (3000, 2)))
    at = np.arange(3000), label
    assert stats.ks_2samp(y, rng.normal(mu[at], sigma[at])).pvalue > 1e-4


def test_regression_mixture_sorts_whole_lines():
    estimator = regression_mixture.estimator(components=3, features=2, ordered_by=1, prior_sd=1.0)
    beta = PriorDraw(estimator.row_model)(2000, np.random.default_rng(4))["beta"]
    assert (np.diff(beta[:, :, 1], axis=1) > 0).all()
    # The other column is independent of the order: normal for every component.
    for k in range(3):
        assert stats.kstest(beta[:, k, 0], "norm").pvalue > 1e-4


def test_the_transform_of_sorted_lines_has_the_right_jacobian():
    """Against the determinant by central differences."""
    model = regression_mixture.model(components=3, features=2, ordered_by=1, prior_sd=2.0)
    beta, point = model["beta"], np.random.default_rng(12).normal(size=(3, 2))
    value = model.rvs_to_values[beta]
    backward = model.rvs_to_transforms[beta].backward(value, *beta.owner.inputs)

    def natural(flat):
        return backward.eval({value: flat.reshape(3, 2)}, mode=PYTHON).ravel()

    assert (np.diff(natural(point.ravel()).reshape(3, 2)[:, 1]) > 0).all()
    steps = 1e-5 * np.eye(6)
    columns = [natural(point.ravel() + h) - natural(point.ravel() - h) for h in steps]
    expected = np.linalg.slogdet(np.array(columns) / 2e-5)[1]
    with_jacobian, without = (
        model.logp(vars=[beta], jacobian=jacobian).eval({value: point}, mode=PYTHON)
        for jacobian in (True, False)
    )
    np.testing.assert_allclose(with_jacobian - without, expected, rtol=1e-6)


def test_a_foreign_group_is_refused():
    """Compiled indexing would read past the end of the groups without a word."""
    rng = np.random.default_rng(5)
    rows = xr.Dataset(
        {
            "y": ("obs", rng.normal(size=20)),
            "x": (("obs", "feature"), rng.normal(size=(20, 1))),
            "group": ("obs", np.r_[np.zeros(19, dtype=int), 7]),
        }
    )
    model = hierarchical_regression.model(rows, groups=3, features=1)
    terms = model.logp(vars=[model["y"]], sum=False, jacobian=False)[0]
    found = terms.eval(
        {v: np.asarray(model.initial_point()[v.name]) for v in model.value_vars}, mode=PYTHON
    )
    assert np.isfinite(found[:19]).all() and np.isnan(found[19])


def test_a_poisson_rate_cannot_overflow():
    estimator = poisson_regression.estimator(features=1, prior_sd=100.0)
    x = np.array([[1.0], [30.0], [1000.0]])
    drawn = Forward(estimator.row_model)(
        {"beta": np.array([1.0])}, {"x": x}, 3, np.random.default_rng(6)
    )
    assert drawn["y"][2] < 2.5e17
    rows = xr.Dataset({"y": ("obs", [3, 10, 0]), "x": (("obs", "feature"), x)})
    model = poisson_regression.model(rows, features=1, prior_sd=100.0)
    for beta in (-50.0, 0.0, 50.0):
        for compiled in (model.compile_logp(mode=PYTHON), model.compile_dlogp(mode=PYTHON)):
            assert np.isfinite(compiled({"beta": np.array([beta])})).all()


def test_a_heavy_tailed_truth_for_a_normal_learner():
    """The learner's noise is the standard deviation of t noise, larger than its scale."""
    heavy = student_t_regression.estimator(features=1, degrees_of_freedom=8.0)
    truth = bc.Truth(beta=[1.0], sigma=1.0, covariates=NormalCovariates(1), estimator=heavy)
    learner = linear_regression.estimator(features=1)
    run = bc.Experiment(
        learner, truth, bc.schemes.pooled(), n_real=2000, generations=1, replicates=40, seed=7
    ).run(progress=False)
    means = run["summary"].to_dataset().sel(statistic="mean").isel(generation=0, scheme=0)
    assert float(run["truth"]["sigma"].min()) == 1.0
    for name, expected in {"beta": 1.0, "sigma": np.sqrt(8 / 6)}.items():
        values = means[name].to_numpy().ravel()
        # Two comparisons at |t_39| > 4.3: 2e-4; the bias of the mean of sigma is 1/(8n) of it.
        assert abs(values.mean() - expected) < 4.3 * values.std(ddof=1) / np.sqrt(40) + 3e-4


def test_a_censored_truth_for_a_normal_learner():
    """The learner's intercept is the mean of the censored rows, not that before censoring."""
    tobit = censored_regression.estimator(features=1, upper=0.5)
    ones = xr.Dataset({"x": (("obs", "feature"), np.ones((2000, 1)))})
    truth = bc.Truth(beta=[0.0], sigma=1.0, covariates=ones, estimator=tobit)
    learner = linear_regression.estimator(features=1)
    run = bc.Experiment(
        learner, truth, bc.schemes.pooled(), n_real=2000, generations=1, replicates=40, seed=8
    ).run(progress=False)
    values = run["summary"]["beta"].sel(statistic="mean").to_numpy().ravel()
    expected = -stats.norm.pdf(0.5) + 0.5 * stats.norm.sf(0.5)
    assert abs(values.mean() - expected) < 4.3 * values.std(ddof=1) / np.sqrt(40)
    assert (run["predictive"]["y"].sel(statistic="mean") < 0).all()
