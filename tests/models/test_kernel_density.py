"""Kernel density with a bandwidth posterior, against loops by hand and the laws of its loops."""

import math

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.estimator import atoms
from bayescollapse.estimator.emission import parse_emission
from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.models import gaussian, kernel_density

# |z| > 4 has probability 6.3e-5 under the null.
TOLERANCE = 4.0
NORMAL = bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator())


def condition(engine, y, weights):
    """Fit replicates y (replicate, obs, …) at weights (replicate, obs)."""
    group = Group(({"y": np.asarray(y, dtype=float)},), None, np.shape(y)[1], True, (0,))
    settings = FitSettings(1, 1, None, lambda attempt: 7)
    return engine.condition([group], [np.asarray(weights, dtype=float)], settings)


def assert_mean(samples, expected, slack=0.0):
    samples = np.asarray(samples)
    mcse = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    gap = np.abs(samples.mean(axis=0) - expected) - slack * np.abs(expected)
    assert np.max(gap / mcse) <= TOLERANCE, f"{samples.mean(axis=0)} against {expected}"


def log_normal(distance_squared, h, columns):
    return -0.5 * distance_squared / h**2 - columns * math.log(h * math.sqrt(2 * math.pi))


def leave_one_out(y, w, h):
    """Weighted leave-one-out log-likelihood, loop by loop."""
    total = 0.0
    for i in range(len(y)):
        density = 0.0
        for j in range(len(y)):
            if j != i:
                square = sum((a - b) ** 2 for a, b in zip(y[i], y[j], strict=True))
                density += w[j] / (sum(w) - w[i]) * math.exp(log_normal(square, h, len(y[i])))
        if w[i]:
            total += w[i] * math.log(density)
    return total


@pytest.mark.parametrize("columns", [None, 2])
def test_grid_posterior_is_the_one_of_nested_loops(columns):
    rng = np.random.default_rng(1)
    shape = (2, 8) if columns is None else (2, 8, columns)
    y, w = rng.normal(size=shape), rng.uniform(0.2, 2.0, size=(2, 8))
    w[0, 3] = 0.0
    engine = kernel_density.estimator(
        columns=columns, prior_median=0.6, prior_log_sd=0.4, points_per_octave=4
    ).engine()
    fit = condition(engine, y, w)
    grid = [0.6 * 2.0 ** (i / 4) for i in range(10, -11, -1)]
    np.testing.assert_allclose(engine.grid, grid)
    assert abs(math.log(grid[0] / 0.6) / 0.4) >= 4
    for r in range(2):
        rows = y[r].reshape(8, -1).tolist()
        log = [
            leave_one_out(rows, w[r].tolist(), h) - 0.5 * (math.log(h / 0.6) / 0.4) ** 2
            for h in grid
        ]
        mass = np.exp(np.array(log) - max(log))
        mass /= mass.sum()
        np.testing.assert_allclose(np.exp(fit.log_mass[r]), mass, rtol=1e-9, atol=1e-300)
        mean = mass @ grid
        np.testing.assert_allclose(fit.point()["bandwidth"][r], mean)
        summary = fit.summary((0.025, 0.5, 0.975))[r]
        np.testing.assert_allclose(summary[1, 0], math.sqrt(mass @ (np.array(grid) - mean) ** 2))
        for place, p in zip((2, 3, 4), (0.025, 0.5, 0.975), strict=True):
            reached = [h for h in sorted(grid) if mass[np.array(grid) <= h].sum() >= p]
            assert summary[place, 0] == pytest.approx(reached[0])


def test_held_out_density_is_the_one_of_nested_loops():
    rng = np.random.default_rng(2)
    y, w = rng.normal(size=(1, 7)), rng.uniform(0.2, 2.0, size=(1, 7))
    engine = kernel_density.estimator(prior_median=0.6, prior_log_sd=0.4).engine()
    fit = condition(engine, y, w)
    points = np.array([-3.0, 0.1, 0.4, 40.0])
    found = engine.log_predictive(fit, {"y": points[None]}, rng)[0]
    for x, value in zip(points, found, strict=True):
        terms = [
            log_mass + math.log(w[0, j] / w[0].sum()) + log_normal((x - y[0, j]) ** 2, h, 1)
            for h, log_mass in zip(engine.grid, fit.log_mass[0], strict=True)
            for j in range(7)
        ]
        assert value == pytest.approx(np.logaddexp.reduce(terms), rel=1e-9)


