"""Draws that are equal because of atoms, and those that are equal because a sampler stayed.

A statement with 4 standard errors is wrong by chance with probability 6e-5; the file makes about
fifteen.
"""

import numpy as np
import pytest
from scipy import stats

from bayescollapse.measures import divergence
from bayescollapse.measures.divergence import distinct_size, have_atoms
from tests.measures.divergence_cases import close


def lattice(pmf_x, pmf_y):
    """Squared Hellinger and energy distance of two distributions on 0, 1, 2, …."""
    gaps = np.abs(np.subtract.outer(np.arange(len(pmf_x)), np.arange(len(pmf_x))))
    between, *within = (p @ gaps @ q for p, q in ((pmf_x, pmf_y), (pmf_x, pmf_x), (pmf_y, pmf_y)))
    return 1 - np.sqrt(pmf_x * pmf_y).sum(), 2 * between - sum(within)


@pytest.mark.parametrize(("mean_x", "mean_y"), [(3, 3), (30, 30), (3, 6), (None, 3)])
def test_equal_draws_of_integers_are_no_repeats(mean_x, mean_y):
    # A parameter that takes whole numbers; None is one that has collapsed to 3.
    rng = np.random.default_rng(14)
    y = rng.poisson(mean_y, (200, 200)).astype(float)
    x = rng.poisson(mean_x, (200, 200)).astype(float) if mean_x else np.full((200, 200), 3.0)
    places = np.arange(80)
    pmf_x = stats.poisson.pmf(places, mean_x) if mean_x else (places == 3).astype(float)
    exact = lattice(pmf_x, stats.poisson.pmf(places, mean_y))
    close(divergence.squared_hellinger(x, y), exact[0], 0.001 if mean_x == mean_y else 0.01)
    x, y = x[..., None], y[..., None]
    close(divergence.energy_distance(x, y), exact[1], 0.002 * np.sqrt(mean_y))
    if mean_x == mean_y:
        close(divergence.maximum_mean_discrepancy(x, y, bandwidth=mean_y**0.5), 0.0, 0.001)
        close(divergence.kl_moments(x, y), 0.0, 0.002)
        assert np.isnan(divergence.kl_neighbours(x[0], y[0])) or mean_y > 3


def test_half_an_atom_and_constants():
    rng = np.random.default_rng(15)
    x, y = np.where(rng.random((2, 200, 200)) < 0.5, 0.0, rng.normal(size=(2, 200, 200)))
    close(divergence.squared_hellinger(x, y), 0.0, 0.001)
    close(divergence.energy_distance(x[..., None], y[..., None]), 0.0, 0.001)
    close(divergence.kl_moments(x[..., None], y[..., None]), 0.0, 0.02)  # kurtosis of 3 above 3
    for value in (0.0, 1.0, -1.0):
        same = np.full(200, value)
        assert divergence.squared_hellinger(same, same) == 0
        assert divergence.squared_hellinger(same, same[:70]) == 0
        assert divergence.squared_hellinger(same, same + 1) == 1
        assert divergence.squared_hellinger(same, -same) == (value != 0)


def test_repeats_and_atoms_are_told_apart():
    rng = np.random.default_rng(16)
    stays = rng.geometric(0.25, size=(2, 400))  # a sampler that moves one time in four
    x, y = (np.repeat(rng.normal(size=(400, 2)), s, axis=0)[:400] for s in stays)
    assert not have_atoms(x, y)
    assert (distinct_size(x) < 90) and not have_atoms(x, rng.normal(size=(50, 2)))
    assert have_atoms(np.round(x), np.round(y))
    mixed = np.stack([x, np.round(x), x])[:, None]
    assert have_atoms(mixed, np.stack([y, np.round(y)])).tolist() == [
        [False, False],
        [False, True],
        [False, False],
    ]
    order = rng.permutation(400)
    for measure in (divergence.energy_distance, divergence.kl_moments):
        assert measure(x[order], y) == pytest.approx(measure(x, y), rel=1e-9)
    values = divergence.squared_hellinger(np.round(x[:, 0]), np.round(y[:, 0]))
    assert divergence.squared_hellinger(
        np.exp(np.round(x[:, 0])), np.exp(np.round(y[:, 0]))
    ) == pytest.approx(values)
    assert divergence.squared_hellinger(np.round(y[:, 0]), np.round(x[:, 0])) == pytest.approx(
        values
    )
