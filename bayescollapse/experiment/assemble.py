"""Assemble the run: arrays of jobs become one labelled tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.rows import RowSchema, Variable

__all__ = ["Cells", "assemble", "row_table", "statistic_labels"]

LEAD = ("scheme", "replicate", "generation")

Cells = Callable[[str, str], "NDArray[Any] | None"]
"""``cells(label, column)`` is a column (replicate, generation, …), None if never written."""


def statistic_labels(probabilities: Sequence[float]) -> list[str]:
    """Coordinate of ``statistic``: mean, sd and quantiles in percent."""
    return ["mean", "sd", *(f"q{100 * p:g}" for p in probabilities)]


def assemble(
    cells: Cells,
    columns: Sequence[str],
    *,
    schema: RowSchema,
    labels: Sequence[str],
    references: Sequence[str],
    probabilities: Sequence[float],
    truth: NDArray[np.float64] | None,
    rows: Mapping[str, NDArray[Any]],
    attrs: Mapping[str, Any],
) -> xr.DataTree:
    """Build the run's tree; see the README for its groups.

    Parameters
    ----------
    cells : callable
        Column of a scheme, shape (replicate, generation, …).
    columns : sequence of str
        Columns that were written.
    schema : RowSchema
        Names, dimensions and labels of parameters and rows.
    labels, references : sequence of str
        Scheme labels, and the references that were run.
    probabilities : sequence of float
        Quantiles of the summaries.
    truth : ndarray, shape (replicate, parameter), optional
        True parameters.
    rows : mapping of str to ndarray
        Kept rows end to end.
    attrs : mapping
        Attributes of the run.
    """
    statistic = statistic_labels(probabilities)
    groups: dict[str, xr.Dataset] = {}
    summary = _stack(cells, labels, "summary")
    groups["summary"] = _parameters(schema, summary, (*LEAD, "statistic"), labels, statistic)
    if "posterior" in columns:
        draws = _stack(cells, labels, "posterior")
        groups["posterior"] = _parameters(schema, draws, (*LEAD, "chain", "draw"), labels)
    if "emission" in columns:
        emitted = _stack(cells, labels, "emission")
        groups["emission"] = _parameters(schema, emitted, (*LEAD, "member"), labels)
    groups["predictive"] = _predictive(cells, columns, schema, labels, statistic)
    for name in ("sample_stats", "training"):
        chosen = [c for c in columns if c.startswith(f"{name}/")]
        data = {c.split("/")[1]: (LEAD, _stack(cells, labels, c)) for c in chosen}
        groups[name] = xr.Dataset(data, coords=_coords(labels, next(iter(data.values()))[1].shape))
    for name in references:
        reference = cells(f"reference/{name}", "summary")
        assert reference is not None
        lead = ("replicate", "generation", "statistic")
        groups[f"reference/{name}"] = _parameters(schema, reference, lead, None, statistic)
    if truth is not None:
        groups["truth"] = _parameters(schema, truth, ("replicate",), None)
    if rows:
        groups["rows"] = row_table(schema, rows)
    groups["sample_stats"].attrs["method"] = str(attrs.get("method", ""))
    run = xr.DataTree.from_dict({name: group for name, group in groups.items()})
    run.attrs.update(attrs)
    return run


def _stack(cells: Cells, labels: Sequence[str], column: str) -> NDArray[Any]:
    """Stack a column of every scheme; NaN where a scheme never wrote it, or has fewer members."""
    found = [cells(label, column) for label in labels]
    shapes = [array.shape for array in found if array is not None]
    shape = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
    if all(array is not None and array.shape == shape for array in found):
        return np.stack([array for array in found if array is not None])
    out = np.full((len(labels), *shape), np.nan)
    for i, array in enumerate(found):
        if array is not None:
            out[i][tuple(slice(size) for size in array.shape)] = array
    return out


def _parameters(
    schema: RowSchema,
    stacked: NDArray[Any],
    lead: tuple[str, ...],
    labels: Sequence[str] | None,
    statistic: Sequence[str] | None = None,
) -> xr.Dataset:
    parts = schema.unpack(stacked)
    data = {p.name: (lead + p.dims, parts[p.name]) for p in schema.parameters}
    coords: dict[str, Any] = {d: np.arange(n) for d, n in zip(lead, stacked.shape, strict=False)}
    if labels is not None:
        coords["scheme"] = list(labels)
    if statistic is not None:
        coords["statistic"] = list(statistic)
    return xr.Dataset(data, coords={**schema.parameter_coords(), **coords})


def _predictive(
    cells: Cells,
    columns: Sequence[str],
    schema: RowSchema,
    labels: Sequence[str],
    statistic: Sequence[str],
) -> xr.Dataset:
    data: dict[str, Any] = {}
    shape: tuple[int, ...] = ()
    for response in schema.responses:
        if f"predictive/{response.name}" in columns:
            array = _stack(cells, labels, f"predictive/{response.name}")
            data[response.name] = ((*LEAD, "statistic", *response.dims), array)
            shape = array.shape
    if "predictive/held_out_log_density" in columns:
        array = _stack(cells, labels, "predictive/held_out_log_density")
        data["held_out_log_density"] = (LEAD, array, {"units": "nats per row"})
        shape = array.shape
    coords = {**_coords(labels, shape), "statistic": list(statistic)} if shape else {}
    return xr.Dataset(data, coords=coords)


def _coords(labels: Sequence[str], shape: tuple[int, ...]) -> dict[str, Any]:
    return {
        "scheme": list(labels),
        "replicate": np.arange(shape[1]),
        "generation": np.arange(shape[2]),
    }


def row_table(schema: RowSchema, rows: Mapping[str, NDArray[Any]]) -> xr.Dataset:
    """Label kept rows on the dimension ``row``."""

    def dims(variable: Variable) -> tuple[str, ...]:
        return ("row", *variable.dims)

    data = {v.name: (dims(v), rows[f"values/{v.name}"]) for v in schema.variables}
    data["weight"] = (("row",), rows["weight"])
    labels = {n: ("row", rows[n]) for n in ("scheme", "replicate", "generation", "real", "batch")}
    origin = np.where(rows["real"], "real", "synthetic")
    return xr.Dataset(data, coords={**labels, "origin": ("row", origin)})
