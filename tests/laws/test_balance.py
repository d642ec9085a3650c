"""Class balance: equal shares of the synthetic rows, and probabilities that settle at once."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.models import categorical
from bayescollapse.schemes.selection.balance import ClassBalance
from tests.laws.support import assert_mean, assert_variance, posterior_mean, sweep

TRUTH = np.array([0.6, 0.3, 0.1])
ROWS, CATEGORIES, SHARE, CONCENTRATION = 60, 3, 0.4, 1.0
BALANCE = ClassBalance("y", CATEGORIES)


def balanced(replicates, *, real_share=SHARE, selection=BALANCE, **settings):
    # A joint draw may make a category so rare that a lineage runs short; the mean does not.
    return sweep(
        categorical.estimator(categories=CATEGORIES, concentration=CONCENTRATION),
        bc.Truth(p=TRUTH),
        bc.schemes.weighted(real_share, selection=selection, emission="plug-in"),
        n_real=ROWS,
        generations=4,
        replicates=replicates,
        seed=47,
        **settings,
    )


def check(run, real_share=SHARE):
    """Mean and variance over lineages of the posterior mean; balanced rows are no random part."""
    total, prior = 2 * ROWS, CATEGORIES * CONCENTRATION
    shares = real_share * TRUTH + (1 - real_share) / CATEGORIES
    mean = (CONCENTRATION + total * shares) / (prior + total)
    variance = (total * real_share / (prior + total)) ** 2 * TRUTH * (1 - TRUTH) / ROWS
    found = posterior_mean(run, "p")[:, 1:]
    assert_mean(found, mean)
    for t in range(found.shape[1]):
        assert_variance(found[:, t], variance)


@pytest.mark.parametrize("replicates", [2000, pytest.param(20_000, marks=pytest.mark.verification)])
def test_probabilities_lie_between_the_true_and_equal_ones_at_every_generation(replicates):
    """Eighteen comparisons at 4 MCSE: false alarm below 1.2e-3."""
    run = balanced(replicates)
    assert not run["training"]["short"].any()
    check(run)


@pytest.mark.parametrize("rows", [60, 61])
def test_categories_have_equal_numbers_of_synthetic_rows(rows):
    run = balanced(20, n_synthetic=rows, keep_rows="all")["rows"].to_dataset()
    synthetic = run.isel(row=np.flatnonzero(~run["real"].to_numpy()))
    codes = synthetic["y"].to_numpy().reshape(-1, rows)
    counts = np.stack([(codes == k).sum(axis=1) for k in range(CATEGORIES)], axis=1)
    expected = [20 + (rows % CATEGORIES > k) for k in range(CATEGORIES)]
    np.testing.assert_array_equal(counts, np.broadcast_to(expected, counts.shape))


def test_rows_of_full_categories_are_thrown_away():
    """The rarest category sets the price: about m q / C over its probability, times a margin."""
    emitted = balanced(128)["training"]["emitted"].isel(scheme=0, generation=0).to_numpy()
    assert (emitted > ROWS / CATEGORIES / 0.2).all()
    assert (emitted <= 100 * ROWS).all()


def test_too_few_proposals_mark_the_lineage():
    run = balanced(64, selection=ClassBalance("y", CATEGORIES, max_proposals=2))
    assert 0.3 < float(run["training"]["short"].isel(generation=0).mean()) <= 1
    with pytest.raises(AssertionError, match="MCSE"):
        check(run)


@pytest.mark.parametrize(
    "mutation", [{"selection": bc.schemes.KeepAll()}, {"real_share": SHARE + 0.05}]
)
def test_the_law_fails_for_other_schemes(mutation):
    with pytest.raises(AssertionError, match="MCSE"):
        check(balanced(2000, **mutation))
