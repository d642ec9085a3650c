"""Tables of changed posteriors, filled cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.measures.drift import over_replicates
from bayescollapse.measures.labels import labelled
from bayescollapse.perturbing.choice import Choice
from bayescollapse.perturbing.reweigh import Change

__all__ = ["CHANGES", "ChangeTable", "averaged"]

LEAD = ("scheme", "replicate", "generation")

CHANGES = {
    "distance": ("cumulative Jensen-Shannon distance from the posterior of the run", "1"),
    "mean_shift": ("change of the posterior mean", "posterior sds"),
    "log_sd_ratio": ("log of the posterior sd over that of the run", "log ratio"),
}
"""What every measure of a change is, and its units."""


class ChangeTable:
    """Changes of chosen cells along further dimensions.

    Parameters
    ----------
    choice : Choice
        Schemes, replicates, generations and parameters.
    further : mapping of str to sequence
        Labels of the dimensions behind the generation.
    """

    def __init__(self, choice: Choice, further: Mapping[str, Sequence[Any]]) -> None:
        self.choice, self.further = choice, further
        shape = (*choice.shape, *(len(labels) for labels in further.values()))
        self.values = {name: np.full((*shape, len(choice.entries)), np.nan) for name in CHANGES}
        self.pareto_k = np.full(shape, np.nan)
        self.refitted = np.zeros(shape, dtype=bool)
        self.failed = np.zeros(shape, dtype=bool)

    def put(self, where: tuple[Any, ...], change: Change) -> None:
        """Write the replicates of a cell; `where` has one place per dimension."""
        with np.errstate(divide="ignore"):
            log_ratio = np.log(change.sd_ratio)
        values = {
            "distance": change.distance,
            "mean_shift": change.mean_shift,
            "log_sd_ratio": log_ratio,
        }
        for name, value in values.items():
            self.values[name][where] = value[:, self.choice.entries]
        self.pareto_k[where] = change.pareto_k
        self.refitted[where], self.failed[where] = change.refitted, change.failed

    def cells(self) -> xr.Dataset:
        """Label every cell."""
        lead = (*LEAD, *self.further)
        data: dict[str, Any] = {
            name: ((*lead, "parameter"), array) for name, array in self.values.items()
        }
        data |= {name: (lead, getattr(self, name)) for name in ("pareto_k", "refitted", "failed")}
        coords = self.choice.coords | {name: list(v) for name, v in self.further.items()}
        out = xr.Dataset(data, coords=coords)
        return labelled(out, CHANGES)


def averaged(cells: xr.Dataset, words: Mapping[str, tuple[str, str]]) -> xr.Dataset:
    """Reduce cells over replicates.

    Parameters
    ----------
    cells : Dataset
        Measures named in `words`, beside ``pareto_k``, ``refitted`` and ``failed``.
    words : mapping of str to tuple
        What every measure is, and its units.

    Returns
    -------
    Dataset
        Mean, its Monte Carlo standard error and median; ``worst_pareto_k``, and numbers of refits
        and of failed ones.
    """
    out = over_replicates({name: cells[name] for name in words}, dict(words))
    return out.assign(
        worst_pareto_k=cells["pareto_k"].max("replicate"),
        refitted=cells["refitted"].sum("replicate"),
        failed=cells["failed"].sum("replicate"),
    )
