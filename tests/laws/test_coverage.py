"""Coverage: claimed certainty against real accuracy."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian_mean
from tests.laws.support import assert_mean, noticed, sweep

EMISSIONS = ("plug-in", "joint", "predictive")
SIZES = [4_000, pytest.param(20_000, marks=pytest.mark.verification)]


def claims(scheme, **settings):
    """Whether the central 95 % interval holds the truth 0, and the posterior mean's error."""
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        {"scheme": scheme},
        probabilities=(0.025, 0.975),
        **settings,
    )
    summary = run["summary"]["mu"].isel(scheme=0)
    interval = summary.sel(statistic=["q2.5", "q97.5"]).to_numpy()
    covered = (interval[..., 0] <= 0) & (interval[..., 1] >= 0)
    return covered, summary.sel(statistic="mean").to_numpy()


def check_accumulation(scheme, emission, replicates, generations):
    """Q15 at some of the generations; returns what holds the truth, and errors in units of 1/n."""
    n = 10
    covered, mean = claims(
        scheme, n_real=n, generations=generations, replicates=replicates, seed=41
    )
    checked = np.array([0, 1, 3, 7, 20, 60, 120, 199])
    checked = checked[checked < generations]
    law = theory.accumulate_coverage(checked, n=n, emission=emission)
    assert_mean(covered[:, checked], law)
    return covered, n * mean**2


@pytest.mark.parametrize("emission", EMISSIONS)
@pytest.mark.parametrize("replicates", SIZES)
def test_accumulation_loses_coverage_while_errors_stay_bounded(emission, replicates):
    """Q15: eight comparisons at 4 MCSE, false alarm below 6e-4."""
    scheme = bc.schemes.accumulate(emission=emission)
    covered, errors = check_accumulation(scheme, emission, replicates, 200)
    assert covered[:, -1].mean() < 0.1
    # The law is at most 2.
    assert errors[:, -1].mean() < 2.2


WRONG_ACCUMULATION = {
    "joint": (bc.schemes.accumulate(), "plug-in"),
    "plug-in": (bc.schemes.accumulate(emission="plug-in"), "joint"),
    "predictive": (bc.schemes.accumulate(emission="predictive"), "joint"),
    # Under joint emission the coverage of both memories is the same.
    "last": (bc.schemes.replace(emission="plug-in"), "plug-in"),
    "calibrated": (bc.schemes.accumulate(total_weight="calibrated"), "joint"),
}


@pytest.mark.parametrize("mutant", WRONG_ACCUMULATION)
def test_another_accumulation_would_be_noticed(mutant):
    scheme, emission = WRONG_ACCUMULATION[mutant]
    with noticed():
        check_accumulation(scheme, emission, 10_000, 8)


def check_nominal(scheme, replicates):
    settings = {"n_real": 20, "generations": 25, "replicates": replicates, "seed": 42}
    assert_mean(claims(scheme, **settings)[0], np.full(25, 0.95))


CALIBRATED = {
    "fresh": (bc.schemes.weighted, {"real_share": 0.7071}),
    "accumulate": (bc.schemes.accumulate, {}),
    "small share": (bc.schemes.weighted, {"real_share": 0.35}),
}


@pytest.mark.parametrize("name", CALIBRATED)
@pytest.mark.parametrize("emission", EMISSIONS)
@pytest.mark.parametrize("replicates", SIZES)
def test_calibrated_total_weight_keeps_coverage(name, emission, replicates):
    """Q15: 25 comparisons at 4 MCSE, false alarm below 1.6e-3."""
    preset, axes = CALIBRATED[name]
    check_nominal(preset(emission=emission, total_weight="calibrated", **axes), replicates)


@pytest.mark.parametrize("name", CALIBRATED)
def test_the_number_of_rows_would_be_noticed(name):
    preset, axes = CALIBRATED[name]
    with noticed():
        check_nominal(preset(total_weight="rows", **axes), 4_000)


def check_overclaim(scheme, replicates):
    n, m, generations = 20, 200, 40
    share = float(theory.optimal_share(n / m))
    risk = theory.mean_risk(generations, n=n, m=m, real_share=share)
    law = theory.central_coverage(risk[-5:], 1 / (n + m), probability=0.95)
    assert law[-1] == pytest.approx(0.744, abs=2e-3)
    settings = {"n_real": n, "n_synthetic": m, "generations": generations, "seed": 43}
    covered, _ = claims(scheme, replicates=replicates, **settings)
    assert_mean(covered[:, -5:], law)


@pytest.mark.parametrize("replicates", SIZES)
def test_total_weight_of_rows_overclaims_at_the_optimal_share(replicates):
    """At k = 0.1 the nominal 95 % interval of plug-in loops covers 74 %."""
    check_overclaim(bc.schemes.he_xu_cheng(), replicates)


@pytest.mark.parametrize(
    "mutant",
    [
        bc.schemes.optimal(),
        bc.schemes.pooled(emission="plug-in"),
        bc.schemes.optimal(emission="plug-in", total_weight="kish"),
    ],
    ids=["emission", "share", "total weight"],
)
def test_another_scheme_claims_otherwise(mutant):
    with noticed():
        check_overclaim(mutant, 4_000)
