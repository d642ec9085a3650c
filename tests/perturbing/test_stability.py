"""Recursive stability against its law, and the source that replaces a row."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import gaussian_mean, linear_regression
from bayescollapse.perturbing.stability import ReplacedRow
from bayescollapse.sources.base import Place
from bayescollapse.streams import Streams

N, M, T = 20, 30, 6


def experiment(scheme, prior_weight=0.0, **arguments):
    """A Gaussian mean whose prior is worth so many rows."""
    prior = {"prior_mean": 2.0, "prior_sd": prior_weight**-0.5} if prior_weight else {}
    made = bc.Experiment(
        gaussian_mean.estimator(**prior),
        bc.Truth(mu=0.0),
        scheme,
        n_real=N,
        n_synthetic=M,
        generations=T,
        replicates=7,
        **arguments,
    )
    return made, made.run(progress=False)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive", "ensemble(3)"])
@pytest.mark.parametrize(("real_share", "prior_weight"), [(0.0, 5.0), (0.2, 5.0), (0.6, 0.0)])
def test_change_of_the_mean_follows_its_law(emission, real_share, prior_weight):
    """d m_t / d m_0 = (h (1 - w))^t, exact with common random numbers."""
    scheme = bc.schemes.weighted(real_share=real_share, emission=emission)
    cells = bc.stability(*experiment(scheme, prior_weight), average=False, progress=False)
    h = (N + M) / (N + M + prior_weight)
    law = (h * (1 - real_share)) ** np.arange(T)
    found = cells["amplification"].to_numpy()[0, :, :, 0]
    np.testing.assert_allclose(found, np.broadcast_to(law, found.shape), atol=1e-8)
    np.testing.assert_allclose(cells["log_sd_change"], 0, atol=1e-12)
    assert (cells["noise"] == 0).all()


def test_what_is_never_forgotten_stays():
    """The first real rows for ever, all batches kept, flat prior: every mean moves as the first."""
    out = bc.stability(*experiment(bc.schemes.accumulate()), progress=False)
    np.testing.assert_allclose(out["amplification"], 1, atol=1e-8)
    np.testing.assert_allclose(out["amplification_mcse"], 0, atol=1e-8)


def test_real_rows_alone_forget_at_once():
    out = bc.stability(*experiment(bc.schemes.weighted(real_share=1.0)), progress=False)
    assert (out["amplification"].sel(generation=0) == 1).all()
    assert (out["amplification"].sel(generation=slice(1, None)) == 0).all()


def test_a_given_row_moves_the_first_mean_by_its_distance():
    made, run = experiment(bc.schemes.pooled(), keep_rows="all")
    row = xr.Dataset({"y": ("obs", [7.0])})
    cells = bc.stability(
        made, run, row=3, replacement=row, generations=[0, 2], average=False, progress=False
    )
    for replicate in range(7):
        tree = bc.cell(run, scheme="pooled", replicate=replicate, generation=0)
        change = (7.0 - tree["observed_data"]["y"].to_numpy()[3]) / N
        found = cells["mean_change"].sel(replicate=replicate, generation=0).item()
        assert found == pytest.approx(change, abs=1e-12)
        standard = cells["standardised_change"].sel(replicate=replicate, generation=0).item()
        assert standard == pytest.approx(change * np.sqrt(N), abs=1e-12)
    np.testing.assert_allclose(cells["amplification"].sel(generation=2), 0.6**2, atol=1e-8)


def test_the_same_row_changes_nothing():
    made, run = experiment(bc.schemes.pooled(), keep_rows="all")
    y = bc.cell(run, scheme="pooled", replicate=2, generation=0)["observed_data"]["y"]
    cells = bc.stability(
        made,
        run,
        row=4,
        replacement=xr.Dataset({"y": ("obs", y.to_numpy()[4:5])}),
        replicates=[2],
        average=False,
        progress=False,
    )
    assert (cells["mean_change"] == 0).all()
    assert cells["amplification"].isnull().all()


def test_regression_rows_are_replaced_whole():
    """The change of beta at generation 0 is that of two fits outside of the loop."""
    estimator = linear_regression.estimator(features=2, noise_sd=1.0)
    made = bc.Experiment(
        estimator,
        bc.Truth(beta=[1.0, -1.0], covariates=bc.sources.NormalCovariates(features=2)),
        bc.schemes.pooled(),
        n_real=15,
        generations=2,
        replicates=3,
        keep_rows="all",
    )
    run = made.run(progress=False)
    row = xr.Dataset({"y": ("obs", [3.0]), "x": (("obs", "feature"), [[2.0, -1.0]])})
    cells = bc.stability(made, run, row=1, replacement=row, average=False, progress=False)
    tree = bc.cell(run, scheme="pooled", replicate=2, generation=0)
    x, y = tree["constant_data"]["x"].to_numpy(), tree["observed_data"]["y"].to_numpy()
    before = np.linalg.lstsq(x, y)[0]
    x, y = x.copy(), y.copy()
    x[1], y[1] = [2.0, -1.0], 3.0
    found = cells["mean_change"].sel(replicate=2, generation=0, scheme="pooled")
    np.testing.assert_allclose(found, np.linalg.lstsq(x, y)[0] - before, atol=1e-10)


def test_noise_is_that_of_the_effective_draws():
    """As if every mean of the run came from 50 effective draws."""
    made, run = experiment(bc.schemes.pooled())
    stats = run["sample_stats"].to_dataset().copy(deep=True)
    stats["ess_bulk"][:] = 50.0
    sampled = run.copy()
    sampled["sample_stats"] = stats
    cells = bc.stability(made, sampled, average=False, progress=False)
    sd = run["summary"]["mu"].sel(statistic="sd").to_numpy()
    np.testing.assert_allclose(cells["noise"].to_numpy()[..., 0], sd * np.sqrt(2 / 50))


def test_numbers_stand_for_what_they_number():
    made, run = experiment(bc.schemes.pooled())
    out = bc.stability(made, run, generations=2, replicates=99, average=False, progress=False)
    assert out["generation"].values.tolist() == [2]
    assert out.sizes["replicate"] == 7
    with pytest.raises(ValueError, match="replicates must be an integer of at least 1"):
        bc.stability(made, run, replicates=0, progress=False)


def test_only_one_row_of_generation_0_is_replaced():
    made, _ = experiment(bc.schemes.pooled())
    source, streams = made.bound, Streams(0)
    other = ReplacedRow(source, 5)
    for generation, purpose in ((0, "real"), (1, "real"), (0, "held_out")):
        place = Place(streams, 0, generation, 4, purpose)
        differs = other.real(9, place)["y"] != source.real(9, place)["y"]
        wanted = np.zeros((4, 9), dtype=bool)
        wanted[:, 5] = (generation, purpose) == (0, "real")
        np.testing.assert_array_equal(differs, wanted)
    place = Place(streams, 0, 0, 4)
    np.testing.assert_array_equal(other.truth(place), source.truth(place))


def test_bad_rows_are_refused():
    made, run = experiment(bc.schemes.pooled())
    with pytest.raises(ValueError, match="row must lie below the 20 real rows"):
        bc.stability(made, run, row=20, progress=False)
    with pytest.raises(ValueError, match="replacement must be one row"):
        bc.stability(made, run, replacement=xr.Dataset({"y": ("obs", [1.0, 2.0])}), progress=False)
    with pytest.raises(ValueError, match="replacement has no variable 'y'"):
        bc.stability(made, run, replacement=xr.Dataset({"z": ("obs", [1.0])}), progress=False)
