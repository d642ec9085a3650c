"""The declared approximations: ADVI, modes, and local variables."""

from functools import partial

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy.stats import poisson

import bayescollapse as bc
from bayescollapse.estimator.engine import FIGURES
from bayescollapse.models import gaussian_mean, linear_regression

ROWS = 200


def counts(rows=None, *, integrated=False):
    """Poisson counts with normal log rates, the rates local."""
    with pm.Model() as model:
        x = pm.Data("x", np.zeros(3), dims="obs")
        y = pm.Data("y_rows", np.array([0, 1, 2]), dims="obs")
        level = pm.Normal("level", 0.0, 2.0)
        slope = pm.Normal("slope", 0.0, 2.0)
        spread = pm.HalfNormal("spread", 1.0)
        z = pm.Normal("z", level + slope * x, spread, dims="obs")
        pm.Poisson("y", pm.math.exp(z), observed=y, dims="obs")
    return model


@pytest.fixture(scope="module")
def local():
    return bc.Estimator(counts(), local="z")


@pytest.fixture(scope="module")
def local_rows():
    rng = np.random.default_rng(3)
    x = rng.normal(size=ROWS)
    y = rng.poisson(np.exp(rng.normal(0.5 + 0.8 * x, 0.6)))
    return xr.Dataset({"x": ("obs", x), "y": ("obs", y)})


@pytest.fixture(scope="module")
def local_fit(local, local_rows):
    return local.fit(local_rows, draws=200, seed=1)


@pytest.fixture(scope="module")
def regression():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 2))
    x[:, 1] += x[:, 0]
    rows = xr.Dataset(
        {
            "x": (("obs", "feature"), x),
            "y": ("obs", x @ [1.0, -1.0] + rng.normal(size=80)),
        }
    )
    return linear_regression.estimator(features=2, noise_sd=1.0, prior_sd=5.0), rows


def quadrature(theta, rows):
    """Log-likelihood of the counts with the rates integrated out, for (level, slope, spread)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    level, slope, spread = theta
    rate = np.exp(level + slope * rows["x"].to_numpy()[:, None] + spread * nodes)
    return np.log(poisson.pmf(rows["y"].to_numpy()[:, None], rate) @ (weights / weights.sum()))


def moments(fit, name):
    draws = fit["posterior"][name]
    return draws.mean(("chain", "draw")).values, draws.std(("chain", "draw")).values


def test_a_normal_mean_is_exact():
    """One parameter: mean field is no restriction. 4,000 draws; 5 MCSE, one in a million."""
    estimator = gaussian_mean.estimator(prior_sd=10.0)
    y = np.random.default_rng(0).normal(3, 1, 50)
    fit = estimator.fit(xr.Dataset({"y": ("obs", y)}), method="advi", draws=2000, seed=1)
    precision = 50 + 0.01
    mean, sd = moments(fit, "mu")
    assert abs(mean - y.sum() / precision) < 5 / np.sqrt(precision * 4000) + 0.002
    assert sd == pytest.approx(precision**-0.5, rel=5 / np.sqrt(2 * 4000))
    assert bool(fit["sample_stats"]["passed"])


@pytest.mark.parametrize("weighted", [False, True])
def test_a_regression_has_exact_means_and_conditional_sds(regression, weighted):
    """A normal posterior: the optimum is (mean, 1 / sqrt(precision_jj)). 4,000 draws, 5 MCSE."""
    estimator, rows = regression
    x, y = rows["x"].to_numpy(), rows["y"].to_numpy()
    weights = np.random.default_rng(2).uniform(0, 2, 80) if weighted else np.ones(80)
    weights[:10] = 0 if weighted else 1
    fit = estimator.fit(rows, weights, method="advi", draws=2000, seed=3)
    precision = (x.T * weights) @ x + np.eye(2) / 25
    mean, sd = moments(fit, "beta")
    exact = np.linalg.solve(precision, (x.T * weights) @ y)
    field = np.diag(precision) ** -0.5
    np.testing.assert_allclose(sd, field, rtol=5 / np.sqrt(2 * 4000))
    # Stochastic gradients leave a few hundredths of an sd beside the Monte Carlo error.
    assert (np.abs(mean - exact) < (5 / np.sqrt(4000) + 0.05) * field).all()


def test_a_mode_is_the_mode_on_the_own_scale():
    """The mode of an exponential rate's HalfNormal prior and n rows solves a quadratic."""
    with pm.Model() as model:
        rate = pm.HalfNormal("rate", 2.0)
        pm.Exponential("y", rate, observed=np.ones(4))
    y = np.random.default_rng(1).exponential(size=30)
    fit = bc.Estimator(model).fit(xr.Dataset({"y": ("obs", y)}), method="map", draws=5, seed=1)
    # d/dr [n log r - r sum(y) - r^2 / 8] = 0
    mode = 4 * (-y.sum() + np.sqrt(y.sum() ** 2 + 30)) / 2
    draws = fit["posterior"]["rate"].values
    assert draws.shape == (2, 5)
    np.testing.assert_allclose(draws, mode, rtol=1e-5)
    assert bool(fit["sample_stats"]["passed"])


