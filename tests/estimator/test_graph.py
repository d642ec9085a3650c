"""Row models: what is found in a PyMC model, and what is refused."""

import warnings
from collections.abc import Callable

import numpy as np
import pymc as pm
import pytest

from bayescollapse.estimator.forward import Density
from bayescollapse.estimator.graph import probe, row_model

RNG = np.random.default_rng(20)
N = 20
X, Y, B = RNG.normal(size=(N, 3)), RNG.normal(size=N), RNG.integers(0, 2, N)


def build(body: Callable[[], object], **settings: object) -> pm.Model:
    with pm.Model(**settings) as model:
        body()
    return model


def regression(observed: object = B, dims: str | None = "obs") -> None:
    x = pm.Data("x", X, dims=("obs", "feature"))
    beta = pm.Normal("beta", dims="feature")
    p = pm.Deterministic("p", pm.math.sigmoid(x @ beta), dims="obs")
    pm.Bernoulli("y", p, observed=observed, dims=dims)


def bernoulli(beta: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    eta = x @ beta
    return y * eta - np.logaddexp(0, eta)


REGRESSIONS = {
    "plain array": (lambda: regression(), {}),
    "unnamed response": (lambda: regression(dims=None), {}),
    "data": (lambda: regression(pm.Data("y_data", B, dims="obs")), {}),
    "data without dims": (lambda: regression(pm.Data("y_data", B)), {}),
    "cast data": (lambda: regression(pm.Data("y_data", B * 1.0).astype("int64")), {}),
    "fixed coords": (
        lambda: regression(),
        {"coords": {"obs": range(N), "feature": ["a", "b", "c"]}},
    ),
    "fixed coords and data": (
        lambda: regression(pm.Data("y_data", B, dims="obs")),
        {"coords": {"obs": [f"r{i}" for i in range(N)]}},
    ),
}


@pytest.mark.parametrize("case", REGRESSIONS)
def test_rows_are_found_and_exchangeable(case: str) -> None:
    body, settings = REGRESSIONS[case]
    built = row_model(build(body, **settings))
    assert [(v.name, v.shape, v.dtype) for v in built.schema.responses] == [("y", (), "int64")]
    assert [(v.name, v.dims, v.shape) for v in built.schema.covariates] == [
        ("x", ("feature",), (3,))
    ]
    assert [(v.name, v.dims, v.shape) for v in built.schema.parameters] == [
        ("beta", ("feature",), (3,))
    ]
    assert built.row_dims == ("obs",)
    assert built.schema.coords == ({"feature": ("a", "b", "c")} if case == "fixed coords" else {})
    x, y, beta = RNG.normal(size=(7, 3)), RNG.integers(0, 2, 7), RNG.normal(size=3)
    terms = Density(built)({"beta": beta[None]}, {"x": x, "y": y})
    np.testing.assert_allclose(terms[0], bernoulli(beta, x, y), rtol=1e-12)


def test_the_model_of_a_person_stays_as_it_was() -> None:
    def body() -> None:
        mu = pm.Normal("mu", initval=2.0)
        sigma = pm.HalfNormal("sigma", initval="prior")
        pm.Normal("y", mu, sigma, observed=pm.Data("y_data", Y), shape=N)

    model = build(body)
    values, names = dict(model.rvs_to_initial_values), set(model.named_vars)
    before = model.compile_logp()({"mu": 0.3, "sigma_log__": 0.1})
    built = row_model(model)
    assert {n: model.rvs_to_initial_values[model[n]] for n in ("mu", "sigma")} == {
        "mu": 2.0,
        "sigma": "prior",
    }
    assert dict(model.rvs_to_initial_values) == values
    assert set(model.named_vars) == names
    assert model.compile_logp()({"mu": 0.3, "sigma_log__": 0.1}) == before
    assert built.model.compile_logp()({"mu": 0.3, "sigma_log__": 0.1}) == pytest.approx(before)
    assert built.model.rvs_to_initial_values[built.model["mu"]] == 2.0
    assert [v.name for v in built.schema.parameters] == ["mu", "sigma"]


def test_fixed_data_stays_fixed_and_integer_covariates_keep_their_type() -> None:
    def body() -> None:
        group = pm.Data("group", np.arange(N) % 4, dims="obs")
        scale = pm.Data("scale", np.arange(1.0, 5.0), dims="cluster")
        effect = pm.Normal("effect", dims="cluster")
        pm.Normal("y", effect[group], scale[group], observed=Y, dims="obs")

    schema = row_model(build(body)).schema
    assert [(v.name, v.dtype) for v in schema.covariates] == [("group", "int32")]
    assert [v.shape for v in schema.parameters] == [(4,)]


def test_covariates_without_dims_are_found_by_length() -> None:
    def body() -> None:
        x = pm.Data("x", X)
        beta = pm.Normal("beta", shape=x.shape[1])
        pm.Normal("y", x @ beta, 1, observed=Y, shape=x.shape[0])

    schema = row_model(build(body)).schema
    assert [(v.name, v.dims) for v in schema.covariates] == [("x", ("x_dim_0",))]


def test_a_dimension_without_a_name_gets_one() -> None:
    def body() -> None:
        x = pm.Data("x", X, dims=("obs", None))
        pm.Normal("y", x @ pm.Normal("beta", shape=3), 1, observed=Y, dims="obs")

    assert row_model(build(body)).schema.covariates[0].dims == ("x_dim_1",)


def test_two_observed_variables_share_their_rows() -> None:
    def body() -> None:
        mu = pm.Normal("mu")
        pm.Normal("a", mu, 1, observed=Y)
        pm.MvNormal("b", mu=[mu, 0.0, 0.0], cov=np.eye(3), observed=X)

    model = build(body)
    built = row_model(model)
    assert [v.shape for v in built.schema.responses] == [(), (3,)]
    terms = Density(built)({"mu": np.array([0.4])}, {"a": Y[:5], "b": X[:5]})
    expected = -0.5 * (Y - 0.4) ** 2 - 0.5 * ((X - [0.4, 0, 0]) ** 2).sum(1) - 2 * np.log(2 * np.pi)
    np.testing.assert_allclose(terms[0], expected[:5], rtol=1e-12)
    assert [v.name for v in row_model(model, observed="b").schema.responses] == ["b"]


@pytest.mark.filterwarnings(
    # Bambi 0.21 selects columns in a way that pandas 3 warns about:
    # https://pandas.pydata.org/docs/dev/user_guide/migration.html#string-migration-select-dtypes
    "ignore:For backward compatibility, 'str' dtypes are included"
)
@pytest.mark.parametrize("formula", ["y ~ 1", "y ~ a + b", "y ~ a + (1 | g)"])
def test_bambi(formula: str) -> None:
    pd, bambi = pytest.importorskip("pandas"), pytest.importorskip("bambi")
    frame = pd.DataFrame({"y": Y, "a": X[:, 0], "b": X[:, 1], "g": np.arange(N) % 4})
    model = bambi.Model(formula, frame, categorical="g")
    model.build()
    if "|" in formula:
        with pytest.raises(ValueError, match="a Bambi model may have common terms only"):
            row_model(model.backend.model)
        return
    built = row_model(model.backend.model)
    assert built.row_dims == ("__obs__",)
    assert [(v.name, v.shape) for v in built.schema.covariates] == (
        [("X", (2,))] if "a" in formula else []
    )
    if "a" in formula:
        np.testing.assert_allclose(built.template["X"], (X - X.mean(0))[:, :2])


def constant_covariate() -> None:
    pm.Normal("y", pm.math.dot(X, pm.Normal("beta", shape=3)), 1, observed=Y)


def constant_offset() -> None:
    pm.Normal("y", pm.Normal("mu") + Y, 1, observed=Y)


def nothing_observed() -> None:
    pm.Normal("mu")


def scalar_observed() -> None:
    pm.Normal("y", pm.Normal("mu"), 1, observed=1.0)


def missing_values() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pm.exceptions.ImputationWarning)
        pm.Normal("y", pm.Normal("mu"), 1, observed=np.where(Y > 1, np.nan, Y))


