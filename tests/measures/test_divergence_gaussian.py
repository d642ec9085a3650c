"""Closed forms of Gaussians against independent methods."""

import numpy as np
import pytest
from scipy import linalg, special, stats

from bayescollapse.measures import divergence, gaussian_kl, gaussian_wasserstein
from tests.measures.divergence_cases import covariance, draw, rotation

DIMENSIONS = [1, 2, 5, 20]


def pair(dim, seed=0):
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(2, dim)) / np.sqrt(dim)
    return means[0], covariance(dim, seed + 1), means[1], covariance(dim, seed + 2) * 1.3


def test_one_dimension_agrees_with_scalar_forms():
    args = [[1.0], [[4.0]], [-1.0], [[9.0]]]
    assert divergence.normal_kl(*args) == pytest.approx(gaussian_kl(1, 2, -1, 3), rel=1e-12)
    scalar = divergence.gaussian_hellinger(1, 2, -1, 3)
    assert divergence.normal_hellinger(*args) == pytest.approx(scalar, rel=1e-13)
    assert divergence.normal_wasserstein(*args) == pytest.approx(gaussian_wasserstein(1, 2, -1, 3))
    x = np.linspace(-40, 40, 400_001)
    step = x[1] - x[0]
    cdf = [stats.norm.cdf(x, m, s) for m, s in ((1, 2), (-1, 3))]
    integral = 2 * ((cdf[0] - cdf[1]) ** 2).sum() * step
    assert divergence.normal_energy(*args) == pytest.approx(integral, rel=1e-8)
    density = [stats.norm.pdf(x, m, s) for m, s in ((1, 2), (-1, 3))]
    affinity = np.sqrt(density[0] * density[1]).sum() * step
    assert scalar**2 == pytest.approx(1 - affinity, rel=1e-8)


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_kl_and_hellinger_are_expectations(dim):
    # 4 standard errors, two statements in each of four dimensions: false alarms 5e-4.
    mean_p, cov_p, mean_q, cov_q = pair(dim)
    x = draw(np.random.default_rng(9), mean_p, cov_p, 20_000)
    logs = [
        stats.multivariate_normal(m, c).logpdf(x) for m, c in ((mean_p, cov_p), (mean_q, cov_q))
    ]
    ratio = logs[0] - logs[1]
    root = np.exp(-ratio / 2)
    exact = divergence.normal_kl(mean_p, cov_p, mean_q, cov_q)
    assert abs(ratio.mean() - exact) < 4 * ratio.std() / np.sqrt(len(x))
    exact = divergence.normal_hellinger(mean_p, cov_p, mean_q, cov_q) ** 2
    assert abs(1 - root.mean() - exact) < 4 * root.std() / np.sqrt(len(x))


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_wasserstein_is_the_cost_of_the_linear_map(dim):
    mean_p, cov_p, mean_q, cov_q = pair(dim)
    root = linalg.sqrtm(cov_p).real
    inverse = np.linalg.inv(root)
    move = inverse @ linalg.sqrtm(root @ cov_q @ root).real @ inverse
    assert np.allclose(move @ cov_p @ move.T, cov_q)
    rest = np.eye(dim) - move
    cost = ((mean_p - mean_q) ** 2).sum() + np.trace(rest @ cov_p @ rest.T)
    found = divergence.normal_wasserstein(mean_p, cov_p, mean_q, cov_q)
    assert found == pytest.approx(np.sqrt(cost), rel=1e-8)


@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("far", [0.0, 1e-3, 1.0, 30.0])
def test_energy_of_spheres_by_hypergeometric_series(dim, far):
    shift = far * rotation(dim)[0]

    def length(variance, distance):
        ratio = np.exp(special.gammaln((dim + 1) / 2) - special.gammaln(dim / 2))
        series = special.hyp1f1(-0.5, dim / 2, -(distance**2) / (2 * variance))
        return np.sqrt(2 * variance) * ratio * series

    exact = 2 * length(5.0, far) - length(2.0, 0.0) - length(8.0, 0.0)
    zero = np.zeros(dim)
    found = divergence.normal_energy(shift, np.eye(dim), zero, 4 * np.eye(dim))
    assert found == pytest.approx(exact, rel=1e-10)


