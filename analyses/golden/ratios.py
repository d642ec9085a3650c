"""Few real rows per synthetic row: pooling all rows against the best real share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

import bayescollapse as bc
from bayescollapse import theory
from golden.scenarios import ROWS, Scenario
from golden.settings import Settings, Size, slug

SCHEMES = {
    "pooled": bc.schemes.pooled(emission="plug-in"),
    "best share": bc.schemes.optimal(emission="plug-in"),
}


@dataclass(frozen=True)
class Ratio:
    """Error of one scheme at one ratio, in units of what theory gives real rows only.

    Parameters
    ----------
    model, kind, scheme : str
        The model, whether its law is exact or first order, and how rows are weighed.
    ratio, share : float
        Real rows per synthetic row, and share of the total weight on real rows.
    generations : int
        Generations of the loop.
    error, mcse, law, limit : float
        Measured error, its Monte Carlo standard error, what theory expects of these generations,
        and of endlessly many for a Gaussian mean.
    """

    model: str
    kind: str
    scheme: str
    ratio: float
    share: float
    generations: int
    error: float
    mcse: float
    law: float
    limit: float

    @property
    def z(self) -> float:
        """Distance between measurement and law in Monte Carlo standard errors."""
        return (self.error - self.law) / self.mcse


def ratios(settings: Settings, executor: Executor, chosen: Sequence[Scenario]) -> Iterator[Ratio]:
    """Compare the two schemes at ever fewer real rows per synthetic row."""
    for scenario in chosen:
        for ratio in scenario.few:
            if ratio >= settings.smallest and not (scenario.fit and settings.quick):
                yield from _one_ratio(settings, executor, scenario, ratio)


def _one_ratio(
    settings: Settings, executor: Executor, scenario: Scenario, ratio: float
) -> Iterator[Ratio]:
    size, m = _size(settings, scenario, ratio), round(ROWS / ratio)
    run = settings.run(
        f"ratio-{slug(scenario.name)}-k{ratio:g}",
        executor,
        size,
        scenario.estimator,
        scenario.truth,
        SCHEMES,
        n_real=ROWS,
        n_synthetic=m,
        **scenario.fit,
    )
    lineage = scenario.measured(run)[:, :, size.window].mean(axis=2)
    optimum = float(theory.optimal_share(ratio))
    shares = {"pooled": ratio / (1 + ratio), "best share": optimum}
    limits = {"pooled": float(theory.pooled_risk(ratio)), "best share": optimum}
    for errors, (scheme, share) in zip(lineage, shares.items(), strict=True):
        law = scenario.expected(size.generations, m, share)[size.window].mean()
        mcse = float(errors.std(ddof=1) / np.sqrt(errors.size))
        yield Ratio(
            scenario.name,
            scenario.kind,
            scheme,
            ratio,
            share,
            size.generations,
            float(errors.mean()),
            mcse,
            float(law),
            limits[scheme],
        )


def _size(settings: Settings, scenario: Scenario, ratio: float) -> Size:
    """Lineages, and so many generations that the pooled loop is nine tenths there halfway.

    Pooling weighs the real rows so little that a loop with few of them forgets very slowly.
    """
    settled = float(theory.burn_in(ratio / (1 + ratio), tolerance=0.1))
    replicates = min(settings.weighed, 128) if scenario.fit else settings.weighed
    return Size(replicates, max(20, 2 * int(np.ceil(settled))))
