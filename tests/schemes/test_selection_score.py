"""Selection by score, and scores given as models, against sorting, scipy and truncated normals."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy import stats
from scipy.special import logsumexp

from bayescollapse import theory
from bayescollapse.models import categorical, gaussian, linear_regression
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.model_score import ModelScore
from bayescollapse.schemes.selection.rewards import LinearReward, TableReward
from bayescollapse.schemes.selection.score import Threshold, TopShare
from tests.laws.support import assert_mean


def label(rows):
    return xr.Dataset({k: (("replicate", "obs", "feature")[: v.ndim], v) for k, v in rows.items()})


def context(m=10):
    return Context(1, 0, m, np.random.default_rng(0), label=label)


def own_score(proposed, context):
    """A person's own score."""
    return -np.abs(proposed["y"].to_numpy())


def bad_shape(proposed, context):
    return np.ones(3)


def not_a_number(proposed, context):
    return np.full(proposed["y"].shape, np.nan)


def test_the_best_rows_are_kept():
    y = np.random.default_rng(1).normal(size=(5, 40))
    top = TopShare(own_score, keep=0.25)
    assert top.proposals(10) == 40
    kept = top.select({"y": y}, context(10))
    expected = np.sort(np.abs(y), axis=1)[:, 9:10]
    np.testing.assert_array_equal(kept, np.abs(y) <= expected)


@pytest.mark.parametrize(("m", "keep", "proposed"), [(10, 0.3, 34), (21, 0.35, 60), (7, 1.0, 7)])
def test_proposals_are_rounded_up(m, keep, proposed):
    top = TopShare(LinearReward(1.0), keep)
    assert top.proposals(m) == proposed
    y = np.random.default_rng(1).normal(size=(5, proposed))
    np.testing.assert_array_equal(top.select({"y": y}, context(m)).sum(axis=1), m)


def test_kept_normals_are_truncated_at_the_quantile():
    """Mean of the best fifth; the finite number of rows moves it by less than 1/proposals."""
    y = np.random.default_rng(2).normal(size=(128, 5000))
    kept = TopShare(LinearReward(1.0), 0.2).select({"y": y}, context(1000))
    law = theory.truncated_moments(stats.norm.ppf(0.8), np.inf).mean
    means = np.where(kept, y, 0).sum(axis=1) / 1000
    assert_mean(means, law, slack=1 / 5000)
    wrong = theory.truncated_moments(stats.norm.ppf(0.78), np.inf).mean
    with pytest.raises(AssertionError):
        assert_mean(means, wrong, slack=1 / 5000)


def test_top_share_of_every_category():
    rng = np.random.default_rng(3)
    y, code = rng.normal(size=(6, 60)), np.tile(np.arange(3), 20)[None]
    top = TopShare(LinearReward(1.0, response="y"), keep=0.2, per="code")
    kept = top.select({"y": y, "code": code}, context(12))
    for k in range(3):
        group = np.where(code == k, y, -np.inf)
        np.testing.assert_array_equal(
            kept & (code == k), group >= np.sort(group, axis=1)[:, -4:][:, :1]
        )
    np.testing.assert_array_equal(kept.sum(axis=1), 12)


def test_a_rare_category_gives_all_it_has():
    y = np.arange(8.0)[None]
    code = np.array([[0, 0, 0, 0, 0, 0, 1, 0]])
    top = TopShare(LinearReward(1.0, response="y"), keep=0.5, per="code", categories=2)
    kept = top.select({"y": y, "code": code}, context(4))
    np.testing.assert_array_equal(kept[0], [0, 0, 0, 0, 1, 1, 1, 1])
    with pytest.raises(ValueError, match="which do not divide"):
        top.select({"y": y, "code": code}, context(3))
    with pytest.raises(ValueError, match="codes of at least 0 and below 2"):
        top.select({"y": y, "code": code + 1}, context(4))
    with pytest.raises(ValueError, match="integer code"):
        top.select({"y": y, "code": code + 0.5}, context(4))


def test_threshold():
    y = np.random.default_rng(1).normal(size=(5, 40))
    np.testing.assert_array_equal(
        Threshold(own_score, at_least=-0.5).select({"y": y}, context()), np.abs(y) <= 0.5
    )


def test_rows_above_a_density_are_a_ball():
    """Mean and variance of rows that a Gaussian verifier finds likely: a truncated normal."""
    y = np.random.default_rng(4).normal(size=(128, 2000))
    verifier = ModelScore(gaussian.estimator, {"mu": 0.5, "sigma": 2.0})
    at_least = stats.norm.logpdf(0.5 + 1.1, 0.5, 2.0)
    accepted = Threshold(verifier, float(at_least)).select({"y": y}, context())
    law = theory.truncated_moments(0.5 - 1.1, 0.5 + 1.1)
    assert_mean(y[accepted], law.mean)
    assert_mean((y[accepted] - law.mean) ** 2, law.variance)


