"""Measures on a run with known answers, and on a real one."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.measures import replicate_error, share_errors, share_groups
from tests.measures.synthetic import make_run


@pytest.fixture(scope="module")
def run():
    return make_run()


def test_drift_known_answers(run):
    out = bc.drift(run)
    assert out["parameter"].values.tolist() == ["mu", "beta[0]", "beta[1]"]
    assert out["bias"].dims == ("scheme", "generation", "parameter")
    expected = (1 + np.arange(5)) / 10
    assert np.allclose(out["squared_error"], expected[None, :, None])
    assert np.allclose(out["bias"], 0)
    assert np.allclose(out["bias_mcse"], np.sqrt(expected / 39)[None, :, None])
    ratio = np.log(np.sqrt(1 + np.arange(5)))
    assert np.allclose(out["log_sd_ratio"].sel(scheme="honest"), ratio[:, None])
    proud = ratio + np.log(0.5) * (np.arange(5) > 0)
    assert np.allclose(out["log_sd_ratio_median"].sel(scheme="proud"), proud[:, None])
    moment = np.sqrt(run["summary"]["mu"].sel(statistic="sd", scheme="honest", replicate=0) ** 2)
    bias = run["summary"]["mu"].sel(statistic="mean", scheme="honest") - run["truth"]["mu"]
    distance = np.hypot(bias, moment.drop_vars("replicate")).mean("replicate")
    assert np.allclose(out["wasserstein_truth"].sel(scheme="honest", parameter="mu"), distance)
    kl = 0.1 / (2 * 0.1)
    assert np.allclose(out["kl_truth"].isel(generation=0), kl)


def test_generation_zero_is_at_distance_zero_from_itself(run):
    for measured in (bc.drift(run), bc.drift(make_run(6, draws=10), from_draws=True)):
        names = ("shift_first", "log_sd_ratio", "kl_first", "wasserstein_first")
        for suffix in ("", "_mcse", "_median"):
            for name in names:
                assert (measured[name + suffix].isel(generation=0) == 0).all(), name + suffix


def test_distances_from_draws_agree_with_closed_forms():
    many = make_run(4, 3, draws=2000)
    closed, drawn = bc.drift(many), bc.drift(many, from_draws=True)
    for name in ("wasserstein_first", "wasserstein_truth"):
        assert np.allclose(closed[name], drawn[name], atol=0.05)
    assert drawn["wasserstein_truth"].attrs["estimator"] == "kept draws"
    assert closed["wasserstein_truth"].attrs["estimator"] == "Gaussian closed form"


def test_drift_selects_and_refuses(run):
    assert bc.drift(run, var_names="beta")["parameter"].values.tolist() == ["beta[0]", "beta[1]"]
    chosen = bc.drift(run, var_names=["beta[1]", "mu"])
    assert chosen["parameter"].values.tolist() == ["beta[1]", "mu"]
    for call, words in (
        (lambda: bc.drift(run, var_names="gamma"), "var_names must name parameters"),
        (lambda: bc.drift(run, from_draws=True), "keep_draws above 0"),
        (lambda: replicate_error(make_run(3, truth=False)), "no group 'truth'"),
        (lambda: bc.diagnose(xr.DataTree()), "no group 'sample_stats'"),
        (lambda: bc.information(run, probability=0.8), r"one of \[0.95, 0.5\]"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(TypeError, match="xarray.DataTree"):
        bc.drift(run["summary"].to_dataset())


def test_without_truth_only_first_measures():
    out = bc.drift(make_run(3, truth=False))
    assert "bias" not in out and "kl_truth" not in out and "kl_first" in out
    assert "no truth" in out.attrs["missing"]


def test_replicate_error_pairs_schemes(run):
    error = replicate_error(run)
    assert set(error.data_vars) == {"mu", "beta"}
    assert set(error["beta"].dims) == {"scheme", "replicate", "generation"}
    assert (error.sel(scheme="honest") - error.sel(scheme="proud")).to_array().std() == 0
    assert np.allclose(error["beta"].mean("replicate"), 2 * (1 + np.arange(5)) / 10)


def test_information_known_answers(run):
    out = bc.information(run)
    worth = 10 / (1 + np.arange(5))
    assert np.allclose(out["rows_worth"], worth[None, :, None])
    assert np.allclose(out["rows_claimed"].sel(scheme="honest"), worth[:, None])
    assert np.allclose(out["certainty"].sel(scheme="honest"), 1)
    assert np.allclose(out["certainty"].sel(scheme="proud").isel(generation=slice(1, None)), 4)
    assert np.allclose(out["certainty_mcse"].isel(generation=0), 0, atol=1e-12)
    assert out["interval"].values.tolist() == [0.95, 0.5]
    assert (out["coverage_low"] <= out["coverage"]).all()
    mean, sd = (run["summary"]["mu"].sel(statistic=s, scheme="proud") for s in ("mean", "sd"))
    inside = np.abs(mean - run["truth"]["mu"]) <= 1.959964 * sd
    found = out["coverage"].sel(scheme="proud", parameter="mu", interval=0.95)
    assert np.array_equal(found, inside.mean("replicate"))
    assert np.allclose(out["claimed_sd"].isel(generation=0), np.sqrt(0.1))


@pytest.mark.parametrize(
    ("settings", "absent", "words"),
    [
        ({"truth": False}, ["coverage", "rows_worth", "certainty"], "no truth"),
        ({"reference": False}, ["rows_worth", "rows_claimed", "certainty"], "references="),
        ({"statistics": ["mean", "sd", "q50"]}, ["coverage"], "probabilities="),
    ],
)
def test_information_says_what_is_missing(settings, absent, words):
    out = bc.information(make_run(3, **settings))
    assert not set(absent) & set(out.data_vars)
    assert words in out.attrs["missing"]
    assert "claimed_sd" in out


def test_one_replicate_has_values_without_errors():
    single = make_run(1)
    assert bc.drift(single)["squared_error"].notnull().any()
    assert bc.drift(single)["squared_error_mcse"].isnull().all()
    assert bc.information(single)["rows_worth_mcse"].isnull().all()


def test_diagnose(run):
    out = bc.diagnose(run)
    assert out.attrs["method"] == "nuts"
    assert out["fits"].values.tolist() == [[40] * 5] * 2
    assert out["failed"].sum() == 1 and out["retried"].sum() == 2
    assert out["worst_rhat"].sel(scheme="proud").max() == 1.05
    assert out["smallest_ess_tail"].min() == 700


@pytest.fixture(scope="module")
def real_run():
    from bayescollapse.models import gaussian_mean

    schemes = {
        f"{emission} {w:g}": bc.schemes.weighted(w, emission=emission)
        for w in (0.3, 0.6, 0.9)
        for emission in ("plug-in", "joint")
    }
    schemes |= {"pooled": bc.schemes.pooled(), "replace": bc.schemes.replace()}
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.5),
        schemes,
        n_real=20,
        generations=6,
        replicates=300,
        held_out=20,
        seed=3,
    )
    return experiment.run(progress=False)


def test_measures_of_an_experiment_obey_the_laws(real_run):
    out = bc.information(real_run, probability=0.95)
    first = out.isel(generation=0, parameter=0)
    assert np.allclose(first["rows_worth"], 20) and np.allclose(first["rows_claimed"], 20)
    # |z| > 4 has probability 6e-5. Replace with joint emission: error 1 + 2t in units of 1/n.
    last = out.sel(scheme="replace").isel(generation=-1, parameter=0)
    assert abs(last["rows_worth"] - 20 / 11) < 4 * last["rows_worth_mcse"]
    assert np.allclose(last["rows_claimed"], 20)
    drift = bc.drift(real_run)
    loss = drift["held_out_loss"].sel(scheme="replace")
    error = drift["held_out_loss_mcse"].sel(scheme="replace")
    assert loss[0] == 0 and loss[-1] > 4 * error[-1] > 0
    assert (bc.diagnose(real_run)["failed"] == 0).all()


def test_share_groups_and_errors(real_run):
    groups = share_groups(real_run)
    assert groups == {
        "plug-in emission": ["plug-in 0.3", "plug-in 0.6", "plug-in 0.9"],
        "joint emission": ["joint 0.3", "pooled", "joint 0.6", "joint 0.9"],
    }
    errors = share_errors(real_run, "mu", schemes=groups["joint emission"])
    assert errors["real_share"].values.tolist() == [0.3, 0.5, 0.6, 0.9]
    assert errors.attrs["start"] == 3
    late = replicate_error(real_run)["mu"].sel(scheme="pooled", generation=slice(3, None))
    assert np.array_equal(errors.sel(real_share=0.5), late.mean("generation"))
    with pytest.raises(ValueError, match="start must be a generation from 0 to 5"):
        share_errors(real_run, "mu", start=6)
    assert share_groups(make_run(3)) == {}
