"""What was run, in words: settings of a run as tables a person reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

__all__ = ["configuration_of", "counted", "counts", "lead", "setting_rows"]

METHOD = {
    "exact": "closed form",
    "nuts": "NUTS sampling",
    "laplace": "Laplace, corrected by importance",
    "grid": "grid over the bandwidth",
    "advi": "mean-field ADVI (approximate)",
    "map": "posterior mode (approximate: one point, sd 0)",
}


def configuration_of(run: xr.DataTree) -> dict[str, Any]:
    """Read the configuration that travels with a run.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If the tree carries no configuration.
    """
    if not isinstance(run, xr.DataTree):
        raise TypeError(
            f"run must be the xarray.DataTree of an experiment, got {type(run).__name__}: pass "
            "what bc.Experiment(…).run() or bc.open_run(path) returned"
        )
    if "configuration" not in run.attrs:
        raise ValueError(
            "run has no attribute 'configuration', so a report could not say what was run: pass "
            "the tree that bc.Experiment(…).run() or bc.open_run(path) returned"
        )
    plain: dict[str, Any] = json.loads(run.attrs["configuration"])
    return plain


def lead(run: xr.DataTree) -> str:
    """Say in a few sentences what was run."""
    plain = configuration_of(run)
    method = METHOD.get(plain["method"], plain["method"])
    size = ", ".join(
        counted(count, noun)
        for count, noun in (
            (len(plain["schemes"]), "scheme"),
            (plain["replicates"], "replicate"),
            (plain["generations"], "generation"),
        )
    )
    return (
        f"{size}. "
        "Generation 0 is fitted to real rows only; each later generation to real rows "
        f"({counts(plain['n_real'])} per generation) and rows that earlier generations generated "
        f"({counts(plain['n_synthetic'])} per generation), as its scheme says. All schemes saw the "
        "same real rows and the same emission noise.\n\n"
        f"Model: {_unwrapped(plain['estimator'])}. Posteriors: {method}."
    )


def counted(count: int, noun: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "scheme"), counted(2, "scheme")
    ('1 scheme', '2 schemes')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def counts(values: int | Sequence[int]) -> str:
    """Write a count per generation: one number, or its range.

    Examples
    --------
    >>> counts([50, 50]), counts([50, 80, 100])
    ('50', '50 to 100')
    """
    numbers = [values] if isinstance(values, int) else list(values)
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def setting_rows(run: xr.DataTree) -> list[dict[str, Any]]:
    """Tabulate the settings of a run."""
    plain = configuration_of(run)
    sampled = plain["method"] != "exact"
    rows: dict[str, Any] = {
        "model": plain["estimator"],
        "source of real rows": _source(plain.get("source")),
        "real rows per generation (n)": counts(plain["n_real"]),
        "synthetic rows per generation (m)": counts(plain["n_synthetic"]),
        "generations": plain["generations"],
        "replicates": plain["replicates"],
        "posteriors": METHOD.get(plain["method"], plain["method"]),
        "draws per chain": plain.get("draws") if sampled else None,
        "chains": plain.get("chains") if sampled else None,
        "held-out rows": plain.get("held_out"),
        "references": ", ".join(plain.get("references", [])) or None,
        "seed": run.attrs.get("seed", plain.get("seed")),
        "fits that failed their checks": run.attrs.get("failed_fits"),
        "fits that were retried": run.attrs.get("retried_fits"),
        "cells whose selection was short of rows": run.attrs.get("short_selections") or None,
        "wall time (seconds)": run.attrs.get("wall_seconds"),
        "versions": _versions(run),
    }
    return [{"setting": k, "value": str(v)} for k, v in rows.items() if v is not None]


def _source(source: Any) -> str:
    if not isinstance(source, Mapping):
        return str(source)
    name = str(source.get("source", "source"))
    rest = ", ".join(
        f"{k} {_inner(v)}" for k, v in source.items() if k != "source" and v not in (None, {})
    )
    return f"{name}: {rest}" if rest else name


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} = {v}" for k, v in value.items())
    return str(value)


def _versions(run: xr.DataTree) -> str | None:
    if "versions" not in run.attrs:
        return None
    versions = json.loads(run.attrs["versions"])
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _unwrapped(estimator: str) -> str:
    return estimator.removeprefix("Estimator(").removesuffix(")")