def test_density_integrates_to_one_and_rows_follow_it():
    rng = np.random.default_rng(3)
    y, w = np.array([[-1.0, 0.2, 3.0, 3.4]]), np.array([[1.0, 0.5, 2.0, 1.0]])
    engine = kernel_density.estimator(prior_log_sd=0.5).engine()
    fit = condition(engine, y, w)
    x = np.linspace(-25.0, 25.0, 20_001)
    density = np.exp(engine.log_predictive(fit, {"y": x[None]}, rng)[0])
    step = x[1] - x[0]
    assert density.sum() * step == pytest.approx(1.0, abs=1e-6)
    rows, _ = engine.emit(fit, parse_emission("predictive"), 20_000, {}, rng, rng)
    from scipy.stats import kstest

    # False alarm 1e-4.
    cdf = np.cumsum(density) * step
    assert kstest(rows["y"][0], lambda v: np.interp(v, x, cdf)).pvalue > 1e-4


def test_emissions_share_bandwidths_as_they_say():
    """With one atom that carries nearly all weight, rows of one bandwidth have its spread."""
    rng = np.random.default_rng(4)
    lineages, m = 20_000, 8
    y = np.broadcast_to([0.0, 0.5], (lineages, 2))
    w = np.broadcast_to([1.0, 1e-9], (lineages, 2))
    engine = kernel_density.estimator(prior_log_sd=0.3).engine()
    fit = condition(engine, y, w)
    mass = np.exp(fit.log_mass[0])
    first, second = mass @ engine.grid, mass @ engine.grid**2
    far = {"plug-in": first**2, "joint": second, "predictive": first**2, "ensemble(2)": first**2}
    for label, expected in far.items():
        rows, recorded = engine.emit(fit, parse_emission(label), m, {}, rng, rng)
        # Sizes over the mean size of a standard normal variable.
        size = np.abs(rows["y"]) * np.sqrt(np.pi / 2)
        assert_mean(size[:, 0], first)
        assert_mean(size[:, 0] * size[:, -1], expected)
        near = second if label in ("joint", "ensemble(2)") else expected
        assert_mean(size[:, 0] * size[:, 1], near)
        if recorded is not None:
            np.testing.assert_allclose(
                recorded["sigma"] ** 2 - recorded["bandwidth"] ** 2, 0.25e-9, rtol=1e-3, atol=1e-15
            )


def test_bounded_memory_gives_the_same_sums(monkeypatch):
    rng = np.random.default_rng(5)
    y, w = rng.normal(size=(5, 40, 2)), rng.uniform(size=(5, 40))
    points = rng.normal(size=(5, 7, 2))
    settings = (y, w, 3.0, 4, 60)
    whole = [atoms.log_kernel_sums(p, *settings) for p in (None, points)]
    monkeypatch.setattr(atoms, "CHUNK", 90)
    parts = [atoms.log_kernel_sums(p, *settings) for p in (None, points)]
    for one, two in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def test_rows_far_from_all_others_stay_finite():
    engine = kernel_density.estimator().engine()
    fit = condition(engine, np.array([[0.0, 1.0, 1e6]]), np.ones((1, 3)))
    assert np.isfinite(fit.point()["bandwidth"]).all()
    assert fit.figures["edge_mass"][0] > 0.99


def test_more_rows_make_a_narrower_kernel():
    """The bandwidth falls about as n^(-1/5) for a Gaussian."""
    rng = np.random.default_rng(6)
    engine = kernel_density.estimator().engine()
    means = []
    for n in (50, 400):
        fit = condition(engine, rng.normal(size=(40, n)), np.ones((40, n)))
        means.append(fit.point()["bandwidth"].mean())
    assert 0.5 < np.log(means[0] / means[1]) / np.log(8) / 0.2 < 1.5


def loop_variance(scheme, bandwidth=0.5, **settings):
    """Variance of the density (replicate, generation) at a bandwidth that is known."""
    run = bc.Experiment(
        kernel_density.estimator(prior_median=bandwidth, prior_log_sd=1e-3),
        NORMAL,
        scheme,
        keep_draws=0,
        keep_rows="none",
        references=(),
        probabilities=(),
        **settings,
    ).run(progress=False)
    np.testing.assert_allclose(run["summary"]["bandwidth"].sel(statistic="mean"), bandwidth)
    return run["summary"]["sigma"].sel(statistic="mean").isel(scheme=0).to_numpy() ** 2


