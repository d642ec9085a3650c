"""The noisy verifier of labels against its closed form."""

import numpy as np
import pytest
import xarray as xr

from bayescollapse import theory
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.noisy import NoisyVerifier
from tests.laws.support import TOLERANCE, assert_mean


def label(rows):
    return xr.Dataset({k: (("replicate", "obs", "feature")[: v.ndim], v) for k, v in rows.items()})


def logistic_truth(rows):
    """Log density of labels at slope 2."""
    return -np.logaddexp(0.0, np.where(rows["y"] == 1, -2.0, 2.0) * rows["x"][..., 0])


def context(truth=logistic_truth):
    return Context(1, 0, 10, np.random.default_rng(0), true_log_density=truth, label=label)


def noisy_labels(error, shape=(128, 1000), seed=1):
    """Rows whose labels are the sign of x but for a share of errors."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(*shape, 1))
    right = (x[..., 0] > 0).astype(int)
    wrong = rng.random(shape) < error
    return {"y": np.where(wrong, 1 - right, right), "x": x}, wrong


@pytest.mark.parametrize("error", [0.3, 0.57, 0.77])
def test_kept_share_and_kept_label_error(error):
    """Two comparisons in MCSE for each error."""
    rows, wrong = noisy_labels(error)
    accepted = NoisyVerifier(right=0.8, wrong=0.4).select(rows, context())
    rates = {"keep_correct": 0.8, "keep_wrong": 0.4}
    assert_mean(accepted.ravel(), theory.kept_share(error, **rates))
    kept = theory.kept_label_error(error, **rates)
    assert_mean(wrong[accepted], kept)
    assert (kept < 0.5) == (error < theory.label_error_breakdown(**rates))


@pytest.mark.parametrize("rates", [(0.4, 0.8), (0.8, 0.42), (0.78, 0.4)])
def test_other_rates_would_be_noticed(rates):
    """Negative control: rates swapped, or one of them off by two hundredths."""
    rows, wrong = noisy_labels(0.5)
    accepted = NoisyVerifier(*rates).select(rows, context())
    share = theory.kept_share(0.5, keep_correct=0.8, keep_wrong=0.4)
    error = theory.kept_label_error(0.5, keep_correct=0.8, keep_wrong=0.4)
    z = [
        (sample.mean() - law) / np.sqrt(law * (1 - law) / sample.size)
        for sample, law in ((accepted, share), (wrong[accepted], error))
    ]
    assert np.abs(z).max() > TOLERANCE


def test_the_label_of_highest_true_density_is_right():
    p = np.array([[0.2, 0.5, 0.3], [0.6, 0.2, 0.2], [0.4, 0.4, 0.2]])
    rows = {"y": np.tile(np.arange(3), (3, 2))}

    def truth(labelled):
        return np.log(np.take_along_axis(p, labelled["y"], axis=1))

    accepted = NoisyVerifier(1.0, 0.0, labels=3).select(rows, context(truth))
    # Labels of equal density are all right.
    expected = np.array([[0, 1, 0], [1, 0, 0], [1, 1, 0]], dtype=bool)
    np.testing.assert_array_equal(accepted, np.tile(expected, (1, 2)))


def above_zero(proposed, context):
    """Right labels by a person's own rule."""
    return proposed["y"].to_numpy() == (proposed["x"][..., 0].to_numpy() > 0)


def test_a_rule_of_ones_own():
    rows, wrong = noisy_labels(0.4, shape=(3, 50))
    verifier = NoisyVerifier(1.0, 0.0, correct=above_zero)
    assert not verifier.reads_oracle
    assert NoisyVerifier(1.0, 0.0).reads_oracle
    np.testing.assert_array_equal(verifier.select(rows, context(None)), ~wrong)


def test_rows_that_do_not_fit_are_refused():
    rows, _ = noisy_labels(0.4, shape=(3, 50))
    with pytest.raises(ValueError, match="this run does not know it"):
        NoisyVerifier(0.8, 0.4).select(rows, context(None))
    with pytest.raises(ValueError, match="codes of at least 0 and below 2"):
        NoisyVerifier(0.8, 0.4).select({**rows, "y": rows["y"] + 1}, context())
    with pytest.raises(ValueError, match="one integer code"):
        NoisyVerifier(0.8, 0.4).select({**rows, "y": rows["y"] + 0.5}, context())
    with pytest.raises(ValueError, match="response names 'z'"):
        NoisyVerifier(0.8, 0.4, response="z").select(rows, context())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"right": 1.2, "wrong": 0.0}, "right must be a probability"),
        ({"right": 0.5, "wrong": -0.1}, "wrong must be a probability"),
        ({"right": np.nan, "wrong": 0.1}, "right must be a finite number"),
        ({"right": 0.0, "wrong": 0.0}, "must not both be 0"),
        ({"right": 0.5, "wrong": 0.5, "labels": 1}, "labels must be an integer of at least 2"),
        ({"right": 0.5, "wrong": 0.5, "correct": "sign"}, "correct must be a function"),
        ({"right": 0.5, "wrong": 0.5, "max_proposals": 0}, "max_proposals must be an integer"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(ValueError, match=message):
        NoisyVerifier(**settings)
