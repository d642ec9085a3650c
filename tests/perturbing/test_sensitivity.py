"""Power-scaling against closed forms, ArviZ and refits."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.experiment.progress import Silent
from bayescollapse.measures.layout import cells_of
from bayescollapse.models import categorical, empirical, gaussian, gaussian_mean, linear_regression
from bayescollapse.perturbing.choice import Choice, choose
from bayescollapse.perturbing.reliance import highest_k
from bayescollapse.perturbing.reweigh import log_likelihoods
from bayescollapse.perturbing.visit import _kept, visit

SD, PRIOR_MEAN, PRIOR_SD = 1.5, 1.0, 0.4
POWERS = (0.8, 1.25)


@pytest.fixture(scope="module")
def conjugate():
    """A Gaussian mean with an informative prior under two schemes, all rows kept."""
    experiment = bc.Experiment(
        gaussian_mean.estimator(sd=SD, prior_mean=PRIOR_MEAN, prior_sd=PRIOR_SD),
        bc.Truth(mu=0.0),
        {
            "weighted": bc.schemes.weighted(real_share=0.3),
            "accumulate": bc.schemes.accumulate(emission="plug-in"),
        },
        n_real=20,
        n_synthetic=30,
        generations=3,
        replicates=5,
        keep_rows="all",
        seed=3,
    )
    return experiment, experiment.run(progress=False)


def precisions(run, scheme, replicate, generation):
    """Precision and location of prior, real rows and synthetic rows."""
    cell = bc.cell(run, scheme=scheme, replicate=replicate, generation=generation)
    weights = cell["constant_data"]["weights"].to_numpy()
    real, y = cell["constant_data"]["real"].to_numpy(), cell["observed_data"]["y"].to_numpy()
    parts = [(1 / PRIOR_SD**2, PRIOR_MEAN)]
    for inside in (real, ~real):
        total = weights[inside].sum()
        parts.append((total / SD**2, weights[inside] @ y[inside] / total if total else 0.0))
    return np.array(parts)


def location(parts, component=0, power=1.0):
    """Posterior mean and sd with one component raised to a power."""
    precision = parts[:, 0] * np.where(np.arange(3) == component, power, 1.0)
    return precision @ parts[:, 1] / precision.sum(), precision.sum() ** -0.5


def closed_form(run, cells):
    """Everything that has a closed form, like `cells`."""
    shape = [cells.sizes[d] for d in ("scheme", "replicate", "generation", "component")]
    gradients = np.empty((2, *shape))
    shifts = np.empty((2, *shape, len(POWERS)))
    for s, r, t, c in np.ndindex(*shape):
        parts = precisions(run, str(cells["scheme"].values[s]), r, t)
        mean, sd = location(parts)
        share = parts[c, 0] * sd**2
        gradients[:, s, r, t, c] = share * (parts[c, 1] - mean) / sd, -share / 2
        for p, power in enumerate(POWERS):
            moved, wide = location(parts, c, power)
            shifts[:, s, r, t, c, p] = (moved - mean) / sd, np.log(wide / sd)
    return np.log(2) * gradients, shifts


def test_gradients_have_their_closed_form(conjugate):
    experiment, run = conjugate
    cells = bc.sensitivity(experiment, run, draws=4000, average=False, progress=False)
    exact, _ = closed_form(run, cells)
    for name, value in zip(("mean_gradient", "sd_gradient"), exact, strict=True):
        error = cells[f"{name}_mcse"].to_numpy()[..., 0]
        z = (cells[name].to_numpy()[..., 0] - value) / np.where(error > 0, error, 1.0)
        # 90 correlated values: the largest of 90 normals exceeds 4.5 in 0.06 % of cases; the
        # estimated errors, of 120 batches, leave it below 0.2 %.
        assert np.abs(z).max() < 4.5
        assert (error > 0).mean() > 0.7
        assert np.abs(cells[name].to_numpy()[..., 0] - value).max() < 0.1


def test_importance_weights_and_refits_have_their_closed_form(conjugate):
    experiment, run = conjugate
    by_weights = bc.sensitivity(
        experiment, run, draws=4000, average=False, refit="never", progress=False
    )
    again = bc.sensitivity(
        experiment,
        run,
        kinds=("real", "synthetic"),
        average=False,
        refit="always",
        progress=False,
    )
    _, exact = closed_form(run, by_weights)
    for name, value in zip(("mean_shift", "log_sd_ratio"), exact, strict=True):
        # Of 4,000 draws; the error of a weighted mean is below 0.25 sd / sqrt(4000) per 25 % of
        # power here, that of a log sd below 0.7 / sqrt(4000): 5 of these for 180 values.
        assert np.abs(by_weights[name].to_numpy()[..., 0] - value).max() < 5 * 0.7 / np.sqrt(4000)
        refitted = again[name].to_numpy()[..., 0]
        np.testing.assert_allclose(refitted, value[:, :, :, 1:], atol=1e-10)
    assert (by_weights["pareto_k"] < 0.7).all()
    assert not by_weights["refitted"].any()
    assert again["refitted"].all()


def test_distance_is_that_of_the_normal_distribution_functions(conjugate):
    """Against the definition with the exact distribution functions on a fine grid."""
    from scipy.stats import norm

    experiment, run = conjugate
    cells = bc.sensitivity(
        experiment, run, kinds="prior", draws=20_000, average=False, progress=False
    )
    parts = precisions(run, "weighted", 2, 2)
    mean, sd = location(parts)
    # The range of the draws is part of the definition: 20,000 normal draws reach 4.0 sds.
    grid = mean + sd * np.linspace(-4, 4, 20_001)
    for p, power in enumerate(POWERS):
        values = []
        for sign in (1, -1):
            f = norm(*location(parts)).cdf(grid)
            g = norm(*location(parts, 0, power)).cdf(grid)
            f, g = (f, g) if sign == 1 else (1 - f, 1 - g)
            middle = (f + g) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                terms = [np.nan_to_num(h * np.log2(h / middle)) for h in (f, g)]
            # The remainders of the two directions cancel.
            values.append(np.sqrt(sum(t.sum() for t in terms) / (f + g).sum()))
        found = cells["distance"].isel(scheme=0, replicate=2, generation=2, power=p).item()
        # The extremes of 20,000 draws vary by 0.3 sds, and the distance by the root of their range;
        # its own relative Monte Carlo error is 2 %.
        assert found == pytest.approx(max(values), rel=0.12)


def test_sensitivity_is_psense(conjugate):
    """With ArviZ's powers and the same draws; its smoothing of both tails differs a little."""
    from arviz_stats import psense

    experiment, run = conjugate
    cells = bc.sensitivity(
        experiment,
        run,
        kinds=("prior", "likelihood"),
        powers=(0.99, 1.01),
        replicates=[1],
        generations=[2],
        average=False,
        progress=False,
    )
    seen = []
    choice = choose(
        experiment, run, var_names=None, schemes="weighted", replicates=[1], generations=[2]
    )
    visit(experiment, run, choice, seen.append, Silent())
    draws = seen[0].posterior.draws[0, ..., 0]
    rows = log_likelihoods(seen[0], np.zeros_like(seen[0].batch), 1).reshape(draws.shape)
    prior = -0.5 * ((draws - PRIOR_MEAN) / PRIOR_SD) ** 2
    tree = xr.DataTree.from_dict(
        {
            name: xr.Dataset({variable: (("chain", "draw"), value)})
            for name, variable, value in (
                ("posterior", "mu", draws),
                ("log_likelihood", "y", rows),
                ("log_prior", "mu", prior),
            )
        }
    )
    for component in ("prior", "likelihood"):
        theirs = psense(tree, group=component)["mu"].item()
        ours = cells["sensitivity"].sel(scheme="weighted", component=component).item()
        assert ours == pytest.approx(theirs, rel=0.03)


