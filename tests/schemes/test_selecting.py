"""How rows are proposed and selected: counts, slots, strata, marks, and what the run records."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.lineage.selecting import fill, pick, weigh
from bayescollapse.models import gaussian_mean, linear_regression
from bayescollapse.sources import NormalCovariates
from tests.own_selections import (
    Above,
    EditShare,
    Largest,
    never,
    positive_rows,
    random_weights,
)

REPLICATES, WANTED = 5, 12


class Stream:
    """Proposals numbered in the order they were made."""

    def __init__(self, classes=1):
        self.sizes, self.classes = [], classes

    def propose(self, number, size):
        start = sum(self.sizes)
        self.sizes.append(size)
        order = np.broadcast_to(np.arange(start, start + size), (REPLICATES, size))
        return {"order": order, "class": order % self.classes}


def accept_every(step):
    """Accept every `step`-th row, another one in each replicate."""

    def judge(number, rows):
        replicate = np.arange(REPLICATES)[:, None]
        return ((rows["order"] + replicate) % step == 0).astype(float)

    return judge


def no_strata(rows):
    return None


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_filling_takes_the_first_accepted_rows(step):
    stream = Stream()
    chosen = fill(stream.propose, accept_every(step), no_strata, WANTED, most=100 * WANTED)
    for replicate in range(REPLICATES):
        every = np.arange(sum(stream.sizes))
        accepted = every[(every + replicate) % step == 0]
        np.testing.assert_array_equal(chosen.rows["order"][replicate], accepted[:WANTED])
        assert chosen.accepted[replicate] == len(accepted)
    assert chosen.emitted == sum(stream.sizes)
    assert not chosen.short.any()


def test_strata_are_filled_equally():
    stream = Stream(classes=5)

    def classes(rows):
        return rows["class"], 5

    chosen = fill(stream.propose, accept_every(2), classes, WANTED, most=100 * WANTED)
    counts = [(chosen.rows["class"] == c).sum(axis=1) for c in range(5)]
    np.testing.assert_array_equal(np.transpose(counts), [[3, 3, 2, 2, 2]] * REPLICATES)
    for rows in chosen.rows["order"]:
        assert len(set(rows)) == WANTED
    assert not chosen.short.any()


def test_a_lineage_that_is_short_is_marked_and_has_all_its_rows():
    stream = Stream()

    def judge(number, rows):
        accept = np.ones(rows["order"].shape)
        accept[0] = rows["order"][0] < 4
        return accept

    chosen = fill(stream.propose, judge, no_strata, WANTED, most=3 * WANTED)
    assert sum(stream.sizes) <= 3 * WANTED
    np.testing.assert_array_equal(chosen.short, [True] + [False] * (REPLICATES - 1))
    assert chosen.accepted[0] == 4
    assert set(chosen.rows["order"][0][:4]) == {0, 1, 2, 3}
    assert chosen.rows["order"].shape == (REPLICATES, WANTED)
    np.testing.assert_array_equal(chosen.rows["order"][1:], [np.arange(WANTED)] * 4)


def test_a_missing_stratum_is_marked():
    stream = Stream()

    def two(rows):
        return np.zeros(rows["order"].shape, dtype=int), 2

    every = accept_every(1)
    chosen = fill(stream.propose, every, two, WANTED, most=4 * WANTED)
    assert chosen.short.all()
    assert chosen.rows["order"].shape == (REPLICATES, WANTED)


def test_picking_wants_the_right_number():
    stream = Stream()
    chosen = pick(stream.propose, lambda number, rows: rows["order"] % 2, WANTED, 2 * WANTED)
    np.testing.assert_array_equal(chosen.rows["order"][0], np.arange(1, 2 * WANTED, 2))
    with pytest.raises(ValueError, match="pick exactly 12 of 24"):
        pick(stream.propose, accept_every(3), WANTED, 2 * WANTED)


def test_weights_of_which_none_is_positive_keep_every_row():
    chosen = weigh(Stream().propose, lambda number, rows: np.zeros((REPLICATES, WANTED)), WANTED)
    assert chosen.short.all()
    assert chosen.keep is None


def run_of(scheme, **settings):
    defaults = {"n_real": 20, "generations": 4, "replicates": 6, "keep_rows": "all", "seed": 2}
    return bc.Experiment(
        gaussian_mean.estimator(), bc.Truth(mu=0.0), scheme, **{**defaults, **settings}
    ).run(progress=False)


def synthetic_rows(run, generation):
    rows = run["rows"].to_dataset()
    wanted = (rows["generation"] == generation) & ~rows["real"]
    return rows.isel(row=np.flatnonzero(wanted.to_numpy()))


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive", "ensemble(4)"])
def test_every_emission_fills(emission):
    run = run_of(bc.Scheme(selection=bc.schemes.Filter(positive_rows), emission=emission))
    training = run["training"].to_dataset()
    assert not training["short"].any()
    assert (training["synthetic_rows"].isel(generation=slice(1, None)) == 20).all()
    assert (training["accepted"] >= 20).all()
    assert (training["emitted"] > training["accepted"]).any()
    assert (synthetic_rows(run, 2)["y"] > 0).all()


def test_ensembles_keep_their_members_even():
    run = run_of(
        bc.Scheme(selection=Above(), emission="ensemble(2)", supply="none"), replicates=400
    )
    # Half of the rows come from each draw: the two halves have different means, the more so the
    # further the draws lie apart, and rows of one member alone would not show it.
    rows = synthetic_rows(run, 1)["y"].to_numpy().reshape(400, 2, 10).mean(axis=2)
    draws = run["emission"]["mu"].isel(scheme=0, generation=0).to_numpy()
    gaps = np.corrcoef(rows[:, 0] - rows[:, 1], draws[:, 0] - draws[:, 1])[0, 1]
    assert gaps > 0.25  # the null has sd 0.05


def test_a_function_and_a_value_select_the_same_rows():
    one = run_of(bc.Scheme(selection=bc.schemes.Filter(positive_rows)))
    two = run_of(bc.Scheme(selection=Above()))
    xr.testing.assert_identical(one["summary"].to_dataset(), two["summary"].to_dataset())


def test_a_selection_that_keeps_all_changes_no_bit():
    plain = run_of(bc.Scheme())
    kept = run_of(bc.Scheme(selection=Above(-1e9)))
    xr.testing.assert_identical(plain["summary"].to_dataset(), kept["summary"].to_dataset())


def test_short_lineages_go_on():
    run = run_of(bc.Scheme(supply="none", selection=bc.schemes.Filter(never, max_proposals=3)))
    training = run["training"].to_dataset()
    assert training["short"].all()
    assert (training["accepted"] == 0).all()
    assert (training["emitted"] == 60).all()
    assert run.attrs["short_selections"] == 24


def test_weight_zero_is_removal():
    """Posteriors from rows with weight 0 equal posteriors from the other rows alone."""
    run = run_of(bc.Scheme(selection=random_weights, memory="all"), keep_rows="all")
    estimator = gaussian_mean.estimator()
    rows = run["rows"].to_dataset()
    for generation in (1, 3):
        for replicate in (0, 5):
            inside = (rows["generation"] == generation) & (rows["replicate"] == replicate)
            cell = rows.isel(row=np.flatnonzero(inside & (rows["weight"] > 0)))
            fit = estimator.fit(
                cell.rename(row="obs").reset_coords(drop=True)[["y"]],
                weights=cell["weight"].to_numpy(),
                draws=4000,
                seed=1,
            )
            place = {"generation": generation, "replicate": replicate, "scheme": 0}
            summary = run["summary"]["mu"].isel(place)
            sd = float(summary.sel(statistic="sd"))
            draws = fit["posterior"]["mu"].to_numpy()
            # 4 MCSE of a mean and of an sd over 8,000 independent draws.
            assert abs(draws.mean() - float(summary.sel(statistic="mean"))) < 4 * sd / 89
            assert abs(draws.std() / sd - 1) < 4 / 126


def test_editing_replaces_a_share_and_remembers_what_is_real():
    scheme = bc.Scheme(supply="none", selection=EditShare(0.25))
    run = run_of(scheme, n_real=200, generations=4)
    training = run["training"].to_dataset().isel(scheme=0)
    expected = 0.75 ** np.arange(4)
    # Binomial sd of a share of 1,200 rows is at most 0.0145; 4 of them.
    np.testing.assert_allclose(training["real_share"].mean("replicate"), expected, atol=0.058)
    np.testing.assert_allclose(training["total_weight"], 200.0)
    rows = run["rows"].to_dataset()
    first = rows.isel(row=np.flatnonzero((rows["generation"] == 0) & (rows["replicate"] == 3)))
    third = rows.isel(row=np.flatnonzero((rows["generation"] == 3) & (rows["replicate"] == 3)))
    same = first["y"].to_numpy() == third["y"].to_numpy()
    np.testing.assert_array_equal(same, third["real"])


def test_editing_wants_as_many_rows():
    with pytest.raises(ValueError, match="n_synthetic must be n_real = 20"):
        run_of(bc.Scheme(supply="none", selection=EditShare()), n_synthetic=10)


def test_picked_rows_share_their_covariates():
    run = bc.Experiment(
        linear_regression.estimator(features=2, noise_sd=1.0),
        bc.Truth(beta=[0.0, 0.0], covariates=NormalCovariates(2)),
        {"best": bc.Scheme(selection=Largest(2), emission="plug-in")},
        n_real=50,
        n_synthetic=400,
        generations=2,
        replicates=8,
        keep_rows="all",
        seed=5,
    ).run(progress=False)
    residual = synthetic_rows(run, 1)["y"].to_numpy()
    # With beta = 0 the larger of two answers to the same question has mean 1/sqrt(pi) of the noise
    # sd, whatever the question; 3,200 rows, of sd below 1, with beta's error of generation 0.
    assert abs(residual.mean() - 1 / np.sqrt(np.pi)) < 0.08


@pytest.mark.parametrize("covariates", ["fixed", "resample", "source"])
def test_designs_of_filled_rows(covariates):
    run = bc.Experiment(
        linear_regression.estimator(features=2, noise_sd=1.0),
        bc.Truth(beta=[0.5, 0.0], covariates=NormalCovariates(2)),
        bc.Scheme(supply="none", selection=Above(), covariates=covariates),
        n_real=15,
        generations=3,
        replicates=4,
        keep_rows="all",
    ).run(progress=False)
    assert not run["training"]["short"].any()
    rows = synthetic_rows(run, 2)
    assert (rows["y"] > 0).all()
    if covariates == "fixed":
        x = rows["x"].to_numpy().reshape(4, 15, 2)
        every = run["rows"].to_dataset()
        first = every.isel(row=np.flatnonzero(every["generation"] == 0))
        np.testing.assert_array_equal(x, first["x"].to_numpy().reshape(4, 15, 2))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"selection": EditShare(), "supply": "fresh"}, "edits rows"),
        ({"selection": EditShare(), "supply": "none", "memory": "all"}, "edits rows"),
        ({"selection": Above(), "weighting": "optimal"}, "every emitted row"),
        (
            {"selection": positive_rows, "memory": "subsample(5)", "supply": "fixed"},
            "cannot weigh them",
        ),
        ({"selection": "best"}, "selection must be"),
        (
            {"supply": bc.schemes.Contaminated(0.5, 10), "memory": "all"},
            "needs memory='last'",
        ),
        ({"supply": bc.schemes.Contaminated(0.5, 10), "weighting": 0.5}, "mixes real and"),
        ({"supply": "contaminated"}, "supply must be one of"),
        ({"supply": "fresh", "memory": "subsample(5)"}, "needs supply='fixed', or 'none'"),
    ],
)
def test_contradictions(axes, message):
    with pytest.raises(ValueError, match=message):
        bc.Scheme(**axes)


@pytest.mark.parametrize(
    "scheme",
    [
        bc.Scheme(selection=Above(0.5)),
        bc.Scheme(selection=bc.schemes.Filter(positive_rows, max_proposals=7)),
        bc.Scheme(selection=EditShare(0.3), supply="none"),
        bc.Scheme(supply=bc.schemes.Contaminated(bc.schedules.power(1, -0.5), (10, 20))),
        bc.Scheme(weighting=bc.schemes.Weighting(0.5, by_age=(1.0, 0.5))),
    ],
    ids=repr,
)
def test_values_round_trip(scheme):
    again = bc.Scheme.from_dict(scheme.to_dict())
    assert again == scheme
    assert hash(again) == hash(scheme)
    assert "\n" not in repr(scheme)


def test_a_fixed_design_leaves_no_choice_among_rows():
    scheme = bc.schemes.verified_by(
        bc.schemes.QuadraticReward(0.0, 1.0), keep=0.5, covariates="fixed"
    )
    experiment = bc.Experiment(
        linear_regression.estimator(features=2, noise_sd=1.0),
        bc.Truth(beta=[0.5, 0.0], covariates=NormalCovariates(2)),
        scheme,
        n_real=12,
        generations=2,
        replicates=2,
    )
    with pytest.raises(ValueError, match="picks among 24 proposals"):
        experiment.run(progress=False)


def test_a_source_with_one_design_keeps_it():
    """Without a word in the scheme, a fixed design is still given one accepted row each."""
    design = xr.Dataset({"x": (("obs", "feature"), np.random.default_rng(3).normal(size=(15, 2)))})
    run = bc.Experiment(
        linear_regression.estimator(features=2, noise_sd=1.0),
        bc.Truth(beta=[0.5, 0.0], covariates=design),
        bc.Scheme(supply="none", selection=Above()),
        n_real=15,
        generations=3,
        replicates=4,
        keep_rows="all",
    ).run(progress=False)
    assert not run["training"]["short"].any()
    x = synthetic_rows(run, 2)["x"].to_numpy().reshape(4, 15, 2)
    np.testing.assert_array_equal(x, np.broadcast_to(design["x"], x.shape))
