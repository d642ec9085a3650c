"""Bernoulli, Poisson and exponential rates: SciPy's laws, inversion, rows outside the support."""

import numpy as np
import pytest
import scipy.stats
import xarray as xr

from bayescollapse.models import bernoulli, exponential, poisson

PROBABILITIES = (0.01, 0.5, 0.975)


def rows_of(y):
    return xr.Dataset({"y": ("obs", np.asarray(y))})


def exact_summary(estimator, rows, weights):
    stats = estimator.exact.suffstats(estimator.schema.values(rows), np.asarray(weights)[None])
    return estimator.exact.summary(stats, PROBABILITIES)[0, :, 0]


@pytest.mark.parametrize(
    ("estimator", "y", "law"),
    [
        (
            bernoulli.estimator(prior_successes=0.5, prior_failures=2.0),
            [0, 1, 1],
            scipy.stats.beta(0.5 + 1.1, 2.0 + 0.3),
        ),
        (
            poisson.estimator(prior_shape=0.5, prior_rate=2.0),
            [0, 4, 1],
            scipy.stats.gamma(0.5 + 3.5, scale=1 / (2.0 + 1.4)),
        ),
        (
            exponential.estimator(prior_shape=0.5, prior_rate=2.0),
            [0.0, 4.0, 1.0],
            scipy.stats.gamma(0.5 + 1.4, scale=1 / (2.0 + 3.5)),
        ),
    ],
    ids=["bernoulli", "poisson", "exponential"],
)
def test_summary_is_the_closed_form(estimator, y, law):
    got = exact_summary(estimator, rows_of(y), [0.3, 0.8, 0.3])
    np.testing.assert_allclose(got, [law.mean(), law.std(), *law.ppf(PROBABILITIES)], rtol=1e-10)


REFUSED = [
    (bernoulli.estimator(), [0, 1, 2], "0 or 1"),
    (poisson.estimator(), [0, 1, -1], "counts of at least 0"),
    (exponential.estimator(), [0.0, 1.0, -1.0], "times of at least 0"),
]


@pytest.mark.parametrize(("estimator", "y", "allowed"), REFUSED)
def test_rows_outside_the_support_are_refused_unless_removed(estimator, y, allowed):
    with pytest.raises(ValueError, match=f"rows\\['y'\\] must hold {allowed}, got .* in 1 rows"):
        estimator.fit(rows_of(y), seed=1)
    removed = exact_summary(estimator, rows_of(y), [1.0, 1.0, 0.0])
    np.testing.assert_array_equal(removed, exact_summary(estimator, rows_of(y[:2]), [1.0, 1.0]))


def test_fractional_counts_are_refused():
    for estimator in (bernoulli.estimator(), poisson.estimator()):
        with pytest.raises(ValueError, match="int64 cannot represent"):
            estimator.fit(rows_of([0.0, 0.5]), seed=1)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (bernoulli.estimator, "prior_successes"),
        (bernoulli.estimator, "prior_failures"),
        (poisson.estimator, "prior_shape"),
        (poisson.estimator, "prior_rate"),
        (exponential.estimator, "prior_shape"),
        (exponential.estimator, "prior_rate"),
    ],
)
def test_improper_priors_are_refused(make, argument):
    with pytest.raises(ValueError, match=f"{argument} must be a positive finite number"):
        make(**{argument: 0.0})


@pytest.mark.parametrize("rate", [1e-3, 0.7, 12.0, 3e4])
def test_poisson_rows_invert_one_uniform_each(rate):
    """The same uniforms give SciPy's quantiles, so rows of two rates are paired."""
    parameters = {"rate": np.full((1, 1), rate)}
    sampler = poisson.estimator().exact
    y = sampler.forward(parameters, {}, 5000, np.random.default_rng(1))["y"][0]
    uniform = np.random.default_rng(1).random((1, 5000))[0]
    np.testing.assert_array_equal(y, scipy.stats.poisson(rate).ppf(uniform))
    higher = {"rate": np.full((1, 1), 1.1 * rate)}
    assert (sampler.forward(higher, {}, 5000, np.random.default_rng(1))["y"][0] >= y).all()


def test_rates_that_differ_by_row():
    rate = np.geomspace(0.1, 100, 4000)
    for sampler, mean, variance in (
        (poisson.estimator().exact, rate, rate),
        (exponential.estimator().exact, 1 / rate, 1 / rate**2),
    ):
        y = sampler.forward({"rate": rate[None]}, {}, 4000, np.random.default_rng(2))["y"][0]
        # One z-score each, |z| > 4: false alarm below 2 * 6.3e-5.
        assert abs((y - mean).sum()) < 4 * np.sqrt(variance.sum())


def test_impossible_rows_have_zero_density():
    sampler = bernoulli.estimator().exact
    density = sampler.log_density({"p": np.array([[0.0, 1.0]])}, {"y": np.array([[0, 1]])})
    np.testing.assert_array_equal(density[0], [[0.0, -np.inf], [-np.inf, 0.0]])
    sampler = exponential.estimator().exact
    density = sampler.log_density({"rate": np.array([[2.0]])}, {"y": np.array([[-1.0, 0.0]])})
    np.testing.assert_array_equal(density[0, 0], [-np.inf, np.log(2.0)])
