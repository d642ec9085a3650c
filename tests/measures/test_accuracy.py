"""Accuracy against claim: coverage, standardised errors, and worth in real rows."""

import json

import numpy as np
import pytest
from scipy.optimize import brentq

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.measures import (
    posterior_accuracy,
    root_mean_square,
    rows_of_density,
    variance_and_error,
)
from bayescollapse.measures.accuracy import MEASURES
from bayescollapse.measures.worth import MEASURES as WORTH
from bayescollapse.models import gaussian_mean
from tests.measures.synthetic import make_run

# |z| > 4 has probability 6.3e-5 under the null.
TOLERANCE = 4.0
SIZES = [2_000, pytest.param(20_000, marks=pytest.mark.verification)]


def run_mean(scheme, replicates, *, n=20, **settings):
    defaults = {"keep_draws": 0, "keep_rows": "none", "references": (), "probabilities": ()}
    return bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        scheme,
        n_real=n,
        replicates=replicates,
        **{**defaults, **settings},
    ).run(progress=False)


def test_kernels_on_normal_samples():
    """Two comparisons at 4 MCSE each, and errors within a twentieth."""
    x = 2 + 3 * np.random.default_rng(1).normal(size=(50, 4_000))
    for kernel, law in ((variance_and_error, 9.0), (root_mean_square, np.sqrt(13.0))):
        value, error = kernel(x, 0)
        slack = 13 / 50 / 8 if kernel is root_mean_square else 0.0
        assert abs(value.mean() - law) < TOLERANCE * value.std() / np.sqrt(4_000) + slack
        assert error.mean() == pytest.approx(value.std(), rel=0.05)
        assert np.allclose(kernel(x.T, 1)[0], value)
    assert np.isnan(variance_and_error([[1.0, 2.0]], 0)[0]).all()


@pytest.mark.parametrize(("count", "most"), [(10, 1.0), (5, 1.1), (4, 1.3)])
def test_error_of_a_variance_of_few_replicates(count, most):
    """The squared error is unbiased, and above that by its bound with very few: 5 % slack."""
    x = np.random.default_rng(count).normal(size=(count, 40_000))
    value, error = variance_and_error(x, 0)
    assert 0.95 < np.mean(error**2) / value.var() < most + 0.05
    assert error.min() > 0
    # Two values that occur equally often: the variance varies as little as it can.
    even = np.resize([-1.0, 1.0], 2 * count)
    smallest = np.sqrt(2 / (2 * count * (2 * count - 1)))
    found, least = variance_and_error(even, 0)
    assert least == pytest.approx(found * smallest)


def test_variances_that_say_nothing():
    for few in ([1.0, 3.0], [0.0, 1.0, 3.0]):
        value, error = variance_and_error(few, 0)
        assert value == pytest.approx(np.var(few, ddof=1)) and np.isnan(error)
    assert np.isnan(variance_and_error([1.0, np.nan], 0)[0])
    assert np.isnan(variance_and_error([1.0, 2.0, 0.0, 4.0, np.inf], 0)[1])


def absent(found):
    """Measures that are not there, all of them named."""
    names = {m.name for m in (*MEASURES, *WORTH)} - set(map(str, found.data_vars))
    lines = found.attrs["missing"].split("; ")
    assert names == {word for line in lines for word in line.split(":")[0].split(", ") if word}
    return names


def test_known_answers():
    run = make_run()
    found = posterior_accuracy(run)
    expected = (1 + np.arange(5)) / 10
    honest, proud = (found.sel(scheme=s) for s in ("honest", "proud"))
    assert np.allclose(found["bias"], 0)
    assert np.allclose(found["squared_error"], expected[None, :, None])
    assert np.allclose(found["error_variance"], expected[None, :, None] * 40 / 39)
    assert np.allclose(honest["rms_z"], 1)
    assert np.allclose(proud["rms_z"].isel(generation=slice(1, None)), 2)
    assert found["coverage"].dims == ("scheme", "generation", "parameter", "interval")
    assert "rows_worth_density" not in found and "held_out=" in found.attrs["missing"]
    assert found["bias"].attrs["units"] == "units of the parameter"