def test_nothing_is_moved_by_what_is_not_there(conjugate):
    experiment, run = conjugate
    out = bc.sensitivity(experiment, run, progress=False)
    absent = out.sel(component="synthetic", generation=0)
    for name in ("sensitivity", "mean_gradient", "distance", "mean_shift", "log_sd_ratio"):
        assert (absent[name] == 0).all(), name
    assert (absent["worst_pareto_k"] == 0).all()
    assert (out["sensitivity"].sel(component="prior") > 0.05).all()


def test_a_flat_prior_moves_nothing():
    experiment = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.pooled(),
        n_real=20,
        generations=2,
        replicates=2,
    )
    out = bc.sensitivity(experiment, experiment.run(progress=False), progress=False)
    assert (out["distance"].sel(component="prior") == 0).all()


def test_unreliable_weights_are_refitted_or_missing(conjugate):
    experiment, run = conjugate
    arguments = dict(kinds=("real",), powers=(0.02,), average=False, progress=False)
    again = bc.sensitivity(experiment, run, **arguments)
    heavy = again["pareto_k"].to_numpy() > highest_k(1000)
    assert heavy.any()
    np.testing.assert_array_equal(again["refitted"], heavy)
    for s, r, t in np.argwhere(heavy[:, :, :, 0, 0]):
        parts = precisions(run, str(again["scheme"].values[s]), r, t)
        (mean, sd), (moved, wide) = location(parts), location(parts, 1, 0.02)
        cell = again.isel(scheme=s, replicate=r, generation=t).squeeze()
        assert cell["mean_shift"].item() == pytest.approx((moved - mean) / sd, abs=1e-10)
        assert cell["log_sd_ratio"].item() == pytest.approx(np.log(wide / sd), abs=1e-10)
    never = bc.sensitivity(experiment, run, refit="never", **arguments)
    np.testing.assert_array_equal(np.isnan(never["distance"].to_numpy()[..., 0]), heavy)
    assert "Pareto k is too high" in never.attrs["missing"]
    assert again.attrs["missing"] == ""


