"""Estimators that are not PyMC models, through everything that works with an estimator."""

import pickle

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.estimator.direct import DirectEstimator
from bayescollapse.estimator.emission import parse_emission, posterior_draws
from bayescollapse.estimator.learner import Learner
from bayescollapse.experiment import executor as executor_module
from bayescollapse.experiment.executor import local_processes
from bayescollapse.models import empirical, gaussian, kernel_density, ngram

SCHEMES = {
    "replace": bc.schemes.replace(),
    "accumulate": bc.schemes.accumulate(emission="plug-in"),
    "weighted": bc.schemes.weighted(0.4, emission="predictive"),
    "ensemble": bc.schemes.weighted(0.4, emission="ensemble(3)", memory="window(2)"),
}
NORMAL = bc.Truth(mu=1.0, sigma=2.0, estimator=gaussian.estimator())
TOKENS = pd.DataFrame(np.random.default_rng(1).integers(4, size=(60, 3)), columns=["a", "b", "c"])
SENTENCES = bc.Table(TOKENS, variables={"y": ["a", "b", "c"]})
LEARNERS = {
    "empirical": (lambda: empirical.estimator(summary_draws=20), NORMAL),
    "kernel density": (lambda: kernel_density.estimator(), NORMAL),
    "n-gram": (lambda: ngram.estimator(vocabulary=4, order=1, length=3), SENTENCES),
    "large n-gram": (lambda: ngram.estimator(vocabulary=2000, order=2, length=3), SENTENCES),
}


def experiment(name, schemes=SCHEMES, **settings):
    make, source = LEARNERS[name]
    held_out = None if name == "empirical" else 5
    defaults = {"n_real": 12, "generations": 4, "replicates": 3, "keep_draws": 4, "seed": 3}
    return bc.Experiment(make(), source, schemes, **{**defaults, "held_out": held_out, **settings})


@pytest.fixture(scope="module")
def runs():
    return {name: experiment(name).run(progress=False) for name in LEARNERS}


