"""Finishing a run: from what the jobs wrote, in memory or in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.experiment.assemble import assemble
from bayescollapse.experiment.columns import MemoryColumns
from bayescollapse.experiment.describe import GATE, run_attributes
from bayescollapse.experiment.jobs import Job
from bayescollapse.experiment.store import Store
from bayescollapse.experiment.stored import gather_rows, join_segments, schema_to_plain
from bayescollapse.lineage.loop import Segment

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["finished", "in_memory"]


def in_memory(
    experiment: Experiment,
    jobs: list[Job],
    segments: dict[tuple[str, int], list[Segment]],
    truth: Floats | None,
    wall: float,
) -> xr.DataTree:
    """Run made of what the jobs left in memory."""
    blocks: dict[str, list[dict[str, NDArray[Any]]]] = {}
    for job in jobs:
        joined = join_segments(
            [segment.arrays for segment in segments[job.label, job.block]],
            experiment.generations,
            job.replicates,
        )
        blocks.setdefault(job.label, []).append(joined)

    labels = list(experiment.schemes)
    schemes = {label: blocks[label] for label in labels}
    run = assemble(
        MemoryColumns(blocks, labels),
        schema=experiment.estimator.schema,
        labels=labels,
        references=experiment.references,
        probabilities=experiment.record.probabilities,
        truth=truth,
        rows=gather_rows(schemes, experiment.generations),
        attrs=run_attributes(experiment, wall, schemes),
    )
    return run.load()


def finished(
    experiment: Experiment, store: Store, jobs: list[Job], truth: Floats | None, wall: float
) -> dict[str, Any]:
    """Line of the manifest that says that a run is whole, and how to read it."""
    labels, shards = list(experiment.schemes), store.all_shards()
    names: dict[str, list[str]] = {}
    stats: dict[str, list[dict[str, NDArray[Any]]]] = {label: [] for label in labels}
    columns: dict[str, None] = {}
    for job in jobs:
        names.setdefault(job.label, []).append(job.name)
        if job.label in stats:
            there = store.names(shards[job.name][0])
            gate = [name for name in GATE if name in there]
            parts = [store.read(line, gate) for line in shards[job.name]]
            stats[job.label].append(join_segments(parts, experiment.generations, job.replicates))
            columns |= dict.fromkeys(there)
    kept = [n for n in columns if not n.startswith(("rows/", "state/"))]
    return {
        "kind": "run",
        "labels": labels,
        "references": list(experiment.references),
        "generations": experiment.generations,
        "probabilities": list(experiment.record.probabilities),
        "jobs": names,
        "columns": kept,
        "rows": any(name.startswith("rows/") for name in columns),
        "schema": schema_to_plain(experiment.estimator.schema),
        "truth": None if truth is None else truth.tolist(),
        "attrs": run_attributes(experiment, wall, stats),
    }
