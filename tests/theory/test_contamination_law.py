"""Laws of contaminated sources, against loops written with NumPy and the recursion itself.

Monte Carlo comparisons are of means over independent lineages, within 4 standard errors: a false
alarm has probability 6e-5 for each of the about 35 comparisons.
"""

import math

import numpy as np
import pytest

from bayescollapse import theory


def assert_mean(draws, expected):
    error = draws.std(ddof=1) / math.sqrt(len(draws))
    assert abs(draws.mean() - expected) < 4 * error, (draws.mean(), expected, error)


def powers(count, decay, growth, first, level=1.0):
    t = np.arange(count) + 1.0
    return level * t**-decay, first * t**growth


@pytest.mark.parametrize(
    ("real", "rows"),
    [
        (np.full(7, 0.1), np.full(7, 20)),
        ((np.arange(7) + 1.0) ** -0.5, 10 * (np.arange(7) + 1)),
        (np.zeros(7), np.full(7, 15)),
    ],
)
def test_contaminated_frequencies(real, rows):
    p, lineages = np.array([0.5, 0.3, 0.15, 0.05]), 20_000
    diversity = 1 - p @ p
    law = theory.contaminated_risk(7, real_probability=real, rows=rows, diversity=diversity)
    rng = np.random.default_rng([5, int(rows[1])])
    learned = rng.multinomial(rows[0], p, size=lineages) / rows[0]
    for t in range(1, 7):
        source = real[t] * p + (1 - real[t]) * learned
        learned = rng.multinomial(rows[t], source) / rows[t]
        assert_mean(((learned - p) ** 2).sum(axis=1), law[t])


