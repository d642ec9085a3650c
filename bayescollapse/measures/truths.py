"""Truths that were drawn from a prior, a new one for every replicate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import xarray as xr

from bayescollapse.measures.layout import cells_of, truth_of
from bayescollapse.measures.registry import LackingError, lacking

__all__ = ["from_own_prior", "from_prior", "prior_truths"]


def from_prior(run: xr.DataTree) -> bool:
    """Whether the run drew a new truth for every replicate from a prior, of whatever model."""
    return _source(run).get("parameters") == "prior"


def from_own_prior(run: xr.DataTree) -> bool:
    """Whether that prior is the learner's own: then alone a right posterior is calibrated."""
    return from_prior(run) and _source(run).get("estimator") is None


def prior_truths(
    run: xr.DataTree,
    names: Sequence[str] | str,
    var_names: str | Sequence[str] | None = None,
    *,
    own: bool = False,
) -> xr.DataArray:
    """Truths that were drawn from a prior, on (replicate, parameter).

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    names : sequence of str or str
        Measures that need them, for the error.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries; all if not given.
    own : bool, default False
        Whether the prior must be the learner's own, and not that of another model.

    Returns
    -------
    DataArray
        On (replicate, parameter); parameters that only the learner has are missing.

    Raises
    ------
    LackingError
        If the truths are unknown, the same in all replicates, of other parameters than the
        learner's, or, with `own`, of another model's prior.
    """
    mean = cells_of(run, "mean", var_names)
    truth = truth_of(run, mean)
    if truth is None or not from_prior(run):
        because = "the run has one truth for all replicates" if truth is not None else ""
        raise LackingError(lacking(names, "prior truths", because=because))
    if own and not from_own_prior(run):
        because = "truths are draws of another model's prior, so leave estimator= out"
        raise LackingError(lacking(names, "prior truths", because=because))
    if truth.isnull().any("replicate").all():
        because = "no parameter of the learner is the truth's"
        raise LackingError(lacking(names, "prior truths", because=because))
    return truth.transpose("replicate", "parameter")


def _source(run: xr.DataTree) -> dict[str, Any]:
    source = json.loads(run.attrs.get("configuration", "{}")).get("source", {})
    return source if isinstance(source, dict) else {}
