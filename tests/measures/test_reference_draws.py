"""Divergences from references whose draws were kept."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.measures.posterior import posterior_drift
from bayescollapse.models import gaussian, gaussian_mean

REAL = ("real_only", "real_seen", "real_plus")


def experiment(**settings):
    defaults = {"n_real": 20, "generations": 4, "replicates": 150, "keep_draws": 100, "seed": 4}
    return bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        {
            # Fitted to the generation's real rows alone: the posterior of the reference.
            "real rows": bc.schemes.weighted(1.0, total_weight="real"),
            "mixed": bc.schemes.replace(),
        },
        **{**defaults, **settings},
    )


@pytest.fixture(scope="module")
def run():
    return experiment(keep_reference_draws=True).run(progress=False)


def test_the_same_posterior_is_at_distance_nought(run):
    """Unbiased measures: 8 comparisons at 4 MCSE, false alarm below 5e-4."""
    found = posterior_drift(run, reference="real_only", progress=False)
    assert found.attrs["missing"] == ""
    same, other = found.sel(scheme="real rows"), found.sel(scheme="mixed").isel(generation=-1)
    for name in ("energy_distance", "kl_moments"):
        assert (np.abs(same[name]) < 4 * same[f"{name}_mcse"]).all()
        assert other[name] > 4 * other[f"{name}_mcse"]
    np.testing.assert_allclose(same["shift_sds"], 0.0, atol=1e-9)
    # Draws of the reference are others than those of the scheme, whose posterior is the same.
    assert (same["wasserstein"] > 0).all()


@pytest.mark.parametrize("reference", REAL)
def test_every_reference_can_be_chosen(run, reference):
    found = bc.drift(run, reference=reference, progress=False)
    assert found.attrs["reference"] == reference
    assert np.isfinite(found["energy_distance"]).all()
    assert np.isfinite(found["gaussian_kl"]).all()


def test_sampled_references_share_no_draws_with_schemes():
    """The same rows and the same posterior: equal seeds would give one sample twice."""
    mean = bc.Experiment(
        bc.Estimator(gaussian_mean.model()),
        bc.Truth(mu=0.0),
        bc.schemes.weighted(1.0, total_weight="real"),
        method="nuts",
        n_real=20,
        generations=1,
        replicates=6,
        references=("real_only",),
        keep_reference_draws=True,
        seed=2,
    ).run(progress=False)
    drawn, reference = (
        mean[g]["mu"].to_numpy() for g in ("posterior", "reference/real_only/posterior")
    )
    assert not np.isin(reference, drawn).any()
    found = posterior_drift(mean, reference="real_only", progress=False)
    # Student's t with 5 degrees of freedom exceeds 7.2 once in 1,250.
    assert (np.abs(found["energy_distance"]) < 7.2 * found["energy_distance_mcse"]).all()


def test_draws_are_kept_only_if_asked_for(run):
    plain = experiment().run(progress=False)
    xr.testing.assert_identical(plain["summary"].to_dataset(), run["summary"].to_dataset())
    xr.testing.assert_identical(plain["posterior"].to_dataset(), run["posterior"].to_dataset())
    assert "posterior" not in plain["reference/real_only"].children
    found = posterior_drift(plain, reference="real_only", progress=False)
    assert "keep_reference_draws=True" in found.attrs["missing"]
    with pytest.raises(ValueError, match="keep_reference_draws=True"):
        posterior_drift(plain, reference="real_only", measures=["energy_distance"])


def test_a_stored_run_keeps_them_too(run, tmp_path):
    stored = experiment(keep_reference_draws=True).run(tmp_path / "run", progress=False)
    for name in REAL:
        xr.testing.assert_identical(
            stored[f"reference/{name}/posterior"].to_dataset(inherit=False),
            run[f"reference/{name}/posterior"].to_dataset(inherit=False),
        )
    with pytest.raises(ValueError, match="belongs to another experiment"):
        experiment().run(tmp_path / "run", progress=False)
