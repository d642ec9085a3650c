"""Store: a directory of shards, one file each, committed by a line of the manifest.

A shard holds one segment of generations of one job: its results, and the state to go on. It is
written to a temporary name, synced and renamed; the manifest line is the commit. A torn last line,
left by a killed process, is ignored, so a run resumes from what was committed.
"""

from __future__ import annotations

import json
import os
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.experiment.jobs import Job
from bayescollapse.lineage.loop import Segment

__all__ = ["Store", "open_run"]

FORMAT = 1
STATE = "state/"


class Header(NamedTuple):
    """Shape and type of a stored array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


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
        return self.all_shards().get(job.name, [])

    def all_shards(self) -> dict[str, list[dict[str, Any]]]:
        """List the committed shards of every job, consecutive from generation 0."""
        found: dict[str, list[dict[str, Any]]] = {}
        for line in self.lines():
            if line["kind"] == "shard":
                found.setdefault(line["job"], []).append(line)
        return {job: _consecutive(lines) for job, lines in found.items()}

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

    def read(
        self, line: Mapping[str, Any], names: Sequence[str] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Read arrays of a shard, all but its state if no names are given."""
        with np.load(self._path(line)) as shard:
            wanted = (
                [n for n in self.names(line) if not n.startswith(STATE)] if names is None else names
            )
            return {name: shard[_member(name)] for name in wanted if _member(name) in shard.files}

    def state(self, line: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Read what the next segment needs to go on; empty where the lineage had ended."""
        names = [name for name in self.names(line) if name.startswith(STATE)]
        arrays = self.read(line, names)
        return {name.removeprefix(STATE): array for name, array in arrays.items()}

    def names(self, line: Mapping[str, Any]) -> list[str]:
        """List the arrays of a shard."""
        with zipfile.ZipFile(self._path(line)) as archive:
            return [n.removesuffix(".npy").replace("|", "/") for n in archive.namelist()]

    def header(self, line: Mapping[str, Any], name: str) -> Header | None:
        """Read shape and type of an array of a shard; None if it is not there."""
        with zipfile.ZipFile(self._path(line)) as archive:
            if f"{_member(name)}.npy" not in archive.namelist():
                return None
            with archive.open(f"{_member(name)}.npy") as file:
                np.lib.format.read_magic(file)
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                return Header(shape, dtype)

    def _path(self, line: Mapping[str, Any]) -> Path:
        return self.path / "shards" / str(line["file"])

    def _cut(self, size: int) -> None:
        whole = self.manifest.read_bytes()[:size]
        os.truncate(self.manifest, whole.rfind(b"\n") + 1)


def _member(name: str) -> str:
    """Name inside the archive, where a slash would be a folder."""
    return name.replace("/", "|")


def _consecutive(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
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
            f"path must be a directory that run(store=…) wrote, got {str(path)!r}, which holds no "
            "run: it has no manifest.jsonl"
        )
    finished = [line for line in store.lines() if line["kind"] == "run"]
    if not finished:
        raise ValueError(
            f"the run in {str(path)!r} was not finished: resume it with the same Experiment and "
            f"run(store={str(path)!r})"
        )
    return stored_tree(store, finished[-1])
