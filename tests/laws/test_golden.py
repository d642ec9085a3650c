"""The optimal real share: where the error has its minimum, and what it is there."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.measures.minimum import locate_minimum
from bayescollapse.models import categorical, gaussian, gaussian_mean, linear_regression
from bayescollapse.sources import NormalCovariates
from tests.laws.support import assert_mean, posterior_mean, sweep

CASES = [
    ("plug-in", "rows", 0.6180),
    ("predictive", "rows", 0.6190),
    ("joint", "rows", 0.6861),
    ("joint", "calibrated", 0.7071),
    ("ensemble(4)", "rows", None),
]
SIZES = [256, pytest.param(2048, marks=pytest.mark.verification)]


def window_error(run, label, first):
    """Squared error of every lineage, averaged over generations from `first` on."""
    return (posterior_mean(run, "mu", label)[:, first:] ** 2).mean(axis=1)


@pytest.mark.parametrize(("emission", "total", "expected"), CASES)
@pytest.mark.parametrize("replicates", SIZES)
def test_minimum_of_the_sweep(emission, total, expected, replicates):
    n, generations, first = 100, 60, 20
    shares = np.linspace(0.38, 0.92, 10)
    schemes = {
        f"{w:.2f}": bc.schemes.weighted(float(w), emission=emission, total_weight=total)
        for w in shares
    }
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=n,
        generations=generations,
        replicates=replicates,
        seed=31,
    )
    errors = np.stack([window_error(run, label, first) for label in schemes])
    optimum = float(theory.optimal_share(1.0, emission=emission, n=n, total_weight=total))
    if expected is not None:
        assert optimum == pytest.approx(expected, abs=6e-4)
    located = locate_minimum(shares, errors, rng=np.random.default_rng(1), probability=0.9999)
    assert located.low - 0.005 <= optimum <= located.high + 0.005
    assert located.high - located.low < 0.16
    for share, error in zip(shares, errors, strict=True):
        law = theory.mean_risk(
            generations, n=n, m=n, real_share=share, emission=emission, total_weight=total
        )
        assert_mean(error, law[first:].mean())


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
@pytest.mark.parametrize(("n", "m"), [(50, 50), (20, 200)])
def test_pooled_and_optimal_risk(emission, n, m):
    generations, first = 40, 10
    schemes = {
        "pooled": bc.schemes.pooled(emission=emission),
        "optimal": bc.schemes.optimal(emission=emission),
    }
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=2048,
        seed=32,
    )
    best = float(theory.optimal_share(n / m, emission=emission, n=n))
    shares = {"pooled": n / (n + m), "optimal": best}
    risks = {}
    for label, share in shares.items():
        law = theory.mean_risk(generations, n=n, m=m, real_share=share, emission=emission)[
            first:
        ].mean()
        risks[label] = window_error(run, label, first)
        assert_mean(risks[label], law)
    difference = risks["pooled"] - risks["optimal"]
    assert difference.mean() > 4 * difference.std() / np.sqrt(difference.size)


def test_optimal_share_gives_the_golden_ratio_risk():
    """The limit of the optimal risk is the share itself, in units of the real-only risk."""
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.he_xu_cheng(),
        n_real=100,
        generations=60,
        replicates=2048,
        seed=33,
    )
    golden = (np.sqrt(5) - 1) / 2
    assert_mean(100 * window_error(run, "he_xu_cheng", 20), golden)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
def test_gaussian_variance_and_mean_follow_the_likelihood_law(emission):
    n, m, share, generations = 12, 8, 0.4, 8
    run = sweep(
        gaussian.estimator(),
        bc.Truth(mu=1.0, sigma=2.0),
        bc.schemes.weighted(share, emission=emission),
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=20_000,
        seed=34,
    )
    law = theory.gaussian_variance_law(
        generations, n=n, m=m, real_share=share, emission=emission, variance=4.0
    )
    assert_mean((posterior_mean(run, "mu") - 1.0) ** 2, law.mean_risk)
    total = np.array([n] + [n + m] * (generations - 1))
    factor = theory_root_factor(total)
    assert_mean(posterior_mean(run, "sigma") ** 2 / factor, law.variance)


def theory_root_factor(total):
    """Squared posterior mean of sigma over the weighted variance, under Jeffreys' prior."""
    from scipy.special import gammaln

    return total / 2 * np.exp(2 * (gammaln((total - 2) / 2) - gammaln((total - 1) / 2)))


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
def test_dirichlet_law_with_a_prior(emission):
    p = np.array([0.6, 0.25, 0.1, 0.05])
    n, m, generations = 30, 20, 8
    run = sweep(
        categorical.estimator(categories=4),
        bc.Truth(p=p),
        bc.schemes.weighted(0.3, emission=emission),
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=20_000,
        seed=35,
    )
    law = theory.dirichlet_law(
        generations, probabilities=p, n=n, m=m, real_share=0.3, prior_total=4.0, emission=emission
    )
    means = posterior_mean(run, "p")
    assert_mean(means, law.mean)
    assert_mean(((means - p) ** 2).sum(axis=-1), law.risk)


def test_random_design_regression_is_close_to_first_order():
    """The first-order law neglects terms of relative size p/n, which are 2 to 6 % here."""
    n, features, generations = 100, 2, 40
    run = sweep(
        linear_regression.estimator(features=features, noise_sd=1.0),
        bc.Truth(beta=[1.0, 1.0], covariates=NormalCovariates(features)),
        bc.schemes.weighted(0.6, emission="plug-in"),
        n_real=n,
        generations=generations,
        replicates=1024,
        seed=36,
    )
    errors = ((posterior_mean(run, "beta")[:, 20:] - 1.0) ** 2).sum(axis=-1).mean(axis=1)
    law = features * theory.mean_risk(generations, n=n, m=n, real_share=0.6)[20:].mean()
    assert_mean(errors, law, slack=0.06)
