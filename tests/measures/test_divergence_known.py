"""Estimates from draws against closed forms: within 4 standard errors, or the stated bias.

A statement with 4 standard errors is wrong by chance with probability 6e-5; the file makes about
fifty.
"""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from bayescollapse.measures import divergence, gaussian_kl, gaussian_wasserstein, wasserstein_1d
from bayescollapse.measures.divergence.sizes import autocorrelated_size, distinct_size
from tests.measures.divergence_cases import close, covariance, draw

DIMENSIONS = [1, 2, 5, 20]
PAIRS = {"equal": (0.0, 1.0), "shifted": (1.0, 1.0), "narrow": (0.0, 0.5), "both": (0.5, 1.4)}


def gaussians(dim, name):
    """Two Gaussians whose distance does not grow with the dimension."""
    shift, ratio = PAIRS[name]
    cov_q = covariance(dim, 1)
    cov_p = cov_q * ratio ** (2 / np.sqrt(dim)) if name != "both" else covariance(dim, 2) * 1.2
    return np.full(dim, shift / dim), cov_p, np.zeros(dim), cov_q


@pytest.mark.parametrize("name", list(PAIRS))
@pytest.mark.parametrize("dim", DIMENSIONS)
def test_unbiased_estimates(dim, name):
    rng = np.random.default_rng(dim)
    args = gaussians(dim, name)
    x, y = draw(rng, *args[:2], 60, 150), draw(rng, *args[2:], 60, 100)
    close(divergence.energy_distance(x, y), divergence.normal_energy(*args))
    close(divergence.kl_moments(x, y), divergence.normal_kl(*args))
    close(
        divergence.maximum_mean_discrepancy(x, y, bandwidth=1.5),
        gaussian_discrepancy(*args, 1.5),
    )


def gaussian_discrepancy(mean_p, cov_p, mean_q, cov_q, width):
    """Squared maximum mean discrepancy of Gaussians with a Gaussian kernel."""

    def similarity(shift, cov):
        total = np.eye(len(shift)) + cov / width**2
        moved = np.linalg.solve(total, shift) / width**2
        return np.exp(-shift @ moved / 2) / np.sqrt(np.linalg.det(total))

    zero = np.zeros_like(mean_p)
    within = similarity(zero, 2 * cov_p) + similarity(zero, 2 * cov_q)
    return within - 2 * similarity(mean_p - mean_q, cov_p + cov_q)


@pytest.mark.parametrize(("shift", "ratio"), [(0, 1), (0.5, 1), (1, 1), (2, 1), (0, 0.5), (1, 2)])
def test_squared_hellinger_within_its_stated_bias(shift, ratio):
    rng = np.random.default_rng(3)
    x, y = shift + ratio * rng.normal(size=(300, 200)), rng.normal(size=(300, 200))
    exact = divergence.gaussian_hellinger(shift, ratio, 0, 1) ** 2
    close(divergence.squared_hellinger(x, y), exact, 0.001 if exact == 0 else 0.01)


@pytest.mark.parametrize(("draws", "bias"), [((100, 4000), 0.003), ((500, 2000), 0.001)])
def test_squared_hellinger_of_unequal_numbers(draws, bias):
    rng = np.random.default_rng(12)
    x, y = (rng.normal(size=(300, n)) for n in draws)
    close(divergence.squared_hellinger(x, y), 0.0, bias)
    close(divergence.squared_hellinger(y, x), 0.0, bias)


@pytest.mark.parametrize("n", [200, 1000])
def test_moments_of_sampled_draws_have_their_stated_bias(n):
    x, y = np.random.default_rng(n).normal(size=(2, 1000, n))
    first, second = ((a.mean(-1), a.std(-1, ddof=1)) for a in (x, y))
    close(gaussian_kl(*first, *second), 2 / n, 0.02 * 2 / n)
    close(divergence.gaussian_hellinger(*first, *second), {200: 0.044, 1000: 0.020}[n], 0.0005)
    close(gaussian_wasserstein(*first, *second), {200: 0.107, 1000: 0.048}[n], 0.001)


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_wasserstein_is_biased_upwards_by_order_one_over_draws(dim):
    # Squared distances of n draws each exceed the population's by about c sd^2 / n, c below 10.
    rng = np.random.default_rng(dim)
    mean_p, cov_p, mean_q, cov_q = gaussians(dim, "both")
    x, y = draw(rng, mean_p, cov_p, 40, 500), draw(rng, mean_q, cov_q, 40, 500)
    first = wasserstein_1d(x[..., 0], y[..., 0], order=2) ** 2
    exact = gaussian_wasserstein(mean_p[0], cov_p[0, 0] ** 0.5, mean_q[0], cov_q[0, 0] ** 0.5)
    units = divergence.slice_directions(dim)
    sds = [np.sqrt(np.einsum("li,ij,lj->l", units, c, units)) for c in (cov_p, cov_q)]
    slices = gaussian_wasserstein(units @ mean_p, sds[0], units @ mean_q, sds[1])
    for values, square in (
        (first, exact**2),
        (divergence.sliced_wasserstein(x, y) ** 2, (slices**2).mean()),
    ):
        error = values.std(ddof=1) / np.sqrt(40)
        assert -4 * error < values.mean() - square < 4 * error + 10 * 2 / 500