def test_what_is_missing_is_said():
    bare = posterior_accuracy(make_run(4, truth=False, reference=False))
    assert set(bare.data_vars) == {"claimed_sd", "claimed_sd_mcse", "claimed_sd_median"}
    assert absent(bare) == {m.name for m in (*MEASURES, *WORTH)} - {"claimed_sd"}
    for words in ("no truth", "'real_only' to references=", "held_out="):
        assert words in bare.attrs["missing"]
    with pytest.raises(ValueError, match=r"one of \[0.95, 0.5\].*probabilities=\(0.05, 0.95\)"):
        posterior_accuracy(make_run(4), probability=0.9)
    without = make_run(4, statistics=["mean", "sd"])
    with pytest.raises(ValueError, match=r"no central interval: run .*=\(0.05, 0.95\)"):
        posterior_accuracy(without, probability=0.9)
    assert "coverage" in posterior_accuracy(without).attrs["missing"]
    for wrong in (0, 1.0, 2, "most"):
        with pytest.raises(ValueError, match="probability must"):
            posterior_accuracy(make_run(4), probability=wrong)
    with pytest.raises(ValueError, match="two different numbers of real rows"):
        rows_of_density([1.0], [[1.0]], [10])


@pytest.mark.parametrize(("emission", "law"), [("joint", 0.078), ("plug-in", 0.086)])
@pytest.mark.parametrize("replicates", SIZES)
def test_coverage_under_accumulation(emission, law, replicates):
    """200 generations of 10 rows, 95 %: eight binomial counts at 4 sds, false alarm below 6e-4."""
    scheme = bc.schemes.accumulate(emission=emission)
    run = run_mean(scheme, replicates, n=10, generations=200, seed=51, probabilities=(0.025, 0.975))
    found = posterior_accuracy(run, probability=0.95).isel(scheme=0, parameter=0, interval=0)
    checked = np.array([0, 1, 3, 9, 30, 60, 120, 199])
    laws = theory.accumulate_coverage(checked, n=10, emission=emission)
    assert laws[-1] == pytest.approx(law, abs=6e-4)
    sds = np.sqrt(laws * (1 - laws) / replicates)
    assert np.all(np.abs(found["coverage"][checked] - laws) < TOLERANCE * sds)
    # The claimed sd is 1 / sqrt(t + 1) of the first, so z grows as sqrt((t + 1) A_t).
    risk = theory.accumulate_error(checked, n=10, emission=emission)
    z = found["rms_z"][checked] - np.sqrt((checked + 1) * risk)
    assert np.all(np.abs(z) < TOLERANCE * found["rms_z_mcse"][checked])


def worth(scheme, replicates, *, generations=30, seed=52):
    """Rows worth and claimed, over late generations: mean and a Monte Carlo standard error."""
    run = run_mean(
        scheme, replicates, generations=generations, references=("real_only",), seed=seed
    )
    late = posterior_accuracy(run).isel(scheme=0, parameter=0, generation=slice(12, None))
    count = late.sizes["generation"]
    # Squared errors of neighbouring generations have a correlation of (1 - w)^4, below 0.1 here.
    error = float(late["rows_worth_mcse"].mean()) * np.sqrt(1.2 / count)
    return float(late["rows_worth"].mean()), error, late


EMISSIONS = ("plug-in", "joint", "predictive")


@pytest.mark.parametrize("emission", EMISSIONS)
@pytest.mark.parametrize("replicates", SIZES)
def test_worth_under_the_optimal_share(emission, replicates):
    """n / w* of the emission; one comparison at 4 MCSE and the ratio's bias of 2 / replicates."""
    share = float(theory.optimal_share(1, emission=emission, n=20))
    found, error, _ = worth(bc.schemes.weighted(share, emission=emission), replicates)
    assert abs(found - 20 / share) < TOLERANCE * error + 20 / share * 4 / replicates


