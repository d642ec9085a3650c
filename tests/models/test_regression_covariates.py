"""The covariates axis of a regression: synthetic rows carry the covariates that it promises."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import linear_regression

N, GENERATIONS, REPLICATES = 25, 4, 3
BETA = np.array([1.0, -2.0])


def run(axis, *, covariates, n_synthetic=N, supply="fresh"):
    experiment = bc.Experiment(
        linear_regression.estimator(features=2, noise_sd=0.1, prior_sd=1.0),
        bc.Truth(beta=BETA, covariates=covariates),
        {"loop": bc.schemes.pooled(supply=supply, covariates=axis)},
        n_real=N,
        n_synthetic=n_synthetic,
        generations=GENERATIONS,
        replicates=REPLICATES,
        keep_rows="all",
        seed=3,
    )
    return experiment.run(progress=False)


def rows_of(result, replicate, generation):
    """Covariates and responses of a generation's real and synthetic rows."""
    cell = bc.cell(result, scheme="loop", replicate=replicate, generation=generation)
    real = cell["constant_data"]["real"].to_numpy().astype(bool)
    x, y = cell["constant_data"]["x"].to_numpy(), cell["observed_data"]["y"].to_numpy()
    return (x[real], y[real]), (x[~real], y[~real])


def cells():
    return [(r, t) for r in range(REPLICATES) for t in range(1, GENERATIONS)]


def normal_covariates(m, rng):
    return xr.Dataset({"x": (("obs", "feature"), rng.normal(5.0, 2.0, size=(m, 2)))})


def row_set(x):
    return {tuple(row) for row in x}


def test_source_covariates_are_fresh():
    """From the truth's distribution, and shared with no real row and no other generation."""
    result = run("source", covariates=normal_covariates)
    seen, everything = set(), []
    for replicate, t in cells():
        real, synthetic = rows_of(result, replicate, t)
        assert len(synthetic[0]) == N
        assert not row_set(synthetic[0]) & (row_set(real[0]) | seen)
        seen |= row_set(synthetic[0]) | row_set(real[0])
        everything.append(synthetic[0])
    x = np.concatenate(everything)
    # Mean and sd of 450 normal numbers at |z| > 4: false alarm 1.3e-4.
    assert abs(x.mean() - 5.0) < 4 * 2.0 / np.sqrt(x.size)
    assert abs(x.std() - 2.0) < 4 * 2.0 / np.sqrt(2 * x.size)


@pytest.mark.parametrize("supply", ["fresh", "fixed", "stream"])
def test_resampled_covariates_are_rows_of_the_current_real_batch(supply):
    """The real batch of the generation that emitted, with replacement, any number of rows."""
    result = run("resample", covariates=normal_covariates, n_synthetic=40, supply=supply)
    for replicate, t in cells():
        emitting = rows_of(result, replicate, t - 1)[0][0][-N:]  # A stream keeps older rows first.
        _, synthetic = rows_of(result, replicate, t)
        assert len(synthetic[0]) == 40
        assert row_set(synthetic[0]) <= row_set(emitting)
        assert len(row_set(synthetic[0])) < N  # 40 draws of 25 rows miss none with p = 1e-4.


def test_fixed_covariates_are_the_design():
    design = normal_covariates(N, np.random.default_rng(1))
    result = run("fixed", covariates=design)
    for replicate, t in cells():
        real, synthetic = rows_of(result, replicate, t)
        np.testing.assert_array_equal(synthetic[0], design["x"])
        np.testing.assert_array_equal(real[0], design["x"])
        assert not np.array_equal(synthetic[1], real[1])


def test_fixed_covariates_of_a_random_design_are_the_first_rows_under_a_fixed_supply():
    result = run("fixed", covariates=normal_covariates, supply="fixed")
    for replicate, t in cells():
        first = rows_of(result, replicate, 0)[0][0]
        np.testing.assert_array_equal(rows_of(result, replicate, t)[1][0], first)


@pytest.mark.parametrize("axis", ["source", "resample", "fixed"])
def test_responses_belong_to_their_covariates(axis):
    """A noise sd of 0.1 around slopes of 1 and 2 leaves no doubt which covariates made a row."""
    design = normal_covariates(N, np.random.default_rng(1))
    result = run(axis, covariates=design if axis == "fixed" else normal_covariates)
    for replicate, t in cells():
        x, y = rows_of(result, replicate, t)[1]
        assert np.abs(y - x @ BETA).max() < 1.0 < np.abs(y[::-1] - x @ BETA).max()
