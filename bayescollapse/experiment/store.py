"""Store: a directory of shards, one file each, committed by a line of the manifest.

A shard holds one segment of generations of one job: its results, and the state to go on. It is
written to a temporary name, synced and renamed; the manifest line is the commit. A torn last line,
left by a killed process, is ignored, so a run resumes from what was committed.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.experiment.jobs import Job
from bayescollapse.lineage.loop import Segment

__all__ = ["Store", "open_run"]

FORMAT = 1
STATE = "state/"


class Store:
    """Directory of shards that belongs to one experiment.

    Parameters
    ----------
    path : path_like
        Directory; made if it does not exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.manifest = self.path / "manifest.jsonl"

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Make the store, or check that it belongs to this experiment.

        Raises
        ------
        ValueError
            If the directory holds other files, or the store of another experiment.
        """
        stored = next((line for line in self.lines() if line["kind"] == "store"), None)
        plain = json.loads(json.dumps(identity))
        if stored is None:
            if self.path.exists() and any(self.path.iterdir()) and not self.manifest.exists():
                raise ValueError(
                    f"store {str(self.path)!r} is a directory with other files: give an empty or "
                    "new one"
                )
            (self.path / "shards").mkdir(parents=True, exist_ok=True)
            self.append({"kind": "store", "format": FORMAT, "identity": plain})
            return
        changed = sorted(
            k for k in {*plain, *stored["identity"]} if plain.get(k) != stored["identity"].get(k)
        )
        if changed:
            old = {k: stored["identity"].get(k) for k in changed}
            raise ValueError(
                f"store {str(self.path)!r} belongs to another experiment; it differs in {changed} "
                f"(stored: {old}): give another path. Schemes, replicates and generations may "
                "change within a store, nothing else"
            )

    def lines(self) -> Iterator[dict[str, Any]]:
        """Complete lines of the manifest."""
        if not self.manifest.exists():
            return
        for raw in self.manifest.read_bytes().splitlines(keepends=True):
            if raw.endswith(b"\n"):
                yield json.loads(raw)

    def append(self, line: Mapping[str, Any]) -> None:
        """Commit one line; a torn line before it is ended first."""
        with open(self.manifest, "ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    self._cut(file.tell())
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def shards(self, job: Job) -> list[dict[str, Any]]:
        """List the committed shards of a job, consecutive from generation 0."""
        return consecutive(
            [line for line in self.lines() if line["kind"] == "shard" and line["job"] == job.name]
        )

    def write(self, job: Job, segment: Segment) -> dict[str, Any]:
        """Write a shard; the returned line must be appended to commit it."""
        name = f"{job.name}-g{segment.start:05d}-{segment.stop:05d}.npz"
        target = self.path / "shards" / name
        temporary = target.with_suffix(f".{uuid.uuid4().hex}.tmp")
        arrays = segment.arrays | {STATE + k: v for k, v in segment.state.items()}
        # A type checker takes typed values for NumPy's own keywords.
        named: dict[str, Any] = {k.replace("/", "|"): v for k, v in arrays.items()}
        with open(temporary, "wb") as file:
            np.savez(file, **named)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        return {
            "kind": "shard",
            "job": job.name,
            "label": job.label,
            "start": segment.start,
            "stop": segment.stop,
            "file": name,
        }

    def read(self, line: Mapping[str, Any], *, state: bool = False) -> dict[str, NDArray[Any]]:
        """Arrays of a shard, or the state in it."""
        with np.load(self.path / "shards" / line["file"]) as shard:
            names = {name: name.replace("|", "/") for name in shard.files}
            wanted = {raw: n for raw, n in names.items() if n.startswith(STATE) == state}
            return {n.removeprefix(STATE): shard[raw] for raw, n in wanted.items()}

    def _cut(self, size: int) -> None:
        whole = self.manifest.read_bytes()[:size]
        os.truncate(self.manifest, whole.rfind(b"\n") + 1)


def consecutive(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Shards that follow each other from generation 0."""
    by_start = {line["start"]: line for line in lines}
    out, at = [], 0
    while at in by_start:
        out.append(by_start[at])
        at = by_start[at]["stop"]
    return out


def open_run(path: str | os.PathLike[str]) -> xr.DataTree:
    """Open a stored run as it was last finished.

    Parameters
    ----------
    path : path_like
        Directory that :meth:`Experiment.run` wrote.

    Returns
    -------
    DataTree
        The run. Arrays are read when they are used, from the shards that hold them.

    Raises
    ------
    FileNotFoundError
        If there is no store at `path`.
    ValueError
        If no run was finished in it.
    """
    from bayescollapse.experiment.stored import stored_tree

    store = Store(path)
    if not store.manifest.exists():
        raise FileNotFoundError(
            f"{str(path)!r} holds no run: it has no manifest.jsonl; give the path that "
            "run(store=…) wrote"
        )
    finished = [line for line in store.lines() if line["kind"] == "run"]
    if not finished:
        raise ValueError(
            f"the run in {str(path)!r} was not finished: resume it with the same Experiment and "
            f"run(store={str(path)!r})"
        )
    return stored_tree(store, finished[-1])
