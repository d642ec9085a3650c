"""Settings of the golden-ratio analysis."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import bayescollapse as bc


@dataclass(frozen=True)
class Settings:
    """How large the analysis is.

    Parameters
    ----------
    replicates, generations : int
        Of the exact sweeps.
    wide, narrow : int
        Real shares in the sweep at k = 1, and elsewhere.
    fits : tuple of int
        Replicates and generations of the NUTS parts.
    seed : int
        Seed of every experiment.
    out : Path
        Where results go.
    """

    replicates: int
    generations: int
    wide: int
    narrow: int
    fits: tuple[int, int]
    seed: int
    out: Path

    @property
    def window(self) -> slice:
        """Generations that errors are averaged over: the second half."""
        return slice(self.generations // 2, self.generations)

    def run(self, name: str, executor: Executor, *arguments: Any, **settings: Any) -> Any:
        """Run a sweep that keeps neither draws nor rows, stored under its name and seed."""
        defaults: dict[str, Any] = {
            "keep_draws": 0,
            "keep_rows": "none",
            "references": (),
            "probabilities": (),
            "replicates": self.replicates,
            "generations": self.generations,
            "seed": self.seed,
        }
        experiment = bc.Experiment(*arguments, **{**defaults, **settings})
        store = self.out / "runs" / f"{name}-seed{self.seed}"
        return experiment.run(store, executor=executor, title=name)


def share_grid(optimum: float, count: int, *, widest: bool) -> list[float]:
    """Real shares around an optimum, to four decimals so that labels are exact."""
    if widest:
        grid = np.linspace(0.3, 0.9, count)
    else:
        grid = np.linspace(max(0.55 * optimum, 0.01), min(1.5 * optimum, 0.98), count)
    return [float(w) for w in grid.round(4)]
