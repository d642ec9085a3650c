"""Estimators of mutual information on pairs of known laws."""

import numpy as np
import pytest
from scipy import stats

from bayescollapse.measures import (
    correlation_interval,
    fisher_interval,
    gaussian_mutual_information,
    knn_mutual_information,
)

# |z| > 4 has probability 6.3e-5 under the null.
TOLERANCE = 4.0


def normal_pairs(correlation, shape, seed=1):
    x, noise = np.random.default_rng(seed).normal(size=(2, *shape))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise


def estimates(x, y, neighbours=4):
    return np.array(
        [knn_mutual_information(a, b, neighbours=neighbours) for a, b in zip(x, y, strict=True)]
    ).T


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("pairs", [5, 40])
def test_gaussian_estimate_is_unbiased(correlation, pairs):
    """Six comparisons at 4 MCSE, false alarm below 4e-4."""
    x, y = normal_pairs(correlation, (20_000, pairs))
    value, _ = gaussian_mutual_information(x[..., None], y[..., None])
    law = -0.5 * np.log(1 - correlation**2)
    assert abs(value.mean() - law) < TOLERANCE * value.std() / np.sqrt(value.size)


def test_gaussian_estimate_of_vectors_is_unbiased():
    rng = np.random.default_rng(2)
    mix = rng.normal(size=(3, 2))
    x = rng.normal(size=(5_000, 30, 3))
    y = x @ mix + rng.normal(size=(5_000, 30, 2))
    value, error = gaussian_mutual_information(x, y)
    law = 0.5 * np.linalg.slogdet(np.eye(2) + mix.T @ mix)[1]
    assert abs(value.mean() - law) < TOLERANCE * value.std() / np.sqrt(5_000)
    assert error.mean() == pytest.approx(value.std(), rel=0.15)
    moved = gaussian_mutual_information(3 * x + 1, y @ [[2.0, 1.0], [0.0, -1.0]])[0]
    assert np.allclose(moved, value) and np.allclose(gaussian_mutual_information(y, x)[0], value)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9])
def test_fisher_interval_covers(correlation):
    """At least 95 % (all at 0 lie on the border); six checks at 4 sds."""
    x, y = normal_pairs(correlation, (4_000, 60), seed=3)
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    low, high = correlation_interval(r, 60)
    law = -0.5 * np.log(1 - correlation**2)
    covered = ((low <= law) & (law <= high)).mean()
    assert abs(covered - 0.95) < 0.005 + 4 * np.sqrt(0.95 * 0.05 / 4_000)
    lower, upper = fisher_interval(r, 60)
    covered = ((lower <= correlation) & (correlation <= upper)).mean()
    assert abs(covered - 0.95) < 0.005 + 4 * np.sqrt(0.95 * 0.05 / 4_000)


# Largest bias that the docstring's "strong dependence is underestimated" allows for at 200 pairs.
BIAS = {0.0: 0.005, 0.5: 0.01, 0.95: 0.06}


@pytest.mark.parametrize("correlation", BIAS)
@pytest.mark.parametrize("repeats", [1_000, pytest.param(6_000, marks=pytest.mark.verification)])
def test_nearest_neighbours_against_the_normal_law(correlation, repeats):
    """Value, and error that is right within a tenth; false alarm below 1e-3."""
    x, y = normal_pairs(correlation, (repeats, 200), seed=4)
    value, error = estimates(x, y)
    law = -0.5 * np.log(1 - correlation**2)
    mcse = value.std() / np.sqrt(repeats)
    assert abs(value.mean() - law) < TOLERANCE * mcse + BIAS[correlation]
    # The relative error of a standard deviation is 1 / sqrt(2 repeats).
    assert abs(np.log(value.std() / error.mean())) < 0.1 + TOLERANCE / np.sqrt(2 * repeats)


@pytest.mark.parametrize(("neighbours", "pairs"), [(1, 200), (4, 60), (16, 200), (16, 60)])
def test_error_of_nearest_neighbours_at_other_sizes(neighbours, pairs):
    """Right within the 20 % that its docstring allows; false alarm below 3e-4."""
    x, y = normal_pairs(0.8, (800, pairs), seed=14)
    value, error = estimates(x, y, neighbours)
    assert abs(np.log(value.std() / error.mean())) < 0.2 + TOLERANCE / np.sqrt(2 * 800)


