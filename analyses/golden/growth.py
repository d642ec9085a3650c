"""Without fresh real rows: error over generations, beside the laws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import bayescollapse as bc
from golden.apart import covariance_errors
from golden.scenarios import FEATURES, ROWS, Scenario
from golden.settings import Settings, slug
from golden.simulated import apart_law


@dataclass(frozen=True)
class Growth:
    """Error of every generation, in units of what theory gives the first.

    Parameters
    ----------
    model, kind : str
        The model, and whether its law is exact or first order.
    error, mcse, law : ndarray, shape (generation,)
        Measured errors with Monte Carlo standard errors, and what theory expects.
    median : ndarray, shape (generation,)
        Error that half of the lineages stay below.
    """

    model: str
    kind: str
    error: NDArray[np.float64]
    mcse: NDArray[np.float64]
    law: NDArray[np.float64]
    median: NDArray[np.float64]

    @property
    def z_scores(self) -> NDArray[np.float64]:
        """Distance between measurement and law in Monte Carlo standard errors."""
        return np.asarray((self.error - self.law) / self.mcse)


def growths(settings: Settings, executor: Executor, chosen: Sequence[Scenario]) -> Iterator[Growth]:
    """Train every generation on the last one's rows alone, plug-in emission."""
    for scenario in chosen:
        size = scenario.size(settings, "growth")
        run = settings.run(
            f"synthetic-{slug(scenario.name)}",
            executor,
            size,
            scenario.estimator,
            scenario.truth,
            bc.schemes.replace(emission="plug-in"),
            n_real=ROWS,
            **scenario.fit,
        )
        law = scenario.expected(size.generations, ROWS, 0.0)
        # With fresh covariates and no real rows the law of least squares has no remainder.
        kind = "first order" if scenario.fit else "exact"
        yield _reduce(scenario.name, kind, scenario.measured(run)[0], law)


def apart_growth(settings: Settings) -> Growth:
    """Run the paper's own update of a covariance, in NumPy."""
    size = settings.growth
    errors = covariance_errors(
        [0.0],
        replicates=size.replicates,
        generations=size.generations,
        rows=ROWS,
        dim=FEATURES,
        rng=np.random.default_rng([settings.seed, 2]),
    )
    unit = FEATURES * (FEATURES + 1) / (ROWS - 1)
    law = apart_law(size.generations, np.array(0.0))
    return _reduce("Gaussian covariance, paper's update", "exact", errors[0] / unit, law / unit)


def _reduce(model: str, kind: str, errors: NDArray[np.float64], law: NDArray[np.float64]) -> Growth:
    mcse = errors.std(axis=0, ddof=1) / np.sqrt(errors.shape[0])
    return Growth(model, kind, errors.mean(axis=0), mcse, law, np.median(errors, axis=0))
