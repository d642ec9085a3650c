"""The verified loop of Yi, Liu, Cheng and Xu: one step, many steps, and where it ends.

Plug-in emission and flat priors make the posterior mean the least-squares fit of the accepted rows,
which the laws are about.
"""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import gaussian_mean, linear_regression
from bayescollapse.schemes.selection.model_score import ModelScore
from bayescollapse.schemes.selection.score import Threshold, TopShare
from bayescollapse.schemes.selection.verifier import VerifierBall
from bayescollapse.sources import OrthonormalDesign
from tests.laws.support import TOLERANCE, assert_mean, posterior_mean, sweep

SLACK = float(np.sqrt(2 / np.pi))
RULE = {"radius": 0.1, "slack": SLACK}


def verified(emission="plug-in", **settings):
    """Scheme whose rows pass a verifier's ball."""
    ball = VerifierBall(**{**RULE, **settings})
    return bc.Scheme(supply="none", selection=ball, emission=emission)


def standardised(offsets, accepted, **rule):
    """Residuals of each step given the one before, mean 0 and variance 1, exact at any size.

    Given z_{t-1}, the mean of n accepted rows has mean T(z_{t-1}) and variance m_2(z_{t-1})/n.
    """
    step = theory.verified_map(offsets[:, :-1], **{**RULE, **rule})
    spread = np.sqrt(step.slope / np.asarray(accepted)[1:])
    return (offsets[:, 1:] - step.offset) / spread


def worst_z(samples, expected):
    """Largest distance of means over replicates from a law, in MCSE."""
    mcse = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    return float(np.abs((samples.mean(axis=0) - expected) / mcse).max())


def one_step(scheme, bias, replicates, seed=61):
    """Offsets from the verifier's centre at generations 0 and 1 of a Gaussian mean, truth 0."""
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        scheme,
        n_real=100,
        generations=2,
        replicates=replicates,
        seed=seed,
    )
    assert not run["training"]["short"].any()
    return posterior_mean(run, "mu") - bias


@pytest.mark.parametrize("replicates", [2560, pytest.param(20_000, marks=pytest.mark.verification)])
@pytest.mark.parametrize("bias", [0.0, 0.1, 0.3])
def test_one_step(bias, replicates):
    """V2, one direction, mu^2 = n_1 = 100: errors to the truth of generations 0 and 1."""
    z = one_step(verified(bias=bias), bias, replicates)
    step = theory.verified_step([-bias], accepted=100, singular_values=10.0, **RULE)
    path = theory.verified_path(2, offset=[-bias], start_variance=0.01, accepted=100, **RULE)
    # Second order against exact: the difference is far below the Monte Carlo error.
    np.testing.assert_allclose(step.risk, path.truth_error[1], rtol=0.01)
    assert_mean((z + bias) ** 2, [step.baseline, path.truth_error[1]])
    assert_mean((z[:, 1] + bias) ** 2, step.risk, slack=0.01)


WRONG = {
    "radius": verified(bias=0.3, radius=0.2),
    "no slack": verified(bias=0.3, slack=0.0),
    "bias": verified(bias=0.35),
    "sign": verified(bias=-0.3),
    "joint": verified(emission="joint", bias=0.3),
    "unfiltered": bc.Scheme(supply="none", emission="plug-in"),
}


@pytest.mark.parametrize("mutant", WRONG)
def test_another_step_would_be_noticed(mutant):
    """Negative control: each mutated scheme misses the law of one step."""
    z = one_step(WRONG[mutant], 0.3, 5120)
    residuals = standardised(z, (100, 100))
    moments = np.concatenate([residuals, residuals**2], axis=1)
    assert worst_z(moments, [0.0, 1.0]) > 1.5 * TOLERANCE


def rotation(features, seed=62):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(features, features)))[0]


