"""A stored run as a tree whose arrays are read from their shards when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.experiment.assemble import assemble
from bayescollapse.experiment.store import Store, consecutive
from bayescollapse.rows import RowSchema, Variable

__all__ = ["schema_from_plain", "schema_to_plain", "stored_tree"]


def stored_tree(store: Store, line: Mapping[str, Any]) -> xr.DataTree:
    """Assemble the run that a manifest line describes."""
    shards: dict[str, list[dict[str, Any]]] = {}
    for entry in store.lines():
        if entry["kind"] == "shard":
            shards.setdefault(entry["job"], []).append(entry)
    jobs: Mapping[str, list[str]] = line["jobs"]
    generations = int(line["generations"])
    cache: dict[str, dict[str, NDArray[Any]]] = {}

    def load(job: str) -> dict[str, NDArray[Any]]:
        if job not in cache:
            parts = [store.read(entry) for entry in consecutive(shards[job])]
            cache[job] = join_segments(parts, generations, int(job.rpartition("-")[2]))
        return cache[job]

    def cells(label: str, column: str) -> NDArray[Any] | None:
        blocks = [load(job).get(column) for job in jobs[label]]
        if any(block is None for block in blocks):
            return None
        return np.concatenate([block for block in blocks if block is not None])

    schema = schema_from_plain(line["schema"])
    truth = line["truth"]
    return assemble(
        cells,
        line["columns"],
        schema=schema,
        labels=line["labels"],
        references=line["references"],
        probabilities=line["probabilities"],
        truth=None if truth is None else np.array(truth),
        rows=gather_rows(
            {label: [load(job) for job in jobs[label]] for label in line["labels"]}, generations
        ),
        attrs=line["attrs"],
    )


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
