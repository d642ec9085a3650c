"""Divergence of predictions from the truth, against closed forms."""

import contextlib

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import bayescollapse as bc
from bayescollapse.experiment.progress import Silent
from bayescollapse.measures import truth_divergence
from bayescollapse.measures.divergence_from_truth import _truth_rows, log_mean_density
from bayescollapse.models import categorical, gaussian, gaussian_mean, linear_regression
from tests.measures.predictions import P, Z, mean_within


def test_log_mean_density_is_corrected():
    rng = np.random.default_rng(9)
    at = rng.normal(0, 0.5, (20_000, 10, 1))
    logs = stats.norm.logpdf(1.0, at, 1.0)
    exact = stats.norm.logpdf(1.0, 0, np.sqrt(1.25))
    mean_within(log_mean_density(logs)[:, 0], exact, bias=0.0005)
    plain = np.log(np.exp(logs).mean(axis=1))[:, 0]
    assert exact - plain.mean() > 0.003
    assert log_mean_density(np.full((3, 1), -np.inf)) == -np.inf


FAMILIES = {
    "gaussian_mean": (gaussian_mean.estimator, {}, {"mu": 1.0}),
    "gaussian": (gaussian.estimator, {}, {"mu": 1.0, "sigma": 2.0}),
    "categorical": (categorical.estimator, {"categories": 5}, {"p": P}),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_divergence_agrees_with_closed_form_predictive_densities(name):
    make, settings, truth = FAMILIES[name]
    experiment = bc.Experiment(
        make(**settings),
        bc.Truth(**truth),
        bc.schemes.replace(),
        n_real=30,
        generations=3,
        replicates=40,
        held_out=300,
        keep_draws=200,
    )
    run = experiment.run(progress=False)
    found = truth_divergence(run, experiment, rows=300)
    # The held-out rows are the rows of the divergence, and their density is in closed form.
    engine = experiment.estimator.engine()
    parameters = {k: np.asarray(v, float)[None, None] for k, v in truth.items()}
    true = engine.log_density(parameters, experiment.held_out_rows).mean()
    exact = true - run["predictive"]["held_out_log_density"]
    gap = (found["truth_divergence"] - exact).isel(generation=-1).to_numpy().ravel()
    # 200 draws leave a bias of order 1 / 200^2 beside the draws' own error.
    mean_within(gap, 0.0, bias=1e-3)
    assert np.abs(gap).max() < 0.2
    assert (found["truth_divergence_error"] > 0).all()


def test_divergence_of_a_gaussian_mean_is_the_divergence_of_two_gaussians():
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=20,
        generations=4,
        replicates=30,
    )
    run = experiment.run(progress=False)
    found = truth_divergence(run, experiment, rows=4000).isel(scheme=0)
    mean = run["summary"]["mu"].isel(scheme=0).sel(statistic="mean")
    spread = 1 + 1 / 20
    exact = np.log(spread) / 2 + (1 + mean**2) / (2 * spread) - 0.5
    # Rows are common to all cells; 100 draws add about as much again.
    gap = found["truth_divergence"] - exact
    assert bool((np.abs(gap) < Z * (2 * found["truth_divergence_error"] + 0.005)).all())


def test_divergence_for_truths_from_the_prior_and_for_a_wrong_model():
    experiment = bc.Experiment(
        gaussian_mean.estimator(prior_sd=3.0),
        bc.Truth.from_prior(),
        bc.schemes.replace(),
        n_real=50,
        generations=2,
        replicates=130,
    )
    found = truth_divergence(experiment.run(progress=False), experiment)
    first = found["truth_divergence"].isel(generation=0).to_numpy().ravel()
    # Half a parameter over 50 rows, to first order, twice: error and width of the posterior.
    mean_within(first, 1 / 100, bias=0.004)
    wrong = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0, sigma=2.0, estimator=gaussian.estimator()),
        bc.schemes.replace(),
        n_real=200,
        generations=2,
        replicates=20,
    )
    found = truth_divergence(wrong.run(progress=False), wrong, rows=2000)
    floor = -np.log(2) + 4 / 2 - 0.5
    assert float(found["truth_divergence"].isel(generation=0).mean()) == pytest.approx(
        floor, abs=0.25
    )