def assert_same(a, b):
    assert set(a.groups) == set(b.groups)
    for group in a.groups:
        if group != "/":
            one, two = (tree[group].to_dataset(inherit=False).drop_attrs() for tree in (a, b))
            xr.testing.assert_identical(one, two)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_resumed_run_has_the_same_bits(name, runs, tmp_path, monkeypatch):
    monkeypatch.setattr(executor_module, "SEGMENT_SECONDS", 0.0)
    append, left = bc.experiment.store.Store.append, [6]

    def interrupted(self, line):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        append(self, line)

    monkeypatch.setattr(bc.experiment.store.Store, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        experiment(name).run(tmp_path / "store", progress=False)
    monkeypatch.setattr(bc.experiment.store.Store, "append", append)
    assert_same(runs[name], experiment(name).run(tmp_path / "store", progress=False))


def test_workers_give_the_same_bits(runs, tmp_path):
    with local_processes(2) as pool:
        for name in LEARNERS:
            assert_same(runs[name], experiment(name).run(executor=pool, progress=False))
        stored = experiment("n-gram").run(tmp_path / "store", executor=pool, progress=False)
    assert_same(runs["n-gram"], stored)


@pytest.mark.parametrize("name", LEARNERS)
def test_more_replicates_change_nothing(name, runs):
    fewer = experiment(name, {"replace": SCHEMES["replace"]}, replicates=2).run(progress=False)
    part = runs[name]["summary"].to_dataset().isel(scheme=[0], replicate=slice(0, 2))
    xr.testing.assert_identical(fewer["summary"].to_dataset(), part)


@pytest.mark.parametrize("name", LEARNERS)
def test_measures_and_cells_of_a_run(name, runs):
    run = runs[name]
    assert {"summary", "posterior", "predictive", "training", "rows"} <= set(run.children)
    assert np.isfinite(bc.drift(run)["shift_first"]).all()
    assert np.isfinite(bc.information(run)["claimed_sd"]).all()
    assert int(bc.diagnose(run)["failed"].sum()) == 0
    where = {"scheme": "weighted", "replicate": 0, "generation": 2}
    kept = bc.cell(run, **where)
    replayed = bc.cell(run, **where, experiment=experiment(name))
    xr.testing.assert_equal(
        kept["observed_data"].to_dataset(), replayed["observed_data"].to_dataset()
    )
    xr.testing.assert_equal(kept["posterior"].to_dataset(), replayed["posterior"].to_dataset())
    assert "log_likelihood" not in replayed.children
    assert kept["constant_data"]["weights"].sum() == pytest.approx(24.0)
    again = LEARNERS[name][0]().emit(kept, 7, seed=1)
    assert again.sizes["obs"] == 7


@pytest.mark.parametrize("name", LEARNERS)
def test_fit_gives_the_summary_of_the_engine_and_emit_its_rows(name):
    learner = LEARNERS[name][0]()
    rows = learner.schema.dataset(_values(learner, 30), replicate=0)
    weights = np.random.default_rng(2).uniform(0.2, 2.0, size=30)
    fitted = learner.fit(rows, weights, draws=2000, seed=1)
    engine = learner.engine()
    assert fitted["sample_stats"].attrs["method"] == engine.method == learner.resolve("auto")
    from bayescollapse.estimator.engine import FitSettings, Group

    values = learner.schema.values(rows)
    group = Group((values,), engine.digest(values), 30, True, (0,))
    fit = engine.condition([group], [weights[None]], FitSettings(1, 1, None, lambda attempt: 5))
    mean, sd = fit.summary(())[0]
    draws = fitted["posterior"].to_dataset()
    pooled = learner.schema.pack({n: v.to_numpy() for n, v in draws.items()}, lead=2)
    # The empirical engine's own means of sigma rest on 20 draws: 4 of their errors are allowed.
    error = sd / np.sqrt(20 if name == "empirical" else 4000)
    assert (np.abs(pooled.reshape(-1, len(mean)).mean(axis=0) - mean) <= 4 * error + 1e-12).all()
    for emission in ("joint", "plug-in", "predictive", "ensemble(4)"):
        first, second = (learner.emit(fitted, 8, emission=emission, seed=4) for _ in range(2))
        xr.testing.assert_identical(first, second)
        assert first["origin"].to_numpy().tolist() == [emission] * 8


def _values(learner, n):
    rng = np.random.default_rng(8)
    variable = learner.schema.responses[0]
    shape = (1, n, *variable.shape)
    return {"y": rng.integers(4, size=shape) if variable.shape else rng.normal(size=shape)}


def test_rows_come_from_the_weighted_posterior():
    rows = xr.Dataset({"y": ("obs", np.array([1.0, 2.0, 3.0]))})
    learner = empirical.estimator()
    fitted = learner.fit(rows, [0.0, 1.0, 2.0], seed=1)
    out = learner.emit(fitted, 3000, emission="plug-in", seed=2)["y"].to_numpy()
    # 4 standard errors of a share.
    assert abs((out == 3.0).mean() - 2 / 3) < 4 * np.sqrt(2 / 9 / 3000)
    assert not (out == 1.0).any()


def test_both_kinds_are_learners_and_travel():
    for learner in (gaussian.estimator(), empirical.estimator()):
        assert isinstance(learner, Learner)
    for make, _ in LEARNERS.values():
        learner = make()
        twin = pickle.loads(pickle.dumps(learner))
        assert twin.fingerprint() == learner.fingerprint()
        assert repr(twin) == repr(learner)


def test_settings_are_part_of_the_identity():
    prints = {
        learner.fingerprint()
        for learner in (
            empirical.estimator(),
            empirical.estimator(columns=1),
            kernel_density.estimator(),
            kernel_density.estimator(prior_median=0.4),
            ngram.estimator(vocabulary=3, length=2),
            ngram.estimator(vocabulary=3, length=2, concentration=0.3),
        )
    }
    assert len(prints) == 6


def test_a_store_of_other_settings_is_refused(tmp_path):
    experiment("empirical").run(tmp_path / "store", progress=False)
    other = bc.Experiment(
        empirical.estimator(summary_draws=21),
        NORMAL,
        SCHEMES,
        n_real=12,
        generations=4,
        replicates=3,
        keep_draws=4,
        seed=3,
    )
    with pytest.raises(ValueError, match="model"):
        other.run(tmp_path / "store", progress=False)


def test_it_says_that_it_is_not_a_pymc_model():
    learner = empirical.estimator()
    with pytest.raises(TypeError, match="not a PyMC model"):
        learner.pymc_model()
    with pytest.raises(TypeError, match="not a PyMC model"):
        _ = learner.row_model
    with pytest.raises(ValueError, match="method must be 'auto' or 'exact', got 'nuts'"):
        learner.fit(xr.Dataset({"y": ("obs", np.arange(3.0))}), method="nuts")
    with pytest.raises(ValueError, match="rows cannot be drawn from its parameters"):
        learner.engine().forward({}, {}, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="densities cannot be computed"):
        learner.engine().log_density({}, {})


@pytest.mark.parametrize(
    "source",
    [
        bc.Truth(mu=0.0, sigma=1.0),
        bc.Truth(mu=0.0, sigma=1.0, estimator=empirical.estimator()),
        bc.Truth.from_prior(),
    ],
)
def test_a_truth_without_a_model_is_refused_at_once(source):
    with pytest.raises(ValueError, match="which has no parameters that determine them"):
        bc.Experiment(empirical.estimator(), source, SCHEMES, n_real=9, generations=2, replicates=2)


def test_held_out_rows_need_a_density():
    with pytest.raises(ValueError, match="held_out asks for log densities"):
        experiment("empirical", held_out=10)


def test_a_selection_that_needs_a_density_is_told_why():
    def likely(rows, context):
        return np.exp(context.previous.log_density(rows).to_numpy())

    scheme = bc.Scheme(supply="none", memory="last", selection=likely)
    with pytest.raises(ValueError, match="distributions sit on the rows"):
        experiment("empirical", scheme).run(progress=False)
    run = experiment("kernel density", scheme).run(progress=False)
    assert np.isfinite(run["summary"]["sigma"]).all()


def test_a_selection_can_propose():
    def by_proposal(rows, context):
        proposed = context.previous.propose(50)
        return 0.1 + (rows["y"] > proposed["y"].mean("obs")).to_numpy()

    scheme = bc.Scheme(supply="none", memory="last", selection=by_proposal)
    run = experiment("empirical", scheme, replicates=40).run(progress=False)
    means = run["summary"]["mu"].sel(statistic="mean").isel(scheme=0)
    assert float((means.isel(generation=-1) - means.isel(generation=0)).mean()) > 0.5


def test_other_mistakes_are_refused():
    with pytest.raises(TypeError, match="engine must have its own emit"):
        DirectEstimator(gaussian.estimator().engine())
    with pytest.raises(ValueError, match="'observed_data' and 'constant_data'"):
        empirical.estimator().emit(xr.DataTree(), 3)
    rows = xr.Dataset({"y": ("obs", np.arange(3.0))})
    with pytest.raises(ValueError, match="finite and not negative"):
        empirical.estimator().fit(rows, [1.0, -1.0, 1.0])
    with pytest.raises(ValueError, match="all zeros"):
        empirical.estimator().fit(rows, np.zeros(3))
    with pytest.raises(ValueError, match="that 4 divides, got 6"):
        posterior_draws(parse_emission("ensemble(4)"), 6)


def test_a_table_can_be_its_own_truth():
    frame = pd.DataFrame({"y": np.random.default_rng(3).normal(size=40)})
    run = bc.Experiment(
        empirical.estimator(),
        bc.Table(frame, truth="fit"),
        SCHEMES["weighted"],
        n_real=10,
        generations=2,
        replicates=2,
    ).run(progress=False)
    # The truth is the mean of 2000 draws: 5 Monte Carlo standard errors are allowed.
    error = frame["y"].std() / np.sqrt(41 * 2000)
    assert abs(float(run["truth"]["mu"][0]) - frame["y"].mean()) < 5 * error
