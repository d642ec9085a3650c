"""Choice: which part of a run is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.experiment.describe import check_run
from bayescollapse.experiment.experiment import Experiment
from bayescollapse.measures.layout import cells_of
from bayescollapse.perturbing.cells import Place

__all__ = ["LEAST_DRAWS", "REFIT", "Choice", "choose", "reweighed", "several"]

LEAST_DRAWS = 100
"""Draws below which importance weights are not judged."""

REFIT = ("auto", "always", "never")
"""When to fit again: where importance weights are not relied on, everywhere, nowhere."""


@dataclass(frozen=True)
class Choice:
    """Which part of a run is looked at.

    Parameters
    ----------
    schemes : tuple of str
        Labels.
    replicates, generations : tuple of int
        Numbers.
    parameters : DataArray
        Labels of the entries, with the coordinate ``variable``.
    entries : ndarray of int
        Places of the entries among all parameters.
    draws : int
        Draws a cell.
    """

    schemes: tuple[str, ...]
    replicates: tuple[int, ...]
    generations: tuple[int, ...]
    parameters: xr.DataArray
    entries: NDArray[np.int64]
    draws: int = 1000

    @property
    def coords(self) -> dict[str, Any]:
        """Coordinates of what is measured in every cell."""
        return {
            "scheme": list(self.schemes),
            "replicate": list(self.replicates),
            "generation": list(self.generations),
            "parameter": self.parameters["parameter"].to_numpy(),
            "variable": ("parameter", self.parameters["variable"].to_numpy()),
        }

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of schemes, replicates and generations."""
        return len(self.schemes), len(self.replicates), len(self.generations)

    def where(self, place: Place) -> tuple[int, NDArray[np.int64], int]:
        """Places of a cell along scheme, replicate and generation."""
        return (
            self.schemes.index(place.scheme),
            np.searchsorted(self.replicates, place.replicates),
            self.generations.index(place.generation),
        )


def choose(
    experiment: Experiment,
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None,
    schemes: str | Sequence[str] | None,
    replicates: int | Sequence[int] | None,
    generations: int | Sequence[int] | None,
    draws: int = 1000,
) -> Choice:
    """Check that a run is the experiment's, and which part of it is asked for.

    A number of replicates is the first so many, at most all; a generation may come alone.

    Raises
    ------
    TypeError
        If `experiment` is no experiment or `run` no DataTree.
    ValueError
        If the run is another experiment's, has no such scheme, replicate or generation, or
        `replicates` is a number below 1.
    """
    _check_experiment(experiment)
    labels = cells_of(run, "mean")
    chosen = cells_of(run, "mean", var_names)
    check_run(experiment, run)
    every = labels["parameter"].to_numpy().tolist()
    wanted = replicates
    if isinstance(replicates, (int, np.integer)):
        wanted = range(min(integer("replicates", replicates), experiment.replicates))
    return Choice(
        tuple(_some("schemes", schemes, labels["scheme"])),
        tuple(sorted(_some("replicates", wanted, labels["replicate"]))),
        tuple(sorted(_some("generations", generations, labels["generation"]))),
        chosen["parameter"],
        np.array([every.index(label) for label in chosen["parameter"].to_numpy().tolist()]),
        draws,
    )


def reweighed(
    experiment: Experiment,
    run: xr.DataTree,
    *,
    replicates: int | Sequence[int] | None,
    draws: int,
    refit: str,
    **chosen: Any,
) -> Choice:
    """Choose cells whose posteriors are to be reweighed.

    Raises
    ------
    ValueError
        If the posteriors are single points, or `draws`, `replicates` or `refit` is out of range.
    """
    _check_experiment(experiment)
    integer("draws", draws, minimum=LEAST_DRAWS)
    if refit not in REFIT:
        raise ValueError(f"refit must be one of {REFIT}, got {refit!r}")
    if experiment.method == "map":
        raise ValueError(
            "method='map' has a single point for a posterior, which no importance weight can move: "
            "run the experiment with another method"
        )
    return choose(experiment, run, replicates=replicates, draws=draws, **chosen)


def several(values: Any) -> tuple[Any, ...]:
    """Take one value or many, every one once."""
    alone = isinstance(values, str) or np.ndim(values) == 0
    return tuple(dict.fromkeys([values] if alone else values))


def _check_experiment(experiment: object) -> None:
    if not isinstance(experiment, Experiment):
        raise TypeError(
            f"experiment must be the bc.Experiment of the run, got {type(experiment).__name__}: "
            "pass the experiment first, and then its run"
        )


def _some(name: str, wanted: Any, there: xr.DataArray) -> list[Any]:
    every = there.to_numpy().tolist()
    chosen = every if wanted is None else list(several(wanted))
    unknown = [value for value in chosen if value not in every]
    if unknown or not chosen:
        raise ValueError(
            f"{name} must be among those of the run, {every[:20]}, got {chosen}: correct "
            f"{unknown or 'the empty choice'}"
        )
    return chosen
