"""What cannot be weighted, fitted or emitted is refused with its reason before any compilation."""

from collections.abc import Callable

import numpy as np
import pymc as pm
import pymc.dims as pmd
import pytensor.tensor as pt
import pytest
from pymc import step_methods
from pymc.step_methods.compound import Competence
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

import bayescollapse as bc

RNG = np.random.default_rng(90)
N = 20
X, Y = RNG.normal(size=(N, 3)), RNG.normal(size=N)


def random_normal(mu: np.ndarray, rng: np.random.Generator, size: tuple) -> np.ndarray:
    return rng.normal(mu, size=size)


class BlackBox(Op):
    """An operation without a gradient, as in PyMC's examples of external code."""

    itypes, otypes = [pt.dscalar], [pt.dscalar]

    def perform(self, node: Apply, inputs: list, outputs: list) -> None:
        outputs[0][0] = np.asarray(-(inputs[0] ** 2))


black_box = BlackBox()


def build(body: Callable[[], object], **settings: object) -> pm.Model:
    with pm.Model(**settings) as model:
        body()
    return model


def no_parameters() -> None:
    pm.Normal("y", 0, 1, observed=Y)


def likelihood_as_potential() -> None:
    pm.Potential("y", pm.logp(pm.Normal.dist(pm.Normal("mu"), 1), Y).sum())


def sparse_gp() -> None:
    gp = pm.gp.MarginalApprox(cov_func=pm.gp.cov.ExpQuad(1, ls=pm.HalfNormal("ls")))
    gp.marginal_likelihood("y", X=X[:, :1], Xu=X[:5, :1], y=Y, sigma=1.0)


def latent_gp() -> None:
    gp = pm.gp.Latent(cov_func=pm.gp.cov.ExpQuad(1, ls=1.0))
    pm.Normal("y", gp.prior("f", X=X[:, :1]), 1, observed=Y)


def single_series() -> None:
    init = pm.Normal.dist(0, 1, shape=1)
    pm.AR("y", pm.Normal("rho", shape=2), sigma=1.0, init_dist=init, constant=True, observed=Y)


def random_walk() -> None:
    walk = pm.GaussianRandomWalk("walk", init_dist=pm.Normal.dist(), steps=N - 1)
    pm.Normal("y", walk, 1, observed=Y)


def lagged_response() -> None:
    y = pm.Data("y_data", Y)
    lagged = pt.concatenate([[0.0], y[:-1]])
    pm.Normal("y", pm.Normal("rho") * lagged, 1, observed=y)


def lagged_covariate() -> None:
    x = pm.Data("x", Y)
    pm.Normal("y", pm.Normal("beta") * x[::-1], 1, observed=Y)


def rows_by_number() -> None:
    group, scale = pm.Data("group", np.arange(N)), pm.Data("scale", np.linspace(1, 2, N))
    pm.Normal("y", pm.Normal("mu"), scale[group], observed=Y)


def other_dims() -> None:
    mu = pm.Normal("mu")
    pm.Normal("a", mu, 1, observed=Y, dims="left")
    pm.Normal("b", mu, 1, observed=Y, dims="right")


def which_dim() -> None:
    group = pm.Data("group", np.arange(N), dims="left")
    scale = pm.Data("scale", np.linspace(1, 2, N), dims="right")
    pm.Normal("y", pm.Normal("mu"), scale[group], observed=Y)


def other_response_reads_rows() -> None:
    x, beta = pm.Data("x", Y, dims="left"), pm.Normal("beta")
    pm.Normal("a", beta * x, 1, observed=Y, dims="left")
    pm.Normal("b", beta * x, 1, observed=Y, dims="left")


def circle() -> None:
    a, b = pm.Data("a_data", Y), pm.Data("b_data", -Y)
    pm.Normal("a", pm.Normal("beta") * b, 1, observed=a)
    pm.Normal("b", a, 1, observed=b)


def potential_of_response() -> None:
    mu, y = pm.Normal("mu"), pm.Data("y_data", Y)
    pm.Normal("y", mu, 1, observed=y)
    pm.Potential("extra", -((mu - y.mean()) ** 2))


def potential_of_unread_covariate() -> None:
    x, mu = pm.Data("x", Y, dims="left"), pm.Normal("mu")
    pm.Normal("y", mu, 1, observed=Y, dims="left")
    pm.Potential("extra", pm.logp(pm.Normal.dist(mu, 2), x), dims="left")


def potential_of_array() -> None:
    mu = pm.Normal("mu")
    pm.Normal("y", mu, 1, observed=Y)
    pm.Potential("censored", pm.logcdf(pm.Normal.dist(mu, 1), Y).sum())


def simulator() -> None:
    def simulate(rng: np.random.Generator, mu: float, size: tuple) -> np.ndarray:
        return rng.normal(mu, 1, size=size)

    pm.Simulator("y", simulate, pm.Normal("mu"), epsilon=1, observed=Y)


def no_density() -> None:
    pm.CustomDist("y", pm.Normal("mu"), random=random_normal, observed=Y)


def no_random() -> None:
    pm.CustomDist("y", pm.Normal("mu"), logp=lambda value, mu: -((value - mu) ** 2), observed=Y)


def black_box_likelihood() -> None:
    pm.Normal("y", black_box(pm.Normal("mu")), 1, observed=Y)


def black_box_prior() -> None:
    theta = pm.CustomDist("theta", logp=black_box, random=lambda rng, size: rng.normal(size=size))
    pm.Normal("y", theta, pm.HalfNormal("sigma"), observed=Y)


def xarray_dims() -> None:
    y = pmd.Data("y_data", Y, dims="left")
    pmd.Normal("y", pmd.Normal("mu"), 1, observed=y)


