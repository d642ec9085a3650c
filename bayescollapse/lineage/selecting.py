"""Selecting: propose rows until a selection has as many as a generation wants.

Nothing here knows models or streams: `propose` makes rows and `judge` gives a selection's answer,
both by the number of the round, so that every round has streams of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values

__all__ = ["Judge", "Propose", "Selected", "edit", "fill", "pick", "weigh"]

Propose = Callable[[int, int], dict[str, NDArray[Any]]]
"""``propose(round, size)``: rows of shape (replicate or 1, size, …)."""

Judge = Callable[[int, Values], NDArray[Any]]
"""``judge(round, rows)``: a selection's numbers, shape (replicate, size)."""

Stratify = Callable[[Values], tuple[NDArray[np.int64], int] | None]
"""Stratum of every row, shape (replicate or 1, size), and how many there are."""

ROUND = 16
"""Most rows of a round after the first, in multiples of the rows that are wanted."""

PULL = 200
"""Rows that the average rate of acceptance is worth beside a lineage's own."""


@dataclass(frozen=True)
class Selected:
    """Rows that were selected for the next generation.

    Parameters
    ----------
    rows : dict of str to ndarray, shape (replicate, m, …)
        The rows.
    emitted : int
        Rows proposed, in every replicate.
    accepted : ndarray, shape (replicate,)
        Rows accepted among them.
    short : ndarray of bool, shape (replicate,)
        Whether fewer rows were accepted than wanted, and others took their place.
    keep : ndarray, shape (replicate, m), optional
        Relative weights.
    edited : ndarray of bool, shape (replicate, m), optional
        Which rows took the place of an old one.
    first : dict of str to ndarray, optional
        m rows of the first round, whether accepted or not.
    """

    rows: dict[str, NDArray[Any]]
    emitted: int
    accepted: Floats
    short: NDArray[np.bool_]
    keep: Floats | None = None
    edited: NDArray[np.bool_] | None = None
    first: dict[str, NDArray[Any]] | None = None


def weigh(propose: Propose, judge: Judge, m: int) -> Selected:
    """Weights of m rows; a lineage in which none has weight keeps them all and is short."""
    rows = propose(0, m)
    keep = judge(0, rows).astype(np.float64)
    accepted = (keep > 0).sum(axis=1).astype(np.float64)
    short = accepted == 0
    keep = np.where(short[:, None], 1.0, keep)
    # Equal weights are no weights: the same bits as a scheme that keeps every row.
    equal = bool((keep == keep.flat[0]).all())
    return Selected(rows, m, accepted, short, keep=None if equal else keep, first=rows)


def pick(propose: Propose, judge: Judge, m: int, size: int) -> Selected:
    """Pick m of `size` rows that are proposed at once."""
    rows = propose(0, size)
    chosen = judge(0, rows) > 0
    counts = chosen.sum(axis=1)
    if (counts != m).any():
        raise ValueError(
            f"selection must pick exactly {m} of {size} proposed rows, got {int(counts.min())} to "
            f"{int(counts.max())}: use a selection that fills, or weighs, if it cannot know"
        )
    found = np.flatnonzero(chosen)
    used = {n: _chosen(v, found).reshape(-1, m, *v.shape[2:]) for n, v in rows.items()}
    every = np.full(chosen.shape[0], float(m))
    # As many rows as other schemes emit, one in each stretch of the proposals.
    some = np.arange(m) * size // m
    first = {name: value[:, some] for name, value in rows.items()}
    return Selected(used, size, every, np.zeros(chosen.shape[0], dtype=bool), first=first)


def edit(propose: Propose, judge: Judge, old: Values, m: int) -> Selected:
    """Replace old rows by new ones."""
    rows = propose(0, m)
    edited = judge(0, rows) > 0
    used = {name: _where(edited, value, old[name]) for name, value in rows.items()}
    accepted = edited.sum(axis=1).astype(np.float64)
    return Selected(used, m, accepted, np.zeros(len(edited), dtype=bool), None, edited, rows)


def fill(
    propose: Propose,
    judge: Judge,
    stratify: Stratify,
    m: int,
    *,
    most: int,
    unit: int = 1,
) -> Selected:
    """Propose until m rows are accepted in every replicate, or `most` rows have been proposed.

    Parameters
    ----------
    propose, judge, stratify : callable
        Make rows, judge them, and tell the strata that are filled equally.
    m : int
        Rows that are wanted.
    most : int
        Rows that may be proposed, at least m.
    unit : int
        Rounds after the first have a multiple of this many rows.
    """
    rows = propose(0, m)
    accept = judge(0, rows) > 0
    strata = stratify(rows)
    if strata is None and accept.all():
        every = np.full(len(accept), float(m))
        return Selected(rows, m, every, np.zeros(len(accept), dtype=bool), first=rows)
    tray = _Tray.empty(len(accept), m, 1 if strata is None else strata[1])
    tray.put(rows, accept, None if strata is None else strata[0])
    accepted, emitted, number = np.count_nonzero(accept, axis=1).astype(np.float64), m, 1
    while emitted < most and tray.lacks():
        # Lineages differ little in what is accepted: a lineage's own rate is drawn to the average.
        rate = (accepted + PULL * (accepted.mean() + 0.5) / (emitted + 1)) / (emitted + PULL)
        size = _round_size(tray, rate, m, most - emitted, unit if strata is None else m)
        if size == 0:
            break
        more = propose(number, size)
        accept = judge(number, more) > 0
        strata = stratify(more)
        tray.put(more, accept, None if strata is None else strata[0])
        accepted += np.count_nonzero(accept, axis=1)
        emitted, number = emitted + size, number + 1
    short = tray.missing() > 0
    if short.any():
        tray.complete(rows, stratify(rows))
    return Selected(tray.rows, emitted, accepted, short, first=rows)


