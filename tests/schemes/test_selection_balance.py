"""Class balance, with hand-made contexts."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.balance import ClassBalance

CONTEXT = Context(1, 0, 6, np.random.default_rng(1))


def test_all_rows_are_accepted_and_the_codes_are_the_strata():
    rows = {"x": np.zeros((1, 4, 2)), "y": np.array([[0, 1, 2, 1], [2, 2, 2, 0]])}
    balance = ClassBalance("y", categories=3)
    assert balance.select(rows, CONTEXT).shape == (2, 4)
    assert balance.select(rows, CONTEXT).all()
    codes, count = balance.strata(rows, CONTEXT)
    np.testing.assert_array_equal(codes, rows["y"])
    assert count == 3


def test_codes_of_a_covariate_may_be_shared_and_stored_as_floats():
    rows = {"group": np.array([[0.0, 1.0, 1.0]]), "y": np.zeros((2, 3))}
    codes, count = ClassBalance("group", categories=2).strata(rows, CONTEXT)
    np.testing.assert_array_equal(codes, [[0, 1, 1]])
    assert count == 2


@pytest.mark.parametrize(
    "values",
    [np.array([[0, 1, 3]]), np.array([[-1, 0, 1]]), np.array([[0.5, 1, 0]]), np.zeros((1, 3, 2))],
)
def test_other_values_are_refused(values):
    with pytest.raises(ValueError, match="'y' must hold"):
        ClassBalance("y", categories=3).strata({"y": values}, CONTEXT)


def test_a_missing_variable_is_refused():
    with pytest.raises(ValueError, match="names 'label', but the rows have"):
        ClassBalance("label", categories=3).strata({"y": np.zeros((1, 3), dtype=int)}, CONTEXT)


@pytest.mark.parametrize(
    "arguments",
    [("", 3), (1, 3), ("y", 1), ("y", 2.5), ("y", 3, 0)],
)
def test_bad_settings_are_refused(arguments):
    with pytest.raises(ValueError, match="variable|categories|max_proposals"):
        ClassBalance(*arguments)


def test_class_balance_is_a_value():
    scheme = bc.Scheme(selection=ClassBalance("y", 3, max_proposals=20))
    assert bc.Scheme.from_dict(scheme.to_dict()) == scheme