@pytest.mark.parametrize("method", ["advi", "map"])
def test_same_seed_same_bits_and_all_figures(regression, method):
    estimator, rows = regression
    one, two = (estimator.fit(rows, method=method, draws=20, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one["posterior"]["beta"], two["posterior"]["beta"])
    assert set(FIGURES) | {"iterations"} <= set(one["sample_stats"].data_vars)
    assert one["sample_stats"].attrs["method"] == method


def test_local_variables_are_no_parameters(local):
    assert [p.name for p in local.schema.parameters] == ["level", "slope", "spread"]
    assert local.resolve("auto") == "advi"


def test_globals_are_near_the_integrated_model(local_fit, local_rows):
    """Against the posterior on a grid: means within 1.5 of its sds (mean field is biased)."""
    from scipy.optimize import minimize

    def loss(theta):
        spread = np.exp(theta[2])
        prior = -(theta[0] ** 2 + theta[1] ** 2) / 8 - spread**2 / 2 + theta[2]
        return -quadrature((theta[0], theta[1], spread), local_rows).sum() - prior

    found = minimize(loss, [0.5, 0.5, -0.5])
    sd = np.sqrt(np.diag(found.hess_inv))
    advi = [float(moments(local_fit, name)[0]) for name in ("level", "slope")]
    advi.append(float(np.log(moments(local_fit, "spread")[0])))
    assert (np.abs(advi - found.x) < 1.5 * sd).all()


def test_weight_two_is_the_row_twice(local, local_rows):
    """Two optimisations of the same bound: the same means within a fraction of the sds."""
    weighted = local.fit(local_rows, np.full(ROWS, 2.0), draws=200, seed=1)
    twice = local.fit(xr.concat([local_rows, local_rows], "obs"), draws=200, seed=2)
    for name in ("level", "slope", "spread"):
        (a, sd), (b, _) = moments(weighted, name), moments(twice, name)
        assert abs(a - b) < (5 * np.sqrt(2 / 400) + 0.4) * sd


def test_weight_zero_removes_a_row(local, local_rows):
    weights = np.r_[np.zeros(50), np.ones(ROWS - 50)]
    rest = local_rows.isel(obs=slice(50, None))
    one = local.fit(local_rows, weights, draws=5, seed=4)
    two = local.fit(rest, draws=5, seed=4)
    np.testing.assert_array_equal(one["posterior"]["level"], two["posterior"]["level"])


def test_emitted_rows_have_fresh_local_variables(local, local_fit):
    """Counts at one covariate value vary more than Poisson: var = mean + mean^2 (e^s2 - 1)."""
    x = xr.Dataset({"x": ("obs", np.zeros(4000))})
    y = local.emit(local_fit, 4000, covariates=x, seed=1, emission="plug-in")["y"].values
    level, spread = (float(moments(local_fit, n)[0]) for n in ("level", "spread"))
    mean = np.exp(level + spread**2 / 2)
    var = mean + mean**2 * (np.exp(spread**2) - 1)
    assert y.mean() == pytest.approx(mean, abs=5 * np.sqrt(var / 4000))
    assert y.var() > 1.2 * mean
    few = local.emit(local_fit, 50, covariates=x.isel(obs=slice(50)), seed=1, emission="predictive")
    assert len(np.unique(few["y"])) > 2


def test_local_variables_are_integrated_out_of_densities(local, local_fit, local_rows):
    theta = {n: local_fit["posterior"][n].values[:, :40] for n in ("level", "slope", "spread")}
    theta = {name: value[:1] for name, value in theta.items()}
    values = local.schema.values(local_rows)
    density = local.engine().log_density(theta, values)[0]
    exact = np.stack([quadrature([t[0, d] for t in theta.values()], local_rows) for d in range(40)])
    # 5 importance draws a cell, 8,000 cells: the error of the mean is below 0.005, the bias
    # negative and, with proposals fitted row by row, below 0.05 nats.
    assert -0.05 < (density - exact).mean() < 0.005


def other(name):
    with pm.Model(coords={"obs": range(3), "group": range(3)}) as model:
        if name == "unnamed":
            z = pm.Normal("z", 0, 1, shape=3)
        elif name == "walk":
            z = pm.GaussianRandomWalk("z", 0, 1, init_dist=pm.Normal.dist(), dims="obs")
        else:
            z = pm.Normal("z", 0, 1, dims="obs")
        mu = pm.Normal("mu", 0, 1)
        pm.Normal(
            "y",
            mu + (z - z.mean() if name == "centred" else z),
            1.0,
            observed=np.arange(3.0),
            dims="obs",
        )
    return model


@pytest.mark.parametrize(
    ("model", "local", "message"),
    [
        (partial(other, "plain"), (), "local="),
        (partial(other, "plain"), ("nothing",), "nothing"),
        (partial(other, "plain"), ("z", "mu"), "all free variables"),
        (partial(other, "unnamed"), ("z",), "works for 3 rows|does not count the rows"),
        (partial(other, "walk"), ("z",), "row"),
        (partial(other, "centred"), ("z",), "other rows"),
    ],
)
def test_refusals(model, local, message):
    estimator = bc.Estimator(model(), local=local)
    with pytest.raises(ValueError, match=message):
        _ = estimator.row_model


@pytest.mark.parametrize("method", ["nuts", "map", "laplace"])
def test_other_methods_refuse_local_variables(local, method):
    with pytest.raises(ValueError, match="advi"):
        local.resolve(method)


def test_a_run_says_that_it_is_approximate(regression):
    estimator, rows = regression
    source = bc.Truth(beta=[1.0, -1.0], covariates=rows[["x"]])
    experiment = bc.Experiment(
        estimator,
        source,
        bc.schemes.replace(),
        n_real=80,
        generations=2,
        replicates=2,
        method="advi",
        draws=50,
        keep_draws=10,
        held_out=rows,
    )
    run = experiment.run(progress=False)
    assert run.attrs["method"] == "advi"
    assert {"elbo", "iterations"} <= set(run["sample_stats"].data_vars)
    assert int(bc.diagnose(run)["failed"].sum()) == 0
