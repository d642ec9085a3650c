"""Rows that emitted rows are compared with, by the name of a reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import xarray as xr
from numpy.typing import NDArray

from bayescollapse.lineage.record import row_summary
from bayescollapse.measures.recorded import MOMENTS, statistics_of_rows
from bayescollapse.measures.registry import REAL, LackingError, lacking
from bayescollapse.measures.row_samples import FEWEST, RowSamples, row_samples, takes_long

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["RowReference"]


@dataclass(frozen=True)
class RowReference:
    """Rows of a reference; nothing is collected or fitted before it is asked for.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    name : {"first", "truth", "real_only", "real_seen", "real_plus"}
        Rows of generation 0, real rows, or rows that a posterior of real rows alone would emit.
    experiment : Experiment, optional
        The experiment of the run, which has to be run again for rows that were not kept, and for
        those of the last three.
    progress : bool, default False
        Whether what takes long shows how far it is.
    """

    run: xr.DataTree
    name: str
    experiment: Experiment | None = None
    progress: bool = False

    @cached_property
    def samples(self) -> RowSamples:
        """Emitted rows of the run, and its real rows."""
        return row_samples(self.run, experiment=self.experiment, progress=self.progress)

    @cached_property
    def other(self) -> RowSamples | None:
        """Rows that a posterior of real rows emitted."""
        return row_samples(self._again, weightless=True) if self.name in REAL else None

    @cached_property
    def statistics(self) -> xr.DataArray | None:
        """Moments and quantiles, on ``response``, ``statistic`` and dimensions of the run.

        None for generation 0, whose moments the run itself has.
        """
        if self.name == "first":
            return None
        recorded = statistics_of_rows(self._again if self.name in REAL else self.run)
        if recorded is None:
            raise LackingError(lacking(MOMENTS, "emitted rows"))
        if self.name in REAL:
            return recorded.isel(scheme=0, drop=True)
        return _of_real_rows(self.samples, recorded)

    @cached_property
    def _again(self) -> xr.DataTree:
        """Run of the reference, which emits and keeps rows."""
        from bayescollapse.experiment.emitting import emitting_reference

        what = f"emitted rows of {self.name}"
        if self.experiment is None:
            raise LackingError(lacking(what, "experiment", because="references keep no rows"))
        design = getattr(self.experiment.source, "covariates", None)
        if self.name == "real_plus" and isinstance(design, xr.Dataset):
            raise LackingError(
                f"{what}: the source has one design, which n + m rows do not fit (give it "
                "covariates=f(m, rng), or choose 'real_only' or 'real_seen')"
            )
        twin = emitting_reference(self.experiment, self.name)
        shown = self.progress and takes_long(twin)
        return twin.run(progress=shown, title=f"rows of {self.name}")

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


def _of_real_rows(samples: RowSamples, recorded: xr.DataArray) -> xr.DataArray:
    """Moments and quantiles of the real rows of generation 0, all replicates together."""
    labels = [str(label) for label in recorded["statistic"].to_numpy()]
    levels = tuple(float(label[1:]) / 100 for label in labels if label.startswith("q"))
    table = [row_summary(rows[None], levels)[0] for rows in samples.real.values()]
    coords = {"response": list(samples.real), "statistic": labels}
    return xr.DataArray(table, coords=coords, dims=("response", "statistic"))