def test_nearest_neighbours_see_what_correlation_does_not():
    x, noise = np.random.default_rng(5).normal(size=(2, 2_000))
    y = x**2 + 0.1 * noise
    linear, _ = gaussian_mutual_information(x[:, None], y[:, None])
    value, error = knn_mutual_information(x, y)
    assert value > 0.8 and value > 10 * abs(linear)
    assert knn_mutual_information(2 * x - 1, -y)[0] == pytest.approx(value, abs=0.02)
    assert knn_mutual_information(y, x)[0] == pytest.approx(value)


@pytest.mark.parametrize("both", [False, True])
def test_values_that_repeat(both):
    """Null of counts (false alarm 1e-4 each), and a count with normal noise by quadrature."""
    rng = np.random.default_rng(6)
    x = rng.binomial(10, 0.5, size=(60, 300)).astype(float)
    y = rng.binomial(10, 0.5, size=x.shape) if both else rng.normal(size=x.shape)
    value, _ = estimates(x, y)
    assert abs(value.mean()) < TOLERANCE * value.std() / np.sqrt(60) + 0.01
    if both:
        return
    grid = np.linspace(-6, 16, 20_001)
    parts = stats.binom(10, 0.5).pmf(np.arange(11))[:, None]
    density = (parts * stats.norm.pdf(grid - np.arange(11)[:, None])).sum(axis=0)
    law = -(density * np.log(density)).sum() * (grid[1] - grid[0]) - 0.5 * np.log(2 * np.pi * np.e)
    known, _ = estimates(x, x + rng.normal(size=x.shape))
    assert abs(known.mean() - law) < TOLERANCE * known.std() / np.sqrt(60) + 0.04


def test_values_that_repeat_tell_no_more_than_their_entropy():
    """Plug-in entropy of 2,000 counts within 4 standard errors of the law; false alarm 1e-4."""
    count = np.random.default_rng(8).binomial(5, 0.5, size=2_000).astype(float)
    law = stats.binom(5, 0.5).entropy()
    for other in (count, 3 - 2 * count):
        value, error = knn_mutual_information(count, other)
        assert 0 < error < 0.02 and abs(value - law) < TOLERANCE * error
    # By hand: shares 1/4 and 3/4.
    hand, _ = knn_mutual_information([0.0, 1.0, 1.0, 1.0] * 5, [1.0, 0.0, 0.0, 0.0] * 5)
    assert hand == pytest.approx(np.log(4) - 0.75 * np.log(3))


def test_equal_sizes_with_other_signs_are_no_copies():
    """Independent signs have no information; a random sign leaves what the size tells, finite."""
    rng = np.random.default_rng(9)
    signs = np.repeat([-1.0, 1.0], 100)
    value, error = knn_mutual_information(signs, rng.permutation(signs))
    # Spreading the two values costs 0.04 at most, and the permuted signs 1 / 400 themselves.
    assert error > 0 and abs(value) < TOLERANCE * error + 0.05
    size = np.abs(rng.normal(size=100))
    x = np.concatenate([size, -size])
    assert np.isfinite(knn_mutual_information(x, x * np.tile(rng.permutation(signs[::2]), 2))[0])


def test_degenerate_pairs():
    x = np.random.default_rng(7).normal(size=50)
    assert gaussian_mutual_information(x[:, None], 2 * x[:, None])[0] == np.inf
    assert knn_mutual_information(x, -3 * x) == (np.inf, 0.0)
    assert np.isnan(gaussian_mutual_information(x[:, None], np.ones((50, 1)))[0])
    assert np.isnan(knn_mutual_information(x, np.ones(50))[0])
    assert np.isnan(gaussian_mutual_information(x[:3, None], x[:3, None])[0])
    assert correlation_interval(1.0, 10) == (np.inf, np.inf)
    assert correlation_interval(0.5, 3) == (0.0, np.inf)
    assert fisher_interval(0.5, 3) == (-1.0, 1.0)
    assert fisher_interval(-1.0, 10) == (-1.0, -1.0)
    assert np.isnan(fisher_interval(np.nan, 3)).all()
    with pytest.raises(ValueError, match=r"shape \(…, pair, entry\)"):
        gaussian_mutual_information(x, x)
    with pytest.raises(ValueError, match="same number of pairs, above neighbours=4"):
        knn_mutual_information(x, x[:10])
    with pytest.raises(ValueError, match="probability must lie"):
        correlation_interval(0.5, 10, probability=95)
