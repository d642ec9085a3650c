"""Covariates of synthetic rows: from the source, resampled, one design, or those of old rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Engine
from bayescollapse.lineage.pool import Pool
from bayescollapse.rows import Values, count_rows
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.base import RowSelection, mode_of
from bayescollapse.sources.base import BoundSource, Place, take_rows
from bayescollapse.streams import Streams

__all__ = ["Covariates"]

Rows = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Covariates:
    """Where the covariates of a scheme's synthetic rows come from, for one block of replicates.

    Parameters
    ----------
    scheme : Scheme
        Names the axis.
    engine : Engine
        Knows the covariates.
    source : BoundSource
        Fresh covariates.
    streams : Streams
        The experiment's streams.
    block : int
        Block of replicates.
    """

    scheme: Scheme
    engine: Engine
    source: BoundSource
    streams: Streams
    block: int

    def proposed(
        self, t: int, m: int, size: int, pool: Pool, number: int, trained: Callable[[], Values]
    ) -> Rows:
        """Covariates of a round of proposals.

        Parameters
        ----------
        t, m : int
            The emitting generation, and the rows that the next one wants.
        size, number : int
            Rows of the round, and its number.
        pool : Pool
            Batches at hand.
        trained : callable
            Rows that the generation was trained on; a selection that edits keeps their covariates.
        """
        names = [v.name for v in self.engine.schema.covariates]
        selection = self.scheme.selection
        if not names:
            return {}
        if mode_of(selection) == "edit":
            old = trained()
            return {name: old[name] for name in names}
        shared = selection.shared if isinstance(selection, RowSelection) else 1
        if self.axis == "fixed" and mode_of(selection) == "pick" and size != shared * m:
            raise ValueError(
                f"covariates='fixed' wants one row for each of the {m} rows of the design, but "
                f"selection {selection!r} picks among {size} proposals: use covariates='source' or "
                "'resample'"
            )
        rows = self.draw(t, m, size // shared, pool, number)
        if shared == 1:
            return rows
        return {name: np.repeat(value, shared, axis=1) for name, value in rows.items()}

    def draw(self, t: int, m: int, size: int, pool: Pool, number: int = 0) -> Rows:
        """Covariates of `size` rows, by the scheme's axis."""
        if self.axis == "source":
            return self.source.covariates(size, self.place(t, number))
        design = pool.current_real() if self.axis == "resample" else pool.first_real()
        design = {v.name: design[v.name] for v in self.engine.schema.covariates}
        rows = count_rows(design)
        if self.axis == "resample":
            rng = self.place(t, number).generator("covariates")
            return take_rows(design, rng.integers(rows, size=(self.engine.block, size)))
        if rows != m:
            raise ValueError(
                f"covariates='fixed' repeats the design of the {rows} real rows, but {m} synthetic "
                "rows are wanted: set n_synthetic equal to n_real, or use covariates='resample'"
            )
        if size == rows:
            return design
        return take_rows(design, np.broadcast_to(np.arange(size) % rows, (self.engine.block, size)))

    @property
    def axis(self) -> str:
        """Where covariates come from; the source's default if the scheme does not say."""
        return self.scheme.covariates or self.source.default_covariates

    def place(self, t: int, number: int = 0) -> Place:
        """Key of the source's streams at a generation and a round."""
        return Place(self.streams, self.block, t, self.engine.block, attempt=number)
