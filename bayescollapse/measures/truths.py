"""Truths that were drawn from the prior, a new one for every replicate."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import xarray as xr

from bayescollapse.measures.layout import cells_of, truth_of
from bayescollapse.measures.registry import lacking

__all__ = ["from_prior", "prior_truths"]


def from_prior(run: xr.DataTree) -> bool:
    """Whether the run drew a new truth for every replicate from the prior."""
    source = json.loads(run.attrs.get("configuration", "{}")).get("source", {})
    return isinstance(source, dict) and source.get("parameters") == "prior"


def prior_truths(
    run: xr.DataTree, names: Sequence[str] | str, var_names: str | Sequence[str] | None = None
) -> xr.DataArray:
    """Truths that were drawn from the prior, on (replicate, parameter).

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    names : sequence of str or str
        Measures that need them, for the error.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries; all if not given. Parameters that only the learner
        has are left out.

    Raises
    ------
    ValueError
        If the truths are unknown, or the same in all replicates.
    """
    mean = cells_of(run, "mean", var_names)
    truth = truth_of(run, mean)
    if truth is None or not from_prior(run):
        because = "the run has one truth for all replicates" if truth is not None else ""
        raise ValueError(lacking(names, "prior truths", because=because))
    known = truth.notnull().all("replicate").to_numpy()
    if not known.any():
        raise ValueError(
            lacking(names, "prior truths", because="no parameter of the learner is the truth's")
        )
    return truth.isel(parameter=np.flatnonzero(known)).transpose("replicate", "parameter")
