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

Judge = Callable[[int, Values], Floats]
"""``judge(round, rows)``: a selection's numbers, shape (replicate, size)."""

Stratify = Callable[[Values], tuple[NDArray[np.int64], int] | None]
"""Stratum of every row, shape (replicate or 1, size), and how many there are."""

ROUND = 16
"""Most rows of a round after the first, in multiples of the rows that are wanted."""

PULL = 50
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
        Rows of the first round, whether accepted or not.
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
    keep = judge(0, rows)
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
    columns = np.nonzero(chosen)[1].reshape(-1, m)
    used = {name: _at(value, columns) for name, value in rows.items()}
    every = np.full(chosen.shape[0], float(m))
    return Selected(used, size, every, np.zeros(chosen.shape[0], dtype=bool), first=rows)


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
    accepted, emitted, number = accept.sum(axis=1).astype(np.float64), m, 1
    while tray.missing().any() and emitted < most:
        # Lineages differ little in what is accepted: a lineage's own rate is drawn to the average.
        rate = (accepted + PULL * (accepted.mean() + 0.5) / (emitted + 1)) / (emitted + PULL)
        size = _round_size(tray, rate, m, most - emitted, unit if strata is None else m)
        if size == 0:
            break
        more = propose(number, size)
        accept = judge(number, more) > 0
        strata = stratify(more)
        tray.put(more, accept, None if strata is None else strata[0])
        accepted += accept.sum(axis=1)
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

    def put(self, rows: Values, accept: NDArray[np.bool_], labels: Any) -> None:
        """Put accepted rows into the free slots of their strata, in the order they came."""
        for stratum in range(self.strata):
            inside = accept if labels is None else accept & (labels == stratum)
            found = np.flatnonzero(inside)
            replicate = found // accept.shape[1]
            counts = np.bincount(replicate, minlength=len(self.have))
            first = np.cumsum(counts) - counts
            place = np.arange(found.size) - first[replicate] + self.have[replicate, stratum]
            chosen = place < self.quota[stratum]
            if not chosen.all():
                found, replicate, place = found[chosen], replicate[chosen], place[chosen]
                counts = np.minimum(counts, self.quota[stratum] - self.have[:, stratum])
            self._store(rows, found, replicate * self.m + self.start[stratum] + place)
            self.have[:, stratum] += counts

    def complete(self, rows: Values, strata: Any) -> None:
        """Fill free slots with rows of their stratum, then with any, accepted or not."""
        size = next(iter(rows.values())).shape[1]
        every = np.ones((len(self.have), size), dtype=bool)
        self.put(rows, every, None if strata is None else strata[0])
        slots = np.arange(self.m)
        owner = np.repeat(np.arange(self.strata), self.quota)
        free = np.flatnonzero(slots - self.start[owner] >= self.have[:, owner])
        self._store(rows, free // self.m * size + free % self.m, free)
        self.have[:] = self.quota

    def _store(self, rows: Values, found: NDArray[np.int64], place: NDArray[np.int64]) -> None:
        """Copy rows from their places among the proposals, all replicates end to end."""
        for name, value in rows.items():
            size, rest = value.shape[1], value.shape[2:]
            if name not in self.rows:
                shape = (len(self.have), self.m, *rest)
                self.rows[name] = np.zeros(shape, value.dtype)
            source = found % size if value.shape[0] == 1 else found
            self.rows[name].reshape(-1, *rest)[place] = value.reshape(-1, *rest)[source]


def _at(value: NDArray[Any], columns: NDArray[np.int64]) -> NDArray[Any]:
    if value.shape[0] == 1:
        return np.asarray(value[0][columns])
    return np.asarray(value[np.arange(len(columns))[:, None], columns])


def _where(new: NDArray[np.bool_], value: NDArray[Any], old: NDArray[Any]) -> NDArray[Any]:
    mask = new.reshape(new.shape + (1,) * (value.ndim - 2))
    return np.where(mask, value, old)
