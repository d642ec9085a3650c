"""Settings of the mixture analysis: the truth, the loops and their sizes."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import bayescollapse as bc
from bayescollapse.models import gaussian_mixture

ROWS = 200
KEPT = 400
TRUTH = {
    "weights": np.array([0.65, 0.32, 0.03]),
    "mu": np.array([-6.0, 0.0, 6.0]),
    "sigma": np.array([1.0, 1.0, 1.0]),
}
RARE = 2
"""Position of the rare component; means ascend."""

BOUNDARY = 3.0
"""Rows above it are nearer to the rare component's mean than to any other."""


@dataclass(frozen=True)
class Settings:
    """How large the analysis is.

    Parameters
    ----------
    replicates, generations : int
        Lineages a scheme, and generations of each.
    draws : int
        Draws a chain of a fit's first attempt; two chains.
    seed : int
        Seed of the experiment.
    out : Path
        Where results go.
    """

    replicates: int
    generations: int
    draws: int
    seed: int
    out: Path

    @property
    def shown(self) -> tuple[int, ...]:
        """Generations that densities are drawn for: the first, the third, and a late one."""
        last = self.generations - 1
        return tuple(sorted({0, min(3, last), min(10, last)}))


def schemes() -> dict[str, bc.Scheme]:
    """Four loops: no real rows, twice, the first real rows kept, and fresh real rows."""
    return {
        "replace": bc.schemes.replace(),
        "replace, plug-in": bc.schemes.replace(emission="plug-in"),
        "accumulate": bc.schemes.accumulate(),
        "fresh real rows": bc.schemes.optimal(),
    }


def run(settings: Settings, executor: Executor) -> Any:
    """Run the experiment, or what is missing of it in its store."""
    experiment = bc.Experiment(
        gaussian_mixture.estimator(components=3, prior_sd=6.0, sd_spread=0.3),
        bc.Truth(TRUTH),
        schemes(),
        n_real=ROWS,
        generations=settings.generations,
        replicates=settings.replicates,
        draws=settings.draws,
        keep_draws=KEPT,
        keep_rows="all",
        references=(),
        probabilities=(0.025, 0.5, 0.975),
        seed=settings.seed,
    )
    store = settings.out / "runs" / f"modes-draws{settings.draws}-seed{settings.seed}"
    return experiment.run(store, executor=executor, title="Gaussian mixture")