def total_size() -> None:
    pm.Normal("y", pm.Normal("mu"), 1, observed=Y, total_size=100)


def joint_likelihood() -> None:
    pm.MvNormal("y", mu=pm.Normal("mu") * np.ones(N), cov=np.eye(N), observed=Y)


def marginal_gp() -> None:
    gp = pm.gp.Marginal(cov_func=pm.gp.cov.ExpQuad(1, ls=1.0))
    gp.marginal_likelihood("y", X=X[:, :1], y=Y, sigma=pm.HalfNormal("sigma"))


def latent_by_name() -> None:
    y = pm.Data("y_data", Y, dims="obs")
    pm.Normal("y", pm.Normal("theta", dims="obs"), 1, observed=y, dims="obs")


def latent_by_length() -> None:
    y = pm.Data("y_data", Y)
    pm.Normal("y", pm.Normal("theta", shape=y.shape[0]), 1, observed=y)


def latent_by_number() -> None:
    pm.Normal("y", pm.Normal("theta", shape=N), 1, observed=Y)


def other_lengths() -> None:
    mu = pm.Normal("mu")
    pm.Normal("a", mu, 1, observed=Y)
    pm.Normal("b", mu, 1, observed=Y[:3])


def standardised() -> None:
    x = pm.Data("x", X)
    beta = pm.Normal("beta", shape=3)
    pm.Normal("y", ((x - x.mean(0)) / x.std(0)) @ beta, 1, observed=Y)


