"""The same seed gives the same bits: any block order, workers, resume, and more of anything."""

import warnings

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.experiment import executor as executor_module
from bayescollapse.experiment.executor import local_processes
from bayescollapse.experiment.finish import in_memory
from bayescollapse.models import categorical, gaussian, gaussian_mean, linear_regression
from bayescollapse.sources import NormalCovariates
from tests.own_selections import Above, EditShare, random_weights

SCHEMES = {
    "replace": bc.schemes.replace(),
    "pooled": bc.schemes.pooled(emission="plug-in"),
    "accumulate": bc.schemes.accumulate(emission="predictive"),
    "subsample": bc.schemes.accumulate_subsample(15),
    "window": bc.schemes.weighted(0.4, memory="window(2)"),
    "contaminated": bc.Scheme(supply=bc.schemes.Contaminated(0.4, total=12)),
    "filled": bc.Scheme(selection=Above(0.5), emission="ensemble(3)", supply="none"),
    "weighed": bc.Scheme(selection=random_weights, memory="all"),
    "edited": bc.Scheme(selection=EditShare(), supply="none"),
    "aged": bc.Scheme(
        supply="stream", memory="all", weighting=bc.schemes.Weighting(0.5, by_age=(1.0, 0.5))
    ),
    "best each time": bc.Scheme(weighting="optimal by generation"),
}


def experiment(schemes=None, **settings):
    defaults = {"n_real": 15, "generations": 6, "replicates": 140, "keep_draws": 4, "seed": 3}
    return bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=1.0, sigma=2.0),
        schemes or SCHEMES,
        **{**defaults, **settings},
    )


def assert_same(a, b):
    """Every group bit for bit, attributes apart."""
    assert set(a.groups) == set(b.groups)
    for group in a.groups:
        if group != "/":
            one, two = (tree[group].to_dataset(inherit=False).drop_attrs() for tree in (a, b))
            xr.testing.assert_identical(one, two)


@pytest.fixture(scope="module")
def whole():
    return experiment().run(progress=False)


def test_again(whole):
    assert_same(whole, experiment().run(progress=False))


def test_another_seed_is_another_run(whole):
    other = experiment(seed=4).run(progress=False)
    assert not np.array_equal(whole["summary"]["mu"], other["summary"]["mu"])


def test_block_order(whole, monkeypatch):
    forward = bc.Experiment.jobs
    monkeypatch.setattr(bc.Experiment, "jobs", lambda self: list(forward(self))[::-1])
    backwards = experiment()
    segments = executor_module.run_jobs(
        backwards, backwards.jobs(), store=None, executor=None, progress=_Silent()
    )
    monkeypatch.undo()
    run = in_memory(experiment(), experiment().jobs(), segments, None, 0.0)
    assert_same(whole["summary"], run["summary"])


class _Silent:
    def advance(self, label, generations=1):
        """Show nothing."""


@pytest.mark.parametrize("label", list(SCHEMES))
def test_schemes_added_change_nothing(whole, label):
    alone = experiment({label: SCHEMES[label]}).run(progress=False)
    xr.testing.assert_identical(
        alone["summary"].to_dataset().isel(scheme=0, drop=True),
        whole["summary"].to_dataset().sel(scheme=label, drop=True),
    )


def test_replicates_and_generations_added_change_nothing(whole):
    fewer = experiment(replicates=130, generations=4).run(progress=False)
    part = whole["summary"].to_dataset().isel(replicate=slice(0, 130), generation=slice(0, 4))
    xr.testing.assert_identical(fewer["summary"].to_dataset(), part)


def test_workers_and_store(whole, tmp_path):
    with local_processes(2) as pool:
        assert_same(whole, experiment().run(tmp_path / "store", executor=pool, progress=False))
        assert_same(whole, experiment().run(executor=pool, progress=False))


