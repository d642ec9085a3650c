"""Fits at weight 1 against reference posteriors of long NUTS runs.

A comparison fails at |z| > 4, probability 6.3e-5. Five statistics of at most three parameters in
three models by three methods are at most 120 comparisons: a false alarm of all has a probability
below 0.8 %.
"""

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy.stats import ks_2samp

from tests.reference.store import PROBABILITIES, checks, diagnostics, label, load, names

FAMILY = {
    "linear_known_noise": "regression known noise",
    "linear_unknown_noise": "regression unknown noise",
    "logistic": "logistic",
}
EXACT = ("linear_known_noise", "linear_unknown_noise")
TOLERANCE = 4.0


@pytest.fixture
def estimator(name, estimators, logistic):
    """The package's own model, shared with other tests as compiling is the main cost."""
    return logistic if FAMILY[name] == "logistic" else estimators[FAMILY[name]]


def stacked(posterior, parameters):
    """Draws (chain, draw, parameter) in the order of the reference."""
    scalars = {}
    for name, values in posterior.data_vars.items():
        flat = values.to_numpy().reshape(*values.shape[:2], -1)
        for i in range(flat.shape[-1]):
            scalars[label(name, i, flat.shape[-1])] = flat[..., i]
    assert set(scalars) == set(parameters)
    return np.stack([scalars[name] for name in parameters], axis=-1)


def standardised(draws, posterior, inflate=1.0):
    """Difference of every statistic in standard errors of both, (statistic, parameter)."""
    table = xr.Dataset({"v": (("chain", "draw", "parameter"), draws)})
    ours = {"mean": draws.mean(axis=(0, 1)), "sd": draws.std(axis=(0, 1), ddof=1)}
    errors = {s: az.mcse(table, method=s)["v"].to_numpy() for s in ours}
    for p in PROBABILITIES:
        ours[f"q{100 * p:g}"] = np.quantile(draws, p, axis=(0, 1))
        errors[f"q{100 * p:g}"] = az.mcse(table, method="quantile", prob=p)["v"].to_numpy()
    return {
        statistic: (value - np.array(posterior[statistic]))
        / np.hypot(inflate * errors[statistic], posterior[f"mcse_{statistic}"])
        for statistic, value in ours.items()
    }


def assert_reproduced(reference, posterior):
    draws = stacked(posterior.to_dataset(), reference.text["parameters"])
    z = standardised(draws, reference.text["posterior"])
    worst = max(float(np.abs(value).max()) for value in z.values())
    assert worst <= TOLERANCE, z
    return draws


@pytest.mark.parametrize("name", EXACT)
def test_exact_posteriors_reproduce_the_reference(name, estimator):
    reference = load(name)
    fit = estimator.fit(reference.rows, method="exact", draws=25_000, chains=4, seed=1)
    draws = assert_reproduced(reference, fit["posterior"])
    for i, parameter in enumerate(reference.text["parameters"]):
        stored = reference.draws[..., i].ravel()
        assert ks_2samp(draws[..., i].ravel(), stored).pvalue > 1e-4, parameter


@pytest.mark.parametrize("name", FAMILY)
def test_nuts_reproduces_the_reference(name, estimator):
    reference = load(name)
    fit = estimator.fit(reference.rows, method="nuts", draws=5_000, chains=4, seed=2)
    assert_reproduced(reference, fit["posterior"])


@pytest.mark.parametrize("name", ["logistic"])
def test_laplace_reproduces_the_reference(name, estimator):
    """Importance-corrected draws come in antithetic pairs; the effective size counts each once."""
    reference = load(name)
    fit = estimator.fit(reference.rows, method="laplace", draws=10_000, chains=2, seed=3)
    effective = float(fit["sample_stats"]["ess_importance"]) / 20_000
    assert 0.4 < effective <= 0.5
    draws = stacked(fit["posterior"].to_dataset(), reference.text["parameters"])
    z = standardised(draws, reference.text["posterior"], inflate=effective**-0.5)
    assert max(float(np.abs(value).max()) for value in z.values()) <= TOLERANCE, z


def test_logistic_reference_agrees_with_quadrature():
    """Means and sds on a grid of 400 x 400 points, 10 prior sds wide: no sampler at all."""
    reference = load("logistic")
    x, y = reference.rows["x"].to_numpy(), reference.rows["y"].to_numpy()
    points = np.linspace(-5, 5, 400)
    grid = np.stack(np.meshgrid(points, points, indexing="ij"), axis=-1)
    eta = grid @ x.T
    log_density = (y * eta - np.logaddexp(0, eta)).sum(axis=-1) - 0.5 * (grid**2).sum(axis=-1)
    mass = np.exp(log_density - log_density.max())
    mass /= mass.sum()
    mean = np.einsum("ab,abj->j", mass, grid)
    sd = np.sqrt(np.einsum("ab,abj->j", mass, (grid - mean) ** 2))
    posterior = reference.text["posterior"]
    for statistic, value in (("mean", mean), ("sd", sd)):
        z = (np.array(posterior[statistic]) - value) / posterior[f"mcse_{statistic}"]
        assert np.abs(z).max() <= TOLERANCE, (statistic, z)


@pytest.mark.parametrize("name", names())
def test_stored_diagnostics_are_those_of_the_stored_draws(name):
    reference = load(name)
    stored = reference.text["diagnostics"]["stored"]
    measured = diagnostics(reference.draws)
    assert measured.keys() == stored.keys()
    for figure, value in measured.items():
        assert value == pytest.approx(stored[figure], rel=1e-6), figure


@pytest.mark.parametrize("name", names())
def test_reference_passed_its_checks(name):
    text = load(name).text
    assert text["checks"] == checks(text["diagnostics"])
    assert all(text["checks"].values())
    settings = text["settings"]
    assert text["diagnostics"]["run"]["draws"] == settings["draws"]
    assert text["diagnostics"]["stored"]["draws"] == settings["draws"] // settings["thin"]


@pytest.mark.parametrize("name", names())
def test_stored_draws_agree_with_the_stored_summary(name):
    """Thinned draws are a part of the run, so their distance is at most their own error."""
    reference = load(name)
    draws, posterior = reference.draws.astype(float), reference.text["posterior"]
    error = draws.std(axis=(0, 1), ddof=1) / np.sqrt(draws.shape[0] * draws.shape[1])
    assert np.all(np.abs(draws.mean(axis=(0, 1)) - posterior["mean"]) <= TOLERANCE * error)


def test_another_prior_is_seen():
    """The comparison can fail: a prior half as wide moves the posterior by many errors."""
    from bayescollapse.models import linear_regression

    reference = load("linear_known_noise")
    other = linear_regression.estimator(features=2, noise_sd=1.5, prior_sd=0.4)
    fit = other.fit(reference.rows, draws=25_000, chains=4, seed=1)
    with pytest.raises(AssertionError):
        assert_reproduced(reference, fit["posterior"])