BIASES = {
    "shifted by 1 sd": (-0.03, -0.08, -0.13, -0.18),
    "all sds times 0.7": (0.00, 0.05, 0.22, 1.48),
    "all sds times 1.3": (-0.04, -0.12, -0.56, -3.19),
}
"""The table in the docstring of the nearest-neighbour estimate."""


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_nearest_neighbours_have_their_stated_bias(dim):
    rng = np.random.default_rng(dim)
    zero, unit = np.zeros(dim), np.eye(dim)
    y = draw(rng, zero, unit, 30, 500)
    pairs = ((np.full(dim, dim**-0.5), 1.0), (zero, 0.7), (zero, 1.3))
    for (mean, ratio), biases in zip(pairs, BIASES.values(), strict=True):
        x = draw(rng, mean, ratio**2 * unit, 30, 500)
        exact = divergence.normal_kl(mean, ratio**2 * unit, zero, unit)
        stated = biases[DIMENSIONS.index(dim)]
        close(divergence.kl_neighbours(x, y), exact + stated, 0.03 + 0.1 * abs(stated))
    close(divergence.kl_neighbours(draw(rng, zero, unit, 30, 500), y), 0.0, 0.01)


@pytest.mark.parametrize("draws", [(500, 2000), (2000, 500)])
@pytest.mark.parametrize("dim", [1, 5])
def test_nearest_neighbours_of_unequal_numbers(dim, draws):
    rng = np.random.default_rng(13)
    for law in (rng.normal, rng.exponential):
        x, y = (law(size=(12, n, dim)) for n in draws)
        close(divergence.kl_neighbours(x, y), 0.0, 0.02)
    x, y = (rng.normal(size=(12, n, 1)) for n in draws)
    close(divergence.kl_neighbours(x + 1, y), 0.5 + BIASES["shifted by 1 sd"][0], 0.03)


def test_means_over_pairs_are_those_of_all_pairs():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(70, 3)), rng.normal(size=(50, 3)) + 1e4
    brute = 2 * cdist(x, y).mean() - pdist(x).mean() - pdist(y).mean()
    assert divergence.energy_distance(x, y) == pytest.approx(brute, rel=1e-9)
    y = y - 1e4
    width = divergence.median_distance(y)
    assert width == pytest.approx(np.median(pdist(y)))
    kernels = [np.exp(-(d**2) / (2 * width**2)).mean() for d in (cdist(x, y), pdist(x), pdist(y))]
    brute = kernels[1] + kernels[2] - 2 * kernels[0]
    assert divergence.maximum_mean_discrepancy(x, y) == pytest.approx(brute, rel=1e-9)
    large = rng.normal(size=(1200, 2))  # more pairs than a block holds
    brute = 2 * cdist(large, y[:, :2]).mean() - pdist(large).mean() - pdist(y[:, :2]).mean()
    assert divergence.energy_distance(large, y[:, :2]) == pytest.approx(brute, abs=1e-9)


def test_leading_axes_broadcast():
    x = np.random.default_rng(6).normal(size=(3, 4, 40, 2))
    first = x[:, :1]
    for measure in (
        divergence.energy_distance,
        divergence.maximum_mean_discrepancy,
        divergence.sliced_wasserstein,
        divergence.kl_moments,
        divergence.kl_neighbours,
    ):
        values = measure(x, first)
        assert values.shape == (3, 4)
        assert values[1, 2] == pytest.approx(measure(x[1, 2], x[1, 0]), rel=1e-12)


def test_repeats_are_left_out_of_pairs():
    x = np.array([[1.0, 0.0], [2.0, 1.0], [2.0, 1.0], [5.0, 2.0], [2.0, 1.0]])
    y = np.array([[0.0, 0.0], [1.0, 1.0], [3.0, 3.0]])
    within = cdist(x, x)
    brute = 2 * cdist(x, y).mean() - within[within > 0].mean() - pdist(y).mean()
    assert distinct_size(x) == pytest.approx(25 / 11)
    assert divergence.energy_distance(x, y) == pytest.approx(brute, rel=1e-9)
    assert divergence.energy_distance(x, y, effective=(np.inf, np.inf)) == pytest.approx(
        2 * cdist(x, y).mean() - within.mean() - cdist(y, y).mean()
    )


