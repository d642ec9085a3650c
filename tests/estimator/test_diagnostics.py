"""Diagnostics equal ArviZ."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.signal import lfilter

from bayescollapse.estimator.diagnostics import diagnose, ess_bulk, ess_tail, rhat_rank

RNG = np.random.default_rng(40)


def autoregressive(chains: int, draws: int, rho: float) -> np.ndarray:
    noise = RNG.normal(size=(chains, draws, 3))
    return lfilter([1.0], [1.0, -rho], noise, axis=1)


CASES = {
    f"{chains}x{draws}, rho {rho}": autoregressive(chains, draws, rho)
    for chains, draws in ((2, 500), (4, 251), (2, 1000), (2, 8), (3, 5), (2, 4), (4, 6), (4, 7))
    for rho in (-0.9, -0.5, 0.0, 0.3, 0.9, 0.99)
}
CASES |= {
    "ties": RNG.integers(0, 4, (2, 300, 3)).astype(float),
    "binary": (RNG.random((2, 50, 3)) < 0.3).astype(float),
    "shifted": autoregressive(2, 300, 0.3) + np.arange(2)[:, None, None],
    "scaled": autoregressive(2, 300, 0.3) * np.array([1.0, 3.0])[:, None, None],
    "heavy tails": RNG.standard_cauchy((4, 200, 3)),
    "one chain": autoregressive(1, 200, 0.3),
}


@pytest.mark.parametrize("case", CASES)
def test_equal_to_arviz(case: str) -> None:
    draws = CASES[case]
    figures = diagnose(draws)
    axes = {"chain_axis": 0, "draw_axis": 1}
    if len(draws) > 1:  # ArviZ gives no R-hat for a single chain
        np.testing.assert_allclose(
            figures.rhat, array_stats.rhat(draws, method="rank", **axes), rtol=1e-6
        )
    bulk = array_stats.ess(draws, method="bulk", **axes)
    tail = array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **axes)
    np.testing.assert_allclose(figures.ess_bulk, bulk, rtol=1e-6)
    np.testing.assert_allclose(figures.ess_tail, tail, rtol=1e-6)
    np.testing.assert_array_equal(rhat_rank(draws), figures.rhat)
    np.testing.assert_array_equal(ess_bulk(draws), figures.ess_bulk)
    np.testing.assert_array_equal(ess_tail(draws), figures.ess_tail)


def test_a_parameter_that_never_moves() -> None:
    draws = np.concatenate([np.ones((2, 100, 1)), RNG.normal(size=(2, 100, 1))], axis=2)
    figures = diagnose(draws)
    assert np.isnan(figures.rhat[0])
    assert figures.ess_bulk[0] == figures.ess_tail[0] == 200
    assert figures.rhat[1] < 1.1


def test_chains_stuck_at_different_values() -> None:
    draws = np.broadcast_to(np.arange(2.0)[:, None, None], (2, 100, 1))
    assert diagnose(draws).rhat[0] > 1e6


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_draws_that_are_not_finite(value: float) -> None:
    draws = RNG.normal(size=(2, 100, 2))
    draws[1, 3, 0] = value
    figures = np.array(diagnose(draws))
    assert np.isnan(figures[:, 0]).all()
    assert np.isfinite(figures[:, 1]).all()


@pytest.mark.parametrize("shape", [(2, 3, 1), (2, 100)])
def test_too_few_draws_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 4 draws a chain"):
        diagnose(np.zeros(shape))
