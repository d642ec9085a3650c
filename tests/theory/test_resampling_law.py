"""Kernels, empirical distributions, extinction and urns, against loops written with NumPy.

Monte Carlo comparisons are of means over independent lineages, within 4 standard errors: a false
alarm has probability 6e-5 for each of the about 90 comparisons.
"""

import math

import numpy as np
import pytest

from bayescollapse import theory

LINEAGES = 10_000


def assert_mean(draws, expected):
    error = draws.std(ddof=1) / math.sqrt(len(draws))
    assert abs(draws.mean() - expected) < 4 * error, (draws.mean(), expected, error)


def picked(rng, rows, count):
    """Rows drawn with replacement within each lineage."""
    return np.take_along_axis(rows, rng.integers(rows.shape[1], size=(len(rows), count)), axis=1)


def test_kernel_estimates_of_the_last_generation():
    rng, n, h, s2 = np.random.default_rng(1), 15, 0.5, 1.3
    rows = math.sqrt(s2) * rng.normal(size=(LINEAGES, n))
    for t in range(5):
        law = theory.kernel_variance(t, bandwidth=h, variance=s2)
        assert_mean((rows**2).mean(axis=1), law.rows)
        within = theory.kernel_within_variance(t, n=n, bandwidth=h, variance=s2)
        assert_mean(rows.var(axis=1), within)
        rows = picked(rng, rows, n) + h * rng.normal(size=(LINEAGES, n))
        assert_mean((rows**2).mean(axis=1), law.density)


def test_kernel_estimates_with_fresh_real_rows():
    rng, n, m, h = np.random.default_rng(2), 6, 14, 0.7
    real = rows = rng.normal(size=(LINEAGES, n))
    for t in range(1, 5):
        made = picked(rng, rows, m) + h * rng.normal(size=(LINEAGES, m))
        real = rng.normal(size=(LINEAGES, n))
        rows = np.hstack([real, made])
        law = theory.kernel_variance(t, bandwidth=h, real_share=n / (n + m))
        assert_mean((rows**2).mean(axis=1), law.rows)


def test_kernel_estimates_that_keep_every_batch():
    rng, n, h = np.random.default_rng(3), 10, 0.8
    pool = rng.normal(size=(LINEAGES, n))
    for t in range(5):
        law = theory.kernel_variance(t, bandwidth=h, memory="all")
        assert_mean((pool**2).mean(axis=1), law.rows)
        made = picked(rng, pool, n) + h * rng.normal(size=(LINEAGES, n))
        pool = np.hstack([pool, made])


@pytest.mark.parametrize(("memory", "share"), [("last", 0.0), ("last", 0.3), ("all", 0.0)])
def test_age_explains_the_variance(memory, share):
    ages = theory.row_ages(30, memory=memory, real_share=share)
    np.testing.assert_allclose(ages.sum(axis=1), 1, rtol=1e-13)
    law = theory.kernel_variance(np.arange(30), bandwidth=2.0, memory=memory, real_share=share)
    np.testing.assert_allclose(law.rows, 1 + 4 * ages @ np.arange(30), rtol=1e-12)
    np.testing.assert_allclose(law.density, law.rows + 4, rtol=1e-12)


def test_kernel_limits():
    settled = theory.kernel_variance(500, bandwidth=0.5, real_share=0.3)
    assert settled.density == pytest.approx(1 + 0.25 / 0.3, rel=1e-12)
    harmonic = 1 + sum(1 / i for i in range(1, 8)) - 1
    all_kept = theory.kernel_variance(6, bandwidth=1.0, memory="all")
    assert all_kept.rows == pytest.approx(harmonic, rel=1e-12)
    grid = theory.kernel_variance([[0], [4]], bandwidth=[0.1, 0.2, 0.3], real_share=0.1)
    assert grid.rows.shape == (2, 3)


@pytest.mark.parametrize(("n", "m", "share"), [(15, 15, 0.5), (8, 20, 0.15), (12, 12, 0.0)])
def test_empirical_distribution(n, m, share):
    rng = np.random.default_rng([4, m])
    law = theory.empirical_cdf_risk(5, n=n, m=m, real_share=share)

    def distance(rows, weights):
        """Integral of (F_t - u)^2 for weighted points in [0, 1]."""
        order = np.argsort(rows, axis=1)
        x = np.take_along_axis(rows, order, axis=1)
        steps = np.cumsum(np.broadcast_to(weights, rows.shape)[0][order], axis=1)
        levels = np.hstack([np.zeros((len(x), 1)), steps])
        ends = np.hstack([np.zeros((len(x), 1)), x, np.ones((len(x), 1))])
        return ((ends[:, 1:] - levels) ** 3 - (ends[:, :-1] - levels) ** 3).sum(axis=1) / 3

    rows, weights = rng.uniform(size=(LINEAGES, n)), np.full(n, 1 / n)
    assert_mean(distance(rows, weights), law[0])
    for t in range(1, 5):
        index = rng.choice(len(weights), size=(LINEAGES, m), p=weights)
        made = np.take_along_axis(rows, index, axis=1)
        rows = np.hstack([rng.uniform(size=(LINEAGES, n)), made])
        weights = np.concatenate([np.full(n, share / n), np.full(m, (1 - share) / m)])
        assert_mean(distance(rows, weights), law[t])


