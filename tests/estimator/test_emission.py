"""Emissions as values: labels, refusals, and engines that honour what they are asked for."""

import pickle

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.estimator.direct import DirectEngine
from bayescollapse.estimator.emission import Emission, estimate, parse_emission
from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.estimator.hooks import check_emission, emit_rows
from bayescollapse.estimator.laplace import LaplaceFit
from bayescollapse.estimator.points import Point, mean_of_draws, parse_point
from bayescollapse.estimator.variational import ApproximateFit
from bayescollapse.models import (
    categorical,
    empirical,
    gaussian,
    gaussian_mean,
    kernel_density,
    multivariate_normal,
    ngram,
    poisson,
)

EMISSIONS = [
    Emission("plug-in"),
    Emission("joint"),
    Emission("predictive", temperature=0.1),
    Emission("ensemble", 5),
    Emission("ensemble", 5, temperature=1e-07, sampling_bias=0.3),
    Emission("plug-in", point="map", sampling_bias=0.5),
    Emission("plug-in", point=Point("mean", of={"tau": "square", "sigma": "log"})),
    Emission("plug-in", point=Point("marginal map", of={"p": "logit"}), temperature=2),
]


@pytest.mark.parametrize("emission", EMISSIONS, ids=lambda e: e.label)
def test_a_label_holds_everything(emission):
    assert parse_emission(emission.label) == emission
    assert hash(parse_emission(emission.label)) == hash(emission)
    assert eval(repr(emission)) == emission
    assert pickle.loads(pickle.dumps(emission)) == emission
    scheme = bc.Scheme(emission=emission)
    assert bc.Scheme.from_dict(scheme.to_dict()).emission == emission


def test_equal_emissions_are_equal():
    assert parse_emission("plug-in(mean)") == parse_emission("plug-in") == Emission("plug-in")
    assert parse_emission("joint(temperature=1)").label == "joint"
    one = Point("mean", of={"a": "log", "b": "sqrt"})
    assert one == Point("mean", of=(("b", "sqrt"), ("a", "log")))
    assert Emission("joint", temperature=2) == Emission("joint", temperature=2.0)


@pytest.mark.parametrize(
    "label",
    ["", "posterior", "ensemble", "ensemble(0)", "ensemble(2.5)", "joint(3)", "joint(map)",
     "plug-in()", "joint(heat=2)", "plug-in(map, mle)", "joint(temperature=1, temperature=2)",
     "predictive(5)", 3, None],
)  # fmt: skip
def test_unknown_labels_are_refused(label):
    with pytest.raises(ValueError, match="emission must be 'plug-in', .* got"):
        parse_emission(label)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "mode"}, "kind must be one of"),
        ({"kind": "ensemble"}, "members must be given"),
        ({"kind": "joint", "members": 2}, "members must be given"),
        ({"kind": "joint", "point": "map"}, "belongs to kind='plug-in'"),
        ({"kind": "plug-in", "point": "median"}, "point must be one of .* 'median'"),
        ({"kind": "plug-in", "point": "mean of cube s"}, "of must map .* 'cube' for 's'"),
        ({"kind": "plug-in", "point": "mle of log s"}, "takes no transformation"),
        ({"kind": "joint", "temperature": 0}, "temperature must be a positive"),
        ({"kind": "joint", "temperature": np.nan}, "temperature must be a positive"),
        ({"kind": "joint", "sampling_bias": 1.5}, r"sampling_bias must lie in \(0, 1\]"),
        ({"kind": "joint", "sampling_bias": 0.0}, "sampling_bias must be a positive"),
    ],
)
def test_values_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Emission(**settings)


def test_a_number_in_a_label_must_be_one():
    with pytest.raises(ValueError, match="temperature must be a number, got 'hot'"):
        parse_emission("joint(temperature=hot)")