def reserved_covariate() -> None:
    pm.Normal("y", pm.Normal("beta") * pm.Data("replicate", Y), 1, observed=Y)


def reserved_response() -> None:
    pm.Normal("real", pm.Normal("mu"), 1, observed=Y)


def reserved_parameter() -> None:
    pm.Normal("y", pm.Normal("draw"), 1, observed=Y)


def reserved_dimension() -> None:
    x = pm.Data("x", X, dims=("left", "obs"))
    pm.Normal("y", x @ pm.Normal("beta", dims="obs"), 1, observed=Y, dims="left")


def rows_last() -> None:
    x = pm.Data("x", X.T, dims=("feature", "left"))
    pm.Normal("y", pm.Normal("beta", dims="feature") @ x, 1, observed=Y, dims="left")


REFUSALS = [
    (no_parameters, {}, "model has no free variables, so there is nothing to fit"),
    (likelihood_as_potential, {}, "a likelihood written as pm.Potential cannot be weighted"),
    (sparse_gp, {}, "model has no observed variable, so it has no rows"),
    (latent_gp, {}, "one value per row cannot be weighted, integrate it out"),
    (single_series, {}, "for a time series let a row be a whole series"),
    (random_walk, {}, "'walk': one value per row cannot be weighted"),
    (lagged_response, {}, "'y' is computed from its own values"),
    (lagged_covariate, {}, "the log-likelihood of a row depends on the values of other rows"),
    (rows_by_number, {}, "give a pm.Data that holds no rows dims of its own"),
    (other_dims, {}, "dimensions ['left', 'right'] all count 20 rows of observed variables"),
    (which_dim, {}, "where an observed variable has no dims, give it its own with dims="),
    (other_response_reads_rows, {"observed": "a"}, "'b' is not named in observed=, so it is part"),
    (circle, {}, "observed variables ['a', 'b'] are computed from each other's values"),
    (potential_of_response, {}, "would be double counted: once by weight in the likelihood of"),
    (potential_of_unread_covariate, {}, "pm.Potential 'extra' reads the rows of ['x']"),
    (potential_of_array, {}, "the rows that the model was built with would count in full in every"),
    (simulator, {}, "'y' is a pm.Simulator, which has no log density"),
    (no_density, {}, "the likelihood of 'y' has no log density"),
    (no_random, {}, "a pm.CustomDist without random=, so no synthetic rows can be drawn"),
    (black_box_likelihood, {}, "no gradient with respect to ['mu'] (pullback not implemented"),
    (black_box_prior, {}, "no gradient with respect to ['theta'] (pullback not implemented"),
    (xarray_dims, {}, "observed variable 'y' is written with pymc.dims"),
    (reserved_covariate, {}, "variable 'replicate' has a name that rows use themselves"),
    (reserved_response, {}, "variable 'real' has a name that rows use themselves"),
    (reserved_parameter, {}, "variable 'draw' has a name that posteriors and runs use themselves"),
    (reserved_dimension, {}, "dimension of x 'obs' has a name that rows use themselves"),
    (rows_last, {}, "pm.Data 'x' with dims ('feature', 'left'): put the row dimension first"),
]


@pytest.mark.filterwarnings(
    # PyMC 6.4 builds a pm.Simulator in a way that pytensor 3.3 deprecates.
    "ignore:RandomVariable Ops will stop hiding the rng output:DeprecationWarning",
    "ignore:Calling a RandomVariable without an explicit rng:DeprecationWarning",
)
@pytest.mark.parametrize(("body", "settings", "message"), REFUSALS)
def test_refusals(body: Callable[[], None], settings: dict, message: str) -> None:
    coords = {"left": range(N), "right": range(N), "feature": range(3)}
    if body is reserved_dimension:
        coords["obs"] = range(3)
    estimator = bc.Estimator(build(body, coords=coords), **settings)
    with pytest.raises(ValueError) as caught:
        _ = estimator.schema
    assert message in str(caught.value)


def test_parameters_with_a_sampler_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As BART registers its own: PyMC would choose it over NUTS."""

    class Trees(step_methods.Metropolis):
        @staticmethod
        def competence(var: pt.TensorVariable, has_grad: bool) -> Competence:
            return Competence.IDEAL if var.name == "trees" else Competence.INCOMPATIBLE

    def body() -> None:
        pm.Normal("y", pm.Normal("mu") + pm.Normal("trees", shape=3).sum(), 1, observed=Y)

    monkeypatch.setattr(step_methods, "STEP_METHODS", [*step_methods.STEP_METHODS, Trees])
    with pytest.raises(ValueError) as caught:
        _ = bc.Estimator(build(body)).schema
    assert "free variable 'trees' needs a sampler of its own (Trees)" in str(caught.value)
    assert "step methods are not used" in str(caught.value)


def test_discrete_parameters_are_refused_before_compilation() -> None:
    def body() -> None:
        pm.Normal("y", pm.Poisson("k", 2), 1, observed=Y)

    with pytest.raises(ValueError, match=r"free variables \['k'\] are discrete"):
        bc.Estimator(build(body)).engine("nuts")


def test_a_potential_of_parameters_is_part_of_the_prior() -> None:
    """Also one with constants as long as the rows, where they have dims of their own."""

    def body() -> None:
        beta = pm.Normal("beta", dims="right")
        scale = pm.Data("scale", np.linspace(1, 2, N), dims="right")
        pm.Normal("y", beta.sum(), 1, observed=Y, dims="left")
        pm.Potential("prior", -((beta / scale) ** 2).sum())

    model = build(body, coords={"left": range(N), "right": range(N)})
    assert [v.name for v in bc.Estimator(model).schema.variables] == ["y"]
