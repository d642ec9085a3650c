"""Weights: repeated rows, removed rows, likelihood powers, in value and gradient."""

import numpy as np
import pymc as pm
import pytest
from pytensor.graph.replace import clone_replace

from bayescollapse.estimator.graph import RowModel, row_model
from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.estimator.tilt import neutral_rows, weighted_model, weights_name

RNG = np.random.default_rng(30)
N = 12
X, COUNTS = RNG.normal(size=(N, 2)), RNG.integers(0, 9, N)
TIMES = RNG.exponential(size=N)
POINT = {"beta": np.array([0.3, -0.2]), "rate_log__": np.array(0.4)}


def build(x: np.ndarray, counts: np.ndarray, times: np.ndarray) -> pm.Model:
    with pm.Model() as model:
        data = pm.Data("x", x, dims=("obs", "feature"))
        beta = pm.Normal("beta", dims="feature", shape=2)
        rate = pm.Gamma("rate", 2, 2)
        pm.Censored("count", pm.Poisson.dist(pm.math.exp(data @ beta)), None, 6, observed=counts)
        pm.Exponential("time", rate, observed=times, dims="obs")
    return model


@pytest.fixture(scope="module")
def built() -> RowModel:
    return row_model(build(X, np.minimum(COUNTS, 6), TIMES))


@pytest.fixture(scope="module")
def weighted(built: RowModel):
    """Log density and gradient at `POINT` of given rows and weights."""
    model = weighted_model(built)
    functions = [model.compile_logp(mode=PYTHON), model.compile_dlogp(mode=PYTHON)]
    data = {v.name: v for v in model.compile_logp(mode=PYTHON).f.get_shared()}

    def evaluate(values: dict, weights: np.ndarray) -> np.ndarray:
        data[weights_name(built)].set_value(np.asarray(weights, dtype=float))
        for name, value in neutral_rows(values, np.asarray(weights)).items():
            for variable in {v for f in functions for v in f.f.get_shared()}:
                if variable.name == built.shared[name]:
                    variable.set_value(value)
        return np.concatenate([np.atleast_1d(f(POINT)) for f in functions])

    return evaluate


def reference(values: dict) -> np.ndarray:
    model = build(values["x"], values["count"], values["time"])
    functions = model.compile_logp(mode=PYTHON), model.compile_dlogp(mode=PYTHON)
    return np.concatenate([np.atleast_1d(f(POINT)) for f in functions])


def rows(built: RowModel, index: np.ndarray) -> dict:
    return {name: value[index] for name, value in built.template.items()}


def prior() -> np.ndarray:
    with pm.Model() as model:
        pm.Normal("beta", shape=2)
        pm.Gamma("rate", 2, 2)
    functions = model.compile_logp(mode=PYTHON), model.compile_dlogp(mode=PYTHON)
    return np.concatenate([np.atleast_1d(f(POINT)) for f in functions])


def test_weight_one_is_ordinary_bayes(built, weighted) -> None:
    np.testing.assert_allclose(
        weighted(built.template, np.ones(N)), reference(built.template), rtol=1e-10, atol=1e-10
    )


def test_integer_weights_equal_repeated_rows(built, weighted) -> None:
    weights = RNG.integers(1, 4, N)
    repeated = rows(built, np.repeat(np.arange(N), weights))
    np.testing.assert_allclose(
        weighted(built.template, weights), reference(repeated), rtol=1e-10, atol=1e-10
    )


def test_weight_zero_equals_removal_also_of_impossible_rows(built, weighted) -> None:
    weights = np.where(np.arange(N) % 3 == 0, 0.0, 1.0)
    values = {name: value.copy() for name, value in built.template.items()}
    values["time"][0] = -1.0
    values["x"][3] = 1e300
    expected = reference(rows(built, np.flatnonzero(weights)))
    np.testing.assert_allclose(weighted(values, weights), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("power", [0.01, 0.5, 3.0])
def test_scaling_all_weights_is_a_likelihood_power(built, weighted, power: float) -> None:
    weights = RNG.uniform(0.1, 2, N)
    one, scaled = weighted(built.template, weights), weighted(built.template, power * weights)
    np.testing.assert_allclose(scaled - prior(), power * (one - prior()), rtol=1e-10, atol=1e-10)


def test_an_impossible_row_of_positive_weight_is_impossible(built, weighted) -> None:
    values = {name: value.copy() for name, value in built.template.items()}
    values["time"][0] = -1.0
    for weight in (0.5, 1.0, 2.0):
        assert weighted(values, np.where(np.arange(N) == 0, weight, 1.0))[0] == -np.inf


def test_other_numbers_of_rows(built, weighted) -> None:
    for index in (np.array([4]), np.arange(2 * N) % N):
        values = rows(built, index)
        np.testing.assert_allclose(
            weighted(values, np.ones(len(index))), reference(values), rtol=1e-10, atol=1e-10
        )


def test_neutral_rows_need_a_positive_weight() -> None:
    with pytest.raises(ValueError, match="weights are 0 for all 3 rows"):
        neutral_rows({"y": np.zeros(3)}, np.zeros(3))


def test_neutral_rows_copies_covariates_too() -> None:
    values = {"y": np.arange(3.0), "x": np.arange(6.0).reshape(3, 2)}
    neutral = neutral_rows(values, np.array([0.0, 2.0, 0.5]))
    np.testing.assert_array_equal(neutral["y"], [1, 1, 2])
    np.testing.assert_array_equal(neutral["x"], [[2, 3], [2, 3], [4, 5]])


def test_the_name_of_the_weights_does_not_collide() -> None:
    with pm.Model() as model:
        pm.Normal("y", pm.Normal("weights"), 1, observed=np.zeros(3))
    built = row_model(model)
    assert weights_name(built) == "row_weights"
    assert "row_weights" in weighted_model(built).named_vars


def test_the_gradient_of_truncated_variables_is_right() -> None:
    with pm.Model() as model:
        mu = pm.Normal("mu")
        pm.Truncated("y", pm.Normal.dist(mu, 1), lower=0, observed=TIMES)
    tilted = weighted_model(row_model(model))
    logp, gradient = tilted.compile_logp(mode=PYTHON), tilted.compile_dlogp(mode=PYTHON)
    step = 1e-5
    numeric = (logp({"mu": 0.3 + step}) - logp({"mu": 0.3 - step})) / (2 * step)
    assert gradient({"mu": 0.3})[0] == pytest.approx(numeric, rel=1e-7)


def test_the_row_model_is_not_changed(built) -> None:
    names = set(built.model.named_vars)
    weighted_model(built)
    assert set(built.model.named_vars) == names
    assert clone_replace(built.model["count"]) is not None
