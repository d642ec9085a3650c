"""Ablation against closed forms, refits, and lineages weighted by a person's own function."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.models import gaussian, gaussian_mean
from bayescollapse.perturbing.reliance import light_tail, small_part

PRIOR_WEIGHT = 3.0


def experiment(scheme, *, prior=True, **arguments):
    """A Gaussian mean of unit sd, with or without a prior worth three rows."""
    settings = {"prior_mean": 1.0, "prior_sd": PRIOR_WEIGHT**-0.5} if prior else {}
    made = bc.Experiment(
        gaussian_mean.estimator(**settings),
        bc.Truth(mu=0.0),
        scheme,
        n_real=20,
        n_synthetic=25,
        generations=4,
        replicates=4,
        keep_rows="all",
        seed=2,
        **arguments,
    )
    return made, made.run(progress=False)


def posterior(rows, weights):
    """Posterior mean and sd."""
    total = weights.sum() + PRIOR_WEIGHT
    return (weights @ rows + PRIOR_WEIGHT * 1.0) / total, total**-0.5


def without_batch(run, scheme, replicate, generation, batch, real):
    """Change of mean, in sds, log ratio of sds in closed form, and share; None if not used."""
    tree = bc.cell(run, scheme=scheme, replicate=replicate, generation=generation)
    constant = tree["constant_data"]
    weights, y = constant["weights"].to_numpy(), tree["observed_data"]["y"].to_numpy()
    gone = (constant["batch"].to_numpy() == batch) & (constant["real"].to_numpy() == real)
    if not gone.any() or gone.all():
        return None
    (mean, sd), (moved, wide) = posterior(y, weights), posterior(y, np.where(gone, 0, weights))
    return (moved - mean) / sd, np.log(wide / sd), weights[gone].sum() / weights.sum()


SCHEMES = {
    "accumulate": bc.schemes.accumulate(emission="plug-in"),
    "weighted": bc.schemes.weighted(real_share=0.7),
}


@pytest.fixture(scope="module")
def two():
    """Two schemes with a prior."""
    return experiment(SCHEMES)


@pytest.mark.parametrize("refit", ["always", "auto"])
def test_posteriors_without_a_batch_have_their_closed_form(two, refit):
    made, run = two
    cells = bc.ablation(made, run, refit=refit, draws=4000, average=False, progress=False)
    seen = weighed = 0
    for s, r, t, b, o in np.ndindex(*(cells["pareto_k"].shape)):
        cell = cells.isel(scheme=s, replicate=r, generation=t, left_out=b, origin=o).squeeze()
        wanted = without_batch(run, str(cell["scheme"].values), r, t, b, o == 0)
        found = cell["mean_shift"].item(), cell["log_sd_ratio"].item()
        if wanted is None:
            assert np.isnan(found).all()
            continue
        seen += 1
        again, share = bool(cell["refitted"]), wanted[2]
        if refit == "always" or share > 0.34 or cell["pareto_k"].item() > 0.7:
            assert again
        weighed += not again
        # 4,000 draws without a third of the rows at most leave 2,000 effective ones or so: 5 of
        # their errors, for 40 comparisons.
        np.testing.assert_allclose(found, wanted[:2], atol=1e-10 if again else 0.12)
    assert seen == 60
    assert (weighed > 10) == (refit == "auto")


def test_what_is_kept_without_a_refit_is_not_biased():
    """Batches of a half, a third and a quarter: a rule that looks at k alone selects low ones."""
    made = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.accumulate(),
        n_real=20,
        generations=4,
        replicates=150,
        keep_rows="all",
    )
    run = made.run(progress=False)
    arguments = dict(replicates=None, average=False, progress=False)
    found, exact = (bc.ablation(made, run, refit=how, **arguments) for how in ("auto", "always"))
    direct = ~found["refitted"] & found["distance"].notnull().all("parameter")
    for name in ("mean_shift", "log_sd_ratio"):
        towards = ((found[name] - exact[name]) * np.sign(exact[name])).where(direct)
        # 0.015 towards no change in 1,000 cells, with a standard error of some 0.003.
        assert -0.03 < float(towards.mean()) < 0.01, name
    # Where a batch is half of the rows nothing is left to weights, a third and less mostly is.
    for t, low, high in ((1, 0.0, 0.0), (2, 0.6, 1.0), (3, 0.8, 1.0)):
        used = exact["distance"].notnull().all("parameter").sel(generation=t)
        share = float(direct.sel(generation=t).where(used).mean())
        assert low <= share <= high


def test_mild_ablations_need_no_refit(two):
    made, run = two
    cells = bc.ablation(made, run, schemes="accumulate", average=False, progress=False)
    late = cells.sel(generation=3, origin="synthetic", left_out=[0, 1, 2])
    assert (~late["refitted"]).mean() > 0.5
    missing = bc.ablation(
        made, run, schemes="accumulate", refit="never", average=False, progress=False
    )
    heavy = cells["refitted"].to_numpy()
    assert heavy.any()
    assert np.isnan(missing["distance"].to_numpy()[heavy]).all()


def leaves_out(generation):
    """Pooled weights, but none for what a generation brought."""

    def weighting(rows, context):
        return (rows["batch"] != generation) * np.ones(rows["y"].shape)

    return weighting


@pytest.mark.parametrize("emission", ["plug-in", "joint"])
@pytest.mark.parametrize("refit", ["auto", "always"])
def test_lineages_without_a_generation_are_those_of_an_own_weighting(emission, refit):
    """Same seed, and rows at weight 0 by the scheme instead of by the engine."""
    pooled = bc.Scheme(supply="fresh", memory="all", emission=emission, name="pooled")
    made, run = experiment(pooled)
    cells = bc.ablation(
        made, run, what="generation", refit=refit, draws=4000, average=False, progress=False
    )
    mean, sd = (run["summary"]["mu"].sel(statistic=s).to_numpy() for s in ("mean", "sd"))
    for g in (0, 1, 2):
        own = bc.Scheme(
            supply="fresh",
            memory="all",
            emission=emission,
            weighting=leaves_out(g),
            name="own",
        )
        _, other = experiment(own)
        moved, wide = (other["summary"]["mu"].sel(statistic=s).to_numpy() for s in ("mean", "sd"))
        found = cells.sel(left_out=g).isel(parameter=0)
        shift, ratio = (moved - mean) / sd, np.log(wide / sd)
        if g == 0:
            # Nothing is left of generation 0 itself; an own weighting does not reach it.
            assert np.isnan(found["mean_shift"].to_numpy()[:, :, 0]).all()
            found = found.isel(generation=slice(1, None))
            shift, ratio = shift[:, :, 1:], ratio[:, :, 1:]
            assert np.isfinite(found["mean_shift"]).all()
            for name, wanted in (("mean_shift", shift), ("log_sd_ratio", ratio)):
                value = found[name].to_numpy()[:, :, 1:]
                np.testing.assert_allclose(value, wanted[:, :, 1:], atol=1e-10)
            continue
        assert np.isnan(found["mean_shift"].to_numpy()[:, :, :g]).all()
        replayed = found["refitted"].to_numpy()
        assert replayed[:, :, g + 2 :].all()
        for name, wanted in (("mean_shift", shift), ("log_sd_ratio", ratio)):
            value = found[name].to_numpy()
            np.testing.assert_allclose(value[replayed], wanted[replayed], atol=1e-10)
            weighed = ~np.isnan(value) & ~replayed
            # As for batches.
            np.testing.assert_allclose(value[weighed], wanted[weighed], atol=0.12)
        assert np.isfinite(found["pareto_k"].to_numpy()[:, :, g : g + 2]).all() or (
            refit == "always"
        )
        assert np.isnan(found["pareto_k"].to_numpy()[:, :, g + 2 :]).all()


def test_where_nothing_is_left_there_is_no_posterior():
    made, run = experiment(bc.schemes.replace(), prior=False)
    out = bc.ablation(made, run, progress=False)
    assert out["distance"].isnull().all()
    assert "no rows would be left" in out.attrs["missing"]
    cells = bc.ablation(made, run, what="generation", left_out=[1], average=False, progress=False)
    shift = cells["mean_shift"].isel(scheme=0, left_out=0, parameter=0)
    # Generation 1 itself has no rows of its own to lose; the next ones have no others.
    assert (shift.sel(generation=1) == 0).all()
    assert shift.sel(generation=[0, 2, 3]).isnull().all()


@pytest.mark.parametrize("what", ["batch", "generation"])
def test_what_would_be_improper_is_missing(what):
    """One real row without generation 0 does not tell mean and sd under Jeffreys' prior."""
    made = bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.Scheme(supply="fresh", memory="all", name="pooled"),
        n_real=(20, 1, 1),
        references=(),
        n_synthetic=30,
        generations=3,
        replicates=3,
    )
    run = made.run(progress=False)
    out = bc.ablation(made, run, what=what, left_out=0, average=False, progress=False)
    distance = out["distance"] if what == "generation" else out["distance"].sel(origin="synthetic")
    assert distance.sel(generation=1).isnull().all()
    # Its descendants hang on a posterior that is not there; the direct part of them does not.
    assert (distance.sel(generation=2).isnull() == (what == "generation")).all()
    assert "gives an improper one" in out.attrs["missing"]


