"""Curated loops of Ferbach et al.: the population law, where it ends, and real rows beside it.

Categorical rows with plug-in emission from an almost flat posterior: the posterior mean is the
vector of frequencies up to 1e-9.
"""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import categorical, gaussian_mean
from bayescollapse.schemes.selection.curation import Curation
from bayescollapse.schemes.selection.rewards import LinearReward, TableReward
from tests.laws.support import TOLERANCE, assert_mean, posterior_mean, sweep

P = np.array([0.1, 0.3, 0.2, 0.25, 0.15])
REWARDS = (0.0, 0.5, -0.4, 0.8, 0.3)


def curated(among=2, rewards=REWARDS, supply="none", emission="plug-in", **axes):
    """Scheme whose rows are chosen among K by a table of rewards."""
    selection = Curation(TableReward(rewards), among)
    return bc.Scheme(supply=supply, selection=selection, emission=emission, **axes)


def frequencies(scheme, **settings):
    """Frequencies of the states (replicate, generation, state)."""
    run = sweep(
        categorical.estimator(categories=5, concentration=1e-10),
        bc.Truth(p=P),
        scheme,
        **{"n_real": 200, "generations": 5, "replicates": 512, "seed": 71, **settings},
    )
    return posterior_mean(run, "p")


def residuals(p, rows, among):
    """Steps less their mean given the step before, in standard deviations.

    Exact at any size: m chosen rows are independent, each with probabilities p H(p). Lineages in
    which the expected count of some state is below 5 are left out, by the step before alone.
    """
    before = p[:, :-1].reshape(-1, 5)
    law = before * theory.curation_factor(before, rewards=REWARDS, choices=among)
    after = p[:, 1:].reshape(-1, 5)
    spread = np.sqrt(law * (1 - law) / rows)
    enough = (rows * law).min(axis=1) >= 5
    return ((after - law) / np.where(spread > 0, spread, 1.0))[enough]


@pytest.mark.parametrize("replicates", [512, pytest.param(5120, marks=pytest.mark.verification)])
@pytest.mark.parametrize("among", [2, 4])
def test_every_step_follows_the_curation_factor(among, replicates):
    """Given the step before, means p H(p) and multinomial variances: 20 comparisons."""
    steps = residuals(frequencies(curated(among), replicates=replicates), 200, among)
    assert len(steps) > replicates
    assert_mean(steps, 0.0)
    assert_mean(steps**2, 1.0)


WRONG = {
    "among 3": curated(3),
    "among 5": curated(5),
    "one reward": curated(4, (0.0, 0.5, -0.4, 0.8, 0.5)),
    "joint": curated(4, emission="joint"),
    "keep all": bc.Scheme(supply="none", emission="plug-in"),
}


@pytest.mark.parametrize("mutant", WRONG)
def test_another_curation_would_be_noticed(mutant):
    """Negative control: K off by one, another reward, another emission, no selection."""
    steps = residuals(frequencies(WRONG[mutant], replicates=1024), 200, 4)
    moments = np.concatenate([steps, steps**2 - 1], axis=1)
    z = moments.mean(axis=0) / (moments.std(axis=0) / np.sqrt(len(steps)))
    assert np.abs(z).max() > 1.5 * TOLERANCE


@pytest.mark.parametrize(
    ("rows", "replicates"),
    [(2000, 128), pytest.param(20_000, 256, marks=pytest.mark.verification)],
)
@pytest.mark.parametrize("among", [2, 4])
def test_large_batches_follow_the_population(among, rows, replicates):
    """Q11 in the loop: E p_t is the population's but for a bias of order 1/m, and E e^r rises."""
    generations = 7
    p = frequencies(
        curated(among), n_real=rows, generations=generations, replicates=replicates, seed=72
    )
    law = theory.curated_population(generations, probabilities=P, rewards=REWARDS, choices=among)
    mcse = p.std(axis=0) / np.sqrt(replicates)
    bias = np.arange(generations)[:, None] / rows
    assert (np.abs(p.mean(axis=0) - law) <= TOLERANCE * mcse + bias).all()
    worth = (p * np.exp(REWARDS)).sum(axis=2)
    gain = theory.curation_gain_bound(p[:, :-1], rewards=REWARDS, choices=among)
    step = worth[:, 1:] - worth[:, :-1] - gain
    # An inequality for means: allowed to be below 0 by Monte Carlo error only.
    assert (step.mean(axis=0) + TOLERANCE * step.std(axis=0) / np.sqrt(replicates) >= 0).all()


def test_the_loop_ends_on_the_highest_reward():
    """Q11: mass ends on the best state, or on the best two in a proportion that is not biased."""
    p = frequencies(curated(4), generations=60, replicates=128, seed=73)
    limit = theory.curation_limit(P, rewards=REWARDS)
    np.testing.assert_array_equal(limit, [0, 0, 0, 1, 0])
    np.testing.assert_allclose(p[:, -1], np.broadcast_to(limit, (128, 5)), atol=1e-9)
    tied = (0.0, 0.5, -0.4, 0.8, 0.8)
    selection = curated(4, tied)
    p = frequencies(selection, n_real=500, generations=25, replicates=512, seed=74)
    limit = theory.curation_limit(P, rewards=tied)
    assert p[:, -1, :3].sum(axis=1).mean() < 0.005
    # States of equal reward compete on equal terms: their proportion is a martingale at any size.
    assert_mean(p[:, -1, 3] / p[:, -1, 3:].sum(axis=1), limit[3])


@pytest.mark.parametrize("share", [0.6, 0.8])
def test_real_rows_keep_it_near_the_reference(share):
    """Q11 with a reference: population law, divergence bound, gain over the reference."""
    rows, generations, replicates = 4000, 8, 128
    scheme = curated(2, supply="fresh", weighting=share)
    p = frequencies(scheme, n_real=rows, generations=generations, replicates=replicates, seed=75)
    law = theory.curated_population(
        generations, probabilities=P, rewards=REWARDS, choices=2, real_share=share
    )
    mcse = p.std(axis=0) / np.sqrt(replicates)
    bias = np.arange(generations)[:, None] / rows
    assert (np.abs(p.mean(axis=0) - law) <= TOLERANCE * mcse + bias).all()
    divergence = (p * np.log(p / P)).sum(axis=2)
    assert divergence.max() <= theory.curation_divergence_bound(share, choices=2)
    gain = theory.curation_gain_bound(P, rewards=REWARDS, choices=2, real_share=share)
    worth = (p * np.exp(REWARDS)).sum(axis=2)
    assert (worth[:, 1:].mean(axis=0) - P @ np.exp(REWARDS) >= gain).all()


def test_a_linear_reward_among_many_moves_a_gaussian_by_its_slope():
    """N(mu, 1) chosen by reward b y is N(mu + b, 1) as K grows; its mean moves by b E[H y]."""
    among, slope = 16, 0.4
    grid = np.linspace(-8, 8, 801)
    p = np.exp(-(grid**2) / 2)
    p /= p.sum()
    step = float(np.sum(grid * p * theory.curation_factor(p, rewards=slope * grid, choices=among)))
    assert step == pytest.approx(slope, rel=0.1)
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.Scheme(
            supply="none", selection=Curation(LinearReward(slope), among), emission="plug-in"
        ),
        n_real=50,
        generations=6,
        replicates=256,
        seed=76,
    )
    moved = np.diff(posterior_mean(run, "mu"), axis=1)
    assert_mean(moved, step)
    np.testing.assert_array_equal(run["training"]["emitted"].isel(generation=0), 50 * among)
    np.testing.assert_array_equal(run["training"]["accepted"].isel(generation=0), 50)
