"""Laws of regressions, against loops written with NumPy.

Monte Carlo comparisons are of means over independent lineages, within 4 standard errors: a false
alarm has probability 6e-5 for each of the about 25 comparisons.
"""

import math

import numpy as np
import pytest

from bayescollapse import theory


def assert_mean(draws, expected):
    error = draws.std(ddof=1) / math.sqrt(len(draws))
    assert abs(draws.mean() - expected) < 4 * error, (draws.mean(), expected, error)


def fitted(rng, coefficients, rows, sd):
    x = rng.normal(size=(len(coefficients), rows, coefficients.shape[1]))
    y = np.einsum("lrj,lj->lr", x, coefficients) + sd * rng.normal(size=x.shape[:2])
    return np.einsum("ljr,lr->lj", np.linalg.pinv(x), y)


def test_fresh_designs():
    rng, rows, chain, d, lineages = np.random.default_rng(1), 30, 20, 4, 3000
    beta = found = np.broadcast_to(np.arange(4.0), (lineages, d))
    for t in range(3):
        law = theory.fresh_design_error(
            t,
            rows=rows,
            features=d,
            noise_variance=0.5,
            chain_rows=chain,
            chain_noise_variance=2.0,
        )
        last = fitted(rng, found, rows, math.sqrt(0.5))
        assert_mean(((last - beta) ** 2).sum(axis=1), law)
        found = fitted(rng, found, chain, math.sqrt(2.0))
    same = theory.fresh_design_error([0, 4], rows=40, features=5)
    np.testing.assert_allclose(same, [5 / 34, 25 / 34], rtol=1e-13)


@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_least_norm(noise):
    rng, rows, d, lineages = np.random.default_rng(2), 8, 16, 2000
    beta = found = np.broadcast_to(np.full(d, 0.5), (lineages, d))
    for t in range(4):
        found = fitted(rng, found, rows, math.sqrt(noise))
        law = theory.min_norm_error(t, rows=rows, features=d, noise_variance=noise, signal=d / 4)
        assert_mean(((found - beta) ** 2).sum(axis=1), law)
        if noise == 0:
            kept = (found**2).sum(axis=1) / (d / 4)
            assert_mean(kept, (rows / d) ** (t + 1))


def test_mixture_of_models():
    rng, rows, d, part = np.random.default_rng(3), 20_000, 3, 0.2
    x = rng.normal(size=(rows, d))
    offset = np.array([0.5, -0.3, 0.1])
    wrong = rng.uniform(size=rows) < part
    y = x @ np.ones(d) + wrong * (x @ offset) + 0.1 * rng.normal(size=rows)
    found = np.linalg.lstsq(x, y)[0] - 1
    law = theory.mixture_bias(part, offset=np.linalg.norm(offset))
    assert found @ found == pytest.approx(law, rel=0.15)  # sampling error is near 3 percent


def test_ridge():
    rng, rows, lineages, penalty, w, sd = np.random.default_rng(4), 30, 8000, 0.3, 0.6, 1.2
    x = rng.normal(size=(rows, 3)) * [1.0, 0.6, 0.3]
    beta = np.array([1.0, -2.0, 0.5])
    _, s, axes = np.linalg.svd(x, full_matrices=False)
    law = theory.ridge_law(
        6,
        singular_values=s,
        coefficients=axes @ beta,
        penalty=penalty,
        rows=rows,
        noise_variance=sd**2,
        real_share=w,
    )
    solve = np.linalg.solve(x.T @ x + rows * penalty * np.eye(3), x.T)
    found = np.zeros((lineages, 3))
    for t in range(6):
        y = x @ beta + sd * rng.normal(size=(lineages, rows))
        if t > 0:
            y = w * y + (1 - w) * (found @ x.T + sd * rng.normal(size=(lineages, rows)))
        found = y @ solve.T
        assert_mean(((found - beta) ** 2).sum(axis=1), law.risk[t])
        assert_mean((found - beta) @ axes[0], law.bias[t, 0])
    far = theory.ridge_law(
        300,
        singular_values=s,
        coefficients=axes @ beta,
        penalty=penalty,
        rows=rows,
        real_share=w,
    )
    d = s**2 / (s**2 + rows * penalty)
    bias = -(1 - d) * (axes @ beta) / (1 - d * (1 - w))
    np.testing.assert_allclose(far.bias[-1], bias, rtol=1e-10)
    variance = d**2 / s**2 * (w**2 + (1 - w) ** 2) / (1 - (d * (1 - w)) ** 2)
    np.testing.assert_allclose(far.variance[-1], variance, rtol=1e-10)


def test_ridge_without_a_penalty_is_the_plain_recursion():
    s = np.array([3.0, 5.0])
    law = theory.ridge_law(
        9, singular_values=s, coefficients=[1.0, 1.0], penalty=0.0, rows=9, real_share=0.6
    )
    unit = np.sum(1 / s**2)
    np.testing.assert_allclose(law.risk, theory.risk(9, real_share=0.6, a=unit, b=unit), rtol=1e-13)
    np.testing.assert_allclose(law.bias, 0, atol=1e-15)
    sweep = theory.ridge_law(
        5, singular_values=s, coefficients=[1.0, 1.0], penalty=[0.0, 0.1, 1.0], rows=9, real_share=1
    )
    assert sweep.risk.shape == (5, 3) and sweep.bias.shape == (5, 3, 2)


def test_information():
    closed = 4 / 3 / math.e
    assert theory.information_trace("poisson", coefficients=[1.0, 1.0]) == pytest.approx(closed)
    assert theory.information_trace("logistic", coefficients=[1.0, 1.0]) == pytest.approx(
        15.465, abs=5e-4
    )
    assert theory.information_trace("logistic", coefficients=np.zeros(3)) == pytest.approx(12)
    rng, beta = np.random.default_rng(5), np.array([0.8, -0.5, 0.3])
    x = rng.normal(size=(200_000, 3))
    chance = 1 / (1 + np.exp(-x @ beta))
    for family, weight in [("logistic", chance * (1 - chance)), ("poisson", np.exp(x @ beta))]:
        found = np.trace(np.linalg.inv(x.T @ (x * weight[:, None]) / len(x)))
        law = theory.information_trace(family, coefficients=beta)
        assert law == pytest.approx(found, rel=0.03)  # sampling error is below 0.7 percent
    assert theory.information_trace("poisson", coefficients=np.ones((4, 2))).shape == (4,)


def test_poisson_error_to_first_order():
    """Newton steps of maximum likelihood; 500 rows leave a second order of about 1 percent."""
    rng, rows, lineages, beta = np.random.default_rng(6), 500, 1500, np.array([0.5, 0.5])
    x = rng.normal(size=(lineages, rows, 2))
    y = rng.poisson(np.exp(x @ beta))
    found = np.broadcast_to(beta, (lineages, 2))
    for _ in range(6):
        mean = np.exp(np.einsum("lrj,lj->lr", x, found))
        score = np.einsum("lrj,lr->lj", x, y - mean)
        information = np.einsum("lri,lr,lrj->lij", x, mean, x)
        found = found + np.linalg.solve(information, score[..., None])[..., 0]
    squares = ((found - beta) ** 2).sum(axis=1)
    law = theory.information_trace("poisson", coefficients=beta) / rows
    error = squares.std(ddof=1) / math.sqrt(lineages)
    assert abs(squares.mean() - law) < 4 * error + 0.03 * law