REFUSED = {
    "Poisson counts": (poisson.estimator, "joint(temperature=2)"),
    "cannot narrow the rows of CategoricalSampler": (
        lambda: categorical.estimator(categories=3),
        "joint(sampling_bias=0.5)",
    ),
    "transforms 'sigma' by 'logit'": (gaussian.estimator, "plug-in(mean of logit sigma)"),
    "names 'tau', but the free variables are": (gaussian.estimator, "plug-in(map of log tau)"),
    "takes it on its own scale only": (gaussian_mean.estimator, "plug-in(mean of log mu)"),
    "marginal map.* is not defined for Cat": (
        lambda: categorical.estimator(categories=3),
        "plug-in(marginal map)",
    ),
    "transforms 'covariance'": (
        lambda: multivariate_normal.estimator(dim=2),
        "plug-in(mean of log covariance)",
    ),
    "EmpiricalEngine, which emits": (empirical.estimator, "joint(temperature=0.5)"),
    "KernelDensityEngine, which emits": (kernel_density.estimator, "plug-in(map)"),
    "a temperature needs 'plug-in'": (
        lambda: ngram.estimator(vocabulary=3, length=2),
        "joint(temperature=0.5)",
    ),
    "NgramEngine, which emits": (
        lambda: ngram.estimator(vocabulary=3, length=2),
        "plug-in(mle, temperature=0.5)",
    ),
    "tokens have no": (
        lambda: ngram.estimator(vocabulary=3, length=2),
        "plug-in(sampling_bias=0.5)",
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_an_engine_does_not_honour_is_refused(message):
    make, label = REFUSED[message]
    engine = make().engine()
    with pytest.raises(ValueError, match=message):
        check_emission(engine, parse_emission(label))
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=message):
        emit_rows(engine, None, parse_emission(label), 4, {}, rng, rng)
    if isinstance(engine, DirectEngine):
        with pytest.raises(ValueError, match=message):
            engine.emit(None, parse_emission(label), 4, {}, rng, rng)


class Bare:
    """A sampler without the optional hooks."""

    schema = gaussian_mean.SCHEMA

    def __init__(self):
        self.whole = gaussian_mean.GaussianMeanSampler()

    def suffstats(self, rows, weights):
        return self.whole.suffstats(rows, weights)

    merge = check = mean = summary = draw = forward = log_density = suffstats


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("plug-in(map)", "needs Bare to have a method point_estimate"),
        ("joint(temperature=0.5)", "needs Bare to have a method tempered"),
    ],
)
def test_samplers_without_the_hooks_are_refused(label, message):
    estimator = bc.Estimator(gaussian_mean.model, exact=Bare())
    with pytest.raises(ValueError, match=message):
        check_emission(estimator.engine(), parse_emission(label))


def test_any_model_is_checked_without_compiling():
    with pm.Model() as model:
        rate = pm.Gamma("rate", 2, 1)
        p = pm.Dirichlet("p", np.ones(3))
        pm.Poisson("y", rate + p[0], observed=np.arange(3))
    engine = bc.Estimator(model).engine("nuts")
    check_emission(engine, parse_emission("plug-in(mean of log rate and log p)"))
    for label, message in {
        "joint(temperature=2)": "observed variable 'y', which is Poisson",
        "joint(sampling_bias=0.5)": "'y', which is Poisson: it has no symmetric location",
        "plug-in(map)": "is not defined for NutsEngine",
        "plug-in(mean of sqrt p)": "transforms 'p' by 'sqrt'",
    }.items():
        with pytest.raises(ValueError, match=message):
            check_emission(engine, parse_emission(label))
    check_emission(bc.Estimator(model).engine("map"), parse_emission("plug-in(map)"))


def test_means_of_draws():
    rng = np.random.default_rng(1)
    p, sigma = rng.dirichlet([2.0, 3.0, 1.0], size=(2, 50)), rng.gamma(3.0, size=(2, 50))
    draws = {"sigma": sigma, "p": p, "mu": rng.normal(size=(2, 50, 4))}
    weights = rng.dirichlet(np.ones(50), size=2)
    found = mean_of_draws(draws, weights, Point("mean", of={"sigma": "square", "p": "log"}))
    np.testing.assert_allclose(found["sigma"], np.sqrt((weights * sigma**2).sum(axis=1)))
    log_mean = np.exp(np.einsum("rd,rdk->rk", weights, np.log(p)))
    np.testing.assert_allclose(found["p"], log_mean / log_mean.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found["mu"], np.einsum("rd,rdk->rk", weights, draws["mu"]))
    with pytest.raises(ValueError, match="needs positive values, got draws from -"):
        mean_of_draws(draws, weights, Point("mean", of={"mu": "log"}))
    with pytest.raises(ValueError, match="cannot be read off posterior draws"):
        mean_of_draws(draws, weights, Point("map"))
    with pytest.raises(ValueError, match=r"names \['nu'\]"):
        mean_of_draws(draws, weights, Point("mean", of={"nu": "log"}))


