"""Part: one experiment with several schemes, and the laws that its run is held against."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import bayescollapse as bc

Floats = NDArray[np.float64]
Measure = Callable[[Any, str], Floats]
"""``measure(run, label)``: one number per lineage and generation, (replicate, generation)."""

BLOCK = 128


@dataclass(frozen=True)
class Settings:
    """How large the analysis is.

    Parameters
    ----------
    scale : float
        Factor on the lineages of every part.
    seed : int
        Seed of every experiment.
    out : Path, optional
        Where runs are stored; in memory if not given.
    """

    scale: float
    seed: int = 0
    out: Path | None = None


@dataclass(frozen=True)
class Check:
    """A law and what it is held against: the mean over lineages and generations.

    Parameters
    ----------
    label : str
        Call of the preset, which labels its scheme in the run.
    law : str
        Function of ``bayescollapse.theory``.
    quantity : str
        What is measured.
    measure : callable
        One number per lineage and generation.
    theory : array_like
        Its expectation, one number per generation.
    window : slice
        Generations that are averaged.
    slack : float
        Relative error of a law for many rows at these counts; 0 for exact laws.
    kind : {"equal", "at most", "at least"}
        Whether the law is an equation or a bound.
    """

    label: str
    law: str
    quantity: str
    measure: Measure
    theory: ArrayLike
    window: slice = slice(1, None)
    slack: float = 0.0
    kind: str = "equal"

    @property
    def preset(self) -> str:
        """Name of the preset."""
        return self.label.split("(")[0]

    def outcome(self, run: Any) -> Outcome:
        """Mean with its Monte Carlo standard error, beside the law."""
        samples = self.measure(run, self.label)[:, self.window].mean(axis=1)
        law = np.broadcast_to(
            np.asarray(self.theory, dtype=float), run["training"].sizes["generation"]
        )
        standard_error = float(samples.std(ddof=1) / np.sqrt(samples.size))
        return Outcome(self, float(law[self.window].mean()), float(samples.mean()), standard_error)


@dataclass(frozen=True)
class Outcome:
    """A measured mean beside its law."""

    check: Check
    theory: float
    measured: float
    standard_error: float

    @property
    def z(self) -> float:
        """Distance from the law, beyond its slack, in Monte Carlo standard errors."""
        away = self.measured - self.theory
        beyond = np.sign(away) * max(abs(away) - self.check.slack * abs(self.theory), 0.0)
        if self.check.kind == "at most":
            beyond = max(beyond, 0.0)
        if self.check.kind == "at least":
            beyond = min(beyond, 0.0)
        if beyond == 0:
            return 0.0
        return float(beyond / self.standard_error) if self.standard_error else float(np.inf)


@dataclass(frozen=True)
class Part:
    """One experiment and its checks.

    Parameters
    ----------
    name : str
        Of the part.
    estimator, source
        As for ``bc.Experiment``.
    schemes : dict of str to Scheme
        Schemes by the call of their preset.
    checks : tuple of Check
        Laws.
    lineages : int
        Lineages at full size.
    counts : dict
        ``n_real``, ``n_synthetic`` and ``generations``.
    """

    name: str
    estimator: Any
    source: Any
    schemes: dict[str, bc.Scheme]
    checks: tuple[Check, ...]
    lineages: int
    counts: dict[str, Any] = field(default_factory=dict)

    def run(self, settings: Settings, executor: Executor | None = None) -> list[Outcome]:
        """Run the experiment and hold it against the laws."""
        lineages = max(BLOCK, int(self.lineages * settings.scale) // BLOCK * BLOCK)
        experiment = bc.Experiment(
            self.estimator,
            self.source,
            self.schemes,
            replicates=lineages,
            keep_draws=0,
            keep_rows="none",
            references=(),
            probabilities=(),
            seed=settings.seed,
            **self.counts,
        )
        store = None
        if settings.out is not None:
            store = settings.out / "runs" / f"{self.name}-{lineages}-seed{settings.seed}"
        run = experiment.run(store, executor=executor, title=self.name, progress=store is not None)
        return [check.outcome(run) for check in self.checks]

    def mutated(self, mutate: Callable[[bc.Scheme], bc.Scheme]) -> Part:
        """Change the loops and keep the laws: their checks must fail."""
        schemes = {label: mutate(scheme) for label, scheme in self.schemes.items()}
        return replace(self, name=f"{self.name}-mutated", schemes=schemes)


def presets(calls: dict[str, tuple[Any, dict[str, Any]]]) -> dict[str, bc.Scheme]:
    """Schemes of calls by label."""
    return {label: function(**given) for label, (function, given) in calls.items()}
