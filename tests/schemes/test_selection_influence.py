"""Influence against the exact derivative of a weighted Gaussian posterior."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.models.gaussian_mean import GaussianMeanSampler
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.influence import Influence, row_influence
from tests.schemes.gaussian_context import gaussian_context


def expected_density(sampler, old, row, weight, real):
    """Exact posterior mean of the mean real log-likelihood when `row` is added with `weight`."""
    stats = sampler.merge(
        [
            sampler.suffstats({"y": old[None]}, None),
            sampler.suffstats({"y": np.full((1, 1), row)}, None),
        ],
        [1.0, weight],
    )
    centre, sd = sampler.summary(stats, ())[0, :, 0]
    square = ((real - centre) ** 2).mean() + sd**2
    return -0.5 * square / sampler.sd**2 - 0.5 * np.log(2 * np.pi * sampler.sd**2)


@pytest.mark.parametrize("sampler", [GaussianMeanSampler(), GaussianMeanSampler(2.0, 0.3, 0.5)])
def test_covariance_is_the_derivative_of_the_weighted_posterior(sampler):
    """Central differences of the exact posterior, the formula, and the covariance over draws."""
    rng = np.random.default_rng(4)
    old, real = rng.normal(size=12), rng.normal(0.4, 1.0, size=9)
    rows = np.array([-2.0, -0.5, 0.0, 0.7, 3.0])
    step = 1e-4
    derivative = [
        (
            expected_density(sampler, old, x, step, real)
            - expected_density(sampler, old, x, -step, real)
        )
        / (2 * step)
        for x in rows
    ]
    stats = sampler.suffstats({"y": old[None]}, None)
    centre, sd = sampler.summary(stats, ())[0, :, 0]
    formula = ((rows - centre) * (real.mean() - centre) * sd**2 + sd**4 / 2) / sampler.sd**4
    np.testing.assert_allclose(derivative, formula, rtol=1e-6, atol=1e-10)
    draws = sampler.draw(stats, 200_000, rng)
    measured = row_influence(
        sampler.log_density(draws, {"y": rows[None]}), sampler.log_density(draws, {"y": real[None]})
    )[0]
    # 5 Monte Carlo standard errors of a covariance over independent draws, from 20 batches of it.
    split = {"mu": draws["mu"].reshape(20, 10_000)}
    batches = row_influence(
        sampler.log_density(split, {"y": np.broadcast_to(rows, (20, 5))}),
        sampler.log_density(split, {"y": np.broadcast_to(real, (20, 9))}),
    )
    assert (np.abs(measured - formula) < 5 * batches.std(axis=0, ddof=1) / np.sqrt(20)).all()


def test_the_rows_on_the_side_of_the_real_ones_are_kept():
    """Real rows above the posterior of replicate 0 and below that of replicate 1."""
    y = np.random.default_rng(5).normal(size=(2, 40))
    real = xr.Dataset({"y": (("replicate", "obs"), np.array([[1.0, 2.0], [-2.0, -1.0]]))})
    context = gaussian_context(0.0, replicates=2, n_synthetic=10, real_source=real)
    marks = Influence(keep=0.25).select({"y": y}, context)
    assert marks.dtype == float
    np.testing.assert_array_equal(marks.sum(axis=1), [10, 10])
    order = np.sort(y, axis=1)
    assert y[0, marks[0] == 1].min() == order[0, -10]
    assert y[1, marks[1] == 1].max() == order[1, 9]


def test_exactly_the_wanted_rows_are_marked_where_scores_tie():
    context = gaussian_context(
        0.0, n_synthetic=4, real_source=xr.Dataset({"y": (("replicate", "obs"), np.ones((3, 2)))})
    )
    marks = Influence().select({"y": np.ones((3, 8))}, context)
    np.testing.assert_array_equal(marks.sum(axis=1), 4)


def test_impossible_rows_come_last():
    proposed = np.array([[[-np.inf, 0.0, 1.0], [0.0, 1.0, 0.0]]])
    influence = row_influence(proposed, np.array([[[0.0], [1.0]]]))
    np.testing.assert_allclose(influence, [[-np.inf, 0.5, -0.5]])


@pytest.mark.parametrize(("keep", "expected"), [(0.5, 20), (0.3, 34), (1.0, 10), (0.1, 100)])
def test_proposals_are_rounded_up(keep, expected):
    assert Influence(keep=keep).proposals(10) == expected


def test_real_rows_are_needed():
    context = gaussian_context(0.0, n_synthetic=4)
    with pytest.raises(ValueError, match="none at hand"):
        Influence().select({"y": np.zeros((3, 8))}, context)
    with pytest.raises(ValueError, match="log_likelihood"):
        Influence().select({"y": np.zeros((3, 8))}, Context(1, 0, 4, np.random.default_rng(1)))


@pytest.mark.parametrize("arguments", [{"keep": 0}, {"keep": 1.5}, {"draws": 1}, {"keep": None}])
def test_bad_settings_are_refused(arguments):
    with pytest.raises(ValueError, match="keep|draws"):
        Influence(**arguments)


def test_influence_is_a_value():
    scheme = bc.Scheme(selection=Influence(keep=0.2, draws=50))
    assert bc.Scheme.from_dict(scheme.to_dict()) == scheme
