"""Token edit in linear regression: its two edges, and an exact recursion between them."""

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import linear_regression
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.edit import TokenEdit
from tests.laws.support import assert_mean, posterior_mean, sweep

ROWS, FEATURES, GENERATIONS = 40, 5, 6
UNIT = FEATURES / (ROWS - FEATURES - 1)


def estimator():
    return linear_regression.estimator(features=FEATURES, noise_sd=1.0)


def scheme(edit, emission="plug-in"):
    return bc.Scheme(supply="none", selection=edit, emission=emission)


def errors(edit, replicates, *, emission="plug-in", generations=GENERATIONS, covariates=None):
    """Squared errors of the coefficients (replicate, generation)."""
    design = bc.sources.NormalCovariates(FEATURES) if covariates is None else covariates
    run = sweep(
        estimator(),
        bc.Truth(beta=np.ones(FEATURES), covariates=design),
        scheme(edit, emission),
        n_real=ROWS,
        generations=generations,
        replicates=replicates,
        seed=43,
    )
    return ((posterior_mean(run, "beta") - 1.0) ** 2).sum(axis=-1)


@pytest.mark.parametrize("edit", [TokenEdit(share=1.0), TokenEdit(quantile=0.0)])
@pytest.mark.parametrize("replicates", [800, pytest.param(4000, marks=pytest.mark.verification)])
def test_all_rows_edited_is_the_fully_synthetic_loop(edit, replicates):
    """Six comparisons at 4 MCSE: false alarm below 4e-4."""
    law = theory.regression_replace_error(np.arange(GENERATIONS), rows=ROWS, features=FEATURES)
    assert_mean(errors(edit, replicates) / UNIT, law)


def test_all_rows_edited_is_replace_on_one_design():
    source = bc.Truth(beta=np.ones(FEATURES), covariates=bc.sources.NormalCovariates(FEATURES))
    schemes = {
        "edit": scheme(TokenEdit(share=1.0), "joint"),
        "replace": bc.schemes.replace(covariates="fixed"),
    }
    run = sweep(estimator(), source, schemes, n_real=ROWS, generations=5, replicates=9)
    edit, replace = (posterior_mean(run, "beta", name) for name in schemes)
    np.testing.assert_allclose(edit, replace, rtol=1e-12)


@pytest.mark.parametrize("edit", [TokenEdit(share=0.0), TokenEdit(quantile=1.0)])
def test_no_row_edited_is_static(edit):
    found = errors(edit, 100)
    np.testing.assert_array_equal(found, np.broadcast_to(found[:, :1], found.shape))
    assert_mean(found[:, 0] / UNIT, 1.0)


def masks(edit, generations):
    """Masks of generations 1, 2, … as the selection gives them."""
    rows = {"y": np.zeros((1, ROWS))}
    contexts = [Context(t, 0, ROWS, np.random.default_rng(0)) for t in range(1, generations)]
    return [edit.select(rows, context)[0] for context in contexts]


def exact_errors(x, edit, generations):
    """Trace of the error's covariance under plug-in emission, for a design and known masks.

    Rows err by r_t = M (x e_{t-1} + noise) + (1 - M) r_{t-1} and the coefficients by e_t = P r_t;
    only the covariance C of r is needed.
    """
    pinv = np.linalg.pinv(x)
    hat = x @ pinv
    covariance = np.eye(ROWS)
    out = [np.trace(pinv @ covariance @ pinv.T)]
    for mask in masks(edit, generations):
        step = mask[:, None] * hat + np.diag(1 - mask)
        covariance = step @ covariance @ step.T + np.diag(mask)
        out.append(np.trace(pinv @ covariance @ pinv.T))
    return np.array(out)


FIXED = xr.Dataset(
    {"x": (("obs", "feature"), np.random.default_rng(5).normal(size=(ROWS, FEATURES)))}
)
PARTS = [TokenEdit(share=0.4), TokenEdit(share=0.7, shrink=0.5)]


def check_exact(edit, replicates, law_of):
    law = exact_errors(FIXED["x"].to_numpy(), law_of, GENERATIONS)
    assert_mean(errors(edit, replicates, covariates=FIXED), law)


@pytest.mark.parametrize("edit", PARTS)
@pytest.mark.parametrize("replicates", [2000, pytest.param(20_000, marks=pytest.mark.verification)])
def test_error_between_the_edges_follows_the_exact_recursion(edit, replicates):
    """Six comparisons at 4 MCSE: false alarm below 4e-4."""
    check_exact(edit, replicates, edit)


def test_the_recursion_has_both_edges():
    x = FIXED["x"].to_numpy()
    unit = np.trace(np.linalg.inv(x.T @ x))
    t = np.arange(GENERATIONS)
    np.testing.assert_allclose(exact_errors(x, TokenEdit(share=1.0), GENERATIONS), unit * (t + 1))
    np.testing.assert_allclose(exact_errors(x, TokenEdit(share=0.0), GENERATIONS), unit + 0 * t)


def test_two_units_hold_for_a_mask_that_shrinks_fast():
    """Norm of the mask halved: the number of rows in a quarter; from 27 % of the rows."""
    law = exact_errors(FIXED["x"].to_numpy(), TokenEdit(share=0.27, shrink=0.25), 40)
    assert law.max() < 2 * law[0]
    full = exact_errors(FIXED["x"].to_numpy(), TokenEdit(share=1.0), 40)
    assert full[-1] == pytest.approx(40 * full[0])


def test_two_units_are_not_universal():
    """A small mask that stays obeys the bound; a larger one, and fresh masks, do not."""
    x = FIXED["x"].to_numpy()
    small, large = (exact_errors(x, TokenEdit(share=share), 100) for share in (0.27, 0.4))
    assert small.max() < 1.7 * small[0]
    assert large[-1] > 2.3 * large[0]
    many = errors(TokenEdit(share=0.27, mask="fresh"), 300, generations=30)[:, -1] / UNIT
    assert many.mean() - 4 * many.std() / np.sqrt(len(many)) > 2


@pytest.mark.parametrize(
    ("edit", "emission"),
    [(TokenEdit(share=0.9), "plug-in"), (TokenEdit(share=1.0), "joint")],
)
def test_the_edge_fails_for_other_schemes(edit, emission):
    """Negative control: a smaller share, or another emission."""
    law = theory.regression_replace_error(np.arange(GENERATIONS), rows=ROWS, features=FEATURES)
    with pytest.raises(AssertionError, match="MCSE"):
        assert_mean(errors(edit, 800, emission=emission) / UNIT, law)


def test_the_recursion_fails_for_another_mask():
    with pytest.raises(AssertionError, match="MCSE"):
        check_exact(TokenEdit(share=0.4), 2000, TokenEdit(share=0.3))
    with pytest.raises(AssertionError, match="MCSE"):
        check_exact(TokenEdit(share=0.4, mask="fresh"), 2000, TokenEdit(share=0.4))
