"""Predictive drift of runs whose drift is known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import special, stats

import bayescollapse as bc
from bayescollapse.measures import predictive_drift
from bayescollapse.measures.predictive import predictive_cells
from bayescollapse.measures.predictive_table import MEASURES
from bayescollapse.measures.registry import registered
from bayescollapse.measures.row_measures import _discrete
from bayescollapse.measures.row_samples import row_samples, takes_long
from bayescollapse.models import categorical, gaussian, gaussian_mean, kernel_density
from tests.measures.predictions import P, Z


@pytest.fixture(scope="module")
def nearly_real():
    """A scheme whose synthetic rows count for next to nothing: every law is that of real rows."""
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=2.0),
        bc.schemes.weighted(1 - 1e-9, total_weight="real", emission="plug-in"),
        n_real=500,
        generations=4,
        replicates=60,
        keep_rows="all",
        held_out=200,
    )
    return experiment, experiment.run(progress=False)


def test_nothing_drifts_where_synthetic_rows_have_no_weight(nearly_real):
    found = predictive_drift(nearly_real[1]).isel(scheme=0)
    late = found.isel(generation=[1, 2], response=0)
    nulls = {"tail_mass": 1, "diversity": 1, "emitted_log_sd_ratio": 0, "emitted_mean_shift": 0}
    # 30,000 real rows set the tails and the distance, with an error as large as the emitted rows'.
    spare = {"tail_mass": Z * 0.025 + 0.005, "diversity": Z * 0.006}
    for name, null in nulls.items():
        error = Z * late[f"{name}_mcse"] + spare.get(name, 0.0)
        assert bool((np.abs(late[name] - null) < error).all()), name
    assert bool((late["modes_kept"] == 1).all())
    assert bool((late["far_rows"] < 0.004).all())
    assert bool((np.abs(late["entropy_change"]) < 0.05).all())
    assert bool((np.abs(late["held_out_loss"]) < 0.01).all())
    assert np.isnan(found["tail_mass"].isel(generation=-1)).all()
    assert "truth_divergence" in found.attrs["missing"]


def test_values_lie_in_their_declared_range(nearly_real):
    cells = predictive_cells(nearly_real[1])
    lines = {m.name: m for m in registered() if m.question == "predictive drift"}
    assert {m.name for m in MEASURES} <= set(lines)
    for name, values in cells.items():
        known = values.to_numpy()[~np.isnan(values.to_numpy())]
        assert known.size, name
        assert known.min() >= lines[name].lowest
        assert known.max() <= lines[name].highest


def test_rows_that_were_not_kept_are_emitted_again():
    settings = {"n_real": 12, "generations": 3, "replicates": 130}
    schemes = {"replace": bc.schemes.replace(), "accumulate": bc.schemes.accumulate()}
    kept, replayed = (
        bc.Experiment(
            gaussian.estimator(),
            bc.Truth(mu=0.0, sigma=1.0),
            schemes,
            keep_rows=rows,
            **settings,
        )
        for rows in ("all", "first")
    )
    one, other = kept.run(progress=False), replayed.run(progress=False)
    assert "keep_rows='all'" in predictive_drift(other).attrs["missing"]
    xr.testing.assert_identical(
        predictive_cells(one).drop_attrs(),
        predictive_cells(other, experiment=replayed).drop_attrs(),
    )
    samples = row_samples(one)
    assert samples.real["y"].size == 12 * 130
    sd = samples.apply(lambda s, t: lambda x: {"sd": x.std(axis=1, ddof=1)}, "y")["sd"]
    recorded = one["predictive"]["y"].sel(statistic="sd").to_numpy()
    assert np.allclose(sd[:, :, :-1], recorded[:, :, :-1])


def test_rows_of_many_truths_are_refused():
    run = bc.Experiment(
        gaussian_mean.estimator(prior_sd=1.0),
        bc.Truth.from_prior(),
        bc.schemes.replace(),
        n_real=10,
        generations=3,
        replicates=4,
        keep_rows="all",
    ).run(progress=False)
    with pytest.raises(ValueError, match="'mu' differs between replicates"):
        row_samples(run)
    assert "differs between replicates" in predictive_drift(run).attrs["missing"]


@pytest.fixture(scope="module")
def drifting():
    """Categories that are lost by chance: maximum likelihood on the rows of the last generation."""
    return bc.Experiment(
        categorical.estimator(categories=5),
        bc.Truth(p=P),
        bc.schemes.replace(emission="plug-in(map)"),
        n_real=50,
        generations=31,
        replicates=256,
        keep_rows="all",
        keep_draws=0,
    ).run(progress=False)


def test_diversity_of_categories_falls_as_the_law_says(drifting):
    found = predictive_drift(drifting).isel(scheme=0, response=0)
    times = np.array([0, 5, 15, 29])
    law = (1 - 1 / 50) ** (times + 1)
    late = found.isel(generation=times)
    # The real rows' own diversity has an error of about 0.004.
    assert np.all(np.abs(late["diversity"] - law) < Z * (late["diversity_mcse"] + 0.004))


def test_rare_categories_are_lost_in_most_lineages_but_not_on_average(drifting):
    late = predictive_drift(drifting).isel(scheme=0, response=0, generation=29)
    assert abs(float(late["rare_mass"]) - 1) < Z * float(late["rare_mass_mcse"])
    assert float(late["rare_mass_median"]) == 0.0
    assert float(late["support_loss"]) > 10 * float(late["support_loss_mcse"])
    assert float(late["modes_kept"]) < 0.8
    assert float(late["entropy_change"]) < -0.3
    assert float(late["far_rows"]) == 0.0
    assert "tail_mass" not in late


def test_a_model_without_the_gap_between_modes_fills_it():
    def two_modes(m, rng):
        return xr.Dataset({"y": ("obs", rng.normal(6.0 * rng.choice([-1, 1], m), 1.0))})

    run = bc.Experiment(
        gaussian.estimator(),
        bc.Simulator(two_modes),
        bc.schemes.replace(),
        n_real=200,
        generations=3,
        replicates=20,
        keep_rows="all",
    ).run(progress=False)
    found = predictive_drift(run).isel(scheme=0, response=0, generation=0)
    # Real rows leave about (-3, 3) and the ends beyond 9.5 bare; sd is 6.1.
    law = 2 * stats.norm.cdf(3 / 6.1) - 1 + 2 * stats.norm.cdf(-9.5 / 6.1)
    assert float(found["far_rows"]) == pytest.approx(law, abs=0.1)
    assert float(found["modes_kept"]) == 1.0
    assert float(found["entropy_change"]) > 0.3


def test_a_direct_estimator_has_no_divergence_but_the_rest():
    experiment = bc.Experiment(
        kernel_density.estimator(),
        bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator()),
        bc.schemes.replace(),
        n_real=30,
        generations=3,
        replicates=3,
        keep_rows="all",
    )
    found = predictive_drift(experiment.run(progress=False), experiment=experiment)
    assert "truth_divergence" not in found
    assert "truth_divergence:" in found.attrs["missing"]
    assert "diversity" in found, found.attrs["missing"]


def test_tied_real_rows_have_no_entropy_and_their_own_distance():
    levels = (np.arange(200) + 0.5) / 200
    table = bc.Table(pd.DataFrame({"y": stats.norm.ppf(levels)}))
    rounded = bc.Simulator(rounded_rows)
    for source in (table, rounded):
        run = bc.Experiment(
            gaussian.estimator(),
            source,
            bc.schemes.replace(emission="plug-in"),
            n_real=50,
            generations=2,
            replicates=100,
            keep_rows="all",
        ).run(progress=False)
        found = predictive_drift(run).isel(scheme=0, response=0, generation=0)
        # Each of 200 rows is a share of .005, which is the null where it is more than .001.
        assert float(found["far_rows"]) < 0.02
        assert "entropy_change" not in found
        assert "entropy_change of 'y': more than 1 % of the rows" in found.attrs["missing"]
        # Fitted moments spread the tails by 7 %; 5000 real rows know theirs to 6 %.
        assert float(found["tail_mass"]) == pytest.approx(1.07, abs=Z * 0.06)
        assert float(found["diversity"]) == pytest.approx(1, abs=0.05)
        first = predictive_drift(run, reference="first").isel(scheme=0, response=0, generation=0)
        assert abs(float(first["entropy_change"])) < 0.1


def rounded_rows(m, rng):
    return xr.Dataset({"y": ("obs", np.round(rng.normal(size=m), 1))})


def test_rows_of_a_constant_law_are_measured():
    def constant(m, rng):
        return xr.Dataset({"y": ("obs", np.full(m, 2.0))})

    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Simulator(constant),
        bc.schemes.replace(),
        n_real=10,
        generations=2,
        replicates=3,
        keep_rows="all",
    ).run(progress=False)
    found = predictive_drift(run).isel(scheme=0, response=0, generation=0)
    assert float(found["far_rows"]) == 1.0
    assert "diversity" not in found
    assert "entropy_change" in found.attrs["missing"]


def test_far_categories_are_those_that_no_real_row_has():
    # Common 0 and 1 lie side by side, 3, 5, 7 and 9 have one row each: distances mean nothing.
    real = np.repeat([0, 1, 3, 5, 7, 9], [300, 190, 1, 1, 1, 1])
    kernel = _discrete(real, rare=0.05, kept=0.25)
    found = kernel(np.array([[2, 4, 6, 8], [0, 0, 3, 4]]))
    assert found["far_rows"].tolist() == [1.0, 0.25]


def test_emitted_moments_shift_as_a_prior_pulls():
    n, shrink = 100, 100 / 125
    run = bc.Experiment(
        gaussian_mean.estimator(prior_sd=0.2),
        bc.Truth(mu=2.0),
        bc.schemes.replace(emission="plug-in"),
        n_real=n,
        generations=5,
        replicates=256,
    ).run(progress=False)
    found = predictive_drift(run).isel(scheme=0, response=0, generation=4)
    # A mean of 2 shrinks with every fit; the sd of generation 0 divides, by 1 on average inverse.
    half = (n - 1) / 2
    inverse = np.sqrt(half) * np.exp(special.gammaln(half - 0.5) - special.gammaln(half))
    law = 2 * (shrink**5 - shrink) * inverse
    assert abs(found["emitted_mean_shift"] - law) < Z * found["emitted_mean_shift_mcse"]
    # Outer quantiles and the sd of the same rows go together: 2 / n of a quantile at most.
    gap = np.abs(found["emitted_quantile_shift"] - law)
    assert bool((gap < Z * found["emitted_quantile_shift_mcse"] + 4 / n).all())
    assert bool((found["emitted_quantile_shift"].sel(statistic="q97.5") < -0.7).all())


def test_emitted_moments_of_a_wrong_model_against_the_truth():
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=1.0, sigma=2.0, estimator=gaussian.estimator()),
        bc.schemes.replace(),
        n_real=100,
        generations=2,
        replicates=256,
    )
    run = experiment.run(progress=False)
    found = predictive_drift(run, reference="truth", experiment=experiment, rows=2)
    found = found.isel(scheme=0, response=0, generation=0)
    # 25,600 real rows give the sd with a relative error of .0044, and quantiles with .012 sds.
    ratio = np.log(1 / 2) - 1 / (2 * 99)
    error = Z * (found["emitted_log_sd_ratio_mcse"] + 0.0044) + 1e-4
    assert abs(found["emitted_log_sd_ratio"] - ratio) < error
    levels = np.array([float(q[1:]) / 100 for q in found["statistic"].values])
    law = stats.norm.ppf(levels) * (1 / 2 - 1)
    gap = np.abs(found["emitted_quantile_shift"] - law)
    # The outer quantile of 100 rows lies .03 of their sd, half the truth's, inside the law's.
    assert bool((gap < Z * (found["emitted_quantile_shift_mcse"] + 0.012) + 0.02).all())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_real": 3, "n_synthetic": 10}, "no generation, or not the reference, has 4 rows"),
        ({"n_real": 10, "n_synthetic": 3}, "no generation, or not the reference, has 4 rows"),
        ({"n_real": 10, "n_synthetic": 0}, "no emitted row had a weight in training"),
        ({"n_real": 10, "generations": 1}, "no emitted row had a weight in training"),
    ],
)
def test_too_few_rows_are_told(change, words):
    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.weighted(0.5 if change.get("n_synthetic", 1) else 1.0, total_weight="real"),
        **{"generations": 3, "replicates": 1, "keep_rows": "all", **change},
    ).run(progress=False)
    missing = predictive_drift(run).attrs["missing"]
    assert "tail_mass, rare_mass, support_loss, modes_kept, far_rows" in missing
    assert words in missing


def test_short_computations_are_quiet(capsys):
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=5,
        generations=2,
        replicates=1,
    )
    assert not takes_long(experiment)
    predictive_drift(
        experiment.run(progress=False), experiment=experiment, reference="real_plus", rows=2
    )
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")
    settings = {"n_real": 5, "generations": 30, "replicates": 1}
    sampled = bc.Experiment(
        gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(), method="nuts", **settings
    )
    assert takes_long(sampled)


def test_settings_are_refused(nearly_real):
    for change, words in (
        ({"rare": 2.0}, "rare must lie in"),
        ({"kept": -1.0}, "kept must lie in"),
        ({"tail": 0.0}, "tail must lie above 0"),
        ({"rows": 1}, "rows must be an integer of at least 2, got 1"),
        ({"reference": "last"}, "reference must be one of"),
    ):
        with pytest.raises(ValueError, match=words):
            predictive_drift(nearly_real[1], **change)
    with pytest.raises(TypeError, match="xarray.DataTree"):
        predictive_drift(3)
