"""The log prior against SciPy, and posteriors under a power of it by NUTS."""

from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy import stats

import bayescollapse as bc
from bayescollapse.models import gaussian_mean
from bayescollapse.perturbing.prior import LogPrior, PoweredPriorSampler
from bayescollapse.perturbing.scaling import Scaling

POWER = 0.15
RNG = np.random.default_rng(8)


def hierarchical():
    """Groups around a mean, a scale, a flat shift, a potential, and data that are no rows."""
    with pm.Model(coords={"group": range(3)}) as model:
        rows = pm.Data("y_rows", RNG.normal(size=6), dims="obs")
        which = pm.Data("which", np.arange(6) % 3, dims="obs")
        mean = pm.Normal("mean", 1.0, 2.0)
        scale = pm.HalfNormal("scale", 1.5)
        effect = pm.Normal("effect", mean, scale, dims="group")
        shift = pm.Flat("shift")
        pm.Potential("pull", -0.5 * shift**2)
        pm.Normal("aside", shift, 1.0, observed=np.array([0.5, -0.5]))
        pm.Normal("y", effect[which] + shift, 1.0, observed=rows, dims="obs")
    return bc.Estimator(model, observed="y")


@pytest.fixture(scope="module")
def built():
    """Row model of the hierarchical model."""
    return hierarchical().row_model


def draws(count=5):
    """Values of every free variable."""
    return {
        "mean": RNG.normal(size=count),
        "scale": RNG.gamma(2.0, size=count),
        "effect": RNG.normal(size=(count, 3)),
        "shift": RNG.normal(size=count),
    }


TERMS = {
    "mean": lambda v: stats.norm(1.0, 2.0).logpdf(v["mean"]),
    "scale": lambda v: stats.halfnorm(scale=1.5).logpdf(v["scale"]),
    "effect": lambda v: (
        stats.norm(v["mean"][:, None], v["scale"][:, None]).logpdf(v["effect"]).sum(axis=1)
    ),
    "shift": lambda v: 0 * v["shift"],
    "pull": lambda v: -0.5 * v["shift"] ** 2,
    "aside": lambda v: sum(stats.norm(v["shift"]).logpdf(y) for y in (0.5, -0.5)),
}


@pytest.mark.parametrize("names", [None, *TERMS, ("mean", "scale")], ids=str)
def test_log_prior_is_scipy_s(built, names):
    values = draws()
    chosen = TERMS if names is None else (names,) if isinstance(names, str) else names
    wanted = sum(TERMS[name](values) for name in chosen)
    # pytensor takes the settings of a prior as float32 where these are exact, and their logs too.
    np.testing.assert_allclose(LogPrior(built, names)(values), wanted, rtol=1e-7, atol=1e-7)


def test_rows_are_no_part_of_the_prior(built):
    with pytest.raises(ValueError, match=r"prior_var_names must name parts.*correct \['y'\]"):
        LogPrior(built, "y")


@pytest.mark.parametrize("power", [0.0, 0.3, 3.0])
def test_powered_prior_has_its_closed_form(powered, power):
    """A Gaussian prior to a power is one with a larger precision."""
    y = np.array([0.5, -0.2, 0.1, 0.9])
    weights = np.array([1.0, 0.5, 2.0, 0.0])
    fit = powered.at(power).fit({"y": y}, weights, draws=2000, chains=2, seeds=lambda a: 11 + a)
    precision = weights.sum() + power / 0.5**2
    mean = (weights @ y + power * 2.0 / 0.5**2) / precision
    mu = fit.parameters["mu"]
    ess = float(fit.figures.ess_bulk)
    # 4 standard errors of a mean, and of an sd of as many effective draws: 0.006 % and, with the
    # effective size itself estimated, 0.1 % false alarms.
    assert abs(mu.mean() - mean) < 4 * precision**-0.5 / np.sqrt(ess)
    assert abs(np.log(mu.std() * precision**0.5)) < 5 / np.sqrt(2 * ess)


@pytest.fixture(scope="module")
def powered():
    """Sampler of a Gaussian mean, compiled once."""
    estimator = gaussian_mean.estimator(prior_mean=2.0, prior_sd=0.5)
    return PoweredPriorSampler(estimator.row_model, ("mu",))


def test_priors_are_refitted_by_nuts():
    """A twentieth of the power of the prior, whose closed form is known."""
    experiment = bc.Experiment(
        gaussian_mean.estimator(sd=20.0, prior_mean=2.0, prior_sd=0.5),
        bc.Truth(mu=0.0),
        bc.schemes.pooled(),
        n_real=10,
        generations=1,
        replicates=2,
        keep_rows="all",
    )
    run = experiment.run(progress=False)
    cells = bc.sensitivity(
        experiment,
        run,
        kinds="prior",
        powers=(0.05,),
        refit="always",
        average=False,
        progress=False,
    )
    assert cells["refitted"].all()
    assert not cells["failed"].any()
    prior, rows = 1 / 0.5**2, 10 / 400
    ratio = np.log((rows + prior) / (rows + 0.05 * prior)) / 2
    # NUTS with 2 x 500 draws: 5 standard errors of a log sd of 300 effective draws.
    np.testing.assert_allclose(cells["log_sd_ratio"], ratio, atol=5 / np.sqrt(2 * 300))


