"""The scale of a fully synthetic Gaussian loop: which point estimate contracts, which expands."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian
from tests.laws.support import assert_mean, noticed, sweep

N = 20
SIZES = [20_000, pytest.param(200_000, marks=pytest.mark.verification)]

# The emission's label, and the name of its point in the theory.
POINTS = [
    ("plug-in(unbiased)", "unbiased"),
    ("plug-in(mle)", "maximum likelihood"),
    ("plug-in(mean of square sigma)", "mean of variance"),
    ("plug-in", "mean of sd"),
    ("plug-in(mean of log sigma)", "mean of log"),
]


def loop(emission, replicates, generations=2, **settings):
    """Log sums of squares around the mean (replicate, generation), up to a constant."""
    run = sweep(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.schemes.replace(emission=emission),
        n_real=N,
        generations=generations,
        replicates=replicates,
        probabilities=(0.5,),
        seed=26,
        **settings,
    )
    # Every quantile of sigma is a fixed multiple of s, whatever the rows.
    return 2 * np.log(run["summary"]["sigma"].sel(statistic="q50").isel(scheme=0).to_numpy())


@pytest.mark.parametrize(("emission", "point"), POINTS)
@pytest.mark.parametrize("replicates", SIZES)
def test_drift_of_a_plug_in_step(emission, point, replicates):
    log_variance = loop(emission, replicates)
    drift = float(theory.log_variance_drift(N, point=point))
    assert_mean(np.diff(log_variance, axis=1)[:, 0], drift)
    with pytest.raises(AssertionError):
        assert_mean(np.diff(log_variance, axis=1)[:, 0], drift + 0.05)


def check_draws(emission, drift, replicates, slack=0.0):
    assert_mean(np.diff(loop(emission, replicates), axis=1)[:, 0], drift, slack=slack)


@pytest.mark.parametrize("replicates", SIZES)
def test_posterior_draws_neither_contract_nor_expand(replicates):
    """Q6: the drift under predictive emission has no closed form, 2/n within 10 %."""
    check_draws("joint", 0.0, replicates)
    check_draws("predictive", 2 / N, replicates, slack=0.1)
    for emission, drift in [("predictive", 0.0), ("joint", 2 / N), ("plug-in(mle)", 0.0)]:
        with noticed():
            check_draws(emission, drift, 20_000, slack=0.1)


def test_signs_tell_who_collapses():
    assert theory.log_variance_drift(N, point="unbiased") < 0
    assert theory.log_variance_drift(N, point="mean of variance") > 0


def check_distance(scheme, replicates):
    """Wasserstein distance of the emitting normal law to the truth, and its scale."""
    generations = 9
    run = sweep(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        scheme,
        n_real=N,
        generations=generations,
        replicates=replicates,
        seed=27,
    )
    emitted = run["emission"].to_dataset().isel(scheme=0, member=0)
    distance = (emitted["mu"] ** 2 + (emitted["sigma"] - 1) ** 2).to_numpy()
    assert_mean(distance, theory.wasserstein_error(np.arange(generations), n=N))
    assert_mean(emitted["sigma"].to_numpy(), theory.scale_decay(np.arange(generations), n=N))


@pytest.mark.parametrize("replicates", SIZES)
def test_distance_of_an_unbiased_loop_grows(replicates):
    check_distance(bc.schemes.replace(emission="plug-in(unbiased)"), replicates)


@pytest.mark.parametrize(
    "mutant",
    [
        bc.schemes.replace(emission="plug-in(mle)"),
        bc.schemes.weighted(0.02, emission="plug-in(unbiased)"),
        bc.schemes.accumulate(emission="plug-in(unbiased)"),
    ],
    ids=["point", "share", "memory"],
)
def test_another_loop_grows_otherwise(mutant):
    with noticed():
        check_distance(mutant, 10_000)


@pytest.mark.parametrize("replicates", SIZES)
def test_accumulated_variance_settles(replicates):
    generations, n = 10, 10
    run = sweep(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.schemes.accumulate(emission="plug-in(mle)"),
        n_real=n,
        generations=generations,
        replicates=replicates,
        seed=28,
    )
    variance = run["emission"]["sigma"].isel(scheme=0, member=0).to_numpy() ** 2
    law = theory.accumulated_diversity(np.arange(generations), n=n)
    assert_mean(variance, law)
    with pytest.raises(AssertionError):
        assert_mean(variance, theory.resampled_concentration(np.arange(generations), n=n))
