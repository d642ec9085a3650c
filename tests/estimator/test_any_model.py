"""Models written as their own documentation writes them, and nastier ones: weights and emission."""

from functools import cache, partial

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import bayescollapse as bc
from tests.documented import DOCUMENTED, Documented, Point, Weighted, points, reference
from tests.nasty_models import NASTY

MODELS = DOCUMENTED | NASTY
BATCHES, ROWS = 25, 2500


@cache
def weighted(name: str) -> tuple[bc.Estimator, Weighted]:
    """Made once; the template has fewer rows than what the density is evaluated with."""
    case = MODELS[name]
    ends = [0, case.count - 1]  # approximate Gaussian processes take their domain from the template
    estimator = bc.Estimator(case.build(**case.take(np.array([*ends, *range(3, 11)]))))
    return estimator, Weighted(estimator.row_model)


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_repeated_rows(name: str) -> None:
    """In value and gradient; weight 0 is no row; the number of rows is not the template's."""
    case, (_, model), rng = MODELS[name], weighted(name), np.random.default_rng(1)
    weights = rng.permutation(np.arange(case.count) % 4)
    weights[[0, -1]] = 2
    repeated = reference(case.build, case.rows, np.repeat(np.arange(case.count), weights))
    for point in points(model.model, 3, rng):
        expected = repeated(point)
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(model(case.rows, weights, point), expected, rtol=1e-9, atol=1e-9)


def posterior(model: pm.Model, point: Point) -> xr.DataTree:
    """One draw: the point on the parameters' own scale."""
    values = [model.rvs_to_values[rv] for rv in model.free_RVs]
    own = {
        rv.name: value if (t := model.rvs_to_transforms[rv]) is None else t.backward(value, *inputs)
        for rv, value in zip(model.free_RVs, values, strict=True)
        for inputs in [model.replace_rvs_by_values(rv.owner.inputs[2:])]
    }
    function = model.compile_fn(list(own.values()), inputs=values, mode="FAST_COMPILE")
    draws = {name: v[None, None] for name, v in zip(own, function(point), strict=True)}
    data = {
        name: (("chain", "draw", *(f"{name}_{i}" for i in range(value.ndim - 2))), value)
        for name, value in draws.items()
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(data)})


@pytest.mark.parametrize("name", MODELS)
def test_emitted_rows_have_the_law_of_the_density(name: str) -> None:
    """The score of rows drawn at a point has mean zero there, by model and by component.

    A 7 sd limit for the t statistic of 25 batches: 3e-7 a component, 6e-5 in all.
    """
    case, (estimator, model), rng = MODELS[name], weighted(name), np.random.default_rng(2)
    schema, [point] = estimator.schema, points(model.model, 1, rng)
    index = rng.integers(0, case.count, ROWS)
    given = case.dataset().isel(obs=index)[[v.name for v in schema.covariates]]
    emitted = estimator.emit(posterior(model.built.model, point), ROWS, covariates=given, seed=3)
    for response in schema.responses:
        array = emitted[response.name]
        assert array.dims == ("obs", *response.dims)
        assert (array.shape, str(array.dtype)) == ((ROWS, *response.shape), response.dtype)
        for dim in response.dims:
            assert list(array.coords[dim].values if dim in array.coords else []) == list(
                schema.coords.get(dim, ())
            )
    rows = {name: emitted[name].to_numpy() for name in case.rows}
    none = model(rows, np.zeros(ROWS), point)
    batch = np.arange(ROWS) % BATCHES
    scores = np.stack([model(rows, batch == b, point) - none for b in range(BATCHES)])[:, 1:]
    assert np.isfinite(scores).all()
    error = scores.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    assert (np.abs(scores.mean(axis=0)) < 7 * error + 1e-8).all()


def from_rows(build: object, given: dict, rows: xr.Dataset) -> pm.Model:
    """Model of a person who writes a function of the rows; `given` has what it is called with."""
    return build(**{name: rows[name].to_numpy() for name in given})


@pytest.mark.parametrize("name", ["rugby", "softmax", "HSGP", "mediation", "frozen"])
def test_functions_of_rows(name: str) -> None:
    """``f(rows)`` with a template, and ``f()``, describe the same rows as the model itself."""
    case = MODELS[name]
    expected = bc.Estimator(case.build(**case.rows)).schema
    with_rows = partial(from_rows, case.build, dict.fromkeys(case.rows))
    estimator = bc.Estimator(with_rows, template=case.dataset())
    assert estimator.schema == expected
    assert bc.Estimator(partial(case.build, **case.rows)).schema == expected
    values = estimator.schema.values(relabelled(case, estimator))
    for variable in estimator.schema.variables:
        np.testing.assert_array_equal(values[variable.name][0], case.rows[variable.name])


def relabelled(case: Documented, estimator: bc.Estimator) -> xr.Dataset:
    return estimator.schema.dataset({n: v[None] for n, v in case.rows.items()}, replicate=0)


EVERYDAY = ("rugby", "ordered mixture")


@pytest.mark.parametrize(
    "name",
    [n if n in EVERYDAY else pytest.param(n, marks=pytest.mark.verification) for n in DOCUMENTED],
)
@pytest.mark.filterwarnings("ignore:divide by zero encountered:RuntimeWarning")
def test_fit_and_emit(name: str) -> None:
    """Through the public interface alone, with weights, and other rows than the template's."""
    case, (estimator, _) = DOCUMENTED[name], weighted(name)
    schema, rows = estimator.schema, relabelled(case, estimator)
    weights = np.where(np.arange(case.count) == 5, 0.0, 0.7)
    tree = estimator.fit(rows, weights, draws=200, tune=200, seed=4)
    for parameter in schema.parameters:
        array = tree["posterior"][parameter.name]
        assert array.dims == ("chain", "draw", *parameter.dims)
        assert np.isfinite(array).all()
        for dim in set(parameter.dims) & set(schema.coords):
            assert list(array[dim].values) == list(schema.coords[dim])
    given = rows.isel(obs=slice(7))[[v.name for v in schema.covariates]]
    emitted = estimator.emit(tree, 7, covariates=given, seed=5)
    assert set(emitted.data_vars) == set(rows.data_vars)
    assert emitted.sizes["obs"] == 7
    np.testing.assert_array_equal(tree["constant_data"]["weights"], weights)