def check_growth(variance, n=60, h=0.5):
    """Exact at a fixed bandwidth: E V_{t+1} = (1 - 1/m)(V_t + h^2) for the rows' variance."""
    law = theory.kernel_within_variance(np.arange(6), n=n, bandwidth=h)
    by_hand = [1 - 1 / n]
    for _ in range(5):
        by_hand.append((1 - 1 / n) * (by_hand[-1] + h**2))
    np.testing.assert_allclose(law, by_hand, rtol=1e-12)
    assert_mean(variance - h**2, law)


GROWTH = {"n_real": 60, "generations": 6, "seed": 7}


@pytest.mark.parametrize("emission", ["plug-in", "joint"])
def test_every_generation_adds_the_square_of_the_bandwidth(emission):
    check_growth(loop_variance(bc.schemes.replace(emission=emission), replicates=600, **GROWTH))


@pytest.mark.parametrize(
    ("mutant", "bandwidth"),
    [
        (bc.schemes.weighted(0.2), 0.5),
        (bc.schemes.accumulate(), 0.5),
        (bc.schemes.replace(), 0.4),
    ],
    ids=["share", "memory", "bandwidth"],
)
def test_another_loop_adds_something_else(mutant, bandwidth):
    variance = loop_variance(mutant, bandwidth, replicates=256, **GROWTH)
    with pytest.raises(AssertionError, match="against"):
        check_growth(variance)


def check_bounded(scheme, replicates, generations):
    """Q14: real share 0.3, density variance 1 + h^2 (1 - 0.7^(t+1))/0.3 (large n, 2 % allowed).

    Khelifa, Turner and Venkataramanan (arXiv:2602.16601).
    """
    h, share = 0.5, 0.3
    settings = {"n_real": 200, "generations": generations, "seed": 8}
    variance = loop_variance(scheme, h, replicates=replicates, **settings)
    t = np.arange(generations)
    law = theory.kernel_variance(t, bandwidth=h, real_share=share).density
    np.testing.assert_allclose(law, 1 + h**2 * (1 - (1 - share) ** (t + 1)) / share, rtol=1e-12)
    assert_mean(variance, law, slack=0.02)
    if generations > 12:
        assert_mean(variance[:, -1], 1 + h**2 / share, slack=0.02)


@pytest.mark.parametrize(
    ("replicates", "generations"),
    [(128, 6), pytest.param(600, 14, marks=pytest.mark.verification)],
)
def test_real_rows_bound_the_variance_of_the_density(replicates, generations):
    check_bounded(bc.schemes.weighted(0.3), replicates, generations)


@pytest.mark.parametrize(
    "mutant", [bc.schemes.replace(), bc.schemes.weighted(0.6)], ids=["no real rows", "share"]
)
def test_another_real_share_has_another_bound(mutant):
    with pytest.raises(AssertionError, match="against"):
        check_bounded(mutant, 128, 5)


def test_columns_and_text_book_use():
    rng = np.random.default_rng(9)
    y = rng.normal(size=(80, 2)) * [1.0, 3.0]
    learner = kernel_density.estimator(columns=2)
    posterior = learner.fit(xr.Dataset({"y": (("obs", "column"), y)}), seed=1)
    h = posterior["posterior"]["bandwidth"].to_numpy()
    sigma = posterior["posterior"]["sigma"].to_numpy()
    np.testing.assert_allclose(sigma**2, y.var(axis=0) + h[..., None] ** 2)
    out = learner.emit(posterior, 20_000, emission="plug-in", seed=2)["y"].to_numpy()
    centred = (out - y.mean(axis=0)) ** 2
    assert_mean(centred, y.var(axis=0) + h.mean() ** 2, slack=0.01)


def test_mistakes_are_refused():
    with pytest.raises(ValueError, match="points_per_octave must be even, got 3"):
        kernel_density.estimator(points_per_octave=3)
    with pytest.raises(ValueError, match="prior_median must be a positive finite number"):
        kernel_density.estimator(prior_median=0.0)
    with pytest.raises(ValueError, match="at least two rows of positive weight"):
        kernel_density.estimator().fit(xr.Dataset({"y": ("obs", np.arange(3.0))}), [0, 1, 0])
