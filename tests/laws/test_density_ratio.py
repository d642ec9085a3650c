"""Density-ratio weights in the loop: they undo a distortion, and add no information."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import categorical, gaussian_mean, linear_regression
from bayescollapse.schemes.density_ratio import DensityRatio
from bayescollapse.schemes.selection.balance import ClassBalance
from tests.laws.support import assert_mean, posterior_mean, sweep

LINEAR = DensityRatio(degree=1)


def gaussian_run(replicates, rows, weighting):
    schemes = {
        "weighted": bc.Scheme(weighting=weighting, emission="plug-in"),
        "real only": bc.Scheme(weighting=1.0, emission="plug-in"),
    }
    return sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=rows,
        generations=4,
        replicates=replicates,
        seed=59,
    )


def check_information(run, rows):
    """To first order the weighted synthetic mean is the real mean: the error is that of n rows."""
    mean = posterior_mean(run, "mu", "weighted")
    assert_mean(rows * mean**2, 1.0, slack=0.03)
    difference = mean - posterior_mean(run, "mu", "real only")
    assert rows * (difference**2).mean() < 0.02


@pytest.mark.parametrize(
    ("replicates", "rows"), [(128, 200), pytest.param(1280, 400, marks=pytest.mark.verification)]
)
def test_weighted_synthetic_rows_tell_nothing_that_the_real_ones_do_not(replicates, rows):
    """Four comparisons at 4 MCSE, with 3 % for terms beyond the first order in 1/n."""
    check_information(gaussian_run(replicates, rows, LINEAR), rows)


def test_pooling_fails_that_law():
    """Negative control: equal weights use the synthetic rows, and err less than n rows."""
    run = gaussian_run(128, 200, "pooled")
    with pytest.raises(AssertionError):
        check_information(run, 200)
    assert 200 * (posterior_mean(run, "mu", "weighted")[:, -1] ** 2).mean() < 0.9


@pytest.mark.parametrize("replicates", [128, pytest.param(1280, marks=pytest.mark.verification)])
def test_weights_of_rows_of_one_law_hardly_cost_effective_rows(replicates):
    """The fitted slope has variance 3/n (real rows, synthetic rows, the point that emitted them).

    Weights exp(slope * y) of half the rows then lose the share 3/(2 n) of the effective size, to
    first order: 5 % slack at n = 200.
    """
    run = gaussian_run(replicates, 200, LINEAR)
    training = run["training"].to_dataset().sel(scheme="weighted")
    np.testing.assert_allclose(training["total_weight"].isel(generation=slice(1, None)), 400.0)
    np.testing.assert_allclose(training["real_share"].isel(generation=slice(1, None)), 0.5)
    lost = 1 - training["kish"].isel(generation=slice(1, None)).to_numpy() / 400
    assert_mean(lost, 3 / (2 * 200), slack=0.05)


TRUTH = np.array([0.6, 0.3, 0.1])


def balanced_run(weighting, replicates=128):
    return sweep(
        categorical.estimator(categories=3),
        bc.Truth(p=TRUTH),
        bc.Scheme(selection=ClassBalance("y", 3), weighting=weighting, emission="plug-in"),
        n_real=300,
        generations=3,
        replicates=replicates,
        seed=61,
    )


def check_balanced(run):
    """Indicators make the classifier saturated: weighted shares are those of the real rows."""
    expected = (1 + 600 * TRUTH) / (3 + 600)
    assert_mean(
        posterior_mean(run, "p"),
        np.stack([(1 + 300 * TRUTH) / 303, expected, expected]),
        slack=0.02,
    )


def test_weights_undo_class_balance():
    """Nine comparisons at 4 MCSE, and 2 % for the classifier's penalty."""
    check_balanced(balanced_run(DensityRatio(degree=1)))


@pytest.mark.parametrize("weighting", ["pooled", DensityRatio(degree=1, levels=2)])
def test_other_weightings_do_not_undo_it(weighting):
    """Negative control: equal weights, or a classifier that takes codes for numbers."""
    run = balanced_run(weighting)
    with pytest.raises(AssertionError, match="MCSE"):
        check_balanced(run)


def test_rows_with_covariates_in_a_stored_scheme():
    """A regression on one design: all rows have weights, and the same run has the same bits."""
    scheme = bc.Scheme(weighting=DensityRatio(folds=2), covariates="fixed")

    def run():
        return sweep(
            linear_regression.estimator(features=2, noise_sd=1.0),
            bc.Truth(beta=[1.0, -1.0], covariates=bc.sources.NormalCovariates(2)),
            bc.Scheme.from_dict(scheme.to_dict()),
            n_real=30,
            generations=2,
            replicates=2,
            keep_rows="all",
        )

    first = run()
    assert (first["rows"]["weight"] > 0).all()
    xr.testing.assert_identical(first["summary"].to_dataset(), run()["summary"].to_dataset())
