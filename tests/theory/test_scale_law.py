"""Collapse of scale, batches, covariances, ensembles and iterated learning, against simulation.

Monte Carlo comparisons are of means over independent lineages, within 4 standard errors: a false
alarm has probability 6e-5 for each of the about 75 comparisons.
"""

import itertools
import math

import numpy as np
import pytest

from bayescollapse import theory

LINEAGES = 10_000


def assert_mean(draws, expected):
    error = draws.std(ddof=1) / math.sqrt(len(draws))
    assert abs(draws.mean() - expected) < 4 * error, (draws.mean(), expected, error)


@pytest.mark.parametrize("bias", [1.0, 0.8])
def test_collapse_of_the_scale(bias):
    rng, n, s2 = np.random.default_rng(1), 8, 2.0
    mean, sd = np.zeros(LINEAGES), np.full(LINEAGES, math.sqrt(s2))
    for t in range(6):
        factor = 1.0 if t == 0 else math.sqrt(bias)
        rows = mean[:, None] + factor * sd[:, None] * rng.normal(size=(LINEAGES, n))
        mean, sd = rows.mean(axis=1), rows.std(axis=1, ddof=1)
        assert_mean(sd**2, s2 * theory.narrowed_variance(t, sampling_bias=bias))
        if bias == 1:
            assert_mean(sd, math.sqrt(s2) * theory.scale_decay(t, n=n))
            distance = mean**2 + (sd - math.sqrt(s2)) ** 2
            assert_mean(distance, theory.wasserstein_error(t, n=n, variance=s2))


def test_narrowed_gaussian():
    rng, n, m, w, bias, s2 = np.random.default_rng(2), 9, 12, 0.35, 0.8, 1.7
    law = theory.narrowed_gaussian_law(6, n=n, m=m, real_share=w, sampling_bias=bias, variance=s2)
    mean = estimate = np.zeros(LINEAGES)
    for t in range(6):
        rows = math.sqrt(s2) * rng.normal(size=(LINEAGES, n))
        weights = np.full(n, 1 / n)
        if t > 0:
            noise = np.sqrt(bias * estimate)[:, None] * rng.normal(size=(LINEAGES, m))
            rows = np.hstack([rows, mean[:, None] + noise])
            weights = np.concatenate([np.full(n, w / n), np.full(m, (1 - w) / m)])
        mean = rows @ weights
        estimate = (rows - mean[:, None]) ** 2 @ weights
        assert_mean(estimate, law.variance[t])
        assert_mean(mean**2, law.mean_risk[t])


