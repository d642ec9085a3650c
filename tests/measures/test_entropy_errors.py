"""Errors of entropies, gains and shares are the spread over repeats."""

import json

import numpy as np
import pytest
import xarray as xr

from bayescollapse.measures import posterior_entropy
from bayescollapse.measures.priors import PriorFigures

TOLERANCE, SLACK = 4.0, 0.1
PRIOR_WEIGHT, ROWS = 4.0, 10
PEAK = 0.5 * np.log(2 * np.pi)


def matches(value, error):
    """Spread over repeats is the mean error within a tenth, and the spread's own 4 MCSE."""
    ratio = np.log(np.std(value, ddof=1) / np.mean(error))
    return abs(ratio) < SLACK + TOLERANCE / np.sqrt(2 * np.size(value))


def table(values):
    """Rows on the first dimension, and repeats as parameters on the second."""
    coords = {"parameter": [f"mu[{i}]" for i in range(values.shape[1])]}
    return xr.DataArray(values, dims=("draw", "parameter"), coords=coords)


def repeated_run(replicates, repeats, law, seed):
    """Repeats as independent entries of one parameter: three times the rows at generation 1.

    The truths are drawn from a prior of variance 1/4 and of the given law.
    """
    rng = np.random.default_rng(seed)
    size = (replicates, repeats)
    truth = rng.normal(size=size) if law == "normal" else rng.uniform(-(3**0.5), 3**0.5, size)
    truth = truth * PRIOR_WEIGHT**-0.5
    mean, sd = [], []
    for rows in (ROWS, 3 * ROWS):
        weight = rows + PRIOR_WEIGHT
        # Errors stay those of ROWS rows: generation 1 claims what it does not know.
        mean.append((ROWS * truth + ROWS**0.5 * rng.normal(size=size)) / (ROWS + PRIOR_WEIGHT))
        # A posterior whose width varies over replicates.
        sd.append(weight**-0.5 * np.exp(0.2 * rng.normal(size=size)))
    stats = np.stack([np.stack(mean, 1), np.stack(sd, 1)], 2)
    lead = {"replicate": np.arange(replicates), "generation": [0, 1], "statistic": ["mean", "sd"]}
    summary = xr.Dataset(
        {"mu": (("scheme", *lead, "entry"), stats[None])}, coords={"scheme": ["loop"], **lead}
    )
    only = xr.Dataset({"mu": ((*lead, "entry"), np.repeat(stats[:, :1], 2, axis=1))}, coords=lead)
    known = xr.Dataset(
        {"mu": (("replicate", "entry"), truth)}, coords={"replicate": lead["replicate"]}
    )
    run = xr.DataTree.from_dict({"summary": summary, "truth": known, "reference/real_only": only})
    run.attrs["configuration"] = json.dumps({"source": {"parameters": "prior"}})
    return run


@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_errors_with_truths_of_the_prior(law):
    """600 repeats with 80 truths: five spreads, and how often two errors hold the mean."""
    found = posterior_entropy(repeated_run(80, 600, law, 5)).isel(scheme=0, generation=1)
    for name in ("information_gain", "information_known", "share_claimed", "share_kept"):
        value, error = found[name].to_numpy(), found[f"{name}_mcse"].to_numpy()
        assert matches(value, error), (name, value.std(), error.mean())
    inside = abs(found["share_claimed"] - found["share_claimed"].mean())
    assert 0.90 < float((inside < 2 * found["share_claimed_mcse"]).mean()) < 0.98


@pytest.mark.parametrize("neighbours", [None, 4])
def test_error_of_the_entropy_of_a_prior(neighbours):
    draws = np.random.default_rng(2).normal(size=(100, 600))
    prior = PriorFigures(table(draws), neighbours)
    assert matches(prior.entropy, prior.error)
    truths = PriorFigures(table(draws).rename(draw="replicate"), neighbours)
    assert np.allclose(truths.error, 0) and np.allclose(prior.effects, 0)
    assert matches(truths.entropy, truths.effects.std("replicate", ddof=1) / 10)


def test_error_of_the_entropy_of_several_parameters():
    rng = np.random.default_rng(3)
    figures = [PriorFigures(table(rng.normal(size=(100, 3))), None, True) for _ in range(600)]
    values, errors = np.array([(float(f.entropy), float(f.error)) for f in figures]).T
    assert matches(values, errors)
    assert abs(values.mean() - 3 * (PEAK + 0.5)) < TOLERANCE * values.std() / np.sqrt(600)


@pytest.mark.parametrize("places", [[0.0], [2.0], [5.0], [-1.0, 1.0], [1.0, 4.0]])
def test_error_of_log_densities_at_truths(places):
    """From 400 draws, at truths up to 5 sds away; false alarm of the mean below 4e-4."""
    rng = np.random.default_rng(4)
    prior = PriorFigures(table(rng.normal(size=(400, 1_000))))
    points = np.repeat(np.array(places)[:, None], 1_000, axis=1)
    truth = table(points).rename(draw="replicate")
    value = prior.log_density(truth).mean("replicate")
    error = prior.density_error(truth)
    if places == [-1.0, 1.0]:
        # One sd away on both sides the first order cancels: what is left is of the next.
        assert float(error.mean()) < 0.02 and float(value.std()) < 0.02
    else:
        assert matches(value, error)
    law = -PEAK - np.mean(np.square(places)) / 2
    assert abs(float(value.mean()) - law) < TOLERANCE * float(value.std()) / np.sqrt(1_000)


def test_error_of_joint_log_densities():
    rng = np.random.default_rng(6)
    truth = table(np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 0.0]])).rename(draw="replicate")
    found = []
    for _ in range(600):
        prior = PriorFigures(table(rng.normal(size=(200, 3))), None, True)
        density = float(prior.log_density(truth).mean())
        found.append((density, float(prior.density_error(truth))))
    values, errors = np.array(found).T
    assert matches(values, errors)


@pytest.mark.parametrize("together", [False, True])
def test_log_densities_of_few_truths_are_unbiased(together):
    """Five truths a repeat, of the prior itself and of others; two comparisons at 4 MCSE."""
    rng = np.random.default_rng(7)
    repeats, size = (400, 2) if together else (1, 8_000)
    found = []
    for _ in range(repeats):
        draws, others = (table(rng.normal(size=(7, size))).rename(draw="replicate") for _ in "ab")
        own = PriorFigures(draws, together=together)
        other = PriorFigures(draws.rename(replicate="draw"), together=together)
        pair = [f.log_density(t).mean("replicate") for f, t in ((own, draws), (other, others))]
        found.append([np.ravel(p) for p in pair])
    law = -(PEAK + 0.5) * (size if together else 1)
    own, other = np.concatenate(found, axis=-1)
    for values in (own, other):
        assert abs(values.mean() - law) < TOLERANCE * values.std(ddof=1) / np.sqrt(values.size)
    # Without the factor 7/6 of the squared distances the mean is off by more.
    assert TOLERANCE * own.std() / np.sqrt(own.size) < (size if together else 1) / 14


def test_effects_belong_to_their_replicates():
    """The truth that lies far off raises the entropy most, by either estimator."""
    draws = np.random.default_rng(8).normal(size=(50, 2))
    draws[17] = 9.0
    for neighbours in (None, 4):
        prior = PriorFigures(table(draws).rename(draw="replicate"), neighbours)
        assert (prior.effects.argmax("replicate") == 17).all()
