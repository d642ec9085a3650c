"""The recursion and the choice of the real share against independent calculations."""

from fractions import Fraction

import numpy as np
import pytest

from bayescollapse import theory

# k, naive share, optimal share, naive risk, optimal share under joint emission with total weight
# n + m, the same with calibrated total weight.
TABLE = [
    (5, 0.8333, 0.8541, 0.8571, 0.8702, 0.8708),
    (2, 0.6667, 0.7321, 0.7500, 0.7749, 0.7808),
    (1, 0.5000, 0.6180, 0.6667, 0.6861, 0.7071),
    (0.2, 0.1667, 0.3583, 0.5455, 0.4493, 0.5742),
    (0.1, 0.0909, 0.2702, 0.5238, 0.3518, 0.5422),
    (0.05, 0.0476, 0.2000, 0.5122, 0.2674, 0.5228),
    (0.01, 0.0099, 0.0951, 0.5025, 0.1315, 0.5049),
]
EMISSIONS = ["plug-in", "joint", "predictive", ("ensemble", 3), "ensemble(3)"]
WEIGHTS = ["rows", "real", "kish", "calibrated", 130.0]


@pytest.mark.parametrize("row", TABLE)
def test_table_of_optimal_shares(row):
    k, naive, best, naive_risk, joint, calibrated = row
    found = [
        theory.limit_risk(k / (1 + k), a=1.0, b=k) - theory.pooled_risk(k) + k / (1 + k),
        theory.optimal_share(k),
        theory.pooled_risk(k),
        theory.optimal_share(k, emission="joint"),
        theory.optimal_share(k, emission="joint", total_weight="calibrated"),
    ]
    # A printed value is off by at most half a unit in its fourth decimal.
    np.testing.assert_allclose(found, [naive, best, naive_risk, joint, calibrated], atol=5.1e-5)


def test_golden_ratio_and_joint_calibrated_in_closed_form():
    assert theory.optimal_share(1) == pytest.approx((np.sqrt(5) - 1) / 2, abs=1e-14)
    k = np.array([0.01, 0.3, 1.0, 4.0])
    found = theory.optimal_share(k, emission="joint", total_weight="calibrated")
    np.testing.assert_allclose(found, (1 - k + np.sqrt(k**2 + 6 * k + 1)) / 4, rtol=1e-13)
    np.testing.assert_allclose(theory.optimal_share(k), (np.sqrt(k**2 + 4 * k) - k) / 2, rtol=1e-13)


def test_optimal_share_keeps_digits_for_few_real_rows():
    k = 1e-12
    root = 2e-6 / (np.sqrt(4 + k) + np.sqrt(k))  # w^2 + k w - k = 0, without cancellation
    assert theory.optimal_share(k) == pytest.approx(root, rel=1e-13)


@pytest.mark.parametrize("c", [0.0, 0.6, 1.0, 1.7])
@pytest.mark.parametrize("k", [0.05, 1.0, 4.0])
def test_optimum_against_grid_and_its_risk(k, c):
    grid = np.linspace(0, 1, 100_001)
    path = theory.limit_risk(grid, a=2.0, b=2.0 * k, c=c)
    best = theory.optimal_share(k, c=c)
    assert abs(grid[path.argmin()] - best) <= 1.01e-5
    assert theory.limit_risk(best, a=2.0, b=2.0 * k, c=c) == pytest.approx(2.0 * best, rel=1e-12)


@pytest.mark.parametrize("total_weight", WEIGHTS)
@pytest.mark.parametrize("emission", EMISSIONS)
def test_optimum_under_each_emission_against_grid(emission, total_weight):
    n, m = 60, 90
    grid = np.linspace(0.01, 1, 99_001)
    terms = theory.emission_terms(
        n, m, emission=emission, total_weight=total_weight, real_share=grid
    )
    path = theory.limit_risk(grid, **terms._asdict())
    best = theory.optimal_share(n / m, emission=emission, n=n, total_weight=total_weight)
    assert abs(grid[path.argmin()] - best) <= 1.01e-5


