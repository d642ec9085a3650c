"""Laws of the Gaussian mean: closed forms, the linear oracle, the prior and coverage."""

import math

import numpy as np
import pytest

from bayescollapse import theory

EMISSIONS = ["plug-in", "joint", "predictive", ("ensemble", 2)]


def fresh_last(count, w):
    """Shares of a loop with a new real batch each generation and the last synthetic one."""
    w = np.broadcast_to(w, count).copy()
    w[0] = 1
    return np.diag(w), np.diag((1 - w)[1:], -1)


def pooled_fixed(count):
    """Shares of a loop that keeps one real batch and every synthetic one, weight 1 a row."""
    size = np.arange(1, count + 1)[:, None]
    return 1 / size, np.tril(np.ones((count, count)), -1) / size


def last_only(count):
    """Shares of a loop that sees real rows at generation 0 only."""
    return np.eye(count, 1), np.eye(count, k=-1)


@pytest.mark.parametrize("emission", EMISSIONS)
def test_oracle_equals_replace_and_accumulate(emission):
    count, n, t = 13, 10, np.arange(13)
    replace = theory.linear_oracle(
        *last_only(count), real_rows=n, synthetic_rows=n, emission=emission, total_weights=n
    )
    found = theory.replace_error(t, n=n, emission=emission)
    np.testing.assert_allclose(n * replace.risk, found, atol=1e-10)
    accumulate = theory.linear_oracle(
        *pooled_fixed(count),
        real_rows=n,
        synthetic_rows=n,
        emission=emission,
        total_weights=n * (t + 1),
    )
    found = theory.accumulate_error(t, n=n, emission=emission)
    np.testing.assert_allclose(n * accumulate.risk, found, atol=1e-10)


def test_replace_and_accumulate_in_their_closed_forms():
    t, n = np.arange(400), 10
    np.testing.assert_allclose(theory.replace_error(t, n=n), t + 1)
    np.testing.assert_allclose(theory.replace_error(t, n=n, emission="joint"), 2 * t + 1)
    np.testing.assert_allclose(
        theory.replace_error(t, n=n, emission="predictive"), 1 + t * (1 + 1 / n)
    )
    squares = np.cumsum(1 / (t + 1.0) ** 2)
    np.testing.assert_allclose(theory.accumulate_error(t, n=n), squares, atol=1e-12)
    joint = theory.accumulate_error(t, n=n, emission="joint")
    np.testing.assert_allclose(joint, 2 - 1 / (t + 1), atol=1e-12)
    direct = [1 + sum((1 + 1 / (n * s)) / (s + 1) ** 2 for s in range(1, j + 1)) for j in t]
    found = theory.accumulate_error(t, n=n, emission="predictive")
    np.testing.assert_allclose(found, direct, atol=1e-12)
    assert theory.accumulate_error(10**5, n=n) == pytest.approx(np.pi**2 / 6, abs=1.1e-5)


@pytest.mark.parametrize("total_weight", ["rows", "real", "kish", "calibrated", 33.0])
@pytest.mark.parametrize("emission", EMISSIONS)
def test_oracle_equals_mean_risk(emission, total_weight):
    n, m, count = 12, 30, 9
    w = np.array([1, 0.3, 0.5, 0.2, 0.8, 0.3, 0.1, 0.6, 0.4])
    arguments = {"n": n, "m": m, "schedule": w, "emission": emission, "total_weight": total_weight}
    found = theory.mean_risk(count, variance=2.5, **arguments)
    weights = theory.total_weight_path(count, **arguments)
    oracle = theory.linear_oracle(
        *fresh_last(count, w),
        real_rows=n,
        synthetic_rows=m,
        emission=emission,
        variance=2.5,
        total_weights="calibrated" if total_weight == "calibrated" else weights,
    )
    np.testing.assert_allclose(oracle.risk, found, atol=1e-12)
    np.testing.assert_allclose(oracle.total_weight, weights, rtol=1e-12)
    assert weights[0] == n
    if total_weight == "calibrated":
        np.testing.assert_allclose(weights, 2.5 / found, rtol=1e-12)


@pytest.mark.parametrize("emission", EMISSIONS)
def test_mean_risk_reaches_the_limit_of_its_terms(emission):
    w = np.array([0.3, 0.65])
    for rule in ["rows", "real", "kish", "calibrated", 33.0]:
        found = theory.mean_risk(
            2000, n=12, m=30, real_share=w, emission=emission, total_weight=rule
        )
        terms = theory.emission_terms(12, 30, emission=emission, total_weight=rule, real_share=w)
        limit = theory.limit_risk(w, **terms._asdict())
        if rule == "calibrated" and emission == "joint":
            assert terms.c == 2.0
        np.testing.assert_allclose(found[-1], limit, rtol=1e-10)


def test_first_step_uses_the_weight_of_generation_0():
    found = theory.mean_risk(2, n=10, m=40, real_share=0.5, emission="joint")
    assert found[1] == pytest.approx(0.25 / 10 + 0.25 * (1 / 10 + 1 / 40 + 1 / 10), rel=1e-14)