def test_gaps_that_a_replay_fills_are_not_reported():
    pooled = bc.Scheme(supply="fresh", memory="all", name="pooled")
    made, run = experiment(pooled, prior=False)
    out = bc.ablation(
        made,
        run,
        what="generation",
        left_out=0,
        generations=[1, 2, 3],
        average=False,
        progress=False,
    )
    assert (out["pareto_k"] > 0.7).any()
    assert out["distance"].notnull().all()
    assert out.attrs["missing"] == ""
    assert out["left_out"].values.tolist() == [0]
    # Posteriors that come before a generation are none without it, and no gap.
    early = bc.ablation(
        made, run, what="generation", left_out=2, generations=[1, 2], progress=False
    )
    assert (early["distance"].isnull() == (early["generation"] == 1)).all()
    assert early.attrs["missing"] == ""


def test_averages_are_over_replicates(two):
    made, run = two
    cells = bc.ablation(made, run, generations=[3], average=False, progress=False)
    out = bc.ablation(made, run, generations=[3], progress=False)
    np.testing.assert_allclose(out["distance"], cells["distance"].mean("replicate", skipna=False))
    np.testing.assert_array_equal(out["refitted"], cells["refitted"].sum("replicate"))
    assert out["left_out"].values.tolist() == [0, 1, 2, 3]


