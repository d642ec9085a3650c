"""The empirical distribution: Bayesian bootstrap, resampling, and the laws of their loops."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.estimator.emission import parse_emission
from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.models import empirical, gaussian

# |z| > 4 has probability 6.3e-5 under the null: a test of c comparisons fails falsely with
# probability below c * 6.3e-5.
TOLERANCE = 4.0
NORMAL = bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator())


def condition(engine, y, weights):
    y = np.asarray(y, dtype=float)[None]
    weights = np.asarray(weights, dtype=float)[None]
    group = Group(({"y": y},), None, y.shape[1], True, (0,))
    return engine.condition([group], [weights], FitSettings(1, 1, None, lambda attempt: 7))


def assert_mean(samples, expected):
    samples = np.asarray(samples)
    mcse = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    worst = np.max(np.abs(samples.mean(axis=0) - expected) / mcse)
    assert worst <= TOLERANCE, f"{worst:.1f} MCSE: {samples.mean(axis=0)} against {expected}"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    return rng.normal(50.0, 3.0, size=9), rng.uniform(0.1, 2.5, size=9)


def test_moments_of_a_draw_are_those_of_dirichlet_weights(data):
    """Mean and variance of mu, and mean of sigma squared, against their closed forms."""
    y, w = data
    fit = condition(empirical.estimator().engine(), y, w)
    total, mean = w.sum(), w @ y / w.sum()
    spread = w @ (y - mean) ** 2 / total
    draws = fit.draws(40_000, np.random.default_rng(2))
    mu, sigma = draws["mu"][0], draws["sigma"][0]
    assert_mean(mu, mean)
    assert_mean((mu - mean) ** 2, spread / (total + 1))
    assert_mean(sigma**2, spread * total / (total + 1))
    summary = fit.summary((0.5,))[0]
    np.testing.assert_allclose(summary[:2, 0], [mean, np.sqrt(spread / (total + 1))], rtol=1e-12)
    error = sigma.std() / np.sqrt(400)
    assert abs(summary[0, 1] - sigma.mean()) < TOLERANCE * error
    assert abs(summary[1, 1] / sigma.std() - 1) < TOLERANCE / np.sqrt(2 * 400) * 1.5
    point = fit.point()
    np.testing.assert_allclose(
        [point["mu"][0], point["sigma"][0]], [mean, np.sqrt(spread)], rtol=1e-10
    )


def test_a_draw_of_two_rows_is_a_beta_variable():
    """With values 0 and 1, mu is the second probability: Beta(w_2, w_1)."""
    from scipy.stats import beta, kstest

    fit = condition(empirical.estimator().engine(), [0.0, 1.0], [0.7, 2.2])
    mu = fit.draws(5000, np.random.default_rng(3))["mu"][0]
    # False alarm 1e-4.
    assert kstest(mu, beta(2.2, 0.7).cdf).pvalue > 1e-4


def test_integer_weights_equal_repeated_rows(data):
    y, _ = data
    counts = np.array([0, 1, 2, 3, 0, 1, 4, 1, 2])
    engine = empirical.estimator(summary_draws=4000).engine()
    weighted = condition(engine, y, counts).summary((0.1, 0.9))[0]
    repeated = condition(engine, np.repeat(y, counts), np.ones(counts.sum())).summary((0.1, 0.9))[0]
    np.testing.assert_allclose(weighted[:2, 0], repeated[:2, 0], rtol=1e-12)
    # Quantiles near 10 % of 4000 draws have an error below 0.03 sd in each fit.
    assert (np.abs(weighted - repeated) < TOLERANCE * np.sqrt(2) * 0.03 * repeated[1]).all()


def test_rows_of_weight_zero_are_never_emitted(data):
    y, _ = data
    w = np.array([0.0, 1.0, 0.0, 1e-3, 0.0, 2.0, 1.0, 0.0, 0.0])
    engine = empirical.estimator().engine()
    fit = condition(engine, y, w)
    rng = np.random.default_rng(4)
    for label in ("plug-in", "joint", "predictive", "ensemble(50)"):
        rows, _ = engine.emit(fit, parse_emission(label), 20_000, {}, rng, rng)
        assert set(rows["y"].ravel()) <= set(y[w > 0])


@pytest.mark.parametrize("label", ["plug-in", "joint", "predictive", "ensemble(5)"])
def test_pairs_of_emitted_rows_share_a_parent_as_often_as_they_should(label):
    """First row: weights over total. Two rows of one draw: E sum p^2; of none: sum of squares."""
    w = np.array([0.5, 1.0, 2.5])
    p, total = w / w.sum(), w.sum()
    engine = empirical.estimator().engine()
    lineages = 20_000
    group = Group(({"y": np.broadcast_to([0.0, 1.0, 2.0], (lineages, 3))},), None, 3, True, (0,))
    settings = FitSettings(1, 1, None, lambda attempt: 7)
    fit = engine.condition([group], [np.broadcast_to(w, (lineages, 3))], settings)
    rng = np.random.default_rng(5)
    rows, recorded = engine.emit(fit, parse_emission(label), 10, {}, rng, rng)
    for value in range(3):
        assert_mean(rows["y"][:, 0] == value, p[value])
    one_draw = (p * (w + 1) / (total + 1)).sum()
    apart = (p**2).sum()
    near = one_draw if label in ("joint", "ensemble(5)") else apart
    far = one_draw if label == "joint" else apart
    assert_mean(rows["y"][:, 0] == rows["y"][:, 1], near)
    assert_mean(rows["y"][:, 0] == rows["y"][:, 9], far)
    members = {"plug-in": 1, "joint": 1, "predictive": None, "ensemble(5)": 5}[label]
    assert (recorded is None) == (members is None)
    if recorded is not None:
        assert recorded["mu"].shape == (lineages, members)
        assert_mean(rows["y"].mean(axis=1) - recorded["mu"].mean(axis=1), 0.0)


def test_columns_are_resampled_together():
    rng = np.random.default_rng(6)
    y = rng.normal(size=(30, 3))
    learner = empirical.estimator(columns=3)
    rows = xr.Dataset({"y": (("obs", "column"), y)})
    posterior = learner.fit(rows, draws=4000, seed=1)
    out = learner.emit(posterior, 200, seed=2)["y"].to_numpy()
    known = {tuple(row) for row in y}
    assert {tuple(row) for row in out} <= known
    mu = posterior["posterior"]["mu"].to_numpy().reshape(-1, 3)
    assert_mean(mu, y.mean(axis=0))
    expected = np.cov(y.T, ddof=0) / 31
    centred = mu - y.mean(axis=0)
    assert_mean((centred[:, :, None] * centred[:, None, :]).reshape(-1, 9), expected.ravel())


def check_genealogy(scheme, emission, replicates=2000):
    """Two rows of a generation are copies of one of generation 0 with probability 1 - (1 - g)^t.

    The expected variance of the rows falls by the same factor; g is 1/m for independent rows and
    (1/m) N/(N+1) + 1/(K (N+1)) for K Dirichlet draws of total weight N.
    """
    n, m, generations = 12, 8, 6
    run = bc.Experiment(
        empirical.estimator(summary_draws=2),
        NORMAL,
        scheme,
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=replicates,
        keep_draws=0,
        keep_rows="none",
        references=(),
        probabilities=(),
        seed=7,
    ).run(progress=False)
    sd = run["summary"]["mu"].sel(statistic="sd").isel(scheme=0).to_numpy()
    rows = np.array([n] + [m] * (generations - 1))
    variance = sd**2 * (rows + 1)
    members = {"joint": 1, "ensemble(4)": 4}.get(emission, np.inf)
    g = rows / (rows + 1) / m + 1 / (members * (rows + 1)) if np.isfinite(members) else 1 / m
    survival = np.cumprod(1 - np.broadcast_to(g, generations))
    law = (1 - 1 / n) * np.concatenate([[1.0], survival[:-1]])
    assert_mean(variance, law)
    mean = run["summary"]["mu"].sel(statistic="mean").isel(scheme=0).to_numpy()
    # What the variance loses, the spread of the means between lineages gains.
    assert_mean(mean**2 + variance, 1.0)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive", "ensemble(4)"])
def test_variance_dies_with_the_genealogy(emission):
    check_genealogy(bc.schemes.replace(emission=emission), emission)


@pytest.mark.parametrize(
    ("mutant", "emission"),
    [
        (bc.schemes.replace(emission="plug-in"), "joint"),
        (bc.schemes.replace(), "predictive"),
        (bc.schemes.replace(emission="ensemble(2)"), "ensemble(4)"),
        (bc.schemes.weighted(0.1, emission="plug-in"), "plug-in"),
    ],
    ids=["plug-in", "joint", "ensemble", "share"],
)
def test_another_scheme_has_another_genealogy(mutant, emission):
    with pytest.raises(AssertionError, match="MCSE"):
        check_genealogy(mutant, emission)


def test_share_of_copies_under_replace():
    """Distinct values that are left: two rows agree with probability 1 - (1 - 1/n)^t."""
    n, generations, lineages = 10, 5, 300
    run = bc.Experiment(
        empirical.estimator(summary_draws=2),
        NORMAL,
        bc.schemes.replace(emission="plug-in"),
        n_real=n,
        generations=generations,
        replicates=lineages,
        keep_draws=0,
        keep_rows="all",
        references=(),
        probabilities=(),
        seed=8,
    ).run(progress=False)
    y = run["rows"]["y"].to_numpy()
    generation = run["rows"]["generation"].to_numpy()
    for t in range(generations):
        rows = y[generation == t].reshape(lineages, n)
        same = (rows[:, :, None] == rows[:, None, :]).sum(axis=(1, 2)) - n
        expected = 1 - (1 - 1 / n) ** t
        if t == 0:
            assert not same.any()
        else:
            assert_mean(same / (n * (n - 1)), expected)


def check_recursion(schemes, replicates):
    """Cramer-von-Mises distance of the weighted distribution, for schemes named by their share.

    He, Xu and Cheng (arXiv:2502.18049): a = 1/(6n), b = 1/(6m), c = 1 - 1/m.
    """
    from scipy.special import ndtr

    n, m, generations = 15, 15, 5
    terms = {"a": 1 / (6 * n), "b": 1 / (6 * m), "c": 1 - 1 / m}
    run = bc.Experiment(
        empirical.estimator(summary_draws=2),
        NORMAL,
        schemes,
        n_real=n,
        n_synthetic=m,
        generations=generations,
        replicates=replicates,
        keep_draws=0,
        keep_rows="all",
        references=(),
        probabilities=(),
        seed=9,
    ).run(progress=False)
    table = run["rows"].to_dataset()
    for label in schemes:
        law = theory.risk(generations, real_share=float(label), **terms)
        for t in range(generations):
            chosen = (table["scheme"] == label) & (table["generation"] == t)
            cell = table.isel(row=np.flatnonzero(chosen.to_numpy()))
            u = ndtr(cell["y"].to_numpy()).reshape(replicates, -1)
            weight = cell["weight"].to_numpy().reshape(replicates, -1)
            assert_mean(cramer_von_mises(u, weight), law[t])


@pytest.mark.parametrize("replicates", [400, pytest.param(20_000, marks=pytest.mark.verification)])
def test_distance_to_the_truth_follows_the_unified_recursion(replicates):
    schemes = {w: bc.schemes.weighted(float(w), emission="plug-in") for w in ("0.3", "0.6")}
    check_recursion(schemes, replicates)


@pytest.mark.parametrize(
    ("label", "mutant"),
    [
        ("0.3", bc.schemes.weighted(0.6, emission="plug-in")),
        ("0.3", bc.schemes.weighted(0.3)),
        ("0.3", bc.Scheme(supply="fixed", weighting=0.3, emission="plug-in")),
    ],
    ids=["share", "emission", "supply"],
)
def test_another_scheme_leaves_the_unified_recursion(label, mutant):
    with pytest.raises(AssertionError, match="MCSE"):
        check_recursion({label: mutant}, 400)


def cramer_von_mises(u, weight):
    """Integral of (F(u) - u)^2 over [0, 1] for weighted distributions on (lineage, row)."""
    order = np.argsort(u, axis=1)
    u, p = (np.take_along_axis(a, order, axis=1) for a in (u, weight))
    steps = np.cumsum(p, axis=1) / p.sum(axis=1, keepdims=True)
    heights = np.concatenate([np.zeros((len(u), 1)), steps], axis=1)
    edges = np.concatenate([np.zeros((len(u), 1)), u, np.ones((len(u), 1))], axis=1)
    cubes = (edges[:, 1:] - heights) ** 3 - (edges[:, :-1] - heights) ** 3
    return cubes.sum(axis=1) / 3


def test_accumulate_loses_less_than_replace():
    run = bc.Experiment(
        empirical.estimator(),
        NORMAL,
        {"replace": bc.schemes.replace(), "accumulate": bc.schemes.accumulate()},
        n_real=10,
        generations=25,
        replicates=100,
        keep_draws=0,
        seed=10,
    ).run(progress=False)
    sigma = run["summary"]["sigma"].sel(statistic="mean").isel(generation=-1).median("replicate")
    # Theory: variances (1 - g)^24 = 0.01 against about 0.9 of the first.
    assert float(sigma.sel(scheme="replace")) < 0.3
    assert float(sigma.sel(scheme="accumulate")) > 0.6


def test_mistakes_are_refused():
    with pytest.raises(ValueError, match="columns must be an integer"):
        empirical.estimator(columns=0)
    with pytest.raises(ValueError, match="summary_draws must be an integer of at least 2"):
        empirical.estimator(summary_draws=1)
    with pytest.raises(ValueError, match="missing or infinite"):
        empirical.estimator().fit(xr.Dataset({"y": ("obs", np.array([1.0, np.nan]))}))
