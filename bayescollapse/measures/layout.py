"""Reading a run: groups, parameters on one flat dimension, and statistics of posteriors."""

from __future__ import annotations

import itertools
import json
from collections.abc import Hashable, Sequence
from typing import Any, cast

import numpy as np
import xarray as xr

__all__ = [
    "LEAD",
    "cells_of",
    "central_intervals",
    "flatten",
    "group",
    "has_group",
    "like_run",
    "pooled_draws",
    "real_rows",
    "replicate_error",
    "truth_of",
]

LEAD = ("scheme", "replicate", "generation")
"""Dimensions of every cell of a run."""


def replicate_error(
    run: xr.DataTree, *, var_names: str | Sequence[str] | None = None
) -> xr.Dataset:
    """Squared error of the posterior mean in every cell, for paired differences between schemes.

    Parameters
    ----------
    run : DataTree
        Result of an experiment whose source knows the truth.
    var_names : str or sequence of str, optional
        Parameters; all if not given. A label of one entry, such as ``"beta[0]"``, takes it alone.

    Returns
    -------
    Dataset
        One variable per parameter, summed over its entries, on (scheme, replicate, generation), in
        squared units of the parameter.

    Raises
    ------
    ValueError
        If the run has no truth, or no such parameter.

    Notes
    -----
    All schemes of an experiment see the same real rows and emission noise, so a difference between
    two schemes should be taken within replicates before it is averaged.
    """
    summary = cells_of(run, "mean", var_names)
    truth = truth_of(run, summary)
    if truth is None:
        raise ValueError(
            "run has no group 'truth', which errors are measured against: give the source a truth= "
            "and run again, or use bc.drift for distances from generation 0"
        )
    squared = (summary - truth) ** 2
    names = list(dict.fromkeys(str(v) for v in squared["variable"].to_numpy()))
    return xr.Dataset({n: _total(squared, n) for n in names}, attrs={"units": "squared units"})


def group(run: xr.DataTree, name: str, *, needed_for: str) -> xr.Dataset:
    """Take a group of a run as a dataset, or say what is missing."""
    if not isinstance(run, xr.DataTree):
        raise TypeError(
            f"run must be the xarray.DataTree of an experiment, got {type(run).__name__}: pass "
            "what bc.Experiment(…).run() or bc.open_run(path) returned"
        )
    if not has_group(run, name):
        raise ValueError(
            f"run has no group {name!r}, which {needed_for} needs (it has "
            f"{[g.strip('/') for g in run.groups if g != '/']}): pass the result of an experiment"
        )
    return cast(xr.DataTree, run[name]).to_dataset()


def has_group(run: xr.DataTree, name: str) -> bool:
    """Whether a run holds a group with variables."""
    return f"/{name}" in run.groups and bool(cast(xr.DataTree, run[name]).data_vars)


def flatten(
    dataset: xr.Dataset, lead: Sequence[str], var_names: str | Sequence[str] | None = None
) -> xr.DataArray:
    r"""Put all entries of all parameters on one dimension ``parameter``.

    Parameters
    ----------
    dataset : Dataset
        Parameters, with dimensions of their own behind `lead`.
    lead : sequence of str
        Dimensions to keep.
    var_names : str or sequence of str, optional
        Parameters or labels of single entries.

    Returns
    -------
    DataArray
        On (\*lead, parameter), with labels such as ``"beta[0]"`` and the coordinate ``variable``.
    """
    parts = [_flat_variable(dataset[str(name)], str(name), lead) for name in dataset.data_vars]
    flat = xr.concat(parts, dim="parameter", coords="minimal", compat="override", join="override")
    return flat if var_names is None else _select(flat, var_names)


def cells_of(
    run: xr.DataTree, statistic: str, var_names: str | Sequence[str] | None = None
) -> xr.DataArray:
    """One statistic of every posterior margin: (scheme, replicate, generation, parameter)."""
    summary = group(run, "summary", needed_for="this measure")
    chosen = summary.sel(statistic=statistic, drop=True)
    return flatten(chosen, LEAD, var_names)


