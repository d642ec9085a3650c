"""Loops of conjugate families and of an n-gram model that return to their proper prior."""

from functools import cache, partial

import numpy as np
import pytest
from scipy import stats

import bayescollapse as bc
from bayescollapse.models import (
    bernoulli,
    exponential,
    linear_regression,
    multivariate_normal,
    ngram,
    poisson,
)
from bayescollapse.sources import NormalCovariates
from tests.laws.support import assert_distribution, final_draws, noticed, sweep

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


def check_family(family, scheme, replicates):
    """Every margin of the last generation's draws is the prior's."""
    estimator, truth, rows, covariates, margins = RETURNS[family]
    run = sweep(
        estimator,
        bc.Truth(truth, covariates=covariates),
        scheme,
        n_real=rows,
        generations=60,
        replicates=replicates,
        seed=26,
    )
    for parameter, margin in margins.items():
        for entry in diagonal_entries(final_draws(run, parameter)):
            assert_distribution(entry, margin)


@pytest.mark.parametrize("family", RETURNS)
@pytest.mark.parametrize(
    "replicates", [4_000, pytest.param(16_000, marks=pytest.mark.verification)]
)
def test_conjugate_family_returns_to_its_prior(family, replicates):
    check_family(family, bc.schemes.replace(), replicates)


@pytest.mark.parametrize("family", RETURNS)
def test_a_real_share_keeps_a_family_from_its_prior(family):
    with noticed():
        check_family(family, bc.schemes.weighted(0.2), 500)


@pytest.mark.parametrize("family", ["bernoulli", "exponential", "regression, known noise"])
def test_plug_in_keeps_a_family_from_its_prior(family):
    with noticed():
        check_family(family, bc.schemes.replace(emission="plug-in"), 1_000)


def diagonal_entries(draws):
    """Every entry of a scalar or vector parameter, the diagonal of a matrix (replicate, …)."""
    if draws.ndim == 3:
        return np.diagonal(draws, axis1=1, axis2=2).T
    return draws.reshape(len(draws), -1).T


NGRAM = {"vocabulary": 3, "order": 1, "length": 2, "concentration": 1.0}


@cache
def ngram_truth():
    """Source of sentences that mostly repeat the first token."""
    table = np.full((4, 3), 0.02)
    table[:, 0] = 0.96
    return bc.Truth(table=table, estimator=bc.Estimator(partial(ngram.model, **NGRAM)))


def check_ngram(scheme, replicates):
    """Rows of a late generation have the prior predictive law of tokens and of their successors.

    Given a context's n occurrences, a token's count is beta-binomial; its randomised distribution
    function is uniform.
    """
    rows, generations, concentration = 12, 30, 1.0
    run = sweep(
        ngram.estimator(**NGRAM),
        ngram_truth(),
        scheme,
        n_real=rows,
        generations=generations,
        replicates=replicates,
        keep_rows="all",
        seed=27,
    )
    kept = run["rows"].to_dataset()
    late = (kept["generation"] == generations - 1) & ~kept["real"]
    last = kept["y"].to_numpy()[late.to_numpy()].reshape(-1, rows, 2)
    starts = last[..., 0] == 0
    follows = starts & (last[..., 1] == 1)
    rng = np.random.default_rng(1)
    for count, of in [(starts.sum(axis=1), rows), (follows.sum(axis=1), starts.sum(axis=1))]:
        law = stats.betabinom(of, concentration, concentration * (NGRAM["vocabulary"] - 1))
        uniform = law.cdf(count) - rng.random(len(count)) * law.pmf(count)
        assert_distribution(uniform, stats.uniform())


@pytest.mark.parametrize("replicates", [1_000, pytest.param(8_000, marks=pytest.mark.verification)])
def test_ngram_returns_to_its_prior(replicates):
    check_ngram(bc.schemes.replace(), replicates)


@pytest.mark.parametrize(
    ("mutant", "replicates"),
    [(bc.schemes.replace(emission="plug-in"), 1_000), (bc.schemes.weighted(0.2), 200)],
    ids=["emission", "share"],
)
def test_another_scheme_keeps_an_ngram_from_its_prior(mutant, replicates):
    with noticed():
        check_ngram(mutant, replicates)