def test_few_draws_are_trusted_less(conjugate):
    """Between 0.5 and 0.7 a hundred weights are not relied on."""
    cells = bc.sensitivity(
        *conjugate, kinds=("real",), powers=(0.2,), draws=100, average=False, progress=False
    )
    k = cells["pareto_k"].to_numpy()
    assert ((k > 0.5) & (k < 0.7)).any()
    np.testing.assert_array_equal(cells["refitted"], k > 0.5)


def test_scaled_posteriors_that_would_be_improper_are_missing():
    """A twentieth of five rows is a quarter of a row."""
    experiment = bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.schemes.accumulate(),
        n_real=5,
        n_synthetic=40,
        generations=2,
        replicates=3,
    )
    cells = bc.sensitivity(
        experiment,
        experiment.run(progress=False),
        kinds="real",
        powers=0.05,
        refit="always",
        average=False,
        progress=False,
    )
    assert cells["distance"].sel(generation=0).isnull().all()
    assert cells["distance"].sel(generation=1).notnull().all()
    assert not cells["refitted"].sel(generation=0).any()
    assert cells.attrs["missing"] == "some scaled posteriors: they would be improper"


def test_replicates_that_have_a_posterior_keep_theirs():
    """One replicate of three loses all but one of its rows."""
    experiment = bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.schemes.pooled(),
        n_real=8,
        generations=1,
        replicates=3,
    )
    run, seen = experiment.run(progress=False), []
    choice = choose(
        experiment, run, var_names=None, schemes=None, replicates=None, generations=None
    )
    visit(experiment, run, choice, seen.append, Silent())
    (cell,) = seen
    weights = cell.weights * 0.9
    whole = cell.refit(weights)
    weights[1, 1:] = 0.0
    part = cell.refit(weights)
    assert part.proper.tolist() == [True, False, True]
    for name in ("draws", "mean", "sd"):
        wanted, found = (getattr(p, name)[[0, 2]] for p in (whole, part))
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(("kept", "draws", "enough"), [(100, 1000, False), (100, 100, True)])
def test_draws_are_read_from_a_run_that_kept_as_many_as_are_wanted(kept, draws, enough):
    """A run by NUTS, in the shape of an exact one, which needs no sampling."""
    settings = dict(n_real=9, generations=2, replicates=2, keep_draws=kept, keep_rows="first")
    parts = gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.pooled()
    run = bc.Experiment(*parts, method="exact", **settings).run(progress=False)
    sampled = bc.Experiment(*parts, method="nuts", **settings)
    parameters = cells_of(run, "mean")["parameter"]
    choice = Choice(("pooled",), (0, 1), (0, 1), parameters, np.array([0]), draws)
    assert _kept(sampled, run, "pooled", 0, choice) == enough
    assert not _kept(sampled, run, "pooled", 1, choice)


def test_one_value_stands_for_a_list_of_one(conjugate):
    out = bc.sensitivity(*conjugate, generations=2, powers=0.8, kinds="real", progress=False)
    assert out["generation"].values.tolist() == [2]
    assert out["power"].values.tolist() == [0.8]


