"""Entropy of posteriors: what cannot be measured is left out, and named with the way to get it."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.measures import posterior_entropy
from bayescollapse.measures.entropy import MEASURES
from bayescollapse.measures.priors import heavy_tails
from bayescollapse.models import categorical, gaussian, gaussian_mean
from tests.measures.synthetic import make_run

JOINT = {"joint_entropy", "joint_gain", "joint_known"}


def experiment_of(source=None, estimator=None, **settings):
    return bc.Experiment(
        estimator or gaussian_mean.estimator(prior_sd=0.5),
        source or bc.Truth.from_prior(),
        bc.schemes.replace(),
        **{"n_real": 9, "generations": 2, "replicates": 6, "keep_draws": 20, **settings},
    )


def run_of(*args, **settings):
    return experiment_of(*args, **settings).run(progress=False)


def named(found, names):
    """Whether `missing` names all measures that are not there, and no other."""
    absent = {m.name for m in MEASURES} - set(map(str, found.data_vars))
    lines = found.attrs["missing"].split("; ")
    told = {word for line in lines for word in line.split(":")[0].split(", ") if word}
    return absent == told == set(names)


GAINS = {"information_gain", "information_known", "share_claimed", "share_kept"}
CASES = {
    "nothing": ({}, set()),
    "draws": ({"keep_draws": 0}, JOINT),
    "reference": ({"references": ()}, {"share_claimed", "share_kept", "lost_to_reference"}),
    "prior": ({"source": bc.Truth(mu=0.0)}, GAINS | {"joint_gain", "joint_known"}),
}


@pytest.mark.parametrize(("settings", "absent"), CASES.values(), ids=CASES)
def test_every_measure_that_is_not_there_is_named(settings, absent):
    assert named(posterior_entropy(run_of(**settings)), absent)


def test_everything_that_is_missing_is_said():
    every = {m.name for m in MEASURES}
    bare = posterior_entropy(make_run(5, truth=False, reference=False))
    for words in (
        "keep_draws above 0",
        "add 'real_only' to references=",
        "knows the truth",
        "proper",
    ):
        assert words in bare.attrs["missing"]
    assert set(bare.data_vars) == {"entropy", "entropy_mcse", "entropy_median"}
    assert named(bare, every - {"entropy"})
    known = posterior_entropy(make_run(5, draws=4))
    assert named(known, GAINS | {"joint_gain", "joint_known"})


def test_without_a_truth_the_prior_of_the_model_is_enough_for_claims():
    experiment = experiment_of(bc.Truth(mu=0.0))
    run = experiment.run(progress=False)
    blind = xr.DataTree.from_dict(
        {g.strip("/"): run[g].to_dataset() for g in run.groups if g not in ("/", "/truth")}
    )
    blind.attrs.update(run.attrs)
    found = posterior_entropy(blind, experiment=experiment)
    lost = {"lost_to_reference", "lost_per_generation"}
    assert named(found, {"information_known", "share_kept", "joint_known"} | lost)


def test_settings_are_refused_by_name():
    run = make_run(5)
    with pytest.raises(ValueError, match="keep_draws above 0"):
        posterior_entropy(run, estimator="nearest neighbours")
    with pytest.raises(ValueError, match="estimator must be one of"):
        posterior_entropy(run, estimator="knn")
    with pytest.raises(ValueError, match="draws must be an integer of at least 2, got 1"):
        posterior_entropy(run, draws=1)
    with pytest.raises(TypeError, match=r"experiment must be the bc\.Experiment .* type int"):
        posterior_entropy(run, experiment=3)
    flat = experiment_of(bc.Truth(mu=0.0, sigma=1.0), gaussian.estimator())
    with pytest.raises(ValueError, match="improper"):
        posterior_entropy(flat.run(progress=False), experiment=flat)
    with pytest.raises(ValueError, match="another experiment.*seed"):
        posterior_entropy(run_of(), experiment=experiment_of(seed=4))


@pytest.mark.parametrize("estimator", ["normal", "nearest neighbours"])
@pytest.mark.parametrize("categories", [2, 4])
def test_a_simplex_has_no_joint_density(categories, estimator):
    run = run_of(estimator=categorical.estimator(categories=categories), keep_draws=60)
    found = posterior_entropy(run, estimator=estimator)
    assert named(found, JOINT)
    entries = [f"p[{k}]" for k in range(categories)]
    assert f"{', '.join(entries)} determine one another" in found.attrs["missing"]
    free = posterior_entropy(run, estimator=estimator, var_names=entries[1:])
    assert named(free, set())
    assert np.isfinite(free["joint_gain"]).all() and np.isfinite(free["joint_known"]).all()


def test_a_collapse_to_a_point_knows_nothing():
    """One lineage's draws become a point, another's a line: both are sure, and miss the truth."""
    run = make_run(12, 3, draws=20)
    posterior = run["posterior"].to_dataset().copy(deep=True)
    for name in posterior.data_vars:
        posterior[name].to_numpy()[0, 0, 2] = 7.0
    posterior["beta"].to_numpy()[0, 1, 2, ..., 1] = posterior["beta"].to_numpy()[0, 1, 2, ..., 0]
    run["posterior"] = xr.DataTree(posterior)
    run.attrs["configuration"] = run.attrs["configuration"].replace(
        '"source": "Truth"', '"parameters": "prior"'
    )
    found = posterior_entropy(run)
    for name, law in (("joint_entropy", -np.inf), ("joint_gain", np.inf), ("joint_known", -np.inf)):
        assert found[name].values[0, 2] == law, name
        assert np.isfinite(found[name].values[1]).all()


def test_a_collapsed_margin_knows_nothing():
    run = run_of()
    run["summary"]["mu"].loc[{"replicate": 0, "generation": 1, "statistic": "sd"}] = 0.0
    found = posterior_entropy(run).isel(scheme=0, parameter=0, generation=1)
    assert found["information_known"] == -np.inf and found["information_gain"] == np.inf
    assert found["lost_to_reference"] == np.inf


@pytest.mark.parametrize(("degrees", "heavy"), [(1, True), (3, False), (np.inf, False)])
def test_priors_without_a_variance_are_found(degrees, heavy):
    """Student t draws: of 200 sets of 1,000 at least 170 Cauchy ones, and at most 4 others."""
    rng = np.random.default_rng(11)
    size = (1_000, 200)
    values = rng.normal(size=size) if np.isinf(degrees) else rng.standard_t(degrees, size=size)
    draws = xr.DataArray(values, dims=("draw", "parameter"), coords={"parameter": np.arange(200)})
    found = heavy_tails(draws)
    assert (len(found) > 170) if heavy else (len(found) < 5)
    assert heavy_tails(draws.isel(draw=slice(900))) == {}


def test_a_prior_without_a_variance_is_named():
    run = run_of(replicates=1_000, keep_draws=20, references=("real_only",), keep_rows="none")
    truth = run["truth"].to_dataset().copy(deep=True)
    truth["mu"].to_numpy()[:] = np.random.default_rng(3).standard_cauchy(1_000)
    run["truth"] = xr.DataTree(truth)
    found = posterior_entropy(run)
    for name in ("information_gain", "information_known", "share_claimed", "joint_gain"):
        assert found[name].isnull().all(), name
    assert "joint_known of mu (Pareto k" in found.attrs["missing"]
    assert np.isfinite(found["lost_to_reference"]).all()
