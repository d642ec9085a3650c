"""Section of a report: error against real share, where schemes differ in nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.measures.kernels import mean_and_error
from bayescollapse.measures.layout import group, has_group
from bayescollapse.measures.minimum import locate_minimum
from bayescollapse.measures.shares import share_errors, share_groups
from bayescollapse.plots.records import Table, as_records
from bayescollapse.plots.share import plot_share
from bayescollapse.reporting.section import Section
from bayescollapse.reporting.words import configuration_of

__all__ = ["share_section"]

LEAST = 6
FACETS = 6
COLUMN = {"located": "located minimum", "low": "95 % from", "high": "to", "value": "error there"}


def share_section(run: xr.DataTree, *, theory: Table = ()) -> Section | None:
    """Show error against real share, with the theory that was passed in.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    theory : Dataset, DataFrame or sequence of mapping, optional
        Rows with ``real_share`` and ``error`` are points of a curve, rows with ``optimum`` are
        vertical lines; ``parameter`` and ``emission`` (or ``group``) say for which facet.

    Returns
    -------
    Section or None
        None where no three schemes differ only in a constant real share, or the truth is unknown.
    """
    groups = share_groups(run)
    if not groups or not has_group(run, "truth"):
        return None
    names = [str(n) for n in group(run, "summary", needed_for="a report").data_vars]
    key, words = _group_words(run, groups)
    places = [(p, g) for p in names for g in groups]
    rows, marks = [], []
    for parameter, name in places:
        place = {"parameter": parameter, key: words[name]}
        errors = share_errors(run, parameter, schemes=groups[name])
        rows += _error_rows(errors, place)
        marks += _located(errors, place, int(run.attrs.get("seed", 0)))
    lines = as_records(theory, argument="theory")
    shown = {(p, words[g]) for p, g in places[:FACETS]}
    figure = plot_share(
        [row for row in rows if (row["parameter"], row[key]) in shown],
        facets=("parameter", key),
        curves=[row for row in lines if "real_share" in row],
        marks=marks + [row for row in lines if "optimum" in row],
        error_label="squared error (units squared)",
    )
    late = f"{int(errors.attrs['start'])} to {int(run['summary']['generation'].max())}"
    text = (
        "Schemes that differ in nothing but their real share, compared by the squared error of the "
        f"posterior mean, summed over a parameter's entries and averaged over generations {late}."
    )
    caption = (
        "Lower is better. The shaded strip is where the smallest error lies, as far as the "
        "replicates tell; a dashed line, where drawn, is the optimum that theory predicts."
    )
    table = [{COLUMN.get(k, k): v for k, v in mark.items()} for mark in marks] or rows
    return Section("Error against real share", text, table=table, figure=figure, caption=caption)


def _group_words(run: xr.DataTree, groups: dict[str, list[str]]) -> tuple[str, dict[str, str]]:
    """Column and words that name the groups: the emission where that tells them apart."""
    schemes = configuration_of(run)["schemes"]
    emissions = {g: str(schemes[labels[0]].get("emission", g)) for g, labels in groups.items()}
    if len(set(emissions.values())) == len(groups):
        return "emission", emissions
    return "group", {g: g for g in groups}


def _error_rows(errors: xr.DataArray, place: dict[str, str]) -> list[dict[str, Any]]:
    mean, error = mean_and_error(errors.transpose("real_share", ...).to_numpy(), 1)
    shares = errors["real_share"].values.tolist()
    return [
        {**place, "real_share": w, "error": float(e), "error_mcse": float(s)}
        for w, e, s in zip(shares, mean, error, strict=True)
    ]


def _located(errors: xr.DataArray, place: dict[str, str], seed: int) -> list[dict[str, Any]]:
    single = errors.drop_duplicates("real_share").transpose("real_share", "replicate")
    values = single.to_numpy()
    if len(values) < LEAST or values.shape[1] < 2 or not (values.mean(axis=1) > 0).all():
        return []
    found = locate_minimum(single["real_share"].to_numpy(), values, rng=np.random.default_rng(seed))
    spot = {"located": found.share, "low": found.low, "high": found.high, "value": found.value}
    return [{**place, **spot}]
