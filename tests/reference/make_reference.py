"""Make the reference posteriors: ``uv run python -m tests.reference.make_reference``.

Small data sets from a stated seed, models written here in plain PyMC, and PyMC's own NUTS, which
shares no code with the sampler of this package (nutpie). As in posteriordb, a reference holds its
data, its settings, a thinned set of draws, what they say, and the diagnostics that it had to pass;
nothing is stored if one of them fails. A run takes about a minute a model.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm
import xarray as xr

from tests.reference.store import PROBABILITIES, checks, diagnostics, label

HERE = Path(__file__).parent
SETTINGS = {"chains": 10, "tune": 2_000, "draws": 10_000, "target_accept": 0.9, "thin": 25}
PACKAGES = ("pymc", "pytensor", "arviz", "numpy")


def linear_known_noise(x, y):
    """beta_j ~ Normal(0, 0.5), y_i ~ Normal(x_i beta, 1.5)"""
    beta = pm.Normal("beta", 0.0, 0.5, shape=x.shape[1])
    pm.Normal("y", pm.math.dot(x, beta), 1.5, observed=y)


def linear_unknown_noise(x, y):
    """p(beta, sigma) = 1 / sigma, y_i ~ Normal(x_i beta, sigma)"""
    sigma = pm.HalfFlat("sigma")
    beta = pm.Flat("beta", shape=x.shape[1])
    pm.Potential("one over sigma", -pm.math.log(sigma))
    pm.Normal("y", pm.math.dot(x, beta), sigma, observed=y)


def logistic(x, y):
    """beta_j ~ Normal(0, 1), y_i ~ Bernoulli(1 / (1 + exp(-x_i beta)))"""
    beta = pm.Normal("beta", 0.0, 1.0, shape=x.shape[1])
    pm.Bernoulli("y", logit_p=pm.math.dot(x, beta), observed=y)


MODELS = {model.__name__: model for model in (linear_known_noise, linear_unknown_noise, logistic)}


def rows(name, seed):
    """Covariates with an intercept column, and responses; three decimals, so that text is exact."""
    rng = np.random.default_rng(seed)
    count = 25 if name == "logistic" else 15
    x = np.column_stack([np.ones(count), rng.normal(size=count).round(3)])
    mean = x @ np.array([0.4, -1.1])
    if name == "logistic":
        return x, (rng.random(count) < 1 / (1 + np.exp(-mean))).astype(int)
    return x, (mean + 1.5 * rng.standard_normal(count)).round(3)


def sample(name, x, y, seed):
    """Draws (chain, draw, parameter) of every scalar, divergences, and E-BFMI by chain."""
    with pm.Model() as model:
        MODELS[name](x, y)
        tree = pm.sample(
            nuts_sampler="pymc",
            chains=SETTINGS["chains"],
            tune=SETTINGS["tune"],
            draws=SETTINGS["draws"],
            target_accept=SETTINGS["target_accept"],
            cores=1,
            random_seed=seed,
            progressbar=False,
            compute_convergence_checks=False,
        )
    names, parts = [], []
    for variable in sorted(rv.name for rv in model.free_RVs):
        values = tree["posterior"][variable].to_numpy()
        values = values.reshape(*values.shape[:2], -1)
        parts.append(values)
        names += [label(variable, i, values.shape[-1]) for i in range(values.shape[-1])]
    energy = tree["sample_stats"]["energy"].to_numpy()
    bfmi = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)
    divergences = int(tree["sample_stats"]["diverging"].sum())
    return names, np.concatenate(parts, axis=2), divergences, float(bfmi.min())


def summary(draws):
    """Mean, sd and quantiles of every parameter from all draws, with their MCSE."""
    table = xr.Dataset({"v": (("chain", "draw", "parameter"), draws)})
    out = {"mean": draws.mean(axis=(0, 1)), "sd": draws.std(axis=(0, 1), ddof=1)}
    for statistic in ("mean", "sd"):
        out[f"mcse_{statistic}"] = az.mcse(table, method=statistic)["v"].to_numpy()
    for p in PROBABILITIES:
        out[f"q{100 * p:g}"] = np.quantile(draws, p, axis=(0, 1))
        out[f"mcse_q{100 * p:g}"] = az.mcse(table, method="quantile", prob=p)["v"].to_numpy()
    return {statistic: values.tolist() for statistic, values in out.items()}


def make(name, seed):
    """Sample one model, check it, and store it as NAME.json and NAME.npz."""
    x, y = rows(name, seed)
    names, draws, divergences, bfmi = sample(name, x, y, seed)
    stored = draws[:, :: SETTINGS["thin"]].astype(np.float32)
    figures = {
        "run": {**diagnostics(draws), "divergences": divergences, "smallest_ebfmi": bfmi},
        "stored": diagnostics(stored),
    }
    verdicts = checks(figures)
    if not all(verdicts.values()):
        raise RuntimeError(f"{name}: not stored, as checks failed: {verdicts}, {figures}")
    text = {
        "name": name,
        "model": MODELS[name].__doc__,
        "sampler": "NUTS of PyMC (nuts_sampler='pymc')",
        "seed": seed,
        "settings": SETTINGS,
        "versions": {package: version(package) for package in PACKAGES},
        "data": {"x": x.tolist(), "y": y.tolist()},
        "parameters": names,
        "posterior": summary(draws),
        "diagnostics": figures,
        "checks": verdicts,
    }
    (HERE / f"{name}.json").write_text(json.dumps(text, indent=1) + "\n")
    np.savez_compressed(HERE / f"{name}.npz", draws=stored)


if __name__ == "__main__":
    for number, model_name in enumerate(MODELS):
        make(model_name, 20_240 + number)
