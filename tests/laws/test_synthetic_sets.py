"""One round of K synthetic data sets of a Gaussian mean: variances of the combined estimate."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian_mean
from tests.laws.support import assert_mean

N, M, K = 30, 40, 6


def rounds(replicates, emission="joint", members=K):
    """Estimates and claimed variances (K, replicate) of rounds through the public functions."""
    estimator = gaussian_mean.estimator()
    rng = np.random.default_rng(7)
    estimates, variances = np.empty((2, members, replicates))
    for r in range(replicates):
        rows = xr.Dataset({"y": ("obs", rng.normal(size=N))})
        posterior = estimator.fit(rows, draws=200, chains=1, seed=r)
        sets = bc.multiple(estimator, posterior, members, M, emission=emission, seed=r)["y"]
        estimates[:, r] = sets.mean("obs")
        variances[:, r] = sets.var("obs", ddof=1) / M
    return estimates, variances


@pytest.fixture(scope="module")
def joint():
    return rounds(400)


def check(estimates, variances):
    """Law of the mean's variance, the unbiased rule, and the rule that overstates."""
    law = theory.ensemble_mean_variance(N, m=M, members=K)
    together = bc.combine(estimates, variances)
    assert_mean(together["mean"].to_numpy() ** 2, law)
    assert_mean(together["variance"].to_numpy(), law)
    naive = bc.combine(estimates, variances, kind="imputation")
    assert_mean(naive["variance"].to_numpy(), law + 2 / M)


def test_combined_variance_is_unbiased(joint):
    """Three comparisons at 4 MCSE: false alarm below 2e-4."""
    check(*joint)


@pytest.mark.verification
def test_combined_variance_is_unbiased_at_full_size():
    check(*rounds(4_000))


def test_one_data_set_claims_too_little(joint):
    """The claim s2/m of one data set against its variance 2 s2/n + s2/m."""
    estimates, variances = joint
    assert_mean(variances[0], 1 / M)
    assert_mean(estimates[0] ** 2, theory.ensemble_mean_variance(N, m=M, members=1))
    assert (estimates[0] ** 2).mean() > 3 * variances[0].mean()


def test_plug_in_data_sets_fail_the_law():
    """Negative control: sets from one value share its error, and T_f averages s2/(K m) only."""
    estimates, variances = rounds(400, emission="plug-in")
    with pytest.raises(AssertionError, match="MCSE"):
        check(estimates, variances)
    assert_mean(bc.combine(estimates, variances)["variance"].to_numpy(), 1 / (K * M))
