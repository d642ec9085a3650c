"""Schemes as values, and a person's own functions in the loop."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse import schedules
from bayescollapse.models import gaussian_mean, linear_regression
from bayescollapse.sources import NormalCovariates

PRESETS = {
    "replace": bc.schemes.replace(),
    "accumulate": bc.schemes.accumulate(emission="plug-in"),
    "accumulate_subsample": bc.schemes.accumulate_subsample(10),
    "pooled": bc.schemes.pooled(total_weight="kish"),
    "weighted": bc.schemes.weighted(schedules.power(1.0, -0.5), total_weight="calibrated"),
    "tuple": bc.schemes.weighted((1.0, 0.5, 0.2)),
    "optimal": bc.schemes.optimal(emission="ensemble(2)"),
    "he_xu_cheng": bc.schemes.he_xu_cheng(),
    "window": bc.Scheme(supply="stream", memory="window(2)", covariates="resample"),
}


@pytest.mark.parametrize("name", PRESETS)
def test_schemes_are_values(name):
    scheme = PRESETS[name]
    twin = bc.Scheme.from_dict(scheme.to_dict())
    assert twin == scheme
    assert hash(twin) == hash(scheme)
    assert twin.to_dict() == scheme.to_dict()
    assert "\n" not in repr(scheme)
    rebuilt = eval(
        repr(scheme),
        {"Scheme": bc.Scheme, "Weighting": bc.schemes.Weighting, "Power": schedules.Power},
    )
    assert rebuilt == scheme
    with pytest.raises(AttributeError):
        scheme.supply = "none"


def test_presets_name_their_paper():
    named = [s for k, s in PRESETS.items() if k not in ("tuple", "window")]
    assert all(scheme.citation for scheme in named)
    assert PRESETS["he_xu_cheng"] == bc.schemes.optimal(emission="plug-in")


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        ("rows", 50.0),
        ("real", 20.0),
        ("kish", 1 / (0.3**2 / 20 + 0.7**2 / 30)),
        (77.0, 77.0),
    ],
)
def test_total_weight_and_share_of_the_rows(total, expected):
    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.weighted(0.3, total_weight=total),
        n_real=20,
        n_synthetic=30,
        generations=3,
        replicates=2,
    ).run(progress=False)
    training = run["training"].to_dataset().isel(scheme=0, replicate=0)
    np.testing.assert_allclose(training["total_weight"], [20.0, expected, expected])
    np.testing.assert_allclose(training["real_share"], [1.0, 0.3, 0.3])
    np.testing.assert_allclose(training["kish"][1], 1 / (0.3**2 / 20 + 0.7**2 / 30))
    np.testing.assert_allclose(
        run["summary"]["mu"].sel(statistic="sd").isel(generation=2), expected**-0.5
    )
    rows = run["rows"].to_dataset()
    last = rows.isel(row=np.flatnonzero(rows["generation"] == 2))
    np.testing.assert_allclose(last["weight"].sum(), expected)
    np.testing.assert_allclose(last["weight"].where(last["real"], 0).sum(), 0.3 * expected)


def test_scheduled_shares_and_counts():
    scheme = bc.schemes.weighted(lambda t: 1 / (t + 1))
    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        scheme,
        n_real=schedules.linear(10, 5),
        n_synthetic=lambda t: 10 * (t + 1),
        generations=4,
        replicates=1,
    ).run(progress=False)
    training = run["training"].to_dataset().isel(scheme=0, replicate=0)
    np.testing.assert_allclose(training["real_share"], [1, 1 / 2, 1 / 3, 1 / 4])
    np.testing.assert_array_equal(training["real_rows"], [10, 15, 20, 25])
    np.testing.assert_array_equal(training["synthetic_rows"], [0, 20, 30, 40])
    np.testing.assert_array_equal(training["emitted"], [20, 30, 40, 50])


def only_positive(proposed, context):
    """Selection of a person's own."""
    assert context.previous is not None
    assert context.generation >= 1
    return (proposed["y"] > 0).to_numpy().astype(float)


def newest_only(rows, context):
    """Weighting of a person's own: real rows 1, synthetic rows one half."""
    assert set(rows.coords) >= {"real", "batch", "origin"}
    return np.where(rows["real"], 1.0, 0.5)


