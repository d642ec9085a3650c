"""Covariates that the model makes itself: observed variables beside the response."""

import numpy as np
import pymc as pm
import pytest

import bayescollapse as bc
from bayescollapse.models import linear_regression
from bayescollapse.sources import NormalCovariates

ROWS = 400


def joint_model():
    coords = {"feature": [0, 1], "obs": range(3)}
    with pm.Model(coords=coords) as model:
        centre = pm.Normal("centre", 0, 2, dims="feature")
        beta = pm.Normal("beta", 0, 2, dims="feature")
        x = pm.Normal("x", centre, 1.0, observed=np.zeros((3, 2)), dims=("obs", "feature"))
        pm.Normal("y", (x * beta).sum(-1), 1.0, observed=np.zeros(3), dims="obs")
    return model


def test_synthetic_covariates_come_from_the_emitting_draw():
    """z-scores of 8 means and 8 slopes at |z| > 4: false alarm 1e-3."""
    run = bc.Experiment(
        bc.Estimator(joint_model()),
        bc.Truth(centre=[0.0, 3.0], beta=[1.0, -1.0]),
        bc.schemes.replace(covariates="model"),
        n_real=ROWS,
        generations=3,
        replicates=2,
        method="laplace",
        draws=50,
        keep_rows="all",
        seed=1,
    ).run(progress=False)
    emitted = run["emission"].to_dataset().isel(scheme=0, member=0)
    for replicate in range(2):
        for t in (1, 2):
            tree = bc.cell(run, scheme="replace", replicate=replicate, generation=t)
            assert not tree["constant_data"]["real"].any()
            x, y = (tree["observed_data"][name].to_numpy() for name in ("x", "y"))
            source = emitted.isel(replicate=replicate, generation=t - 1)
            shift = (x.mean(0) - source["centre"].to_numpy()) * np.sqrt(ROWS)
            assert (np.abs(shift) < 4).all()
            slope = np.linalg.lstsq(x, y - x @ source["beta"].to_numpy())[0]
            spread = np.sqrt(np.diag(np.linalg.inv(x.T @ x)))
            assert (np.abs(slope) < 4 * spread).all()


def test_a_model_that_reads_its_covariates_cannot_make_them():
    with pytest.raises(ValueError, match=r"'replace'.*\['x'\] are pm.Data"):
        bc.Experiment(
            linear_regression.estimator(features=2, noise_sd=1.0),
            bc.Truth(beta=[1.0, 1.0], covariates=NormalCovariates(2)),
            bc.schemes.replace(covariates="model"),
            n_real=10,
            generations=2,
            replicates=1,
        )
