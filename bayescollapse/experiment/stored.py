"""A stored run as a tree whose arrays are read from their shards when they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.experiment.assemble import assemble
from bayescollapse.experiment.columns import Kind
from bayescollapse.experiment.store import Store
from bayescollapse.rows import RowSchema, Variable

__all__ = [
    "StoredColumns",
    "gather_rows",
    "join_segments",
    "schema_from_plain",
    "schema_to_plain",
    "stored_tree",
]


class StoredColumns:
    """Columns of a stored run; an array is read from the shards that hold it, when it is used.

    Parameters
    ----------
    store : Store
        The store.
    line : mapping
        Manifest line of the finished run.
    """

    def __init__(self, store: Store, line: Mapping[str, Any]) -> None:
        self.store = store
        self.names: list[str] = list(line["columns"])
        self.generations = int(line["generations"])
        self.jobs: Mapping[str, list[str]] = line["jobs"]
        self.shards = store.all_shards()

    def kind(self, label: str, column: str) -> Kind | None:
        """Shape and type of a column, from the header of its first shard."""
        header = self.store.header(self.shards[self.jobs[label][0]][0], column)
        if header is None:
            return None
        replicates = sum(_replicates(job) for job in self.jobs[label])
        return Kind((replicates, self.generations, *header.shape[2:]), header.dtype)

    def read(self, label: str, column: str) -> NDArray[Any]:
        """Read a column of every block."""
        blocks = [self._block(job, [column])[column] for job in self.jobs[label]]
        return np.concatenate(blocks)

    def rows(self, label: str) -> list[dict[str, NDArray[Any]]]:
        """Read the kept rows of every block."""
        blocks = []
        for job in self.jobs[label]:
            names = [n for n in self.store.names(self.shards[job][0]) if n.startswith("rows/")]
            blocks.append(self._block(job, names) if names else {})
        return blocks

    def _block(self, job: str, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        parts = [self.store.read(line, names) for line in self.shards[job]]
        return join_segments(parts, self.generations, _replicates(job))


def stored_tree(store: Store, line: Mapping[str, Any]) -> xr.DataTree:
    """Assemble the run that a manifest line describes."""
    columns = StoredColumns(store, line)
    truth, labels = line["truth"], line["labels"]
    rows = {label: columns.rows(label) for label in labels} if line["rows"] else {}
    return assemble(
        columns,
        schema=schema_from_plain(line["schema"]),
        labels=labels,
        references=line["references"],
        probabilities=line["probabilities"],
        truth=None if truth is None else np.array(truth),
        rows=gather_rows(rows, columns.generations),
        attrs=line["attrs"],
    )


def _replicates(job: str) -> int:
    return int(job.rpartition("-")[2])


def join_segments(
    parts: list[dict[str, NDArray[Any]]], generations: int, replicates: int
) -> dict[str, NDArray[Any]]:
    """Columns (replicate, generation, …) of consecutive segments, up to a number of generations.

    Columns that are the same in every replicate are stored once and widened here; kept rows stay
    end to end.
    """
    out = {}
    for name in parts[0]:
        arrays = [part[name] for part in parts if name in part]
        if name.startswith("rows/"):
            out[name] = np.concatenate(arrays)
        else:
            wide = [np.broadcast_to(a, (replicates, *a.shape[1:])) for a in arrays]
            out[name] = (wide[0] if len(wide) == 1 else np.concatenate(wide, axis=1))[
                :, :generations
            ]
    return out


def gather_rows(
    jobs: Mapping[str, list[dict[str, NDArray[Any]]]], generations: int
) -> dict[str, NDArray[Any]]:
    """Kept rows of every scheme end to end, with their scheme's label."""
    collected: dict[str, list[NDArray[Any]]] = {}
    for label, blocks in jobs.items():
        for block in blocks:
            names = [name for name in block if name.startswith("rows/")]
            if not names:
                continue
            wanted = block["rows/generation"] < generations
            for name in names:
                collected.setdefault(name.removeprefix("rows/"), []).append(block[name][wanted])
            collected.setdefault("scheme", []).append(
                np.full(int(wanted.sum()), label, dtype=object)
            )
    joined = {name: np.concatenate(parts) for name, parts in collected.items()}
    if joined:
        joined["scheme"] = joined["scheme"].astype(str)
    return joined


def schema_to_plain(schema: RowSchema) -> dict[str, Any]:
    """Write a schema as plain values for the manifest."""

    def plain(variables: tuple[Variable, ...]) -> list[list[Any]]:
        return [[v.name, list(v.dims), list(v.shape), v.dtype] for v in variables]

    coords = {dim: [_scalar(label) for label in labels] for dim, labels in schema.coords.items()}
    groups = (schema.responses, schema.covariates, schema.parameters)
    return {"variables": [plain(group) for group in groups], "coords": coords}


def schema_from_plain(data: Mapping[str, Any]) -> RowSchema:
    """Read a schema from the manifest."""

    def variables(group: list[list[Any]]) -> tuple[Variable, ...]:
        return tuple(
            Variable(name, tuple(dims), tuple(shape), dtype) for name, dims, shape, dtype in group
        )

    responses, covariates, parameters = map(variables, data["variables"])
    coords = {dim: tuple(labels) for dim, labels in data["coords"].items()}
    return RowSchema(responses, covariates, parameters, coords)


def _scalar(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
