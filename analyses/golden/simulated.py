"""Part 1: error against real share for exact posteriors of simulated rows, beside the laws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.measures.minimum import LocatedMinimum, locate_minimum
from bayescollapse.models import gaussian, gaussian_mean, linear_regression
from golden.settings import Settings, share_grid

ROWS = 100
EMISSIONS = ("plug-in", "predictive", "joint")
FEATURES = 2


@dataclass(frozen=True)
class Family:
    """One simulated model: estimator, truth, the parameter whose error is swept, and its law.

    `fit` holds what an experiment is told about the method; exact posteriors need nothing.
    """

    name: str
    estimator: Any
    truth: bc.Truth
    parameter: str
    unit: float
    law: Callable[[Settings, int, float, str], float]
    law_note: str
    ratios: tuple[float, ...]
    without_law: tuple[tuple[str, float], ...] = ()
    emissions: tuple[str, ...] = EMISSIONS
    fit: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sweep:
    """Error, in units of the real-only error, against real share for a model, ratio and emission.

    A parameter without a law has NaN for `law` and `optimum`.
    """

    family: str
    parameter: str
    ratio: float
    emission: str
    shares: NDArray[np.float64]
    error: NDArray[np.float64]
    mcse: NDArray[np.float64]
    law: NDArray[np.float64]
    located: LocatedMinimum
    optimum: float
    law_note: str

    @property
    def z_scores(self) -> NDArray[np.float64]:
        """Distance between measurement and law in Monte Carlo standard errors."""
        return np.asarray((self.error - self.law) / self.mcse)


def families() -> list[Family]:
    """List the three simulated models."""
    return [
        Family(
            "Gaussian mean",
            gaussian_mean.estimator(),
            bc.Truth(mu=0.0),
            "mu",
            1 / ROWS,
            mean_law(1.0),
            "exact",
            (2.0, 1.0, 0.2, 0.05),
        ),
        Family(
            "Gaussian mean and variance",
            gaussian.estimator(),
            bc.Truth(mu=0.0, sigma=1.0),
            "mu",
            1 / ROWS,
            _likelihood_law,
            "exact, for the mean",
            (1.0, 0.2),
            (("sigma", 1 / (2 * ROWS)),),
        ),
        Family(
            "Linear regression",
            linear_regression.estimator(features=FEATURES, noise_sd=1.0),
            bc.Truth(beta=np.ones(FEATURES), covariates=bc.sources.NormalCovariates(FEATURES)),
            "beta",
            FEATURES / ROWS,
            mean_law(FEATURES),
            "first order: low by about (features + 1) / n",
            (1.0, 0.2),
        ),
    ]


def sweeps(settings: Settings, executor: Executor, chosen: Sequence[Family]) -> Iterator[Sweep]:
    """Run every simulated experiment and reduce it to its sweeps."""
    for family in chosen:
        for ratio in family.ratios:
            yield from _one_ratio(settings, executor, family, ratio)


def _one_ratio(
    settings: Settings, executor: Executor, family: Family, ratio: float
) -> Iterator[Sweep]:
    wide = ratio == 1 and not family.fit
    emissions = family.emissions if ratio == 1 else EMISSIONS[:1]
    count = settings.wide if wide else settings.narrow
    grids = {
        emission: share_grid(
            float(theory.optimal_share(ratio, emission=emission, n=ROWS)), count, widest=wide
        )
        for emission in emissions
    }
    schemes = {
        _label(emission, share): bc.schemes.weighted(share, emission=emission)
        for emission, grid in grids.items()
        for share in grid
    }
    m = round(ROWS / ratio)
    name = f"{family.name.lower().replace(' ', '-')}-k{ratio:g}"
    run = settings.run(
        name,
        executor,
        family.estimator,
        family.truth,
        schemes,
        n_real=ROWS,
        n_synthetic=m,
        **family.fit,
    )
    labels = list(schemes)
    for parameter, unit in ((family.parameter, family.unit), *family.without_law):
        errors = _errors(run, parameter) / unit
        for emission, grid in grids.items():
            chosen = errors[[labels.index(_label(emission, share)) for share in grid]]
            lineage = chosen[:, :, settings.window].mean(axis=2)
            known = parameter == family.parameter
            law = [
                family.law(settings, m, share, emission) / unit if known else np.nan
                for share in grid
            ]
            optimum = (
                float(theory.optimal_share(ratio, emission=emission, n=ROWS)) if known else np.nan
            )
            yield _reduce(settings, family, parameter, ratio, emission, grid, lineage, law, optimum)


def _reduce(
    settings: Settings,
    family: Family,
    parameter: str,
    ratio: float,
    emission: str,
    grid: list[float],
    lineage: NDArray[np.float64],
    law: list[float],
    optimum: float,
) -> Sweep:
    return Sweep(
        family.name,
        parameter,
        ratio,
        emission,
        np.array(grid),
        lineage.mean(axis=1),
        lineage.std(axis=1, ddof=1) / np.sqrt(lineage.shape[1]),
        np.array(law),
        locate_minimum(grid, lineage, rng=np.random.default_rng(settings.seed)),
        optimum,
        family.law_note if np.isfinite(optimum) else "no law",
    )


def _label(emission: str, share: float) -> str:
    return f"{emission} {share:g}"


def _errors(run: Any, parameter: str) -> NDArray[np.float64]:
    """Squared error of the posterior mean, (scheme, replicate, generation)."""
    mean = run["summary"][parameter].sel(statistic="mean")
    squared = (mean - run["truth"][parameter]) ** 2
    extra = [d for d in squared.dims if d not in ("scheme", "replicate", "generation")]
    return np.asarray(squared.sum(extra).transpose("scheme", "replicate", "generation"))


def mean_law(scale: float) -> Callable[[Settings, int, float, str], float]:
    """Law of an error that begins at `scale` / n and passes on whole."""

    def law(settings: Settings, m: int, share: float, emission: str) -> float:
        risk = theory.mean_risk(
            settings.generations, n=ROWS, m=m, real_share=share, emission=emission
        )
        return float(scale * risk[settings.window].mean())

    return law


def _likelihood_law(settings: Settings, m: int, share: float, emission: str) -> float:
    law = theory.gaussian_variance_law(
        settings.generations, n=ROWS, m=m, real_share=share, emission=emission
    )
    return float(law.mean_risk[settings.window].mean())
