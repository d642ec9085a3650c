"""The scale of a fully synthetic Gaussian loop: which point estimate contracts, which expands."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian
from tests.laws.support import TOLERANCE, assert_mean, sweep

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


@pytest.mark.parametrize("replicates", SIZES)
def test_posterior_draws_neither_contract_nor_expand(replicates):
    steps = np.diff(loop("joint", replicates), axis=1)[:, 0]
    assert_mean(steps, 0.0)
    predictive = np.diff(loop("predictive", replicates), axis=1)[:, 0]
    mcse = predictive.std() / np.sqrt(replicates)
    assert abs(predictive.mean() - 2 / N) < 0.1 * 2 / N + TOLERANCE * mcse


def test_signs_tell_who_collapses():
    assert theory.log_variance_drift(N, point="unbiased") < 0
    assert theory.log_variance_drift(N, point="mean of variance") > 0


@pytest.mark.parametrize("replicates", SIZES)
def test_distance_of_an_unbiased_loop_grows(replicates):
    """Wasserstein distance of the emitting normal law to the truth."""
    generations = 9
    run = sweep(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.schemes.replace(emission="plug-in(unbiased)"),
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