@pytest.mark.parametrize(
    ("features", "replicates"),
    [(3, 1280), pytest.param(8, 5120, marks=pytest.mark.verification)],
)
def test_one_step_along_each_direction(features, replicates):
    """V2 in a regression: directions of an orthonormal basis, equally many accepted rows each."""
    basis = rotation(features)
    direction = rotation(features, seed=63)[0]
    bias = 0.35 * direction
    run = sweep(
        linear_regression.estimator(features=features, noise_sd=1.0),
        bc.Truth(beta=np.ones(features), covariates=OrthonormalDesign(features, basis)),
        verified(bias=bias, per="direction"),
        n_real=100 * features,
        generations=3,
        replicates=replicates,
        seed=64,
    )
    assert not run["training"]["short"].any()
    error = posterior_mean(run, "beta") - 1.0
    z = (error - bias) @ basis.T
    offset = -bias @ basis.T
    step = theory.verified_step(offset, accepted=100, singular_values=10.0, **RULE)
    path = theory.verified_path(2, offset=offset, start_variance=0.01, accepted=100, **RULE)
    squared = (error**2).sum(axis=2)
    assert_mean(squared[:, :2], [step.baseline, path.truth_error[1]])
    assert_mean(squared[:, 1], step.risk, slack=0.01)
    # Directions do not mix: each follows its own law given the step before.
    counts = np.full((3, 1), 100)
    residuals = np.stack([standardised(z[..., j], counts[:, 0]) for j in range(features)], axis=2)
    assert_mean(residuals, 0.0)
    assert_mean(residuals**2, 1.0)
    pairs = residuals[:, :, :-1] * residuals[:, :, 1:]
    assert_mean(pairs, 0.0)


def test_strata_are_what_makes_directions_equal():
    """Negative control: without strata the shares of the directions differ, and so does the law."""
    bias = np.array([1.0, 0.0])
    scheme = verified(bias=bias)
    settings = {"n_real": 200, "generations": 2, "replicates": 2048, "seed": 65}
    estimator = linear_regression.estimator(features=2, noise_sd=1.0)
    truth = bc.Truth(beta=np.ones(2), covariates=OrthonormalDesign(2))
    labelled = {"one": scheme, "each": verified(bias=bias, per="direction")}
    run = sweep(estimator, truth, labelled, **settings)
    z = {k: (posterior_mean(run, "beta", k) - 1.0 - bias)[..., 0] for k in labelled}
    spread = {k: standardised(v, (100, 100)) ** 2 for k, v in z.items()}
    assert_mean(spread["each"], 1.0)
    assert worst_z(spread["one"], 1.0) > TOLERANCE


SCHEDULES = {"constant": bc.schedules.linear(50, 0), "growing": bc.schedules.linear(50, 50)}


@pytest.fixture(scope="module", params=[1024, pytest.param(4096, marks=pytest.mark.verification)])
def many_steps(request):
    """Offsets of 12 verified generations that start at distance 1, and rows of each generation."""
    out = {}
    for name, schedule in SCHEDULES.items():
        run = sweep(
            gaussian_mean.estimator(),
            bc.Truth(mu=0.0),
            verified(centre=1.0),
            n_real=50,
            n_synthetic=schedule,
            generations=12,
            replicates=request.param,
            seed=66,
        )
        accepted = run["training"]["synthetic_rows"].isel(scheme=0, replicate=0).to_numpy()
        accepted = np.where(np.arange(12) == 0, 50, accepted)
        out[name] = posterior_mean(run, "mu") - 1.0, accepted
    return out


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_step_follows_the_map(many_steps, schedule):
    """V3: given the step before, mean T(z) and variance m_2(z)/n, at every generation."""
    z, accepted = many_steps[schedule]
    residuals = standardised(z, accepted)
    assert_mean(residuals, 0.0)
    assert_mean(residuals**2, 1.0)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_many_steps_and_their_bound(many_steps, schedule):
    """V4: the error to the centre follows its law and stays below the bound."""
    z, accepted = many_steps[schedule]
    path = theory.verified_path(12, offset=[-1.0], start_variance=0.02, accepted=accepted, **RULE)
    assert_mean(z, path.offset[:, 0])
    assert_mean(z**2, path.centre_error)
    assert_mean((z + 1) ** 2, path.truth_error)
    bound = theory.verified_error_bound(
        12, initial_error=1.02, accepted=accepted, dimensions=1, **RULE
    )
    squared = z**2
    mcse = squared.std(axis=0) / np.sqrt(len(z))
    assert (squared.mean(axis=0) <= bound + TOLERANCE * mcse).all()


