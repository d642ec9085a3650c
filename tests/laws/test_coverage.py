"""Coverage: claimed certainty against real accuracy."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian_mean
from tests.laws.support import assert_mean, sweep

EMISSIONS = ("plug-in", "joint", "predictive")


def covered(run, label):
    """Whether the central 95 % interval holds the truth 0, (replicate, generation)."""
    interval = run["summary"]["mu"].sel(scheme=label, statistic=["q2.5", "q97.5"]).to_numpy()
    return (interval[..., 0] <= 0) & (interval[..., 1] >= 0)


@pytest.mark.parametrize("emission", EMISSIONS)
@pytest.mark.parametrize(
    "replicates", [4_000, pytest.param(20_000, marks=pytest.mark.verification)]
)
def test_accumulation_loses_coverage_while_errors_stay_bounded(emission, replicates):
    n, generations = 10, 200
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        {"accumulate": bc.schemes.accumulate(emission=emission)},
        n_real=n,
        generations=generations,
        replicates=replicates,
        seed=41,
        probabilities=(0.025, 0.975),
    )
    hits = covered(run, "accumulate")
    checked = np.array([0, 1, 3, 7, 20, 60, 120, 199])
    law = theory.accumulate_coverage(checked, n=n, emission=emission)
    assert_mean(hits[:, checked], law)
    assert hits[:, -1].mean() < 0.1
    error = n * (run["summary"]["mu"].isel(scheme=0, generation=-1, statistic=0) ** 2).mean()
    assert float(error) < 2.2


@pytest.mark.parametrize("emission", EMISSIONS)
def test_calibrated_total_weight_keeps_coverage(emission):
    schemes = {
        "fresh": bc.schemes.weighted(0.7071, emission=emission, total_weight="calibrated"),
        "accumulate": bc.schemes.accumulate(emission=emission, total_weight="calibrated"),
        "small share": bc.schemes.weighted(0.35, emission=emission, total_weight="calibrated"),
    }
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=20,
        generations=25,
        replicates=10_000,
        seed=42,
        probabilities=(0.025, 0.975),
    )
    for label in schemes:
        assert_mean(covered(run, label), np.full(25, 0.95))


def test_total_weight_of_rows_overclaims_at_the_optimal_share():
    """At k = 0.1 the nominal 95 % interval of plug-in loops covers 74 %."""
    n, m, generations = 20, 200, 40
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        {"optimal": bc.schemes.he_xu_cheng()},
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=10_000,
        seed=43,
        probabilities=(0.025, 0.975),
    )
    share = float(theory.optimal_share(n / m))
    risk = theory.mean_risk(generations, n=n, m=m, real_share=share)
    law = theory.central_coverage(risk[-5:], 1 / (n + m), probability=0.95)
    assert law[-1] == pytest.approx(0.744, abs=2e-3)
    assert_mean(covered(run, "optimal")[:, -5:], law)
