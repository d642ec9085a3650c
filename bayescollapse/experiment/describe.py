"""Provenance: what an experiment is, as plain values that travel with its run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.schemes.codec import scheme_to_dict

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["GATE", "check_run", "configuration", "identity", "run_attributes"]

PACKAGES = (
    "bayescollapse",
    "pymc",
    "pytensor",
    "nutpie",
    "arviz",
    "numpy",
    "scipy",
    "xarray",
    "jax",
)


GATE = (
    "sample_stats/passed",
    "sample_stats/attempts",
    "sample_stats/refitted",
    "training/short",
)
"""Columns that a run's attributes count; only Laplace runs have refitted cells."""


def identity(experiment: Experiment) -> dict[str, Any]:
    """Describe what a store belongs to: everything but schemes, replicates and generations."""
    record = experiment.record
    held_out = experiment.held_out
    return {
        "estimator": repr(experiment.estimator),
        "model": experiment.estimator.fingerprint(),
        "source": experiment.source.describe(),
        "n_real": _compact(experiment.n_real),
        "n_synthetic": _compact(experiment.n_synthetic),
        "method": experiment.method,
        "draws": experiment.draws,
        "chains": experiment.chains,
        "keep_draws": record.keep_draws,
        "keep_rows": record.keep_rows,
        "probabilities": list(record.probabilities),
        "held_out": _digest(held_out) if isinstance(held_out, xr.Dataset) else held_out,
        "seed": experiment.seed,
    } | _of_references(experiment)


def _of_references(experiment: Experiment) -> dict[str, Any]:
    """Draws of references, where they are kept; stores without them stay as they are."""
    return {"keep_reference_draws": True} if experiment.keep_reference_draws else {}


def configuration(experiment: Experiment) -> dict[str, Any]:
    """Full configuration of a run."""
    return identity(experiment) | {
        "schemes": {label: _scheme(scheme) for label, scheme in experiment.schemes.items()},
        "n_real": list(experiment.n_real),
        "n_synthetic": list(experiment.n_synthetic),
        "generations": experiment.generations,
        "replicates": experiment.replicates,
        "references": list(experiment.references),
    }


def check_run(experiment: Experiment, run: xr.DataTree) -> None:
    """Refuse a run that another experiment made.

    Raises
    ------
    TypeError
        If `experiment` is no bc.Experiment.
    ValueError
        If another one made the run; the settings that differ are named.
    """
    from bayescollapse.experiment.experiment import Experiment

    if not isinstance(experiment, Experiment):
        raise TypeError(
            f"experiment must be the bc.Experiment that made the run, got a value of type "
            f"{type(experiment).__name__}: leave experiment= out if you do not have it"
        )
    mine = json.loads(json.dumps(configuration(experiment)))
    theirs = json.loads(run.attrs["configuration"])
    changed = sorted(k for k in {*mine, *theirs} if mine.get(k) != theirs.get(k))
    if changed:
        raise ValueError(
            f"run belongs to another experiment; it differs in {changed}: pass the experiment= "
            "that made it"
        )


def run_attributes(
    experiment: Experiment, wall: float, blocks: Mapping[str, Sequence[Mapping[str, NDArray[Any]]]]
) -> dict[str, Any]:
    """Attributes of the run's root: configuration, versions, wall time and gate counts."""
    stats = [block for parts in blocks.values() for block in parts]
    failed = sum(int((~block["sample_stats/passed"].astype(bool)).sum()) for block in stats)
    retried = sum(int((block["sample_stats/attempts"] > 1).sum()) for block in stats)
    return _laplace(experiment, stats) | {
        "configuration": json.dumps(configuration(experiment)),
        "method": experiment.method,
        "seed": experiment.seed,
        "versions": json.dumps({name: _version(name) for name in PACKAGES}),
        "wall_seconds": round(wall, 3),
        "failed_fits": failed,
        "retried_fits": retried,
        "short_selections": sum(_cells(block, "training/short") for block in stats),
    }


def _cells(block: Mapping[str, NDArray[Any]], column: str) -> int:
    """Count the cells in which a flag is set; it may be kept once for all replicates."""
    replicates = block["sample_stats/passed"].shape[0]
    flag = np.asarray(block[column], dtype=bool)
    return int(np.broadcast_to(flag, (replicates, *flag.shape[1:])).sum())


def _laplace(experiment: Experiment, stats: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, Any]:
    """Tell what only runs by Laplace have: back end, and how many fits NUTS took over."""
    column = "sample_stats/refitted"
    if not any(column in block for block in stats):
        return {}
    refitted = sum(int((block[column] == 1).sum()) for block in stats)
    backend = getattr(experiment.estimator.engine(experiment.method), "backend", "")
    return {"refitted_fits": refitted, "laplace_backend": backend}


def _scheme(scheme: Any) -> dict[str, Any]:
    try:
        return scheme_to_dict(scheme)
    except ValueError as error:
        # A lambda has no name to store; in memory the run still says what the scheme was.
        return {
            "repr": repr(scheme),
            "not storable": str(error),
            "name": scheme.name,
            "citation": scheme.citation,
        }


def _compact(counts: tuple[int, ...]) -> Any:
    """Constant counts as one number, so that generations can be added to a store."""
    return counts[0] if len(set(counts)) == 1 else list(counts)


def _digest(rows: xr.Dataset) -> str:
    digest = hashlib.sha256()
    for name in sorted(map(str, rows.data_vars)):
        digest.update(name.encode() + np.ascontiguousarray(rows[name].to_numpy()).tobytes())
    return digest.hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
