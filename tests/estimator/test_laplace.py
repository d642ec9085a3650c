"""Laplace posteriors: kernels against other methods, back ends against each other, fits against
exact posteriors and NUTS."""

import importlib.util

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from scipy import stats
from scipy.optimize import approx_fprime

import bayescollapse as bc
from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.estimator.laplace import LaplaceEngine
from bayescollapse.estimator.laplace.importance import pareto_smooth
from bayescollapse.estimator.laplace.jax_backend import JaxBackend, padded_length
from bayescollapse.estimator.laplace.newton import newton
from bayescollapse.estimator.laplace.numpy_backend import NumpyBackend
from bayescollapse.estimator.laplace.target import Target
from bayescollapse.models import gaussian, gaussian_mean, linear_regression, logistic_regression
from bayescollapse.sources import NormalCovariates

RNG = np.random.default_rng(11)

# Comparisons of estimates with their Monte Carlo standard errors: about 30 in this file at |z| > 4,
# false alarm below 30 * 6.3e-5 = 0.2 %.
TOLERANCE = 4.0


def condition(engine, rows, weights, draws=500, seed=3):
    """Fit a block of rows (replicate, obs, …) with weights (replicate, obs)."""
    group = Group((rows,), None, weights.shape[1], True, (0,))
    return engine.condition([group], [weights], FitSettings(draws, 2, None, lambda a: seed + a))


def logistic_block(cells, count, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(cells, count, 2))
    y = (rng.random((cells, count)) < 1 / (1 + np.exp(-x @ [1.0, -1.0]))).astype(int)
    return {"y": y, "x": x}


@pytest.mark.parametrize("draws", [100, 1000])
def test_pareto_smoothing_is_that_of_arviz(draws):
    ratios = np.stack(
        [
            RNG.normal(size=draws) * 0.1,
            RNG.normal(size=draws) * 2,
            RNG.standard_t(3, draws) * 3,
            -RNG.gamma(0.5, size=draws),
        ]
    )
    weights, k = pareto_smooth(ratios)
    for cell, (ratio, weight) in enumerate(zip(ratios, weights, strict=True)):
        expected, shape = array_stats.psislw(-ratio)
        np.testing.assert_allclose(k[cell], shape, rtol=1e-9)
        np.testing.assert_allclose(np.log(weight), expected, rtol=0, atol=1e-9)


def test_equal_and_useless_ratios():
    one_counts = np.r_[0.0, np.full(99, -2000.0)]
    useless = np.full(100, -np.inf), np.r_[np.nan, np.zeros(99)]
    weights, k = pareto_smooth(np.stack([np.full(100, 3.0), *useless, one_counts]))
    assert k.tolist() == [0.0, np.inf, np.inf, np.inf]
    np.testing.assert_allclose(weights[:3], 0.01)
    np.testing.assert_allclose(weights[3], np.exp(one_counts))


def test_newton_climbs_from_where_the_curvature_is_wrong():
    """log density -(x^2 - 1)^2 - y^2 has a saddle's curvature near x = 0, and its modes at +-1."""

    def curvature(points):
        x, y = points.T
        value = -((x**2 - 1) ** 2) - y**2
        gradient = np.stack([-4 * x * (x**2 - 1), -2 * y], axis=1)
        hessian = np.zeros((len(points), 2, 2))
        hessian[:, 0, 0], hessian[:, 1, 1] = -(12 * x**2 - 4), -2
        return value, gradient, hessian

    modes = newton(curvature, np.array([[0.1, 3.0], [-0.05, -1.0], [5.0, 0.0]]))
    assert modes.found.all()
    np.testing.assert_allclose(modes.point, [[1, 0], [-1, 0], [1, 0]], atol=1e-6)
    np.testing.assert_allclose(
        modes.precision, np.broadcast_to(np.diag([8.0, 2.0]), (3, 2, 2)), rtol=1e-5
    )


def test_newton_says_where_it_found_no_mode():
    """A density that climbs for ever, linearly and towards a limit."""

    def curvature(points):
        x = points[:, 0]
        value = np.array([x[0], -np.exp(-x[1])])
        gradient = np.array([1.0, np.exp(-x[1])])[:, None]
        return value, gradient, np.array([0.0, -np.exp(-x[1])])[:, None, None]

    assert newton(curvature, np.zeros((2, 1))).found.tolist() == [False, False]