def test_what_is_out_of_range_is_refused(two):
    with pytest.raises(ValueError, match="what must be one of"):
        bc.ablation(*two, what="row", progress=False)
    with pytest.raises(ValueError, match="left_out must be generations from 0 to 3"):
        bc.ablation(*two, left_out=[4], progress=False)


def test_weights_are_relied_on_by_share_effective_draws_and_k():
    taken, total = np.full(5, 20.0), np.array([60.0, 59.0, 60.0, 60.0, 60.0])
    weights = np.zeros((5, 1000))
    weights[:, :201] = 1 / 201
    weights[2] = 0.0
    weights[2, :199] = 1 / 199
    k = np.array([0.66, 0.1, 0.1, 0.67, np.nan])
    # 1 - 1 / log10(1000) is 0.667.
    assert small_part(taken, total)(weights, k).tolist() == [True, False, False, False, False]
    assert light_tail(weights, k).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("measure", [bc.ablation, bc.sensitivity, bc.stability])
def test_exchanged_arguments_are_named(two, measure):
    made, run = two
    with pytest.raises(TypeError, match="got DataTree: pass the experiment first"):
        measure(run, made, progress=False)
    with pytest.raises(TypeError, match="run must be the xarray.DataTree"):
        measure(made, made, progress=False)
