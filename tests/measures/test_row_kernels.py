"""Kernels on emitted rows against closed forms."""

import numpy as np
import pytest
from scipy import special, stats

from bayescollapse.measures.category_kernels import (
    category_counts,
    category_entropy,
    chance_of_difference,
    relative_mass,
    support_loss,
)
from bayescollapse.measures.row_kernels import (
    far_share,
    find_basins,
    mean_difference,
    neighbour_entropy,
    tail_ratio,
    tied,
)
from tests.measures.predictions import P, Z, mean_within


@pytest.mark.parametrize(("n", "bias"), [(20, 0.06), (50, 0.03), (200, 0.01)])
def test_entropy_of_rows_has_no_more_than_its_stated_bias(n, bias):
    rng = np.random.default_rng(2)
    for law in (stats.norm(), stats.uniform(), stats.expon()):
        rows = law.rvs(size=(20_000 // n, n), random_state=rng)
        estimate = neighbour_entropy(rows)
        mean_within(estimate, law.entropy(), bias=bias)
        assert np.allclose(neighbour_entropy(7 - 3 * rows), estimate + np.log(3))
    assert neighbour_entropy(np.zeros(9)) == -np.inf


def test_neighbours_are_the_nearest():
    rows = np.random.default_rng(1).normal(size=12)
    gaps = np.sort(np.abs(rows[:, None] - rows), axis=1)[:, 3]
    expected = special.digamma(12) - special.digamma(3) + np.log(2 * gaps).mean()
    assert np.isclose(neighbour_entropy(rows), expected)


def test_distances_between_rows_are_unbiased():
    rng = np.random.default_rng(3)
    mean_within(mean_difference(rng.normal(0, 2, (4000, 7))), 4 / np.sqrt(np.pi))
    counts = rng.multinomial(6, P, 4000)
    mean_within(chance_of_difference(counts), 1 - (P**2).sum())
    pairs = np.abs(np.subtract.outer([4.0, 1.0, 9.0], [4.0, 1.0, 9.0])).sum() / 6
    assert np.isclose(mean_difference([4.0, 1.0, 9.0]), pairs)


def test_category_entropy_corrects_its_bias():
    counts = np.random.default_rng(4).multinomial(200, P, 4000)
    exact = -(P * np.log(P)).sum()
    # What is left is of order 1 / m^2 for common categories, and rare ones that were not seen.
    mean_within(category_entropy(counts), exact, bias=0.002)
    plain = category_entropy(counts) - ((counts > 0).sum(axis=1) - 1) / 400
    assert exact - plain.mean() > 0.007


def test_support_loss_is_0_on_average_for_rows_of_the_real_law():
    rng = np.random.default_rng(5)
    p = np.array([0.5, 0.3, 0.1, *[0.005] * 20])
    for real, rows in ((51, 50), (200, 50), (60, 4)):
        own, counts = rng.multinomial(real, p, 3000), rng.multinomial(rows, p, 3000)
        found = [support_loss(c, o) for c, o in zip(counts, own, strict=True)]
        mean_within(np.array(found), 0.0)


def test_support_loss_without_an_unbiased_chance_has_its_stated_bias():
    rng = np.random.default_rng(5)
    p = np.array([0.5, 0.3, 0.1, *[0.005] * 20])
    own, counts = rng.multinomial(50, p, 3000), rng.multinomial(50, p, 3000)
    found = [support_loss(c, o) for c, o in zip(counts, own, strict=True)]
    mean_within(np.array(found), 0.045, bias=0.002)


def test_support_loss_counts_the_ways_of_missing_a_category():
    # Three of the nine rows beside one of the category: all from the six without it.
    own = np.array([4, 6, 0])
    missed = special.comb([6, 4], 3) / special.comb(9, 3)
    expected = 0.4 * (1 - missed[0]) - 0.6 * missed[1]
    assert np.isclose(support_loss([0, 2, 1], own), expected)
    assert support_loss([0, 2, 1], [9, 1, 0]) == pytest.approx(0.9 - 0.1 * special.comb(9, 3) / 84)


def test_masses_of_tails_and_rare_categories():
    rng = np.random.default_rng(6)
    real = rng.normal(size=40_000)
    mean_within(tail_ratio(rng.normal(size=(500, 200)), real), 1.0, bias=Z * 0.022)
    narrow = 2 * stats.norm.cdf(-1.96 / 0.5) / 0.05
    mean_within(tail_ratio(rng.normal(0, 0.5, (500, 200)), real), narrow, bias=0.001)
    counts = rng.multinomial(50, P, 2000)
    rare = P < 0.05
    mean_within(relative_mass(counts, P, rare), 1.0)
    assert np.isnan(relative_mass(counts, P, P < 0)).all()
    assert np.isnan(tail_ratio([0.0, 1.0], np.ones(50)))
    # Atoms at the quantiles count half: a table of ten rows, drawn from many times.
    assert tail_ratio(np.arange(10.0), np.repeat(np.arange(10.0), 50), tail=0.1) == 1.0
    assert tail_ratio([0.0, 5.0], np.repeat(np.arange(10.0), 50), tail=0.1) == 0.25 / 0.1


def test_far_rows_are_out_of_range_or_in_gaps():
    rng = np.random.default_rng(7)
    real = np.concatenate([rng.normal(-5, 1, 3000), rng.normal(5, 1, 3000)])
    assert far_share([0.0, 0.3, 30.0, -30.0], real) == 1.0
    assert far_share([-5.0, 5.1], real) == 0.0
    fresh = np.concatenate([rng.normal(-5, 1, (300, 50)), rng.normal(5, 1, (300, 50))], axis=1)
    assert 0.0002 < far_share(fresh, real).mean() < 0.003


def test_tied_real_rows_count_once():
    rng = np.random.default_rng(7)
    rows = rng.normal(size=300)
    real = rng.choice(rows, 3000)
    fresh = rng.normal(size=(200, 50))
    assert np.array_equal(far_share(fresh, real), far_share(fresh, np.unique(real)))
    assert far_share(fresh, np.round(rng.normal(size=5000), 1)).mean() < 0.003
    assert far_share([1.0, 2.0], np.ones(50)) == 0.5


def test_ties_of_more_than_one_in_a_hundred_are_found():
    rows = np.random.default_rng(7).normal(size=(2, 200))
    rows[0, :3] = rows[0, 3]
    rows[1, :2] = rows[1, 3]
    assert tied(rows).tolist() == [True, False]
    assert not tied([1.0])


def test_basins_are_cut_at_valleys():
    rng = np.random.default_rng(8)
    one = find_basins(rng.normal(size=5000))
    assert one.edges.size == 0
    assert one.mass.tolist() == [1.0]
    parts = [rng.normal(mean, 0.5, size) for mean, size in ((-4, 500), (0, 1500), (4, 3000))]
    three = find_basins(np.concatenate(parts))
    assert three.mass == pytest.approx([0.1, 0.3, 0.6], abs=0.005)
    assert np.all((-3.0 < three.edges) & (three.edges < 3.0))
    # Ten rows far away are no mode: fewer than 2 %.
    assert find_basins(np.append(parts[2], rng.normal(40, 0.1, 10))).mass.size == 1
    assert find_basins(np.ones(10)).mass.tolist() == [1.0]


def test_categories_are_counted_with_those_outside_the_list():
    counts = category_counts([[5, 2, 2, 8], [1, 1, 1, 1]], [1, 2, 8])
    assert counts.tolist() == [[0, 2, 1, 1], [4, 0, 0, 0]]


def test_kernels_refuse_single_rows():
    with pytest.raises(ValueError, match="at least 2 rows"):
        mean_difference([1.0])
    with pytest.raises(ValueError, match="more than 3 rows"):
        neighbour_entropy([1.0, 2.0, 4.0])
    with pytest.raises(ValueError, match="at least 2 rows"):
        far_share([1.0], [1.0])