REPEATABLE = {
    "gaussian": gaussian.estimator,
    "multivariate normal": lambda: multivariate_normal.estimator(dim=1),
    "empirical": lambda: empirical.estimator(summary_draws=2),
    "kernel density": kernel_density.estimator,
}


@pytest.mark.parametrize("name", REPEATABLE)
@pytest.mark.parametrize("label", ["plug-in", "joint", "ensemble(3)"])
def test_rounds_of_one_generation_share_their_posterior_draws(name, label):
    engine = REPEATABLE[name]().engine()
    shape = (2, 12, *engine.schema.responses[0].shape)
    rows = {"y": np.random.default_rng(2).normal(size=shape)}
    group = Group((rows,), engine.digest(rows), 12, True, (0,))
    fit = engine.condition([group], [np.ones((2, 12))], FitSettings(1, 1, None, int))
    rounds = [
        emit_rows(
            engine,
            fit,
            parse_emission(label),
            m,
            {},
            np.random.default_rng(3),
            np.random.default_rng(noise),
        )
        for m, noise in ((6, 4), (9, 5))
    ]
    for parameter, value in rounds[0][1].items():
        np.testing.assert_array_equal(value, rounds[1][1][parameter])
    assert not np.isin(rounds[0][0]["y"], rounds[1][0]["y"]).all() or name == "empirical"
    assert getattr(engine, "repeatable", True)


def test_engines_that_cannot_repeat_a_draw_say_so():
    assert ngram.estimator(vocabulary=3, length=2).engine().repeatable is False
    assert DirectEngine.repeatable is False


def test_an_estimator_emits_at_points_that_read_its_rows():
    y = np.array([1.0, 2.0, 4.0, 9.0])
    learner = gaussian.estimator()
    posterior = learner.fit(xr.Dataset({"y": ("obs", y)}), [1, 1, 1, 0], seed=1)
    first, *others = (
        learner.emit(posterior, 5, emission=label, seed=2)["y"].values
        for label in ("plug-in(mle)", "plug-in(unbiased)", "plug-in(mle, temperature=4)")
    )
    centre, used = y[:3].mean(), y[:3]
    noise = (first - centre) / used.std()
    np.testing.assert_allclose(others[0], centre + used.std(ddof=1) * noise)
    np.testing.assert_allclose(others[1], centre + 2 * used.std() * noise)


def test_a_tree_gives_means_on_another_scale_from_its_draws():
    learner = gaussian.estimator()
    rows = xr.Dataset({"y": ("obs", np.random.default_rng(3).normal(size=9))})
    posterior = learner.fit(rows, draws=400, seed=1)
    drawn = posterior["posterior"].to_dataset()
    one, two = (
        learner.emit(posterior, 6, emission=label, seed=2)["y"].values - float(drawn["mu"].mean())
        for label in ("plug-in", "plug-in(mean of log sigma)")
    )
    ratio = np.exp(np.log(drawn["sigma"]).mean()) / drawn["sigma"].mean()
    np.testing.assert_allclose(two / one, float(ratio))
    assert float(ratio) < 0.99


def test_laplace_draws_are_weighted():
    rng = np.random.default_rng(4)
    schema = gaussian.GaussianSampler().schema
    pooled, weights = rng.gamma(2.0, size=(3, 40, 2)), rng.dirichlet(np.ones(40), size=3)
    fit = LaplaceFit(schema, pooled, weights, {})
    found = fit.estimate(Point("mean", of={"sigma": "log"}))
    expected = np.exp((weights * np.log(pooled[..., 1])).sum(axis=1))
    np.testing.assert_allclose(found["sigma"], expected)
    np.testing.assert_allclose(found["mu"], fit.point()["mu"])


def test_means_and_modes_of_a_mode_are_the_mode():
    fit = ApproximateFit(gaussian.GaussianSampler().schema, np.array([[0.5, 2.0]]), True, {})
    for label in ("map", "mean of log sigma", "mean"):
        found = estimate(fit, parse_point(label))
        np.testing.assert_allclose([found["mu"][0], found["sigma"][0]], [0.5, 2.0])
    with pytest.raises(ValueError, match="cannot be read off posterior draws"):
        estimate(fit, Point("marginal map"))
