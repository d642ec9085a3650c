"""Settings of the golden-ratio analysis."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import bayescollapse as bc


@dataclass(frozen=True)
class Size:
    """How many lineages, and how many generations, a loop has."""

    replicates: int
    generations: int

    @property
    def window(self) -> slice:
        """Generations that errors are averaged over: the second half."""
        return slice(self.generations // 2, self.generations)


@dataclass(frozen=True)
class Settings:
    """How large the analysis is.

    Parameters
    ----------
    exact, laplace : Size
        Sweeps of real shares with exact posteriors, and with Laplace posteriors.
    growth, growth_laplace : Size
        Loops without fresh real rows.
    weighed : int
        Lineages of the loops with few real rows per synthetic row.
    smallest : float
        Fewest real rows per synthetic row.
    quick : bool
        Leave out what compiles long: Laplace posteriors under joint emission and with few real
        rows, and some real shares of the NUTS parts.
    wide, narrow : int
        Real shares of the plug-in sweep at as many real as synthetic rows, and of the other sweeps.
    fits : Size
        The NUTS parts.
    seed : int
        Seed of every experiment.
    out : Path
        Where results go.
    """

    exact: Size
    laplace: Size
    growth: Size
    growth_laplace: Size
    weighed: int
    smallest: float
    quick: bool
    wide: int
    narrow: int
    fits: Size
    seed: int
    out: Path

    def run(
        self, name: str, executor: Executor, size: Size, *arguments: Any, **settings: Any
    ) -> Any:
        """Run an experiment that keeps neither draws nor rows, stored under its name and seed."""
        defaults: dict[str, Any] = {
            "keep_draws": 0,
            "keep_rows": "none",
            "references": (),
            "probabilities": (),
            "replicates": size.replicates,
            "generations": size.generations,
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


def slug(text: str) -> str:
    """Name of a store or a picture."""
    return "".join(c if c.isalnum() or c == "." else "-" for c in text.lower())
