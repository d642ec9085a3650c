"""Mutual information: estimators on known laws, and the closed forms of iterated learning."""

import numpy as np
import pytest
from scipy import stats

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.measures import (
    correlation_interval,
    gaussian_mutual_information,
    knn_mutual_information,
    mutual_information,
)
from bayescollapse.models import gaussian_mean
from tests.measures.synthetic import make_run

# |z| > 4 has probability 6.3e-5 under the null.
TOLERANCE = 4.0
PRIOR_WEIGHT, ROWS, LENGTH = 4.0, 10, 6


def normal_pairs(correlation, shape, seed=1):
    x, noise = np.random.default_rng(seed).normal(size=(2, *shape))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise


def estimates(x, y, neighbours=4):
    return np.array(
        [knn_mutual_information(a, b, neighbours=neighbours) for a, b in zip(x, y, strict=True)]
    ).T


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("pairs", [5, 40])
def test_gaussian_estimate_is_unbiased(correlation, pairs):
    """Six comparisons at 4 MCSE, false alarm below 4e-4."""
    x, y = normal_pairs(correlation, (20_000, pairs))
    value, _ = gaussian_mutual_information(x[..., None], y[..., None])
    law = -0.5 * np.log(1 - correlation**2)
    assert abs(value.mean() - law) < TOLERANCE * value.std() / np.sqrt(value.size)


def test_gaussian_estimate_of_vectors_is_unbiased():
    rng = np.random.default_rng(2)
    mix = rng.normal(size=(3, 2))
    x = rng.normal(size=(5_000, 30, 3))
    y = x @ mix + rng.normal(size=(5_000, 30, 2))
    value, error = gaussian_mutual_information(x, y)
    law = 0.5 * np.linalg.slogdet(np.eye(2) + mix.T @ mix)[1]
    assert abs(value.mean() - law) < TOLERANCE * value.std() / np.sqrt(5_000)
    assert error.mean() == pytest.approx(value.std(), rel=0.15)
    moved = gaussian_mutual_information(3 * x + 1, y @ [[2.0, 1.0], [0.0, -1.0]])[0]
    assert np.allclose(moved, value) and np.allclose(gaussian_mutual_information(y, x)[0], value)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9])
def test_fisher_interval_covers(correlation):
    """At least 95 % (all at 0 lie on the border); three checks at 4 sds."""
    x, y = normal_pairs(correlation, (4_000, 60), seed=3)
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    low, high = correlation_interval(r, 60)
    law = -0.5 * np.log(1 - correlation**2)
    covered = ((low <= law) & (law <= high)).mean()
    assert abs(covered - 0.95) < 0.005 + 4 * np.sqrt(0.95 * 0.05 / 4_000)


# Largest bias that the docstring's "strong dependence is underestimated" allows for at 200 pairs.
BIAS = {0.0: 0.005, 0.5: 0.01, 0.95: 0.06}


@pytest.mark.parametrize("correlation", BIAS)
@pytest.mark.parametrize("repeats", [60, pytest.param(600, marks=pytest.mark.verification)])
def test_nearest_neighbours_against_the_normal_law(correlation, repeats):
    """Value, and error that is right within a third; false alarm below 1e-3."""
    x, y = normal_pairs(correlation, (repeats, 200), seed=4)
    value, error = estimates(x, y)
    law = -0.5 * np.log(1 - correlation**2)
    mcse = value.std() / np.sqrt(repeats)
    assert abs(value.mean() - law) < TOLERANCE * mcse + BIAS[correlation]
    # The relative error of a standard deviation is 1 / sqrt(2 repeats).
    assert abs(np.log(value.std() / error.mean())) < 0.25 + TOLERANCE / np.sqrt(2 * repeats)


def test_nearest_neighbours_see_what_correlation_does_not():
    x, noise = np.random.default_rng(5).normal(size=(2, 2_000))
    y = x**2 + 0.1 * noise
    linear, _ = gaussian_mutual_information(x[:, None], y[:, None])
    value, error = knn_mutual_information(x, y)
    assert value > 0.8 and value > 10 * abs(linear)
    assert knn_mutual_information(2 * x - 1, -y)[0] == pytest.approx(value, abs=0.02)
    assert knn_mutual_information(y, x)[0] == pytest.approx(value)


@pytest.mark.parametrize("both", [False, True])
def test_values_that_repeat(both):
    """Null of counts (false alarm 1e-4 each), and a count with normal noise by quadrature."""
    rng = np.random.default_rng(6)
    x = rng.binomial(10, 0.5, size=(60, 300)).astype(float)
    y = rng.binomial(10, 0.5, size=x.shape) if both else rng.normal(size=x.shape)
    value, _ = estimates(x, y)
    assert abs(value.mean()) < TOLERANCE * value.std() / np.sqrt(60) + 0.01
    if both:
        return
    grid = np.linspace(-6, 16, 20_001)
    parts = stats.binom(10, 0.5).pmf(np.arange(11))[:, None]
    density = (parts * stats.norm.pdf(grid - np.arange(11)[:, None])).sum(axis=0)
    law = -(density * np.log(density)).sum() * (grid[1] - grid[0]) - 0.5 * np.log(2 * np.pi * np.e)
    known, _ = estimates(x, x + rng.normal(size=x.shape))
    assert abs(known.mean() - law) < TOLERANCE * known.std() / np.sqrt(60) + 0.04


