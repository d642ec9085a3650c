"""Forward functions: laws of what they draw, determinism, densities and prior draws."""

import numpy as np
import pymc as pm
import pytest

from bayescollapse.estimator.forward import Density, Forward, PriorDraw
from bayescollapse.estimator.graph import RowModel, row_model

N = 30
X = np.random.default_rng(60).normal(size=(N, 2))


@pytest.fixture(scope="module")
def linear() -> RowModel:
    with pm.Model() as model:
        x = pm.Data("x", X, dims=("obs", "feature"))
        beta, sigma = pm.Normal("beta", dims="feature"), pm.HalfNormal("sigma")
        pm.Normal("y", x @ beta, sigma, observed=np.zeros(N), dims="obs")
    return row_model(model)


@pytest.fixture(scope="module")
def mixed() -> RowModel:
    """Two dependent responses, one of them a vector, drawn in one go."""
    with pm.Model() as model:
        rate = pm.Exponential("rate")
        count = pm.Poisson("count", rate, observed=np.ones(N))
        pm.StudentT("y", nu=5, mu=count * rate, sigma=1, observed=np.zeros(N))
        pm.Multinomial("kind", n=4, p=[0.2, 0.8], observed=np.tile([1, 3], (N, 1)))
    return row_model(model)


@pytest.fixture(scope="module")
def awkward() -> RowModel:
    """Responses that are no plain random variables."""
    with pm.Model() as model:
        mu = pm.Normal("mu")
        pm.Censored("c", pm.Normal.dist(mu, 1), lower=0, upper=None, observed=np.zeros(N))
        pm.NormalMixture("m", w=[0.5, 0.5], mu=[mu, -mu], sigma=1, observed=np.zeros(N))
        pm.ZeroInflatedPoisson("z", 0.5, pm.math.exp(mu), observed=np.zeros(N, dtype=int))
    return row_model(model)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def close(sample: np.ndarray, expected: np.ndarray | float, axis: int | None = None) -> None:
    """Means within 4.5 standard errors: 7e-6 a comparison."""
    sample = np.asarray(sample, dtype=float)
    count = sample.size if axis is None else sample.shape[axis]
    error = sample.std(axis=axis) / np.sqrt(count)
    assert (np.abs(sample.mean(axis=axis) - expected) < 4.5 * error).all()


def test_moments(linear: RowModel) -> None:
    x = np.tile([[1.0, 2.0], [0.0, -1.0]], (20_000, 1))
    theta = {"beta": np.array([1.0, 0.5]), "sigma": np.array(2.0)}
    y = Forward(linear)(theta, {"x": x}, 40_000, rng())["y"]
    close(y[::2], 2.0)
    close(y[1::2], -0.5)
    close((y[::2] - 2.0) ** 2, 4.0)


