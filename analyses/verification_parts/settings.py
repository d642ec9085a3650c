"""Settings of the verification analysis, and what its experiments have in common."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import bayescollapse as bc
from bayescollapse.models import linear_regression
from bayescollapse.sources import OrthonormalDesign

NOISE_SD = 1.0
SLACK = NOISE_SD * float(np.sqrt(2 / np.pi))
"""Residual that the verifier allows on top of its radius: the mean absolute noise."""


@dataclass(frozen=True)
class Settings:
    """How large the analysis is.

    Parameters
    ----------
    replicates : int
        Lineages of every scheme.
    generations : int
        Generations of the loops, generation 0 included.
    distances, radii : int
        Cells of the map of one round, on either axis.
    seed : int
        Seed of every experiment.
    out : Path
        Where results go.
    """

    replicates: int
    generations: int
    distances: int
    radii: int
    seed: int
    out: Path

    def run(
        self,
        name: str,
        executor: Executor,
        schemes: dict[str, bc.Scheme],
        *,
        features: int,
        real: int,
        synthetic: tuple[int, ...],
        probabilities: tuple[float, ...] = (),
    ) -> Any:
        """Run regressions on orthonormal directions with true coefficients 1.

        Parameters
        ----------
        name : str
            Name of the store.
        executor : Executor
            Where jobs run.
        schemes : dict of str to Scheme
            Schemes by label.
        features : int
            Coefficients, and directions.
        real : int
            Real rows of generation 0.
        synthetic : tuple of int
            Rows that generations 1, 2, ... are fitted to.
        probabilities : tuple of float
            Quantiles of the summaries.
        """
        experiment = bc.Experiment(
            linear_regression.estimator(features=features, noise_sd=NOISE_SD),
            bc.Truth(beta=np.ones(features), covariates=OrthonormalDesign(features)),
            schemes,
            n_real=real,
            # The last generation has no successor, and makes no rows.
            n_synthetic=(real, *synthetic, 0),
            generations=len(synthetic) + 1,
            replicates=self.replicates,
            keep_draws=0,
            keep_rows="none",
            references=(),
            probabilities=probabilities,
            seed=self.seed,
        )
        store = self.out / "runs" / f"{name}-seed{self.seed}"
        return experiment.run(store, executor=executor, title=name)


def verified(radius: float, bias: Any, emission: str = "plug-in") -> bc.Scheme:
    """Scheme that fits the rows of the previous generation which pass a verifier.

    Parameters
    ----------
    radius : float
        Radius of the verifier's ball.
    bias : array_like, shape (features,)
        Verifier's centre minus the truth.
    emission : str
        How a generation makes rows.
    """
    plain = tuple(map(float, bias))
    return bc.schemes.verified(radius, SLACK, bias=plain, per="direction", emission=emission)
