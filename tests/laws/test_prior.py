"""Loops with a proper prior: return to the prior, its stationary laws, and prior drift."""

from functools import partial

import numpy as np
import pytest
from scipy import stats

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import (
    bernoulli,
    categorical,
    exponential,
    gaussian,
    gaussian_mean,
    linear_regression,
    multivariate_normal,
    ngram,
    poisson,
)
from bayescollapse.sources import NormalCovariates
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


WISHART = multivariate_normal.NormalInverseWishart(mean=1.0, weight=3.0, degrees=7.0, scale=3.0)

NOISE = linear_regression.InverseGamma(shape=3.0, scale=2.0)

# 1 / sigma**2 is gamma, so sigma is a generalised gamma variable with the power -2.
ROOT_OF_INVERSE_GAMMA = stats.gengamma(3.0, -2.0, scale=np.sqrt(2.0))

# Estimator, truth far from the prior, rows, covariates, and the prior margin of every entry (or of
# its square). A generation keeps a share rows / (rows + prior weight) of a departure from the
# prior, at most 0.8 here: after 60 generations less than 2e-6 of the truth's is left.
RETURNS = {
    "bernoulli": (
        bernoulli.estimator(prior_successes=3.0, prior_failures=2.0),
        {"p": 0.99},
        8,
        None,
        {"p": stats.beta(3.0, 2.0)},
    ),
    "poisson": (
        poisson.estimator(prior_shape=3.0, prior_rate=2.0),
        {"rate": 12.0},
        6,
        None,
        {"rate": stats.gamma(3.0, scale=0.5)},
    ),
    "exponential": (
        exponential.estimator(prior_shape=4.0, prior_rate=2.0),
        {"rate": 40.0},
        6,
        None,
        {"rate": stats.gamma(4.0, scale=0.5)},
    ),
    "regression, known noise": (
        linear_regression.estimator(features=2, noise_sd=1.5, prior_sd=0.5),
        {"beta": [5.0, -5.0]},
        10,
        NormalCovariates(2),
        {"beta": stats.norm(0.0, 0.5)},
    ),
    "regression": (
        linear_regression.estimator(features=2, prior_sd=0.6, noise_prior=NOISE),
        {"beta": [9.0, -9.0], "sigma": 6.0},
        10,
        NormalCovariates(2),
        {
            "beta": stats.t(6.0, 0.0, 0.6 * np.sqrt(2.0 / 3.0)),
            "sigma": ROOT_OF_INVERSE_GAMMA,
        },
    ),
    "regression, g-prior": (
        linear_regression.estimator(
            features=2,
            noise_prior=NOISE,
            prior_precision=linear_regression.PriorPrecision(((2.0, 0.0), (0.0, 2.0))),
        ),
        {"beta": [9.0, -9.0], "sigma": 6.0},
        10,
        NormalCovariates(2),
        {
            "beta": stats.t(6.0, 0.0, np.sqrt(0.5 * 2.0 / 3.0)),
            "sigma": ROOT_OF_INVERSE_GAMMA,
        },
    ),
    "multivariate normal": (
        multivariate_normal.estimator(dim=2, prior=WISHART),
        {"mu": [-9.0, 9.0], "covariance": [[30.0, 5.0], [5.0, 1.0]]},
        8,
        None,
        {
            "mu": stats.t(6.0, 1.0, np.sqrt(3.0 / (3.0 * 6.0))),
            "covariance": stats.invgamma(3.0, scale=1.5),
        },
    ),
}


@pytest.mark.parametrize("family", RETURNS)
@pytest.mark.parametrize(
    "replicates", [4_000, pytest.param(16_000, marks=pytest.mark.verification)]
)
def test_conjugate_family_returns_to_its_prior(family, replicates):
    estimator, truth, rows, covariates, margins = RETURNS[family]
    run = sweep(
        estimator,
        bc.Truth(truth, covariates=covariates),
        bc.schemes.replace(),
        n_real=rows,
        generations=60,
        replicates=replicates,
        seed=26,
    )
    for parameter, margin in margins.items():
        for entry in diagonal_entries(final_draws(run, parameter)):
            assert stats.kstest(entry, margin.cdf).pvalue > KS_LEVEL, parameter


def diagonal_entries(draws):
    """Every entry of a scalar or vector parameter, the diagonal of a matrix (replicate, …)."""
    if draws.ndim == 3:
        return np.diagonal(draws, axis1=1, axis2=2).T
    return draws.reshape(len(draws), -1).T


@pytest.mark.parametrize("replicates", [1_000, pytest.param(8_000, marks=pytest.mark.verification)])
def test_ngram_returns_to_its_prior(replicates):
    """Rows of a late generation have the prior predictive law of tokens and of their successors.

    Given a context's n occurrences, a token's count is beta-binomial; its randomised distribution
    function is uniform.
    """
    tokens, rows, generations, concentration = 3, 12, 30, 1.0
    settings = {"vocabulary": tokens, "order": 1, "length": 2, "concentration": concentration}
    table = np.full((tokens + 1, tokens), 0.02)
    table[:, 0] = 0.96
    run = sweep(
        ngram.estimator(**settings),
        bc.Truth(table=table, estimator=bc.Estimator(partial(ngram.model, **settings))),
        bc.schemes.replace(),
        n_real=rows,
        generations=generations,
        replicates=replicates,
        keep_rows="all",
        seed=27,
    )
    kept = run["rows"].to_dataset()
    last = (
        kept["y"]
        .to_numpy()[(kept["generation"] == generations - 1).to_numpy()]
        .reshape(-1, rows, 2)
    )
    starts = last[..., 0] == 0
    follows = starts & (last[..., 1] == 1)
    rng = np.random.default_rng(1)
    for count, of in [(starts.sum(axis=1), rows), (follows.sum(axis=1), starts.sum(axis=1))]:
        law = stats.betabinom(of, concentration, concentration * (tokens - 1))
        uniform = law.cdf(count) - rng.random(len(count)) * law.pmf(count)
        assert stats.kstest(uniform, "uniform").pvalue > KS_LEVEL


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
