"""Token edit, with hand-made contexts."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.edit import TokenEdit
from tests.schemes.gaussian_context import categorical_context, gaussian_context

NEW = {"y": np.zeros((2, 40))}


def plain_context(generation=1):
    return Context(generation, 0, 40, np.random.default_rng(generation))


def test_confidence_replaces_old_rows_of_high_probability():
    old = {"y": np.array([[0, 1, 2], [1, 1, 0]])}
    context = categorical_context([[0.991, 0.005, 0.004], [0.01, 0.99, 0.0]], trained_source=old)
    new = {"y": np.zeros((2, 3), dtype=int)}
    marks = TokenEdit().select(new, context)
    np.testing.assert_array_equal(marks, [[1, 0, 0], [1, 1, 0]])
    assert TokenEdit(confidence=0.0).select(new, context).all()


def test_confidence_needs_probabilities():
    with pytest.raises(ValueError, match="use quantile="):
        TokenEdit().select(NEW, gaussian_context(replicates=2, trained_source=NEW))


def test_quantile_replaces_the_densest_old_rows():
    y = np.random.default_rng(3).normal(size=(2, 40))
    context = gaussian_context(0.0, replicates=2, trained_source={"y": y})
    marks = TokenEdit(quantile=0.75).select(NEW, context)
    for r in range(2):
        chosen = marks[r] == 1
        assert chosen.sum() == 10
        assert np.abs(y[r, chosen]).max() < np.abs(y[r, ~chosen]).min()
    assert TokenEdit(quantile=0.0).select(NEW, context).all()
    assert not TokenEdit(quantile=1.0).select(NEW, context).any()
    later = gaussian_context(0.0, replicates=2, trained_source={"y": y}, generation=2)
    assert (TokenEdit(quantile=0.75, shrink=0.5).select(NEW, later).sum(axis=1) == 5).all()


@pytest.mark.parametrize("mask", ["fixed", "fresh"])
def test_share_replaces_that_share(mask):
    for share, expected in ((0.0, 0), (0.25, 10), (1.0, 40)):
        marks = TokenEdit(share=share, mask=mask).select(NEW, plain_context())
        assert marks.shape == (2, 40)
        assert (marks.sum(axis=1) == expected).all()


def test_fixed_masks_stay_and_shrink_inside_themselves():
    edit = TokenEdit(share=0.5, shrink=0.5)
    masks = [edit.select(NEW, plain_context(t)) for t in (1, 2, 3)]
    assert [int(mask[0].sum()) for mask in masks] == [20, 10, 5]
    for larger, smaller in zip(masks, masks[1:], strict=False):
        assert (smaller <= larger).all()
        np.testing.assert_array_equal(larger[0], larger[1])
    # In no relation to the order of the rows: the mean position of 20 of 40, 5 sd either way.
    position = np.flatnonzero(masks[0][0]).mean()
    assert abs(position - 19.5) < 5 * np.sqrt((40**2 - 1) / 12 / 20 * (20 / 39))
    constant = TokenEdit(share=0.5)
    np.testing.assert_array_equal(
        constant.select(NEW, plain_context(1)), constant.select(NEW, plain_context(9))
    )


def test_fresh_masks_are_uniform_and_new():
    rows = {"y": np.zeros((4000, 10))}
    edit = TokenEdit(share=0.3, mask="fresh")
    first, second = (edit.select(rows, plain_context(t)) for t in (1, 2))
    # Ten frequencies of 4,000 lineages, 5 sd: false alarm below 1e-5.
    assert (np.abs(first.mean(axis=0) - 0.3) < 5 * np.sqrt(0.21 / 4000)).all()
    assert (first != second).any()
    overlap = (first * second).sum(axis=1).mean()
    assert abs(overlap - 0.9) < 5 * np.sqrt(10 * 0.3 * 0.7 * 0.3 * 0.7 * 10 / 9 / 4000)


@pytest.mark.parametrize(
    "arguments",
    [
        {"confidence": 1.2},
        {"confidence": 0.9, "share": 0.5},
        {"share": -0.1},
        {"share": 0.5, "shrink": 1.5},
        {"quantile": None, "mask": "fresh"},
        {"share": 0.5, "mask": "other"},
        {"shrink": 0.5},
    ],
)
def test_bad_settings_are_refused(arguments):
    with pytest.raises(ValueError, match="confidence|share|shrink|mask"):
        TokenEdit(**arguments)


def test_old_rows_are_needed():
    with pytest.raises(ValueError, match="context.trained"):
        TokenEdit(quantile=0.5).select(NEW, plain_context())


def test_token_edit_is_a_value():
    assert TokenEdit() == TokenEdit(confidence=0.99)
    for edit in (TokenEdit(), TokenEdit(share=0.25, shrink=0.5, mask="fresh")):
        scheme = bc.Scheme(supply="none", selection=edit)
        assert bc.Scheme.from_dict(scheme.to_dict()) == scheme
        assert eval(repr(edit), {"TokenEdit": TokenEdit}) == edit
