"""Truncation: nothing changes at the limit, and a known error growth below it."""

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad
from scipy.special import bdtr, ndtr, ndtri

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import categorical, gaussian_mean
from bayescollapse.schemes.selection.truncation import Truncation
from tests.laws.support import assert_mean, posterior_mean, sweep

ROWS, GENERATIONS = 20, 5


@pytest.mark.parametrize(
    ("estimator", "truth", "limit"),
    [
        (categorical.estimator(categories=3), {"p": [0.7, 0.2, 0.1]}, {"threshold": 1.0}),
        (gaussian_mean.estimator(), {"mu": 1.0}, {"quantile": 1.0}),
    ],
)
def test_the_limit_keeps_all_to_the_last_bit(estimator, truth, limit):
    tighter = {name: 0.5 for name in limit}
    schemes = {
        "all": bc.schemes.weighted(0.4),
        "limit": bc.schemes.weighted(0.4, selection=Truncation(**limit)),
        "tighter": bc.schemes.weighted(0.4, selection=Truncation(**tighter)),
    }
    run = sweep(estimator, bc.Truth(truth), schemes, n_real=30, generations=5, replicates=40)
    summary = run["summary"].to_dataset()
    xr.testing.assert_identical(
        summary.sel(scheme="limit", drop=True), summary.sel(scheme="all", drop=True)
    )
    tight, every = (summary.sel(scheme=s, drop=True) for s in ("tighter", "all"))
    assert not tight.equals(every)


def test_a_lineage_without_rows_below_the_threshold_keeps_all_and_is_marked():
    run = sweep(
        categorical.estimator(categories=2),
        bc.Truth(p=[0.98, 0.02]),
        bc.schemes.replace(emission="plug-in", selection=Truncation(threshold=0.9)),
        n_real=30,
        generations=2,
        replicates=100,
    )
    training = run["training"].to_dataset().isel(scheme=0)
    accepted, short = (training[name].isel(generation=0) for name in ("accepted", "short"))
    np.testing.assert_array_equal(short, accepted == 0)
    assert 0 < short.sum() < 100
    used = training["synthetic_rows"].isel(generation=1)
    np.testing.assert_array_equal(used, xr.where(short, 30, accepted))


def tail_square(rows, kept):
    """Mean square of the `kept` largest of `rows` standard normals in magnitude (exact)."""

    def integrand(z):
        larger = 2 * ndtr(-z)
        density = 2 * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        return z**2 * density * bdtr(kept - 1, rows - 1, larger)

    return rows / kept * quad(integrand, 0, 12, epsabs=1e-12)[0]


def test_tail_square_is_that_of_a_truncated_normal_in_large_batches():
    for share in (0.5, 0.8):
        edge = -ndtri(share / 2)
        middle = theory.truncated_moments(-edge, edge).variance
        limit = (1 - (1 - share) * middle) / share
        np.testing.assert_allclose(tail_square(20_000, int(20_000 * share)), limit, rtol=1e-3)
    np.testing.assert_allclose(tail_square(20, 20), 1.0, rtol=1e-9)


def error_path(quantile, replicates, *, selection=Truncation):
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(emission="plug-in", selection=selection(quantile=quantile)),
        n_real=ROWS,
        generations=GENERATIONS,
        replicates=replicates,
        seed=41,
    )
    np.testing.assert_array_equal(run["training"]["accepted"][..., :-1], round(quantile * ROWS))
    return posterior_mean(run, "mu") ** 2


def law(quantile):
    """Error variance: every generation adds the mean of the rows in the two tails."""
    kept = round(quantile * ROWS)
    return 1 / ROWS + np.arange(GENERATIONS) * tail_square(ROWS, kept) / kept


@pytest.mark.parametrize("quantile", [0.5, 0.8])
@pytest.mark.parametrize("replicates", [3000, pytest.param(30_000, marks=pytest.mark.verification)])
def test_error_of_a_truncated_gaussian_mean(quantile, replicates):
    """Five comparisons at 4 MCSE: false alarm below 4e-4.

    The density is a mean over 200 posterior draws, whose centre errs by a 200th of the posterior
    variance: 0.5 % slack.
    """
    assert_mean(error_path(quantile, replicates), law(quantile), slack=0.005)


def test_the_law_fails_for_another_share():
    with pytest.raises(AssertionError, match="MCSE"):
        assert_mean(error_path(0.6, 3000), law(0.5), slack=0.005)
    keep_all = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(emission="plug-in"),
        n_real=ROWS,
        generations=GENERATIONS,
        replicates=3000,
    )
    with pytest.raises(AssertionError, match="MCSE"):
        assert_mean(posterior_mean(keep_all, "mu") ** 2, law(0.8), slack=0.005)