def test_same_state_gives_same_bits(linear: RowModel, awkward: RowModel) -> None:
    theta = {"beta": np.array([1.0, 0.5]), "sigma": np.array(2.0)}
    forward = Forward(linear)
    first, again = (forward(theta, {"x": X}, N, rng(3))["y"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, Forward(linear)(theta, {"x": X}, N, rng(3))["y"])
    source = rng(3)
    moved = [forward(theta, {"x": X}, N, source)["y"] for _ in range(2)]
    assert (moved[0] == first).all()
    assert (moved[1] != first).all()
    several = [Forward(awkward).many({"mu": np.ones(3)}, {}, 5, rng(3)) for _ in range(2)]
    for name in several[0]:
        np.testing.assert_array_equal(several[0][name], several[1][name])
    assert np.unique(several[0]["m"]).size == 15


def test_many_and_per_row_laws(linear: RowModel) -> None:
    forward, count = Forward(linear), 20_000
    theta = {"beta": np.tile([[1.0, 0.5]], (count, 1)), "sigma": np.linspace(0.5, 2, count)}
    y = forward.many(theta, {"x": X[:3]}, 3, rng())["y"]
    assert y.shape == (count, 3)
    close(y, X[:3] @ [1.0, 0.5], axis=0)
    close(((y - X[:3] @ [1.0, 0.5]) / theta["sigma"][:, None]) ** 2, 1.0, axis=0)
    common = forward.many(theta, {"x": np.broadcast_to(X[:3], (count, 3, 2))}, 3, rng())["y"]
    np.testing.assert_array_equal(common, y)
    x = np.tile(X[:1], (count, 1))
    rows = forward.per_row(theta, {"x": x}, count, rng())["y"]
    assert rows.shape == (count,)
    close((rows - X[0] @ [1.0, 0.5]) / theta["sigma"], 0.0)
    close(((rows - X[0] @ [1.0, 0.5]) / theta["sigma"]) ** 2, 1.0)
    assert abs(np.corrcoef(rows[1:], rows[:-1])[0, 1]) < 4.5 / np.sqrt(count)


def test_dependent_responses(mixed: RowModel) -> None:
    forward, count = Forward(mixed), 30_000
    assert forward._batched is not None
    theta = {"rate": np.repeat([0.5, 2.0], count)}
    drawn = forward.per_row(theta, {}, 2 * count, rng())
    for part, rate in ((slice(count), 0.5), (slice(count, None), 2.0)):
        close(drawn["count"][part], rate)
        close(drawn["y"][part] - drawn["count"][part] * rate, 0.0)
        close(drawn["kind"][part], np.array([0.8, 3.2]), axis=0)
    assert (drawn["kind"].sum(axis=1) == 4).all()
    one = forward({"rate": np.array(2.0)}, {}, count, rng())
    close(one["count"], 2.0)
    close(one["y"] - one["count"] * 2.0, 0.0)


def test_responses_drawn_one_by_one(awkward: RowModel) -> None:
    forward = Forward(awkward)
    assert forward._batched is None
    drawn = forward.many({"mu": np.array([0.0, 1.0])}, {}, 20_000, rng())
    assert (drawn["c"] >= 0).all()
    close(drawn["c"][0] == 0, 0.5)
    close(drawn["m"][1], 0.0)
    close(drawn["m"][1] ** 2, 2.0)
    close(drawn["z"][1], 0.5 * np.e)
    rows = forward.per_row({"mu": np.zeros(50)}, {}, 50, rng())
    assert {name: value.shape for name, value in rows.items()} == {n: (50,) for n in "cmz"}


def test_single_and_many_agree(linear: RowModel, mixed: RowModel) -> None:
    beta = {"beta": np.array([1.0, 0.5]), "sigma": np.array(2.0)}
    for built, theta, x in ((linear, beta, {"x": X}), (mixed, {"rate": np.array(1.5)}, {})):
        forward = Forward(built)
        one = forward(theta, x, N, rng(9))
        many = forward.many({n: v[None] for n, v in theta.items()}, x, N, rng(9))
        for name, value in one.items():
            np.testing.assert_array_equal(many[name][0], value)


def test_density_of_many_draws_equals_each(awkward: RowModel) -> None:
    values = {"c": np.array([0.0, 0.7]), "m": np.array([0.1, 2.0]), "z": np.array([0, 3])}
    density, mu = Density(awkward), np.linspace(-1, 1, 5)
    together = density({"mu": mu}, values)
    assert together.shape == (5, 2)
    each = np.concatenate([density({"mu": mu[i : i + 1]}, values) for i in range(5)])
    np.testing.assert_allclose(together, each, rtol=1e-12)


def test_density_in_closed_form_and_of_impossible_rows(mixed: RowModel) -> None:
    values = {
        "count": np.array([0, 2, -1]),
        "y": np.zeros(3),
        "kind": np.array([[1, 3], [0, 4], [1, 3]]),
    }
    terms = Density(mixed)({"rate": np.array([1.0, 2.0])}, values)
    assert np.isfinite(terms[:, :2]).all()
    assert (terms[:, 2] == -np.inf).all()
    shift = terms[1, 0] - terms[0, 0]
    assert shift == pytest.approx(-1.0)  # Poisson(0 | rate): -rate, and y does not move


def test_prior_draws(linear: RowModel) -> None:
    prior = PriorDraw(linear)
    drawn = prior(3000, rng())
    assert drawn["beta"].shape == (3000, 2)
    close(drawn["beta"], np.zeros(2), axis=0)
    close(drawn["beta"] ** 2, np.ones(2), axis=0)
    close(drawn["sigma"], np.sqrt(2 / np.pi))
    np.testing.assert_array_equal(drawn["beta"][:4], prior(4, rng())["beta"])


@pytest.mark.parametrize("flat", [pm.Flat, pm.HalfFlat])
def test_improper_priors_are_refused(flat: type) -> None:
    with pm.Model() as model:
        pm.Normal("y", 0, flat("scale") ** 2 + 1, observed=np.zeros(3))
    with pytest.raises(ValueError, match="the prior of 'scale' is improper"):
        PriorDraw(row_model(model))


def test_priors_with_potentials_are_refused() -> None:
    with pm.Model() as model:
        mu = pm.Normal("mu")
        pm.Potential("extra", -(mu**4))
        pm.Normal("y", mu, 1, observed=np.zeros(3))
    with pytest.raises(ValueError, match=r"the prior contains \['extra'\]"):
        PriorDraw(row_model(model))


def test_wrong_input_is_refused(linear: RowModel) -> None:
    forward, theta = Forward(linear), {"beta": np.zeros(2), "sigma": np.array(1.0)}
    with pytest.raises(ValueError, match=r"covariates has no 'x' \(it has \[\]\)"):
        forward(theta, {}, N, rng())
    with pytest.raises(ValueError, match=r"covariates\['x'\] has shape \(30, 2\), but \(4, 2\)"):
        forward(theta, {"x": X}, 4, rng())
    with pytest.raises(ValueError, match=r"parameters\['beta'\] has shape \(2,\), but \(4, 2\)"):
        forward.per_row(theta, {"x": X[:4]}, 4, rng())


def test_integer_covariates_are_not_rounded() -> None:
    with pm.Model() as model:
        group = pm.Data("group", np.arange(4) % 2)
        pm.Normal("y", pm.Normal("mu", shape=2)[group], 1, observed=np.zeros(4))
    forward = Forward(row_model(model))
    with pytest.raises(ValueError, match=r"covariates\['group'\] holds values that int32"):
        forward({"mu": np.zeros(2)}, {"group": np.array([0.5, 1.0])}, 2, rng())
