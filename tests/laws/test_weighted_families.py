"""Families at a real share that is not the best one: variance, categories, regression."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import categorical, gaussian, linear_regression
from bayescollapse.sources import NormalCovariates
from tests.laws.support import assert_mean, noticed, posterior_mean, sweep


def check_gaussian(scheme, emission, replicates=20_000):
    """Mean and variance of a Gaussian, n = 12 and m = 8, at the real share 0.4."""
    n, m, generations = 12, 8, 8
    run = sweep(
        gaussian.estimator(),
        bc.Truth(mu=1.0, sigma=2.0),
        scheme,
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=replicates,
        seed=34,
    )
    law = theory.gaussian_variance_law(
        generations, n=n, m=m, real_share=0.4, emission=emission, variance=4.0
    )
    assert_mean((posterior_mean(run, "mu") - 1.0) ** 2, law.mean_risk)
    total = np.array([n] + [n + m] * (generations - 1))
    factor = theory_root_factor(total)
    assert_mean(posterior_mean(run, "sigma") ** 2 / factor, law.variance)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
def test_gaussian_variance_and_mean_follow_the_likelihood_law(emission):
    check_gaussian(bc.schemes.weighted(0.4, emission=emission), emission)


WRONG_GAUSSIAN = {
    "share": (bc.schemes.weighted(0.45, emission="plug-in"), "plug-in"),
    "plug-in for predictive": (bc.schemes.weighted(0.4, emission="plug-in"), "predictive"),
    "predictive for joint": (bc.schemes.weighted(0.4, emission="predictive"), "joint"),
}


@pytest.mark.parametrize("mutant", WRONG_GAUSSIAN)
def test_another_scheme_breaks_the_likelihood_law(mutant):
    scheme, emission = WRONG_GAUSSIAN[mutant]
    with noticed():
        check_gaussian(scheme, emission)


def theory_root_factor(total):
    """Squared posterior mean of sigma over the weighted variance, under Jeffreys' prior."""
    from scipy.special import gammaln

    return total / 2 * np.exp(2 * (gammaln((total - 2) / 2) - gammaln((total - 1) / 2)))


def check_dirichlet(scheme, emission, replicates=20_000):
    """Means and risk of four probabilities, n = 30 and m = 20, at the real share 0.3."""
    p = np.array([0.6, 0.25, 0.1, 0.05])
    n, m, generations = 30, 20, 8
    run = sweep(
        categorical.estimator(categories=4),
        bc.Truth(p=p),
        scheme,
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=replicates,
        seed=35,
    )
    law = theory.dirichlet_law(
        generations, probabilities=p, n=n, m=m, real_share=0.3, prior_total=4.0, emission=emission
    )
    means = posterior_mean(run, "p")
    assert_mean(means, law.mean)
    assert_mean(((means - p) ** 2).sum(axis=-1), law.risk)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
def test_dirichlet_law_with_a_prior(emission):
    check_dirichlet(bc.schemes.weighted(0.3, emission=emission), emission)


WRONG_DIRICHLET = {
    "share": (bc.schemes.weighted(0.35, emission="plug-in"), "plug-in"),
    "total weight": (bc.schemes.weighted(0.3, emission="plug-in", total_weight="real"), "plug-in"),
    "plug-in for joint": (bc.schemes.weighted(0.3, emission="plug-in"), "joint"),
    "joint for predictive": (bc.schemes.weighted(0.3), "predictive"),
}


@pytest.mark.parametrize("mutant", WRONG_DIRICHLET)
def test_another_scheme_breaks_the_dirichlet_law(mutant):
    scheme, emission = WRONG_DIRICHLET[mutant]
    with noticed():
        check_dirichlet(scheme, emission, replicates=10_000)


def check_random_design(scheme):
    """The first-order law neglects terms of relative size p/n, which are 2 to 6 % here."""
    features = 2
    run = sweep(
        linear_regression.estimator(features=features, noise_sd=1.0),
        bc.Truth(beta=[1.0, 1.0], covariates=NormalCovariates(features)),
        scheme,
        n_real=100,
        generations=40,
        replicates=1024,
        seed=36,
    )
    errors = ((posterior_mean(run, "beta")[:, 20:] - 1.0) ** 2).sum(axis=-1).mean(axis=1)
    law = features * theory.mean_risk(40, n=100, m=100, real_share=0.6)[20:].mean()
    assert_mean(errors, law, slack=0.06)


def test_random_design_regression_is_close_to_first_order():
    check_random_design(bc.schemes.weighted(0.6, emission="plug-in"))


@pytest.mark.parametrize(
    "mutant",
    [bc.schemes.weighted(0.6), bc.schemes.weighted(0.4, emission="plug-in")],
    ids=["emission", "share"],
)
def test_another_scheme_is_not_close_to_first_order(mutant):
    with noticed():
        check_random_design(mutant)
