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
from bayescollapse.schemes.weighting import Weighting
from bayescollapse.sources.base import take_rows

__all__ = ["Pool"]

# Names of a batch's own arrays in the state; '#' cannot begin the name of a variable of rows.
KEEP, REAL, BATCH = "#keep", "#real", "#batch"


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
        if self.scheme.supply != "stream" or not self.real:
            real: tuple[Group, ...] = (group,)
        elif self._apart():
            real = (*self.real, group)
        else:
            real = (_join(self.engine, self.real[0], group),)
        return Pool(self.scheme, self.engine, real, self.synthetic)

    def add_synthetic(self, rows: Values, generation: int, keep: Floats | None = None) -> Pool:
        """Pool with a new synthetic batch; `keep` holds a selection's weights (replicate, obs)."""
        group = _batch(self.engine, rows, generation, real=False, keep=keep)
        memory = self.scheme.memory
        if memory.kind in ("all", "subsample") and self.synthetic and not self._apart():
            joined = (_join(self.engine, self.synthetic[0], group),)
            return Pool(self.scheme, self.engine, self.real, joined)
        reach = {"last": 1, "window": memory.size or 1}.get(memory.kind, len(self.synthetic) + 1)
        return Pool(self.scheme, self.engine, self.real, (*self.synthetic, group)[-reach:])

    def add_mixed(
        self, rows: Values, generation: int, real: NDArray[np.bool_], batch: NDArray[np.int64]
    ) -> Pool:
        """Pool whose synthetic rows are an edited batch, in which some rows are old ones."""
        group = Group((rows,), self.engine.digest(rows), count_rows(rows), real, (generation,))
        return Pool(self.scheme, self.engine, self.real, (replace(group, mixed=batch),))

    def contaminated(self, real_share: float, rng: np.random.Generator) -> Group:
        """Newest real and synthetic batch mixed row by row, each real with the same probability."""
        mine, theirs = self.real[-1], self.synthetic[-1]
        chosen = rng.random((self.engine.block, mine.count)) < real_share
        rows = {}
        for name, value in mine.parts[-1].items():
            mask = chosen.reshape(chosen.shape + (1,) * (value.ndim - 2))
            rows[name] = np.where(mask, value, theirs.parts[-1][name])
        batch = np.where(chosen, mine.generations[-1], theirs.generations[-1])
        digest = self.engine.digest(rows)
        return Group((rows,), digest, mine.count, chosen, (), None, batch)

    def _apart(self) -> bool:
        """Whether batches have weights of their own and must not be joined."""
        return isinstance(self.scheme.weighting, Weighting) and self.scheme.weighting.ages

    def groups(self, generation: int, rng: np.random.Generator | None) -> tuple[Group, ...]:
        """Give the groups a generation is fitted to: real rows first, each group of one weight."""
        real = self.real if self.scheme.supply != "none" or generation == 0 else ()
        memory = self.scheme.memory
        if memory.kind == "subsample" and generation > 0:
            assert rng is not None
            return (_subsample(self.engine, (*real, *self.synthetic), memory.size or 0, rng),)
        if self._apart():
            return (*real, *self.synthetic)
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
                start = 0
                for part, generation in zip(group.parts, group.generations, strict=True):
                    prefix, stop = f"{kind}/{index}/{generation}", start + count_rows(part)
                    out |= {f"{prefix}/{name}": np.asarray(value) for name, value in part.items()}
                    if group.keep is not None:
                        out[f"{prefix}/{KEEP}"] = group.keep[:, start:stop]
                    if group.mixed is not None:
                        out[f"{prefix}/{REAL}"] = np.asarray(group.real)
                        out[f"{prefix}/{BATCH}"] = group.mixed
                    index, start = index + 1, stop
        return out

    def load(self, state: Mapping[str, NDArray[Any]]) -> Pool:
        """Pool rebuilt from :meth:`dump`, batch by batch in their order, so with the same bits."""
        batches: dict[tuple[str, int, int], dict[str, NDArray[Any]]] = {}
        for key, value in state.items():
            kind, index, made_by, name = key.split("/")
            batches.setdefault((kind, int(index), int(made_by)), {})[name] = value
        pool = self
        for (kind, _, generation), rows in sorted(batches.items(), key=lambda item: item[0]):
            keep, real, batch = (rows.pop(name, None) for name in (KEEP, REAL, BATCH))
            if kind == "real":
                pool = pool.add_real(rows, generation)
            elif real is not None and batch is not None:
                pool = pool.add_mixed(rows, generation, real, batch)
            else:
                pool = pool.add_synthetic(rows, generation, keep)
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
