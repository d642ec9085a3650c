"""Sources: truths, tables and simulators."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.experiment.executor import local_processes
from bayescollapse.models import categorical, gaussian_mean, linear_regression
from bayescollapse.sources import NormalCovariates
from bayescollapse.sources.base import Place
from bayescollapse.streams import Streams

PLACE = Place(Streams(1), 0, 0, 64)


def test_truth_draws_rows_at_its_parameters():
    bound = bc.Truth(mu=3.0).bind(gaussian_mean.estimator(sd=2.0), seed=0)
    y = bound.real(100, PLACE)["y"]
    assert y.shape == (64, 100)
    assert abs(y.mean() - 3) < 4 * 2 / np.sqrt(y.size)
    np.testing.assert_array_equal(bound.truth(PLACE), np.full((64, 1), 3.0))


def test_truth_from_prior_is_new_in_every_replicate():
    estimator = gaussian_mean.estimator(prior_mean=1.0, prior_sd=0.5)
    bound = bc.Truth.from_prior().bind(estimator, seed=0)
    truth = bound.truth(PLACE)[:, 0]
    assert len(np.unique(truth)) == 64
    assert abs(truth.mean() - 1) < 4 * 0.5 / 8
    y = bound.real(2000, PLACE)["y"]
    assert (np.abs(y.mean(axis=1) - truth) < 5 / np.sqrt(2000)).all()
    np.testing.assert_array_equal(truth, bound.truth(Place(Streams(1), 0, 5, 64))[:, 0])


def test_misspecified_truth():
    """Rows from a quadratic-free model of other parameters: unknown truths are NaN."""
    learner = gaussian_mean.estimator()
    other = bc.models.gaussian.estimator()
    bound = bc.Truth(mu=1.0, sigma=4.0, estimator=other).bind(learner, seed=0)
    y = bound.real(100, PLACE)["y"]
    assert 3.8 < y.std() < 4.2
    np.testing.assert_array_equal(bound.truth(PLACE)[:, 0], 1.0)


@pytest.mark.parametrize("form", ["distribution", "function", "design"])
def test_covariates(form):
    design = xr.Dataset({"x": (("obs", "feature"), np.arange(6.0).reshape(3, 2))})
    covariates = {
        "distribution": NormalCovariates(2, mean=1.0, sd=0.5),
        "function": lambda m, rng: xr.Dataset(
            {"x": (("obs", "feature"), rng.normal(1, 0.5, (m, 2)))}
        ),
        "design": design,
    }[form]
    estimator = linear_regression.estimator(features=2, noise_sd=1.0)
    bound = bc.Truth(beta=[1.0, 1.0], covariates=covariates).bind(estimator, seed=0)
    x = bound.covariates(3, PLACE)["x"]
    assert x.shape == (64, 3, 2)
    if form == "design":
        np.testing.assert_array_equal(x[5], design["x"])
        with pytest.raises(ValueError, match="fixed design of 3 rows, but 4 rows"):
            bound.real(4, PLACE)
    else:
        assert abs(x.mean() - 1) < 4 * 0.5 / np.sqrt(x.size)


def test_table_resamples_its_rows():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.0, 1.0, 0.0], "out": [5.0, 6.0, 7.0]})
    source = bc.Table(frame, variables={"y": "out", "x": ["a", "b"]}, truth={"beta": [0.0, 0.0]})
    bound = source.bind(linear_regression.estimator(features=2, noise_sd=1.0), seed=0)
    rows = bound.real(500, PLACE)
    assert set(np.unique(rows["y"])) == {5.0, 6.0, 7.0}
    np.testing.assert_array_equal(rows["x"][..., 0], rows["y"] - 4)
    counts = np.unique(rows["y"], return_counts=True)[1] / rows["y"].size
    assert (np.abs(counts - 1 / 3) < 4 * np.sqrt(2 / 9 / rows["y"].size)).all()


def test_table_codes_categories_and_fits_its_truth():
    frame = pd.DataFrame({"answer": ["no"] * 60 + ["yes"] * 30 + [None] * 10})
    source = bc.Table(frame, variables={"y": "answer"}, truth="fit")
    assert source.labels("y") == ["no", "yes", "missing"]
    bound = source.bind(categorical.estimator(categories=3), seed=0)
    expected = np.array([61, 31, 11]) / 103
    np.testing.assert_allclose(bound.truth(PLACE)[0], expected, atol=4 * 0.05 / np.sqrt(2000))
    shipped = source.resolved(bound, categorical.estimator(categories=3).schema)
    np.testing.assert_array_equal(
        shipped.bind(categorical.estimator(categories=3), seed=0).truth(PLACE), bound.truth(PLACE)
    )


def test_numbers_are_coded_where_asked():
    frame = pd.DataFrame({"rating": [1.0, 5.0, 3.0, 5.0]})
    source = bc.Table(frame, variables={"y": "rating"}, categorical=["y"])
    bound = source.bind(categorical.estimator(categories=3), seed=0)
    np.testing.assert_array_equal(bound.table["y"][0], [0, 2, 1, 2])
    assert source.labels("y") == [1.0, 3.0, 5.0]


def test_simulator():
    source = bc.Simulator(
        lambda m, rng: xr.Dataset({"y": ("obs", rng.normal(2, 1, m))}), truth={"mu": 2.0}
    )
    run = bc.Experiment(
        gaussian_mean.estimator(),
        source,
        bc.schemes.pooled(),
        n_real=50,
        generations=3,
        replicates=100,
    ).run(progress=False)
    mean = run["summary"]["mu"].sel(statistic="mean").isel(generation=0).to_numpy()
    assert abs(mean.mean() - 2) < 4 / np.sqrt(50 * 100)
    assert float(run["truth"]["mu"][0]) == 2.0


def test_truth_fitted_in_a_worker_is_the_same():
    frame = pd.DataFrame({"y": np.random.default_rng(1).normal(size=300)})
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Table(frame, truth="fit"),
        bc.schemes.pooled(),
        n_real=20,
        generations=2,
        replicates=3,
    )
    here = experiment.run(progress=False)
    with local_processes(1) as pool:
        there = experiment.run(progress=False, executor=pool)
    xr.testing.assert_identical(here["truth"].to_dataset(), there["truth"].to_dataset())
    xr.testing.assert_identical(here["summary"].to_dataset(), there["summary"].to_dataset())