def test_related_draws():
    # Draws with autocorrelation .8, 150 repeats: what takes them as independent is too large. Pairs
    # in different groups, and moments with their effective size, leave at most a fifth of that.
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(150, 2, 400, 1)) * 0.6
    chains = np.empty_like(noise)
    chains[:, :, 0] = noise[:, :, 0] / 0.6
    for step in range(1, 400):
        chains[:, :, step] = 0.8 * chains[:, :, step - 1] + noise[:, :, step]
    x, y = chains[:, 0], chains[:, 1]
    size = float(np.median([autocorrelated_size(a[None]) for a in x]))
    assert 30 < size < 60  # 400 (1 - .8) / (1 + .8) = 44
    for naive, better, share in (
        (divergence.energy_distance(x, y), divergence.energy_distance(x, y, groups=10), 0.2),
        (
            divergence.maximum_mean_discrepancy(x, y),
            divergence.maximum_mean_discrepancy(x, y, groups=10),
            0.2,
        ),
        (
            divergence.kl_moments(x, y),
            divergence.kl_moments(x, y, effective=(size, size)),
            0.6,  # variances have a larger effective size than means: overcorrected
        ),
    ):
        error = better.std() / np.sqrt(150)
        assert naive.mean() > 6 * naive.std() / np.sqrt(150)
        assert abs(better.mean()) < 4 * error + share * naive.mean()


def test_flat_directions_of_a_simplex_do_not_count():
    rng = np.random.default_rng(8)
    x, y = rng.dirichlet([4, 5, 6], size=400), rng.dirichlet([5, 5, 5], size=400)
    for measure in (divergence.kl_moments, divergence.kl_neighbours):
        assert measure(x, y) == pytest.approx(measure(x[:, :2], y[:, :2]), rel=1e-6)


def test_collapsed_and_missing_samples():
    rng = np.random.default_rng(9)
    x, point = rng.normal(size=(50, 2)), np.ones((50, 2))
    line = np.c_[x[:, 0], np.ones(50)]
    assert divergence.kl_moments(point, x) == np.inf
    assert divergence.kl_moments(x, point) == np.inf
    assert divergence.kl_moments(line, x) == np.inf
    assert divergence.kl_moments(line, line + [0.0, 1.0]) == np.inf
    assert divergence.kl_moments(point, point) == 0
    assert divergence.energy_distance(point, point) == pytest.approx(0)
    assert divergence.energy_distance(point, point + [3, 4]) == pytest.approx(10)
    assert divergence.energy_distance(point[:1], point[:1] + [3, 4]) == pytest.approx(10)
    assert divergence.kl_neighbours(point, x) == np.inf
    assert divergence.kl_neighbours(line, line + [0.0, 1.0]) == np.inf
    assert divergence.kl_neighbours(point, point) == 0
    few = x[np.arange(50) % 4]
    assert np.isnan(divergence.kl_neighbours(few, x))
    missing = x.copy()
    missing[0, 0] = np.nan
    for measure in (
        divergence.energy_distance,
        divergence.maximum_mean_discrepancy,
        divergence.sliced_wasserstein,
        divergence.kl_moments,
        divergence.kl_neighbours,
    ):
        assert np.isnan(measure(missing, x)), measure
        assert np.isnan(measure(x, missing)), measure
    assert np.isnan(divergence.squared_hellinger(missing[:, 0], x[:, 0]))


def test_bad_samples_are_refused():
    x = np.random.default_rng(1).normal(size=(20, 3))
    for call, words in (
        (lambda: divergence.energy_distance(x[:, 0], x[:, 0]), "shapes"),
        (lambda: divergence.energy_distance(x, x[:, :2]), "same parameters"),
        (lambda: divergence.energy_distance(x, x[:0]), "must hold draws"),
        (lambda: divergence.energy_distance(x, x, effective=(0.5, 2)), "1 or more"),
        (lambda: divergence.maximum_mean_discrepancy(x, x, bandwidth=0.0), "bandwidth must be"),
        (lambda: divergence.maximum_mean_discrepancy(x, x[:1]), "give bandwidth="),
        (lambda: divergence.sliced_wasserstein(x, x, order=0.5), "order must be 1 or more"),
        (lambda: divergence.sliced_wasserstein(x, x, directions=np.eye(2)), "directions must"),
        (lambda: divergence.kl_moments(x[:5], x), "at least 6 draws"),
        (lambda: divergence.kl_neighbours(x, x, neighbours=1), "neighbours must be"),
        (lambda: divergence.kl_neighbours(x[:5], x), "more than neighbours=5"),
        (lambda: divergence.energy_distance(x, x, groups=21), "groups must lie"),
        (lambda: divergence.squared_hellinger(x[:, 0], x[:, 0], bins=1), "bins must be"),
        (lambda: divergence.squared_hellinger(1.0, x[:, 0]), "single number"),
        (lambda: divergence.slice_directions(0), "parameters must be"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