def test_the_loop_ends_at_the_centre(many_steps):
    """V5: constant batches reach the floor, growing ones the centre; the truth is 1 away."""
    floor = float(theory.verified_floor(50, dimensions=1, **RULE))
    constant, growing = (many_steps[name][0] for name in SCHEDULES)
    late = (constant[:, 6:] ** 2).mean(axis=1)
    assert_mean(late, floor, slack=0.03)
    assert late.mean() < floor + TOLERANCE * late.std() / np.sqrt(len(late))
    rows = many_steps["growing"][1]
    rho = float(theory.contraction_rate(**RULE))
    assert_mean(growing[:, -1] ** 2, rho / (1 - rho**2) / rows[-1], slack=0.05)
    assert (np.abs(growing[:, -1]) < 0.15).all()


def test_without_a_verifier_errors_grow():
    """Negative control: the same loop without selection has errors t + 1 times the first one."""
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.Scheme(supply="none", emission="plug-in"),
        n_real=50,
        generations=12,
        replicates=1024,
        seed=66,
    )
    z = posterior_mean(run, "mu")
    assert_mean(z**2, (np.arange(12) + 1) / 50)
    path = theory.verified_path(12, offset=[0.0], start_variance=0.02, accepted=50, **RULE)
    assert worst_z(z**2, path.truth_error) > 2 * TOLERANCE


def test_a_verifier_that_is_right_keeps_the_gain():
    """V5: an unbiased verifier beats generation 0 for good, a biased one gains and then loses."""
    wide = {"radius": 2.0, "slack": 0.0}
    bias = {"right": 0.0, "mild": 0.25}
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        {name: verified(bias=value, **wide) for name, value in bias.items()},
        n_real=25,
        n_synthetic=1000,
        generations=12,
        replicates=512,
        seed=67,
    )
    for name, value in bias.items():
        path = theory.verified_path(12, offset=[-value], start_variance=0.04, accepted=1000, **wide)
        error = posterior_mean(run, "mu", name) ** 2
        assert_mean(error, path.truth_error)
        first, last = error[:, 0].mean(), error[:, -1].mean()
        assert (last < first / 4) if name == "right" else (error.mean(axis=0).min() < first < last)


def test_a_model_as_verifier():
    """Rows likely enough under a Gaussian are those in a ball: the same bits, step by step."""
    model = ModelScore(gaussian_mean.estimator, {"mu": 1.0}, {"sd": 2.0})
    at_least = -0.5 * (0.9 / 2) ** 2 - np.log(2.0) - 0.5 * np.log(2 * np.pi)
    selections = {
        "ball": VerifierBall(radius=0.9, slack=0.0, centre=1.0),
        "density": Threshold(model, float(at_least)),
        "top": TopShare(model, keep=0.25),
        "other": Threshold(model, float(at_least) - 0.01),
    }
    run = sweep(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        {
            k: bc.Scheme(supply="none", selection=s, emission="plug-in")
            for k, s in selections.items()
        },
        n_real=50,
        generations=4,
        replicates=128,
        seed=68,
    )
    z = {name: posterior_mean(run, "mu", name) - 1.0 for name in selections}
    np.testing.assert_array_equal(z["ball"], z["density"])
    assert not np.array_equal(z["ball"], z["other"])
    emitted = run["training"]["emitted"].sel(scheme="top").isel(generation=slice(0, 3))
    np.testing.assert_array_equal(emitted, 200)
