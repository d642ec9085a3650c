"""Columns of jobs as arrays over schemes, read when they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

__all__ = ["Columns", "Kind", "MemoryColumns", "stacked"]


class Kind(NamedTuple):
    """Shape (replicate, generation, …) and type of a column."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Columns(Protocol):
    """What the jobs of a run wrote, by scheme label and column name."""

    @property
    def names(self) -> Sequence[str]:
        """Columns that some scheme wrote."""

    def kind(self, label: str, column: str) -> Kind | None:
        """Shape and type of a column without reading it; None if the scheme never wrote it."""

    def read(self, label: str, column: str) -> NDArray[Any]:
        """Read a column, shape (replicate, generation, …)."""


class MemoryColumns:
    """Columns of a run in memory.

    Parameters
    ----------
    blocks : mapping of str to list of mapping
        Arrays of every block of replicates, by scheme label.
    labels : sequence of str
        Labels of the schemes, without references.
    """

    def __init__(
        self, blocks: Mapping[str, list[dict[str, NDArray[Any]]]], labels: Sequence[str]
    ) -> None:
        self.blocks = blocks
        found = {n: None for label in labels for n in blocks[label][0] if not n.startswith("rows/")}
        self.names = list(found)

    def kind(self, label: str, column: str) -> Kind | None:
        """Shape and type of a column."""
        parts = [block[column] for block in self.blocks[label] if column in block]
        if not parts:
            return None
        return Kind((sum(part.shape[0] for part in parts), *parts[0].shape[1:]), parts[0].dtype)

    def read(self, label: str, column: str) -> NDArray[Any]:
        """Join the blocks of a column."""
        return np.concatenate([block[column] for block in self.blocks[label]])


def stacked(
    columns: Columns,
    labels: Sequence[str],
    column: str,
    *,
    entries: slice | None = None,
    tail: tuple[int, ...] = (),
    squeeze: bool = False,
) -> indexing.LazilyIndexedArray:
    """Stack a column of several schemes, to be read when it is indexed.

    Parameters
    ----------
    columns : Columns
        Where to read.
    labels : sequence of str
        Schemes on the leading axis.
    column : str
        Name of the column.
    entries : slice, optional
        Entries of the last axis to take, for one of several stacked parameters.
    tail : tuple of int
        Shape that these entries are given.
    squeeze : bool, default False
        Leave the scheme axis out; there must be one label.

    Notes
    -----
    Schemes that never wrote the column, or have fewer entries on an axis, are NaN there.
    """
    array = _Stacked(columns, tuple(labels), column, entries, tail, squeeze)
    return indexing.LazilyIndexedArray(array)


class _Stacked(BackendArray):
    """A stack of columns as xarray's backends see arrays."""

    def __init__(
        self,
        columns: Columns,
        labels: tuple[str, ...],
        column: str,
        entries: slice | None,
        tail: tuple[int, ...],
        squeeze: bool,
    ) -> None:
        kinds = [columns.kind(label, column) for label in labels]
        known = [kind for kind in kinds if kind is not None]
        self.cell = tuple(max(sizes) for sizes in zip(*(k.shape for k in known), strict=True))
        whole = all(kind is not None and kind.shape == self.cell for kind in kinds)
        self.dtype = known[0].dtype if whole else np.dtype(np.float64)
        self.columns, self.labels, self.column = columns, labels, column
        self.entries, self.tail, self.squeeze = entries, tail, squeeze
        shape = self.cell if entries is None else (*self.cell[:-1], *tail)
        self.shape = shape if squeeze else (len(labels), *shape)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read what the key asks for."""
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._read
        )

    def _read(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        if self.squeeze:
            return self._one(self.labels[0])[key]
        first, *rest = key
        if isinstance(first, slice):
            chosen = [self._one(label)[tuple(rest)] for label in self.labels[first]]
            empty = (0, *(s for s in self.shape[1:]))
            return np.stack(chosen) if chosen else np.empty(empty, self.dtype)
        return self._one(self.labels[first])[tuple(rest)]

    def _one(self, label: str) -> NDArray[Any]:
        kind = self.columns.kind(label, self.column)
        if kind is not None and kind.shape == self.cell:
            whole = self.columns.read(label, self.column)
        else:
            whole = np.full(self.cell, np.nan)
            if kind is not None:
                inside = tuple(slice(size) for size in kind.shape)
                whole[inside] = self.columns.read(label, self.column)
        if self.entries is None:
            return whole
        return whole[..., self.entries].reshape(*self.cell[:-1], *self.tail)
