"""Time of a generation through the engine against rebuilding the model with PyMC.

A generation refits 100 rows and emits 100. ``engine`` and ``rebuild`` get the same new rows every
round. ``engine`` is warm: compiled before the clock starts, as in every generation after the first.
``rebuild`` makes the PyMC model, calls ``pm.sample`` (nutpie, same draws, tune and chains) and then
``pm.sample_posterior_predictive`` on all draws, which is what most loops do; ``rebuild, one draw``
has the same fit, and a predictive from a single draw. ``lineage`` is a generation of a whole run,
with fresh real rows, weights and records: a block of generations divided by their number.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import xarray as xr
from interleaved import Seconds, interleaved, parser, show, show_ratio

import bayescollapse as bc
from bayescollapse.estimator.emission import emission_parameters, parse_emission
from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.models import logistic_regression
from bayescollapse.sources import NormalCovariates

ROWS, DRAWS, TUNE, CHAINS, GENERATIONS = 100, 500, 400, 2, 10
SETTINGS: dict[str, Any] = {"draws": DRAWS, "tune": TUNE, "chains": CHAINS}
SETTINGS |= {"cores": 1, "nuts_sampler": "nutpie", "progressbar": False}


class Case(NamedTuple):
    """A model, how to build it from rows, and a truth."""

    title: str
    build: Callable[[xr.Dataset], pm.Model]
    estimator: bc.Estimator
    truth: bc.Truth


def cases() -> list[Case]:
    """Gaussian mean and sd, and logistic regression with two features."""
    gaussian = bc.Estimator(_gaussian(xr.Dataset({"y": ("obs", np.array([-1.0, 1.0]))})))
    logistic = logistic_regression.estimator(features=2)
    truth = bc.Truth(beta=[1.0, 1.0], covariates=NormalCovariates(2))
    return [
        Case("Gaussian mean and sd", _gaussian, gaussian, bc.Truth(mu=0.0, sigma=1.0)),
        Case("Logistic regression, 2 features", _logistic, logistic, truth),
    ]


def _gaussian(rows: xr.Dataset) -> pm.Model:
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 10)
        sigma = pm.HalfNormal("sigma", 10)
        pm.Normal("y", mu, sigma, observed=rows["y"].to_numpy())
    return model


def _logistic(rows: xr.Dataset) -> pm.Model:
    return logistic_regression.model(rows, features=2)


class Generations:
    """The candidates for one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.engine = case.estimator.engine("nuts")
        self.source = case.truth.bind(case.estimator, seed=0)
        self.experiment = bc.Experiment(
            case.estimator,
            case.truth,
            bc.schemes.replace(),
            n_real=ROWS,
            generations=GENERATIONS,
            replicates=1,
            method="nuts",
            draws=DRAWS,
            chains=CHAINS,
            references=(),
            keep_rows="none",
        )
        self.lineage = self.experiment.lineage(self.experiment.jobs()[0])
        self.predictive: dict[str, list[float]] = {"all": [], "one": []}

    def by_engine(self, number: int) -> dict[str, Any]:
        """Refit and emit one data set at one posterior draw."""
        values, rng = self._rows(number), np.random.default_rng(number)
        group = Group((values,), None, ROWS, True, (0,))
        settings = FitSettings(DRAWS, CHAINS, TUNE, lambda attempt: number + 1000 * attempt)
        fit = self.engine.condition([group], [1.0], settings)
        parameters, _ = emission_parameters(fit, parse_emission("joint"), ROWS, rng)
        covariates = {v.name: values[v.name] for v in self.engine.schema.covariates}
        return self.engine.forward(parameters, covariates, ROWS, rng)

    def by_lineage(self, _: int) -> None:
        """Run a lineage of several generations."""
        self.lineage.run()

    def by_rebuilding(self, number: int) -> None:
        """Build, sample and predict, from all draws and then from one; both are timed inside."""
        rows = self.engine.schema.dataset(self._rows(number), replicate=0)
        with self.case.build(rows):
            trace = pm.sample(**SETTINGS, random_seed=number)
            one = trace.isel(chain=[0], draw=[-1])
            for name, draws in (("one", one), ("all", trace)):
                start = time.perf_counter()
                pm.sample_posterior_predictive(draws, random_seed=number, progressbar=False)
                self.predictive[name].append(time.perf_counter() - start)

    def timed(self, repeats: int) -> Seconds:
        """Seconds of a generation by every candidate."""
        candidates = {
            "engine": self.by_engine,
            "lineage": self.by_lineage,
            "rebuild": self.by_rebuilding,
        }
        seconds = dict(interleaved(candidates, repeats))
        one, every = (np.array(self.predictive[name][1:]) for name in ("one", "all"))
        both = seconds.pop("rebuild")
        rebuilt = {"rebuild": both - one, "rebuild, one draw": both - every}
        return {**seconds, "lineage": seconds["lineage"] / GENERATIONS, **rebuilt}

    def _rows(self, number: int) -> dict[str, Any]:
        return self.source.real(ROWS, self.lineage._place(number))


def main() -> None:
    """Time both models and print them."""
    repeats = parser(__doc__, repeats=5).parse_args().repeats
    logging.getLogger("pymc").setLevel(logging.ERROR)
    with single_threaded():
        for case in cases():
            seconds = Generations(case).timed(repeats)
            title = f"{case.title}: {ROWS} rows, {CHAINS} x {DRAWS} draws, {TUNE} tune"
            show(title, seconds, unit="ms a generation", scale=1e3)
            show_ratio(seconds, "rebuild", "engine", "at least 40")
            show_ratio(seconds, "rebuild, one draw", "engine")
            show_ratio(seconds, "rebuild", "lineage")


if __name__ == "__main__":
    main()