def test_own_selection_and_weighting():
    scheme = bc.Scheme(selection=only_positive, weighting=newest_only)
    assert bc.Scheme.from_dict(scheme.to_dict()) == scheme
    run = bc.Experiment(
        gaussian_mean.estimator(), bc.Truth(mu=0.0), scheme, n_real=20, generations=3, replicates=3
    ).run(progress=False)
    training = run["training"].to_dataset().isel(scheme=0)
    # A row that the selection drops has no weight, whatever the weighting says.
    wanted = training["real_rows"] + 0.5 * training["synthetic_rows"]
    np.testing.assert_allclose(training["total_weight"], wanted)
    assert (training["synthetic_rows"].isel(generation=slice(1, None)) < 20).any()
    selected = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.Scheme(selection=only_positive),
        n_real=20,
        generations=3,
        replicates=3,
        keep_rows="all",
    ).run(progress=False)
    rows = selected["rows"].to_dataset()
    synthetic = rows.isel(row=np.flatnonzero(~rows["real"].to_numpy()))
    assert ((synthetic["weight"] > 0) == (synthetic["y"] > 0)).all()
    np.testing.assert_allclose(rows["weight"], rows["weight"] > 0)
    training = selected["training"].to_dataset()
    used = training["real_rows"] + training["synthetic_rows"]
    np.testing.assert_allclose(training["total_weight"], used)
    np.testing.assert_allclose(training["real_share"], training["real_rows"] / used)
    accepted = training["accepted"].isel(generation=slice(None, -1)).to_numpy()
    np.testing.assert_array_equal(
        training["synthetic_rows"].isel(generation=slice(1, None)), accepted
    )


def density_selection(proposed, context):
    """Keep the half with the larger predictive density."""
    density = context.previous.log_density(proposed)
    assert context.previous.posterior(5).sizes["draw"] == 5
    assert context.previous.propose(7).sizes["obs"] == 7
    assert context.oracle is not None
    return (density >= density.median("obs")).astype(float)


density_selection.reads_oracle = True


def test_context_offers_the_previous_generation():
    run = bc.Experiment(
        linear_regression.estimator(features=1, noise_sd=1.0),
        bc.Truth(beta=[1.0], covariates=NormalCovariates(1)),
        bc.Scheme(selection=density_selection, emission="plug-in"),
        n_real=20,
        generations=3,
        replicates=2,
    ).run(progress=False)
    np.testing.assert_array_equal(run["training"]["synthetic_rows"].isel(generation=1), 10)


def wrong_shape(rows, context):
    """A weighting that returns nonsense."""
    return np.ones(3)


def test_own_functions_are_checked():
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.Scheme(weighting=wrong_shape),
        n_real=20,
        generations=2,
        replicates=2,
    )
    with pytest.raises(ValueError, match="weighting must return one number per row"):
        experiment.run(progress=False)


def test_held_out_density_is_the_posterior_predictive():
    """The Monte Carlo density of held-out rows against its closed form, lineage by lineage."""
    y = np.random.default_rng(1).normal(size=400)
    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=50,
        generations=8,
        replicates=128,
        held_out=xr.Dataset({"y": ("obs", y)}),
        keep_draws=0,
    ).run(progress=False)
    measured = run["predictive"]["held_out_log_density"].isel(scheme=0).to_numpy()
    mean, sd = (run["summary"]["mu"].isel(scheme=0).sel(statistic=s) for s in ("mean", "sd"))
    variance = 1 + sd.to_numpy()[..., None] ** 2
    z = (y - mean.to_numpy()[..., None]) ** 2 / variance
    exact = (-0.5 * z - 0.5 * np.log(2 * np.pi * variance)).mean(axis=-1)
    difference = measured - exact
    mcse = difference.std() / np.sqrt(difference.size)
    # The logarithm of a mean of 200 draws is low by its relative variance over 400: below 1e-4.
    assert abs(difference.mean()) < 4 * mcse + 1e-4
    # A cell errs as the mean of its 200 draws does, times the slope of the density; 5 sd in 1,024.
    slope = np.abs(mean.to_numpy() - y.mean())
    assert (np.abs(difference) < 5 * slope * sd.to_numpy() / np.sqrt(200) + 2e-3).all()
    assert measured[:, -1].mean() < measured[:, 0].mean() - 0.05


def test_schemes_that_look_alike_are_kept_apart():
    """Lambdas have one name, and equal schemes one digest: every label still has its own result."""

    def run(schemes):
        return bc.Experiment(
            gaussian_mean.estimator(),
            bc.Truth(mu=0.0),
            schemes,
            n_real=20,
            generations=3,
            replicates=2,
        ).run(progress=False)

    lower = bc.Scheme(selection=lambda rows, context: (rows["y"] < 0).astype(float))
    upper = bc.Scheme(selection=lambda rows, context: (rows["y"] > 0).astype(float))
    mean = run({"lower": lower, "upper": upper})["summary"]["mu"].sel(statistic="mean")
    assert (mean.sel(scheme="lower", generation=2) < mean.sel(scheme="upper", generation=2)).all()
    twice = run({"one": bc.schemes.pooled(), "two": bc.schemes.pooled()})
    once = run(bc.schemes.pooled())
    for label in ("one", "two"):
        xr.testing.assert_identical(
            twice["summary"].to_dataset().sel(scheme=label, drop=True),
            once["summary"].to_dataset().isel(scheme=0, drop=True),
        )
    assert twice["rows"].sizes["row"] == 2 * once["rows"].sizes["row"]
