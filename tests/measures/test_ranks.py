"""Ranks of the truth: kernels, calibration at generation 0, and the bend that loops put into it."""

import io

import matplotlib
import numpy as np
import pytest
from scipy import stats

import bayescollapse as bc
from bayescollapse.measures import rank_bend, rank_of_truth, truth_ranks
from bayescollapse.measures.ranks import MEASURES
from bayescollapse.measures.registry import LackingError
from bayescollapse.models import gaussian_mean
from bayescollapse.plots import plot_ranks
from bayescollapse.sources import NormalCovariates
from tests.measures.synthetic import make_run

matplotlib.use("agg")

# |z| > 4 has probability 6.3e-5 under the null.
TOLERANCE = 4.0
SIZES = [200, pytest.param(2_000, marks=pytest.mark.verification)]
DRAWS = 60
PRIOR_WEIGHT, ROWS, LENGTH = 4.0, 10, 8


def calibrated(estimator, schemes, replicates, *, covariates=None, generations=1, **settings):
    return bc.Experiment(
        estimator,
        bc.Truth.from_prior(covariates=covariates),
        schemes,
        n_real=ROWS,
        generations=generations,
        replicates=replicates,
        keep_draws=DRAWS,
        keep_rows="none",
        references=(),
        probabilities=(),
        **settings,
    ).run(progress=False)


def proper_mean():
    return gaussian_mean.estimator(prior_sd=PRIOR_WEIGHT**-0.5)


@pytest.fixture(scope="module")
def loops():
    schemes = {"replace": bc.schemes.replace(), "accumulate": bc.schemes.accumulate()}
    return calibrated(proper_mean(), schemes, 1_000, generations=LENGTH, seed=3)


def test_ranks_by_hand():
    rng = np.random.default_rng(1)
    draws = [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [np.nan, 1.0, 2.0]]
    ranks = rank_of_truth([-1.0, 1.5, 0.5], draws, rng)
    assert ranks[:2].tolist() == [0, 2] and np.isnan(ranks[2])
    # A truth that equals two of four draws has three possible ranks; 3,000 tries, 4 sds.
    tied = rank_of_truth(np.ones(3_000), np.tile([0.0, 1.0, 1.0, 2.0], (3_000, 1)), rng)
    counts = np.bincount(tied.astype(int), minlength=5)
    assert counts[[0, 4]].sum() == 0
    assert np.all(np.abs(counts[1:4] - 1_000) < 4 * np.sqrt(3_000 * 2 / 9))


@pytest.mark.parametrize("draws", [2, 9, 100])
def test_components_are_orthonormal_for_uniform_ranks(draws):
    parts = np.stack([np.ones(draws + 1), *rank_bend(np.arange(draws + 1), draws)])
    assert np.allclose(parts @ parts.T / (draws + 1), np.eye(3))


@pytest.mark.parametrize("draws", [2, 3, 4, 5, 1_000])
def test_registered_range_of_the_components(draws):
    """The lowest bend is that of two draws; the other limits are those of infinitely many."""
    ranges = {m.name: (m.lowest, m.highest) for m in MEASURES}
    for name, values in zip(("shift", "bend"), rank_bend(np.arange(draws + 1), draws), strict=True):
        low, high = ranges[name]
        assert low - 1e-12 <= values.min() and values.max() <= high
        if draws == 1_000:
            assert values.max() > 0.99 * high
        if name == "bend" and draws == 2:
            assert values.min() == pytest.approx(low)


def test_components_have_their_signs():
    rng = np.random.default_rng(2)
    truth, draws = rng.normal(size=4_000), rng.normal(size=(4_000, 50))
    for change, signs in (
        (lambda x: x - 0.5, (1, 0)),
        (lambda x: x + 0.5, (-1, 0)),
        (lambda x: 0.5 * x, (0, 1)),
        (lambda x: 2.0 * x, (0, -1)),
    ):
        for component, sign in zip(
            rank_bend(rank_of_truth(truth, change(draws), rng), 50), signs, strict=True
        ):
            mean, error = component.mean(), component.std() / np.sqrt(4_000)
            assert abs(mean) < 4 * error + 0.1 if sign == 0 else sign * mean > 8 * error