def _round_size(tray: _Tray, rate: Floats, m: int, left: int, unit: int) -> int:
    """Rows of the next round: what the neediest replicate wants, with a margin for chance."""
    need = tray.missing() * tray.strata
    wanted = float(((need + np.sqrt(need)) / rate).max())
    size = int(min(np.ceil(wanted), ROUND * m, left))
    return min(-(-size // unit) * unit, left // unit * unit)


class _Tray:
    """Slots that accepted rows are put into, stratum by stratum."""

    def __init__(self, replicates: int, m: int, strata: int) -> None:
        self.m, self.strata = m, strata
        self.quota = np.full(strata, m // strata)
        self.quota[: m % strata] += 1
        self.start = np.cumsum(self.quota) - self.quota
        self.have = np.zeros((replicates, strata), dtype=np.int64)
        self.rows: dict[str, NDArray[Any]] = {}

    @classmethod
    def empty(cls, replicates: int, m: int, strata: int) -> _Tray:
        """Tray without rows."""
        if strata > m:
            raise ValueError(
                f"selection has {strata} strata, more than the {m} rows that are wanted: raise "
                "n_synthetic, or choose fewer strata"
            )
        return cls(replicates, m, strata)

    def missing(self) -> NDArray[np.int64]:
        """Rows that the emptiest stratum of each replicate still lacks."""
        lacking: NDArray[np.int64] = (self.quota - self.have).max(axis=1)
        return lacking

    def lacks(self) -> bool:
        """Whether some stratum of some replicate lacks rows."""
        return bool((self.have < self.quota).any())

    def put(self, rows: Values, accept: NDArray[np.bool_], labels: Any) -> None:
        """Put accepted rows into the free slots of their strata, in the order they came."""
        for stratum in range(self.strata):
            inside = accept if labels is None else accept & (labels == stratum)
            counts = np.count_nonzero(inside, axis=1)
            free = self.quota[stratum] - self.have[:, stratum]
            found = np.flatnonzero(inside)
            if (counts > free).any():
                order = np.arange(found.size) - np.repeat(np.cumsum(counts) - counts, counts)
                found = found[order < np.repeat(free, counts)]
                counts = np.minimum(counts, free)
            first = (self.start[stratum] + self.have[:, stratum])[:, None]
            self._store(rows, found, first, first + counts[:, None])
            self.have[:, stratum] += counts

    def complete(self, rows: Values, strata: Any) -> None:
        """Fill free slots with rows of their stratum, then with any, accepted or not."""
        every = np.ones((len(self.have), self.m), dtype=bool)
        self.put(rows, every, None if strata is None else strata[0])
        for stratum in range(self.strata):
            end = self.start[stratum] + self.quota[stratum]
            first = (self.start[stratum] + self.have[:, stratum])[:, None]
            slots = np.arange(self.m)
            self._store(rows, np.flatnonzero((slots >= first) & (slots < end)), first, end)
        self.have[:] = self.quota

    def _store(self, rows: Values, found: NDArray[np.int64], first: Any, end: Any) -> None:
        """Copy rows into the slots from `first` to `end` of their replicates, in order."""
        slots = np.arange(self.m)
        target = (slots >= first) & (slots < end)
        for name, value in rows.items():
            if name not in self.rows:
                shape = (len(self.have), self.m, *value.shape[2:])
                self.rows[name] = np.empty(shape, value.dtype)
            self.rows[name][target] = _chosen(value, found)


def _chosen(value: NDArray[Any], found: NDArray[np.int64]) -> NDArray[Any]:
    """Rows at places counted over all replicates; masks and 2-D indices are many times slower."""
    source = found % value.shape[1] if value.shape[0] == 1 else found
    return np.asarray(value.reshape(-1, *value.shape[2:]).take(source, axis=0))


def _where(new: NDArray[np.bool_], value: NDArray[Any], old: NDArray[Any]) -> NDArray[Any]:
    mask = new.reshape(new.shape + (1,) * (value.ndim - 2))
    return np.where(mask, value, old)
