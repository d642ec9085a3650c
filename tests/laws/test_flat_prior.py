"""Error growth of the Gaussian mean and of regression under a flat prior."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian_mean, linear_regression
from tests.laws.support import assert_mean, posterior_mean, sweep

EMISSIONS = ("plug-in", "joint", "predictive")
SIZES = [20_000, pytest.param(100_000, marks=pytest.mark.verification)]


@pytest.mark.parametrize("emission", EMISSIONS)
@pytest.mark.parametrize("replicates", SIZES)
def test_replace_and_accumulate_follow_their_laws(emission, replicates):
    n, generations = 10, 12
    schemes = {
        "replace": bc.schemes.replace(emission=emission),
        "accumulate": bc.schemes.accumulate(emission=emission),
    }
    run = sweep(
        gaussian_mean.estimator(sd=2.0),
        bc.Truth(mu=3.0),
        schemes,
        n_real=n,
        generations=generations,
        replicates=replicates,
        seed=11,
    )
    t = np.arange(generations)
    laws = {
        "replace": theory.replace_error(t, n=n, emission=emission),
        "accumulate": theory.accumulate_error(t, n=n, emission=emission),
    }
    for name, law in laws.items():
        assert_mean(n * (posterior_mean(run, "mu", name) - 3.0) ** 2 / 4.0, law)


@pytest.mark.parametrize("emission", EMISSIONS)
@pytest.mark.parametrize("replicates", [1000, pytest.param(4000, marks=pytest.mark.verification)])
def test_regression_on_one_design_follows_its_laws(emission, replicates):
    rows, features, generations = 40, 5, 6
    schemes = {
        "replace": bc.schemes.replace(emission=emission, covariates="fixed"),
        "accumulate": bc.schemes.accumulate(emission=emission, covariates="fixed"),
    }
    source = bc.Truth(beta=np.ones(features), covariates=bc.sources.NormalCovariates(features))
    run = sweep(
        linear_regression.estimator(features=features, noise_sd=1.0),
        source,
        schemes,
        n_real=rows,
        generations=generations,
        replicates=replicates,
        seed=12,
    )
    t = np.arange(generations)
    unit = features / (rows - features - 1)
    laws = {
        "replace": theory.regression_replace_error(
            t, rows=rows, features=features, emission=emission
        ),
        "accumulate": theory.regression_accumulate_error(
            t, rows=rows, features=features, emission=emission
        ),
    }
    for name, law in laws.items():
        errors = ((posterior_mean(run, "beta", name) - 1.0) ** 2).sum(axis=-1)
        assert_mean(errors / unit, law)


@pytest.mark.parametrize("rows", [60])
@pytest.mark.parametrize("replicates", [2000, pytest.param(6000, marks=pytest.mark.verification)])
def test_subsampling_has_its_plateau(rows, replicates):
    """The law is for many rows: 2 % slack beside 4 MCSE."""
    generations = 9
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.accumulate_subsample(rows, emission="plug-in"),
        n_real=rows,
        generations=generations,
        replicates=replicates,
        seed=13,
    )
    s = np.arange(1, generations)
    t = np.arange(generations)
    series = np.concatenate([[0.0], np.cumsum((2 - 1 / s) / (s + 1) ** 2)])
    assert_mean(rows * posterior_mean(run, "mu") ** 2, 1 + series + t / (t + 1), slack=0.02)


def test_window_and_stream_follow_the_linear_oracle():
    n, generations = 8, 7
    schemes = {
        "window": bc.schemes.weighted(0.3, memory="window(3)"),
        "stream": bc.Scheme(supply="stream", memory="all", weighting="pooled", emission="joint"),
    }
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=n,
        generations=generations,
        replicates=20_000,
        seed=14,
    )
    for name in schemes:
        real, synthetic, totals = np.zeros((7, 7)), np.zeros((7, 7)), np.zeros(7)
        for t in range(generations):
            batches = range(t + 1) if name == "stream" else [t]
            emitted = range(t) if name == "stream" else range(max(t - 3, 0), t)
            share = 1.0 if t == 0 else (len(batches) / (2 * t + 1) if name == "stream" else 0.3)
            real[t, list(batches)] = share / len(batches)
            if t:
                synthetic[t, list(emitted)] = (1 - share) / len(emitted)
            totals[t] = n * (len(batches) + len(emitted))
        law = theory.linear_oracle(
            real, synthetic, real_rows=n, synthetic_rows=n, emission="joint", total_weights=totals
        )
        assert_mean(posterior_mean(run, "mu", name) ** 2, law.risk)
