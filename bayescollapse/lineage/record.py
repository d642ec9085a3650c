"""Record: what a lineage writes down of every generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Fit, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import RowSchema, Values, concatenate_rows

__all__ = ["Record", "RecordSettings", "row_summary"]


@dataclass(frozen=True)
class RecordSettings:
    """What to write down.

    Parameters
    ----------
    keep_draws : int
        Posterior draws a cell, over all chains; 0 keeps none.
    keep_rows : {"first", "all", "none"}
        Replicates whose rows are kept.
    probabilities : tuple of float
        Quantiles of the summaries.
    chains : int
        Chains that kept draws are split over.
    stream : int
        Number of the stream of kept draws: references have one each, so that their draws are
        independent of those of the schemes and of each other.
    """

    keep_draws: int
    keep_rows: str
    probabilities: tuple[float, ...]
    chains: int
    stream: int = 0


@dataclass
class Record:
    """Arrays of a lineage block, one entry appended per generation."""

    schema: RowSchema
    settings: RecordSettings
    replicates: int
    first_replicate: int
    columns: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    rows: dict[str, list[NDArray[Any]]] = field(default_factory=dict)

    def fit(self, fit: Fit, rng: np.random.Generator | None) -> None:
        """Summary, gate figures and kept draws of a posterior."""
        self._add("summary", fit.summary(self.settings.probabilities))
        for name, value in fit.figures.items():
            self._add(f"sample_stats/{name}", value)
        if rng is not None:
            draws = fit.keep(self.settings.keep_draws, self.settings.chains, rng)
            self._add("posterior", self.schema.pack(draws, lead=3))

    def selection(self, emitted: int, accepted: Floats, short: NDArray[np.bool_]) -> None:
        """Add the rows that this generation proposed, those accepted, and who is short of them."""
        self._add("training/emitted", np.array([float(emitted)]))
        self._add("training/accepted", accepted)
        self._add("training/short", short)

    def training(self, groups: Sequence[Group], weights: Sequence[Weight]) -> None:
        """Add counts, real share, total weight and Kish size of the rows that were fitted."""
        sums = np.zeros(5)
        for group, weight in zip(groups, weights, strict=True):
            sums = sums + _sums(group, weight)
        total, real, squares, used, used_real = np.atleast_2d(sums).T
        columns = {
            "real_rows": used_real,
            "synthetic_rows": used - used_real,
            "real_share": real / total,
            "total_weight": total,
            "kish": total**2 / squares,
        }
        for name, value in columns.items():
            self._add(f"training/{name}", value)

    def emission(self, parameters: Values | None, rows: Values) -> None:
        """Parameters that emitted, and moments and quantiles of the emitted rows."""
        if parameters is not None:
            self._add("emission", self.schema.pack(parameters, lead=2))
        for response in self.schema.responses:
            summary = row_summary(rows[response.name], self.settings.probabilities)
            self._add(f"predictive/{response.name}", summary)

    def held_out(self, density: Floats) -> None:
        """Mean log predictive density of the held-out rows, shape (replicate,)."""
        self._add("predictive/held_out_log_density", density)

    def keep_rows(
        self, generation: int, groups: Sequence[Group], weights: Sequence[Weight]
    ) -> None:
        """Rows and weights of the replicates that are kept."""
        if self.settings.keep_rows == "none" or (
            self.settings.keep_rows == "first" and self.first_replicate
        ):
            return
        values = concatenate_rows([part for group in groups for part in group.parts])
        count = next(iter(values.values())).shape[1]
        kept = range(1 if self.settings.keep_rows == "first" else self.replicates)
        for r in kept:
            full = [_of_replicate(w, r, g.count) for g, w in zip(groups, weights, strict=True)]
            self._add_rows("weight", np.concatenate(full))
            self._add_rows(
                "real", np.concatenate([_of_replicate(g.real, r, g.count) for g in groups])
            )
            self._add_rows(
                "batch",
                np.concatenate([_of_replicate(g.batch_index(), r, g.count) for g in groups]),
            )
            self._add_rows("generation", np.full(count, generation))
            self._add_rows("replicate", np.full(count, self.first_replicate + r))
            for name, value in values.items():
                self._add_rows(f"values/{name}", value[r])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Columns stacked over generations, and rows end to end.

        Columns have shape (replicate, generation, …), or (1, generation, …) where all replicates of
        the block have the same values, which keeps shards small.
        """
        out = {name: self._stacked(parts) for name, parts in self.columns.items()}
        return out | {f"rows/{name}": np.concatenate(parts) for name, parts in self.rows.items()}

    def _stacked(self, parts: list[NDArray[Any]]) -> NDArray[Any]:
        sizes = {part.shape[0] for part in parts}
        if len(sizes) > 1:
            parts = [np.broadcast_to(part, (max(sizes), *part.shape[1:])) for part in parts]
        return np.stack(parts, axis=1)[: self.replicates]

    def _add(self, name: str, value: NDArray[Any]) -> None:
        # A value that is the same in every replicate has a leading axis of length 1 until the end.
        self.columns.setdefault(name, []).append(value)

    def _add_rows(self, name: str, value: NDArray[Any]) -> None:
        self.rows.setdefault(name, []).append(value)


def row_summary(values: NDArray[Any], probabilities: tuple[float, ...]) -> Floats:
    """Mean, sd and quantiles over ``obs``: (replicate, obs, …) to (replicate, statistic, …).

    Quantiles interpolate linearly between order statistics, as :func:`numpy.quantile` does; sorting
    every replicate at once is several times faster.
    """
    out = np.empty((values.shape[0], 2 + len(probabilities), *values.shape[2:]))
    out[:, 0] = mean = values.mean(axis=1)
    centred = values - mean[:, None]
    centred *= centred
    out[:, 1] = (
        np.sqrt(centred.sum(axis=1) / (values.shape[1] - 1)) if values.shape[1] > 1 else np.nan
    )
    if probabilities:
        ordered = np.sort(values, axis=1)
        for i, p in enumerate(probabilities):
            position = p * (values.shape[1] - 1)
            low = int(position)
            high = min(low + 1, values.shape[1] - 1)
            fraction = position - low
            out[:, 2 + i] = (1 - fraction) * ordered[:, low] + fraction * ordered[:, high]
    return out


def _sums(group: Group, weight: Weight) -> Floats:
    """Sum weights, real rows' weights and squares, and count used and real rows, on a last axis."""
    if not isinstance(weight, np.ndarray) and isinstance(group.real, bool):
        count = float(group.count)
        total, real = count * weight, float(group.real)
        return np.array([total, total * real, total * weight, count, count * real])
    flag = np.asarray(group.real, dtype=np.float64)
    one = np.ones((1, group.count))
    full, flag = np.broadcast_arrays(one * weight, one * flag)
    used = full > 0
    parts = [full, full * flag, full**2, used, used * flag]
    return np.stack([part.sum(axis=1) for part in parts], axis=-1)


def _of_replicate(value: Any, replicate: int, count: int) -> NDArray[Any]:
    array = np.asarray(value)
    if array.ndim == 2:
        array = array[min(replicate, array.shape[0] - 1)]
    return np.broadcast_to(array, (count,))
