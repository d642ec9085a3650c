"""Predictive drift against each of the five references."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import bayescollapse as bc
from bayescollapse.experiment.emitting import emitting_reference
from bayescollapse.measures import predictive_drift
from bayescollapse.measures.divergence_from_truth import held_out_truth
from bayescollapse.measures.predictive import predictive_cells
from bayescollapse.measures.registry import REAL, REFERENCES
from bayescollapse.models import (
    categorical,
    gaussian,
    gaussian_mean,
    kernel_density,
    linear_regression,
)
from tests.measures.predictions import P, Z

N = 20
ROWS = "tail_mass, rare_mass, support_loss, modes_kept, far_rows, entropy_change, diversity"
MOMENTS = ("emitted_mean_shift", "emitted_log_sd_ratio", "emitted_quantile_shift")
SETTINGS = {"n_real": N, "generations": 3, "replicates": 4}
LINE = gaussian_mean.estimator()
NORMAL = bc.Truth(mu=0.0)


def design(m, rng):
    return xr.Dataset({"x": (("obs", "feature"), rng.normal(size=(m, 2)))})


def real_only(share=1.0, **axes):
    return bc.schemes.weighted(share, total_weight="real", **axes)


@pytest.fixture(scope="module")
def gaussians():
    """Known noise sd and a flat prior: every law below is in closed form."""
    schemes = {
        "replace": bc.schemes.replace(),
        "real": real_only(),
        "point": real_only(emission="plug-in"),
    }
    experiment = bc.Experiment(
        LINE,
        NORMAL,
        schemes,
        n_real=N,
        generations=4,
        replicates=512,
        keep_rows="all",
        keep_draws=0,
        held_out=400,
    )
    return experiment, experiment.run(progress=False)


def real_rows(reference):
    """Real rows behind a reference, by generation; none behind a law that is known."""
    times = np.arange(4)
    plus = np.where(times > 0, 2 * N, N)
    rows = {"first": N, "real_only": N, "real_seen": N * (times + 1), "real_plus": plus}
    return np.broadcast_to(rows.get(reference, np.inf), 4)


def spread(times):
    """Variance of the posterior mean under replace with joint emission, over its noise's."""
    return (1 + 2 * times) / N


@pytest.mark.parametrize("reference", REFERENCES)
def test_held_out_loss_of_gaussians(gaussians, reference):
    experiment, run = gaussians
    found = predictive_drift(run, reference=reference, experiment=experiment, rows=2)
    found = found.sel(scheme="replace")
    # The held-out rows are common to all replicates: expectations are given their mean square.
    square = np.mean(experiment.held_out_rows["y"] ** 2)

    def log_density(rows, variance):
        return -np.log1p(1 / rows) / 2 - (square + variance) / (2 * (1 + 1 / rows))

    rows = real_rows(reference)
    law = log_density(rows, 1 / rows) - log_density(N, spread(np.arange(4)))
    gap = np.abs(found["held_out_loss"] - law)
    assert bool((gap < Z * found["held_out_loss_mcse"] + 1e-12).all()), (gap.values, law)
    if reference == "truth":
        # With as many held-out rows as there could be, generation 0 loses half a log.
        expected = np.log1p(1 / N) / 2 - (square - 1) / (2 * (N + 1))
        assert law[0] == pytest.approx(expected)


def test_a_scheme_of_real_rows_is_its_own_reference(gaussians):
    experiment, run = gaussians
    found = predictive_drift(run, reference="real_only", experiment=experiment, rows=2)
    assert bool((found["held_out_loss"].sel(scheme=["real", "point"]) == 0).all())
    assert bool((found["held_out_loss_mcse"].sel(scheme=["real", "point"]) == 0).all())
    for name in MOMENTS:
        # The same emission by the same streams, and another one with the same mean.
        assert bool((found[name].sel(scheme="real") == 0).all()), name
        if name != "emitted_log_sd_ratio":
            point = found.sel(scheme="point")
            assert bool((np.abs(point[name]) < Z * point[f"{name}_mcse"]).all()), name
    assert bool((np.abs(found["emitted_log_sd_ratio"].sel(scheme="point")) < 1e-12).all())
    late = found.sel(scheme="replace").isel(generation=3)
    assert abs(float(late["held_out_loss"])) > 10 * float(late["held_out_loss_mcse"])


@pytest.mark.parametrize("reference", REFERENCES)
def test_tail_mass_of_gaussians(gaussians, reference):
    experiment, run = gaussians
    found = predictive_drift(run, reference=reference, experiment=experiment, rows=2)
    found = found["tail_mass"].sel(scheme="replace"), found["tail_mass_mcse"].sel(scheme="replace")
    mean, error = (part.isel(response=0, generation=[0, 1, 2]).to_numpy() for part in found)
    own = 1 + spread(np.arange(3)) + 1 / N
    theirs = 1 + 2 / real_rows(reference)[:3]
    law = 2 * stats.norm.cdf(stats.norm.ppf(0.025) * np.sqrt(theirs / own)) / 0.05
    # The 10,240 rows of the reference know their tails to 5 %, rows of a replicate being alike.
    assert np.all(np.abs(mean - law) < Z * (error + 0.05 * law)), (mean, law)


