"""Error against real share: which schemes of a run differ in nothing else, and their errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.measures.layout import group, replicate_error

__all__ = ["share_errors", "share_groups"]


def share_groups(run: xr.DataTree, *, smallest: int = 3) -> dict[str, list[str]]:
    """Find schemes that differ in nothing but a constant real share.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    smallest : int, default 3
        Distinct real shares that make a group.

    Returns
    -------
    dict of str to list of str
        Scheme labels in order of their real share, by a name made of the axes on which groups of
        this run differ; the name is the emission where there is one group.
    """
    schemes = json.loads(run.attrs["configuration"])["schemes"]
    shares = _constant_shares(run)
    keys: dict[str, list[str]] = {}
    for label, scheme in schemes.items():
        if label in shares:
            keys.setdefault(json.dumps(_without_share(scheme), sort_keys=True), []).append(label)
    kept = {k: v for k, v in keys.items() if len({shares[label] for label in v}) >= smallest}
    names = _names([json.loads(key) for key in kept])
    return {
        name: sorted(labels, key=shares.__getitem__)
        for name, labels in zip(names, kept.values(), strict=True)
    }


def share_errors(
    run: xr.DataTree, name: str, *, schemes: list[str] | None = None, start: int | None = None
) -> xr.DataArray:
    """Squared error of a parameter in every replicate, averaged over late generations.

    Parameters
    ----------
    run : DataTree
        Result of an experiment whose source knows the truth.
    name : str
        Parameter; squared errors are summed over its entries.
    schemes : list of str, optional
        Scheme labels; all with a constant real share if not given.
    start : int, optional
        First generation of the average; the second half if not given.

    Returns
    -------
    DataArray
        On (real_share, replicate), in squared units of the parameter, with coordinate ``scheme``.
        Its values and real shares are what ``locate_minimum`` takes.

    Raises
    ------
    ValueError
        If the run has no truth, a scheme has no constant real share, or `start` leaves nothing.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.measures import share_errors
    >>> from bayescollapse.models import gaussian_mean
    >>> schemes = {f"{w:g}": bc.schemes.weighted(w) for w in (0.3, 0.6, 0.9)}
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), schemes,
    ...     n_real=20, generations=4, replicates=5,
    ... ).run(progress=False)
    >>> share_errors(run, "mu").real_share.values.tolist()
    [0.3, 0.6, 0.9]
    """
    shares = _constant_shares(run)
    labels = list(shares) if schemes is None else list(schemes)
    unknown = [label for label in labels if label not in shares]
    if unknown:
        raise ValueError(
            f"schemes must have a constant real share, got {unknown}: choose from {list(shares)}"
        )
    labels.sort(key=shares.__getitem__)
    error = replicate_error(run, var_names=name)[name].sel(scheme=labels)
    last = int(error["generation"].max())
    first = (last + 1) // 2 if start is None else start
    if not 0 <= first <= last:
        raise ValueError(f"start must be a generation from 0 to {last}, got {start!r}")
    late = error.sel(generation=slice(first, None)).mean("generation", skipna=False)
    values = xr.Variable("scheme", [shares[label] for label in labels])
    out = late.assign_coords(real_share=values).swap_dims(scheme="real_share")
    return out.assign_attrs(start=first, units="squared units")


def _constant_shares(run: xr.DataTree) -> dict[str, float]:
    """Real share of every scheme that keeps it after generation 0, to six decimals."""
    recorded = group(run, "training", needed_for="real shares")["real_share"]
    later = recorded.isel(generation=slice(1, None)).transpose("scheme", ...)
    found = {}
    for label, values in zip(later["scheme"].values.tolist(), later.to_numpy(), strict=True):
        if values.size and np.ptp(values) < 1e-9:
            found[str(label)] = round(float(values.flat[0]), 6)
    return found


def _without_share(scheme: Mapping[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in scheme.items() if k not in ("name", "citation", "repr")}
    if isinstance(plain.get("weighting"), dict):
        fields = plain["weighting"].get("fields", plain["weighting"])
        plain["weighting"] = {k: v for k, v in fields.items() if k != "real_share"}
    return plain


def _names(groups: list[dict[str, Any]]) -> list[str]:
    axes = list(dict.fromkeys(axis for plain in groups for axis in plain))
    differing = [a for a in axes if len({json.dumps(g.get(a)) for g in groups}) > 1]
    shown = differing if differing else ["emission"]
    return [", ".join(_axis(a, plain.get(a)) for a in shown) for plain in groups]


def _axis(axis: str, value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in value.items())
    return f"{value} {axis}" if value is not None else f"default {axis}"