def test_calibrated_joint_loop_is_the_recursion_with_factor_two():
    w = np.array([0.31, 0.5, np.sqrt(0.5)])
    found = theory.mean_risk(
        12, n=50, m=20, real_share=w, emission="joint", total_weight="calibrated"
    )
    direct = theory.risk(12, real_share=w, a=1 / 50, b=1 / 20, c=2.0)
    np.testing.assert_allclose(found, direct, rtol=1e-13)


def test_mean_risk_broadcasts():
    found = theory.mean_risk(
        4, n=[[10], [20]], m=50, real_share=[0.2, 0.5, 0.7], variance=np.ones((5, 1, 1))
    )
    assert found.shape == (4, 5, 2, 3)
    alone = theory.mean_risk(4, n=20, m=50, real_share=0.5)
    np.testing.assert_allclose(found[:, 3, 1, 1], alone, rtol=1e-14)


@pytest.mark.parametrize("emission", EMISSIONS)
def test_oracle_equals_the_matrix_formula(emission):
    """Random shares over several real batches and all memories, with rows that differ."""
    rng = np.random.default_rng(11)
    count, batches = 7, 3
    raw = np.hstack(
        [rng.uniform(0.1, 1, (count, batches)), np.tril(rng.uniform(size=(count, count)), -1)]
    )
    raw /= raw.sum(axis=1, keepdims=True)
    real, synthetic = raw[:, :batches], raw[:, batches:]
    real_rows, rows = np.array([4, 9, 30]), np.arange(3, 10)
    weights, kappa, variance = rng.uniform(10, 80, count), 6.0, 1.7
    found = theory.linear_oracle(
        real,
        synthetic,
        real_rows=real_rows,
        synthetic_rows=rows,
        emission=emission,
        total_weights=weights,
        variance=variance,
        prior_weight=kappa,
        prior_offset=-0.8,
    )
    data = weights / (weights + kappa)
    real, synthetic = data[:, None] * real, data[:, None] * synthetic
    claimed = variance / (weights + kappa)
    members = {"plug-in": np.inf, "joint": 1, "predictive": rows}.get(str(emission), 2)
    noise = variance / rows + claimed / members
    inverse = np.linalg.inv(np.eye(count) - synthetic)
    middle = real @ np.diag(variance / real_rows) @ real.T
    middle += synthetic @ np.diag(noise) @ synthetic.T
    covariance = inverse @ middle @ inverse.T
    bias = inverse @ ((1 - data) * -0.8)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12)
    np.testing.assert_allclose(found.bias, bias, atol=1e-12)
    np.testing.assert_allclose(found.risk, np.diag(covariance) + bias**2, atol=1e-12)


def test_fixed_real_rows_never_average_out():
    n, m, w, count = 20, 10, 0.3, 6
    synthetic = np.diag(np.full(count - 1, 1 - w), -1)
    real = 1 - synthetic.sum(axis=1, keepdims=True)
    found = theory.linear_oracle(
        real, synthetic, real_rows=n, synthetic_rows=m, total_weights=n + m
    )
    q, t = (1 - w) ** 2, np.arange(count)
    np.testing.assert_allclose(found.risk, 1 / n + q * (1 - q**t) / (1 - q) / m, atol=1e-14)


@pytest.mark.parametrize("total_weight", ["rows", "real", "kish", 40.0])
@pytest.mark.parametrize("emission", EMISSIONS)
def test_prior_drift_equals_oracle_and_its_limit(emission, total_weight):
    n, m, w, kappa, count = 20, 30, 0.2, 5.0, 60
    found = theory.prior_drift(
        count,
        n=n,
        m=m,
        real_share=w,
        prior_weight=kappa,
        prior_mean=3.0,
        truth=1.0,
        emission=emission,
        total_weight=total_weight,
        variance=2.0,
    )
    oracle = theory.linear_oracle(
        *fresh_last(count, w),
        real_rows=n,
        synthetic_rows=m,
        emission=emission,
        variance=2.0,
        total_weights=found.total_weight,
        prior_weight=kappa,
        prior_offset=2.0,
    )
    np.testing.assert_allclose(found.bias, oracle.bias, atol=1e-12)
    np.testing.assert_allclose(found.variance, np.diag(oracle.covariance), atol=1e-12)
    np.testing.assert_allclose(found.risk, oracle.risk, atol=1e-12)
    weight = theory.posterior_weight(n, m, total_weight=total_weight, real_share=w)
    data = weight / (weight + kappa)
    limit = (1 - data) * 2.0 / (1 - data * (1 - w))
    start = (1 - n / (n + kappa)) * 2.0
    explicit = limit + (data * (1 - w)) ** np.arange(count) * (start - limit)
    np.testing.assert_allclose(found.bias, explicit, atol=1e-12)


def test_fully_synthetic_loop_with_a_prior_ends_at_the_prior():
    found = theory.prior_drift(
        400,
        n=20,
        m=20,
        real_share=0.0,
        prior_weight=5.0,
        prior_mean=1.0,
        truth=-2.0,
        total_weight=20,
    )
    assert found.bias[-1] == pytest.approx(3.0, abs=1e-10)
    flat = theory.prior_drift(20, n=20, m=30, real_share=0.4, prior_weight=0.0, emission="joint")
    direct = theory.mean_risk(20, n=20, m=30, real_share=0.4, emission="joint")
    np.testing.assert_allclose(flat.risk, direct, rtol=1e-13)