def test_degenerate_pairs():
    x = np.random.default_rng(7).normal(size=50)
    assert gaussian_mutual_information(x[:, None], 2 * x[:, None])[0] == np.inf
    assert knn_mutual_information(x, -3 * x) == (np.inf, 0.0)
    assert np.isnan(gaussian_mutual_information(x[:, None], np.ones((50, 1)))[0])
    assert np.isnan(knn_mutual_information(x, np.ones(50))[0])
    assert np.isnan(gaussian_mutual_information(x[:3, None], x[:3, None])[0])
    assert correlation_interval(1.0, 10) == (np.inf, np.inf)
    assert correlation_interval(0.5, 3) == (0.0, np.inf)
    with pytest.raises(ValueError, match=r"shape \(…, pair, entry\)"):
        gaussian_mutual_information(x, x)
    with pytest.raises(ValueError, match="same number of pairs, above neighbours=4"):
        knn_mutual_information(x, x[:10])
    with pytest.raises(ValueError, match="probability must lie"):
        correlation_interval(0.5, 10, probability=95)


def iterated(replicates, emission="joint", seed=21):
    return bc.Experiment(
        gaussian_mean.estimator(prior_sd=PRIOR_WEIGHT**-0.5),
        bc.Truth.from_prior(),
        {
            "replace": bc.schemes.replace(emission=emission),
            "accumulate": bc.schemes.accumulate(emission=emission),
        },
        n_real=ROWS,
        generations=LENGTH,
        replicates=replicates,
        keep_draws=0,
        keep_rows="none",
        references=(),
        probabilities=(),
        seed=seed,
    ).run(progress=False)


@pytest.fixture(scope="module")
def loops():
    return iterated(2_000)


def law_of(about):
    return theory.iterated_information(
        np.arange(LENGTH), n=ROWS, prior_weight=PRIOR_WEIGHT, about=about
    )


def fisher(found, law):
    """Departure of correlations from a law in standard errors, on Fisher's scale."""
    expected = np.sqrt(-np.expm1(-2 * law))
    z = np.arctanh(found["correlation"].to_numpy()) - np.arctanh(expected)
    return z * np.sqrt(found.attrs["replicates"] - 3)


def check_laws(run):
    """Eleven correlations at 4 standard errors, twenty-two estimates; false alarm below 3e-3."""
    for about, start in (("truth", 0), ("first", 1)):
        law = law_of(about)[start:]
        found = mutual_information(run, about=about).sel(scheme="replace").isel(parameter=0)
        found = found.isel(generation=slice(start, None))
        assert np.abs(fisher(found, law)).max() < TOLERANCE
        # Second order: N times squared correlation errors.
        slack = 8 / found.attrs["replicates"]
        for name, extra in (("mutual_information", slack), ("mutual_information_knn", 0.02)):
            error = TOLERANCE * found[f"{name}_mcse"].to_numpy() + extra
            assert np.all(np.abs(found[name].to_numpy() - law) < error), name
        assert np.allclose(found["joint_mutual_information"], found["mutual_information"])


def test_closed_forms_of_iterated_learning(loops):
    check_laws(loops)


@pytest.mark.verification
def test_closed_forms_of_iterated_learning_at_full_size():
    check_laws(iterated(20_000, seed=22))


@pytest.mark.parametrize("mutant", ["plug-in", "accumulate"])
def test_another_loop_would_be_noticed(loops, mutant):
    run = iterated(2_000, emission=mutant) if mutant == "plug-in" else loops
    found = mutual_information(run).isel(parameter=0)
    found = found.sel(scheme="replace" if mutant == "plug-in" else mutant)
    assert np.abs(fisher(found, law_of("truth"))).max() > TOLERANCE


def test_information_about_the_start_is_infinite_at_generation_zero(loops):
    start = mutual_information(loops, about="first").isel(generation=0)
    for name in ("mutual_information", "mutual_information_low", "mutual_information_knn"):
        assert np.isinf(start[name]).all()


def test_layout_and_refusals(loops):
    found = mutual_information(loops, var_names="mu")
    assert found["mutual_information"].dims == ("scheme", "generation", "parameter")
    assert found["joint_mutual_information"].dims == ("scheme", "generation")
    assert (found["mutual_information_low"] <= found["mutual_information_high"]).all()
    one_truth = make_run(30)
    assert "joint_mutual_information" in mutual_information(one_truth, about="first")
    with pytest.raises(ValueError, match=r"one truth for all replicates.*from_prior"):
        mutual_information(one_truth)
    with pytest.raises(ValueError, match="about must be one of"):
        mutual_information(loops, about="future")
