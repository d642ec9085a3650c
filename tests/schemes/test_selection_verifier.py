"""The verifier's ball against truncated normals, plain loops and refusals."""

import numpy as np
import pytest
import xarray as xr

from bayescollapse import theory
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.verifier import VerifierBall
from bayescollapse.sources import OrthonormalDesign
from tests.laws.support import TOLERANCE, assert_mean


def context(m=10, **more):
    return Context(1, 0, m, np.random.default_rng(0), **more)


def oracle(**parameters):
    data = {
        name: (("replicate", *(f"{name}_{i}" for i in range(np.ndim(value) - 1))), value)
        for name, value in parameters.items()
    }
    return context(oracle_source=xr.Dataset(data))


def test_accepted_rows_of_a_mean_are_truncated_normals():
    """Share, mean and variance: 3 comparisons in MCSE, false alarm below 2e-4."""
    sigma, truth, centre, radius, slack = 2.0, 0.4, 1.0, 0.3, 0.9
    y = truth + sigma * np.random.default_rng(1).standard_normal((128, 2000))
    ball = VerifierBall(radius=radius, slack=slack, centre=centre)
    accepted = ball.select({"y": y}, context())
    ends = (np.array([-1, 1]) * (radius + slack) + centre - truth) / sigma
    moments = theory.truncated_moments(*ends)
    step = theory.verified_map(truth - centre, radius=radius, slack=slack, noise_sd=sigma)
    assert_mean(accepted.ravel(), step.acceptance)
    kept = (y[accepted] - truth) / sigma
    assert_mean(kept, moments.mean)
    assert_mean((kept - moments.mean) ** 2, moments.variance)


@pytest.mark.parametrize("wrong", [{"radius": 0.4}, {"slack": 1.0}, {"centre": 1.1}])
def test_another_ball_would_be_noticed(wrong):
    """Negative control: another radius, slack or centre misses the law of the mean or the share."""
    right = {"radius": 0.3, "slack": 0.9, "centre": 1.0}
    y = 2 * np.random.default_rng(1).standard_normal((128, 2000))
    accepted = VerifierBall(**{**right, **wrong}).select({"y": y}, context())
    step = theory.verified_map(-1.0, radius=0.3, slack=0.9, noise_sd=2.0)
    z = (accepted.mean() - step.acceptance) / np.sqrt(accepted.var() / accepted.size)
    moved = (y[accepted].mean() - (step.offset + 1.0)) / np.sqrt(y[accepted].var() / accepted.sum())
    assert max(abs(z), abs(moved)) > 2 * TOLERANCE


def by_hand(y, x, centre, radius, slack):
    """The rule, row by row."""
    return np.array(
        [
            [
                abs(y[r, i] - sum(a * b for a, b in zip(x[r, i], centre[r], strict=True)))
                <= radius * sum(a * a for a in x[r, i]) ** 0.5 + slack
                for i in range(y.shape[1])
            ]
            for r in range(len(y))
        ]
    )


def test_regression_rows_by_hand():
    rng = np.random.default_rng(2)
    y, x = rng.normal(size=(4, 30)), rng.normal(size=(4, 30, 3))
    truth, bias = rng.normal(size=(4, 3)), np.array([0.3, 0.0, -0.1])
    expected = by_hand(y, x, truth + bias, 0.2, 0.5)
    assert expected.any()
    assert not expected.all()
    ball = VerifierBall(0.2, 0.5, bias=bias)
    assert ball.reads_oracle
    known = oracle(beta=truth, sigma=np.ones(4))
    rows = {"y": y, "x": x}
    np.testing.assert_array_equal(ball.select(rows, known), expected)
    centred = VerifierBall(0.2, 0.5, centre=truth[0])
    assert not centred.reads_oracle
    np.testing.assert_array_equal(
        centred.select(rows, context()), by_hand(y, x, truth[[0] * 4], 0.2, 0.5)
    )
    one = VerifierBall(0.2, 0.5, centre=0.7)
    np.testing.assert_array_equal(
        one.select(rows, context()), by_hand(y, x, np.full((4, 3), 0.7), 0.2, 0.5)
    )
    shared = {"y": y, "x": np.broadcast_to(x[:1], x.shape)}
    np.testing.assert_array_equal(
        ball.select(shared, known), by_hand(y, shared["x"], truth + bias, 0.2, 0.5)
    )
    scalar = VerifierBall(0.2, 0.5, centre=0.7, response="y", covariates="z")
    np.testing.assert_array_equal(
        scalar.select({"y": y, "z": x[..., 0]}, context()),
        by_hand(y, x[..., :1], np.full((4, 1), 0.7), 0.2, 0.5),
    )


def test_centre_of_a_mean_and_of_a_vector():
    rng = np.random.default_rng(3)
    y, mu = rng.normal(size=(4, 30)), rng.normal(size=4)
    ball = VerifierBall(0.2, 0.5, bias=0.1)
    np.testing.assert_array_equal(
        ball.select({"y": y}, oracle(mu=mu)), np.abs(y - mu[:, None] - 0.1) <= 0.7
    )
    vector, means = rng.normal(size=(4, 30, 2)), rng.normal(size=(4, 2))
    distance = np.linalg.norm(vector - means[:, None] - [0.1, -0.2], axis=2)
    known = oracle(mu=means, covariance=np.ones((4, 2, 2)))
    np.testing.assert_array_equal(
        VerifierBall(0.2, 0.8, bias=(0.1, -0.2)).select({"y": vector}, known), distance <= 1.0
    )


