"""Laws of verified loops, against SciPy, finite differences and loops written with NumPy.

Monte Carlo comparisons are of means over independent lineages, within 4 standard errors: a false
alarm has probability 6e-5 for each of the about 40 comparisons.
"""

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from bayescollapse import theory

SLACK = math.sqrt(2 / math.pi)


def assert_mean(draws, expected):
    error = draws.std(ddof=1) / math.sqrt(len(draws))
    assert abs(draws.mean() - expected) < 4 * error, (draws.mean(), expected, error)


def kept_means(rng, offset, reach, sigma, rows):
    """Mean of `rows` accepted rows per lineage, as offset from the verifier's centre."""
    low, high = ndtr((-reach - offset) / sigma), ndtr((reach - offset) / sigma)
    uniform = rng.uniform(size=(len(offset), rows))
    noise = ndtri(low[:, None] + uniform * (high - low)[:, None])
    return offset + sigma * noise.mean(axis=1)


@pytest.mark.parametrize(
    ("low", "high"), [(-1, 1), (-3, 0.5), (1, 2.5), (-0.2, 4), (-np.inf, 0.3), (0.5, np.inf)]
)
def test_moments_are_the_formulas(low, high):
    def phi(x):
        return math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)

    def power(x, k):
        return 0.0 if math.isinf(x) else (x**k) * phi(x)

    mass = ndtr(high) - ndtr(low)
    shift = (phi(high) - phi(low)) / mass
    slope = (power(high, 1) - power(low, 1)) / mass
    second = (power(high, 2) - phi(high) - power(low, 2) + phi(low)) / mass
    expected = (-shift, 1 - slope - shift**2, -second - 3 * shift * slope - 2 * shift**3)
    np.testing.assert_allclose(theory.truncated_moments(low, high), expected, atol=1e-12)


def test_moments_far_out_and_in_narrow_intervals():
    tail = theory.truncated_moments(30.0, np.inf)  # nearly exponential with rate 30
    np.testing.assert_allclose(tail.mean, 30 + 1 / 30 - 2 / 30**3, rtol=1e-6)
    np.testing.assert_allclose(tail.variance, 30.0**-2, rtol=1e-2)
    narrow = theory.truncated_moments(2.0, 2.0 + 1e-6)  # nearly uniform
    np.testing.assert_allclose(narrow.variance, 1e-12 / 12, rtol=1e-6)
    both = theory.truncated_moments([-9.0, 8.9], [-8.9, 9.0])
    np.testing.assert_allclose(both.variance[0], both.variance[1], rtol=1e-12)
    np.testing.assert_allclose(theory.truncated_moments(-np.inf, np.inf), (0, 1, 0), atol=1e-13)


def test_map_slope_and_contraction():
    z, step = np.linspace(-4, 4, 41), 1e-5
    settings = {"radius": 0.3, "noise_sd": 0.7}
    up, down = (theory.verified_map(z + d, **settings).offset for d in (step, -step))
    slope = theory.verified_map(z, **settings).slope
    np.testing.assert_allclose((up - down) / (2 * step), slope, atol=1e-8)
    rho = theory.contraction_rate(**settings)
    assert slope.max() == pytest.approx(rho, rel=1e-12) and slope.argmax() == 20
    for radius in (0.0, 0.5, 4.0):
        c = radius + SLACK
        density = math.exp(-(c**2) / 2) / math.sqrt(2 * math.pi)
        expected = 1 - 2 * c * density / (2 * ndtr(c) - 1)
        assert theory.contraction_rate(radius=radius) == pytest.approx(expected, rel=1e-12)
    assert theory.contraction_rate(radius=30.0) == pytest.approx(1.0, abs=1e-12)
    assert theory.verified_map(2.0, radius=40.0).offset == pytest.approx(2.0, abs=1e-12)


def test_map_and_acceptance_against_rejection():
    rng = np.random.default_rng(1)
    noise = 0.8 * rng.normal(size=400_000)
    for z in (0.0, 0.6, -1.5):
        law = theory.verified_map(z, radius=0.4, slack=0.5, noise_sd=0.8)
        kept = np.abs(z + noise) <= 0.9
        assert_mean(kept.astype(float), law.acceptance)
        assert_mean((z + noise)[kept], law.offset)


@pytest.mark.parametrize("delta", [0.0, 0.1, 0.3])
def test_one_step(delta):
    """The second order leaves a relative error of order 1/mu^2, here below 1 percent."""
    rng, lineages, sd = np.random.default_rng(7), 20_000, 1.5
    mu = np.array([10.0, 14.0])
    start = delta + sd * rng.normal(size=(lineages, 2)) / mu
    reach = 0.1 + sd * SLACK
    fitted = np.stack([kept_means(rng, z, reach, sd, 60) for z in start.T], axis=1)
    risk = ((fitted - delta) ** 2).sum(axis=1)
    setting = {"radius": 0.1, "noise_sd": sd}
    law = theory.verified_step([delta, delta], accepted=60, singular_values=mu, **setting)
    path = theory.verified_path(
        2, offset=[delta, delta], start_variance=sd**2 / mu**2, accepted=60, **setting
    )
    assert_mean(risk, path.truth_error[1])
    assert law.risk == pytest.approx(path.truth_error[1], rel=0.01)
    assert law.baseline == pytest.approx(path.truth_error[0], rel=1e-12)
    assert_mean((fitted**2).sum(axis=1), path.centre_error[1])