def test_the_emission_of_the_share_matters():
    found, error, _ = worth(
        bc.schemes.weighted(float(theory.optimal_share(1)), emission="joint"), 2_000
    )
    assert abs(found - 20 * 1.618) > TOLERANCE * error


@pytest.mark.parametrize("replicates", SIZES)
def test_worth_equals_the_claim_under_calibrated_weight(replicates):
    scheme = bc.schemes.weighted(0.7071, total_weight="calibrated")
    found, error, late = worth(scheme, replicates)
    claimed = float(late["rows_claimed"].mean())
    assert claimed == pytest.approx(20 / 0.7071, rel=1e-3)
    assert abs(found - claimed) < TOLERANCE * error + claimed * 4 / replicates
    z = (late["certainty"] - 1) / late["certainty_mcse"]
    # Eighteen ratios at 4 MCSE, false alarm below 1.2e-3.
    assert float(abs(z).max()) < TOLERANCE
    assert float(abs((late["rms_z"] - 1) / late["rms_z_mcse"]).max()) < TOLERANCE


def test_rows_of_density_on_exact_curves():
    sizes = np.array([10, 20, 40, 80])
    rows = np.array([3.0, 15.0, 35.0, 200.0])
    gaussian = lambda n: -0.5 * np.log1p(1 / n)  # noqa: E731
    found, error = rows_of_density(
        gaussian(rows)[:, None] * np.ones(5), gaussian(sizes)[:, None] * np.ones(5), sizes
    )
    assert np.allclose(found, rows) and np.allclose(error, 0, atol=1e-9)
    regular = lambda n: -2.5 / n + 4 / n**2  # noqa: E731
    found, _ = rows_of_density(
        regular(rows[1:3])[:, None] * np.ones(2), regular(sizes)[:, None] * np.ones(2), sizes
    )
    assert np.allclose(found, rows[1:3], rtol=0.02)
    above, _ = rows_of_density([1.0, 1.0], gaussian(sizes)[:, None] * np.ones(2), sizes)
    assert above == np.inf
    falling, _ = rows_of_density([-1.0, -1.0], -gaussian(sizes)[:, None] * np.ones(2), sizes)
    assert np.isnan(falling)


def test_error_of_rows_by_density():
    """The first-order error is the spread over repeats within a tenth and its own 4 MCSE."""
    rng = np.random.default_rng(8)
    sizes, repeats, replicates = np.array([10, 20, 30]), 800, 60
    shared = 0.005 * rng.normal(size=(repeats, 1, replicates))
    noise = 0.005 * rng.normal(size=(repeats, 4, replicates)) + shared
    level = -0.5 * np.log1p(1 / np.array([15, *sizes]))[:, None] + noise
    pairs = [rows_of_density(one[0], one[1:], sizes) for one in level]
    rows, errors = np.array(pairs).T
    assert abs(np.log(np.std(rows) / np.mean(errors))) < 0.1 + TOLERANCE / np.sqrt(2 * repeats)
    # Rows are 1 / z: their mean is high by the squared relative error.
    bias = 15 * (np.std(rows) / 15) ** 2
    assert abs(np.mean(rows) - 15 - bias) < TOLERANCE * np.std(rows) / np.sqrt(repeats)


