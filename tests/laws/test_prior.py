"""Loops with a proper prior: return to the prior, its stationary laws, and prior drift."""

import numpy as np
import pytest
from scipy import stats

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import categorical, gaussian, gaussian_mean
from tests.laws.support import (
    assert_distribution,
    assert_mean,
    assert_variance,
    final_draws,
    noticed,
    posterior_mean,
    sweep,
)

SIZES = [4_000, pytest.param(40_000, marks=pytest.mark.verification)]


def check_gaussian_mean(scheme, replicates):
    """Q1: margins, autocorrelation at lag 1, and the way there (63 comparisons at 4 MCSE)."""
    n, generations, truth = 10, 60, 2.0
    prior_mean, prior_sd = 0.5, np.sqrt(0.5)
    run = sweep(
        gaussian_mean.estimator(prior_mean=prior_mean, prior_sd=prior_sd),
        bc.Truth(mu=truth),
        scheme,
        n_real=n,
        generations=generations,
        replicates=replicates,
        seed=21,
    )
    path = run["emission"]["mu"].isel(scheme=0, member=0).to_numpy()
    shrinkage = n * prior_sd**2 / (n * prior_sd**2 + 1)
    assert_variance(path[:, -1], prior_sd**2)
    assert_distribution(path[:, -1], stats.norm(prior_mean, prior_sd))
    assert_variance(posterior_mean(run, "mu")[:, -1], shrinkage * prior_sd**2)
    before, last = path[:, -2:].T - prior_mean
    assert_mean(before * last, shrinkage * prior_sd**2)
    t = np.arange(generations)
    assert_mean(path, prior_mean + shrinkage ** (t + 1) * (truth - prior_mean))


@pytest.mark.parametrize("replicates", SIZES)
def test_gaussian_mean_returns_to_its_prior(replicates):
    check_gaussian_mean(bc.schemes.replace(), replicates)


WRONG_RETURN = {
    "plug-in": bc.schemes.replace(emission="plug-in"),
    "a real share": bc.schemes.weighted(0.02),
    "all batches": bc.schemes.accumulate(),
    "total weight": bc.schemes.replace(total_weight=15.0),
}


@pytest.mark.parametrize("mutant", WRONG_RETURN)
def test_another_scheme_does_not_return(mutant):
    with noticed():
        check_gaussian_mean(WRONG_RETURN[mutant], 4_000)


def check_stationary(scheme, emission, replicates):
    """Q2: the variance of its law, more than 10 MCSE below that of joint emission."""
    n, prior_sd = 10, np.sqrt(0.5)
    run = sweep(
        gaussian_mean.estimator(prior_sd=prior_sd),
        bc.Truth(mu=0.0),
        scheme,
        n_real=n,
        generations=40,
        replicates=replicates,
        seed=22,
    )
    last = posterior_mean(run, "mu")[:, -1]
    law = theory.prior_stationary(n, prior_weight=1 / prior_sd**2, emission=emission)
    joint = theory.prior_stationary(n, prior_weight=1 / prior_sd**2, emission="joint")
    assert_variance(last, law.posterior_mean_variance)
    mcse = last.var() * np.sqrt(2 / last.size)
    assert joint.posterior_mean_variance - last.var() > 10 * mcse


@pytest.mark.parametrize("emission", ["plug-in", "predictive"])
@pytest.mark.parametrize("replicates", SIZES)
def test_other_emissions_do_not_return_to_the_prior(emission, replicates):
    check_stationary(bc.schemes.replace(emission=emission), emission, replicates)


WRONG_STATIONARY = {
    "joint": (bc.schemes.replace(), "predictive"),
    "a real share": (bc.schemes.weighted(0.25, emission="plug-in"), "plug-in"),
    "total weight": (bc.schemes.replace(emission="plug-in", total_weight=15.0), "plug-in"),
}


@pytest.mark.parametrize("mutant", WRONG_STATIONARY)
def test_another_scheme_has_another_stationary_law(mutant):
    with noticed():
        check_stationary(*WRONG_STATIONARY[mutant], 4_000)


