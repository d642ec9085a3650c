"""The optimal real share: where the error has its minimum, and what it is there."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.measures.minimum import locate_minimum
from bayescollapse.models import gaussian_mean
from tests.laws.support import assert_mean, noticed, posterior_mean, sweep

CASES = [
    ("plug-in", "rows", 0.6180),
    ("predictive", "rows", 0.6190),
    ("joint", "rows", 0.6861),
    ("joint", "calibrated", 0.7071),
    ("ensemble(4)", "rows", None),
]
# Replicates, generations, the first one that counts, and shares of real rows. Near the minimum a
# generation keeps at most half of an excess error, so 20 forget the start as well as 150 do.
SIZES = [
    (256, 60, 20, np.linspace(0.38, 0.92, 10)),
    pytest.param(2048, 60, 20, np.arange(0.5, 0.85, 0.02), marks=pytest.mark.verification),
]


def window_error(run, label, first):
    """Squared error of every lineage, averaged over generations from `first` on."""
    return (posterior_mean(run, "mu", label)[:, first:] ** 2).mean(axis=1)


def swept_errors(preset, shares, replicates, generations, first):
    """Errors (share, replicate) of a Gaussian mean under the schemes that a preset makes."""
    schemes = {f"{w:.2f}": preset(float(w)) for w in shares}
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=100,
        generations=generations,
        replicates=replicates,
        seed=31,
    )
    return np.stack([window_error(run, label, first) for label in schemes])


def check_values(errors, shares, generations, first, emission, total):
    for share, error in zip(shares, errors, strict=True):
        law = theory.mean_risk(
            generations, n=100, m=100, real_share=share, emission=emission, total_weight=total
        )
        assert_mean(error, law[first:].mean())


def check_minimum(errors, shares, emission, total):
    """The optimum lies in an interval that misses it with probability 1e-4, and is narrow."""
    optimum = float(theory.optimal_share(1.0, emission=emission, n=100, total_weight=total))
    located = locate_minimum(shares, errors, rng=np.random.default_rng(1), probability=0.9999)
    assert located.low - 0.005 <= optimum <= located.high + 0.005, f"{optimum} outside {located}"
    assert located.high - located.low < 0.16
    return located.share - optimum


@pytest.mark.parametrize(("emission", "total", "expected"), CASES)
@pytest.mark.parametrize(("replicates", "generations", "first", "shares"), SIZES)
def test_minimum_of_the_sweep(emission, total, expected, replicates, generations, first, shares):
    """Q8, with one coordinate instead of two: at most 18 comparisons at 4 MCSE, below 1.2e-3."""

    def preset(share):
        return bc.schemes.weighted(share, emission=emission, total_weight=total)

    errors = swept_errors(preset, shares, replicates, generations, first)
    if expected is not None:
        optimum = float(theory.optimal_share(1.0, emission=emission, n=100, total_weight=total))
        assert optimum == pytest.approx(expected, abs=6e-4)
    missed = check_minimum(errors, shares, emission, total)
    assert abs(missed) < 0.04 or replicates < 2000
    check_values(errors, shares, generations, first, emission, total)


# A preset of one share, and the emission and the total weight whose law it does not follow.
WRONG_SWEEP = {
    "joint for plug-in": (bc.schemes.weighted, "plug-in", "rows"),
    "rows for calibrated": (bc.schemes.weighted, "joint", "calibrated"),
    "calibrated for rows": (
        lambda w: bc.schemes.weighted(w, total_weight="calibrated"),
        "joint",
        "rows",
    ),
    "another share": (
        lambda w: bc.schemes.weighted(w - 0.04, emission="plug-in"),
        "plug-in",
        "rows",
    ),
    "fixed supply": (
        lambda w: bc.Scheme(supply="fixed", weighting=w, emission="plug-in"),
        "plug-in",
        "rows",
    ),
}


@pytest.mark.parametrize("mutant", WRONG_SWEEP)
def test_another_scheme_has_other_values(mutant):
    preset, emission, total = WRONG_SWEEP[mutant]
    shares = np.linspace(0.38, 0.92, 4)
    errors = swept_errors(preset, shares, 256, 60, 20)
    with noticed():
        check_values(errors, shares, 60, 20, emission, total)


def test_another_scheme_has_its_minimum_elsewhere():
    """A shift of the share by 0.1 moves the minimum as far, out of the interval."""
    shares = np.linspace(0.38, 0.92, 10)
    errors = swept_errors(
        lambda w: bc.schemes.weighted(w - 0.1, emission="plug-in"), shares, 256, 60, 20
    )
    with pytest.raises(AssertionError, match="outside LocatedMinimum"):
        check_minimum(errors, shares, "plug-in", "rows")


def check_risk(error, n, m, real_share, emission, generations=40, first=10):
    law = theory.mean_risk(generations, n=n, m=m, real_share=real_share, emission=emission)
    assert_mean(error, law[first:].mean())


def late_error(scheme, n, m):
    """Errors of 40 generations from the tenth on, one per lineage."""
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        {"scheme": scheme},
        n_real=n,
        n_synthetic=m,
        generations=40,
        replicates=2048,
        seed=32,
    )
    return window_error(run, "scheme", 10)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
@pytest.mark.parametrize(("n", "m"), [(50, 50), (20, 200)])
def test_pooled_and_optimal_risk(emission, n, m):
    best = float(theory.optimal_share(n / m, emission=emission, n=n))
    pooled = late_error(bc.schemes.pooled(emission=emission), n, m)
    optimal = late_error(bc.schemes.optimal(emission=emission), n, m)
    check_risk(pooled, n, m, n / (n + m), emission)
    check_risk(optimal, n, m, best, emission)
    difference = pooled - optimal
    assert difference.mean() > 4 * difference.std() / np.sqrt(difference.size)


# A scheme that has neither the pooled share nor this emission, at n = m = 50.
WRONG_RISK = {
    "plug-in": (bc.schemes.pooled(emission="plug-in"), 0.5, "joint"),
    "joint": (bc.schemes.pooled(emission="joint"), 0.5, "predictive"),
    "pooled for optimal": (bc.schemes.pooled(emission="plug-in"), 0.618, "plug-in"),
    "optimal for pooled": (bc.schemes.optimal(emission="plug-in"), 0.5, "plug-in"),
    "all for last": (bc.schemes.pooled(emission="plug-in", memory="all"), 0.5, "plug-in"),
}


@pytest.mark.parametrize("mutant", WRONG_RISK)
def test_another_scheme_has_another_risk(mutant):
    scheme, share, emission = WRONG_RISK[mutant]
    error = late_error(scheme, 50, 50)
    with noticed():
        check_risk(error, 50, 50, share, emission)


def golden_error(scheme):
    """Error of 60 generations from the twentieth on, in units of the real-only risk."""
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        {"scheme": scheme},
        n_real=100,
        generations=60,
        replicates=2048,
        seed=33,
    )
    return 100 * window_error(run, "scheme", 20)


def test_optimal_share_gives_the_golden_ratio_risk():
    """The limit of the optimal risk is the share itself, in units of the real-only risk."""
    golden = (np.sqrt(5) - 1) / 2
    assert_mean(golden_error(bc.schemes.he_xu_cheng()), golden)
    for mutant in (bc.schemes.pooled(emission="plug-in"), bc.schemes.optimal(emission="joint")):
        with noticed():
            assert_mean(golden_error(mutant), golden)