def test_energy_of_unequal_axes_and_points():
    rng = np.random.default_rng(4)
    cov = np.diag([4.0, 0.01, 0.0])
    z = rng.normal(size=(400_000, 3)) @ np.sqrt(2 * cov) + [0.3, 0.0, 0.2]
    one = np.linalg.norm(z, axis=1)
    within = np.linalg.norm(z - [0.3, 0.0, 0.2], axis=1)
    drawn = 2 * one - 2 * within
    found = divergence.normal_energy([0.3, 0.0, 0.2], cov, np.zeros(3), cov)
    assert abs(found - drawn.mean()) < 4 * drawn.std() / np.sqrt(len(z))  # false alarms 6e-5
    nothing = np.zeros((2, 2))
    assert divergence.normal_energy([3.0, 4.0], nothing, [0.0, 0.0], nothing) == pytest.approx(10)
    assert divergence.normal_wasserstein([3.0, 4.0], nothing, [0.0, 0.0], nothing) == 5
    assert divergence.normal_energy([0.0, 0.0], nothing, [0.0, 0.0], nothing) == 0


@pytest.mark.parametrize("name", ["kl", "hellinger", "wasserstein", "energy"])
def test_nulls_symmetry_and_broadcasting(name):
    form = getattr(divergence, f"normal_{name}")
    mean_p, cov_p, mean_q, cov_q = pair(5)
    assert form(mean_p, cov_p, mean_p, cov_p) == 0
    assert form(mean_p, cov_p, mean_p + 1e-9, cov_p) >= 0
    means = np.stack([mean_p, mean_q])
    table = form(means[:, None], cov_p, means, cov_q)
    assert table.shape == (2, 2)
    assert table[0, 1] == pytest.approx(form(mean_p, cov_p, mean_q, cov_q))
    if name != "kl":
        assert form(mean_q, cov_q, mean_p, cov_p) == pytest.approx(table[0, 1], rel=1e-10)
    turn = rotation(5)
    turned = form(turn @ mean_p, turn @ cov_p @ turn.T, turn @ mean_q, turn @ cov_q @ turn.T)
    assert turned == pytest.approx(table[0, 1], rel=1e-9)


def test_bad_gaussians_are_refused():
    for args, words in (
        (([0.0], np.eye(2), [0.0], np.eye(2)), "last axes must agree"),
        (([0.0, 0.0], [1.0, 2.0], [0.0, 0.0], np.eye(2)), "cov_p must have shape"),
        (([0.0, 0.0], np.eye(2), [0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]), "cov_q must be symmetric"),
        (([0.0, 0.0], np.eye(2), [0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]]), "no negative eigenvalue"),
        (([0.0, 0.0], np.ones((2, 2)), [0.0, 0.0], np.eye(2)), "cov_p must be positive definite"),
    ):
        with pytest.raises(ValueError, match=words):
            divergence.normal_kl(*args)
    with pytest.raises(ValueError, match="sd_q must be 0 or more"):
        divergence.gaussian_hellinger(0.0, 1.0, 0.0, -1.0)


def test_scalar_forms_at_their_limits():
    assert divergence.gaussian_hellinger([0, 0, 0, 1], [1, 0, 0, 0], 0, [1, 1, 0, 0]).tolist() == [
        0,
        1,
        0,
        1,
    ]
    assert np.isnan(divergence.gaussian_hellinger(np.nan, 1, 0, 1))
    assert divergence.shift_sds([1.0, -1.0], 0.0, 0.0).tolist() == [np.inf, -np.inf]
    assert divergence.sd_ratio(1.0, 0.0) == np.inf
    assert np.isnan(divergence.sd_ratio(0.0, 0.0))
