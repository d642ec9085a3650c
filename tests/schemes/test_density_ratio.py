"""Density-ratio weights against known ratios."""

import numpy as np
import pytest
import xarray as xr
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Perceptron

import bayescollapse as bc
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.density_ratio import DensityRatio
from bayescollapse.schemes.row_features import polynomials, row_features


def context(seed=1):
    return Context(1, 0, 0, np.random.default_rng(seed))


def labelled(real, synthetic, name="y"):
    """Rows (replicate, obs): real ones first."""
    values = np.concatenate([real, synthetic], axis=1)
    flag = np.arange(values.shape[1]) < real.shape[1]
    dims = ("replicate", "obs", "feature")[: values.ndim]
    return xr.Dataset({name: (dims, values)}, coords={"real": ("obs", flag)})


def forest():
    """A classifier that knows its training rows by heart."""
    return RandomForestClassifier(n_estimators=20)


def perceptron():
    """A classifier without probabilities."""
    return Perceptron()


def gaussian_rows(replicates, n, m, *, shift=0.5, sd=1.3, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(replicates, n)), shift + sd * rng.normal(size=(replicates, m))


def true_ratio(y, shift=0.5, sd=1.3):
    return sd * np.exp(-0.5 * y**2 + 0.5 * ((y - shift) / sd) ** 2)


@pytest.mark.parametrize("degree", [1, 2])
def test_the_estimated_ratio_approaches_the_true_one(degree):
    """Two Gaussians: quadratic log odds. Errors of the fit are of order n^-1/2, here below 5 %."""
    sd = 1.0 if degree == 1 else 1.3
    real, synthetic = gaussian_rows(1, 20_000, 30_000, sd=sd)
    ratio = DensityRatio(degree=degree, clip=100.0, normalise=False)
    weights = ratio(labelled(real, synthetic), context())
    assert (weights[0, :20_000] == 1).all()
    known = true_ratio(synthetic[0], sd=sd)
    middle = np.abs(synthetic[0]) < 2.5
    np.testing.assert_allclose(weights[0, 20_000:][middle], known[middle], rtol=0.1)
    # The mean of a ratio over its own denominator is 1: 5 Monte Carlo standard errors.
    assert abs(weights[0, 20_000:].mean() - 1) < 5 * known.std() / np.sqrt(30_000) + 0.02


def test_a_wrong_degree_misses_the_ratio():
    """Negative control: linear log odds cannot follow two spreads."""
    real, synthetic = gaussian_rows(1, 20_000, 30_000)
    weights = DensityRatio(degree=1, clip=100.0)(labelled(real, synthetic), context())
    known = true_ratio(synthetic[0])
    assert np.abs(weights[0, 20_000:] / known - 1).mean() > 0.1


@pytest.mark.parametrize("normalise", [False, True])
def test_rows_of_one_law_have_weights_around_one(normalise):
    real, synthetic = gaussian_rows(20, 200, 400, shift=0.0, sd=1.0)
    weights = DensityRatio(normalise=normalise)(labelled(real, synthetic), context())[:, 200:]
    assert abs(weights.mean() - 1) < 0.02
    # Two slopes and one level of sampling error: sd about (2 / 200 + 2 / 400)^1/2 = 0.12.
    assert 0.03 < weights.std() < 0.25


@pytest.mark.parametrize("normalise", [False, True])
def test_the_weighted_mean_moves_to_the_truth(normalise):
    real, synthetic = gaussian_rows(60, 200, 300, sd=1.0)
    weights = DensityRatio(normalise=normalise)(labelled(real, synthetic), context())[:, 200:]
    moved = (weights * synthetic).sum(axis=1) / weights.sum(axis=1)
    plain = synthetic.mean(axis=1)
    # Unweighted the mean is 0.5; what is left of the bias comes from the penalty and clipping.
    assert abs(plain.mean() - 0.5) < 5 / np.sqrt(300 * 60)
    assert abs(moved.mean()) < 0.05
    reversed_ = 1 / weights
    back = (reversed_ * synthetic).sum(axis=1) / reversed_.sum(axis=1)
    assert back.mean() > 0.7


def test_normalised_weights_have_mean_one_and_clipping_bounds_them():
    real, synthetic = gaussian_rows(5, 100, 150, shift=1.5, sd=1.0)
    rows = labelled(real, synthetic)
    weights = DensityRatio()(rows, context())[:, 100:]
    np.testing.assert_allclose(weights.mean(axis=1), 1.0)
    clipped = DensityRatio(clip=2.0, normalise=False)(rows, context())[:, 100:]
    assert clipped.max() == 2.0
    unclipped = DensityRatio(clip=1e6, normalise=False)(rows, context())[:, 100:]
    np.testing.assert_allclose(clipped, np.minimum(unclipped, 2.0))


