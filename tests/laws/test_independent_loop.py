"""The engine against loops written out by hand, and against NUTS, at a few generations."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.models import gaussian_mean, linear_regression
from bayescollapse.sources import NormalCovariates
from bayescollapse.streams import Streams
from tests.laws.support import posterior_mean, sweep

BLOCK, SEED = 128, 51


def normal(purpose, generation, shape):
    return Streams(SEED).generator(purpose, block=0, generation=generation).standard_normal(shape)


@pytest.mark.parametrize("emission", ["plug-in", "joint", "predictive"])
def test_gaussian_mean_by_hand(emission):
    """The same streams through a plain loop give the same posterior means."""
    n, m, share, prior_mean, prior_sd, sd, truth = 7, 5, 0.3, 1.0, 0.8, 2.0, -1.0
    run = sweep(
        gaussian_mean.estimator(sd=sd, prior_mean=prior_mean, prior_sd=prior_sd),
        bc.Truth(mu=truth),
        bc.schemes.weighted(share, emission=emission),
        n_real=n,
        n_synthetic=m,
        generations=5,
        replicates=20,
        seed=SEED,
    )
    expected = np.empty((BLOCK, 5))
    synthetic = None
    for t in range(5):
        real = truth + sd * normal("real", t, (BLOCK, n))
        if t == 0:
            total, mean = n, real.mean(axis=1)
        else:
            total = n + m
            mean = share * real.mean(axis=1) + (1 - share) * synthetic.mean(axis=1)
        precision = total / sd**2 + 1 / prior_sd**2
        expected[:, t] = (mean * total / sd**2 + prior_mean / prior_sd**2) / precision
        draws = {"plug-in": 0, "joint": 1, "predictive": m}[emission]
        theta = expected[:, t, None]
        if draws:
            theta = theta + normal("parameters", t, (BLOCK, draws)) / np.sqrt(precision)
        synthetic = theta + sd * normal("synthetic", t, (BLOCK, m))
    np.testing.assert_allclose(posterior_mean(run, "mu"), expected[:20], rtol=1e-12)


def test_regression_by_hand():
    """Accumulated plug-in rows, fitted by least squares to all rows with their weights."""
    n, generations, beta = 9, 4, np.array([1.0, -2.0])
    run = sweep(
        linear_regression.estimator(features=2, noise_sd=1.0),
        bc.Truth(beta=beta, covariates=NormalCovariates(2)),
        bc.schemes.accumulate(emission="plug-in"),
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


def test_nuts_refits_the_cells_of_an_exact_run(estimators):
    """Rows and weights of exact cells, fitted by NUTS: means within 4 MCSE, sds within 10 %."""
    estimator = estimators["regression known noise"]
    run = bc.Experiment(
        estimator,
        bc.Truth(beta=[1.0, 2.0], covariates=NormalCovariates(2)),
        bc.schemes.weighted(0.35, total_weight="kish"),
        n_real=20,
        generations=3,
        replicates=2,
        keep_rows="all",
    ).run(progress=False)
    for replicate in range(2):
        for generation in (1, 2):
            where = {"scheme": "weighted", "replicate": replicate, "generation": generation}
            cell = bc.cell(run, **where)
            rows = cell["observed_data"].to_dataset().assign(x=cell["constant_data"]["x"])
            refit = estimator.fit(
                rows, cell["constant_data"]["weights"], method="nuts", draws=1000, seed=generation
            )
            exact = run["summary"]["beta"].sel(where)
            draws = refit["posterior"]["beta"].to_numpy().reshape(-1, 2)
            sd = exact.sel(statistic="sd").to_numpy()
            mcse = sd / np.sqrt(float(refit["sample_stats"]["ess_bulk"]))
            mean = exact.sel(statistic="mean").to_numpy()
            assert (np.abs(draws.mean(axis=0) - mean) < 4 * mcse).all()
            assert (np.abs(draws.std(axis=0) / sd - 1) < 0.1).all()
