"""Posterior drift of a run: labels, references, what is missing, and known answers."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.measures import divergence, posterior_drift
from bayescollapse.measures.posterior_table import DEFAULT, JOINT, MOMENTS, POSTERIOR_MEASURES
from tests.measures.synthetic import make_run

EVERYTHING = list(POSTERIOR_MEASURES)
SCALED = ("mu", "beta")


@pytest.fixture(scope="module")
def run():
    return make_run(12, 4, draws=60)


@pytest.fixture(scope="module")
def drifted(run):
    return posterior_drift(run, measures=EVERYTHING)


def test_dimensions_and_suffixes(drifted):
    expected = {f"{n}{s}" for n in EVERYTHING for s in ("", "_mcse", "_median")}
    assert set(drifted.data_vars) == expected
    for name in EVERYTHING:
        dims = ("scheme", "generation") + (() if name in JOINT else ("parameter",))
        assert drifted[name].dims == dims, name
        assert drifted[name].attrs["units"] == POSTERIOR_MEASURES[name].units
    assert drifted["parameter"].values.tolist() == ["mu", "beta[0]", "beta[1]"]
    assert drifted.attrs == {"reference": "first", "missing": ""}


def test_generation_zero_is_at_its_null(drifted):
    for name in EVERYTHING:
        assert (drifted[name].isel(generation=0) == POSTERIOR_MEASURES[name].null).all(), name
        assert (drifted[f"{name}_mcse"].isel(generation=0) == 0).all(), name


def test_values_are_those_of_the_kernels(run, drifted):
    scaled = np.concatenate(
        [run["posterior"]["mu"].to_numpy()[..., None], run["posterior"]["beta"].to_numpy()], axis=-1
    )
    sd = np.concatenate([run["summary"]["mu"].to_numpy()[..., 1, None]], axis=-1)
    scaled = scaled.reshape(*scaled.shape[:3], -1, 3) / sd[:, :, :1, None]
    cell = scaled[1, :, 2], scaled[1, :, 0]
    place = {"scheme": 1, "generation": 2}
    for name in JOINT:
        values = np.array([getattr(divergence, name)(x, y) for x, y in zip(*cell, strict=True)])
        assert drifted[name].isel(place) == pytest.approx(values.mean()), name
        assert drifted[f"{name}_mcse"].isel(place) == pytest.approx(
            values.std(ddof=1) / np.sqrt(12)
        )
        assert drifted[f"{name}_median"].isel(place) == pytest.approx(np.median(values))
    mean, spread = (run["summary"]["mu"].sel(statistic=s) for s in ("mean", "sd"))
    shift = (mean - mean.isel(generation=0)) / spread.isel(generation=0)
    assert np.allclose(drifted["shift_sds"].sel(parameter="mu"), shift.mean("replicate"))


def test_half_the_sd_is_seen(drifted):
    ratio = drifted["sd_ratio"].sel(parameter="mu")
    assert np.allclose(ratio.sel(scheme="honest"), np.sqrt(1 + np.arange(4)))
    assert np.allclose(ratio.sel(scheme="proud")[1:], 0.5 * np.sqrt(2 + np.arange(3)))


def test_blocks_do_not_change_values(run, drifted, monkeypatch):
    from bayescollapse.measures import posterior_draws

    monkeypatch.setattr(posterior_draws, "_ENTRIES", 1)
    again = posterior_drift(run, measures=EVERYTHING)
    for name in EVERYTHING:
        assert np.allclose(again[name], drifted[name], rtol=1e-10, atol=1e-12), name


def test_truth_is_a_point_for_draws():
    run = make_run(6, 3, draws=400)
    out = posterior_drift(run, reference="truth")
    assert "a point without a density" in out.attrs["missing"]
    assert not {"squared_hellinger", "kl_moments"} & set(out.data_vars)
    drift = bc.drift(run)
    assert np.allclose(out["gaussian_kl"], drift["kl_truth"])
    assert np.allclose(out["wasserstein"], drift["wasserstein_truth"], rtol=0.1)
    honest = out["energy_distance"].sel(scheme="honest")
    assert (honest > 0).all() and (honest.diff("generation") > 0).all()
    with pytest.raises(ValueError, match="a point without a density"):
        posterior_drift(run, reference="truth", measures=["kl_moments"])


def test_references_of_the_run_keep_summaries_only(run):
    out = posterior_drift(run, reference="real_only")
    assert set(MOMENTS) <= set(out.data_vars)
    assert not set(DEFAULT) - set(MOMENTS) & set(out.data_vars)
    assert "quantiles only" in out.attrs["missing"]
    mean, spread = (run["summary"]["mu"].sel(statistic=s) for s in ("mean", "sd"))
    only = run["reference/real_only"]["mu"]
    shift = (mean - only.sel(statistic="mean")) / only.sel(statistic="sd")
    assert np.allclose(out["shift_sds"].sel(parameter="mu"), shift.mean("replicate"))


def test_permutation_null_of_means_over_replicates():
    run = make_run(8, 3, draws=30)
    quiet = posterior_drift(
        run,
        measures=["wasserstein", "sliced_wasserstein", "energy_distance"],
        permutations=99,
        progress=False,
    )
    assert "energy_distance_null" not in quiet
    assert quiet["wasserstein_null"].dims == ("scheme", "generation", "parameter")
    assert (quiet["sliced_wasserstein_null"].isel(generation=0) == 0).all()
    later = quiet.isel(generation=slice(1, None))
    assert (later["sliced_wasserstein"] > later["sliced_wasserstein_null"]).all()
    again = posterior_drift(run, measures=["sliced_wasserstein"], permutations=99, progress=False)
    assert (again["sliced_wasserstein_null"] > 0).sum() == 4
    # Nothing changes from generation 0 to 1 if the draws of 1 are new draws of 0.
    same = make_run(8, 2, draws=30)
    rng = np.random.default_rng(3)
    for name in ("mu", "beta"):
        same["posterior"][name].values[:] = rng.normal(size=same["posterior"][name].shape)
    null = posterior_drift(
        same, measures=["sliced_wasserstein", "wasserstein"], permutations=199, progress=False
    )
    for name in ("sliced_wasserstein", "wasserstein"):
        now = null.isel(generation=1)
        assert (now[name] < now[f"{name}_null"]).all()  # 8 comparisons: false alarms 8 %, fixed
        assert (now[name] > 0.5 * now[f"{name}_null"]).all()


def test_permutation_null_of_a_real_reference():
    run = make_run(6, 2, draws=40)
    rng = np.random.default_rng(4)
    real = run["posterior"].to_dataset(inherit=False).isel(scheme=0, drop=True).copy(deep=True)
    for name in real.data_vars:
        real[name].values[:] = rng.normal(size=real[name].shape)
        run["posterior"][name].values[0] = rng.normal(size=real[name].shape)
    run["reference/real_only/posterior"] = xr.DataTree(real)
    out = posterior_drift(
        run, reference="real_only", measures=["wasserstein", "sliced_wasserstein"], permutations=99
    )
    for name in ("wasserstein", "sliced_wasserstein"):
        same, other = out[name].sel(scheme="honest"), out[name].sel(scheme="proud")
        point = out[f"{name}_null"]
        assert (point > 0).all()  # generation 0 is compared like any other
        # 8 comparisons with draws of the same distribution: false alarms 8 %, fixed
        assert (same < point.sel(scheme="honest")).all()
        assert (same > 0.5 * point.sel(scheme="honest")).all()
        assert (other > point.sel(scheme="proud")).any()


def test_nulls_do_not_depend_on_other_measures(run):
    alone, both = (
        posterior_drift(run, measures=names, permutations=99)
        for names in (["sliced_wasserstein"], ["wasserstein", "sliced_wasserstein"])
    )
    name = "sliced_wasserstein_null"
    assert np.array_equal(alone[name], both[name])
    other = posterior_drift(run, measures=["sliced_wasserstein"], permutations=99, seed=1)
    assert not np.array_equal(alone[name], other[name])


def test_errors_of_a_single_replicate_are_those_over_draws():
    run = make_run(1, 3, draws=30)
    out = posterior_drift(run, measures=EVERYTHING)
    drawn = [n for n in EVERYTHING if n not in MOMENTS]
    assert out.attrs["errors"] == f"over draws of the one replicate: {', '.join(drawn)}"
    for name in EVERYTHING:
        error = out[f"{name}_mcse"]
        assert error.dims == out[name].dims
        if name in MOMENTS:
            assert error.isnull().all()
        else:
            assert (error.isel(generation=0) == 0).all() and (error[:, 1:] > 0).all(), name
            assert "over draws" in error.attrs["long_name"]
    sd = np.concatenate([np.atleast_1d(run["summary"][n].values[0, 0, 0, 1]) for n in SCALED])
    x, y = (
        np.column_stack([run["posterior"][n].values[0, 0, t].reshape(60, -1) for n in SCALED]) / sd
        for t in (2, 0)
    )
    error = divergence.jackknife_error(divergence.energy_distance, x, y)
    cell = {"scheme": 0, "generation": 2}
    assert out["energy_distance_mcse"].isel(cell) == pytest.approx(error)
    few = posterior_drift(make_run(1, 3, draws=15), measures=["energy_distance"])
    assert few["energy_distance_mcse"].isnull().all() and "errors" not in few.attrs


def test_integers_and_constants_in_a_run():
    run = make_run(60, 3, draws=100)
    rng = np.random.default_rng(0)
    run["posterior"]["mu"].values[:] = rng.poisson(3, run["posterior"]["mu"].shape)
    run["summary"]["mu"].values[..., 0], run["summary"]["mu"].values[..., 1] = 3, np.sqrt(3)
    names = ["squared_hellinger", "energy_distance", "kl_moments", "maximum_mean_discrepancy"]
    out = posterior_drift(run, measures=names, var_names="mu")
    for name in names:  # 16 statements at 4 standard errors: false alarms 1e-3
        later = out.isel(generation=slice(1, None))
        assert (np.abs(later[name]) < 4 * later[f"{name}_mcse"]).all(), name
    run["posterior"]["mu"].values[:] = 2.0
    run["summary"]["mu"].values[..., 0], run["summary"]["mu"].values[..., 1] = 2, 0
    out = posterior_drift(run, measures=["squared_hellinger", "gaussian_hellinger", "wasserstein"])
    for name in out.data_vars:
        assert (out[name].sel(parameter="mu") == 0).all(), name


def test_joint_measures_say_whose_sds_they_are_in(run):
    out = posterior_drift(run, reference="truth")
    for name in ("energy_distance", "sliced_wasserstein"):
        assert out[name].attrs["units"] == "sds of generation 0"


def test_missing_draws_and_bad_arguments(run):
    bare = make_run(3, 2)
    out = posterior_drift(bare)
    assert set(MOMENTS) == {n for n in out.data_vars if not n.endswith(("_mcse", "_median"))}
    assert "keep_draws above 0" in out.attrs["missing"]
    few = posterior_drift(make_run(3, 2, draws=2))
    assert "4 draws of 3 parameters, 6 are needed" in few.attrs["missing"]
    for settings, words in (
        ({"measures": ["energy_distance"], "run": bare}, "keep_draws above 0"),
        ({"measures": ["entropy"]}, "correct .'entropy'."),
        ({"measures": "sd_ratio"}, "measures must be a sequence"),
        ({"measures": []}, "measures must be a sequence"),
        ({"reference": "prior"}, "reference must be one of"),
        ({"reference": "real_plus"}, "add 'real_plus' to references="),
        ({"permutations": -1}, "permutations must be"),
        ({"permutations": 50, "measures": ["wasserstein"]}, "0 or at least 99, got 50"),
        ({"permutations": 5, "reference": "real_only"}, "0 or at least 99, got 5"),
        ({"permutations": 99, "reference": "truth"}, "the truth is a point"),
        ({"permutations": 99, "measures": ["sd_ratio"]}, "null points of .'wasserstein', 'sliced"),
        ({"var_names": "gamma"}, "var_names must name"),
    ):
        with pytest.raises(ValueError, match=words):
            posterior_drift(**{"run": run} | settings)
    with pytest.raises(ValueError, match="knows the truth"):
        posterior_drift(make_run(3, 2, truth=False), reference="truth")
    with pytest.raises(TypeError, match="xarray.DataTree"):
        posterior_drift(run["summary"].to_dataset())


def test_one_parameter_alone(run):
    out = posterior_drift(run, var_names="beta[1]", measures=["energy_distance", "sd_ratio"])
    assert out["parameter"].values.tolist() == ["beta[1]"]
    x = run["posterior"]["beta"].to_numpy()[0, :, 1, ..., 1].reshape(12, -1, 1)
    y = run["posterior"]["beta"].to_numpy()[0, :, 0, ..., 1].reshape(12, -1, 1)
    sd = run["summary"]["beta"].to_numpy()[0, :, 0, 1, 1, None, None]
    expected = divergence.energy_distance(x / sd, y / sd).mean()
    assert out["energy_distance"].isel(scheme=0, generation=1) == pytest.approx(expected)


def test_a_parameter_without_spread_at_the_start_is_missing(run):
    flat = make_run(4, 3, draws=30)
    flat["summary"]["mu"].values[:, :, 0, 1] = 0.0
    out = posterior_drift(flat, measures=["energy_distance", "sliced_wasserstein", "kl_moments"])
    assert out["energy_distance"].isnull().all()
    assert out["kl_moments"].isnull().all()
