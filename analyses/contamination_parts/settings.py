"""Settings of the analysis of contaminated sources, and how real and made-up rows are mixed."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bayescollapse as bc
from bayescollapse import theory

EMISSIONS = ("plug-in", "joint")


@dataclass(frozen=True)
class Settings:
    """How large the analysis is.

    Parameters
    ----------
    replicates : int
        Lineages of the frequencies of parts 1 and 2.
    texts : int
        Lineages of the texts of part 3.
    length : float
        Generations of every part, as a multiple of the full analysis.
    seed : int
        Seed of every experiment.
    out : Path
        Where results go.
    """

    replicates: int
    texts: int
    length: float
    seed: int
    out: Path

    def generations(self, full: int) -> int:
        """Count the generations of a part that has `full` in the full analysis, at least 4."""
        return max(round(full * self.length), 4)

    def run(self, name: str, executor: Executor, *arguments: Any, **settings: Any) -> Any:
        """Run an experiment without draws and rows, stored under its name and seed."""
        defaults: dict[str, Any] = {
            "n_real": 1,  # a contaminated supply has counts of its own
            "keep_draws": 0,
            "keep_rows": "none",
            "references": (),
            "probabilities": (),
            "replicates": self.replicates,
            "seed": self.seed,
        }
        experiment = bc.Experiment(*arguments, **{**defaults, **settings})
        store = self.out / "runs" / f"{name}-seed{self.seed}"
        return experiment.run(store, executor=executor, title=name)


@dataclass(frozen=True)
class Mixing:
    """Rows of every generation, each real with a probability.

    Generation t has `first` (t+1)^`growth` rows, each real with probability `level` (t+1)^-`decay`.
    """

    level: float
    decay: float
    growth: float
    first: int

    def scheme(self, emission: str) -> bc.Scheme:
        """Contaminated supply with this mixing; the learner does not see which rows are real."""
        share = bc.schedules.power(self.level, -self.decay) if self.decay else self.level
        total = bc.schedules.power(self.first, self.growth) if self.growth else self.first
        return bc.schemes.contaminated(real_share=share, total=total, emission=emission)

    def shares(self, generations: int) -> list[float]:
        """Probability of a real row in every generation."""
        return [self.level * (t + 1) ** -self.decay for t in range(generations)]

    def rows(self, generations: int) -> list[int]:
        """Rows of every generation, fractions rounded down as the scheme does."""
        return [int(self.first * (t + 1) ** self.growth) for t in range(generations)]

    def law(self, generations: int, diversity: float, emission: str) -> Any:
        """Error of every generation by the recursion."""
        return theory.contaminated_risk(
            generations,
            real_probability=self.shares(generations),
            rows=self.rows(generations),
            diversity=diversity,
            emission=emission,
        )

    @property
    def fate(self) -> str:
        """What becomes of the error in the long run: recovery, floor or collapse."""
        if self.level == 0:
            return "collapse"
        return str(theory.contamination_region(self.decay, self.growth, level=self.level).region)

    @property
    def name(self) -> str:
        """Name in words."""
        return f"{self._share_words}, {self._row_words}"

    @property
    def _share_words(self) -> str:
        if self.level == 0:
            return "no real rows"
        if self.decay == 0:
            return f"{100 * self.level:g} % real"
        return f"real share {_power(-self.decay)}"

    @property
    def _row_words(self) -> str:
        return f"{self.first}{_power(self.growth)} rows" if self.growth else f"{self.first} rows"


def _power(exponent: float) -> str:
    return "(t+1)" if exponent == 1 else f"(t+1)^{exponent:g}"
