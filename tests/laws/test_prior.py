"""Loops with a proper prior: return to the prior, its stationary laws, and prior drift."""

import numpy as np
import pytest
from scipy import stats

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import categorical, gaussian, gaussian_mean
from tests.laws.support import assert_mean, assert_variance, posterior_mean, sweep

# KS p-values below 1e-4 fail: the false-alarm probability of each KS check.
KS_LEVEL = 1e-4
SIZES = [4_000, pytest.param(40_000, marks=pytest.mark.verification)]


def final_draws(run, parameter):
    """The joint posterior draw of every lineage at the last generation."""
    return run["emission"][parameter].isel(scheme=0, generation=-1, member=0).to_numpy()


@pytest.mark.parametrize("replicates", SIZES)
def test_gaussian_mean_returns_to_its_prior(replicates):
    n, generations, truth = 10, 60, 2.0
    prior_mean, prior_sd = 0.5, np.sqrt(0.5)
    run = sweep(
        gaussian_mean.estimator(prior_mean=prior_mean, prior_sd=prior_sd),
        bc.Truth(mu=truth),
        bc.schemes.replace(),
        n_real=n,
        generations=generations,
        replicates=replicates,
        seed=21,
    )
    draws = final_draws(run, "mu")
    shrinkage = n * prior_sd**2 / (n * prior_sd**2 + 1)
    assert_mean(draws, prior_mean)
    assert_variance(draws, prior_sd**2)
    assert stats.kstest(draws, stats.norm(prior_mean, prior_sd).cdf).pvalue > KS_LEVEL
    assert_variance(posterior_mean(run, "mu")[:, -1], shrinkage * prior_sd**2)
    path = run["emission"]["mu"].isel(scheme=0, member=0).to_numpy()
    t = np.arange(generations)
    assert_mean(path, prior_mean + shrinkage ** (t + 1) * (truth - prior_mean))


@pytest.mark.parametrize("emission", ["plug-in", "predictive"])
def test_other_emissions_do_not_return_to_the_prior(emission):
    n, prior_sd = 10, np.sqrt(0.5)
    run = sweep(
        gaussian_mean.estimator(prior_sd=prior_sd),
        bc.Truth(mu=0.0),
        bc.schemes.replace(emission=emission),
        n_real=n,
        generations=40,
        replicates=20_000,
        seed=22,
    )
    last = posterior_mean(run, "mu")[:, -1]
    law = theory.prior_stationary(n, prior_weight=1 / prior_sd**2, emission=emission)
    joint = theory.prior_stationary(n, prior_weight=1 / prior_sd**2, emission="joint")
    assert_variance(last, law.posterior_mean_variance)
    mcse = last.var() * np.sqrt(2 / last.size)
    assert joint.posterior_mean_variance - last.var() > 10 * mcse


@pytest.mark.parametrize("replicates", [2_000, pytest.param(8_000, marks=pytest.mark.verification)])
def test_normal_inverse_gamma_returns_to_its_prior(replicates):
    prior = gaussian.NormalInverseGamma(mean=1.0, weight=2.0, shape=4.0, scale=3.0)
    run = sweep(
        gaussian.estimator(prior=prior),
        bc.Truth(mu=0.0, sigma=2.0),
        bc.schemes.replace(),
        n_real=10,
        generations=100,
        replicates=replicates,
        seed=23,
    )
    mu, sigma = final_draws(run, "mu"), final_draws(run, "sigma")
    spread = np.sqrt(prior.scale / (prior.shape * prior.weight))
    marginal = stats.t(2 * prior.shape, prior.mean, spread)
    variance = stats.invgamma(prior.shape, scale=prior.scale)
    assert stats.kstest(mu, marginal.cdf).pvalue > KS_LEVEL
    assert stats.kstest(sigma**2, variance.cdf).pvalue > KS_LEVEL
    assert_mean(mu, prior.mean)
    assert_mean(sigma**2, prior.scale / (prior.shape - 1))


@pytest.mark.parametrize("replicates", SIZES)
def test_dirichlet_returns_to_its_prior(replicates):
    concentration, categories = 1.5, 4
    run = sweep(
        categorical.estimator(categories=categories, concentration=concentration),
        bc.Truth(p=[0.7, 0.1, 0.1, 0.1]),
        bc.schemes.replace(),
        n_real=20,
        generations=60,
        replicates=replicates,
        seed=24,
    )
    draws = final_draws(run, "p")
    margin = stats.beta(concentration, concentration * (categories - 1))
    for category in range(categories):
        assert stats.kstest(draws[:, category], margin.cdf).pvalue > KS_LEVEL
    assert_mean(draws, np.full(categories, 1 / categories))
    assert_variance(draws[:, 0], margin.var())


@pytest.mark.parametrize("real_share", [0.0, 0.1, 0.5])
def test_reused_prior_drifts_as_the_law_says(real_share):
    n, generations, weight = 20, 8, 5.0
    run = sweep(
        gaussian_mean.estimator(prior_mean=1.0, prior_sd=weight**-0.5),
        bc.Truth(mu=0.0),
        bc.schemes.weighted(real_share),
        n_real=n,
        generations=generations,
        replicates=20_000,
        seed=25,
    )
    law = theory.prior_drift(
        generations,
        n=n,
        m=n,
        real_share=real_share,
        prior_weight=weight,
        prior_mean=1.0,
        emission="joint",
    )
    means = posterior_mean(run, "mu")
    assert_mean(means, law.bias)
    assert_mean((means - law.bias) ** 2, law.variance)
