"""Weights are weights: repeated rows, removed rows, powers of the posterior."""

import numpy as np
import pytest
import xarray as xr

from tests.families import FAMILIES, family_rows


def exact_summary(estimator, rows, weights):
    stats = estimator.exact.suffstats(estimator.schema.values(rows), np.asarray(weights, float)[None])
    return estimator.exact.summary(stats, (0.05, 0.5))


@pytest.mark.parametrize("family", FAMILIES)
def test_integer_weights_equal_repeated_rows(estimators, family):
    rows = family_rows(estimators[family], 15, seed=3)
    counts = np.random.default_rng(4).integers(0, 4, size=15)
    repeated = rows.isel(obs=np.repeat(np.arange(15), counts))
    weighted = exact_summary(estimators[family], rows, counts)
    plain = exact_summary(estimators[family], repeated, np.ones(counts.sum()))
    np.testing.assert_allclose(weighted, plain, rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_scaled_weights_are_a_power_of_the_posterior(estimators, family):
    """log p(theta | c w) - c (log p(theta | w) - log prior) - log prior is constant in theta."""
    from bayescollapse.estimator.forward import Density

    estimator = estimators[family]
    rows = family_rows(estimator, 15, seed=5)
    weights, factor = np.random.default_rng(6).uniform(0.5, 1.5, size=15), 2.5
    values = {name: value[0] for name, value in estimator.schema.values(rows).items()}
    stats = estimator.exact.suffstats(estimator.schema.values(rows), weights[None])
    draws = estimator.exact.draw(stats, 400, np.random.default_rng(7))
    one = {name: value[0] for name, value in draws.items()}
    ratio = (factor - 1) * (Density(estimator.row_model)(one, values) @ weights)
    importance = np.exp(ratio - ratio.max())
    importance /= importance.sum()
    packed = estimator.schema.pack(one, lead=1)
    scaled = exact_summary(estimator, rows, factor * weights)[0]
    ess = 1 / (importance**2).sum()
    assert (np.abs(importance @ packed - scaled[0]) < 5 * scaled[1] / np.sqrt(ess) + 1e-12).all()


def test_zero_weight_removes_a_row_for_nuts(logistic, logistic_rows):
    keep = np.ones(200)
    keep[150:] = 0
    removed = logistic.fit(logistic_rows.isel(obs=slice(0, 150)), draws=1000, seed=8)
    weighted = logistic.fit(logistic_rows, keep, draws=1000, seed=9)
    a, b = (tree["posterior"]["beta"].to_numpy().reshape(-1, 2) for tree in (removed, weighted))
    ess = min(float(tree["sample_stats"]["ess_bulk"]) for tree in (removed, weighted))
    assert (np.abs(a.mean(0) - b.mean(0)) < 4 * a.std(0) * np.sqrt(2 / ess)).all()
    assert (np.abs(np.log(a.std(0) / b.std(0))) < 4 / np.sqrt(ess)).all()


def test_zero_weight_on_an_impossible_row():
    """A row of zero likelihood with weight 0 changes nothing; with weight it is refused."""
    import pymc as pm

    import bayescollapse as bc

    with pm.Model() as waiting:
        rate = pm.Gamma("rate", 2.0, 1.0)
        pm.Exponential("y", rate, observed=np.ones(3))
    estimator = bc.Estimator(waiting)
    y = np.array([0.5, 1.0, 2.0, 1.5, -1.0])
    rows = xr.Dataset({"y": ("obs", y)})
    fitted = estimator.fit(rows, [1, 1, 1, 1, 0], draws=2000, seed=1)
    draws = fitted["posterior"]["rate"].to_numpy().ravel()
    mean, sd = 6 / 6, np.sqrt(6) / 6
    ess = float(fitted["sample_stats"]["ess_bulk"])
    assert np.isfinite(draws).all()
    assert abs(draws.mean() - mean) < 4 * sd / np.sqrt(ess)
    with pytest.raises(RuntimeError, match="rows"):
        estimator.fit(rows, np.ones(5), seed=1)
