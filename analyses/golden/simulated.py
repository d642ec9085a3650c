"""Error against real share on simulated rows, beside the laws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.measures.minimum import LocatedMinimum, locate_minimum
from golden.apart import covariance_errors
from golden.scenarios import FEATURES, ROWS, Scenario, smallest
from golden.settings import Settings, share_grid, slug


@dataclass(frozen=True)
class Sweep:
    """Error, in units of what theory gives real rows only, against real share.

    Parameters
    ----------
    model, error_of, kind : str
        Words for the model and its error, and whether the law is exact or first order.
    ratio : float
        Real rows per synthetic row.
    emission : str
        How rows are made up.
    shares, error, mcse, law : ndarray, shape (share,)
        Measured errors with Monte Carlo standard errors, and what theory expects.
    located : LocatedMinimum
        Where the measured error is smallest.
    optimum : float
        Where the law is smallest.
    """

    model: str
    error_of: str
    kind: str
    ratio: float
    emission: str
    shares: NDArray[np.float64]
    error: NDArray[np.float64]
    mcse: NDArray[np.float64]
    law: NDArray[np.float64]
    located: LocatedMinimum
    optimum: float

    @property
    def z_scores(self) -> NDArray[np.float64]:
        """Distance between measurement and law in Monte Carlo standard errors."""
        return np.asarray((self.error - self.law) / self.mcse)

    @property
    def nearest(self) -> int:
        """Index of the share nearest the best one by theory: chosen before errors are seen."""
        return int(np.argmin(np.abs(self.shares - self.optimum)))


def sweeps(settings: Settings, executor: Executor, chosen: Sequence[Scenario]) -> Iterator[Sweep]:
    """Run every simulated experiment and reduce it to its sweeps."""
    for scenario in chosen:
        for ratio in scenario.ratios:
            yield from _one_ratio(settings, executor, scenario, ratio)


def apart_sweep(settings: Settings) -> Sweep:
    """Sweep the paper's own update of a covariance, in NumPy."""
    size = settings.exact
    grid = share_grid(0.6, settings.wide, widest=True)
    unit = FEATURES * (FEATURES + 1) / (ROWS - 1)
    errors = covariance_errors(
        grid,
        replicates=size.replicates,
        generations=size.generations,
        rows=ROWS,
        dim=FEATURES,
        rng=np.random.default_rng([settings.seed, 1]),
    )
    law = apart_law(size.generations, np.array(grid))[size.window].mean(axis=0)
    optimum = smallest(
        lambda share: float(apart_law(size.generations, np.array(share))[size.window].mean())
    )
    words = ("Gaussian covariance, paper's update", "covariance matrix", "exact")
    lineage = errors[:, :, size.window].mean(axis=2) / unit
    return reduce(settings, words, 1.0, "plug-in", grid, lineage, law / unit, optimum)


def apart_law(generations: int, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Law of the paper's own update, (generation, …shares)."""
    law = theory.covariance_risk(
        generations, covariance=np.eye(FEATURES), n=ROWS, m=ROWS, real_share=shares
    )
    return law.risk


def _one_ratio(
    settings: Settings, executor: Executor, scenario: Scenario, ratio: float
) -> Iterator[Sweep]:
    size, m = scenario.size(settings), round(ROWS / ratio)
    best = {e: scenario.best_share(size, m, e) for e in _emissions(settings, scenario, ratio)}
    grids = {e: _grid(settings, scenario, ratio, e, optimum) for e, optimum in best.items()}
    schemes = {
        _label(emission, share): bc.schemes.weighted(share, emission=emission)
        for emission, grid in grids.items()
        for share in grid
    }
    run = settings.run(
        f"shares-{slug(scenario.name)}-k{ratio:g}",
        executor,
        size,
        scenario.estimator,
        scenario.truth,
        schemes,
        n_real=ROWS,
        n_synthetic=m,
        **scenario.fit,
    )
    errors, labels = scenario.measured(run), list(schemes)
    for emission, grid in grids.items():
        rows = errors[[labels.index(_label(emission, share)) for share in grid]]
        law = [scenario.expected(size.generations, m, share, emission) for share in grid]
        yield reduce(
            settings,
            (scenario.name, scenario.error_of, scenario.kind),
            ratio,
            emission,
            grid,
            rows[:, :, size.window].mean(axis=2),
            np.array(law)[:, size.window].mean(axis=1),
            best[emission],
        )


def _emissions(settings: Settings, scenario: Scenario, ratio: float) -> tuple[str, ...]:
    alone = ratio != 1 or (scenario.fit and settings.quick)
    return ("plug-in",) if alone else scenario.emissions


def _grid(
    settings: Settings, scenario: Scenario, ratio: float, emission: str, optimum: float
) -> list[float]:
    wide = ratio == 1 and emission == "plug-in" and not scenario.fit
    return share_grid(optimum, settings.wide if wide else settings.narrow, widest=wide)


def reduce(
    settings: Settings,
    words: tuple[str, str, str],
    ratio: float,
    emission: str,
    grid: list[float],
    lineage: NDArray[np.float64],
    law: NDArray[np.float64],
    optimum: float,
) -> Sweep:
    """Sweep of errors (share, replicate) that were averaged over generations."""
    return Sweep(
        *words,
        ratio,
        emission,
        np.array(grid),
        lineage.mean(axis=1),
        lineage.std(axis=1, ddof=1) / np.sqrt(lineage.shape[1]),
        law,
        locate_minimum(grid, lineage, rng=np.random.default_rng(settings.seed)),
        optimum,
    )


def _label(emission: str, share: float) -> str:
    return f"{emission} {share:g}"