MODELS = {
    "logistic": lambda: logistic_regression.estimator(features=2, prior_sd=1.0),
    "gaussian": lambda: gaussian.estimator(prior=gaussian.NormalInverseGamma(1.0, 2.0, 3.0, 2.0)),
}


def difference(bound, point, order):
    """Numerical derivative of the value (order 0) or of the gradient (order 1)."""
    return approx_fprime(point, lambda u: np.atleast_1d(bound.curvature(u[None])[order][0]), 1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_back_ends_agree_with_each_other_and_with_differences(name):
    target = Target(MODELS[name]().row_model)
    rows = logistic_block(3, 21) if name == "logistic" else {"y": RNG.normal(size=(3, 21))}
    weights = RNG.uniform(0.1, 1.7, size=(3, 21))
    points = target.start + RNG.normal(size=(3, 2)) * 0.4
    one, two = (kind(target).bind(rows, weights) for kind in (NumpyBackend, JaxBackend))
    for a, b in zip(one.curvature(points), two.curvature(points), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    value, gradient, hessian = one.curvature(points)
    for r in range(3):
        alone = one.only(np.array([r]))
        check = {"rtol": 1e-4, "atol": 1e-4}
        np.testing.assert_allclose(gradient[r], difference(alone, points[r], 0), **check)
        np.testing.assert_allclose(hessian[r], difference(alone, points[r], 1), **check)
    many = points[:, None] + RNG.normal(size=(3, 60, 2)) * 0.3
    np.testing.assert_allclose(one.values(many), two.values(many), rtol=1e-10)
    np.testing.assert_allclose(one.values(points[:, None])[:, 0], value, rtol=1e-12)


@pytest.mark.parametrize("rows", [1, 16, 17, 100, 1000, 12345])
def test_padding_wastes_little(rows):
    assert rows <= padded_length(rows) <= max(16, 1.2 * rows + 8)


def test_back_ends_give_the_same_posteriors():
    built = MODELS["logistic"]().row_model
    rows, weights = logistic_block(4, 40), np.full((4, 40), 0.8)
    one, two = (condition(LaplaceEngine(built, backend=b), rows, weights) for b in ("numpy", "jax"))
    np.testing.assert_allclose(one.pooled, two.pooled, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(one.weights, two.weights, rtol=1e-6)
    np.testing.assert_allclose(one.figures["pareto_k"], two.figures["pareto_k"], atol=1e-6)


def test_without_jax_numpy_takes_its_place(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert LaplaceEngine(MODELS["logistic"]().row_model).backend == "numpy"


@pytest.mark.parametrize(
    "estimator",
    [
        gaussian_mean.estimator(sd=1.5, prior_mean=1.0, prior_sd=0.3),
        linear_regression.estimator(features=2, noise_sd=1.5, prior_sd=0.5),
    ],
    ids=["mean", "regression"],
)
def test_a_gaussian_posterior_is_exact(estimator):
    """The approximation is the posterior: all ratios are equal, and Pareto k is 0."""
    rows = {v.name: RNG.normal(size=(3, 15, *v.shape)) for v in estimator.schema.variables}
    weights = RNG.uniform(0.1, 1.7, size=(3, 15))
    fit = condition(estimator.engine("laplace"), rows, weights)
    exact = estimator.exact.summary(estimator.exact.suffstats(rows, weights), ())
    assert (fit.figures["pareto_k"] == 0).all()
    found = fit.summary(())
    np.testing.assert_allclose(found[:, 0], exact[:, 0], atol=1e-6)
    np.testing.assert_allclose(found[:, 1] / exact[:, 1], 1, atol=TOLERANCE / np.sqrt(2 * 500))


def test_importance_corrects_a_skewed_posterior():
    """A Gaussian of 40 rows: corrected draws have the exact moments, the approximation has not."""
    estimator = MODELS["gaussian"]()
    rows = {"y": RNG.normal(size=(16, 40))}
    weights = RNG.uniform(0.5, 1.5, size=(16, 40))
    exact = estimator.exact.summary(estimator.exact.suffstats(rows, weights), (0.1, 0.9))
    fit = condition(estimator.engine("laplace"), rows, weights, draws=1000)
    refitted = fit.figures["refitted"]
    assert refitted.mean() < 0.3
    size = np.where(refitted, fit.figures["ess_tail"], fit.figures["ess_importance"])[:, None]
    found = fit.summary((0.1, 0.9))
    # Sixteen independent cells: the mean of their errors is tested, in standard errors.
    z = (found[:, 0] - exact[:, 0]) / exact[:, 1] * np.sqrt(size)
    assert (np.abs(z.mean(axis=0)) < TOLERANCE / np.sqrt(16)).all()
    ratio = np.log(found[:, 1] / exact[:, 1]) * np.sqrt(size)
    assert (np.abs(ratio.mean(axis=0)) < TOLERANCE / np.sqrt(16)).all()
    for level, column in ((0.1, 2), (0.9, 3)):
        below = ((fit.pooled <= exact[:, None, column]) * fit.weights[..., None]).sum(axis=1)
        error = (below - level) / np.sqrt(level * (1 - level) / size)
        assert (np.abs(error.mean(axis=0)) < TOLERANCE / np.sqrt(16)).all()
    plain = condition(LaplaceEngine(estimator.row_model, check=0.1), rows, weights, draws=1000)
    bias = (plain.summary(())[:, 0, 1] - exact[:, 0, 1]) / exact[:, 1, 1] * np.sqrt(2000)
    assert abs(bias.mean()) > TOLERANCE / np.sqrt(16)
    assert np.isfinite(plain.figures["pareto_k"]).sum() == 2


def test_laplace_agrees_with_nuts(logistic, logistic_rows):
    weights = np.random.default_rng(2).uniform(0.1, 1.7, size=200)
    laplace = logistic.fit(logistic_rows, weights, method="laplace", draws=5000, seed=4)
    nuts = logistic.fit(logistic_rows, weights, method="nuts", draws=5000, seed=4)
    assert bool(nuts["sample_stats"]["passed"])
    a, b = (tree["posterior"]["beta"].to_numpy().reshape(-1, 2) for tree in (laplace, nuts))
    sizes = [
        float(laplace["sample_stats"]["ess_importance"]),
        float(nuts["sample_stats"]["ess_bulk"]),
    ]
    spread = np.sqrt(1 / sizes[0] + 1 / sizes[1])
    assert (np.abs(a.mean(0) - b.mean(0)) < TOLERANCE * b.std(0) * spread).all()
    tails = np.sqrt(0.5 / sizes[0] + 0.5 / float(nuts["sample_stats"]["ess_tail"]))
    assert (np.abs(np.log(a.std(0) / b.std(0))) < TOLERANCE * tails).all()


def test_zero_weight_removes_a_row():
    engine = MODELS["logistic"]().engine("laplace")
    rows, weights = logistic_block(2, 40), np.ones((2, 40))
    weights[:, 25:] = 0
    short = {name: value[:, :25] for name, value in rows.items()}
    some = condition(engine, rows, weights)
    all_of = condition(engine, short, np.ones((2, 25)))
    np.testing.assert_allclose(some.pooled, all_of.pooled, rtol=1e-6)


def heavy_model():
    with pm.Model() as model:
        centre = pm.StudentT("centre", nu=1, mu=0, sigma=5)
        pm.StudentT("y", nu=1, mu=centre, sigma=1, observed=np.zeros(3))
    return model


def test_a_large_pareto_k_is_refitted_by_nuts():
    """Two Cauchy rows make two modes, and the Gaussian at one of them hardly reaches the other."""
    engine = bc.Estimator(heavy_model()).engine("laplace")
    rows = np.array([[-2.0, 3.0], [-1.5, 2.5]])
    fit = condition(engine, {"y": rows}, np.full((2, 2), 0.75), draws=2000)
    assert (fit.figures["pareto_k"] > 0.7).all()
    assert fit.figures["refitted"].all()
    assert (fit.figures["attempts"] >= 2).all()
    grid = np.linspace(-400, 400, 800_001)
    for r in range(2):
        log_density = stats.cauchy.logpdf(grid, 0, 5)
        log_density = log_density + 0.75 * sum(stats.cauchy.logpdf(y, grid, 1) for y in rows[r])
        mass = np.exp(log_density - log_density.max())
        mass /= mass.sum()
        middle = grid[np.searchsorted(mass.cumsum(), 0.9)]
        below = (fit.pooled[r] <= middle).mean()
        assert abs(below - 0.9) < TOLERANCE * np.sqrt(0.09 / fit.figures["ess_tail"][r])


def test_draws_follow_their_weights():
    fit = condition(MODELS["logistic"]().engine("laplace"), logistic_block(2, 30), np.ones((2, 30)))
    skewed = fit.weights.copy()
    skewed[0] = np.linspace(0, 2, 1000) / 1000
    fit = type(fit)(fit.schema, fit.pooled, skewed, fit.figures)
    drawn = fit.draws(40_000, np.random.default_rng(1))["beta"]
    error = (drawn.mean(axis=1) - fit.point()["beta"]) / (drawn.std(axis=1) / 200)
    assert np.abs(error).max() < TOLERANCE
    equal = type(fit)(fit.schema, fit.pooled, np.full((2, 1000), 1e-3), fit.figures)
    kept = equal.keep(1000, 2, np.random.default_rng(1))["beta"]
    assert kept.shape == (2, 2, 500, 2)
    np.testing.assert_allclose(
        np.sort(kept.reshape(2, 1000, 2), axis=1), np.sort(fit.pooled, axis=1)
    )


@pytest.fixture(scope="module")
def experiment():
    def make(method="laplace", replicates=3, generations=3, **settings):
        return bc.Experiment(
            logistic_regression.estimator(features=2, prior_sd=1.0),
            bc.Truth(beta=[1.0, -1.0], covariates=NormalCovariates(2)),
            {"replace": bc.schemes.replace(), "half": bc.schemes.weighted(0.5)},
            n_real=30,
            generations=generations,
            replicates=replicates,
            method=method,
            draws=50,
            keep_draws=4,
            seed=2,
            **settings,
        )

    return make


def test_an_experiment_records_pareto_k(experiment):
    run = experiment().run(progress=False)
    gate = bc.diagnose(run)
    assert gate["checked"].values.tolist() == [[3] * 3] * 2
    assert run.attrs["laplace_backend"] == "jax"
    assert run.attrs["refitted_fits"] == int(gate["refitted"].sum())
    some = experiment("laplace(check=0.05)", replicates=128, generations=1).run(progress=False)
    assert bc.diagnose(some)["checked"].values.tolist() == [[6], [6]]
    assert some.attrs["method"] == "laplace(check=0.05)"


def test_same_bits_when_stored_resumed_and_extended(experiment, tmp_path):
    whole = experiment(generations=3).run(progress=False)
    experiment(generations=2, replicates=2).run(tmp_path / "store", progress=False)
    stored = experiment(generations=3).run(tmp_path / "store", executor=2, progress=False)
    for group in ("summary", "posterior"):
        np.testing.assert_array_equal(whole[group]["beta"], stored[group]["beta"])
    for name in ("refitted_fits", "laplace_backend"):
        assert stored.attrs[name] == whole.attrs[name]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "laplace(check=0)"}, r"check must lie in \(0, 1\], got 0"),
        ({"method": "laplace(check=2)"}, r"check must lie in \(0, 1\], got 2"),
        ({"method": "laplace()"}, "method must be one of"),
        ({"method": "laplace", "draws": 10, "chains": 2}, "at least 50 draws a fit"),
    ],
)
def test_refusals(logistic, logistic_rows, settings, message):
    with pytest.raises(ValueError, match=message):
        logistic.fit(logistic_rows, **settings)


def test_unknown_back_end_and_discrete_parameters(logistic):
    with pytest.raises(ValueError, match="backend must be 'jax' or 'numpy', got 'torch'"):
        LaplaceEngine(logistic.row_model, backend="torch")
    with pm.Model() as labels:
        label = pm.Bernoulli("label", 0.5)
        pm.Normal("y", label, 1, observed=np.zeros(3))
    with pytest.raises(ValueError, match=r"\['label'\] are discrete"):
        bc.Estimator(labels).fit(xr.Dataset({"y": ("obs", np.zeros(3))}), method="laplace")
