"""Exact posteriors against NUTS on the PyMC definition, under weights that are not integers."""

import numpy as np
import pytest

from tests.families import COMPILED, FAMILIES, family_rows

# Bulk and tail comparisons: about 40 z-scores at |z| > 4, false alarm below 40 * 6.3e-5 = 0.3 %.
TOLERANCE = 4.0


@pytest.mark.parametrize("family", COMPILED)
def test_nuts_agrees_with_exact(estimators, family):
    estimator = estimators[family]
    rows = family_rows(estimator, 30, seed=1)
    weights = np.random.default_rng(2).uniform(0.1, 1.7, size=30)
    sampled = estimator.fit(rows, weights, method="nuts", draws=2000, chains=2, seed=3)
    assert bool(sampled["sample_stats"]["passed"])
    values = estimator.schema.values(rows)
    sampler = estimator.exact
    stats = sampler.suffstats(values, weights[None])
    exact = sampler.summary(stats, (0.1, 0.9))[0]
    draws = estimator.schema.pack(
        {p.name: sampled["posterior"][p.name].to_numpy() for p in estimator.schema.parameters}, lead=2
    )
    pooled = draws.reshape(-1, draws.shape[-1])
    ess = float(sampled["sample_stats"]["ess_bulk"])
    tail = float(sampled["sample_stats"]["ess_tail"])
    sd = exact[1]
    assert (np.abs(pooled.mean(axis=0) - exact[0]) <= TOLERANCE * sd / np.sqrt(ess)).all()
    kurtosis = ((pooled - exact[0]) ** 4).mean(axis=0) / sd**4
    sd_mcse = sd * np.sqrt((kurtosis - 1) / (4 * tail))
    assert (np.abs(pooled.std(axis=0) - sd) <= TOLERANCE * sd_mcse).all()
    for level, quantile in ((0.1, exact[2]), (0.9, exact[3])):
        below = (pooled <= quantile).mean(axis=0)
        assert (np.abs(below - level) <= TOLERANCE * np.sqrt(level * (1 - level) / tail)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_exact_draws_match_the_exact_summary(estimators, family):
    estimator = estimators[family]
    rows = family_rows(estimator, 30, seed=1)
    weights = np.random.default_rng(2).uniform(0.1, 1.7, size=30)
    sampler = estimator.exact
    stats = sampler.suffstats(estimator.schema.values(rows), weights[None])
    exact = sampler.summary(stats, (0.1, 0.9))[0]
    draws = estimator.schema.pack(sampler.draw(stats, 40_000, np.random.default_rng(4)), lead=2)[0]
    mcse = exact[1] / np.sqrt(len(draws))
    assert (np.abs(draws.mean(axis=0) - exact[0]) <= TOLERANCE * mcse).all()
    kurtosis = ((draws - exact[0]) ** 4).mean(axis=0) / exact[1] ** 4
    assert (np.abs(draws.std(axis=0) - exact[1]) <= TOLERANCE * exact[1] * np.sqrt((kurtosis - 1) / (4 * len(draws)))).all()
    for level, quantile in ((0.1, exact[2]), (0.9, exact[3])):
        below = (draws <= quantile).mean(axis=0)
        assert (np.abs(below - level) <= TOLERANCE * np.sqrt(level * (1 - level) / len(draws))).all()
    means = estimator.schema.pack(sampler.mean(stats), lead=1)[0]
    np.testing.assert_allclose(means, exact[0], rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_forward_and_density_agree_with_the_pymc_model(estimators, family):
    """The NumPy density of the exact sampler is PyMC's; its rows have the moments of PyMC's rows."""
    from bayescollapse.estimator.forward import Density, Forward

    estimator = estimators[family]
    sampler, schema = estimator.exact, estimator.schema
    values = schema.values(family_rows(estimator, 30, seed=1))
    stats = sampler.suffstats(values, None)
    draws = sampler.draw(stats, 3, np.random.default_rng(1))
    one = {name: value[0] for name, value in draws.items()}
    rows = {name: value[0] for name, value in values.items()}
    expected = Density(estimator.row_model)(one, rows)
    # PyMC's normal density holds its constant in single precision: 1.2e-8 nats off.
    np.testing.assert_allclose(sampler.log_density(draws, values)[0], expected, rtol=1e-10, atol=3e-8)
    m = 4000
    point = {name: value[:, :1] for name, value in draws.items()}
    single = {name: value[0, 0] for name, value in draws.items()}
    index = np.random.default_rng(2).integers(30, size=m)
    x = {v.name: values[v.name][:, index] for v in schema.covariates}
    fast = sampler.forward(point, x, m, np.random.default_rng(3))["y"][0]
    slow = Forward(estimator.row_model)(single, {n: v[0] for n, v in x.items()}, m, np.random.default_rng(4))["y"]
    for power in (1, 2):
        a, b = fast.astype(float) ** power, slow.astype(float) ** power
        assert abs(a.mean() - b.mean()) <= TOLERANCE * np.sqrt((a.var() + b.var()) / m)


@pytest.mark.parametrize("family", FAMILIES)
def test_batches_merge_to_the_whole(estimators, family):
    estimator = estimators[family]
    sampler, schema = estimator.exact, estimator.schema
    first, second = (schema.values(family_rows(estimator, n, seed=n)) for n in (12, 9))
    whole = {name: np.concatenate([first[name], second[name]], axis=1) for name in first}
    weights = np.concatenate([np.full(12, 0.4), np.full(9, 1.3)])[None]
    merged = sampler.merge([sampler.suffstats(first, None), sampler.suffstats(second, None)], [0.4, 1.3])
    expected = sampler.summary(sampler.suffstats(whole, weights), (0.25,))
    np.testing.assert_allclose(sampler.summary(merged, (0.25,)), expected, rtol=1e-10)
