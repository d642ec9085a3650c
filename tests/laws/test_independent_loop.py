"""The engine against loops written out by hand, and against NUTS, at a few generations."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.models import gaussian_mean, linear_regression
from bayescollapse.sources import NormalCovariates
from bayescollapse.streams import Streams
from tests.laws.support import noticed, posterior_mean, sweep

BLOCK, SEED = 128, 51


def normal(purpose, generation, shape):
    return Streams(SEED).generator(purpose, block=0, generation=generation).standard_normal(shape)


MEAN = {"sd": 2.0, "prior_mean": 1.0, "prior_sd": 0.8}


def mean_by_hand(emission, n=7, m=5, share=0.3, truth=-1.0):
    """Posterior means (replicate, generation) of a plain loop over the engine's streams."""
    sd, precision_of_prior = MEAN["sd"], 1 / MEAN["prior_sd"] ** 2
    expected = np.empty((BLOCK, 5))
    synthetic = None
    for t in range(5):
        real = truth + sd * normal("real", t, (BLOCK, n))
        if t == 0:
            total, mean = n, real.mean(axis=1)
        else:
            total = n + m
            mean = share * real.mean(axis=1) + (1 - share) * synthetic.mean(axis=1)
        precision = total / sd**2 + precision_of_prior
        weighted = mean * total / sd**2 + MEAN["prior_mean"] * precision_of_prior
        expected[:, t] = weighted / precision
        draws = {"plug-in": 0, "joint": 1, "predictive": m}[emission]
        theta = expected[:, t, None]
        if draws:
            theta = theta + normal("parameters", t, (BLOCK, draws)) / np.sqrt(precision)
        synthetic = theta + sd * normal("synthetic", t, (BLOCK, m))
    return expected


def check_mean(scheme, emission):
    run = sweep(
        gaussian_mean.estimator(**MEAN),
        bc.Truth(mu=-1.0),
        scheme,
        n_real=7,
        n_synthetic=5,
        generations=5,
        replicates=20,
        seed=SEED,
    )
    np.testing.assert_allclose(posterior_mean(run, "mu"), mean_by_hand(emission)[:20], rtol=1e-12)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
def test_gaussian_mean_by_hand(emission):
    """The same streams through a plain loop give the same posterior means."""
    check_mean(bc.schemes.weighted(0.3, emission=emission), emission)


@pytest.mark.parametrize(
    "mutant",
    [
        bc.schemes.weighted(0.3, emission="predictive"),
        bc.schemes.weighted(0.3 + 1e-9),
        bc.schemes.weighted(0.3, total_weight=12.0 + 1e-9),
        bc.schemes.weighted(0.3, memory="window(2)"),
        bc.Scheme(supply="fixed", weighting=0.3),
    ],
    ids=["emission", "share", "total weight", "memory", "supply"],
)
def test_another_loop_gives_other_means(mutant):
    with noticed():
        check_mean(mutant, "joint")


def check_regression(scheme):
    """Rows of all generations, fitted by least squares with weight 1."""
    n, generations, beta = 9, 4, np.array([1.0, -2.0])
    run = sweep(
        linear_regression.estimator(features=2, noise_sd=1.0),
        bc.Truth(beta=beta, covariates=NormalCovariates(2)),
        scheme,
        n_real=n,
        generations=generations,
        replicates=3,
        seed=SEED,
    )
    rng = Streams(SEED).generator("real", block=0, generation=0)
    x = rng.standard_normal((BLOCK, n, 2))
    designs, responses = [x], [rng.standard_normal((BLOCK, n)) + x @ beta]
    for t in range(generations):
        for r in range(3):
            rows = np.concatenate([d[r] for d in designs])
            values = np.concatenate([y[r] for y in responses])
            fit = np.linalg.lstsq(rows, values)[0]
            np.testing.assert_allclose(posterior_mean(run, "beta")[r, t], fit, rtol=1e-9)
        x = normal("covariates", t, (BLOCK, n, 2))
        noise = normal("synthetic", t, (BLOCK, n))
        point = np.zeros((BLOCK, 2))
        point[:3] = posterior_mean(run, "beta")[:, t]
        designs.append(x)
        responses.append(noise + np.einsum("rnp,rp->rn", x, point))


def test_regression_by_hand():
    check_regression(bc.schemes.accumulate(emission="plug-in"))


@pytest.mark.parametrize(
    "mutant",
    [
        bc.schemes.accumulate(),
        bc.schemes.replace(emission="plug-in"),
        bc.schemes.accumulate(emission="plug-in", covariates="fixed"),
    ],
    ids=["emission", "memory", "covariates"],
)
def test_another_regression_gives_other_fits(mutant):
    with noticed():
        check_regression(mutant)


WEIGHTED = bc.schemes.weighted(0.35, total_weight="kish")


@pytest.fixture(scope="module")
def cells(estimators):
    """Exact fits of four cells: rows with weights, seed, mean and sd."""
    run = bc.Experiment(
        estimators["regression known noise"],
        bc.Truth(beta=[1.0, 2.0], covariates=NormalCovariates(2)),
        {"weighted": WEIGHTED},
        n_real=20,
        generations=3,
        replicates=2,
        keep_rows="all",
    ).run(progress=False)
    out = []
    for replicate in range(2):
        for generation in (1, 2):
            where = {"scheme": "weighted", "replicate": replicate, "generation": generation}
            cell = bc.cell(run, **where)
            rows = cell["observed_data"].to_dataset().assign(x=cell["constant_data"]["x"])
            exact = run["summary"]["beta"].sel(where)
            moments = [exact.sel(statistic=name).to_numpy() for name in ("mean", "sd")]
            out.append((rows, cell["constant_data"]["weights"], generation, *moments))
    return out


def check_cell(estimator, rows, weights, seed, mean, sd):
    """Means within 4 MCSE, sds within 10 %."""
    refit = estimator.fit(rows, weights, method="nuts", draws=1000, seed=seed)
    draws = refit["posterior"]["beta"].to_numpy().reshape(-1, 2)
    mcse = sd / np.sqrt(float(refit["sample_stats"]["ess_bulk"]))
    z = np.abs(draws.mean(axis=0) - mean) / mcse
    assert (z < 4).all(), f"{z.max():.1f} MCSE"
    ratio = draws.std(axis=0) / sd
    np.testing.assert_allclose(ratio, 1.0, rtol=0.1)


def test_nuts_refits_the_cells_of_an_exact_run(estimators, cells):
    for cell in cells:
        check_cell(estimators["regression known noise"], *cell)


def test_other_weights_give_other_cells(estimators, cells):
    """Negative control: the same rows with equal weights of the same total, or of another one."""
    rows, weights, *fitted = cells[1]
    weights = weights.to_numpy()
    for wrong in (np.full(len(weights), weights.mean()), 0.6 * weights):
        with noticed():
            check_cell(estimators["regression known noise"], rows, wrong, *fitted)
