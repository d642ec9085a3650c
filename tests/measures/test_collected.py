"""What bc.drift and bc.information collect, and what they say is missing."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.measures import mutual_information, posterior_entropy, predictive_drift
from bayescollapse.measures.posterior import posterior_drift
from bayescollapse.models import gaussian_mean

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
    for part in (posterior_entropy(drawn), mutual_information(drawn)):
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


def test_one_truth_leaves_gaps_that_are_named():
    run = run_of(bc.Truth(mu=0.3), 4)
    known = bc.information(run)
    assert "mutual_information" not in known and "first_mutual_information" not in known
    assert "bc.Truth.from_prior" in known.attrs["missing"]
    assert "held_out=" in known.attrs["missing"]
    with pytest.raises(ValueError, match="reference"):
        bc.drift(run, reference="yesterday", progress=False)
