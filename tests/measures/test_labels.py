"""Words and units on every variable, the reference it was compared with, and where it came from."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.measures.labels import labelled
from bayescollapse.measures.registry import REAL, REFERENCES, registered
from bayescollapse.measures.row_measures import ROWS
from bayescollapse.models import gaussian

SETTINGS = {
    "n_real": 20,
    "generations": 3,
    "replicates": 10,
    "keep_draws": 40,
    "held_out": 10,
    "keep_rows": "all",
    "references": REAL,
    "keep_reference_draws": True,
}


def experiment_of(source):
    return bc.Experiment(
        gaussian.estimator(prior=gaussian.NormalInverseGamma(1.0, 4.0, 3.0, 2.0)),
        source,
        {"replace": bc.schemes.replace(), "pooled": bc.schemes.pooled()},
        **SETTINGS,
    )


@pytest.fixture(scope="module")
def drawn():
    """Experiment and run with a truth from the prior in every replicate: information is whole."""
    experiment = experiment_of(bc.Truth.from_prior())
    return experiment, experiment.run(progress=False)


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    """Experiment and stored run with one truth, of whose rows nothing is missing."""
    experiment = experiment_of(bc.Truth(mu=0.0, sigma=1.0))
    return experiment, experiment.run(tmp_path_factory.mktemp("labels") / "run", progress=False)


@pytest.fixture(scope="module")
def measured(drawn, fixed):
    experiment, run = fixed
    known = bc.information(drawn[1], experiment=drawn[0])
    return [bc.drift(run, experiment=experiment, progress=False), known]


def test_every_variable_says_what_it_is(measured):
    for part in measured:
        for name, variable in part.items():
            assert variable.attrs["long_name"], name
            assert variable.attrs["units"], name
        words = [
            variable.attrs["long_name"]
            for variable in part.values()
            if "about" not in variable.attrs
        ]
        assert len(set(words)) == len(words)


def test_every_measure_of_a_run_is_declared(measured):
    declared = {measure.name for measure in registered()}
    ends = ("_mcse", "_median", "_low", "_high", "_p", "_error")
    for name in (str(name) for part in measured for name in part.data_vars):
        base = name.removeprefix("first_") if "mutual" in name or "corr" in name else name
        while base not in declared and base.endswith(ends):
            base = base.rpartition("_")[0]
        assert base in declared or base == "n_real", name


def test_variables_of_information_say_what_they_are_about(measured):
    known = measured[1]
    assert known["first_mutual_information"].attrs["about"] == "first"
    assert known["mutual_information_knn"].attrs["about"] == "truth"
    assert "about" not in known.attrs


@pytest.mark.parametrize("reference", [None, *REFERENCES])
def test_variables_of_drift_name_their_reference(fixed, reference):
    experiment, run = fixed
    moved = bc.drift(run, reference=reference, experiment=experiment, progress=False)
    assert moved.attrs.get("reference") == reference
    own = {
        name: "first" for name in ("shift_first", "log_sd_ratio", "kl_first", "wasserstein_first")
    }
    truth = ("bias", "squared_error", "kl_truth", "wasserstein_truth", "truth_divergence")
    own |= dict.fromkeys((*truth, "truth_divergence_error"), "truth")
    chosen = dict.fromkeys(ROWS, reference or "real rows")
    for name, variable in moved.items():
        base = str(name).removesuffix("_mcse").removesuffix("_median")
        wanted = (own | chosen).get(base, reference or "first")
        assert variable.attrs["reference"] == wanted, name
    assert set(own) <= set(moved.data_vars) and set(ROWS) & set(moved.data_vars)


@pytest.mark.parametrize("reference", ["real_plus", "first"])
def test_variables_of_information_name_their_reference(drawn, reference):
    known = bc.information(drawn[1], experiment=drawn[0], reference=reference)
    for name in ("rows_worth", "rows_claimed_mcse", "share_kept", "lost_to_reference_median"):
        assert known[name].attrs["reference"] == reference
    assert known["coverage_low"].attrs["reference"] == known["bias"].attrs["reference"] == "truth"
    for name in ("entropy", "claimed_sd", "rows_worth_density", "uniform_p"):
        assert "reference" not in known[name].attrs


def test_collapse_says_what_it_gives(fixed):
    for name, variable in bc.collapse(fixed[1]).items():
        assert variable.attrs["long_name"], name


def test_stored_runs_give_the_same_bits(fixed):
    experiment, read = fixed
    fresh = experiment.run(progress=False)
    for measure in (
        lambda run: bc.drift(run, experiment=experiment, progress=False),
        lambda run: bc.information(run, experiment=experiment),
        bc.collapse,
    ):
        xr.testing.assert_identical(measure(fresh), measure(read))


@pytest.mark.parametrize("measure", [bc.drift, bc.information])
def test_a_run_is_no_experiment(fixed, measure):
    with pytest.raises(TypeError, match=r"experiment must be the bc.Experiment .* type DataTree"):
        measure(fixed[1], experiment=fixed[1])


def test_ends_of_names_are_told_from_measures():
    given = xr.Dataset({name: 0.0 for name in ("loss", "loss_p", "loss_low", "loss_of_low", "low")})
    words = {"loss": ("what is lost", "nats")}
    found = {name: value.attrs for name, value in labelled(given, words).items()}
    assert found["loss"] == {"long_name": "what is lost", "units": "nats"}
    assert found["loss_p"]["units"] == "1"
    assert found["loss_low"] == {"long_name": "what is lost: lower limit", "units": "nats"}
    assert found["loss_of_low"] == found["low"] == {}
    assert not given["loss"].attrs


def test_dependence_and_correlation_have_their_errors(measured):
    known = measured[1]
    assert (known["dependence_mcse"] > 0).all()
    inside = (known["correlation_low"] < known["correlation"]) & (
        known["correlation"] < known["correlation_high"]
    )
    assert inside.all()
    # A mean is its own first mean: correlation 1, without an error.
    start = known.isel(generation=0)
    assert np.allclose(start["first_correlation_low"], 1)
