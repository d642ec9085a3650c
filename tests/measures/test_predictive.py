"""Predictive drift: kernels against closed forms, and runs whose drift is known."""

import numpy as np
import pytest
import xarray as xr
from scipy import special, stats

import bayescollapse as bc
from bayescollapse.measures import predictive_drift, truth_divergence
from bayescollapse.measures.category_kernels import (
    category_counts,
    category_entropy,
    chance_of_difference,
    relative_mass,
    support_loss,
)
from bayescollapse.measures.divergence_from_truth import log_mean_density
from bayescollapse.measures.predictive import predictive_cells
from bayescollapse.measures.predictive_table import MEASURES
from bayescollapse.measures.registry import registered
from bayescollapse.measures.row_kernels import (
    far_share,
    find_basins,
    mean_difference,
    neighbour_entropy,
    tail_ratio,
)
from bayescollapse.measures.row_samples import row_samples
from bayescollapse.models import categorical, gaussian, gaussian_mean, kernel_density

# Comparisons with a mean allow 4 of its standard errors: a false alarm in 1 of 16,000.
Z = 4
P = np.array([0.5, 0.3, 0.16, 0.03, 0.01])


def mean_within(values, expected, bias=0.0):
    error = values.std(ddof=1) / np.sqrt(values.size)
    assert abs(values.mean() - expected) < Z * error + bias, (values.mean(), expected, error)


# Kernels


