"""Laws of curation, against exact enumeration of the competitors; labels against simulation.

The only Monte Carlo comparisons (labels) are within 4 standard errors: a false alarm has
probability 6e-5 for each of the six.
"""

import itertools
import math

import numpy as np
import pytest

from bayescollapse import theory

P = np.array([0.4, 0.25, 0.2, 0.1, 0.05])
REWARDS = np.array([0.0, 1.0, -2.0, 3.0, 3.0])


def enumerated(p, rewards, choices):
    """Factor of curation by going through every tuple of competitors."""
    worth, factor = np.exp(rewards), np.zeros(len(p))
    for rivals in itertools.product(range(len(p)), repeat=choices - 1):
        chance = np.prod(p[list(rivals)])
        factor += chance * choices * worth / (worth + worth[list(rivals)].sum())
    return factor


@pytest.mark.parametrize("choices", [1, 2, 4, 6])
def test_factor_by_enumeration(choices):
    factor = theory.curation_factor(P, rewards=REWARDS, choices=choices)
    np.testing.assert_allclose(factor, enumerated(P, REWARDS, choices), rtol=1e-12)
    assert P @ factor == pytest.approx(1, abs=1e-12)
    assert (factor <= choices * (1 + 1e-12)).all()


def test_factor_with_extreme_rewards_and_many_choices():
    rewards = np.array([0.0, 25.0, -25.0])
    p = np.array([0.5, 0.3, 0.2])
    factor = theory.curation_factor(p, rewards=rewards, choices=3)
    np.testing.assert_allclose(factor, enumerated(p, rewards, 3), rtol=1e-11)
    many = theory.curation_factor(P, rewards=REWARDS, choices=1e6)
    np.testing.assert_allclose(
        P * many, theory.tilted_population(1, probabilities=P, rewards=REWARDS), rtol=1e-3
    )


@pytest.mark.parametrize("choices", [2, 4])
def test_curated_population_climbs_to_its_limit(choices):
    path = theory.curated_population(60, probabilities=P, rewards=REWARDS, choices=choices)
    np.testing.assert_allclose(path.sum(axis=-1), 1, atol=1e-14)
    worth = np.exp(REWARDS)
    gain = np.diff(path @ worth)
    bound = theory.curation_gain_bound(path[:-1], rewards=REWARDS, choices=choices)
    assert (gain >= bound - 1e-9).all() and (bound >= 0).all()
    limit = theory.curation_limit(P, rewards=REWARDS)
    np.testing.assert_allclose(limit, [0, 0, 0, 2 / 3, 1 / 3], atol=1e-15)
    distances = np.abs(path - limit).sum(axis=-1)
    assert (np.diff(distances) <= 1e-12).all()
    assert distances[-1] < 1e-9


def test_curation_with_real_rows_stays_near_the_reference():
    rng = np.random.default_rng(4)
    for _ in range(20):
        p, rewards = rng.dirichlet(np.ones(5)), 2 * rng.normal(size=5)
        for choices, real_share in [(2, 0.55), (3, 0.7), (4, 0.9), (2, 0.2)]:
            path = theory.curated_population(
                25, probabilities=p, rewards=rewards, choices=choices, real_share=real_share
            )
            divergence = np.sum(path * np.log(path / p), axis=-1)
            bound = theory.curation_divergence_bound(real_share, choices=choices)
            assert (divergence <= bound + 1e-12).all()
            ceiling = 1 / (1 - (1 - real_share) / real_share * (choices - 1))
            if ceiling > 0:
                assert bound == pytest.approx(math.log(ceiling), rel=1e-12)
                assert (path <= ceiling * p * (1 + 1e-12)).all()
            else:
                assert bound == np.inf
            gain = path[1:] @ np.exp(rewards) - p @ np.exp(rewards)
            least = theory.curation_gain_bound(
                p, rewards=rewards, choices=choices, real_share=real_share
            )
            assert (gain >= least - 1e-12).all()


def test_real_share_one_keeps_the_reference():
    path = theory.curated_population(
        4, probabilities=P, rewards=REWARDS, choices=3, real_share=1.0, reference=np.full(5, 0.2)
    )
    np.testing.assert_allclose(path[1:], 0.2, atol=1e-15)
    assert theory.curation_divergence_bound(1.0, choices=9) == 0
    assert theory.curation_divergence_bound(0.0, choices=1) == 0


def test_many_choices_tilt_a_gaussian():
    x, s2, g2 = np.linspace(-12, 12, 4001), 1.7, 2.3
    p = np.exp(-(x**2) / (2 * s2))
    p /= p.sum()
    for t in (0, 1, 5):
        tilted = theory.tilted_population(t, probabilities=p, rewards=-(x**2) / (2 * g2))
        assert tilted @ x**2 == pytest.approx(1 / (1 / s2 + t / g2), rel=1e-9)


def test_curation_broadcasts():
    path = theory.curated_population(
        3,
        probabilities=np.stack([P, P[::-1]]),
        rewards=REWARDS,
        choices=[[2], [3], [4]],
        real_share=0.3,
    )
    assert path.shape == (3, 3, 2, 5)
    one = theory.curated_population(
        3, probabilities=P[::-1], rewards=REWARDS, choices=4, real_share=0.3
    )
    np.testing.assert_allclose(path[:, 2, 1], one, rtol=1e-13)


def test_labels_that_pass_a_noisy_verifier():
    rng, count = np.random.default_rng(2), 200_000
    for error in (0.2, 0.57, 0.77):
        wrong = rng.uniform(size=count) < error
        kept = rng.uniform(size=count) < np.where(wrong, 0.4, 0.8)
        rates = {"keep_correct": 0.8, "keep_wrong": 0.4}
        share = theory.kept_share(error, **rates)
        assert abs(kept.mean() - share) < 4 * math.sqrt(share * (1 - share) / count)
        bad = theory.kept_label_error(error, **rates)
        assert abs(wrong[kept].mean() - bad) < 4 * math.sqrt(bad * (1 - bad) / kept.sum())
        assert (bad < 0.5) == (error < theory.label_error_breakdown(**rates))
    border = theory.label_error_breakdown(keep_correct=0.6, keep_wrong=[0.0, 0.2, 0.6])
    np.testing.assert_allclose(border, [1, 0.75, 0.5])
    half = theory.kept_label_error(border[1:], keep_correct=0.6, keep_wrong=[0.2, 0.6])
    np.testing.assert_allclose(half, 0.5, rtol=1e-12)
