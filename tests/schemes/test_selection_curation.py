"""Curation and rewards against enumeration and plain loops."""

from itertools import product

import numpy as np
import pytest
import xarray as xr

from bayescollapse import theory
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.curation import Curation
from bayescollapse.schemes.selection.rewards import LinearReward, QuadraticReward, TableReward
from tests.laws.support import TOLERANCE, assert_mean

P = np.array([0.1, 0.3, 0.2, 0.25, 0.15])
REWARDS = (0.0, 0.4, -0.5, 1.0, 2.0)


def label(rows):
    return xr.Dataset({k: (("replicate", "obs", "feature")[: v.ndim], v) for k, v in rows.items()})


def context(m=10, seed=0):
    return Context(1, 0, m, np.random.default_rng(seed), label=label)


def kept_frequencies(curation, m=2000, seed=1):
    """Frequencies of the states among kept rows, shape (replicate, state)."""
    proposed = curation.proposals(m)
    y = np.random.default_rng(seed).choice(5, p=P, size=(128, proposed))
    kept = curation.select({"y": y}, context(m, seed))
    np.testing.assert_array_equal(kept.reshape(128, m, -1).sum(axis=2), 1)
    return np.stack([np.where(kept, y == k, False).sum(axis=1) / m for k in range(5)], axis=1)


@pytest.mark.parametrize("among", [2, 3, 4])
def test_kept_rows_follow_the_curation_factor(among):
    """Five frequencies for each K in MCSE: false alarm below 1e-3 for all."""
    law = theory.curated_population(2, probabilities=P, rewards=REWARDS, choices=among)[1]
    assert_mean(kept_frequencies(Curation(TableReward(REWARDS), among)), law)


@pytest.mark.parametrize(("among", "rewards"), [(3, REWARDS), (4, (0.0, 0.45, -0.5, 1.0, 2.0))])
def test_another_curation_would_be_noticed(among, rewards):
    """Negative control: K off by one, or one reward off by a twentieth."""
    law = theory.curated_population(2, probabilities=P, rewards=REWARDS, choices=4)[1]
    sample = kept_frequencies(Curation(TableReward(rewards), among))
    z = (sample.mean(axis=0) - law) / (sample.std(axis=0) / np.sqrt(len(sample)))
    assert np.abs(z).max() > TOLERANCE


def test_every_contest_follows_the_odds():
    """Choice probabilities in all 27 contests of three rows, each 40,000 times."""
    rewards = np.array([0.0, 1.0, -2.0])
    for states in product(range(3), repeat=3):
        y = np.tile(states, (1, 40_000))
        kept = Curation(TableReward(rewards), 3).select({"y": y}, context(40_000))
        worth = np.exp(rewards[list(states)])
        # 27 * 2 free comparisons: false alarm below 5e-3, at a fixed seed.
        assert_mean(kept.reshape(-1, 3).astype(float), worth / worth.sum())


def test_large_rewards_do_not_overflow():
    y = np.tile([0, 1, 2, 2, 1, 0], (3, 1))
    kept = Curation(TableReward((-1e5, 0.0, 1e5)), 3).select({"y": y}, context(2))
    np.testing.assert_array_equal(kept, y == 2)


def own_reward(proposed, context):
    """A person's own reward."""
    return 100 * proposed["y"].to_numpy()


def endless_reward(proposed, context):
    return np.full(proposed["y"].shape, np.inf)


def test_a_reward_of_ones_own():
    y = np.array([[0.0, 1.0, 3.0, 2.0]])
    kept = Curation(own_reward, 2).select({"y": y}, context(2))
    np.testing.assert_array_equal(kept, [[False, True, True, False]])
    with pytest.raises(ValueError, match="reward must be finite"):
        Curation(endless_reward, 2).select({"y": y}, context(2))
    endless_reward.reads_oracle = True
    assert Curation(endless_reward, 2).reads_oracle
    assert not Curation(own_reward, 2).reads_oracle


def test_gaussian_curated_by_a_quadratic_reward():
    """Second moment of kept normals among 3, against the exact factor on a fine grid."""
    grid = np.linspace(-7, 7, 1401)
    p = np.exp(-(grid**2) / 2)
    p /= p.sum()
    factor = theory.curation_factor(p, rewards=-((grid - 0.5) ** 2) / (2 * 0.8**2), choices=3)
    y = np.random.default_rng(3).normal(size=(128, 6000))
    kept = Curation(QuadraticReward(0.5, 0.8), 3).select({"y": y}, context(2000))
    assert_mean(y[kept], np.sum(grid * p * factor))
    assert_mean(y[kept] ** 2, np.sum(grid**2 * p * factor))


def test_rewards_by_hand():
    rng = np.random.default_rng(4)
    y, x = rng.normal(size=(2, 6, 3)), rng.normal(size=(2, 6))
    rows = {"y": y, "x": x}
    centre, slope = np.array([0.1, 0.2, -0.3]), np.array([1.0, -2.0, 0.5])
    quadratic = QuadraticReward(centre, 0.7, response="y").score(rows, context())
    linear = LinearReward(slope, response="y").score(rows, context())
    for r, i in product(range(2), range(6)):
        away = sum((y[r, i, j] - centre[j]) ** 2 for j in range(3))
        np.testing.assert_allclose(quadratic[r, i], -away / (2 * 0.49))
        np.testing.assert_allclose(linear[r, i], y[r, i] @ slope)
    np.testing.assert_allclose(LinearReward(2.0, response="x").score(rows, context()), 2 * x)
    np.testing.assert_allclose(
        LinearReward(2.0, response="y").score(rows, context()), 2 * y.sum(axis=2)
    )
    with pytest.raises(ValueError, match="centre has shape"):
        QuadraticReward((1.0, 2.0), 1.0, response="y").score(rows, context())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Curation(TableReward(REWARDS), 1), "among must be an integer of at least 2"),
        (lambda: Curation((0.0, 1.0), 2), "reward must be a function"),
        (lambda: QuadraticReward(0.0, 0.0), "width must be a positive finite number"),
        (lambda: QuadraticReward("mean", 1.0), "centre must be finite numbers"),
        (lambda: LinearReward(np.inf), "slope must be finite numbers"),
        (lambda: LinearReward(1.0, response=2), "response must be the name"),
        (lambda: TableReward(1.0), "one reward per category"),
        (lambda: TableReward(()), "values must be finite numbers"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_rewards_are_values():
    assert TableReward(np.array(REWARDS)) == TableReward(list(REWARDS))
    assert hash(Curation(LinearReward([1, 2]), 3)) == hash(Curation(LinearReward((1.0, 2.0)), 3))
    assert repr(Curation(TableReward((0, 1)), 2)) == (
        "Curation(reward=TableReward(values=(0.0, 1.0)), among=2)"
    )
