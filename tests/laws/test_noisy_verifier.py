"""Labels that pass a noisy verifier, after Feng et al.: the breakdown at phi/(phi + psi)."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import bernoulli, logistic_regression
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.noisy import NoisyVerifier
from bayescollapse.sources import NormalCovariates
from tests.laws.support import TOLERANCE, assert_mean, noticed, posterior_mean, sweep

RATES = {"keep_correct": 0.8, "keep_wrong": 0.4}
VERIFIER = NoisyVerifier(right=0.8, wrong=0.4)


def coins(error):
    """Source whose labels are wrong with a known probability; label 1 is right."""

    def rows(m, rng):
        return xr.Dataset({"y": ("obs", (rng.random(m) >= error).astype(int))})

    return bc.Simulator(rows, truth={"p": 0.9})


def loop(selection, error, **settings):
    """Probability of the right label (replicate, generation), and the run."""
    # Beta(1e-9, 1e-9): the posterior mean is the frequency.
    run = sweep(
        bernoulli.estimator(prior_successes=1e-9, prior_failures=1e-9),
        coins(error),
        bc.Scheme(supply="none", selection=selection, emission="plug-in"),
        **{"n_real": 400, "generations": 4, "replicates": 512, "seed": 81, **settings},
    )
    return posterior_mean(run, "p"), run


def residuals(right, rows=400):
    """Errors given the error before, mean 0 and variance 1, exact at any size."""
    law = theory.kept_label_error(1 - right[:, :-1], **RATES)
    return (1 - right[:, 1:] - law) / np.sqrt(law * (1 - law) / rows)


@pytest.mark.parametrize("error", [0.57, 0.77])
def test_every_step_follows_the_kept_error(error):
    right, run = loop(VERIFIER, error)
    steps = residuals(right)
    assert_mean(steps, 0.0)
    assert_mean(steps**2, 1.0)
    training = run["training"].to_dataset().isel(scheme=0)
    share = theory.kept_share(1 - right[:, :-1], **RATES)
    accepted = (training["accepted"] / training["emitted"]).to_numpy()[:, :-1]
    assert_mean(accepted - share, 0.0)
    assert not training["short"].any()


@pytest.mark.parametrize(
    "selection",
    [
        NoisyVerifier(right=0.4, wrong=0.8),
        NoisyVerifier(right=0.8, wrong=0.45),
        NoisyVerifier(right=0.75, wrong=0.4),
        bc.schemes.KeepAll(),
    ],
    ids=["swapped", "wrong", "right", "keep all"],
)
def test_another_verifier_would_be_noticed(selection):
    """Negative control: rates swapped, one of them off by 0.05, no verifier."""
    steps = residuals(loop(selection, 0.57)[0])
    z = steps.mean(axis=0) / (steps.std(axis=0) / np.sqrt(len(steps)))
    assert np.abs(z).max() > 1.5 * TOLERANCE


def test_the_majority_breaks_down_where_stated():
    """One round on either side of p* = 2/3; without a verifier both sides fail."""
    breakdown = float(theory.label_error_breakdown(**RATES))
    assert breakdown == pytest.approx(2 / 3)
    for error, good in ((breakdown - 0.1, True), (breakdown + 0.1, False)):
        right, _ = loop(VERIFIER, error, n_real=2000, generations=2, replicates=128)
        assert ((right[:, 1] > 0.5) == good).all()
        assert (right[:, 0] < 0.5).all()


def logistic_accuracy(estimator, error, replicates, seed, verifier):
    """Accuracy against true labels after one fit to 2,000 labels that passed the verifier."""
    features = estimator.schema.covariates[0].shape[0]
    beta = np.full((1, 1, features), 10.0)
    engine = estimator.engine("laplace")
    rng = np.random.default_rng(seed)

    def truth(rows):
        return engine.log_density({"beta": beta}, rows)[:, 0]

    def one():
        x = rng.normal(size=(1, 8000, features))
        right = x[0].sum(axis=1) > 0
        y = np.where(rng.random(8000) < error, ~right, right).astype(int)[None]
        context = Context(1, 0, 2000, rng, true_log_density=truth)
        kept = np.flatnonzero(verifier.select({"y": y, "x": x}, context)[0])[:2000]
        rows = xr.Dataset({"y": ("obs", y[0, kept]), "x": (("obs", "feature"), x[0, kept])})
        fit = estimator.fit(rows, method="laplace", draws=100, seed=int(rng.integers(2**31)))
        point = fit["posterior"]["beta"].mean(("chain", "draw")).to_numpy()
        fresh = rng.normal(size=(4000, features))
        return ((fresh @ point > 0) == (fresh.sum(axis=1) > 0)).mean()

    return np.array([one() for _ in range(replicates)])


def check_sides(estimator, replicates, verifier=VERIFIER):
    """Q12: accuracy on the right side of one half by 10 MCSE, on both sides of p*."""
    for error, side in ((0.57, 1), (0.77, -1)):
        accuracy = logistic_accuracy(estimator, error, replicates, 82, verifier)
        z = side * (accuracy.mean() - 0.5) / (accuracy.std(ddof=1) / np.sqrt(replicates))
        assert z > 10, f"{z:.1f} MCSE at the error {error}"


def test_accuracy_of_a_logistic_regression_jumps(logistic):
    check_sides(logistic, replicates=5)


@pytest.mark.parametrize(
    "verifier",
    [NoisyVerifier(right=0.4, wrong=0.8), NoisyVerifier(right=0.8, wrong=0.1)],
    ids=["swapped", "strict"],
)
def test_another_verifier_has_its_jump_elsewhere(logistic, verifier):
    """Negative control: p* is 1/3, below both errors, or 8/9, above them."""
    with noticed():
        check_sides(logistic, 5, verifier)


def test_only_right_labels_pass_a_perfect_verifier(logistic):
    """In the loop, with covariates: every row used has the label that the truth finds likelier."""
    beta = np.array([1.0, -2.0])
    run = bc.Experiment(
        logistic,
        bc.Truth(beta=beta, covariates=NormalCovariates(2)),
        {
            "right": bc.Scheme(supply="none", selection=NoisyVerifier(right=1.0, wrong=0.0)),
            "wrong": bc.Scheme(supply="none", selection=NoisyVerifier(right=0.0, wrong=1.0)),
        },
        n_real=40,
        generations=2,
        replicates=2,
        method="laplace",
        draws=100,
        keep_draws=0,
        keep_rows="all",
    ).run(progress=False)
    assert not run["training"]["short"].any()
    rows = run["rows"].to_dataset()
    rows = rows.isel(row=np.flatnonzero(~rows["real"].to_numpy()))
    right = rows["y"].to_numpy() == (rows["x"].to_numpy() @ beta > 0)
    np.testing.assert_array_equal(right, rows["scheme"].to_numpy() == "right")
    assert len(right) == 2 * 2 * 40


@pytest.mark.verification
def test_accuracy_jumps_in_ten_dimensions():
    check_sides(logistic_regression.estimator(features=10, prior_sd=3.0), replicates=40)
