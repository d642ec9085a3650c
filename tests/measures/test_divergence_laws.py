"""Laws that every measure of posterior drift obeys, as its line of the registry declares them."""

import numpy as np
import pytest

from bayescollapse.measures.posterior_table import POSTERIOR_MEASURES
from tests.measures.divergence_cases import CASES, rotation

NAMES = list(CASES)
SIGNED = ("shift_sds",)


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6, 200, 3)) * [0.7, 1.2, 1.0] + [0.4, 0.0, -0.3]
    return x, rng.normal(size=(6, 200, 3))


def moved(name, sample):
    """Change the scale of a sample in the way that leaves the measure as it is."""
    shift = np.array([0.3, -2.0, 1.0])
    affine = np.array([[-2.0, 0.0, 0.0], [0.3, 0.1, 0.0], [-1.0, 0.7, 3.0]])
    return {
        "translation": lambda: sample + shift,
        "translation and rotation": lambda: sample @ rotation(3) + shift,
        "translation, rotation and a common scale": lambda: 0.01 * (sample @ rotation(3) + shift),
        "affine": lambda: sample @ affine.T + shift,
        "increasing affine": lambda: 3.0 * sample + shift,
        "increasing maps": lambda: np.exp(sample),
    }[POSTERIOR_MEASURES[name].invariant]()


def test_every_measure_is_walked():
    assert set(NAMES) == set(POSTERIOR_MEASURES)


@pytest.mark.parametrize("name", NAMES)
def test_invariant_where_declared(name, samples):
    x, y = samples
    before, after = CASES[name](x, y), CASES[name](moved(name, x), moved(name, y))
    assert np.allclose(before, after, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_symmetric_where_declared(name, samples):
    x, y = samples
    forth, back = CASES[name](x, y), CASES[name](y, x)
    assert np.allclose(forth, back, rtol=1e-9) == POSTERIOR_MEASURES[name].symmetric


@pytest.mark.parametrize("name", NAMES)
def test_order_of_draws_and_chains_does_not_matter(name, samples):
    x, y = samples
    rng = np.random.default_rng(2)
    halves = np.concatenate([x[:, 100:], x[:, :100]], axis=1)
    for first, second in (
        (halves, y),
        (rng.permutation(x, axis=1), y),
        (x, rng.permutation(y, axis=1)),
    ):
        assert np.allclose(CASES[name](first, second), CASES[name](x, y), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_grows_along_a_path_that_moves_away(name):
    rng = np.random.default_rng(3)
    z, y = rng.normal(size=(2, 800, 3))
    path = np.array([CASES[name](c + (1 + c / 2) * z, y) for c in (0.0, 0.4, 0.8, 1.2, 1.6)])
    assert (np.diff(path) > 0).all(), path
    null = POSTERIOR_MEASURES[name].null
    assert abs(path[0] - null) < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_within_its_range_on_average(name):
    # 60 repeats of pairs that are equal or nearly so: the mean lies above the lowest value minus 4
    # standard errors (false alarms 3e-5 a measure) and below the highest; nearest neighbours see a
    # wider sample with a bias, which is stated.
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 60, 200, 3))
    measure = POSTERIOR_MEASURES[name]
    for change in (0.0, 0.1, 100.0):
        values = CASES[name](x * (1 + change) + change, y)
        slack = 4 * values.std(ddof=1) / np.sqrt(60) + 0.1 * (name == "kl_neighbours")
        assert measure.lowest - slack <= values.mean() <= measure.highest
        assert np.isfinite(values).all()
        if name not in SIGNED and change == 100.0:
            assert (values > measure.null).all()