@pytest.mark.parametrize(("n", "bias"), [(20, 0.06), (50, 0.03), (200, 0.01)])
def test_entropy_of_rows_has_no_more_than_its_stated_bias(n, bias):
    rng = np.random.default_rng(2)
    for law in (stats.norm(), stats.uniform(), stats.expon()):
        rows = law.rvs(size=(20_000 // n, n), random_state=rng)
        estimate = neighbour_entropy(rows)
        mean_within(estimate, law.entropy(), bias=bias)
        assert np.allclose(neighbour_entropy(7 - 3 * rows), estimate + np.log(3))
    assert neighbour_entropy(np.zeros(9)) == -np.inf


def test_neighbours_are_the_nearest():
    rows = np.random.default_rng(1).normal(size=12)
    gaps = np.sort(np.abs(rows[:, None] - rows), axis=1)[:, 3]
    expected = special.digamma(12) - special.digamma(3) + np.log(2 * gaps).mean()
    assert np.isclose(neighbour_entropy(rows), expected)


def test_distances_between_rows_are_unbiased():
    rng = np.random.default_rng(3)
    mean_within(mean_difference(rng.normal(0, 2, (4000, 7))), 4 / np.sqrt(np.pi))
    counts = rng.multinomial(6, P, 4000)
    mean_within(chance_of_difference(counts), 1 - (P**2).sum())
    pairs = np.abs(np.subtract.outer([4.0, 1.0, 9.0], [4.0, 1.0, 9.0])).sum() / 6
    assert np.isclose(mean_difference([4.0, 1.0, 9.0]), pairs)


def test_category_entropy_corrects_its_bias():
    counts = np.random.default_rng(4).multinomial(200, P, 4000)
    exact = -(P * np.log(P)).sum()
    # What is left is of order 1 / m^2 for common categories, and rare ones that were not seen.
    mean_within(category_entropy(counts), exact, bias=0.002)
    plain = category_entropy(counts) - ((counts > 0).sum(axis=1) - 1) / 400
    assert exact - plain.mean() > 0.007


def test_support_loss_is_0_on_average_for_rows_of_the_real_law():
    counts = np.random.default_rng(5).multinomial(30, P, 8000)
    mean_within(support_loss(counts, P), 0.0)
    assert np.isclose(support_loss([30, 0, 0, 0, 0], P), 0.5 - (P * (1 - P) ** 30).sum())


def test_masses_of_tails_and_rare_categories():
    rng = np.random.default_rng(6)
    real = rng.normal(size=40_000)
    mean_within(tail_ratio(rng.normal(size=(500, 200)), real), 1.0, bias=Z * 0.022)
    narrow = 2 * stats.norm.cdf(-1.96 / 0.5) / 0.05
    mean_within(tail_ratio(rng.normal(0, 0.5, (500, 200)), real), narrow, bias=0.001)
    counts = rng.multinomial(50, P, 2000)
    rare = P < 0.05
    mean_within(relative_mass(counts, P, rare), 1.0)
    assert np.isnan(relative_mass(counts, P, P < 0)).all()
    assert np.isnan(tail_ratio([0.0, 1.0], np.ones(50)))


def test_far_rows_are_out_of_range_or_in_gaps():
    rng = np.random.default_rng(7)
    real = np.concatenate([rng.normal(-5, 1, 3000), rng.normal(5, 1, 3000)])
    assert far_share([0.0, 0.3, 30.0, -30.0], real) == 1.0
    assert far_share([-5.0, 5.1], real) == 0.0
    fresh = np.concatenate([rng.normal(-5, 1, (300, 50)), rng.normal(5, 1, (300, 50))], axis=1)
    assert 0.0002 < far_share(fresh, real).mean() < 0.003
    assert far_share([0, 1, 7], rng.integers(0, 3, 500)) == pytest.approx(1 / 3)


def test_basins_are_cut_at_valleys():
    rng = np.random.default_rng(8)
    one = find_basins(rng.normal(size=5000))
    assert one.edges.size == 0
    assert one.mass.tolist() == [1.0]
    parts = [rng.normal(mean, 0.5, size) for mean, size in ((-4, 500), (0, 1500), (4, 3000))]
    three = find_basins(np.concatenate(parts))
    assert three.mass == pytest.approx([0.1, 0.3, 0.6], abs=0.005)
    assert np.all((-3.0 < three.edges) & (three.edges < 3.0))
    # Ten rows far away are no mode: fewer than 2 %.
    assert find_basins(np.append(parts[2], rng.normal(40, 0.1, 10))).mass.size == 1
    assert find_basins(np.ones(10)).mass.tolist() == [1.0]


def test_categories_are_counted_with_those_outside_the_list():
    counts = category_counts([[5, 2, 2, 8], [1, 1, 1, 1]], [1, 2, 8])
    assert counts.tolist() == [[0, 2, 1, 1], [4, 0, 0, 0]]


def test_kernels_refuse_single_rows():
    with pytest.raises(ValueError, match="at least 2 rows"):
        mean_difference([1.0])
    with pytest.raises(ValueError, match="more than 3 rows"):
        neighbour_entropy([1.0, 2.0, 4.0])
    with pytest.raises(ValueError, match="at least 2 rows"):
        far_share([1.0], [1.0])


def test_log_mean_density_is_corrected():
    rng = np.random.default_rng(9)
    at = rng.normal(0, 0.5, (20_000, 10, 1))
    logs = stats.norm.logpdf(1.0, at, 1.0)
    exact = stats.norm.logpdf(1.0, 0, np.sqrt(1.25))
    mean_within(log_mean_density(logs)[:, 0], exact, bias=0.0005)
    plain = np.log(np.exp(logs).mean(axis=1))[:, 0]
    assert exact - plain.mean() > 0.003
    assert log_mean_density(np.full((3, 1), -np.inf)) == -np.inf


# Divergence from the truth

FAMILIES = {
    "gaussian_mean": (gaussian_mean.estimator, {}, {"mu": 1.0}),
    "gaussian": (gaussian.estimator, {}, {"mu": 1.0, "sigma": 2.0}),
    "categorical": (categorical.estimator, {"categories": 5}, {"p": P}),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_divergence_agrees_with_closed_form_predictive_densities(name):
    make, settings, truth = FAMILIES[name]
    experiment = bc.Experiment(
        make(**settings),
        bc.Truth(**truth),
        bc.schemes.replace(),
        n_real=30,
        generations=3,
        replicates=40,
        held_out=300,
        keep_draws=200,
    )
    run = experiment.run(progress=False)
    found = truth_divergence(run, experiment, rows=300)
    # The held-out rows are the rows of the divergence, and their density is in closed form.
    engine = experiment.estimator.engine()
    parameters = {k: np.asarray(v, float)[None, None] for k, v in truth.items()}
    true = engine.log_density(parameters, experiment.held_out_rows).mean()
    exact = true - run["predictive"]["held_out_log_density"]
    gap = (found["truth_divergence"] - exact).isel(generation=-1).to_numpy().ravel()
    # 200 draws leave a bias of order 1 / 200^2 beside the draws' own error.
    mean_within(gap, 0.0, bias=1e-3)
    assert np.abs(gap).max() < 0.2
    assert (found["truth_divergence_error"] > 0).all()


def test_divergence_of_a_gaussian_mean_is_the_divergence_of_two_gaussians():
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=20,
        generations=4,
        replicates=30,
    )
    run = experiment.run(progress=False)
    found = truth_divergence(run, experiment, rows=4000).isel(scheme=0)
    mean = run["summary"]["mu"].isel(scheme=0).sel(statistic="mean")
    spread = 1 + 1 / 20
    exact = np.log(spread) / 2 + (1 + mean**2) / (2 * spread) - 0.5
    # Rows are common to all cells; 100 draws add about as much again.
    gap = found["truth_divergence"] - exact
    assert bool((np.abs(gap) < Z * (2 * found["truth_divergence_error"] + 0.005)).all())


def test_divergence_for_truths_from_the_prior_and_for_a_wrong_model():
    experiment = bc.Experiment(
        gaussian_mean.estimator(prior_sd=3.0),
        bc.Truth.from_prior(),
        bc.schemes.replace(),
        n_real=50,
        generations=2,
        replicates=130,
    )
    found = truth_divergence(experiment.run(progress=False), experiment)
    first = found["truth_divergence"].isel(generation=0).to_numpy().ravel()
    # Half a parameter over 50 rows, to first order, twice: error and width of the posterior.
    mean_within(first, 1 / 100, bias=0.004)
    wrong = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0, sigma=2.0, estimator=gaussian.estimator()),
        bc.schemes.replace(),
        n_real=200,
        generations=2,
        replicates=20,
    )
    found = truth_divergence(wrong.run(progress=False), wrong, rows=2000)
    floor = -np.log(2) + 4 / 2 - 0.5
    assert float(found["truth_divergence"].isel(generation=0).mean()) == pytest.approx(
        floor, abs=0.25
    )


def test_divergence_refuses_what_has_no_density():
    def simulate(m, rng):
        return xr.Dataset({"y": ("obs", rng.normal(size=m))})

    unknown = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Simulator(simulate),
        bc.schemes.replace(),
        n_real=20,
        generations=2,
        replicates=2,
    )
    with pytest.raises(ValueError, match="known for bc.Truth only"):
        truth_divergence(unknown.run(progress=False), unknown)
    bare = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=20,
        generations=2,
        replicates=2,
        keep_draws=0,
    )
    with pytest.raises(ValueError, match="keep_draws above 0"):
        truth_divergence(bare.run(progress=False), bare)


# Runs


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


def test_settings_are_refused(nearly_real):
    for change, words in (
        ({"rare": 2.0}, "rare must lie in"),
        ({"kept": -1.0}, "kept must lie in"),
        ({"tail": 0.0}, "tail must lie above 0"),
    ):
        with pytest.raises(ValueError, match=words):
            predictive_drift(nearly_real[1], **change)
    with pytest.raises(TypeError, match="xarray.DataTree"):
        predictive_drift(3)
