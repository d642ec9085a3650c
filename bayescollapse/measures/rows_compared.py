"""Rows that emitted rows are compared with, by the name of a reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr
from numpy.typing import NDArray

from bayescollapse.lineage.record import row_summary
from bayescollapse.measures.recorded import statistics_of_rows
from bayescollapse.measures.registry import REAL, LackingError, lacking
from bayescollapse.measures.row_samples import FEWEST, RowSamples, row_samples

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["RowReference", "row_reference"]


@dataclass(frozen=True)
class RowReference:
    """Rows of a reference.

    Parameters
    ----------
    name : str
        Name of the reference.
    samples : RowSamples
        Emitted rows of the run, and its real rows.
    other : RowSamples or None
        Those of a posterior of real rows.
    statistics : DataArray or None
        Moments and quantiles of the reference's rows, on ``response``, ``statistic`` and dimensions
        of the run; None for generation 0, whose moments the run itself has.
    """

    name: str
    samples: RowSamples
    other: RowSamples | None
    statistics: xr.DataArray | None

    def rows(self, response: str, scheme: int, generation: int) -> NDArray[Any]:
        """Rows that a cell of the run is compared with, all replicates together, shape (row,)."""
        if self.name == "truth":
            return self.samples.real[response]
        if self.other is None:
            return self.samples.together(response, scheme, 0)
        return self.other.together(response, 0, generation)

    def kernels(
        self, response: str, make: Callable[[NDArray[Any]], Any]
    ) -> Callable[[int, int], Any]:
        """Kernel of every cell, made once for every set of rows; None where there are too few."""
        made: dict[tuple[int, int], Any] = {}

        def kernel_of(scheme: int, generation: int) -> Any:
            place = (scheme, 0) if self.name == "first" else (0, generation)
            place = (0, 0) if self.name == "truth" else place
            if place not in made:
                rows = self.rows(response, scheme, generation)
                made[place] = make(rows) if rows.size >= FEWEST else None
            return made[place]

        return kernel_of


def row_reference(
    run: xr.DataTree, reference: str, experiment: Experiment | None = None
) -> RowReference:
    """Collect the rows of a reference.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    reference : {"first", "truth", "real_only", "real_seen", "real_plus"}
        Rows of generation 0, real rows, or rows that a posterior of real rows alone would emit.
    experiment : Experiment, optional
        The experiment of the run, which has to be run again for rows that were not kept, and for
        those of the last three.

    Raises
    ------
    LackingError
        If the run has no such rows.
    """
    from bayescollapse.experiment.emitting import emitting_reference

    samples = row_samples(run, experiment=experiment)
    if reference == "first":
        return RowReference(reference, samples, None, None)
    if reference == "truth":
        return RowReference(reference, samples, None, _of_real_rows(samples, run))
    assert reference in REAL
    if experiment is None:
        names = f"measures of emitted rows against {reference}"
        raise LackingError(lacking(names, "experiment", because="references keep no rows"))
    again = emitting_reference(experiment, reference).run(progress=False)
    statistics = statistics_of_rows(again)
    assert statistics is not None
    other = row_samples(again, weightless=True)
    return RowReference(reference, samples, other, statistics.isel(scheme=0, drop=True))


def _of_real_rows(samples: RowSamples, run: xr.DataTree) -> xr.DataArray:
    """Moments and quantiles of the real rows of generation 0, all replicates together."""
    recorded = statistics_of_rows(run)
    assert recorded is not None
    labels = [str(label) for label in recorded["statistic"].to_numpy()]
    levels = tuple(float(label[1:]) / 100 for label in labels if label.startswith("q"))
    table = [row_summary(rows[None], levels)[0] for rows in samples.real.values()]
    coords = {"response": list(samples.real), "statistic": labels}
    return xr.DataArray(table, coords=coords, dims=("response", "statistic"))