def test_resume_in_short_segments(whole, tmp_path, monkeypatch):
    """Every generation is a segment, and the run is interrupted after a few of them."""
    monkeypatch.setattr(executor_module, "SEGMENT_SECONDS", 0.0)
    path = tmp_path / "store"
    append, left = bc.experiment.store.Store.append, [9]

    def interrupted(self, line):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        append(self, line)

    monkeypatch.setattr(bc.experiment.store.Store, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        experiment().run(path, progress=False)
    monkeypatch.setattr(bc.experiment.store.Store, "append", append)
    with open(path / "manifest.jsonl", "ab") as file:
        file.write(b'{"kind": "shard", "torn')
    with pytest.raises(ValueError, match="not finished"):
        bc.open_run(path)
    assert_same(whole, experiment().run(path, progress=False))
    assert_same(whole, bc.open_run(path))


def test_store_grows(tmp_path, whole):
    path = tmp_path / "store"
    experiment({"replace": SCHEMES["replace"]}, generations=3, replicates=128).run(
        path, progress=False
    )
    assert_same(whole, experiment().run(path, progress=False))


def test_open_run_reads_only_what_is_asked_for(tmp_path, monkeypatch, whole):
    experiment().run(tmp_path / "store", progress=False)
    read, asked = bc.experiment.store.Store.read, []

    def spy(self, line, names=None):
        asked.extend((line["label"], name) for name in names)
        return read(self, line, names)

    monkeypatch.setattr(bc.experiment.store.Store, "read", spy)
    run = bc.open_run(tmp_path / "store")
    asked.clear()
    sigma = run["posterior"]["sigma"].sel(scheme="window").isel(generation=[0, 3]).to_numpy()
    assert set(asked) == {("window", "posterior")}
    expected = whole["posterior"]["sigma"].sel(scheme="window").isel(generation=[0, 3])
    np.testing.assert_array_equal(sigma, expected)
    single = run["summary"]["mu"][1, 3, 2, 0]
    assert float(single) == float(whole["summary"]["mu"][1, 3, 2, 0])


def test_run_exports_to_one_zarr_tree(tmp_path, whole):
    with warnings.catch_warnings():
        # zarr has no standard for fixed-width text; xarray reads it back all the same.
        # https://github.com/zarr-developers/zarr-extensions
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification.*")
        whole.to_zarr(tmp_path / "run.zarr", consolidated=False)
        back = xr.open_datatree(tmp_path / "run.zarr", engine="zarr", consolidated=False)
        np.testing.assert_array_equal(back["summary"]["mu"], whole["summary"]["mu"])
    assert back.attrs["seed"] == 3


def test_schemes_see_the_same_real_rows():
    run = experiment(keep_rows="all", replicates=3).run(progress=False)
    rows = run["rows"].to_dataset()

    def real(label, generation):
        chosen = (rows["scheme"] == label) & (rows["generation"] == generation) & rows["real"]
        return rows["y"][chosen.to_numpy()].to_numpy()

    np.testing.assert_array_equal(real("pooled", 4), real("window", 4))
    np.testing.assert_array_equal(real("replace", 0), real("accumulate", 5))
    np.testing.assert_array_equal(real("replace", 0), real("pooled", 0))


def test_emission_noise_is_paired_between_schemes():
    """With shares close together, errors are almost equal lineage by lineage."""
    schemes = {f"{w}": bc.schemes.weighted(w) for w in (0.6, 0.61)}
    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        schemes,
        n_real=50,
        generations=8,
        replicates=200,
    ).run(progress=False)
    a, b = run["summary"]["mu"].sel(statistic="mean").isel(generation=-1).to_numpy()
    assert np.corrcoef(a, b)[0, 1] > 0.999


@pytest.mark.parametrize(
    "make",
    [
        lambda: (categorical.estimator(categories=3), bc.Truth(p=[0.5, 0.3, 0.2])),
        lambda: (
            linear_regression.estimator(features=2),
            bc.Truth(sigma=1.0, beta=[1.0, 2.0], covariates=NormalCovariates(2)),
        ),
    ],
)
def test_other_families_resume(make, tmp_path, monkeypatch):
    estimator, source = make()
    settings = {"n_real": 12, "generations": 4, "replicates": 5}
    plain = bc.Experiment(estimator, source, SCHEMES["accumulate"], **settings).run(progress=False)
    monkeypatch.setattr(executor_module, "SEGMENT_SECONDS", 0.0)
    stored = bc.Experiment(estimator, source, SCHEMES["accumulate"], **settings)
    assert_same(plain, stored.run(tmp_path / "store", progress=False))


def test_nuts_has_the_same_bits(logistic, tmp_path):
    truth = bc.Truth(beta=[1.0, -1.0], covariates=NormalCovariates(2))
    schemes = {
        "pooled": bc.schemes.pooled(),
        "plug-in": bc.schemes.weighted(0.6, emission="plug-in"),
    }
    settings = {"n_real": 40, "generations": 2, "draws": 250, "keep_draws": 20}
    whole = bc.Experiment(logistic, truth, schemes, replicates=2, **settings).run(progress=False)
    part = bc.Experiment(logistic, truth, schemes["plug-in"], replicates=1, **settings)
    stored = part.run(tmp_path / "store", progress=False)
    for group in ("summary", "posterior", "emission"):
        xr.testing.assert_identical(
            stored[group].to_dataset().isel(scheme=0, drop=True),
            whole[group].to_dataset().sel(scheme="plug-in", drop=True).isel(replicate=[0]),
        )
    assert bool(whole["sample_stats"]["passed"].all())