FAMILIES = {
    "gaussian": lambda: (
        gaussian.estimator(
            prior=gaussian.NormalInverseGamma(mean=1.0, weight=4.0, shape=3.0, scale=2.0)
        ),
        bc.Truth(mu=0.0, sigma=1.0),
    ),
    "regression": lambda: (
        linear_regression.estimator(features=2, prior_sd=0.5),
        bc.Truth(beta=[1.0, -1.0], sigma=1.0, covariates=bc.sources.NormalCovariates(features=2)),
    ),
    "categorical": lambda: (categorical.estimator(categories=3), bc.Truth(p=[0.2, 0.3, 0.5])),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_agree_with_refits(family):
    """Derivatives by covariances, and by two fits with slightly other weights."""
    estimator, truth = FAMILIES[family]()
    experiment = bc.Experiment(
        estimator,
        truth,
        bc.schemes.weighted(real_share=0.4),
        n_real=30,
        generations=2,
        replicates=3,
        draws=500,
    )
    run = experiment.run(progress=False)
    kinds, step = ("real", "synthetic"), 1e-3
    powers = (2**-step, 2**step)
    cells = bc.sensitivity(
        experiment,
        run,
        kinds=kinds,
        powers=powers,
        draws=4000,
        refit="always",
        average=False,
        progress=False,
    )
    for gradient, change in (("mean_gradient", "mean_shift"), ("sd_gradient", "log_sd_ratio")):
        slope = cells[change].diff("power").isel(power=0, drop=True) / (2 * step)
        error = cells[f"{gradient}_mcse"]
        z = (cells[gradient] - slope) / error.where(error > 0, 1.0)
        # At most 36 values: a normal exceeds 4.5 in 0.02 % of cases; heavy tails double that.
        assert float(abs(z).max()) < 4.5


def test_estimators_without_densities_are_refitted():
    """The Bayesian bootstrap's posterior mean of mu is the weighted mean of the rows."""
    experiment = bc.Experiment(
        empirical.estimator(),
        bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator()),
        bc.schemes.weighted(real_share=0.3),
        n_real=20,
        generations=2,
        replicates=2,
        keep_rows="all",
    )
    run = experiment.run(progress=False)
    cells = bc.sensitivity(experiment, run, average=False, progress=False)
    assert cells["component"].values.tolist() == ["real", "synthetic"]
    assert "no densities" in cells.attrs["missing"]
    assert cells["refitted"].all()
    assert cells["mean_gradient"].isnull().all()
    tree = bc.cell(run, scheme="weighted", replicate=1, generation=1)
    weights, real = (tree["constant_data"][n].to_numpy() for n in ("weights", "real"))
    y = tree["observed_data"]["y"].to_numpy()
    sd = run["summary"]["mu"].sel(replicate=1, generation=1, statistic="sd").item()
    for power in POWERS:
        scaled = weights * np.where(real, power, 1.0)
        shift = (np.average(y, weights=scaled) - np.average(y, weights=weights)) / sd
        found = cells["mean_shift"].sel(
            replicate=1, generation=1, component="real", power=power, parameter="mu"
        )
        assert found.item() == pytest.approx(shift, abs=1e-9)


def test_parts_of_a_run_can_be_chosen(conjugate):
    experiment, run = conjugate
    out = bc.sensitivity(
        experiment,
        run,
        schemes="accumulate",
        replicates=[4, 1],
        generations=[2],
        average=False,
        progress=False,
    )
    assert out["replicate"].values.tolist() == [1, 4]
    assert dict(out["distance"].sizes) == {
        "scheme": 1,
        "replicate": 2,
        "generation": 1,
        "component": 3,
        "power": 2,
        "parameter": 1,
    }
    assert out["distance"].notnull().all()


REFUSALS = {
    "kinds": (dict(kinds=("posterior",)), "kinds must be among"),
    "powers": (dict(powers=(1.0,)), "other than 1"),
    "negative power": (dict(powers=(-1.0,)), "powers must be a positive"),
    "draws": (dict(draws=50), "draws must be an integer of at least 100"),
    "refit": (dict(refit="sometimes"), "refit must be one of"),
    "scheme": (dict(schemes="none"), "schemes must be among"),
    "generation": (dict(generations=[9]), "generations must be among"),
    "prior": (dict(prior_var_names="sigma"), r"^prior_var_names must name.*\['mu'\], got"),
    "no prior": (dict(prior_var_names="mu", kinds="real"), "prior_var_names is for kinds that"),
    "parameter": (dict(var_names="sigma"), "var_names must name"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_out_of_range_is_refused(conjugate, case):
    arguments, message = REFUSALS[case]
    with pytest.raises(ValueError, match=message):
        bc.sensitivity(*conjugate, progress=False, **arguments)


def test_unknown_parts_of_the_prior_are_refused_before_a_replay(conjugate, monkeypatch):
    monkeypatch.setattr("bayescollapse.perturbing.power_scaling.visit", None)
    with pytest.raises(ValueError, match=r"prior_var_names must name.*correct \['y'\]"):
        bc.sensitivity(*conjugate, prior_var_names=["mu", "y"], progress=False)


def test_another_experiment_is_refused(conjugate):
    experiment, run = conjugate
    other = bc.Experiment(
        experiment.estimator,
        experiment.source,
        experiment.schemes,
        n_real=20,
        n_synthetic=30,
        generations=3,
        replicates=5,
        keep_rows="all",
        seed=4,
    )
    with pytest.raises(ValueError, match=r"differs in \['seed'\]"):
        bc.sensitivity(other, run, progress=False)
    with pytest.raises(TypeError, match="experiment must be"):
        bc.sensitivity(run, run, progress=False)