FAMILIES = {
    "gaussian_mean proper": None,
    "gaussian conjugate": None,
    "bernoulli": None,
    "poisson": None,
    "regression proper": NormalCovariates(2),
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("replicates", SIZES)
def test_generation_zero_is_flat(estimators, name, replicates):
    """Three p-values for each of nine parameters in all, false alarm below 3e-3 a size."""
    run = calibrated(
        estimators[name], bc.schemes.replace(), replicates, covariates=FAMILIES[name], seed=11
    )
    ranks = truth_ranks(run)
    assert ranks.attrs["draws"] == DRAWS
    for value in ("uniform_p", "shift_p", "bend_p"):
        assert float(ranks[value].min()) > 1e-4, (value, ranks[value].values)
    # The lag-1 autocorrelation of independent draws has mean and variance near -+1 / draws.
    tolerance = TOLERANCE * np.sqrt(1 / DRAWS / replicates)
    assert float(abs(ranks["dependence"] + 1 / DRAWS).max()) < tolerance


def test_fresh_real_rows_stay_flat_at_every_generation():
    """Nine p-values, false alarm below 1e-3."""
    scheme = bc.Scheme(supply="fresh", emission="plug-in")
    run = calibrated(proper_mean(), scheme, 400, generations=3, n_synthetic=0, seed=4)
    ranks = truth_ranks(run)
    for value in ("uniform_p", "shift_p", "bend_p"):
        assert float(ranks[value].min()) > 1e-4


def bend_law(ratio):
    """Mean bend where the error's variance is `ratio` times the posterior's, all normal.

    The probability integral transform u has E(u - 1/2)^2 = asin(ratio / (1 + ratio)) / (2 pi), and
    the rank among L draws is binomial given u.
    """
    spread = np.arcsin(ratio / (1 + ratio)) / (2 * np.pi)
    squared = DRAWS / 4 + spread * DRAWS * (DRAWS - 1)
    square = (DRAWS + 1) ** 2
    return (squared - (square - 1) / 12) / np.sqrt((square - 1) * (square - 4) / 180)


def ratios(name, generations):
    """Variance of the truth around the posterior mean, over the posterior's own (THEORY 5.2, 5.6).

    Under `replace` truth and posterior mean have the correlation kap^(t + 1/2); under `accumulate`
    the posterior mean moves away from generation 0's by what the posterior variance loses.
    """
    t = np.arange(generations)
    kept = ROWS / (ROWS + PRIOR_WEIGHT)
    if name == "replace":
        return (1 + kept - 2 * kept ** (t + 1)) / (1 - kept)
    first, now = 1 / (ROWS + PRIOR_WEIGHT), 1 / (ROWS * (t + 1) + PRIOR_WEIGHT)
    return (2 * first - now) / now


@pytest.mark.parametrize("replicates", [None, pytest.param(8_000, marks=pytest.mark.verification)])
def test_loops_bend_as_their_law_says(loops, replicates):
    """Sixteen bends and sixteen shifts at 4 MCSE, false alarm below 2.1e-3."""
    run = loops
    if replicates:
        schemes = {"replace": bc.schemes.replace(), "accumulate": bc.schemes.accumulate()}
        run = calibrated(proper_mean(), schemes, replicates, generations=LENGTH, seed=5)
    ranks = truth_ranks(run).isel(parameter=0)
    for name in ("replace", "accumulate"):
        chosen = ranks.sel(scheme=name)
        z = (chosen["bend"] - bend_law(ratios(name, LENGTH))) / chosen["bend_mcse"]
        assert float(abs(z).max()) < TOLERANCE, z.values
        assert float(abs(chosen["shift"] / chosen["shift_mcse"]).max()) < TOLERANCE
        assert (chosen["bend"].isel(generation=slice(1, None)) > 0.2).all()
        for value in ("uniform_p", "bend_p"):
            assert (chosen[value].isel(generation=slice(1, None)) < 1e-6).all()
            assert float(chosen[value][0]) > 1e-4


def test_p_values_are_those_of_a_normal_mean(loops):
    ranks = truth_ranks(loops).isel(parameter=0)
    for name in ("shift", "bend"):
        law = 2 * stats.norm.cdf(-np.abs(ranks[name]) * np.sqrt(1_000))
        assert np.allclose(ranks[f"{name}_p"], law, rtol=1e-9, atol=0)
        assert 0 < law.max() < 1


def test_the_laws_of_the_two_loops_differ(loops):
    ranks = truth_ranks(loops).isel(parameter=0, generation=-1)
    z = (ranks["bend"] - bend_law(ratios("replace", LENGTH))[-1]) / ranks["bend_mcse"]
    assert abs(float(z.sel(scheme="accumulate"))) > TOLERANCE


def test_a_total_weight_below_the_rows_bends_the_other_way():
    scheme = bc.schemes.weighted(1.0, total_weight=2.0)
    run = calibrated(proper_mean(), scheme, 400, generations=2, seed=6)
    ranks = truth_ranks(run).isel(parameter=0, scheme=0, generation=1)
    kept = 2 / (2 + PRIOR_WEIGHT)
    error = (1 - kept) ** 2 / PRIOR_WEIGHT + kept**2 / ROWS
    law = bend_law(error * (2 + PRIOR_WEIGHT))
    assert law < -0.1
    assert abs(float((ranks["bend"] - law) / ranks["bend_mcse"])) < TOLERANCE


def test_thinning_and_selection(loops):
    thinned = truth_ranks(loops, thin=3, var_names="mu")
    assert thinned.attrs["draws"] == DRAWS / 3
    assert int(thinned["rank"].max()) <= DRAWS / 3
    assert thinned["rank"].dims == ("scheme", "replicate", "generation", "parameter")


def test_what_cannot_be_ranked_is_refused(loops):
    with pytest.raises(ValueError, match="keep_draws above 0"):
        truth_ranks(make_run(4))
    with pytest.raises(ValueError, match=r"one truth for all replicates.*from_prior"):
        truth_ranks(make_run(4, draws=5))
    with pytest.raises(ValueError, match="thin must be an integer"):
        truth_ranks(loops, thin=0)
    with pytest.raises(ValueError, match="2 draws or more"):
        truth_ranks(loops.isel(chain=[0]), thin=DRAWS)
    with pytest.raises(ValueError, match="draws must be an integer of at least 2"):
        rank_bend([0, 1], 1)


def test_truths_of_another_prior_are_refused():
    """The learner's prior is ten times as narrow: its ranks are no uniform ones anywhere."""
    truth = bc.Truth.from_prior(estimator=gaussian_mean.estimator(prior_sd=2.0))
    run = bc.Experiment(
        gaussian_mean.estimator(prior_sd=0.2),
        truth,
        bc.schemes.replace(),
        n_real=ROWS,
        generations=2,
        replicates=4,
        keep_draws=10,
    ).run(progress=False)
    with pytest.raises(LackingError, match=r"another model's prior.*leave estimator= out"):
        truth_ranks(run)
    with pytest.raises(LackingError, match="another model's prior"):
        plot_ranks(run, backend="none")


def test_a_missing_draw_leaves_its_cells_out(loops):
    few = loops.isel(replicate=slice(100))
    gappy = few.copy(deep=True)
    gappy["posterior"]["mu"][{"scheme": 1, "replicate": 3, "generation": 2, "draw": 5}] = np.nan
    ranks, whole = truth_ranks(gappy), truth_ranks(few)
    gap = {"scheme": 1, "generation": 2}
    for name in ("uniform_p", "shift", "shift_mcse", "shift_p", "bend", "bend_mcse", "bend_p"):
        assert np.isnan(ranks[name][gap]).all()
        assert int(ranks[name].isnull().sum()) == 1
        assert np.allclose(ranks[name].fillna(0), whole[name].where(ranks[name].notnull(), 0))
    plot = plot_ranks(gappy, coords={"generation": [0, 2]}, backend="none")
    lines = plot.viz["ecdf"]["ecdf"]
    assert lines.sel(scheme="accumulate", generation=2).values.item() is None
    assert np.isfinite(lines.sel(scheme="replace", generation=2).values.item()["y"]).all()
    assert "lines left out for missing draws: 1" in str(plot.viz["figure_title"].values.item())


def test_plot_structure(loops):
    plot = plot_ranks(loops, coords={"generation": [0, LENGTH - 1]}, backend="none")
    drawn = plot.viz["ecdf"]["ecdf"]
    assert drawn.sizes == {"scheme": 2, "parameter": 1, "generation": 2}
    line = drawn.sel(scheme="accumulate", generation=LENGTH - 1).values.item()
    assert len(line["x"]) == DRAWS + 2 and line["y"][0] == line["y"][-1] == 0
    ranks = truth_ranks(loops)["rank"].sel(scheme="accumulate", generation=LENGTH - 1).values
    assert line["y"][30] == pytest.approx((ranks < 30).mean() - 30 / (DRAWS + 1))
    colours = {entry["color"] for entry in drawn.sel(scheme="replace").values.ravel()}
    assert len(colours) == 2
    with pytest.raises(ValueError, match="probability must lie"):
        plot_ranks(loops, probability=95)


def test_figure_can_be_written(loops):
    from matplotlib import pyplot

    figure = plot_ranks(loops, backend="matplotlib").viz["figure"].item()
    assert len(figure.axes) == 2 and len(figure.legends) == 1
    assert [axes.get_title() for axes in figure.axes] == ["replace: mu", "accumulate: mu"]
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    pyplot.close(figure)
