"""Kernels against closed forms, nulls and scipy.stats."""

import numpy as np
import pytest

from bayescollapse.measures import (
    binomial_interval,
    gaussian_kl,
    gaussian_wasserstein,
    mean_and_error,
    ratio_and_error,
    wasserstein_1d,
)


def test_gaussian_kl_is_the_integral():
    x = np.linspace(-30, 30, 200_001)
    p, q = (np.exp(-(((x - m) / s) ** 2) / 2) / s for m, s in ((1, 2), (-1, 3)))
    p, q = p / np.sqrt(2 * np.pi), q / np.sqrt(2 * np.pi)
    integrand = np.where(p > 0, p * (np.log(p) - np.log(q)), 0)
    assert gaussian_kl(1, 2, -1, 3) == pytest.approx(integrand.sum() * (x[1] - x[0]), rel=1e-9)


def test_gaussian_kl_null_sign_and_limits():
    rng = np.random.default_rng(1)
    mean, sd = rng.normal(size=1000), np.exp(rng.normal(size=1000) * 5)
    assert (gaussian_kl(mean, sd, mean, sd) == 0).all()
    assert (gaussian_kl(mean, sd, mean, sd * (1 + 1e-12)) >= 0).all()
    assert gaussian_kl([0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]).tolist() == [
        np.inf,
        np.inf,
        0,
        np.inf,
    ]
    assert np.isnan(gaussian_kl(np.nan, 1, 0, 1))


def test_gaussian_wasserstein_agrees_with_quantile_coupling():
    from scipy import stats

    u = (np.arange(20_000) + 0.5) / 20_000
    x, y = stats.norm.ppf(u, 1, 2), stats.norm.ppf(u, -1, 3)
    exact = gaussian_wasserstein(1, 2, -1, 3)
    assert wasserstein_1d(x, y, order=2) == pytest.approx(exact, abs=1e-3)
    assert gaussian_wasserstein(1, 2, 1, 2) == 0


@pytest.mark.parametrize("sizes", [(7, 7), (4, 6), (5, 11), (1, 9)])
def test_wasserstein_of_unequal_samples(sizes):
    from scipy import stats

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=sizes[0]), rng.normal(1, size=sizes[1])
    assert wasserstein_1d(x, y) == pytest.approx(stats.wasserstein_distance(x, y), rel=1e-12)
    assert wasserstein_1d(x, rng.permutation(x), order=2) == 0
    repeated = [np.repeat(a, b) for a, b in ((x, sizes[1]), (y, sizes[0]))]
    assert wasserstein_1d(x, y, order=3) == pytest.approx(wasserstein_1d(*repeated, order=3))


def test_wasserstein_broadcasts_leading_axes():
    x = np.random.default_rng(3).normal(size=(4, 5, 8))
    assert wasserstein_1d(x, x[:, :1]).shape == (4, 5)
    assert (wasserstein_1d(x, x[:, :1])[:, 0] == 0).all()


def test_binomial_limits_are_those_of_scipy():
    from scipy import stats

    for hits, trials in ((0, 5), (5, 5), (1, 20), (19, 20), (470, 500)):
        low, high = binomial_interval(hits, trials, probability=0.9)
        exact = stats.binomtest(hits, trials).proportion_ci(0.9, "exact")
        assert (low, high) == pytest.approx((exact.low, exact.high), rel=1e-9)
    assert [float(limit) for limit in binomial_interval(0, 0)] == [0, 1]


def test_mean_and_error():
    mean, error = mean_and_error(np.arange(12.0).reshape(4, 3), 0)
    assert mean.tolist() == [4.5, 5.5, 6.5]
    assert error == pytest.approx(np.full(3, np.std([0, 3, 6, 9], ddof=1) / 2))
    assert np.isnan(mean_and_error([[1.0], [2.0]], 1)[1]).all()
    assert np.isnan(mean_and_error([1.0, np.nan], 0)[0])


def test_ratio_error_agrees_with_the_paired_jackknife():
    rng = np.random.default_rng(4)
    a = rng.gamma(5, size=300)
    b, c = a * rng.gamma(50, size=300), rng.gamma(20, size=300)
    ratio, error = ratio_and_error([a, c], [b], 0)
    means = [np.array([np.delete(v, i).mean() for i in range(300)]) for v in (a, b, c)]
    left = means[0] * means[2] / means[1]
    assert ratio == pytest.approx(a.mean() * c.mean() / b.mean())
    assert error == pytest.approx(np.sqrt(299 / 300 * ((left - left.mean()) ** 2).sum()), rel=0.02)
    assert ratio_and_error([a], [a], 0)[1] == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gaussian_kl(0, -1, 0, 1), "sd_p must be 0 or more"),
        (lambda: gaussian_wasserstein(0, 1, 0, -2.0), "sd_q must be 0 or more, got -2.0"),
        (lambda: wasserstein_1d([1], [1], order=0.5), "order must be 1 or more"),
        (lambda: wasserstein_1d([], [1]), "at least one draw"),
        (lambda: binomial_interval(3, 2), "between 0 and trials"),
        (lambda: binomial_interval(1, 2, probability=1), "probability must lie"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(ValueError, match=words):
        call()
