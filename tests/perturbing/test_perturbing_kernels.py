"""Kernels of the sensitivity measures: against ArviZ, finite differences and their laws."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from bayescollapse.perturbing import cumulative_jensen_shannon, power_gradients, weighted_moments
from bayescollapse.perturbing.kernels import batch_means_error


@pytest.fixture(scope="module")
def case():
    """Three cells of 400 draws, with even and uneven weights."""
    rng = np.random.default_rng(1)
    draws = rng.standard_t(4, size=(3, 400))
    weights = rng.gamma(2.0, size=(3, 400))
    return draws, np.full((3, 400), 1 / 400), weights / weights.sum(axis=1, keepdims=True)


def test_distance_is_arviz_s(case):
    draws, even, weights = case
    ours = cumulative_jensen_shannon(draws, even, weights)
    theirs = [
        max(array_stats._cjs_dist(x, w), array_stats._cjs_dist(-x, w))
        for x, w in zip(draws, weights, strict=True)
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_distance_of_equal_distributions_is_zero(case):
    draws, _, weights = case
    assert (cumulative_jensen_shannon(draws, weights, weights) == 0).all()
    assert (cumulative_jensen_shannon(np.ones(9), np.eye(9)[0], np.eye(9)[1]) == 0).all()


def test_distance_is_symmetric_bounded_and_free_of_units_and_order(case):
    draws, even, weights = case
    distance = cumulative_jensen_shannon(draws, even, weights)
    assert ((distance > 0) & (distance <= 1)).all()
    same = {
        "symmetric": cumulative_jensen_shannon(draws, weights, even),
        "shifted and scaled": cumulative_jensen_shannon(7 + 3 * draws, even, weights),
        "reflected": cumulative_jensen_shannon(-draws, even, weights),
        "reordered": cumulative_jensen_shannon(draws[:, ::-1], even, weights[:, ::-1]),
    }
    for name, value in same.items():
        np.testing.assert_allclose(value, distance, rtol=1e-9, err_msg=name)


def test_distance_of_two_samples_grows_along_a_path():
    rng = np.random.default_rng(2)
    one, two = rng.normal(size=(2, 500))
    inside = np.arange(1000) < 500
    shifts = np.array([0.0, 0.2, 0.5, 1.0, 3.0, 10.0])
    joined = np.stack([np.concatenate([one, two + shift]) for shift in shifts])
    distance = cumulative_jensen_shannon(joined, inside / 500, ~inside / 500)
    assert (np.diff(distance) > 0).all()
    # Two samples of one distribution: 0.70 / sqrt(draws) with an sd of 0.17 over 60 pairs.
    assert abs(distance[0] * np.sqrt(500) - 0.7) < 4 * 0.17


def moments_at(power, draws, log_component):
    """Mean and sd by plain self-normalised weights."""
    ratios = (power - 1) * log_component
    weights = np.exp(ratios - ratios.max())
    mean, sd = weighted_moments(draws[None], (weights / weights.sum())[None])
    return mean[0], np.log(sd[0])


def test_gradients_are_the_derivatives_of_weighted_moments():
    """On the same draws the derivative is an identity, so there is no Monte Carlo error."""
    rng = np.random.default_rng(3)
    draws = rng.gamma(3.0, size=(2, 150, 2))
    logs = np.stack([-((draws[..., 0] - 1) ** 2), 2 * draws[..., 1] - draws[..., 0]], axis=-1)
    mean, _, sd, _ = power_gradients(draws[None], logs[None])
    flat, step = draws.reshape(-1, 2), 1e-4
    scale = flat.std(axis=0)
    for c in range(2):
        log = logs[..., c].ravel()
        (up, wide), (down, narrow) = (moments_at(2**e, flat, log) for e in (step, -step))
        np.testing.assert_allclose(mean[0, c], (up - down) / (2 * step) / scale, rtol=1e-4)
        np.testing.assert_allclose(sd[0, c], (wide - narrow) / (2 * step), rtol=1e-4)


COMPONENTS = {
    "linear": (lambda rng, shape: rng.normal(size=shape), lambda x: x),
    "a likelihood": (lambda rng, shape: rng.normal(size=shape), lambda x: -(x**2) / 2),
    "a prior": (lambda rng, shape: rng.normal(size=shape), lambda x: -((x - 2) ** 2) / 4),
    "a logarithm": (lambda rng, shape: rng.gamma(2.0, size=shape), np.log),
    "of a bounded one": (lambda rng, shape: rng.uniform(-1, 1, size=shape), lambda x: x),
}


@pytest.mark.parametrize("case", COMPONENTS)
def test_errors_of_gradients_are_the_spread_of_gradients(case):
    """Over independent sets of draws, and on both sides."""
    sample, component = COMPONENTS[case]
    draws = sample(np.random.default_rng(5), (500, 2, 500, 1))
    mean, mean_error, sd, sd_error = power_gradients(draws, component(draws))
    for value, error in ((mean, mean_error), (sd, sd_error)):
        # The spread of 500 values is known to 3.2 %, 13 % at four errors; in 2,000 sets the errors
        # of these cases lie between 0.93 and 1.03 times the spread.
        assert abs(error.mean() / value.std() - 0.98) < 0.13 + 0.05


def test_batch_means_know_dependence():
    """AR(1) chains: the mean's sd is sqrt((1 + r) / (1 - r)) times that of independent draws."""
    rng = np.random.default_rng(4)
    r, length, cells = 0.6, 2500, 200
    noise = rng.normal(size=(cells, 2, length)) * np.sqrt(1 - r**2)
    noise[:, :, 0] /= np.sqrt(1 - r**2)
    chain = noise.copy()
    for t in range(1, length):
        chain[:, :, t] = r * chain[:, :, t - 1] + noise[:, :, t]
    exact = np.sqrt((1 + r) / (1 - r) / (2 * length))
    errors = batch_means_error(chain[..., None])[:, 0]
    # 100 batches of 50: the estimate is some 2 % too small here, with a spread of 7 % / sqrt(200).
    assert abs(errors.mean() / exact - 0.98) < 4 * 0.07 / np.sqrt(cells) + 0.01