def test_the_true_parameter_must_be_clear():
    y = np.zeros((3, 4))
    ball = VerifierBall(0.1, 0.5)
    both = oracle(mu=np.full(3, 9.0), sigma=np.zeros(3))
    with pytest.raises(ValueError, match="parameter must be named"):
        ball.select({"y": y}, both)
    assert VerifierBall(0.1, 0.5, parameter="sigma").select({"y": y}, both).all()
    assert not VerifierBall(0.1, 0.5, parameter="mu").select({"y": y}, both).any()
    with pytest.raises(ValueError, match="use one of these names"):
        VerifierBall(0.1, 0.5, parameter="beta").select({"y": y}, both)
    with pytest.raises(ValueError, match="does not know"):
        ball.select({"y": y}, context())


def test_variables_must_be_clear():
    y, x = np.zeros((3, 4)), np.zeros((3, 4, 2))
    ball = VerifierBall(0.1, 0.5, centre=0.0)
    with pytest.raises(ValueError, match="response must be named"):
        ball.select({"y": y, "z": y}, context())
    with pytest.raises(ValueError, match="covariates must be named"):
        ball.select({"y": y, "x": x, "v": x}, context())
    with pytest.raises(ValueError, match="response names 'u'"):
        VerifierBall(0.1, 0.5, centre=0.0, response="u").select({"y": y}, context())
    with pytest.raises(ValueError, match="centre has shape"):
        VerifierBall(0.1, 0.5, centre=(1.0, 2.0, 3.0)).select({"y": y, "x": x}, context())
    with pytest.raises(ValueError, match="one number per row"):
        VerifierBall(0.1, 0.5, centre=0.0, response="x").select({"y": y, "x": x}, context())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radius": -0.1, "slack": 1.0}, "radius must be 0 or more"),
        ({"radius": np.inf, "slack": 1.0}, "radius must be a finite number"),
        ({"radius": 0.0, "slack": 0.0}, "radius \\+ slack must be positive"),
        ({"radius": 0.1, "slack": 0.1, "centre": "truth"}, "centre must be finite numbers"),
        ({"radius": 0.1, "slack": 0.1, "centre": (1.0, np.nan)}, "centre must be finite"),
        ({"radius": 0.1, "slack": 0.1, "centre": 1.0, "bias": 0.1}, "pass one of them"),
        ({"radius": 0.1, "slack": 0.1, "per": "row"}, "per must be"),
        ({"radius": 0.1, "slack": 0.1, "parameter": 3}, "parameter must be the name"),
        ({"radius": 0.1, "slack": 0.1, "max_proposals": 0}, "max_proposals must be an integer"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(ValueError, match=message):
        VerifierBall(**settings)


def test_balls_are_values():
    ball = VerifierBall(0.1, 0.5, centre=np.array([1.0, 2.0]))
    assert ball == VerifierBall(0.1, 0.5, centre=[1, 2])
    assert hash(ball) == hash(VerifierBall(0.1, 0.5, centre=(1.0, 2.0)))
    assert repr(ball) == "VerifierBall(radius=0.1, slack=0.5, centre=(1.0, 2.0))"


def test_directions_are_strata():
    basis = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    x = OrthonormalDesign(3, basis).block(5, 12, np.random.default_rng(0))["x"]
    rows = {"y": np.zeros((5, 12)), "x": x}
    ball = VerifierBall(0.1, 0.5, centre=0.0, per="direction")
    codes, count = ball.strata(rows, context(12))
    assert (codes.shape, count) == ((1, 12), 3)
    for j in range(3):
        assert len(np.unique(codes[0, j::3])) == 1
    # Other rows, in another order and of their own in every replicate: the same numbers.
    order = np.argsort(np.random.default_rng(5).random((5, 12)), axis=1)
    mixed = np.take_along_axis(np.array(x), order[..., None], axis=1)
    again, count = ball.strata({"y": rows["y"], "x": mixed}, context(12))
    assert count == 3
    np.testing.assert_array_equal(
        again, np.take_along_axis(np.repeat(codes, 5, axis=0), order, axis=1)
    )
    assert VerifierBall(0.1, 0.5, centre=0.0).strata(rows, context(12)) is None
    assert ball.strata({"y": rows["y"]}, context(12)) is None


def test_strata_that_cannot_be_filled_equally_are_refused():
    ball = VerifierBall(0.1, 0.5, centre=0.0, per="direction")
    design = OrthonormalDesign(3).block(2, 12, np.random.default_rng(0))["x"]
    with pytest.raises(ValueError, match="directions divide"):
        ball.strata({"y": np.zeros((2, 12)), "x": design}, context(10))
    random = np.random.default_rng(0).normal(size=(2, 12, 3))
    with pytest.raises(ValueError, match="12 distinct rows"):
        ball.strata({"y": np.zeros((2, 12)), "x": random}, context(12))
    random[0, 1] = random[0, 0]
    with pytest.raises(ValueError, match="as many distinct rows in every replicate"):
        ball.strata({"y": np.zeros((2, 12)), "x": random}, context(12))


def test_orthonormal_design():
    basis = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    design = OrthonormalDesign(3, basis)
    assert hash(design) == hash(OrthonormalDesign(3, basis.tolist()))
    x = design.block(2, 12, np.random.default_rng(0))["x"]
    assert x.shape == (2, 12, 3)
    np.testing.assert_allclose(np.linalg.svd(x[1], compute_uv=False), np.sqrt(4.0))
    np.testing.assert_array_equal(x[0, 4], basis[1])
    with pytest.raises(ValueError, match="orthonormal"):
        OrthonormalDesign(2, [[1.0, 0.0], [1.0, 1.0]])
    with pytest.raises(ValueError, match="shape"):
        OrthonormalDesign(2, np.eye(3))