def test_resampled_frequencies():
    rng, p, n = np.random.default_rng(5), np.array([0.4, 0.3, 0.2, 0.08, 0.02]), 20
    found = p
    for t in range(6):
        found = rng.multinomial(n, np.broadcast_to(found, (LINEAGES, 5))) / n
        law = theory.resampled_concentration(t, n=n, concentration=p @ p)
        assert_mean((found**2).sum(axis=1), law)
    rows = np.broadcast_to(np.arange(n), (LINEAGES, n))
    for t in range(4):  # lines of single rows: two rows of one generation with one ancestor
        assert_mean(
            (picked(rng, rows, 1) == picked(rng, rows, 1)).astype(float)[:, 0],
            theory.resampled_concentration(t, n=n),
        )
        rows = picked(rng, rows, n)
    cdf = theory.empirical_cdf_risk(30, n=n, m=n, real_share=0.0)
    same = theory.resampled_concentration(np.arange(30), n=n) / 6
    np.testing.assert_allclose(cdf, same, rtol=1e-12)


def test_fixed_supply_of_categories():
    rng, q, m, w = np.random.default_rng(6), np.array([0.5, 0.3, 0.1, 0.1]), 20, 0.3
    found = np.broadcast_to(q, (LINEAGES, 4))
    for t in range(6):
        law = theory.fixed_supply_frequency_error(t, m=m, real_share=w, concentration=q @ q)
        if t == 0:
            assert law == 0
        else:
            assert_mean(((found - q) ** 2).sum(axis=1), law)
        found = w * q + (1 - w) * rng.multinomial(m, found) / m
    none = theory.fixed_supply_frequency_error(7, m=m, real_share=0.0, concentration=0.3)
    assert none == pytest.approx(0.7 * (1 - (1 - 1 / m) ** 7), rel=1e-12)


def test_accumulated_diversity():
    rng, n, p = np.random.default_rng(7), 6, np.array([0.5, 0.3, 0.2])
    pool, rows = rng.multinomial(n, p, size=LINEAGES), rng.normal(size=(LINEAGES, n))
    for t in range(6):
        left = theory.accumulated_diversity(t, n=n)
        found = pool / pool.sum(axis=1, keepdims=True)
        assert_mean(1 - (found**2).sum(axis=1), left * (1 - p @ p))
        assert_mean(((found - p) ** 2).sum(axis=1), (1 - left) * (1 - p @ p))
        assert_mean(rows.var(axis=1), left)
        pool = pool + rng.multinomial(n, found)
        made = rows.std(axis=1)[:, None] * rng.normal(size=(LINEAGES, n))
        rows = np.hstack([rows, rows.mean(axis=1)[:, None] + made])
    sizes = np.array([1.0, 5.0, 100.0])
    far = theory.accumulated_diversity(20_000, n=sizes)
    np.testing.assert_allclose(far, theory.accumulated_diversity_limit(sizes), atol=1e-4)
    grid = theory.accumulated_diversity([[0], [3]], n=sizes)
    assert grid.shape == (2, 3)
    assert grid[1, 1] == pytest.approx(theory.accumulated_diversity(3, n=5), rel=1e-14)


def test_counts_by_simulation_and_survival_inside_the_bracket():
    rng, n, p = np.random.default_rng(8), 100, 0.01
    counts = theory.resampled_counts(9, n=n, probability=p)
    np.testing.assert_allclose(counts.sum(axis=1), 1, rtol=1e-10)
    np.testing.assert_allclose(counts @ np.arange(n + 1), n * p, rtol=1e-10)
    bracket = theory.survival_bracket(np.arange(9), n=n, probability=p)
    alive = 1 - counts[:, 0]
    assert (bracket.lower <= alive).all() and (alive <= bracket.upper).all()
    found = np.full(40_000, p)
    for t in range(9):
        found = rng.binomial(n, found) / n
        assert_mean((found > 0).astype(float), alive[t])
    for rows, chance in [(50, 0.002), (200, 0.02), (30, 0.1)]:
        exact = 1 - theory.resampled_counts(20, n=rows, probability=chance)[:, 0]
        found = theory.survival_bracket(np.arange(20), n=rows, probability=chance)
        assert (found.lower <= exact + 1e-12).all() and (exact <= found.upper + 1e-12).all()