@pytest.mark.parametrize("emission", EMISSIONS)
def test_stationary_law_is_the_limit_of_the_drift(emission):
    n, kappa = 10, 2.0
    law = theory.prior_stationary(n, prior_weight=kappa, prior_mean=0.7, emission=emission)
    path = theory.prior_drift(
        300,
        n=n,
        m=n,
        real_share=0.0,
        prior_weight=kappa,
        prior_mean=0.7,
        truth=2.0,
        emission=emission,
        total_weight=n,
    )
    assert path.variance[-1] == pytest.approx(law.posterior_mean_variance, rel=1e-10)
    assert 2.0 + path.bias[-1] == pytest.approx(law.mean, abs=1e-10)
    distance = 2.0 + path.bias - 0.7
    np.testing.assert_allclose(distance[1:10] / distance[:9], law.contraction, rtol=1e-10)


def test_joint_loop_recovers_the_prior_and_the_others_do_not():
    scale, prior_variance, n = 3.0, 0.5, 10
    laws = {
        emission: theory.prior_stationary(
            n, prior_weight=scale / prior_variance, variance=scale, emission=emission
        )
        for emission in ["joint", "predictive", "plug-in"]
    }
    kap = n * prior_variance / (n * prior_variance + scale)
    v = prior_variance * (1 - kap)
    assert laws["joint"].parameter_variance == pytest.approx(prior_variance, rel=1e-14)
    assert laws["joint"].posterior_mean_variance == pytest.approx(kap * prior_variance, rel=1e-14)
    predictive = kap**2 * (scale + v) / n / (1 - kap**2)
    assert laws["predictive"].posterior_mean_variance == pytest.approx(predictive, rel=1e-14)
    plug_in = kap**2 * scale / n / (1 - kap**2)
    assert laws["plug-in"].posterior_mean_variance == pytest.approx(plug_in, rel=1e-14)


def test_regression_closed_forms():
    t, rows, features = np.arange(8), 40, 5
    f = (features + 2) / (rows + 2)
    arguments = {"rows": rows, "features": features}
    replace, accumulate = theory.regression_replace_error, theory.regression_accumulate_error
    for emission in ["plug-in", "joint"]:
        same = theory.replace_error(t, n=rows, emission=emission)
        np.testing.assert_allclose(replace(t, emission=emission, **arguments), same)
        same = theory.accumulate_error(t, n=rows, emission=emission)
        np.testing.assert_allclose(accumulate(t, emission=emission, **arguments), same)
    np.testing.assert_allclose(
        replace(t, emission="predictive", **arguments), 1 + t * (1 + f), rtol=1e-14
    )
    direct = [1 + sum((1 + f / s) / (s + 1) ** 2 for s in range(1, j + 1)) for j in t]
    np.testing.assert_allclose(accumulate(t, emission="predictive", **arguments), direct)


def test_regression_predictive_noise_over_random_designs():
    """Exact noise of one predictive batch given the design, averaged over designs."""
    rows, features, designs = 20, 3, 20_000
    x = np.random.default_rng(5).normal(size=(designs, rows, features))
    inverse = np.linalg.inv(np.swapaxes(x, 1, 2) @ x)
    hat = x @ inverse
    leverage = np.sum(hat * x, axis=2)
    added = np.sum(hat**2 * leverage[..., None], axis=(1, 2))
    factor = (
        theory.regression_replace_error(1, rows=rows, features=features, emission="predictive") - 2
    )
    gap = added - factor * np.trace(inverse, axis1=1, axis2=2)
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(designs)
    wrong = added - np.trace(inverse, axis1=1, axis2=2) / rows
    assert abs(wrong.mean()) > 40 * wrong.std() / np.sqrt(designs)


def test_coverage():
    assert theory.central_coverage(1.0, 1.0) == pytest.approx(0.95, abs=1e-14)
    assert theory.central_coverage(0.0, 1.0) == 1.0
    for k, expected in [(1.0, 0.922), (0.1, 0.744)]:
        best = theory.optimal_share(k)
        found = theory.central_coverage(theory.limit_risk(best, a=1.0, b=k), k / (1 + k))
        assert found == pytest.approx(expected, abs=6e-4)
    t = np.array([0, 1, 7, 199])
    z = 1.959963984540054
    direct = [math.erf(z / math.sqrt(j + 1) / math.sqrt(2)) for j in t]
    np.testing.assert_allclose(theory.replace_coverage(t, n=10), direct, rtol=1e-12)
    direct = [math.erf(z / math.sqrt((j + 1) * (2 - 1 / (j + 1))) / math.sqrt(2)) for j in t]
    found = theory.accumulate_coverage(t, n=10, emission="joint")
    np.testing.assert_allclose(found, direct, rtol=1e-12)
    for emission in EMISSIONS:
        assert theory.accumulate_coverage(199, n=10, emission=emission) < 0.10