def test_generation_0_is_its_own_first_reference(gaussians):
    found = predictive_drift(gaussians[1], reference="first")
    found = found.sel(scheme="replace").isel(generation=0, response=0)
    for name in MOMENTS:
        assert bool((found[name] == 0).all()), name
    assert float(found["tail_mass"]) == pytest.approx(1)
    assert float(found["modes_kept"]) == 1
    assert float(found["far_rows"]) == 0
    # Rows of all replicates spread by 2 / n more than those of one, whose entropy is .055 too low.
    assert float(found["diversity"]) == pytest.approx(1 / np.sqrt(1 + 2 / N), abs=0.03)
    law = -np.log1p(2 / N) / 2 - 0.055
    assert float(found["entropy_change"]) == pytest.approx(law, abs=0.04)


FAMILIES = {
    "gaussian": (gaussian.estimator(), bc.Truth(mu=1.0, sigma=2.0)),
    "categorical": (categorical.estimator(categories=5), bc.Truth(p=P)),
    "regression": (
        linear_regression.estimator(features=2),
        bc.Truth(beta=np.array([1.0, -1.0]), sigma=1.0, covariates=design),
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_of_a_reference_are_those_of_its_posterior(family):
    learner, truth = FAMILIES[family]
    schemes = {
        "real": real_only(),
        "near": real_only(1 - 1e-12),
        "replace": bc.schemes.replace(),
    }
    experiment = bc.Experiment(learner, truth, schemes, **{**SETTINGS, "replicates": 128})
    run = experiment.run(progress=False)
    found = predictive_drift(run, reference="real_only", experiment=experiment, rows=2)
    for name in MOMENTS:
        assert bool((found[name].sel(scheme="real") == 0).all()), name
    # Rows that train, with next to no weight, are the reference's own, generation by generation;
    # draws of probabilities are others after the least change of a posterior.
    near = found.sel(scheme="near").isel(generation=[0, 1])
    assert np.allclose(near["far_rows"], 0)
    if family == "categorical":
        assert bool((np.abs(near["rare_mass"] - 1) < 1.5 * Z * near["rare_mass_mcse"]).all())
        assert bool((np.abs(near["support_loss"]) < 1.5 * Z * near["support_loss_mcse"]).all())
    else:
        assert np.allclose(near["tail_mass"], 1)
    late = found["emitted_mean_shift"].sel(scheme="replace").isel(generation=1)
    assert bool((late != 0).all())


@pytest.mark.parametrize("family", [*FAMILIES, "map"])
@pytest.mark.parametrize("reference", REAL)
def test_references_that_emit_have_the_posteriors_of_the_run(family, reference):
    learner, truth = FAMILIES.get(family, FAMILIES["gaussian"])
    method = {"method": "map"} if family == "map" else {}
    scheme = bc.schemes.replace(emission="plug-in")
    counts = {**SETTINGS, "n_real": (20, 15, 30), "n_synthetic": (0, 10, 25, 20)}
    experiment = bc.Experiment(
        learner, truth, scheme, references=REAL, **{**counts, "replicates": 2}, **method
    )
    run = experiment.run(progress=False)
    again = emitting_reference(experiment, reference).run(progress=False)
    xr.testing.assert_equal(
        again["summary"].to_dataset().isel(scheme=0, drop=True),
        run[f"reference/{reference}"].to_dataset(),
    )
    # What emitted in the run still does: the experiment is left as it was.
    assert list(experiment.schemes) == ["replace"]
    assert experiment.n_real == (20, 15, 30)


def test_a_direct_estimator_has_references_that_emit():
    truth = bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator())
    experiment = bc.Experiment(kernel_density.estimator(), truth, bc.schemes.replace(), **SETTINGS)
    run = experiment.run(progress=False)
    found = predictive_drift(run, reference="real_seen", experiment=experiment, rows=2)
    assert {*MOMENTS, "tail_mass", "diversity"} <= set(found.data_vars)


def test_a_point_estimate_is_compared_with_point_estimates():
    experiment = bc.Experiment(
        *FAMILIES["gaussian"],
        real_only(emission="plug-in"),
        method="map",
        **{**SETTINGS, "replicates": 2},
    )
    run = experiment.run(progress=False)
    found = predictive_drift(run, reference="real_only", experiment=experiment, rows=2)
    for name in MOMENTS:
        assert np.allclose(found[name], 0), name


@pytest.mark.parametrize("reference", REAL)
def test_what_a_run_lacks_is_told(reference):
    experiment = bc.Experiment(LINE, NORMAL, bc.schemes.replace(), references=(), **SETTINGS)
    run = experiment.run(progress=False)
    missing = predictive_drift(run, reference=reference).attrs["missing"]
    assert "held_out_loss: the run has no held-out rows" in missing
    wanted = f"{', '.join(MOMENTS)}: emitted rows of {reference}: references keep no rows (pass"
    assert wanted in missing
    assert f"{ROWS}: measures of emitted rows: the run has not kept all rows" in missing
    held_out = bc.Experiment(
        LINE, NORMAL, bc.schemes.replace(), references=(), held_out=5, **SETTINGS
    )
    found = predictive_drift(
        held_out.run(progress=False), reference=reference, experiment=held_out, rows=2
    )
    assert "held_out_loss" not in found
    assert f"add '{reference}' to references= of the experiment" in found.attrs["missing"]
    assert "tail_mass" in found


def test_the_truth_needs_the_experiment_and_a_law():
    experiment = bc.Experiment(LINE, NORMAL, bc.schemes.replace(), held_out=5, **SETTINGS)
    missing = predictive_drift(experiment.run(progress=False), reference="truth").attrs["missing"]
    assert "held_out_loss: no density of the truth (pass the experiment= that" in missing

    def simulate(m, rng):
        return xr.Dataset({"y": ("obs", rng.normal(size=m))})

    unknown = bc.Experiment(
        LINE, bc.Simulator(simulate), bc.schemes.replace(), held_out=5, **SETTINGS
    )
    found = predictive_drift(
        unknown.run(progress=False), reference="truth", experiment=unknown, rows=2
    )
    assert "known for bc.Truth only" in found.attrs["missing"]
    assert "choose another reference" in found.attrs["missing"]
    assert "tail_mass" in found


@pytest.mark.parametrize("own", [True, False])
def test_truths_from_the_prior_have_held_out_rows_and_moments(own):
    rows = 7 if own else xr.Dataset({"y": ("obs", np.linspace(-2, 2, 7))})
    experiment = bc.Experiment(
        gaussian_mean.estimator(prior_sd=3.0),
        bc.Truth.from_prior(),
        real_only(),
        held_out=rows,
        n_real=N,
        generations=2,
        replicates=130,
    )
    run = experiment.run(progress=False)
    values = [experiment.held_out_of(block)["y"] for block in (0, 1)]
    held_out = np.concatenate([np.broadcast_to(v, (128, 7)) for v in values])[:130]
    law = stats.norm.logpdf(held_out, run["truth"]["mu"].to_numpy()[:, None]).mean(axis=1)
    assert np.allclose(held_out_truth(experiment), law)
    found = predictive_drift(run, reference="real_seen", experiment=experiment, rows=2)
    # Moments compare within replicates; rows of all replicates together have no one law.
    limit = Z * found["emitted_mean_shift_mcse"] + 1e-9
    assert bool((np.abs(found["emitted_mean_shift"]) < limit).all())
    assert "the true 'mu' differs between replicates" in found.attrs["missing"]


def test_one_design_has_no_reference_of_more_rows():
    fixed = bc.Truth(
        beta=np.array([1.0, -1.0]), sigma=1.0, covariates=design(N, np.random.default_rng(1))
    )
    experiment = bc.Experiment(
        linear_regression.estimator(features=2), fixed, bc.schemes.replace(), **SETTINGS
    )
    run = experiment.run(progress=False)
    more = predictive_drift(run, reference="real_plus", experiment=experiment, rows=2)
    assert "the source has one design, which n + m rows do not fit" in more.attrs["missing"]
    same = predictive_drift(run, reference="real_seen", experiment=experiment, rows=2)
    assert "diversity" in same
    assert "emitted_mean_shift" in same


def test_an_experiment_of_another_run_is_refused():
    mine, other = (
        bc.Experiment(LINE, NORMAL, bc.schemes.replace(), seed=seed, **SETTINGS) for seed in (0, 1)
    )
    for reference in (None, *REFERENCES):
        with pytest.raises(ValueError, match=r"another experiment; it differs in \['seed'\]"):
            predictive_drift(mine.run(progress=False), reference=reference, experiment=other)
    with pytest.raises(ValueError, match="another experiment"):
        predictive_cells(mine.run(progress=False), experiment=other)


def positive(rows, context):
    return (rows["y"] > 0).astype(float)


def test_selected_rows_are_compared_and_proposed_ones_recorded():
    experiment = bc.Experiment(
        LINE,
        NORMAL,
        bc.schemes.replace(selection=positive),
        n_real=200,
        generations=2,
        replicates=40,
    )
    run = experiment.run(progress=False)
    for reference in ("truth", "real_only", "real_plus"):
        found = predictive_drift(run, reference=reference, experiment=experiment, rows=2)
        found = found.isel(scheme=0, response=0)
        first = found.isel(generation=0)
        # Proposals are those of a fit to real rows; half-normal rows are 2 - sqrt(2) as diverse.
        assert abs(first["emitted_mean_shift"]) < Z * first["emitted_mean_shift_mcse"] + 0.05
        assert float(first["diversity"]) == pytest.approx(2 - np.sqrt(2), abs=0.04)
        # The last generation saw positive rows only and proposes around .8; nobody was trained.
        last = found.isel(generation=1)
        assert float(last["emitted_mean_shift"]) > 0.5
        assert np.isnan(last["diversity"])
