"""Assemble the run: arrays of jobs become one labelled tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.experiment.columns import Columns, stacked
from bayescollapse.rows import RowSchema, Variable

__all__ = ["assemble", "row_table", "statistic_labels"]

LEAD = ("scheme", "replicate", "generation")
HELD_OUT = "predictive/held_out_log_density"


def statistic_labels(probabilities: Sequence[float]) -> list[str]:
    """Coordinate of ``statistic``: mean, sd and quantiles in percent."""
    return ["mean", "sd", *(f"q{100 * p:g}" for p in probabilities)]


def assemble(
    columns: Columns,
    *,
    schema: RowSchema,
    labels: Sequence[str],
    references: Sequence[str],
    probabilities: Sequence[float],
    truth: NDArray[np.float64] | None,
    rows: Mapping[str, NDArray[Any]],
    attrs: Mapping[str, Any],
) -> xr.DataTree:
    """Build the run's tree; arrays are read when they are used.

    Parameters
    ----------
    columns : Columns
        What the jobs wrote.
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
    groups = {"summary": _parameters(columns, schema, labels, "summary", ("statistic",), statistic)}
    for name, extra in (("posterior", ("chain", "draw")), ("emission", ("member",))):
        if name in columns.names:
            groups[name] = _parameters(columns, schema, labels, name, extra)
    groups["predictive"] = _predictive(columns, schema, labels, statistic)
    for name in ("sample_stats", "training"):
        chosen = [c for c in columns.names if c.startswith(f"{name}/")]
        groups[name] = _plain(columns, labels, {c.split("/")[1]: (c, ()) for c in chosen})
    groups["sample_stats"].attrs["method"] = str(attrs.get("method", ""))
    for name in references:
        label = [f"reference/{name}"]
        groups[label[0]] = _parameters(columns, schema, label, "summary", ("statistic",), statistic)
        if columns.kind(label[0], "posterior") is not None:
            draws = _parameters(columns, schema, label, "posterior", ("chain", "draw"))
            groups[f"{label[0]}/posterior"] = draws
        if columns.kind(label[0], HELD_OUT) is not None:
            density = xr.Variable(LEAD[1:], stacked(columns, label, HELD_OUT, squeeze=True))
            density.attrs["units"] = "nats per row"
            groups[f"{label[0]}/predictive"] = xr.Dataset({"held_out_log_density": density})
    if truth is not None:
        parts = schema.unpack(truth)
        data = {p.name: (("replicate", *p.dims), parts[p.name]) for p in schema.parameters}
        coords = {**schema.parameter_coords(), "replicate": np.arange(truth.shape[0])}
        groups["truth"] = xr.Dataset(data, coords=coords)
    if rows:
        groups["rows"] = row_table(schema, rows)
    run = xr.DataTree.from_dict(groups)
    run.attrs.update(attrs)
    return run


def _parameters(
    columns: Columns,
    schema: RowSchema,
    labels: Sequence[str],
    column: str,
    extra: tuple[str, ...],
    statistic: Sequence[str] | None = None,
) -> xr.Dataset:
    """Label a column of parameters; references have no scheme dimension."""
    alone = labels[0].startswith("reference/")
    lead = (*(LEAD[1:] if alone else LEAD), *extra)
    data, start = {}, 0
    for parameter in schema.parameters:
        entries = slice(start, start + parameter.size)
        start = entries.stop
        array = stacked(
            columns, labels, column, entries=entries, tail=parameter.shape, squeeze=alone
        )
        data[parameter.name] = xr.Variable(lead + parameter.dims, array)
    sizes = next(iter(data.values())).sizes
    coords: dict[str, Any] = {d: np.arange(sizes[d]) for d in lead}
    if not alone:
        coords["scheme"] = list(labels)
    if statistic is not None:
        coords["statistic"] = list(statistic)
    return xr.Dataset(data, coords={**schema.parameter_coords(), **coords})


def _predictive(
    columns: Columns, schema: RowSchema, labels: Sequence[str], statistic: Sequence[str]
) -> xr.Dataset:
    named = {
        v.name: (f"predictive/{v.name}", ("statistic", *v.dims))
        for v in schema.responses
        if f"predictive/{v.name}" in columns.names
    }
    density = "held_out_log_density"
    if f"predictive/{density}" in columns.names:
        named[density] = (f"predictive/{density}", ())
    if not named:
        return xr.Dataset()
    rows = _plain(columns, labels, named).assign_coords(statistic=list(statistic))
    if density in rows:
        rows[density].attrs["units"] = "nats per row"
    return rows


def _plain(
    columns: Columns, labels: Sequence[str], named: Mapping[str, tuple[str, tuple[str, ...]]]
) -> xr.Dataset:
    """Columns that are no parameters, by name: their column and their dimensions after the lead."""
    data = {
        name: xr.Variable(LEAD + extra, stacked(columns, labels, column))
        for name, (column, extra) in named.items()
    }
    sizes = next(iter(data.values())).sizes
    coords = {d: np.arange(sizes[d]) for d in LEAD[1:]}
    return xr.Dataset(data, coords={"scheme": list(labels), **coords})


def row_table(schema: RowSchema, rows: Mapping[str, NDArray[Any]]) -> xr.Dataset:
    """Label kept rows on the dimension ``row``."""

    def dims(variable: Variable) -> tuple[str, ...]:
        return ("row", *variable.dims)

    data = {v.name: (dims(v), rows[f"values/{v.name}"]) for v in schema.variables}
    data["weight"] = (("row",), rows["weight"])
    labels = {n: ("row", rows[n]) for n in ("scheme", "replicate", "generation", "real", "batch")}
    origin = np.where(rows["real"], "real", "synthetic")
    return xr.Dataset(data, coords={**labels, "origin": ("row", origin)})
