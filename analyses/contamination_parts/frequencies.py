"""Part 1: error of category frequencies over generations, beside the recursion.

Part 2 uses the same measurements for other mixings.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import bayescollapse as bc
from bayescollapse.models import categorical
from contamination_parts.settings import EMISSIONS, Mixing, Settings

Floats = NDArray[np.float64]

CATEGORIES = 50
CONCENTRATION = 1e-9
"""So small that posterior means are the observed frequencies, which the laws are about."""

FAR = 201
"""Generations that the recursion is followed for."""

MIXINGS = {
    201: (
        Mixing(0.0, 0.0, 0.0, 100),
        Mixing(0.1, 0.0, 0.0, 100),
        Mixing(1.0, 1.0, 0.0, 100),
    ),
    51: (Mixing(0.1, 0.0, 1.0, 100), Mixing(1.0, 0.5, 1.0, 100)),
    25: (Mixing(1.0, 1.0, 1.5, 100),),
    18: (Mixing(1.0, 2.0, 2.0, 100),),
}
"""Mixings by the generations that are simulated: fewer where batches grow fast."""


@dataclass(frozen=True)
class Curve:
    """Squared error of the posterior mean over generations, in units of generation 0's law.

    `far` is the law for `FAR` generations, of which the first are `law`.
    """

    mixing: Mixing
    emission: str
    error: Floats
    mcse: Floats
    law: Floats
    far: Floats

    @property
    def z_scores(self) -> Floats:
        """Distance between measurement and law in Monte Carlo standard errors."""
        return np.asarray((self.error - self.law) / self.mcse)

    @property
    def last(self) -> int:
        """Last generation that was simulated."""
        return len(self.error) - 1


def truth(categories: int) -> Floats:
    """Give true probabilities of categories, one draw from a uniform Dirichlet distribution."""
    return np.random.default_rng(categories).dirichlet(np.ones(categories))


def diversity(p: Floats) -> float:
    """One minus the sum of squared probabilities: all that the laws know of the truth."""
    return float(1 - (p**2).sum())


def curves(settings: Settings, executor: Executor) -> list[Curve]:
    """Measure every mixing under both emissions, mixings of the same length in one experiment."""
    found = []
    for full, mixings in MIXINGS.items():
        name = f"frequencies-{settings.generations(full) - 1}"
        found += measure(name, settings, executor, mixings, EMISSIONS, CATEGORIES, full)
    return found


def measure(
    name: str,
    settings: Settings,
    executor: Executor,
    mixings: Sequence[Mixing],
    emissions: Sequence[str],
    categories: int,
    full: int,
) -> list[Curve]:
    """Run mixings under emissions, and reduce every lineage to its squared errors."""
    p, generations = truth(categories), settings.generations(full)
    cells = {f"{m.name}, {e}": (m, e) for m in mixings for e in emissions}
    run = settings.run(
        name,
        executor,
        categorical.estimator(categories=categories, concentration=CONCENTRATION),
        bc.Truth(p=p),
        {label: mixing.scheme(emission) for label, (mixing, emission) in cells.items()},
        generations=generations,
    )
    means = run["summary"]["p"].sel(statistic="mean")
    errors = ((means - p) ** 2).sum("category").transpose("scheme", "replicate", "generation")
    return [
        _curve(*cell, errors.sel(scheme=label).to_numpy(), diversity(p))
        for label, cell in cells.items()
    ]


def _curve(mixing: Mixing, emission: str, errors: Floats, v: float) -> Curve:
    unit = v / mixing.first
    far = mixing.law(max(FAR, errors.shape[1]), v, emission) / unit
    return Curve(
        mixing,
        emission,
        errors.mean(axis=0) / unit,
        errors.std(axis=0, ddof=1) / np.sqrt(errors.shape[0]) / unit,
        far[: errors.shape[1]],
        far,
    )
