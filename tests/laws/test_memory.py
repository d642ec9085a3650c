"""Which batches a generation remembers, how large they are, and how their age weighs."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian_mean
from tests.laws.support import TOLERANCE, assert_mean, noticed, posterior_mean, sweep

ROWS, GENERATIONS = 8, 7
SIZES = [4_000, pytest.param(40_000, marks=pytest.mark.verification)]


def squared_errors(scheme, replicates, **settings):
    """Squared errors (replicate, generation) of a Gaussian mean of unit row variance."""
    defaults = {"n_real": ROWS, "generations": GENERATIONS, "replicates": replicates, "seed": 15}
    run = sweep(gaussian_mean.estimator(), bc.Truth(mu=0.0), scheme, **{**defaults, **settings})
    return posterior_mean(run, "mu") ** 2


def oracle_of_ages(weights, emission):
    """Risk when every row of all batches is weighed by the age of its batch alone."""
    real, synthetic = np.zeros((2, GENERATIONS, GENERATIONS))
    for t in range(GENERATIONS):
        for s in range(t + 1):
            real[t, s] = weights[t - s]
        for s in range(t):
            synthetic[t, s] = weights[t - s - 1]
        total = real[t].sum() + synthetic[t].sum()
        real[t], synthetic[t] = real[t] / total, synthetic[t] / total
    totals = ROWS * (2 * np.arange(GENERATIONS) + 1)
    return theory.linear_oracle(
        real,
        synthetic,
        real_rows=ROWS,
        synthetic_rows=ROWS,
        emission=emission,
        total_weights=totals,
    ).risk


@pytest.mark.parametrize("emission", ["plug-in", "joint"])
@pytest.mark.parametrize("replicates", SIZES)
def test_weights_by_age_follow_the_linear_oracle(emission, replicates):
    by_age = bc.schedules.geometric(1.0, 0.3)
    scheme = bc.Scheme(
        supply="stream",
        memory="all",
        weighting=bc.schemes.Weighting("pooled", by_age=by_age),
        emission=emission,
    )
    errors = squared_errors(scheme, replicates)
    weights = [by_age(age) for age in range(GENERATIONS)]
    assert_mean(errors, oracle_of_ages(weights, emission))
    with pytest.raises(AssertionError):
        assert_mean(errors, oracle_of_ages(np.ones(GENERATIONS), emission))


def test_uniform_averages_are_better_than_recent_ones():
    """Averaging over all rounds alike beats forgetting the old ones."""
    schemes = {
        "alike": bc.Scheme(supply="stream", memory="all", emission="plug-in"),
        "recent": bc.Scheme(
            supply="stream",
            memory="all",
            weighting=bc.schemes.Weighting(by_age=bc.schedules.geometric(1.0, 0.5)),
            emission="plug-in",
        ),
    }
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=ROWS,
        generations=GENERATIONS,
        replicates=4_000,
        seed=16,
    )
    last = [posterior_mean(run, "mu", name)[:, -1] ** 2 for name in schemes]
    difference = last[1] - last[0]
    assert difference.mean() > TOLERANCE * difference.std() / np.sqrt(len(difference))


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
@pytest.mark.parametrize("replicates", SIZES)
def test_best_share_of_every_generation(emission, replicates):
    growing = bc.schedules.linear(10, 5)
    settings = {"n_real": 12, "n_synthetic": growing, "generations": 6}
    errors = squared_errors(
        bc.Scheme(weighting="optimal by generation", emission=emission), replicates, **settings
    )
    n = np.full(6, 12)
    m = [growing(t) for t in range(1, 6)]
    path = theory.optimal_schedule(n, m, emission=emission)
    assert_mean(errors, path.real_share / 12)
    # No other path is better: the risk of any other schedule of shares lies above.
    near = np.clip(path.real_share[1:] + 0.1 * np.array([1, -1, 1, -1, 1]), 0, 1)
    other = squared_errors(
        bc.schemes.weighted((1.0, *near), emission=emission), replicates, **settings
    )
    assert other[:, -1].mean() > errors[:, -1].mean()
    pooled = squared_errors(bc.schemes.pooled(emission=emission), replicates, **settings)
    with noticed():
        assert_mean(pooled, path.real_share / 12)


def test_best_share_of_equal_counts_is_the_path_of_ratios():
    shares = theory.optimal_schedule([50] * 5, [50] * 4).real_share
    np.testing.assert_allclose(shares, [1, 2 / 3, 5 / 8, 13 / 21, 34 / 55], rtol=1e-12)
    long = theory.optimal_schedule([50] * 40, [50] * 39, emission="joint").real_share
    assert long[-1] == pytest.approx(
        float(theory.optimal_share(1.0, emission="joint", n=50)), abs=1e-10
    )


@pytest.mark.parametrize("replicates", SIZES)
def test_growing_batches_bound_the_error(replicates):
    def rows(t):
        return int(20 * (t + 1) ** 1.5)

    errors = squared_errors(
        bc.schemes.replace(emission="plug-in"),
        replicates,
        n_real=20,
        n_synthetic=tuple(rows(t) for t in range(GENERATIONS + 1)),
    )
    law = theory.growing_replace_error([rows(t) for t in range(GENERATIONS)])
    assert_mean(errors, law)
    constant = theory.replace_error(np.arange(GENERATIONS), n=20) / 20
    with pytest.raises(AssertionError):
        assert_mean(errors, constant)


def test_subsample_without_the_original_rows_forgets_them():
    """The newest real rows weigh less and less; with them in the pool the error stays bounded."""
    schemes = {
        "without": bc.Scheme(supply="none", memory="subsample(8)", emission="plug-in"),
        "with": bc.Scheme(supply="fixed", memory="subsample(8)", emission="plug-in"),
    }
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=8,
        generations=6,
        replicates=4_000,
        seed=18,
        keep_rows="first",
    )
    rows = run["rows"].to_dataset()
    later = rows.isel(row=np.flatnonzero((rows["generation"] > 0) & rows["real"]))
    assert set(later["scheme"].to_numpy()) == {"with"}
    last = {name: posterior_mean(run, "mu", name)[:, -1] ** 2 for name in schemes}
    difference = last["without"] - last["with"]
    assert difference.mean() > TOLERANCE * difference.std() / np.sqrt(len(difference))
    # At generation 1 there is one synthetic batch alone, as under replace.
    assert_mean(posterior_mean(run, "mu", "without")[:, 1] ** 2, 2 / 8)