def test_narrowed_gaussian_is_known_at_its_borders():
    same = theory.narrowed_gaussian_law(9, n=12, m=8, real_share=0.4, sampling_bias=1.0)
    fitted = theory.gaussian_variance_law(9, n=12, m=8, real_share=0.4, point="maximum likelihood")
    for one, other in zip(same, fitted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
    many = theory.narrowed_gaussian_law(200, n=1e7, m=1e7, real_share=0.3, sampling_bias=0.6)
    assert many.variance[-1] == pytest.approx(0.3 / (1 - 0.7 * 0.6), rel=1e-5)


def test_effective_rows_with_known_variance():
    rng, n, m, w, bias, count = np.random.default_rng(3), 10, 30, 0.25, 0.7, 25
    mean = rng.normal(size=LINEAGES) / math.sqrt(n)
    for _ in range(count):
        made = mean + math.sqrt(bias / m) * rng.normal(size=LINEAGES)
        mean = w * rng.normal(size=LINEAGES) / math.sqrt(n) + (1 - w) * made
    rows = theory.narrowed_effective_rows(w, n=n, m=m, sampling_bias=bias)
    assert_mean(mean**2, 1 / rows)  # the start has been forgotten to 1e-6
    assert theory.narrowed_effective_rows(1.0, n=n, m=m) == pytest.approx(n, rel=1e-12)


def test_growing_batches():
    rows = 20 * (np.arange(400) + 1.0) ** 1.5
    path = theory.growing_replace_error(rows)
    schedule = np.zeros(400)
    schedule[0] = 1
    assert path[3] == pytest.approx(sum(1 / rows[:4]), rel=1e-13)
    assert path[-1] < 2.6124 / 20  # zeta(3/2)
    constant = theory.growing_replace_error(np.full((5, 2), 10.0), variance=[1.0, 3.0])
    expected = theory.replace_error(np.arange(5), n=10)[:, None] / 10 * [1.0, 3.0]
    np.testing.assert_allclose(constant, expected, rtol=1e-13)


def test_subsample():
    """The law is for many rows: at n = 60 it is within 2 percent, on top of the sampling error."""
    rng, n, lineages = np.random.default_rng(4), 60, 4000
    pool = rng.normal(size=(lineages, n))
    for t in range(6):
        used = pool if t == 0 else rng.permuted(pool, axis=1)[:, :n]
        mean = used.mean(axis=1)
        squares = n * mean**2
        law = theory.subsample_error(t)
        error = squares.std(ddof=1) / math.sqrt(lineages)
        assert abs(squares.mean() - law) < 4 * error + 0.02 * law
        pool = np.hstack([pool, mean[:, None] + rng.normal(size=(lineages, n))])
    assert theory.subsample_error(10**6) == pytest.approx(math.pi**2 / 2 - 2, rel=1e-5)
    far = theory.accumulate_efficiency(10**6)
    assert far == pytest.approx(6 / math.pi**2, rel=1e-5)
    t = np.arange(6)
    product = theory.accumulate_efficiency(t) * theory.accumulate_error(t, n=7)
    np.testing.assert_allclose(product, 1, rtol=1e-13)


@pytest.mark.parametrize("w", [0.0, 0.3, 1.0])
def test_fixed_supply(w):
    n, m, count = 20, 10, 7
    real, made = np.full((count, 1), w), np.diag(np.full(count - 1, 1 - w), -1)
    real[0] = 1
    oracle = theory.linear_oracle(real, made, real_rows=n, synthetic_rows=m, total_weights=n).risk
    law = theory.fixed_supply_error(np.arange(count), n=n, m=m, real_share=w)
    np.testing.assert_allclose(law, oracle, rtol=1e-12)


def test_covariance():
    rng, lineages, n, m, w = np.random.default_rng(5), 20_000, 9, 12, 0.4
    truth = np.array([[1.0, 0.4], [0.4, 0.6]])
    law = theory.covariance_risk(5, covariance=truth, n=n, m=m, real_share=w)

    def batch(factor, rows):
        x = np.einsum("lij,lrj->lri", factor, rng.normal(size=(lineages, rows, 2)))
        x -= x.mean(axis=1, keepdims=True)
        return np.einsum("lri,lrj->lij", x, x) / (rows - 1)

    root = np.broadcast_to(np.linalg.cholesky(truth), (lineages, 2, 2))
    found = batch(root, n)
    for t in range(5):
        if t > 0:
            found = w * batch(root, n) + (1 - w) * batch(np.linalg.cholesky(found), m)
        assert_mean(((found - truth) ** 2).sum(axis=(1, 2)), law.risk[t])
        trace = np.trace(found - truth, axis1=1, axis2=2)
        assert_mean(trace**2, law.trace_variance[t])


def test_covariance_in_one_dimension_is_the_plain_recursion():
    law = theory.covariance_risk(20, covariance=[[1.5]], n=12, m=7, real_share=[0.1, 0.5])
    a, b = 2 * 1.5**2 / 11, 2 * 1.5**2 / 6
    plain = theory.risk(20, real_share=[0.1, 0.5], a=a, b=b, c=8 / 6)
    np.testing.assert_allclose(law.risk, plain, rtol=1e-12)
    np.testing.assert_allclose(law.trace_variance, plain, rtol=1e-12)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
def test_centred_variance(emission):
    rng, n, m, weight, w, s2 = np.random.default_rng(6), 14, 10, 20.0, 0.4, 1.4
    law = theory.centred_variance_mean(
        5, n=n, total_weight=weight, real_share=w, emission=emission, variance=s2
    )
    lineages = 20_000
    found, last = s2 * rng.chisquare(n - 1, size=lineages) / (n - 1), n
    assert_mean(found, law[0])
    for t in range(1, 5):
        size = (lineages, 1 if emission == "joint" else m)
        sigma2, centre = np.broadcast_to(found[:, None], size), np.zeros(size)
        if emission != "plug-in":
            sigma2 = (last - 1) * found[:, None] / rng.chisquare(last - 1, size=size)
            centre = np.sqrt(sigma2 / last) * rng.normal(size=size)
        made = centre + np.sqrt(sigma2) * rng.normal(size=(lineages, m))
        real = s2 * rng.chisquare(n - 1, size=lineages) / (n - 1)
        found, last = w * real + (1 - w) * made.var(axis=1, ddof=1), weight
        assert_mean(found, law[t])


def test_ensembles():
    rng, n, m, members, s2, lineages = np.random.default_rng(7), 30, 40, 6, 1.5, 20_000
    fitted = math.sqrt(s2 / n) * rng.normal(size=lineages)
    drawn = fitted[:, None] + math.sqrt(s2 / n) * rng.normal(size=(lineages, members))
    for centres, exact in [(drawn, True), (np.repeat(fitted[:, None], members, axis=1), False)]:
        means = centres + math.sqrt(s2 / m) * rng.normal(size=centres.shape)
        between = means.var(axis=1, ddof=1)
        within = s2 * rng.chisquare(m - 1, size=means.shape).mean(axis=1) / (m - 1) / m
        combined = theory.combined_variance(between, within, members=members)
        law = theory.ensemble_mean_variance(n, m=m, members=members, variance=s2)
        if exact:
            assert_mean(means.mean(axis=1) ** 2, law)
        assert_mean(combined, law if exact else s2 / (members * m))
        naive = theory.naive_combined_variance(between, within, members=members)
        np.testing.assert_allclose(naive - combined, 2 * within, rtol=1e-9)


def test_information_of_iterated_learning():
    """Correlations of a simulated chain, whose truth is drawn from the prior."""
    rng, n, kappa, lineages = np.random.default_rng(8), 10, 2.0, 40_000
    h = n / (n + kappa)
    truth = rng.normal(size=lineages) / math.sqrt(kappa)
    theta = truth
    for t in range(5):
        mean = h * (theta + rng.normal(size=lineages) / math.sqrt(n))
        law = theory.iterated_information(t, n=n, prior_weight=kappa)
        found = np.corrcoef(truth, mean)[0, 1]
        expected = math.sqrt(-math.expm1(-2 * law))
        assert abs(found - expected) < 4 * (1 - expected**2) / math.sqrt(lineages)
        if t == 0:
            first = mean
        else:  # the first posterior mean is already stationary here
            law = theory.iterated_information(t, n=n, prior_weight=kappa, about="first")
            found, expected = np.corrcoef(first, mean)[0, 1], math.sqrt(-math.expm1(-2 * law))
            assert abs(found - expected) < 4 * (1 - expected**2) / math.sqrt(lineages)
        theta = mean + rng.normal(size=lineages) / math.sqrt(n + kappa)
    start = theory.iterated_information(0, n=n, prior_weight=kappa, about="first")
    assert start == np.inf


def test_two_languages_by_enumeration():
    for a, s, e in itertools.product((0.1, 0.5, 0.8), (0.0, 0.4), (0.02, 0.3, 0.5)):
        prior = np.array([a, 1 - a])
        forms = np.array([[1 - e, e], [e, 1 - e]])  # language by form, where they differ
        posterior = prior[:, None] * forms
        posterior = posterior / posterior.sum(axis=0)
        step = s * np.tile(prior, (2, 1)) + (1 - s) * forms @ posterior.T
        np.testing.assert_allclose(prior @ step, prior, rtol=1e-12)
        second = np.trace(step) - 1
        rate = theory.iterated_language_rate(a, agreement=s, noise=e)
        assert rate == pytest.approx(second, abs=1e-13)
    assert theory.iterated_language_rate(0.3, agreement=1.0, noise=0.1) == pytest.approx(0)
    assert theory.iterated_language_rate(0.3, agreement=0.0, noise=0.0) == 1