def test_divergence_refuses_what_has_no_density():
    def simulate(m, rng):
        return xr.Dataset({"y": ("obs", rng.normal(size=m))})

    unknown = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Simulator(simulate),
        bc.schemes.replace(),
        n_real=20,
        generations=2,
        replicates=2,
    )
    with pytest.raises(ValueError, match="known for bc.Truth only"):
        truth_divergence(unknown.run(progress=False), unknown)
    bare = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=20,
        generations=2,
        replicates=2,
        keep_draws=0,
    )
    with pytest.raises(ValueError, match="keep_draws above 0"):
        truth_divergence(bare.run(progress=False), bare)


def test_error_of_the_divergence_is_its_spread_over_rows():
    # Truths from the prior have rows of their own: every replicate is another set of them.
    experiment = bc.Experiment(
        gaussian_mean.estimator(prior_sd=1.0),
        bc.Truth.from_prior(),
        bc.schemes.replace(),
        n_real=5,
        generations=1,
        replicates=256,
        keep_draws=1000,
        references=(),
    )
    run = experiment.run(progress=False)
    found = truth_divergence(run, experiment, rows=500).isel(scheme=0, generation=0)
    of = run["summary"]["mu"].isel(scheme=0, generation=0)
    spread = 1 + of.sel(statistic="sd") ** 2
    away = of.sel(statistic="mean") - run["truth"]["mu"]
    exact = np.log(spread) / 2 + (1 + away**2) / (2 * spread) - 0.5
    scores = (found["truth_divergence"] - exact) / found["truth_divergence_error"]
    # Mean squares of 256 scores have a standard error of .1; 1000 draws add some hundredths.
    assert float((scores**2).mean()) == pytest.approx(1, abs=Z * 0.1 + 0.05)


def test_divergence_repeats_the_design_of_the_truth():
    rng = np.random.default_rng(1)
    design = xr.Dataset({"x": (("obs", "feature"), rng.normal(size=(15, 2)))})
    experiment = bc.Experiment(
        linear_regression.estimator(features=2, noise_sd=1.0),
        bc.Truth(beta=np.array([1.0, -1.0]), covariates=design),
        bc.schemes.replace(),
        n_real=15,
        generations=1,
        replicates=100,
    )
    found = truth_divergence(experiment.run(progress=False), experiment, rows=400)
    # Half a parameter over the rows, twice, to first order: for error and width of the posterior.
    values = found["truth_divergence"].to_numpy().ravel()
    error = float(found["truth_divergence_error"].mean())
    mean_within(values, 2 / 2 / 15, bias=0.01 + Z * error / np.sqrt(10))
    rows, density = _truth_rows(experiment, 0, 128, 400)
    assert np.array_equal(rows["x"][0, 15:30], design["x"])
    assert np.unique(rows["y"]).size == density.size == 27 * 15


def test_divergence_refuses_too_few_rows_and_other_experiments():
    settings = {"n_real": 5, "generations": 1, "replicates": 1}
    mine, other = (
        bc.Experiment(
            gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(), seed=seed, **settings
        )
        for seed in (0, 1)
    )
    run = mine.run(progress=False)
    with pytest.raises(ValueError, match="rows must be an integer of at least 2, got 1"):
        truth_divergence(run, mine, rows=1)
    with pytest.raises(ValueError, match=r"another experiment; it differs in \['seed'\]"):
        truth_divergence(run, other)
    with pytest.raises(TypeError, match=r"xarray\.DataTree"):
        truth_divergence(3, mine)


def test_long_divergences_show_progress_and_short_ones_are_quiet(monkeypatch):
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=5,
        generations=1,
        replicates=1,
    )
    run = experiment.run(progress=False)
    seen = []

    def spy(total, *, title, shown):
        seen.append(shown)
        return contextlib.nullcontext(Silent())

    monkeypatch.setattr("bayescollapse.experiment.progress.show_progress", spy)
    truth_divergence(run, experiment, rows=2)
    monkeypatch.setattr("bayescollapse.measures.divergence_from_truth.LONG", 0)
    truth_divergence(run, experiment, rows=2)
    truth_divergence(run, experiment, rows=2, progress=False)
    assert seen == [False, True, False]