@pytest.mark.parametrize("replicates", [600, pytest.param(6_000, marks=pytest.mark.verification)])
def test_worth_by_held_out_density(replicates):
    """Plug-in loops at the pooled share: six comparisons at 4 MCSE, false alarm below 4e-4.

    A posterior of mean squared error R and variance v predicts a row with the expected log density
    -log(1 + v)/2 - (S + R)/(2 (1 + v)) where S is the held-out rows' mean square.
    """
    n, generations = 10, 6
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.pooled(emission="plug-in"),
        n_real=n,
        generations=generations,
        replicates=replicates,
        keep_draws=0,
        keep_rows="none",
        held_out=4_000,
        seed=53,
    )
    run = experiment.run(progress=False)
    found = posterior_accuracy(run).isel(scheme=0)
    held = experiment.held_out_rows["y"]
    square = float((held**2).mean())

    def density(risk, variance):
        return -0.5 * np.log1p(variance) - (square + risk) / (2 * (1 + variance))

    risk = theory.mean_risk(generations, n=n, m=n, real_share=0.5)
    claimed = np.where(np.arange(generations) > 0, 1 / (2 * n), 1 / n)
    laws = [
        brentq(lambda x, level=level: density(1 / x, 1 / x) - level, 1, 1_000)
        for level in density(risk, claimed)
    ]
    value, error = found["rows_worth_density"], found["rows_worth_density_mcse"]
    assert value.dims == ("generation",)
    assert value.attrs["sizes"] == [10, 20, 30, 40, 50, 60]
    assert np.all(np.abs(value - laws) < TOLERANCE * error), (value.values, laws, error.values)
    assert np.all(error < 1.5 * value[0])
    # At generation 0 it is the fit to n real rows.
    assert abs(float(value[0]) - n) < TOLERANCE * float(error[0])


def test_overclaiming_costs_rows_by_density_but_not_by_error():
    """A total weight of 400 on 3 rows leaves the mean as it is, and predicts worse."""
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.weighted(1.0, total_weight=400.0),
        n_real=3,
        generations=4,
        replicates=2_000,
        keep_draws=0,
        keep_rows="none",
        held_out=4_000,
        seed=54,
    )
    found = posterior_accuracy(experiment.run(progress=False)).isel(scheme=0)
    assert np.allclose(found["rows_worth"], 3)
    late = float(found["rows_worth_density"][1:].mean())
    error = float(found["rows_worth_density_mcse"][1:].mean())
    # log(1 + 1/n)/2 = 1/6 at the size n that does as well, up to terms of order 1/400.
    assert abs(late - 1 / np.expm1(1 / 3)) < TOLERANCE * error
    assert late < 3 - TOLERANCE * error


def test_density_worth_says_what_it_needs():
    run = run_mean(bc.schemes.pooled(), 4, generations=2, held_out=30, references=("real_only",))
    assert json.loads(run.attrs["configuration"])["n_real"] == [20, 20]
    missing = posterior_accuracy(run).attrs["missing"]
    assert "those of 20 alone (add 'real_seen' to references= of the experiment)" in missing
    short = run_mean(
        bc.schemes.pooled(), 4, generations=1, held_out=30, references=("real_only", "real_seen")
    )
    assert (
        "20 alone (run the experiment with more generations"
        in (posterior_accuracy(short).attrs["missing"])
    )
    none = run_mean(bc.schemes.pooled(), 4, generations=2, held_out=30)
    assert (
        "takes real samples of two sizes (add 'real_seen'"
        in (posterior_accuracy(none).attrs["missing"])
    )


def test_a_density_that_does_not_rise_with_rows_is_named():
    run = run_mean(
        bc.schemes.pooled(), 50, generations=2, held_out=400, references=("real_only", "real_seen")
    )
    found = posterior_accuracy(run)
    assert "rows_worth_density" not in found.attrs["missing"]
    assert found["rows_worth_density"].notnull().all()
    for name in ("real_only", "real_seen"):
        place = f"reference/{name}/predictive"
        run[place] = -run[place].to_dataset()
    found = posterior_accuracy(run)
    assert found["rows_worth_density"].isnull().all()
    assert "rows_worth_density: the fitted held-out density" in found.attrs["missing"]
    assert "more replicates, and more rows in held_out=" in found.attrs["missing"]