def test_categories_are_indicators():
    """Codes in no order: the ratio of every category is that of its frequencies."""
    rng = np.random.default_rng(3)
    p, q = np.array([0.1, 0.5, 0.1, 0.3]), np.array([0.4, 0.1, 0.4, 0.1])
    real = rng.choice(4, p=p, size=(1, 20_000))
    synthetic = rng.choice(4, p=q, size=(1, 20_000))
    ratio = DensityRatio(degree=1, clip=100.0, normalise=False)
    weights = ratio(labelled(real, synthetic), context())[0, 20_000:]
    measured = [weights[synthetic[0] == k].mean() for k in range(4)]
    np.testing.assert_allclose(measured, p / q, rtol=0.1)
    coarse = DensityRatio(degree=1, levels=3, clip=100.0)(labelled(real, synthetic), context())
    assert np.abs(coarse[0, 20_000:][synthetic[0] == 1].mean() / 5 - 1) > 0.3


def test_features_of_rows():
    rng = np.random.default_rng(1)
    rows = xr.Dataset(
        {
            "y": (("replicate", "obs"), np.array([[0, 1, 1, 0], [1, 1, 0, 1]])),
            "x": (("obs", "feature"), rng.normal(size=(4, 2))),
            "one": (("replicate", "obs"), np.full((2, 4), 0.1)),
        }
    )
    features = row_features(rows, 20)
    assert features.shape == (2, 4, 4)
    np.testing.assert_allclose(features.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(features.std(axis=1)[:, :3], 1.0)
    np.testing.assert_array_equal(features[..., 3], 0.0)
    np.testing.assert_array_equal(features[0, :, 1:3], features[1, :, 1:3])
    assert polynomials(features, 3).shape == (2, 4, 4 + 10 + 20)


def test_folds_judge_rows_that_the_classifier_has_not_seen():
    """A forest knows its training rows by heart: synthetic ones get next to no weight."""
    real, synthetic = gaussian_rows(4, 100, 100, shift=0.0, sd=1.0)
    rows = labelled(real, synthetic)
    by_heart = DensityRatio(classifier=forest, normalise=False)(rows, context())[:, 100:]
    folded = DensityRatio(classifier=forest, normalise=False, folds=5)(rows, context())[:, 100:]
    assert np.median(by_heart) < 0.4
    assert 0.5 < np.median(folded) < 1.8


def test_random_classifiers_follow_the_stream():
    real, synthetic = gaussian_rows(2, 40, 40)
    rows, ratio = labelled(real, synthetic), DensityRatio(classifier=forest, folds=3)
    np.testing.assert_array_equal(ratio(rows, context(1)), ratio(rows, context(1)))
    assert (ratio(rows, context(1)) != ratio(rows, context(2))).any()


def test_lineages_with_one_kind_of_rows_are_refused():
    rows = labelled(np.zeros((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="at least 1 of each"):
        DensityRatio()(rows.assign_coords(real=("obs", np.zeros(7, dtype=bool))), context())
    with pytest.raises(ValueError, match="at least 5 of each"):
        DensityRatio(folds=5)(rows, context())


def test_a_classifier_without_probabilities_is_refused():
    rows = labelled(np.zeros((1, 3)), np.ones((1, 4)))
    with pytest.raises(ValueError, match="predict_proba"):
        DensityRatio(classifier=perceptron)(rows, context())


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"bayescollapse\[density-ratio\]"):
        DensityRatio()(labelled(np.zeros((1, 3)), np.ones((1, 4))), context())


@pytest.mark.parametrize(
    "arguments",
    [
        {"classifier": "boosting"},
        {"classifier": 3},
        {"degree": 0},
        {"clip": 0.0},
        {"normalise": 1},
        {"folds": 0},
        {"levels": 1},
    ],
)
def test_bad_settings_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        DensityRatio(**arguments)


def test_density_ratio_is_a_value():
    for ratio in (DensityRatio(), DensityRatio(clip=3.0, folds=2)):
        scheme = bc.Scheme(weighting=ratio)
        assert bc.Scheme.from_dict(scheme.to_dict()) == scheme
        assert "DensityRatio(" in repr(scheme)
