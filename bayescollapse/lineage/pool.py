"""Pool: the batches of rows that a lineage remembers, grouped for the next fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Engine, Group
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values, count_rows
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.sources.base import take_rows

__all__ = ["Pool"]


@dataclass(frozen=True)
class Pool:
    """Batches that a lineage remembers.

    Parameters
    ----------
    scheme : Scheme
        Decides what is remembered.
    engine : Engine
        Digests batches.
    real, synthetic : tuple of Group
        Remembered groups, oldest first. Where all batches are remembered they are joined into one
        group as they come, so that a generation costs one batch.
    """

    scheme: Scheme
    engine: Engine
    real: tuple[Group, ...] = ()
    synthetic: tuple[Group, ...] = ()

    def add_real(self, rows: Values, generation: int) -> Pool:
        """Pool with a new real batch."""
        group = _batch(self.engine, rows, generation, real=True)
        joined = self.scheme.supply == "stream" and bool(self.real)
        real = (_join(self.engine, self.real[0], group),) if joined else (group,)
        return Pool(self.scheme, self.engine, real, self.synthetic)

    def add_synthetic(self, rows: Values, generation: int, keep: Floats | None = None) -> Pool:
        """Pool with a new synthetic batch; `keep` holds a selection's weights (replicate, obs)."""
        group = _batch(self.engine, rows, generation, real=False, keep=keep)
        memory = self.scheme.memory
        if memory.kind in ("all", "subsample") and self.synthetic:
            joined = (_join(self.engine, self.synthetic[0], group),)
            return Pool(self.scheme, self.engine, self.real, joined)
        reach = memory.size if memory.kind == "window" and memory.size else 1
        return Pool(self.scheme, self.engine, self.real, (*self.synthetic, group)[-reach:])

    def groups(self, generation: int, rng: np.random.Generator | None) -> tuple[Group, ...]:
        """Give the groups a generation is fitted to: real rows first, each group of one weight."""
        real = self.real if self.scheme.supply != "none" or generation == 0 else ()
        memory = self.scheme.memory
        if memory.kind == "subsample" and generation > 0:
            assert rng is not None
            return (_subsample(self.engine, (*real, *self.synthetic), memory.size or 0, rng),)
        synthetic = self.synthetic[:1]
        for group in self.synthetic[1:]:
            synthetic = (_join(self.engine, synthetic[0], group),)
        return (*real, *synthetic)

    def current_real(self) -> Values:
        """Newest batch of real rows."""
        return self.real[-1].parts[-1]

    def first_real(self) -> Values:
        """First batch of real rows that is remembered."""
        return self.real[0].parts[0]

    def dump(self) -> dict[str, NDArray[Any]]:
        """State as named arrays, for a shard."""
        out: dict[str, NDArray[Any]] = {}
        for kind, groups in (("real", self.real), ("synthetic", self.synthetic)):
            index = 0
            for group in groups:
                for part, generation in zip(group.parts, group.generations, strict=True):
                    prefix = f"{kind}/{index}/{generation}"
                    out |= {f"{prefix}/{name}": np.asarray(value) for name, value in part.items()}
                    index += 1
                if group.keep is not None:
                    out[f"{kind}/keep"] = group.keep
        return out

    def load(self, state: Mapping[str, NDArray[Any]]) -> Pool:
        """Pool rebuilt from :meth:`dump`, batch by batch in their order, so with the same bits."""
        batches: dict[tuple[str, int, int], dict[str, NDArray[Any]]] = {}
        for key, value in state.items():
            kind, *rest = key.split("/")
            if len(rest) == 3:
                batches.setdefault((kind, int(rest[0]), int(rest[1])), {})[rest[2]] = value
        pool = self
        for (kind, _, generation), rows in sorted(batches.items(), key=lambda item: item[0]):
            pool = (
                pool.add_real(rows, generation)
                if kind == "real"
                else pool.add_synthetic(rows, generation)
            )
        keep = state.get("synthetic/keep")
        if keep is not None:
            pool = replace(pool, synthetic=(replace(pool.synthetic[0], keep=keep),))
        return pool


def _batch(
    engine: Engine, rows: Values, generation: int, *, real: bool, keep: Floats | None = None
) -> Group:
    return Group((rows,), engine.digest(rows), count_rows(rows), real, (generation,), keep)


def _join(engine: Engine, first: Group, second: Group) -> Group:
    keep = None
    if first.keep is not None and second.keep is not None:
        keep = np.concatenate([first.keep, second.keep], axis=1)
    return Group(
        first.parts + second.parts,
        engine.join([first.digest, second.digest]),
        first.count + second.count,
        first.real,
        first.generations + second.generations,
        keep,
    )


def _subsample(
    engine: Engine, groups: tuple[Group, ...], size: int, rng: np.random.Generator
) -> Group:
    """Rows drawn uniformly without replacement, independently in every replicate."""
    parts = tuple(part for group in groups for part in group.parts)
    whole = Group(parts, None, sum(g.count for g in groups), False, ())
    rows = whole.rows()
    replicates = next(iter(rows.values())).shape[0]
    order = np.argpartition(rng.random((replicates, whole.count)), size - 1, axis=1)[:, :size]
    batch = np.concatenate([group.batch_index() for group in groups])[order]
    real = np.concatenate([np.full(group.count, bool(group.real)) for group in groups])[order]
    chosen = take_rows(rows, order)
    return Group((chosen,), engine.digest(chosen), size, real, (), None, batch)
