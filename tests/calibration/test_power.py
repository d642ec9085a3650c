"""Calibration checks see estimators that are wrong on purpose."""

from dataclasses import dataclass

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.models import gaussian_mean
from bayescollapse.models.gaussian_mean import GaussianMeanSampler
from tests.calibration.cases import LEVEL, Case
from tests.calibration.harness import LIKELIHOOD, calibrate, rank_of_truth

PRIOR = {"sd": 1.0, "prior_mean": 0.0, "prior_sd": 1.0}
CASE = Case("wrong on purpose", lambda: gaussian_mean.estimator(**PRIOR), 5, ("exact",))


@dataclass(frozen=True)
class Overconfident(GaussianMeanSampler):
    """Posterior sd too small by 20 %."""

    def draw(self, stats, draws, rng):
        mu, mean = super().draw(stats, draws, rng)["mu"], self.mean(stats)["mu"]
        return {"mu": mean[:, None] + 0.8 * (mu - mean[:, None])}


@dataclass(frozen=True)
class Blind(GaussianMeanSampler):
    """Draws from the prior, whatever the rows: every parameter's ranks are uniform."""

    def draw(self, stats, draws, rng):
        shape = (stats[1].shape[0], draws)
        return {"mu": self.prior_mean + self.prior_sd * rng.standard_normal(shape)}


def with_sampler(sampler):
    return bc.Estimator(lambda: gaussian_mean.model(**PRIOR), exact=sampler(**PRIOR))


def test_the_right_estimator_passes():
    assert calibrate(CASE, "exact", 1_000).worst()[1] > LEVEL


def test_too_small_an_sd_is_seen():
    calibration = calibrate(CASE, "exact", 1_000, estimator=with_sampler(Overconfident))
    assert calibration.p_values()["mu"] < LEVEL


@pytest.mark.parametrize("wrong", [{"prior_sd": 2.0}, {"prior_mean": 0.6}])
def test_another_prior_than_the_truths_is_seen(wrong):
    truth = bc.Truth.from_prior(estimator=gaussian_mean.estimator(**{**PRIOR, **wrong}))
    assert calibrate(CASE, "exact", 1_000, source=truth).worst()[1] < LEVEL


def test_a_posterior_that_ignores_rows_is_seen_by_the_likelihood_alone():
    values = calibrate(CASE, "exact", 1_000, estimator=with_sampler(Blind)).p_values()
    assert values["mu"] > LEVEL
    assert values[LIKELIHOOD] < LEVEL


def test_ties_are_broken_evenly():
    """Truth and draws on two atoms: ranks are uniform (4 standard errors in 11 cells)."""
    rng = np.random.default_rng(1)
    values = rng.integers(2, size=(40_000, 11))
    ranks = rank_of_truth(values[:, 0], values[:, 1:], rng)
    share = np.bincount(ranks, minlength=11) / len(ranks)
    assert np.abs(share - 1 / 11).max() < 4 * np.sqrt(1 / 11 / len(ranks))