def test_model_score_is_the_log_density():
    rng = np.random.default_rng(5)
    rows = {"y": rng.normal(size=(4, 20)), "x": rng.normal(size=(1, 20, 2)), "other": np.ones(3)}
    beta = np.array([1.0, -0.5])
    score = ModelScore(
        linear_regression.estimator, {"beta": beta}, {"features": 2, "noise_sd": 0.7}
    )
    expected = stats.norm.logpdf(rows["y"], rows["x"] @ beta, 0.7)
    np.testing.assert_allclose(score.score(rows, context()), expected, rtol=1e-12)
    draws = rng.normal(size=(6, 2))
    mixed = ModelScore(
        linear_regression.estimator, {"beta": draws}, {"features": 2, "noise_sd": 0.7}
    )
    each = stats.norm.logpdf(rows["y"], np.einsum("rmp,dp->drm", rows["x"], draws), 0.7)
    expected = logsumexp(each, axis=0) - np.log(6)
    np.testing.assert_allclose(mixed.score(rows, context()), expected, rtol=1e-12)


def test_rows_a_model_rules_out():
    y = np.array([[0, 1, 2]])
    impossible = ModelScore(categorical.estimator, {"p": (0.25, 0.75, 0.0)}, {"categories": 3})
    np.testing.assert_allclose(
        impossible.score({"y": y}, context()), [[np.log(0.25), np.log(0.75), -np.inf]]
    )
    twice = ModelScore(
        categorical.estimator, {"p": ((0.25, 0.75, 0.0), (0.5, 0.5, 0.0))}, {"categories": 3}
    )
    np.testing.assert_allclose(
        twice.score({"y": y}, context()), [[np.log(0.375), np.log(0.625), -np.inf]], rtol=1e-12
    )
    top = TopShare(impossible, keep=0.5)
    np.testing.assert_array_equal(top.select({"y": y}, context(2)), [[True, True, False]])


MADE = []


def any_model(scale):
    """Model without an exact sampler, and a count of how often it is made."""
    MADE.append(scale)
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 10)
        pm.Laplace("y", mu, scale, observed=np.zeros(3))
    return model


def test_any_pymc_model_is_a_score_and_is_made_once():
    y = np.random.default_rng(6).normal(size=(3, 10))
    for mu in (0.3, 0.4, (0.3, 0.4)):
        score = ModelScore(any_model, {"mu": mu}, {"scale": 1.5})
        each = stats.laplace.logpdf(y, np.reshape(mu, (-1, 1, 1)), 1.5)
        expected = logsumexp(each, axis=0) - np.log(np.size(mu))
        # PyTensor keeps the constant scale 1.5, and its logarithm, in single precision.
        np.testing.assert_allclose(score.score({"y": y}, context()), expected, rtol=1e-7)
    assert MADE == [1.5]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TopShare("best", 0.5), "score must be a function"),
        (lambda: TopShare(own_score, 0.0), "keep must lie in"),
        (lambda: TopShare(own_score, 1.1), "keep must lie in"),
        (lambda: TopShare(own_score, 0.5, categories=3), "per=, which is not given"),
        (lambda: TopShare(own_score, 0.5, per=3), "per must be the name"),
        (lambda: Threshold(3.0, 0.5), "score must be a function"),
        (lambda: Threshold(own_score, np.inf), "at_least must be a finite number"),
        (lambda: Threshold(own_score, 0.0, max_proposals=0), "max_proposals must be an integer"),
        (lambda: ModelScore("gaussian", {"mu": 0.0}), "factory must be a function"),
        (lambda: ModelScore(gaussian.estimator, {}), "parameters must give a value"),
        (lambda: ModelScore(gaussian.estimator, 3.0), "parameters must map names"),
        (lambda: ModelScore(gaussian.estimator, {"mu": np.nan}), "must be finite numbers"),
        (lambda: ModelScore(gaussian.estimator, {"mu": [[1.0], [1.0, 2.0]]}), "rectangular"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (bad_shape, "one number per row"),
        (not_a_number, "returned 20 NaN"),
        (ModelScore(gaussian.estimator, {"mu": 0.0}), "parameters must be \\['mu', 'sigma'\\]"),
        (ModelScore(gaussian.estimator, {"mu": (0.0, 1.0), "sigma": 1.0}), "leading axis"),
        (
            ModelScore(
                linear_regression.estimator, {"beta": (1.0,), "sigma": 1.0}, {"features": 1}
            ),
            "factory reads \\['x'\\]",
        ),
        (TableReward((0.0, 1.0)), "one integer code per row"),
    ],
)
def test_scores_that_do_not_fit_are_refused(score, message):
    y = np.random.default_rng(0).normal(size=(2, 10))
    with pytest.raises(ValueError, match=message):
        Threshold(score, 0.0).select({"y": y}, context())


def test_scores_are_values():
    first = ModelScore(gaussian.estimator, {"sigma": 1.0, "mu": np.zeros(2)}, {"prior": None})
    second = ModelScore(gaussian.estimator, {"mu": [0, 0], "sigma": 1}, {"prior": None})
    assert first == second
    assert hash(TopShare(first, 0.5)) == hash(TopShare(second, 0.5))
    assert ModelScore(first.factory, first.parameters, first.arguments) == first
    proposed = label({"y": np.ones((2, 3))})
    np.testing.assert_array_equal(LinearReward(2.0)(proposed, context()), 2 * np.ones((2, 3)))
    reads = LinearReward(1.0)
    assert not TopShare(reads, 0.5).reads_oracle
    assert not Threshold(reads, 0.5).reads_oracle
