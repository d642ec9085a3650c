"""Helpers of the law tests: errors of a run, and comparison in Monte Carlo standard errors."""

from __future__ import annotations

import numpy as np
import pytest

import bayescollapse as bc

# |z| > 4 has probability 6.3e-5 under the null. A test of c comparisons fails falsely with
# probability below c * 6.3e-5; seeds are fixed, so a passing test keeps passing.
TOLERANCE = 4.0

# False-alarm probability of every comparison of distributions.
KS_LEVEL = 1e-4


def sweep(estimator, source, schemes, **settings):
    """Run a sweep without draws, rows, quantiles or references."""
    defaults = {"keep_draws": 0, "keep_rows": "none", "references": (), "probabilities": ()}
    return bc.Experiment(estimator, source, schemes, **{**defaults, **settings}).run(progress=False)


def posterior_mean(run, parameter, scheme=None):
    """Posterior means (replicate, generation, ...)."""
    values = run["summary"][parameter].sel(statistic="mean")
    return (values.isel(scheme=0) if scheme is None else values.sel(scheme=scheme)).to_numpy()


def final_draws(run, parameter):
    """Emitting draw (or point) of every lineage at the last generation."""
    return run["emission"][parameter].isel(scheme=0, generation=-1, member=0).to_numpy()


def assert_mean(samples, expected, *, slack=0.0, axis=0):
    """Mean over replicates equals the law within 4 MCSE (plus a stated relative slack)."""
    samples = np.asarray(samples)
    mean = samples.mean(axis=axis)
    mcse = samples.std(axis=axis, ddof=1) / np.sqrt(samples.shape[axis])
    z = np.abs(mean - expected) - slack * np.abs(expected)
    worst = float(np.max(z / mcse))
    assert worst <= TOLERANCE, f"{worst:.1f} MCSE: measured {mean}, law {expected}"


def assert_variance(samples, expected):
    """Variance of independent normal-like samples equals the law within 4 MCSE."""
    centred = (np.asarray(samples) - np.mean(samples, axis=0)) ** 2
    assert_mean(centred * len(samples) / (len(samples) - 1), expected)


def assert_distribution(samples, law):
    """Kolmogorov-Smirnov comparison of independent samples with a law of scipy.stats."""
    from scipy import stats

    found = float(stats.kstest(samples, law.cdf).pvalue)
    assert found > KS_LEVEL, f"Kolmogorov-Smirnov p = {found:.1e}"


def noticed():
    """Expect a law to be broken: the context in which a mutated scheme is checked."""
    return pytest.raises(AssertionError, match=r"MCSE|Kolmogorov-Smirnov p|Not equal to tolerance")
