"""Truncation of over-confident rows, with hand-made contexts."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.truncation import Truncation
from tests.schemes.gaussian_context import categorical_context, gaussian_context

CODES = {"y": np.array([[0, 1, 2, 0], [2, 2, 1, 0]])}


def test_threshold_drops_the_categories_above_it():
    context = categorical_context([[0.8, 0.15, 0.05], [0.1, 0.1, 0.8]])
    weights = Truncation(threshold=0.5).select(CODES, context)
    np.testing.assert_array_equal(weights, [[0, 1, 1, 0], [0, 0, 1, 1]])


def test_a_probability_at_the_threshold_is_kept():
    context = categorical_context([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]])
    assert Truncation(threshold=0.5).select(CODES, context).all()


def test_threshold_one_keeps_all_even_a_certain_category():
    """Rounding may lift the log of a probability of 1 above 0."""
    context = categorical_context(np.array([[1 + 4e-16, 0, 0]] * 2))
    rows = {"y": np.zeros((2, 3), dtype=int)}
    assert Truncation(threshold=1.0).select(rows, context).all()
    assert not Truncation(threshold=0.999).select(rows, context).any()


@pytest.mark.parametrize("quantile", [0.1, 0.37, 0.9, 1.0])
def test_quantile_keeps_the_share_of_lowest_density(quantile):
    rng = np.random.default_rng(2)
    centre = np.array([-1.0, 0.0, 2.0])
    y = centre[:, None] + rng.normal(size=(3, 50))
    weights = Truncation(quantile=quantile).select({"y": y}, gaussian_context(centre))
    distance = np.abs(y - centre[:, None])
    for r in range(3):
        kept = weights[r] == 1
        assert kept.sum() == np.ceil(quantile * 50)
        # The density of a Gaussian falls with the distance from its centre.
        assert kept.all() or distance[r, kept].min() > distance[r, ~kept].max()


def test_rows_of_equal_density_stay_together():
    y = np.array([[1.0, -1.0, 1.0, -1.0, 3.0]])
    weights = Truncation(quantile=0.4).select({"y": y}, gaussian_context(0.0, replicates=1))
    np.testing.assert_array_equal(weights, [[1, 1, 1, 1, 1]])


@pytest.mark.parametrize("rows", [{"y": np.zeros((3, 2))}, {"y": np.zeros((3, 2), dtype=int)}])
def test_densities_are_not_compared_with_a_probability(rows):
    """Continuous rows are found by their type, or by a density above 1."""
    context = gaussian_context(replicates=3)
    if rows["y"].dtype == int:
        context = categorical_context(np.full((3, 2), 1.7))
    with pytest.raises(ValueError, match="use quantile="):
        Truncation(threshold=0.8).select(rows, context)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"threshold": 0.8, "quantile": 0.5},
        {"threshold": 0.0},
        {"threshold": 1.2},
        {"quantile": True},
        {"quantile": "0.5"},
    ],
)
def test_bad_settings_are_refused(arguments):
    with pytest.raises(ValueError, match="threshold|quantile"):
        Truncation(**arguments)


def test_a_context_without_emitting_generation_is_refused():
    context = Context(1, 0, 4, np.random.default_rng(1))
    with pytest.raises(ValueError, match="log_predictive"):
        Truncation(quantile=0.5).select({"y": np.zeros((1, 4))}, context)


def test_truncation_is_a_value():
    scheme = bc.Scheme(selection=Truncation(quantile=0.9))
    assert bc.Scheme.from_dict(scheme.to_dict()) == scheme
    assert "Truncation(quantile=0.9)" in repr(scheme)
