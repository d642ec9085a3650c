"""NUTS: refits of a compiled model, retries, and what is refused."""

import numpy as np
import nutpie
import pymc as pm
import pytest

from bayescollapse.estimator.gate import Gate
from bayescollapse.estimator.graph import row_model
from bayescollapse.estimator.nuts import TUNE, NutsSampler

RNG = np.random.default_rng(70)
X = RNG.normal(size=(40, 2))
Y = X @ [1.0, -0.5] + RNG.normal(size=40)
SETTINGS = {"draws": 300, "chains": 2, "seeds": lambda attempt: 100 + attempt}


def regression(x: np.ndarray = X, y: np.ndarray = Y) -> pm.Model:
    """Conjugate regression, with labelled rows and a deterministic on them."""
    with pm.Model(coords={"obs": range(len(y))}) as model:
        data = pm.Data("x", x, dims=("obs", "feature"))
        beta = pm.Normal("beta", dims="feature")
        mean = pm.Deterministic("mean", data @ beta, dims="obs")
        pm.Normal("y", mean, 1, observed=y, dims="obs")
    return model


def posterior(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    precision = np.eye(2) + (x * weights[:, None]).T @ x
    return np.linalg.solve(precision, x.T @ (weights * y)), np.linalg.inv(precision)


@pytest.fixture(scope="module")
def sampler() -> NutsSampler:
    sampler = NutsSampler(row_model(regression()))
    sampler.compile()
    return sampler


@pytest.mark.parametrize("count", [40, 7, 130])
def test_posterior_of_any_number_of_weighted_rows(sampler: NutsSampler, count: int) -> None:
    """Within 5 standard errors at the smallest effective size the gate lets through."""
    x, weights = RNG.normal(size=(count, 2)), RNG.uniform(0, 2, count)
    weights[1] = 0.0
    y = x @ [1.0, -0.5] + RNG.normal(size=count)
    fit = sampler.fit({"x": x, "y": y}, weights, **SETTINGS)
    assert fit.figures.passed
    mean, covariance = posterior(x, y, weights)
    draws = fit.parameters["beta"].reshape(-1, 2)
    error = np.sqrt(np.diag(covariance) / min(fit.figures.ess_bulk, len(draws)))
    assert (np.abs(draws.mean(axis=0) - mean) < 5 * error).all()
    np.testing.assert_allclose(draws.var(axis=0), np.diag(covariance), rtol=0.5)


def test_equal_to_a_fresh_compilation(sampler: NutsSampler) -> None:
    x, y, weights = X[:11], Y[:11], np.linspace(0.5, 2, 11)
    fresh = NutsSampler(row_model(regression(x, y)))
    fits = [s.fit({"x": x, "y": y}, weights, **SETTINGS) for s in (sampler, fresh)]
    np.testing.assert_allclose(fits[0].parameters["beta"], fits[1].parameters["beta"], rtol=1e-6)


def test_same_seeds_give_same_bits_with_any_number_of_cores(sampler: NutsSampler) -> None:
    values, weights = {"x": X, "y": Y}, np.ones(40)
    one = sampler.fit(values, weights, **SETTINGS)
    two = sampler.fit(values, weights, cores=2, **SETTINGS)
    np.testing.assert_array_equal(one.parameters["beta"], two.parameters["beta"])
    assert one.parameters["beta"].shape == (2, 300, 2)
    assert one.divergent.shape == (2, 300)
    assert (one.attempts, one.seeds) == (1, (100,))
    other = sampler.fit(values, weights, draws=300, seeds=lambda attempt: 7)
    assert (one.parameters["beta"] != other.parameters["beta"]).any()


def test_compiled_once(sampler: NutsSampler) -> None:
    assert sampler.compile() is sampler.compile()


def test_failed_fits_are_retried_and_marked(
    sampler: NutsSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, original = [], nutpie.sample

    def spy(compiled: object, **settings: object) -> object:
        calls.append(settings)
        return original(compiled, **settings)

    monkeypatch.setattr(nutpie, "sample", spy)
    strict = NutsSampler(sampler._built, gate=Gate(ess_per_chain=1e9))
    strict.__dict__["_compiled"] = sampler.compile()
    fit = strict.fit({"x": X, "y": Y}, np.ones(40), **SETTINGS)
    assert not fit.figures.passed
    assert "bulk ESS" in fit.figures.reason
    assert (fit.attempts, fit.seeds) == (3, (100, 101, 102))
    assert fit.parameters["beta"].shape == (2, 600, 2)
    assert [c["draws"] for c in calls] == [300, 600, 600]
    assert [c["tune"] for c in calls] == [TUNE, TUNE, 2 * TUNE]
    assert [c["target_accept"] for c in calls] == [0.8, 0.8, 0.95]


def test_the_second_attempt_can_pass(sampler: NutsSampler) -> None:
    lenient = NutsSampler(sampler._built, gate=Gate(ess_per_chain=310))
    lenient.__dict__["_compiled"] = sampler.compile()
    fit = lenient.fit({"x": X, "y": Y}, np.ones(40), **SETTINGS)
    assert fit.figures.passed
    assert (fit.attempts, fit.seeds) == (2, (100, 101))


ROWS = {"x": X, "y": Y}
BAD = [
    ({"x": X}, np.ones(40), "values has no 'y', which the model reads"),
    (ROWS, np.ones(3), r"values\['y'\] has shape \(40,\), but \(3,\) is needed"),
    ({"x": X[:, :1], "y": Y}, np.ones(40), r"values\['x'\] has shape \(40, 1\), but \(40, 2\)"),
    (ROWS, np.ones((40, 1)), r"weights has shape \(40, 1\)"),
    (ROWS, -np.ones(40), "weights holds -1.0, but weights are finite and not negative"),
    (ROWS, np.full(40, np.nan), "weights holds nan"),
    (ROWS, np.zeros(40), "weights are 0 for all 40 rows"),
    ({"x": X, "y": Y * np.nan}, np.ones(40), r"values\['y'\] holds values that float64 cannot"),
]


@pytest.mark.parametrize(("values", "weights", "message"), BAD)
def test_refusals(sampler: NutsSampler, values: dict, weights: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sampler.fit(values, weights, **SETTINGS)


def test_discrete_parameters_are_refused() -> None:
    with pm.Model() as model:
        pm.Normal("y", pm.Poisson("k", 2), 1, observed=Y)
    with pytest.raises(ValueError, match=r"free variables \['k'\] are discrete"):
        NutsSampler(row_model(model))


def test_impossible_rows_are_named_and_constant_entries_pass() -> None:
    with pm.Model() as model:
        weights = pm.Dirichlet("p", [1.0, 1.0])
        correlation = pm.LKJCorr("r", n=2, eta=2)
        pm.Exponential("y", weights[0] + 2 + correlation[0, 1], observed=np.abs(Y))
        pm.Potential("unused", 0.0 * weights.sum())
    sampler = NutsSampler(row_model(model))
    fit = sampler.fit({"y": np.abs(Y)}, np.ones(40), **SETTINGS)
    assert fit.figures.passed
    assert (fit.parameters["r"][:, :, 0, 0] == 1).all()
    np.testing.assert_allclose(fit.parameters["p"].sum(axis=-1), 1.0)
    bad = np.where(np.arange(40) == 3, -1.0, np.abs(Y))
    with pytest.raises(RuntimeError, match=r"40 rows of total weight 40 .* rows \[3\] are imposs"):
        sampler.fit({"y": bad}, np.ones(40), **SETTINGS)
    removed = np.where(np.arange(40) == 3, 0.0, 1.0)
    assert sampler.fit({"y": bad}, removed, **SETTINGS).figures.passed