@pytest.mark.parametrize("emission", ["joint", ("ensemble", 3)])
def test_contaminated_frequencies_of_draws(emission):
    p, lineages, rows, real = np.array([0.4, 0.3, 0.2, 0.1]), 20_000, 9, 0.2
    law = theory.contaminated_risk(
        6, real_probability=real, rows=rows, diversity=1 - p @ p, emission=emission
    )
    rng = np.random.default_rng(9)
    learned = rng.multinomial(rows, p, size=lineages) / rows
    members = 1 if emission == "joint" else emission[1]
    for t in range(1, 6):
        draws = rng.standard_gamma(np.repeat(rows * learned[:, None], members, axis=1))
        draws /= draws.sum(axis=-1, keepdims=True)
        # Every member emits as many rows; each row is then real or not.
        own = np.repeat(draws, rows // members, axis=1)
        source = np.where(rng.random((lineages, rows, 1)) < real, p, own)
        codes = (rng.random((lineages, rows, 1)) > source.cumsum(axis=-1)[..., :-1]).sum(axis=-1)
        learned = (codes[..., None] == np.arange(len(p))).mean(axis=1)
        assert_mean(((learned - p) ** 2).sum(axis=1), law[t])


def test_solved_recursion_and_limit():
    v, count = 0.8, 40
    real, rows = powers(count, 0.7, 1.2, 30.0)
    law = theory.contaminated_risk(count, real_probability=real, rows=rows, diversity=v)
    keep = (1 - real) ** 2 * (1 - 1 / rows)
    for t in (0, 1, 5, count - 1):
        solved = v * sum(keep[s + 1 : t + 1].prod() / rows[s] for s in range(t + 1))
        assert law[t] == pytest.approx(solved, rel=1e-12)
    constant = np.array([0.05, 0.3, 1.0])
    settled = theory.contaminated_risk(800, real_probability=constant[None], rows=50, diversity=v)[
        -1
    ]
    limit = theory.contaminated_limit(constant, rows=50, diversity=v)
    np.testing.assert_allclose(settled, limit, rtol=1e-12)
    assert (limit >= v / 50 * (1 - 1e-12)).all()
    assert theory.contaminated_limit(0.0, rows=50, diversity=v) == pytest.approx(v, rel=1e-12)
    fixed = theory.contaminated_risk(9, real_probability=0.0, rows=50, diversity=v)
    np.testing.assert_allclose(fixed, v * (1 - (1 - 1 / 50) ** (np.arange(9) + 1)), rtol=1e-12)


def test_known_source_differs_by_the_size_of_a_batch_only():
    """With the source known and pooled rows the factor is 1 - 1/m in place of 1 - 1/N."""
    v, real, rows = 0.9, 0.25, 400
    n, m = real * rows, (1 - real) * rows
    known = theory.limit_risk(real, a=v / n, b=v / m, c=1 - 1 / m)
    assert theory.contaminated_limit(real, rows=rows, diversity=v) == pytest.approx(
        known, rel=1 / m
    )


def test_quasi_steady_state():
    real, rows = powers(4000, 0.5, 1.0, 100.0)
    law = theory.contaminated_risk(4000, real_probability=real, rows=rows, diversity=0.9)
    near = theory.contaminated_quasi_steady(real[-1], rows=rows[-1], diversity=0.9)
    assert law[-1] == pytest.approx(near, rel=0.03)
    real, rows = powers(4000, 0.5, 0.5, 3.0)
    law = theory.contaminated_risk(4000, real_probability=real, rows=rows, diversity=0.9)
    assert law[-1] == pytest.approx(0.9 / (2 * 3 + 1), rel=0.02)


@pytest.mark.parametrize(
    ("decay", "growth", "level"),
    [
        (0.0, 1.0, 0.5),
        (0.5, 1.0, 1.0),
        (0.3, 0.9, 0.4),
        (1.0, 1.5, 1.0),
        (1.0, 2.5, 0.3),
        (1.0, 5.0, 1.0),
    ],
)
def test_speed_of_recovery(decay, growth, level):
    count = 10_000
    real, rows = powers(count, decay, growth, 20.0, level)
    law = theory.contaminated_risk(count, real_probability=real, rows=rows, diversity=0.9)
    found = theory.contamination_region(decay, growth, level=level)
    slope = -math.log(law[-1] / law[count // 4]) / math.log(4)
    assert found.region == "recovery"
    assert found.exponent == pytest.approx(slope, abs=0.03)


def test_constant_of_recovery_at_the_border():
    count, growth = 10_000, 1.5
    real, rows = powers(count, 1.0, growth, 100.0)
    law = theory.contaminated_risk(count, real_probability=real, rows=rows, diversity=0.9)
    expected = 0.9 / ((3 - growth) * 100 * (count - 1) ** (growth - 1))
    assert law[-1] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("decay", "growth", "region"),
    [
        (0.5, 0.2, "collapse"),
        (1.0, 0.5, "collapse"),
        (1.6, 0.6, "collapse"),
        (0.4, 0.4, "floor"),
        (1.0, 1.0, "floor"),
        (0.0, 0.0, "floor"),
        (2.0, 2.0, "floor"),
        (2.5, 1.8, "floor"),
        (1.5, 4.0, "floor"),
    ],
)
def test_regions_without_recovery(decay, growth, region):
    assert theory.contamination_region(decay, growth).region == region
    count = 10_000
    real, rows = powers(count, decay, growth, 1.0)
    law = theory.contaminated_risk(count, real_probability=real, rows=rows, diversity=0.9)
    if region == "floor":
        assert law[-1] == pytest.approx(law[count // 4], rel=0.05) and 0 < law[-1] < 0.9 * 1.0001
        if 0 < decay <= 1:
            assert law[-1] == pytest.approx(0.9 / 3, rel=0.04)
    else:  # the distance to V keeps falling; at these exponents slowly
        assert 0.9 - law[-1] < 0.75 * (0.9 - law[count // 40])
        assert law[-1] > 0.75 * 0.9


def test_rows_to_improve_is_the_border():
    v = 0.9
    for risk, real in [(0.02, 0.1), (0.3, 0.7), (0.9, 0.2)]:
        rows = theory.rows_to_improve(risk, real_probability=real, diversity=v)
        after = (1 - real) ** 2 * (1 - 1 / rows) * risk + v / rows
        assert after == pytest.approx(risk, rel=1e-12)
    assert theory.rows_to_improve(0.1, real_probability=0.0, diversity=v) == np.inf


def test_effective_real_rows():
    real = np.array([[1.0, 1.0], [0.5, 0.1], [0.5, 0.0]])
    worth = theory.effective_real_rows(real, rows=[10, 20, 40])
    np.testing.assert_allclose(worth, [[10, 10], [15, 10.2], [25, 10.2]])