def check_normal_inverse_gamma(scheme, replicates, generations):
    """Q5: both margins and their means."""
    prior = gaussian.NormalInverseGamma(mean=1.0, weight=2.0, shape=4.0, scale=3.0)
    run = sweep(
        gaussian.estimator(prior=prior),
        bc.Truth(mu=0.0, sigma=2.0),
        scheme,
        n_real=10,
        generations=generations,
        replicates=replicates,
        seed=23,
    )
    mu, sigma = final_draws(run, "mu"), final_draws(run, "sigma")
    spread = np.sqrt(prior.scale / (prior.shape * prior.weight))
    assert_distribution(mu, stats.t(2 * prior.shape, prior.mean, spread))
    assert_distribution(sigma**2, stats.invgamma(prior.shape, scale=prior.scale))
    assert_mean(mu, prior.mean)
    assert_mean(sigma**2, prior.scale / (prior.shape - 1))


@pytest.mark.parametrize(
    ("replicates", "generations"),
    [(2_000, 100), pytest.param(8_000, 251, marks=pytest.mark.verification)],
)
def test_normal_inverse_gamma_returns_to_its_prior(replicates, generations):
    check_normal_inverse_gamma(bc.schemes.replace(), replicates, generations)


@pytest.mark.parametrize(
    "mutant",
    [
        bc.schemes.replace(emission="plug-in"),
        bc.schemes.weighted(0.1),
        bc.schemes.accumulate(),
        bc.schemes.replace(total_weight=20.0),
    ],
    ids=["emission", "share", "memory", "total weight"],
)
def test_another_scheme_leaves_the_normal_inverse_gamma(mutant):
    with noticed():
        check_normal_inverse_gamma(mutant, 2_000, 60)


def check_dirichlet(scheme, replicates):
    """Q9, second half: margins, means and a variance."""
    concentration, categories = 1.5, 5
    run = sweep(
        categorical.estimator(categories=categories, concentration=concentration),
        bc.Truth(p=[0.6, 0.1, 0.1, 0.1, 0.1]),
        scheme,
        n_real=20,
        generations=60,
        replicates=replicates,
        seed=24,
    )
    draws = final_draws(run, "p")
    margin = stats.beta(concentration, concentration * (categories - 1))
    for category in range(categories):
        assert_distribution(draws[:, category], margin)
    assert_mean(draws, np.full(categories, 1 / categories))
    assert_variance(draws[:, 0], margin.var())


@pytest.mark.parametrize("replicates", SIZES)
def test_dirichlet_returns_to_its_prior(replicates):
    check_dirichlet(bc.schemes.replace(), replicates)


@pytest.mark.parametrize(
    "mutant",
    [
        bc.schemes.replace(emission="plug-in"),
        bc.schemes.weighted(0.1),
        bc.schemes.replace(total_weight=40.0),
    ],
    ids=["emission", "share", "total weight"],
)
def test_another_scheme_leaves_the_dirichlet(mutant):
    with noticed():
        check_dirichlet(mutant, 4_000)


def check_drift(scheme, real_share, replicates):
    """Bias and variance of the posterior mean under a prior used anew at every generation."""
    n, generations, weight = 20, 8, 5.0
    run = sweep(
        gaussian_mean.estimator(prior_mean=1.0, prior_sd=weight**-0.5),
        bc.Truth(mu=0.0),
        scheme,
        n_real=n,
        generations=generations,
        replicates=replicates,
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


@pytest.mark.parametrize("real_share", [0.0, 0.1, 0.5])
def test_reused_prior_drifts_as_the_law_says(real_share):
    check_drift(bc.schemes.weighted(real_share), real_share, 20_000)


@pytest.mark.parametrize(
    "mutant",
    [
        bc.schemes.weighted(0.15),
        bc.schemes.weighted(0.1, emission="predictive"),
        bc.schemes.weighted(0.1, total_weight="real"),
    ],
    ids=["share", "emission", "total weight"],
)
def test_another_scheme_drifts_otherwise(mutant):
    with noticed():
        check_drift(mutant, 0.1, 10_000)
