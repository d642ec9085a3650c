"""Variations on how people write models, each of which could go wrong without a word."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.model.transform.optimization import freeze_dims_and_data

from tests.documented import Documented

__all__ = ["NASTY"]

RNG = np.random.default_rng(77)
N = 21
X1, X2, Y = RNG.normal(size=N), RNG.normal(size=(N, 2)), RNG.normal(size=N)


def used_twice(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """A covariate used twice, transformed, through deterministics that build on each other."""
    with pm.Model() as model:
        x_data = pm.Data("x", x, dims="obs")
        square = pm.Deterministic("square", x_data**2, dims="obs")
        nested = pm.Deterministic("nested", pt.log1p(square) * x_data, dims="obs")
        beta = pm.Normal("beta", shape=3)
        mu = pm.Deterministic("mu", beta[0] * x_data + beta[1] * square + beta[2] * nested)
        pm.Normal("y", mu, pm.HalfNormal("sigma"), observed=y, dims="obs")
    return model


def frozen(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Immutable data and dimensions."""
    with pm.Model(coords={"obs": range(len(y)), "feature": ["a", "b"]}) as model:
        x_data = pm.Data("x", x, dims=("obs", "feature"))
        y_data = pm.Data("y_data", y, dims="obs")
        pm.Normal("y", x_data @ pm.Normal("beta", dims="feature"), 1, observed=y_data, dims="obs")
    return freeze_dims_and_data(model)


def single_precision(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Observed data in a pm.Data of single precision, integer covariate."""
    with pm.Model() as model:
        x_data = pm.Data("x", x)
        y_data = pm.Data("y_data", y.astype("float32"))
        pm.Normal("y", pm.Normal("beta") * x_data, 1, observed=y_data)
    return model


def counts_as_floats(y: np.ndarray) -> pm.Model:
    """Integer response given as floating point numbers."""
    with pm.Model() as model:
        y_data = pm.Data("y_data", y.astype(float))
        pm.Poisson("y", pm.Exponential("rate", 1), observed=y_data, shape=y_data.shape)
    return model


def our_names(y: np.ndarray) -> pm.Model:
    """Parameters called as things of ours are called elsewhere, and groups called obs."""
    with pm.Model(coords={"obs": ["a", "b"], "row": np.arange(len(y))}) as model:
        weights = pm.Normal("weights", dims="obs")
        real = pm.Normal("real")
        pm.Normal("y", weights.sum() + real, pm.HalfNormal("batch"), observed=y, dims="row")
    return model


def prefixed(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Names with a prefix."""
    with pm.Model() as model, pm.Model(name="sub"):
        x_data = pm.Data("x", x)
        pm.Normal("y", pm.Normal("beta") * x_data, 1, observed=y)
    return model


def as_many_groups_as_rows(group: np.ndarray, y: np.ndarray) -> pm.Model:
    """Fixed data that are as long as the rows, on a dimension of their own."""
    with pm.Model() as model:
        group_data = pm.Data("group", group, dims="obs")
        scale = pm.Data("scale", np.linspace(1, 2, N), dims="cluster")
        pm.Normal("y", pm.Normal("mu"), scale[group_data], observed=y, dims="obs")
    return model


def one_column(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Axes of length one, in the middle of the rows' own shape."""
    with pm.Model(coords={"target": ["left", "right"]}) as model:
        x_data = pm.Data("x", x, dims=("obs", "one"))
        beta = pm.Normal("beta", shape=2)
        pm.Normal("y", x_data[:, [0]] * beta, 1, observed=y, dims=("obs", "target"))
    return model


def pixels(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Bytes and truth values."""
    with pm.Model() as model:
        x_data = pm.Data("x", x, dims="obs")
        pm.Bernoulli("y", logit_p=pm.Normal("beta") * x_data / 255.0, observed=y, dims="obs")
    return model


def counted_mediator(y: np.ndarray, m: np.ndarray) -> pm.Model:
    """The data of a later, integer response are a covariate of the first one, without dims."""
    with pm.Model() as model:
        m_data = pm.Data("m_data", m)
        pm.Normal("y", pm.Normal("b") * m_data, 1, observed=y)
        pm.Poisson("m", pm.Exponential("rate", 1), observed=m_data)
    return model


def custom_component(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """A custom distribution inside a mixture, with a covariate of its own."""

    def shifted(mu: pt.TensorVariable, size: pt.TensorVariable) -> pt.TensorVariable:
        return pm.Normal.dist(mu, 0.5, size=size) + 1.0

    with pm.Model() as model:
        x_data = pm.Data("x", x)
        beta = pm.Normal("beta")
        components = [
            pm.CustomDist.dist(beta * x_data, dist=shifted, class_name="shifted"),
            pm.Normal.dist(-x_data, 2),
        ]
        pm.Mixture("y", w=[0.3, 0.7], comp_dists=components, observed=y)
    return model


def censored_by_row(limit: np.ndarray, y: np.ndarray) -> pm.Model:
    """A limit for every row."""
    with pm.Model() as model:
        limits = pm.Data("limit", limit, dims="obs")
        lifetimes = pm.Weibull.dist(pm.Gamma("shape", 5, 4), pm.Gamma("scale", 5, 4))
        pm.Censored("y", lifetimes, lower=None, upper=limits, observed=y, dims="obs")
    return model


LIMITS = RNG.uniform(0.5, 2, N)

NASTY: dict[str, Documented] = {
    "used twice": Documented(used_twice, {"x": X1, "y": Y}),
    "frozen": Documented(frozen, {"x": X2, "y": Y}),
    "single precision": Documented(
        single_precision, {"x": RNG.integers(-3, 4, N), "y": Y.astype("float32").astype(float)}
    ),
    "counts as floats": Documented(counts_as_floats, {"y": RNG.poisson(2, N)}),
    "our names": Documented(our_names, {"y": Y}),
    "as many groups as rows": Documented(
        as_many_groups_as_rows, {"group": np.arange(N).astype("int32"), "y": Y}
    ),
    "one column": Documented(one_column, {"x": X1[:, None], "y": X2}),
    "pixels": Documented(pixels, {"x": RNG.integers(0, 256, N).astype("uint8"), "y": X1 > 0}),
    "counted mediator": Documented(counted_mediator, {"y": Y, "m": RNG.poisson(2, N)}, ("y", "m")),
    "custom component": Documented(custom_component, {"x": X1, "y": Y}),
    "censored by row": Documented(
        censored_by_row, {"limit": LIMITS, "y": np.minimum(RNG.weibull(1, N), LIMITS)}
    ),
}