@pytest.mark.parametrize("k", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("c", [0.0, 0.5, 1.0, 3.0])
def test_kish_optimum_is_stationary(k, c):
    best = theory.optimal_share(k, emission="joint", total_weight="kish", c=c)

    def limit(w):
        return theory.limit_risk(w, a=1.0, b=k + w**2 + k * (1 - w) ** 2, c=c)

    step = 1e-4 * min(best, 1 - best)
    assert limit(best) < limit(best + step) and limit(best) < limit(best - step)


def test_predictive_needs_many_rows_to_equal_plug_in():
    assert theory.optimal_share(0.3, emission="predictive") == theory.optimal_share(0.3)
    few = theory.optimal_share(1, emission="predictive", n=5)
    assert few == pytest.approx(theory.optimal_share(1 + 1 / 10), rel=1e-14)
    given = theory.optimal_share(1, emission="predictive", total_weight=20)
    assert given == pytest.approx(theory.optimal_share(1.05), rel=1e-14)


def test_shares_broadcast():
    found = theory.optimal_share(np.ones((3, 1)), emission="joint", n=[10, 20], total_weight=40)
    assert found.shape == (3, 2)
    expected = [theory.optimal_share(1.25), theory.optimal_share(1.5)]
    np.testing.assert_allclose(found[0], expected, rtol=1e-14)


@pytest.mark.parametrize("c", [0.7, 1.0, 1.2])
def test_limit_and_relaxation_of_the_recursion(c):
    w = np.array([0.2, 0.5, 0.9])
    path = theory.risk(400, real_share=w, a=0.3, b=0.8, c=c)
    limit = theory.limit_risk(w, a=0.3, b=0.8, c=c)
    np.testing.assert_allclose(path[-1], limit, rtol=1e-12)
    ratio = (path[3] - limit) / (path[2] - limit)
    np.testing.assert_allclose(ratio, theory.relaxation(w, c=c), rtol=1e-8)
    explicit = theory.relaxation(w, c=c) ** 4 * (0.3 - limit) + limit
    np.testing.assert_allclose(path[4], explicit, rtol=1e-12)


def test_limit_is_infinite_where_the_recursion_grows():
    assert theory.limit_risk(0.2, a=1.0, b=1.0, c=2.0) == np.inf
    assert theory.risk(200, real_share=0.2, a=1.0, b=1.0, c=2.0)[-1] > 1e10
    edge = 1 - 1 / np.sqrt(2)
    found = theory.limit_risk([edge - 1e-9, edge + 1e-9], a=1.0, b=1.0, c=2.0)
    assert np.isinf(found[0]) and np.isfinite(found[1])


def test_burn_in_counts_generations():
    w, steps = 0.095, theory.burn_in(0.095, tolerance=0.01)
    path = theory.risk(60, real_share=w, a=1.0, b=0.01)
    left = (path - theory.limit_risk(w, a=1.0, b=0.01)) / (1 - theory.limit_risk(w, a=1.0, b=0.01))
    assert left[int(np.ceil(steps))] <= 0.01 < left[int(np.floor(steps))]
    assert theory.burn_in([0.0, 1.0], tolerance=0.1).tolist() == [np.inf, 0.0]


@pytest.mark.parametrize(("k", "c"), [(1.0, 1.0), (0.1, 1.0), (2.0, 1.5), (0.2, 0.5)])
def test_interval_that_beats_real_rows(k, c):
    grid = np.linspace(0.0005, 0.9995, 1000)
    below = theory.limit_risk(grid, a=1.0, b=k, c=c) < 1
    edge = theory.beats_real_only(k, c=c)
    np.testing.assert_array_equal(below, grid > edge)
    assert theory.beats_real_only(1.0) == pytest.approx(1 / 3, rel=1e-15)


def test_optimal_path_is_exact_fractions():
    path = theory.optimal_path(25, 1.0).real_share
    w = Fraction(1)
    for found in path:
        assert found == pytest.approx(float(w), abs=1e-12)
        w = (w + 1) / (w + 2)
    np.testing.assert_allclose(path[1:5], [2 / 3, 5 / 8, 13 / 21, 34 / 55], atol=1e-12)


@pytest.mark.parametrize(("k", "c"), [(1.0, 1.0), (0.05, 1.0), (0.7, 2.0), (0.7, 0.5)])
def test_optimal_path_is_its_own_risk_and_best(k, c):
    path = theory.optimal_path(30, k, c=c)
    reached = theory.risk(30, schedule=path.real_share, a=1.0, b=k, c=c)
    np.testing.assert_allclose(reached, path.risk_ratio, rtol=1e-12)
    assert path.real_share[-1] >= theory.optimal_share(k, c=c) - 1e-12
    rng = np.random.default_rng(4)
    for _ in range(20):
        other = np.clip(path.real_share + rng.normal(0, 0.05, 30), 0, 1)
        other[0] = 1
        worse = theory.risk(30, schedule=other, a=1.0, b=k, c=c)
        assert np.all(worse >= reached - 1e-12)
