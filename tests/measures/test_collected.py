"""What bc.drift and bc.information collect, and what they say is missing."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.measures import (
    moment_drift,
    mutual_information,
    posterior_accuracy,
    posterior_entropy,
    predictive_drift,
    truth_ranks,
)
from bayescollapse.measures.posterior import posterior_drift
from bayescollapse.measures.registry import KNOWING, REAL, REFERENCES
from bayescollapse.models import bernoulli, categorical, gaussian, gaussian_mean

SETTINGS = {"n_real": 10, "generations": 4, "seed": 8}
KAPPA = 10 * 0.5 / (10 * 0.5 + 1)  # weight of the rows against a prior of variance one half


def run_of(source, replicates, **settings):
    estimator = gaussian_mean.estimator(prior_sd=float(np.sqrt(0.5)))
    return bc.Experiment(
        estimator, source, bc.schemes.replace(), replicates=replicates, **SETTINGS, **settings
    ).run(progress=False)


@pytest.fixture(scope="module")
def drawn():
    return run_of(bc.Truth.from_prior(), 400, held_out=20)


def test_every_topic_is_there(drawn):
    moved = bc.drift(drawn, progress=False)
    for part in (posterior_drift(drawn, progress=False), predictive_drift(drawn)):
        for name in part.data_vars:
            xr.testing.assert_equal(moved[name], part[name])
    known = bc.information(drawn)
    ranks = truth_ranks(drawn).drop_vars("rank")
    for part in (posterior_entropy(drawn), mutual_information(drawn), ranks):
        for name in part.data_vars:
            xr.testing.assert_equal(known[name], part[name])
    assert known.attrs["missing"] == ""
    assert {"uniform_p", "bend", "shift", "rms_z", "rows_worth_density"} <= set(known.data_vars)


def test_information_about_the_truth_and_about_the_start(drawn):
    """Closed forms of a chain that returns to its prior: seven comparisons at 4 standard errors."""
    known = bc.information(drawn).isel(scheme=0, parameter=0)
    t = np.arange(4)
    for name, law in (
        ("mutual_information", -0.5 * np.log1p(-(KAPPA ** (2 * t + 1)))),
        ("first_mutual_information", -0.5 * np.log1p(-(KAPPA ** (2 * np.maximum(t, 1))))),
    ):
        later = t >= (1 if name.startswith("first") else 0)
        z = (known[name].to_numpy() - law) / known[f"{name}_mcse"].to_numpy()
        assert np.abs(z[later]).max() < 4


@pytest.fixture(scope="module")
def referenced():
    """A run with every reference, their draws, and emitted rows."""
    return run_of(
        bc.Truth.from_prior(),
        12,
        held_out=20,
        keep_draws=20,
        keep_rows="all",
        references=REAL,
        keep_reference_draws=True,
    )


def check_parts(whole, parts):
    """Every variable is that of the first part that has it."""
    seen = set()
    for part in parts:
        for name in set(part.data_vars) - seen:
            xr.testing.assert_equal(whole[name], part[name])
        seen |= set(part.data_vars)
        for note in filter(None, part.attrs["missing"].split("; ")):
            assert note in whole.attrs["missing"]
    assert seen == set(whole.data_vars)


@pytest.mark.parametrize("reference", REFERENCES)
def test_drift_passes_its_reference_on(referenced, reference):
    whole = bc.drift(referenced, reference=reference, progress=False)
    assert whole.attrs["reference"] == reference
    parts = [
        moment_drift(referenced),
        posterior_drift(referenced, reference=reference, progress=False),
        predictive_drift(referenced, reference=reference),
    ]
    check_parts(whole, parts)
    if reference != "first":
        # The check above would pass if every reference were the same.
        plain = bc.drift(referenced, progress=False)
        changed = {"gaussian_kl"} | ({"held_out_loss"} if reference in REAL else set())
        for name in changed:
            assert not np.allclose(whole[name], plain[name], equal_nan=True), name


@pytest.mark.parametrize("reference", REFERENCES)
def test_information_passes_its_reference_on(referenced, reference):
    if reference not in KNOWING:
        with pytest.raises(ValueError, match="the truth is a point"):
            bc.information(referenced, reference=reference)
        return
    whole = bc.information(referenced, reference=reference)
    assert whole.attrs["reference"] == reference
    first = mutual_information(referenced, about="first")
    parts = [
        posterior_accuracy(referenced, reference=reference),
        posterior_entropy(referenced, reference=reference),
        first.rename({name: f"first_{name}" for name in first.data_vars}),
        mutual_information(referenced),
        truth_ranks(referenced).drop_vars("rank"),
    ]
    check_parts(whole, [part.assign_attrs(missing=part.attrs.get("missing", "")) for part in parts])
    if reference != "real_only":
        plain = bc.information(referenced)
        for name in ("rows_worth", "share_kept", "lost_to_reference"):
            assert not np.allclose(whole[name], plain[name], equal_nan=True), name


def test_references_that_were_not_fitted_are_named():
    run = run_of(bc.Truth.from_prior(), 12, references=())
    for name in REAL:
        how = f"add '{name}' to references="
        assert how in bc.information(run, reference=name).attrs["missing"]
        with pytest.raises(ValueError, match=how):
            bc.drift(run, reference=name, progress=False)


def test_one_truth_leaves_gaps_that_are_named():
    run = run_of(bc.Truth(mu=0.3), 4)
    known = bc.information(run)
    assert "mutual_information" not in known and "first_mutual_information" not in known
    assert "10 lineages or more, and the run has 4" in known.attrs["missing"]
    assert "bc.Truth.from_prior" in known.attrs["missing"]
    assert "held_out=" in known.attrs["missing"]
    with pytest.raises(ValueError, match="reference"):
        bc.drift(run, reference="yesterday", progress=False)


def learned(learner, truth):
    return bc.Experiment(
        learner,
        bc.Truth.from_prior(estimator=truth),
        bc.schemes.replace(),
        replicates=12,
        **SETTINGS,
    ).run(progress=False)


def test_another_model_can_have_fewer_parameters():
    run = learned(gaussian.estimator(), gaussian_mean.estimator(prior_sd=0.5))
    known = bc.information(run)
    assert known["parameter"].values.tolist() == ["mu", "sigma"]
    value = known["mutual_information"].isel(scheme=0)
    assert value.sel(parameter="mu").notnull().all() and value.sel(parameter="sigma").isnull().all()
    assert "mutual_information of sigma" in known.attrs["missing"]
    assert "another model's prior" in known.attrs["missing"] and "uniform_p" not in known
    assert known["first_mutual_information"].isel(generation=1).notnull().all()


def test_another_model_can_share_no_parameter():
    run = learned(bernoulli.estimator(), categorical.estimator(categories=2))
    known = bc.information(run)
    assert "mutual_information" not in known and "first_mutual_information" in known
    assert "no parameter of the learner is the truth's" in known.attrs["missing"]


def test_a_missing_draw_and_a_part_of_the_generations():
    run = run_of(bc.Truth.from_prior(), 12)
    part = bc.information(run.isel(generation=slice(1, None)))
    assert part["generation"].values.tolist() == [1, 2, 3] and "uniform_p" in part
    run["posterior"]["mu"][{"replicate": 2, "generation": 1}] = np.nan
    known = bc.information(run)
    assert known["uniform_p"].isnull().values.ravel().tolist() == [False, True, False, False]