def test_only_unreliable_weights_are_refitted(monkeypatch):
    """With draws of the closed form in place of NUTS."""
    fits = []

    def fit(rows, weights, *, draws, chains, seeds):
        fits.append(rows)
        precision = weights.sum() + POWER * 4.0
        mean = (weights @ rows["y"] + POWER * 4.0 * 2.0) / precision
        mu = mean + np.random.default_rng(seeds(0)).normal(size=(chains, draws)) * precision**-0.5
        return SimpleNamespace(parameters={"mu": mu}, figures=SimpleNamespace(passed=True))

    sampler = SimpleNamespace(at=lambda power: SimpleNamespace(fit=fit))
    monkeypatch.setattr(Scaling, "_sampler", sampler)
    experiment = bc.Experiment(
        gaussian_mean.estimator(prior_mean=2.0, prior_sd=0.5),
        bc.Truth(mu=0.0),
        bc.schemes.pooled(),
        n_real=10,
        generations=1,
        replicates=12,
        keep_rows="all",
    )
    run = experiment.run(progress=False)
    cells = bc.sensitivity(
        experiment, run, kinds="prior", powers=POWER, average=False, progress=False
    ).squeeze()
    again = cells["refitted"].to_numpy()
    assert 0 < len(fits) < 12
    assert len(fits) == again.sum()
    assert cells["mean_shift"].notnull().all()
    for r in np.flatnonzero(again):
        y = bc.cell(run, scheme="pooled", replicate=r, generation=0)["observed_data"]["y"]
        means = [(y.sum() + p * 8.0) / (10 + p * 4.0) for p in (1, POWER)]
        shift = (means[1] - means[0]).item() * 14**0.5
        # 1,000 draws: five errors of a mean whose sd is 1.2 of the first.
        assert cells["mean_shift"].to_numpy()[r] == pytest.approx(shift, abs=5 * 1.2 / 1000**0.5)


@pytest.mark.verification
def test_sampled_runs_are_reweighed_from_what_they_kept():
    """NUTS cells: from the run where rows were kept, replayed elsewhere, both near closed forms."""
    experiment = bc.Experiment(
        gaussian_mean.estimator(prior_mean=1.0, prior_sd=0.3),
        bc.Truth(mu=0.0),
        bc.schemes.weighted(real_share=0.4),
        n_real=20,
        n_synthetic=30,
        generations=2,
        replicates=2,
        method="nuts",
        keep_draws=1000,
        keep_rows="first",
    )
    run = experiment.run(progress=False)
    weighed = bc.sensitivity(experiment, run, average=False, progress=False)
    again = bc.sensitivity(experiment, run, refit="always", average=False, progress=False)
    tree = bc.cell(run, scheme="weighted", replicate=0, generation=1)
    weights, real = (tree["constant_data"][n].to_numpy() for n in ("weights", "real"))
    y = tree["observed_data"]["y"].to_numpy()
    scale = {"prior": (0.0, 0.0, 1.0), "real": (1.0, 0.0, 0.0), "synthetic": (0.0, 1.0, 0.0)}
    for kind, (a, b, c) in scale.items():
        for power in (0.8, 1.25):
            w = weights * np.where(real, power**a, power**b)
            precisions = [(weights, 1 / 0.09), (w, power**c / 0.09)]
            (mean, sd), (moved, wide) = (
                ((v @ y + p) / (v.sum() + p), (v.sum() + p) ** -0.5) for v, p in precisions
            )
            for cells, close in ((weighed, 0.1), (again, 0.35)):
                cell = cells.sel(
                    component=kind, power=power, replicate=0, generation=1, parameter="mu"
                ).squeeze()
                # Weights of 1,000 draws, and differences of two fits of 300 effective draws each.
                assert abs(cell["mean_shift"].item() - (moved - mean) / sd) < close
                assert abs(cell["log_sd_ratio"].item() - np.log(wide / sd)) < close
    replayed = weighed.sel(replicate=1)
    assert replayed["distance"].notnull().all()
    stable = bc.stability(experiment, run, progress=False)
    assert (stable["noise"] > 0).all()
    out = bc.ablation(experiment, run, what="generation", average=False, progress=False)
    late = out.sel(generation=1, left_out=0)
    assert late["distance"].notnull().all()
    assert xr.DataTree(stable)["amplification"].shape == (1, 2, 1)