def like_run(
    run: xr.DataTree, name: str, statistic: str, like: xr.DataArray
) -> xr.DataArray | None:
    """Statistic of a reference on (replicate, generation, parameter) of `like`, or None."""
    if not has_group(run, name):
        return None
    chosen = group(run, name, needed_for=name).sel(statistic=statistic, drop=True)
    flat = flatten(chosen, ("replicate", "generation"))
    return flat.reindex({d: like[d].to_numpy() for d in ("replicate", "generation", "parameter")})


def pooled_draws(posterior: xr.Dataset) -> xr.Dataset:
    """Put the draws of all chains, one chain after the other, on the dimension ``sample``."""
    stacked = posterior.stack(sample=("chain", "draw"), create_index=False)
    return stacked.assign_coords(sample=np.arange(stacked.sizes["sample"]))


def truth_of(run: xr.DataTree, like: xr.DataArray) -> xr.DataArray | None:
    """Take true parameters on (replicate, parameter) of `like`, or None if unknown."""
    if not has_group(run, "truth"):
        return None
    flat = flatten(group(run, "truth", needed_for="errors"), ("replicate",))
    return flat.reindex({d: like[d].to_numpy() for d in ("replicate", "parameter")})


def central_intervals(run: xr.DataTree) -> list[tuple[float, str, str]]:
    """Central intervals that the quantiles of a run form: probability, lower and upper label."""
    labels = [str(s) for s in group(run, "summary", needed_for="intervals")["statistic"].values]
    percent = {float(s[1:]): s for s in labels if s.startswith("q")}
    found = []
    for low, label in sorted(percent.items()):
        upper = [u for u in percent if abs(u + low - 100) < 1e-9]
        if low < 50 and upper:
            found.append((round((100 - 2 * low) / 100, 10), label, percent[upper[0]]))
    return found


def real_rows(run: xr.DataTree, generations: Sequence[int]) -> xr.DataArray:
    """Real rows of every generation, from the configuration of a run."""
    counts = json.loads(run.attrs["configuration"])["n_real"]
    return xr.DataArray(
        np.array([counts[int(t)] for t in generations], dtype=np.float64),
        dims="generation",
        coords={"generation": list(generations)},
    )


def _total(squared: xr.DataArray, name: str) -> xr.DataArray:
    inside = (squared["variable"] == name).to_numpy()
    chosen = squared.isel(parameter=np.flatnonzero(inside))
    return chosen.sum("parameter", skipna=False).drop_vars("variable", errors="ignore")


def _flat_variable(array: xr.DataArray, name: str, lead: Sequence[str]) -> xr.DataArray:
    own: list[Hashable] = [d for d in array.dims if d not in lead]
    shape = [array.sizes[d] for d in lead] + [-1]
    labels = [_label(name, entry) for entry in itertools.product(*(_ticks(array, d) for d in own))]
    return xr.DataArray(
        array.transpose(*lead, *own).to_numpy().reshape(shape),
        dims=(*lead, "parameter"),
        coords={d: array[d].to_numpy() for d in lead}
        | {"parameter": labels, "variable": ("parameter", [name] * len(labels))},
    )


def _ticks(array: xr.DataArray, dim: Hashable) -> list[Any]:
    return list(array[dim].to_numpy().tolist())


def _label(name: str, entry: tuple[Any, ...]) -> str:
    return f"{name}[{', '.join(map(str, entry))}]" if entry else name


def _select(flat: xr.DataArray, var_names: str | Sequence[str]) -> xr.DataArray:
    wanted = [var_names] if isinstance(var_names, str) else list(var_names)
    labels, variables = flat["parameter"].values.tolist(), flat["variable"].values.tolist()
    unknown = [w for w in wanted if w not in labels and w not in variables]
    if unknown or not wanted:
        raise ValueError(
            f"var_names must name parameters or entries of the run, got {wanted}; allowed are "
            f"{list(dict.fromkeys(variables + labels))}: correct {unknown or 'the empty list'}"
        )
    pairs = list(zip(labels, variables, strict=True))
    places = [i for w in wanted for i, pair in enumerate(pairs) if w in pair]
    return flat.isel(parameter=list(dict.fromkeys(places)))