def test_second_order_of_one_step():
    """Halving the error of generation 0 divides what the second order leaves by sixteen."""
    errors = []
    for mu in (5.0, 10.0, 20.0):
        law = theory.verified_step([0.5], accepted=np.inf, singular_values=mu, radius=0.2)
        path = theory.verified_path(
            2, offset=[0.5], start_variance=mu**-2, accepted=np.inf, radius=0.2
        )
        errors.append(law.risk - path.truth_error[1])
    ratios = np.array(errors[:-1]) / np.array(errors[1:])
    np.testing.assert_allclose(ratios, 16, rtol=0.15)


def test_unbiased_verifier_improves_where_stated():
    mu = 10.0
    kept = float(theory.contraction_rate(radius=0.1))
    border = kept * mu**2 / (1 - kept**2)
    for rows, better in [(border * 1.01, True), (border * 0.99, False)]:
        step = theory.verified_step([0.0], accepted=rows, singular_values=mu, radius=0.1)
        assert bool(step.risk < step.baseline) is better
        assert step.bias == pytest.approx(0.0, abs=1e-25)


def test_many_steps():
    rng, lineages, count = np.random.default_rng(3), 4000, 7
    rows = 50 + 50 * np.arange(count)
    offset, reach = 1.0, 0.1 + SLACK
    law = theory.verified_path(
        count, offset=[offset], start_variance=0.01, accepted=rows, radius=0.1
    )
    bound = theory.verified_error_bound(
        count,
        initial_error=law.centre_error[0],
        accepted=rows,
        dimensions=1,
        radius=0.1,
    )
    z = offset + 0.1 * rng.normal(size=lineages)
    for t in range(1, count):
        z = kept_means(rng, z, reach, 1.0, rows[t])
        assert_mean(z, law.offset[t, 0])
        assert_mean(z**2, law.centre_error[t])
        assert_mean((z - offset) ** 2, law.truth_error[t])
        assert np.mean(z**2) < bound[t] * (1 + 4 * math.sqrt(2 / lineages))


def test_bound_is_the_sum_and_close_near_the_centre():
    setting = {"radius": 0.4, "noise_sd": 1.3}
    rows, count, p = np.array([9, 20, 30, 45, 70]), 5, 3
    rho = float(theory.contraction_rate(**setting))
    bound = theory.verified_error_bound(
        count, initial_error=2.0, accepted=rows, dimensions=p, **setting
    )
    for t in range(count):
        noise = sum(rho ** (2 * (t - j) + 1) / rows[j] for j in range(1, t + 1))
        assert bound[t] == pytest.approx(rho ** (2 * t) * 2.0 + p * 1.69 * noise, rel=1e-12)
    floor = theory.verified_floor(5000, dimensions=p, **setting)
    path = theory.verified_path(
        60, offset=np.zeros(p), start_variance=1.0, accepted=5000, **setting
    )
    assert path.centre_error[-1] <= floor
    assert path.centre_error[-1] == pytest.approx(floor, rel=1e-3)
    long = theory.verified_error_bound(
        60, initial_error=2.0, accepted=5000, dimensions=p, **setting
    )
    assert long[-1] == pytest.approx(floor, rel=1e-10)


def test_endless_rows_end_at_the_centre_and_not_at_the_truth():
    delta = np.array([0.6, -0.2])
    path = theory.verified_path(
        60, offset=delta, start_variance=0.04, accepted=np.inf, radius=[0.1, 0.5]
    )
    np.testing.assert_allclose(path.centre_error[-1], 0, atol=1e-20)
    np.testing.assert_allclose(path.truth_error[-1], delta @ delta, rtol=1e-10)
    assert (np.diff(path.centre_error[:10], axis=0) < 0).all()


def test_plateau_and_reversal():
    """Mild bias: gain, then loss. No bias: steady gain. Strong bias: loss at once."""
    setting = {"start_variance": 0.04, "accepted": 10_000, "radius": 1.0, "slack": 0.0}
    none, mild, strong = (
        theory.verified_path(60, offset=[delta], **setting).truth_error for delta in (0, 0.1, 1)
    )
    assert (np.diff(none[:20]) < 0).all()
    assert mild.min() < 0.6 * mild[0] and 0 < mild.argmin() < 20 and mild[-1] > 1.05 * mild.min()
    assert (np.diff(strong[:20]) > 0).all()


def test_heat_map_broadcasts():
    offsets = np.linspace(0, 0.7, 5)[:, None, None] * np.full(8, 8**-0.5)
    step = theory.verified_step(
        offsets, accepted=100, singular_values=np.full(8, 10.0), radius=np.linspace(0.01, 0.5, 4)
    )
    assert step.risk.shape == (5, 4) and (np.diff(step.risk, axis=0) > 0).all()
    radius = float(np.linspace(0.01, 0.5, 4)[2])
    one = theory.verified_step(offsets[3, 0], accepted=100, singular_values=10.0, radius=radius)
    assert step.risk[3, 2] == pytest.approx(one.risk, rel=1e-13)
    path = theory.verified_path(
        3, offset=offsets, start_variance=0.01, accepted=[[9], [20], [30]], radius=[0.1, 0.2]
    )
    assert path.truth_error.shape == (3, 5, 2) and path.offset.shape == (3, 5, 2, 8)
