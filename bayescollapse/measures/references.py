"""References: what a generation is compared with, chosen by name."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import xarray as xr

from bayescollapse.measures.layout import group, has_group, like_run, truth_of
from bayescollapse.measures.registry import REFERENCES, LackingError, lacking

__all__ = [
    "check_reference",
    "reference_counts",
    "reference_density",
    "reference_draws",
    "reference_moments",
    "seen_rows",
]


def check_reference(reference: str, allowed: Sequence[str] = REFERENCES) -> str:
    """Refuse names of references that are unknown, or that a measure has no meaning for.

    Parameters
    ----------
    reference : str
        Name.
    allowed : sequence of str
        Names that are allowed.

    Raises
    ------
    ValueError
        If the name is not allowed.
    """
    if reference not in allowed:
        why = ""
        if reference == "truth":
            why = ": the truth is a point, which is worth more than any number of rows"
        raise ValueError(f"reference must be one of {tuple(allowed)}, got {reference!r}{why}")
    return reference


def reference_moments(
    run: xr.DataTree, reference: str, mean: xr.DataArray, sd: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray] | None:
    """Posterior mean and sd of a reference; the truth has the sd of generation 0 around it.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    reference : str
        One of :data:`~.registry.REFERENCES`.
    mean, sd : DataArray
        Of the run, on (scheme, replicate, generation, parameter).

    Returns
    -------
    tuple of DataArray or None
        On some of these dimensions; None if the run does not have the reference.
    """
    first = sd.isel(generation=0, drop=True)
    if reference == "first":
        return mean.isel(generation=0, drop=True), first
    if reference == "truth":
        truth = truth_of(run, mean)
        return None if truth is None else (truth, first)
    centre = like_run(run, f"reference/{reference}", "mean", mean)
    spread = like_run(run, f"reference/{reference}", "sd", sd)
    return None if centre is None or spread is None else (centre, spread)


def reference_draws(reference: str) -> str:
    """Group that holds the draws of a reference."""
    return f"reference/{reference}/posterior"


def reference_density(run: xr.DataTree, reference: str) -> xr.DataArray:
    """Held-out log density of a reference of real rows, on (replicate, generation).

    Raises
    ------
    LackingError
        If the run does not have it.
    """
    place = f"reference/{reference}/predictive"
    if not has_group(run, place):
        raise LackingError(lacking(f"held-out densities of {reference}", reference))
    density = group(run, place, needed_for="held_out_loss")["held_out_log_density"]
    return density.transpose("replicate", "generation")


def seen_rows(run: xr.DataTree) -> dict[str, list[int]]:
    """Real rows that every reference had seen, by generation."""
    told = json.loads(run.attrs["configuration"])
    real = [int(n) for n in told["n_real"]][: told["generations"]]
    more = [int(n) for n in told["n_synthetic"]][: len(real)]
    plus = [n + (m if t else 0) for t, (n, m) in enumerate(zip(real, more, strict=False))]
    return {
        "first": real[:1] * len(real),
        "real_only": real,
        "real_seen": np.cumsum(real).tolist(),
        "real_plus": plus,
    }


def reference_counts(run: xr.DataTree, reference: str, generations: Sequence[int]) -> xr.DataArray:
    """Real rows that a reference had seen, on ``generation``."""
    rows = seen_rows(run)[reference]
    values = np.array([rows[int(t)] for t in generations], dtype=np.float64)
    coords = {"generation": list(generations)}
    return xr.DataArray(values, dims="generation", coords=coords, attrs={"units": "real rows"})