def test_absorption_time():
    rng, n = np.random.default_rng(9), 12
    count, fits = rng.binomial(n, 0.3, size=LINEAGES), np.ones(LINEAGES)
    while (inside := (count > 0) & (count < n)).any():
        count = np.where(inside, rng.binomial(n, count / n), count)
        fits += inside
    assert_mean(fits, theory.absorption_time(n, probability=0.3))
    for p in (0.1, 0.5):
        exact = theory.absorption_time(160, probability=p)
        near = theory.absorption_time_diffusion(160, probability=p)
        assert exact < near < 1.05 * exact
    np.testing.assert_allclose(theory.absorption_time(20, probability=[0.0, 1.0]), 1)
    both = theory.absorption_time(20, probability=[0.2, 0.8])
    assert both[0] == pytest.approx(both[1], rel=1e-10)


def test_temperature_multiplies_log_odds():
    p = np.array([0.6, 0.3, 0.1, 0.0])
    for tau in (0.5, 1.0, 1.7):
        step, power = p, 1.0
        for t in range(6):
            found = theory.tempered_probabilities(t, probabilities=p, temperature=tau)
            np.testing.assert_allclose(found, step, rtol=1e-10)
            odds = np.log(found[0] / found[1])
            assert odds == pytest.approx(power * np.log(2), rel=1e-10)
            step = step ** (1 / tau)
            step, power = step / step.sum(), power / tau
    far = theory.tempered_probabilities(2000, probabilities=p, temperature=0.5)
    np.testing.assert_allclose(far, [1, 0, 0, 0], atol=1e-12)
    flat = theory.tempered_probabilities(2000, probabilities=p, temperature=2.0)
    np.testing.assert_allclose(flat, [1 / 3, 1 / 3, 1 / 3, 0], rtol=1e-12)
    assert theory.tempered_probabilities(1, probabilities=p, temperature=[0.5, 2]).shape == (2, 4)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive", ("ensemble", 3)])
def test_urn(emission):
    rng, start, n = np.random.default_rng(10), np.array([3.0, 2.0, 1.0]), 6
    counts, begin = np.broadcast_to(start, (LINEAGES, 3)), start / start.sum()
    law = theory.urn_variance(6, n=n, start_total=start.sum(), emission=emission)
    for t in range(6):
        mean = counts / counts.sum(axis=1, keepdims=True)
        if t > 0:
            assert_mean(((mean - begin) ** 2).sum(axis=1), law[t] * (1 - begin @ begin))
        if emission in ("plug-in", "predictive"):
            drawn = mean
        else:
            members = 1 if emission == "joint" else emission[1]
            drawn = rng.standard_gamma(np.repeat(counts[:, None], members, axis=1))
            drawn /= drawn.sum(axis=-1, keepdims=True)
        if drawn.ndim == 2:
            made = rng.multinomial(n, drawn)
        else:
            made = rng.multinomial(n // drawn.shape[1], drawn).sum(axis=1)
        counts = counts + made


def test_urn_closed_form_and_limits():
    t = np.arange(300)
    law = theory.urn_variance(300, n=5, start_total=[6.0, 2.5])
    closed = theory.urn_variance_joint(t[:, None], n=5, start_total=[6.0, 2.5])
    np.testing.assert_allclose(law, closed, rtol=1e-10, atol=1e-15)
    far = theory.urn_variance_joint(10**9, n=5, start_total=6.0)
    assert far == pytest.approx(1 / 7, rel=1e-8)
    # Frequencies without a prior: generation 0 itself has the part 1/n.
    plug_in = theory.urn_variance(20, n=8, start_total=8.0, emission="plug-in")
    both = (1 - 1 / 8) * (1 - plug_in)
    np.testing.assert_allclose(both, theory.accumulated_diversity(np.arange(20), n=8), rtol=1e-12)


def test_dirichlet_stationary_is_the_end_of_the_path():
    prior, total, n = np.array([0.7, 0.2, 0.1]), 4.0, 10
    for emission in ("plug-in", "joint", "predictive", ("ensemble", 5)):
        path = theory.dirichlet_law(
            400,
            probabilities=prior[::-1],
            n=n,
            m=n,
            real_share=0.0,
            prior_total=total,
            prior_mean=prior,
            emission=emission,
            total_weight=n,
        )
        settled = theory.dirichlet_stationary(
            n, prior_total=total, prior_diversity=1 - prior @ prior, emission=emission
        )
        assert settled == pytest.approx(path.variance[-1], rel=1e-10)
    joint = theory.dirichlet_stationary(n, prior_total=[1.0, 4.0])
    np.testing.assert_allclose(joint, [10 / 11 / 2, 10 / 14 / 5], rtol=1e-12)
