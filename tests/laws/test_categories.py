"""Categories under resampling: urns, extinction, concentration, and real rows that stop it."""

import numpy as np
import pytest
from scipy import stats

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import bernoulli, categorical
from tests.laws.support import assert_mean, noticed, posterior_mean, sweep

SIZES = [4_000, pytest.param(40_000, marks=pytest.mark.verification)]
KS_LEVEL = 1e-4  # false-alarm probability of a distribution test


def emitted(run, parameter):
    """Point that every generation emits from (replicate, generation, ...)."""
    return run["emission"][parameter].isel(scheme=0, member=0).to_numpy()


def urn(emission, generations, replicates):
    """Posterior means (replicate, generation) of a loop whose first posterior is worth six rows."""
    run = sweep(
        bernoulli.estimator(),
        bc.Truth(p=0.4),
        bc.schemes.accumulate(emission=emission),
        n_real=4,
        n_synthetic=5,
        generations=generations,
        replicates=replicates,
        seed=21,
    )
    return posterior_mean(run, "p")


@pytest.mark.parametrize("emission", ["joint", "predictive", "plug-in", "ensemble(5)"])
@pytest.mark.parametrize(
    ("replicates", "generations"),
    [(4_000, 9), pytest.param(20_000, 201, marks=pytest.mark.verification)],
)
def test_accumulation_is_an_urn(emission, replicates, generations):
    """Q7: the path of the variance, at most 200 comparisons at 4 MCSE (below 1.3e-2)."""
    mean = urn(emission, generations, replicates)
    start = mean[:, :1]
    spread = (mean - start) ** 2 / (start * (1 - start))
    law = theory.urn_variance(generations, n=5, start_total=6.0, emission=emission)
    assert_mean(spread[:, 1:], law[1:])
    other = "predictive" if emission == "joint" else "joint"
    with pytest.raises(AssertionError):
        wrong = theory.urn_variance(generations, n=5, start_total=6.0, emission=other)
        assert_mean(spread[:, 1:], wrong[1:])


@pytest.mark.parametrize(
    "replicates", [2_000, pytest.param(20_000, marks=pytest.mark.verification)]
)
def test_the_urn_ends_in_a_draw_from_its_first_posterior(replicates):
    """Given the real rows the limit follows the posterior of generation 0, here of six rows."""
    mean = urn("joint", 201, replicates)
    successes = np.round(mean[:, 0] * 6 - 1)
    place = stats.beta(1 + successes, 5 - successes).cdf(mean[:, -1])
    assert stats.kstest(place, "uniform").pvalue > KS_LEVEL
    plug_in = urn("plug-in", 201, replicates)
    successes = np.round(plug_in[:, 0] * 6 - 1)
    place = stats.beta(1 + successes, 5 - successes).cdf(plug_in[:, -1])
    assert stats.kstest(place, "uniform").pvalue < KS_LEVEL


@pytest.mark.parametrize("replicates", SIZES)
def test_accumulated_frequencies_lose_little_diversity(replicates):
    generations = 10
    run = sweep(
        bernoulli.estimator(),
        bc.Truth(p=0.3),
        bc.schemes.accumulate(emission="plug-in(mle)"),
        n_real=10,
        generations=generations,
        replicates=replicates,
        seed=22,
    )
    p = emitted(run, "p")
    law = theory.accumulated_diversity(np.arange(generations), n=10)
    assert_mean((p - 0.3) ** 2 / 0.21, 1 - law)
    assert_mean(p * (1 - p) / 0.21, law)
    with pytest.raises(AssertionError, match="MCSE"):  # the last batch alone is another loop
        single = theory.resampled_concentration(np.arange(generations), n=10, concentration=0.0)
        assert_mean(p * (1 - p) / 0.21, 1 - single)


@pytest.mark.parametrize("replicates", SIZES)
def test_resampled_frequencies_concentrate(replicates):
    truth = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    generations, n = 9, 20
    run = sweep(
        categorical.estimator(categories=5),
        bc.Truth(p=truth),
        bc.schemes.replace(emission="plug-in(mle)"),
        n_real=n,
        generations=generations,
        replicates=replicates,
        seed=23,
    )
    squares = (emitted(run, "p") ** 2).sum(axis=-1)
    law = theory.resampled_concentration(
        np.arange(generations), n=n, concentration=float((truth**2).sum())
    )
    assert_mean(squares, law)
    with pytest.raises(AssertionError):  # the posterior mean of the flat prior is another loop
        assert_mean((posterior_mean(run, "p") ** 2).sum(axis=-1), law)


@pytest.mark.parametrize("replicates", SIZES)
def test_fixed_real_rows_bound_the_loss(replicates):
    """Frequencies among the real rows are the reference: given them the law is exact."""
    truth = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    generations, m, share = 9, 20, 0.3
    scheme = bc.Scheme(supply="fixed", weighting=share, emission="plug-in(mle)")
    run = sweep(
        categorical.estimator(categories=5),
        bc.Truth(p=truth),
        scheme,
        n_real=15,
        n_synthetic=m,
        generations=generations,
        replicates=replicates,
        seed=24,
    )
    p = emitted(run, "p")
    q = p[:, :1]
    distance = ((p - q) ** 2).sum(axis=-1)
    concentration = (q[:, 0] ** 2).sum(axis=-1)[:, None]
    law = theory.fixed_supply_frequency_error(
        np.arange(generations), m=m, real_share=share, concentration=concentration
    )
    assert_mean(distance[:, 1:] - law[:, 1:], 0.0)
    wrong = theory.fixed_supply_frequency_error(
        np.arange(generations), m=m, real_share=share + 0.1, concentration=concentration
    )
    with pytest.raises(AssertionError):
        assert_mean(distance[:, 1:] - wrong[:, 1:], 0.0)


RARE, MANY = 0.01, 100


def check_survival(scheme, replicates):
    """Q13: inside the bracket within 3 MCSE, and at the exact share within 4; returns the rows."""
    generations = 9
    run = sweep(
        bernoulli.estimator(),
        bc.Truth(p=RARE),
        scheme,
        n_real=MANY,
        generations=generations,
        replicates=replicates,
        seed=25,
    )
    alive = (emitted(run, "p") > 0).astype(float)
    share, mcse = alive.mean(axis=0), alive.std(axis=0) / np.sqrt(replicates)
    bracket = theory.survival_bracket(np.arange(generations), n=MANY, probability=RARE)
    outside = np.maximum(bracket.lower - share, share - bracket.upper) / mcse
    assert (outside <= 3).all(), f"{outside.max():.1f} MCSE outside the bracket"
    assert_mean(alive, 1 - theory.resampled_counts(generations, n=MANY, probability=RARE)[:, 0])
    return alive


@pytest.mark.parametrize(
    "replicates", [20_000, pytest.param(200_000, marks=pytest.mark.verification)]
)
def test_rare_categories_survive_within_their_bracket(replicates):
    alive = check_survival(bc.schemes.replace(emission="plug-in(mle)"), replicates)
    with noticed():
        wrong = theory.resampled_counts(9, n=MANY, probability=1.3 * RARE)[:, 0]
        assert_mean(alive, 1 - wrong)


@pytest.mark.parametrize(
    "mutant",
    [
        bc.schemes.weighted(0.05, emission="plug-in(mle)"),
        bc.schemes.accumulate(emission="plug-in(mle)"),
        bc.Scheme(supply="fixed", weighting=0.05, emission="plug-in(mle)"),
    ],
    ids=["share", "memory", "supply"],
)
def test_another_scheme_leaves_the_bracket(mutant):
    with noticed():
        check_survival(mutant, 4_000)
