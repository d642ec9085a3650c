"""Laws with unknown variance or categories, against loops written with NumPy alone.

Each comparison is of a mean over independent lineages, within 4 Monte Carlo standard errors; the
about 200 comparisons have seeds fixed, and with new seeds one in a hundred test runs would fail.
"""

import math

import numpy as np
import pytest

from bayescollapse import theory

LINEAGES = 20_000


def assert_mean(draws, expected):
    error = draws.std(ddof=1) / math.sqrt(len(draws))
    assert abs(draws.mean() - expected) < 4 * error, (draws.mean(), expected, error)


def emit_gaussian(rng, emission, mean, estimate, weight, m):
    """Rows of the posterior with statistics `mean`, S/N = `estimate` and total weight N."""
    if emission == "plug-in":
        half = (weight - 1) / 2
        sd = np.sqrt(weight * estimate / 2) * math.exp(math.lgamma(half - 0.5) - math.lgamma(half))
        return mean[:, None] + sd[:, None] * rng.normal(size=(len(mean), m))
    members = {"joint": 1, "predictive": m}.get(emission) or emission[1]
    shape = (len(mean), members)
    sigma2 = weight * estimate[:, None] / 2 / rng.gamma((weight - 1) / 2, size=shape)
    centre = mean[:, None] + np.sqrt(sigma2 / weight) * rng.normal(size=shape)
    centre, sigma2 = (np.repeat(x, m // members, axis=1) for x in (centre, sigma2))
    return centre + np.sqrt(sigma2) * rng.normal(size=centre.shape)


def gaussian_loop(rng, emission, weights, n, m, w, s2, lineages):
    """Yield the weighted mean and the weighted variance of each generation."""
    mean = estimate = np.zeros(lineages)
    for t in range(len(weights)):
        rows = rng.normal(0, math.sqrt(s2), (lineages, n))
        shares = np.full(n, 1 / n)
        if t > 0:
            emitted = emit_gaussian(rng, emission, mean, estimate, weights[t - 1], m)
            rows = np.hstack([rows, emitted])
            shares = np.concatenate([np.full(n, w / n), np.full(m, (1 - w) / m)])
        mean = rows @ shares
        estimate = (rows - mean[:, None]) ** 2 @ shares
        yield mean, estimate


@pytest.mark.parametrize("total_weight", ["rows", "kish"])
@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive", ("ensemble", 4)])
def test_gaussian_with_unknown_variance(emission, total_weight):
    n, m, w, s2, count = 12, 8, 0.4, 1.5, 6
    later = 20 if total_weight == "rows" else 1 / (w**2 / n + (1 - w) ** 2 / m)
    weights = [n] + [later] * (count - 1)
    law = theory.gaussian_variance_law(
        count, n=n, m=m, real_share=w, emission=emission, total_weight=total_weight, variance=s2
    )
    rng = np.random.default_rng([1, len(str(emission)), len(total_weight)])
    loop = gaussian_loop(rng, emission, weights, n, m, w, s2, LINEAGES)
    for t, (mean, estimate) in enumerate(loop):
        assert_mean(estimate, law.variance[t])
        assert_mean(mean**2, law.mean_risk[t])


@pytest.mark.parametrize(
    ("emission", "batch"),
    [("plug-in", 1 / 15), ("joint", 2 / 15), (("ensemble", 5), 6 / 75), ("predictive", 16 / 225)],
)
def test_gaussian_law_without_real_rows(emission, batch):
    """The mean takes a random step of variance E[sigma^2] (1/m + f/N), the rest is `q - u`."""
    n = 15
    law = theory.gaussian_variance_law(
        6, n=n, m=n, real_share=0.0, emission=emission, total_weight=n, point="unbiased"
    )
    drawn = law.variance[:-1] * n / (n - 1 if emission == "plug-in" else n - 3)
    np.testing.assert_allclose(np.diff(law.mean_risk), drawn * batch, rtol=1e-12)
    marginal = 1 if emission == "plug-in" else 1 + 1 / n
    np.testing.assert_allclose(law.variance[1:], drawn * (marginal - batch), rtol=1e-12)
    if not isinstance(emission, tuple):
        growth = theory.variance_growth(n, emission=emission)
        np.testing.assert_allclose(law.variance[1:] / law.variance[:-1], growth, rtol=1e-12)


def test_maximum_likelihood_gaussian_is_the_plain_recursion():
    n, m, w = 12, 8, 0.4
    law = theory.gaussian_variance_law(
        11, n=n, m=m, real_share=w, point="maximum likelihood", variance=2.0
    )
    estimate, risk = 2.0 * (1 - 1 / n), 2.0 / n
    for t in range(1, 11):
        between = w * (1 - w) * (2.0 / n + risk + estimate / m)
        risk = w**2 * 2.0 / n + (1 - w) ** 2 * (risk + estimate / m)
        estimate = w * 2.0 * (1 - 1 / n) + (1 - w) * (1 - 1 / m) * estimate + between
        assert law.variance[t] == pytest.approx(estimate, rel=1e-13)
        assert law.mean_risk[t] == pytest.approx(risk, rel=1e-13)


def test_ensembles_lie_between_joint_and_predictive():
    def law(emission):
        return theory.gaussian_variance_law(5, n=12, m=8, real_share=0.4, emission=emission)

    for one, other in [(("ensemble", 1), "joint"), (("ensemble", 8), "predictive")]:
        np.testing.assert_allclose(law(one), law(other), rtol=1e-13)


def test_points_of_the_posterior_of_sigma_by_quadrature():
    n = 9
    nu = n - 1
    grid = np.linspace(-6, 9, 400_001)  # log sigma^2, for s^2 = 1
    density = np.exp(-nu / 2 * (grid + np.exp(-grid)))
    density /= density.sum()
    sigma2 = np.exp(grid)
    marginal = -(nu / 2 + 1) * grid - nu / 2 * np.exp(-grid)
    joint = -(n / 2 + 1) * grid - nu / 2 * np.exp(-grid)
    points = {
        "unbiased": 1.0,
        "maximum likelihood": nu / n,
        "mean of variance": density @ sigma2,
        "mean of sd": (density @ np.sqrt(sigma2)) ** 2,
        "mean of log": math.exp(density @ grid),
        "marginal mode": sigma2[marginal.argmax()],
        "joint mode": sigma2[joint.argmax()],
    }
    base = theory.log_variance_drift(n)
    for point, expected in points.items():
        growth = theory.variance_growth(n, point=point)
        assert growth == pytest.approx(expected, rel=2e-4), point
        drift = theory.log_variance_drift(n, point=point)
        assert drift == pytest.approx(base + math.log(growth), abs=1e-12)
    assert theory.log_variance_drift(n, point="mean of log") == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
def test_drift_of_the_log_variance_in_one_step(emission):
    n, steps = 20, 100_000
    rng = np.random.default_rng(8)
    start = np.ones(steps)  # s^2 = 1, so S/N = (n-1)/n
    if emission == "plug-in":
        rows = rng.normal(size=(steps, n))
    else:
        rows = emit_gaussian(rng, emission, 0 * start, start * (n - 1) / n, n, n)
    squares = rows.var(axis=1, ddof=1)
    assert_mean(squares, theory.variance_growth(n, emission=emission))
    drift = theory.log_variance_drift(n, emission=emission)
    if emission == "predictive":
        assert np.log(squares).mean() == pytest.approx(drift, rel=0.1)
    else:
        assert_mean(np.log(squares), drift)


def test_known_drift_of_the_log_variance():
    assert theory.log_variance_drift(20) == pytest.approx(-0.0536, abs=5e-5)
    assert theory.log_variance_drift(20, emission="joint") == 0
    n = 400
    near = {
        "unbiased": -1,
        "mean of variance": 1,
        "mean of sd": 0.5,
        "maximum likelihood": -2,
        "marginal mode": -3,
        "joint mode": -4,
    }
    for point, multiple in near.items():
        drift = theory.log_variance_drift(n, point=point)
        assert n * drift == pytest.approx(multiple, abs=0.05), point


def dirichlet_draw(rng, concentration):
    draws = rng.standard_gamma(concentration)
    return draws / draws.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive", ("ensemble", 5)])
def test_dirichlet_posterior_mean(emission):
    n, m, w, total, weight, count = 30, 20, 0.35, 6.0, 40.0, 6
    p, prior = np.array([0.6, 0.25, 0.1, 0.05]), np.array([0.1, 0.2, 0.3, 0.4])
    law = theory.dirichlet_law(
        count,
        probabilities=p,
        n=n,
        m=m,
        real_share=w,
        prior_total=total,
        prior_mean=prior,
        emission=emission,
        total_weight=weight,
    )
    rng = np.random.default_rng([3, len(str(emission))])
    mean, last = np.empty((LINEAGES, 4)), 0.0
    for t in range(count):
        real = rng.multinomial(n, p, size=LINEAGES) / n
        used, frequencies = n, real
        if t > 0:
            if emission == "plug-in":
                synthetic = rng.multinomial(m, mean)
            else:
                members = {"joint": 1, "predictive": m}.get(emission) or emission[1]
                concentration = np.repeat((last + total) * mean[:, None], members, axis=1)
                drawn = dirichlet_draw(rng, concentration)
                synthetic = rng.multinomial(m // members, drawn).sum(axis=1)
            used, frequencies = weight, w * real + (1 - w) * synthetic / m
        mean = (total * prior + used * frequencies) / (total + used)
        last = used
        for category in range(4):
            assert_mean(mean[:, category], law.mean[t, category])
        assert_mean(((mean - p) ** 2).sum(axis=1), law.risk[t])
        assert_mean(((mean - law.mean[t]) ** 2).sum(axis=1), law.variance[t])


def test_dirichlet_without_a_prior_is_the_recursion():
    p, n, m, w, weight = np.array([0.5, 0.3, 0.2]), 30, 20, 0.4, 25.0
    diversity = 1 - np.sum(p**2)
    for emission, noise in [
        ("plug-in", 1 / m),
        ("predictive", 1 / m),
        ("joint", weight / (weight + 1) / m + 1 / (weight + 1)),
        (("ensemble", 4), weight / (weight + 1) / m + 1 / (4 * (weight + 1))),
    ]:
        law = theory.dirichlet_law(
            300, probabilities=p, n=n, m=m, real_share=w, emission=emission, total_weight=weight
        )
        np.testing.assert_allclose(law.mean, np.broadcast_to(p, (300, 3)), atol=1e-12)
        limit = theory.limit_risk(w, a=diversity / n, b=diversity * noise, c=1 - noise)
        assert law.risk[-1] == pytest.approx(limit, rel=1e-12)
        np.testing.assert_allclose(law.risk, law.variance, rtol=1e-12)


def test_dirichlet_loop_without_real_rows_recovers_its_prior():
    prior, total, n = np.array([0.7, 0.2, 0.1]), 4.0, 10
    law = theory.dirichlet_law(
        500,
        probabilities=[0.1, 0.1, 0.8],
        n=n,
        m=n,
        real_share=0.0,
        prior_total=total,
        prior_mean=prior,
        emission="joint",
        total_weight=n,
    )
    np.testing.assert_allclose(law.mean[-1], prior, atol=1e-10)
    # A Dirichlet(prior) parameter has posterior means with the part n/(n + total) of its variance.
    stationary = n / (n + total) * (1 - np.sum(prior**2)) / (total + 1)
    assert law.variance[-1] == pytest.approx(stationary, rel=1e-10)


def test_dirichlet_law_broadcasts():
    law = theory.dirichlet_law(
        4,
        probabilities=np.full((2, 1, 3), 1 / 3),
        n=10,
        m=20,
        real_share=[0.2, 0.5, 0.6, 0.9],
        prior_total=1.0,
        emission="joint",
    )
    assert law.mean.shape == (4, 2, 4, 3) and law.risk.shape == (4, 2, 4)
