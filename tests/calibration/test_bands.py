"""The exact simultaneous bands: enumeration, simulation, ArviZ, and known power."""

from itertools import product

import numpy as np
import pytest
from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands

from bayescollapse.measures.bands import band, counts_below, coverage, p_value


def test_coverage_equals_full_enumeration():
    simulations, draws = 4, 3
    ranks = np.array(list(product(range(draws + 1), repeat=simulations)))
    counts = np.array([counts_below(r, draws) for r in ranks])
    for lower, upper in [((0, 1, 1), (2, 3, 4)), ((0, 0, 2), (3, 3, 4)), ((1, 1, 1), (1, 2, 3))]:
        lower, upper = np.array(lower), np.array(upper)
        inside = ((counts >= lower) & (counts <= upper)).all(axis=1).mean()
        assert coverage(lower, upper, simulations) == pytest.approx(inside, abs=1e-13)


def test_p_value_equals_full_enumeration():
    """Each p-value is the share of equally likely outcomes whose p-value is not larger."""
    simulations, draws = 4, 3
    ranks = np.array(list(product(range(draws + 1), repeat=simulations)))
    values = np.array([p_value(r, draws) for r in ranks])
    share = (values[None, :] <= values[:, None] + 1e-12).mean(axis=1)
    np.testing.assert_allclose(values, share, atol=1e-12)


@pytest.mark.parametrize(("simulations", "draws"), [(20, 100), (200, 100), (1000, 19)])
@pytest.mark.parametrize("probability", [0.9, 0.99])
def test_simulated_coverage(simulations, draws, probability):
    """Twelve comparisons at 4 standard errors: false-alarm probability below 4e-4."""
    repeats = 4_000
    lower, upper = band(simulations, draws, probability)
    exact = coverage(lower, upper, simulations)
    assert exact >= probability
    rng = np.random.default_rng(simulations + draws)
    cells = rng.multinomial(simulations, np.full(draws + 1, 1 / (draws + 1)), size=repeats)
    counts = np.cumsum(cells, axis=1)[:, :-1]
    inside = ((counts >= lower) & (counts <= upper)).all(axis=1)
    assert abs(inside.mean() - exact) <= 4 * np.sqrt(exact * (1 - exact) / repeats)


def test_bands_agree_with_arviz():
    """ArviZ simulates the pointwise level; half-widths agree within one count and 5 %."""
    simulations, draws, probability = 200, 49, 0.95
    cuts = np.arange(1, draws + 1) / (draws + 1)
    pointwise = simulate_confidence_bands(
        simulations, 1, cuts, probability, 4_000, np.random.default_rng(3)
    )
    low, high = get_pointwise_confidence_band(pointwise, simulations, cuts)
    lower, upper = band(simulations, draws, probability)
    width = simulations * (high - low)
    assert np.all(np.abs((upper - lower) - width) <= 2 + 0.05 * width)


def test_p_value_and_band_give_the_same_verdict():
    simulations, draws, probability = 100, 50, 0.95
    lower, upper = band(simulations, draws, probability)
    rng = np.random.default_rng(1)
    verdicts = []
    for slope in np.linspace(-0.4, 0.4, 60):
        u = rng.random(simulations)
        ranks = np.floor((u + slope * u * (1 - u)) * (draws + 1)).astype(int)
        counts = counts_below(ranks, draws)
        inside = bool(((counts >= lower) & (counts <= upper)).all())
        assert inside == (p_value(ranks, draws) > 1 - coverage(lower, upper, simulations))
        verdicts.append(inside)
    assert 0 < sum(verdicts) < len(verdicts)


def test_p_values_are_uniform_under_the_null():
    """p <= a has probability at most a (ranks are discrete), and not much less."""
    rng = np.random.default_rng(2)
    values = np.array([p_value(rng.integers(21, size=50), 20) for _ in range(2_000)])
    for level in (0.02, 0.1, 0.5):
        margin = 4 * np.sqrt(level * (1 - level) / len(values))
        assert 0.6 * level - margin <= (values <= level).mean() <= level + margin


def test_ranks_out_of_range_are_refused():
    with pytest.raises(ValueError, match="ranks must lie in 0, …, 10"):
        p_value(np.array([3, 11]), 10)
