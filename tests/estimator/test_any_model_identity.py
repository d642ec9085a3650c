"""What a run knows its model by: everything but the rows."""

from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import bayescollapse as bc

X, Y = np.linspace(0, 1, 6), np.arange(6.0)


def fixed_data(scale: float = 2.0, rows: slice = slice(None)) -> pm.Model:
    with pm.Model() as model:
        prior_scale, x = pm.Data("prior_scale", scale), pm.Data("x", X[rows], dims="obs")
        pm.Normal("y", pm.Normal("beta", 0, prior_scale) * x, 1, observed=Y[rows], dims="obs")
    return model


def inner_graph(scale: float = 2.0, rows: slice = slice(None)) -> pm.Model:
    def dist(mu: pt.TensorVariable, size: pt.TensorVariable) -> pt.TensorVariable:
        return pm.Normal.dist(mu, scale, size=size) + 1.0

    with pm.Model() as model:
        y = pm.Data("y_data", Y[rows])
        pm.CustomDist("y", pm.Normal("mu"), dist=dist, observed=y, shape=y.shape)
    return model


def tabulated(*, table: np.ndarray) -> pm.Model:
    return fixed_data(table.std())


@pytest.mark.parametrize("build", [fixed_data, inner_graph])
def test_constants_count_wherever_they_are_and_rows_do_not(build) -> None:
    mark = bc.Estimator(build()).fingerprint()
    assert bc.Estimator(build()).fingerprint() == mark
    assert bc.Estimator(build(rows=slice(4))).fingerprint() == mark
    assert bc.Estimator(build(3.0)).fingerprint() != mark


def test_settings_count_in_full():
    """A shortened array would make two settings look alike."""
    first = np.arange(2000.0) / 3
    second = first.copy()
    second[1000] += 1e-9
    marks = [
        bc.Estimator(partial(tabulated, table=table)).fingerprint()
        for table in (first, second, first.copy())
    ]
    assert marks[0] == marks[2] != marks[1]