def own_response() -> None:
    y = pm.Data("y_data", Y)
    pm.Normal("y", pm.Normal("mu") + y.mean(), 1, observed=y)


def prior_of_data() -> None:
    x = pm.Data("x", Y)
    pm.Normal("y", pm.Normal("mu", x.mean()) * x, 1, observed=Y)


def potential_of_data() -> None:
    x, mu = pm.Data("x", Y), pm.Normal("mu")
    pm.Normal("y", mu * x, 1, observed=Y)
    pm.Potential("extra", (mu * x).sum())


REFUSALS = [
    (constant_covariate, {}, 'write x = pm.Data("x", x, dims=("obs", "feature"))'),
    (constant_offset, {}, 'write x = pm.Data("x", x, dims="obs")'),
    (nothing_observed, {}, "model has no observed variable, so it has no rows"),
    (scalar_observed, {}, "'y' is a scalar, so it has no rows"),
    (missing_values, {}, "'y' has missing values, which PyMC imputes"),
    (total_size, {}, "'y' uses pm.Minibatch or total_size"),
    (joint_likelihood, {}, "the likelihood of 'y' is one term for all rows"),
    (marginal_gp, {}, "use pm.gp.HSGP instead of a marginal one"),
    (latent_by_name, {}, "free variables ['theta'] have one value per row"),
    (latent_by_length, {}, "free variables ['theta'] have one value per row"),
    (latent_by_number, {}, "free variable 'theta': one value per row cannot be weighted"),
    (latent_by_name, {"local": "theta"}, "local=['theta'] names all free variables"),
    (latent_by_name, {"local": "mu"}, "local names 'mu', but the model's free variables are"),
    (other_lengths, {}, "observed variables have different numbers of rows, {'a': 20, 'b': 3}"),
    (other_lengths, {"observed": "c"}, "observed names 'c', but the model's observed variables"),
    (other_lengths, {"observed": ()}, "observed is empty"),
    (standardised, {}, "a row depends on the values of other rows"),
    (own_response, {}, "'y' is computed from its own values"),
    (prior_of_data, {}, "the prior of 'mu' reads the rows of ['x']"),
    (potential_of_data, {}, "pm.Potential 'extra' reads the rows"),
]


@pytest.mark.parametrize(("body", "settings", "message"), REFUSALS)
def test_refusals(body: Callable[[], None], settings: dict, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        row_model(build(body), **settings)
    assert message in str(caught.value)


def test_something_else_than_a_model_is_refused() -> None:
    with pytest.raises(TypeError, match="model must be a pymc.Model, got int"):
        row_model(3)


def test_probe_with_other_rows() -> None:
    def body() -> None:
        x = pm.Data("x", np.zeros(N))  # a template that hides the standardisation
        pm.Normal("y", pm.Normal("beta") * (x - x.mean()), 1, observed=np.zeros(N))

    built = row_model(build(body))
    probe(built, built.template)
    with pytest.raises(ValueError, match="standardises its data inside the graph"):
        probe(built, {"x": Y, "y": Y})
