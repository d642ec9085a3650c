"""Rows that lineages emitted, generation by generation, beside the real rows they began with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.measures.layout import group, has_group
from bayescollapse.measures.registry import LackingError, lacking

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["FEWEST", "Kernel", "RowSamples", "row_samples", "takes_long"]

Floats = NDArray[np.float64]
FEWEST = 4
"""Rows from which on a cell is measured."""

Kernel = Callable[[NDArray[Any]], Mapping[str, Floats]]
"""Takes rows of shape (replicate, obs), gives values of shape (replicate,) by name."""


@dataclass(frozen=True)
class RowSamples:
    """Emitted rows by cell, and real rows, of every entry of every response.

    Parameters
    ----------
    real : mapping of str to ndarray, shape (real,)
        Real rows of generation 0, all replicates together.
    emitted : mapping of str to ndarray, shape (row,)
        Synthetic rows that entered the training of the next generation, end to end, by scheme,
        generation and replicate.
    discrete : mapping of str to bool
        Whether a response is a category or a count.
    cells : mapping of (scheme, generation) to tuple
        For every replicate, the first of its rows and the one after the last.
    labels : tuple of str
        Labels of the schemes.
    shape : tuple of int
        Schemes, replicates and generations.
    """

    real: Mapping[str, NDArray[Any]]
    emitted: Mapping[str, NDArray[Any]]
    discrete: Mapping[str, bool]
    cells: Mapping[tuple[int, int], NDArray[np.int64]]
    labels: tuple[str, ...]
    shape: tuple[int, int, int]

    def apply(
        self, kernel_of: Callable[[int, int], Kernel | None], response: str
    ) -> dict[str, Floats]:
        """Reduce the rows of every cell with a kernel.

        Parameters
        ----------
        kernel_of : callable
            Takes the places of a scheme and a generation. Gives what takes rows of shape
            (replicate, obs) and gives values of shape (replicate,) by name, or None for no value.
        response : str
            Entry of a response.

        Returns
        -------
        dict of str to ndarray, shape (scheme, replicate, generation)
            Missing where fewer than four rows that a generation emitted were used.
        """
        out: dict[str, Floats] = {}
        rows = self.emitted[response]
        for (scheme, generation), bounds in self.cells.items():
            sizes = bounds[:, 1] - bounds[:, 0]
            kernel = kernel_of(scheme, generation) if sizes.max() >= FEWEST else None
            if kernel is None:
                continue
            for size in np.unique(sizes[sizes >= FEWEST]):
                chosen = np.flatnonzero(sizes == size)
                index = bounds[chosen, 0][:, None] + np.arange(size)
                for name, value in kernel(rows[index]).items():
                    empty = np.full(self.shape, np.nan)
                    out.setdefault(name, empty)[scheme, chosen, generation] = value
        return out

    def together(self, response: str, scheme: int, generation: int) -> NDArray[Any]:
        """Rows that a generation emitted in all replicates, shape (row,)."""
        bounds = self.cells[scheme, generation]
        return self.emitted[response][bounds[0, 0] : bounds[-1, 1]]


def takes_long(experiment: Experiment) -> bool:
    """Whether running an experiment takes more than some seconds.

    A block of 128 exact posteriors costs less than a single one that is sampled.

    Parameters
    ----------
    experiment : Experiment
        Any.

    Returns
    -------
    bool
    """
    block = experiment.estimator.engine(experiment.method).block
    fits = experiment.replicates * experiment.generations * len(experiment.schemes) / block
    return fits > (20 if block == 1 else 2_000)


def row_samples(
    run: xr.DataTree,
    *,
    experiment: Experiment | None = None,
    weightless: bool = False,
    progress: bool = False,
) -> RowSamples:
    """Collect emitted and real rows from the rows that a run kept, or by running it again.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    experiment : Experiment, optional
        The experiment of the run; its lineages are run again where rows were not kept, which costs
        what the run cost, in this process.
    weightless : bool, default False
        Take emitted rows that entered no training, too.
    progress : bool, default False
        Whether running the lineages again shows how far it is, if it takes long.

    Returns
    -------
    RowSamples
        Rows with weight above 0; those that a selection refused, or a memory left out, are not
        there. The last generation's rows trained nobody, and are missing.

    Raises
    ------
    LackingError
        If no emitted row was trained on, if rows were not kept and `experiment` is not given, or
        if truths differ between replicates.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=3, replicates=4, keep_rows="all",
    ... ).run(progress=False)
    >>> row_samples(run).real["y"].size
    80
    """
    summary = group(run, "summary", needed_for="emitted rows")
    labels = tuple(str(s) for s in summary["scheme"].to_numpy())
    shape = (len(labels), summary.sizes["replicate"], summary.sizes["generation"])
    _refuse_many_truths(run)
    if _kept_all(run, shape[1]):
        table = cast(xr.DataTree, run["rows"]).to_dataset()
    elif experiment is not None:
        table = _replayed(experiment, progress)
    else:
        raise LackingError(
            lacking("measures of emitted rows", "rows", because="the run has not kept all rows")
            + ", or pass the experiment= that made it"
        )
    samples = _sorted(table, _entries(run, table), labels, shape, weightless)
    if not any(rows.size for rows in samples.emitted.values()):
        why = "no emitted row had a weight in training"
        raise LackingError(lacking("measures of emitted rows", "emitted rows", because=why))
    return samples


def _refuse_many_truths(run: xr.DataTree) -> None:
    if not has_group(run, "truth"):
        return
    truth = group(run, "truth", needed_for="emitted rows")
    for name, values in truth.data_vars.items():
        first = values.isel(replicate=[0] * values.sizes["replicate"])
        # A parameter that the truth's model does not have is missing in all replicates.
        if not np.array_equal(values, first, equal_nan=True):
            raise LackingError(
                f"the true {name!r} differs between replicates, so real "
                "rows of different replicates have different laws (use a source with one truth)"
            )


def _kept_all(run: xr.DataTree, replicates: int) -> bool:
    if not has_group(run, "rows"):
        return False
    kept = cast(xr.DataTree, run["rows"])["replicate"].to_numpy()
    return np.unique(kept).size == replicates


def _replayed(experiment: Experiment, progress: bool) -> xr.Dataset:
    """Run every lineage again, keeping rows alone; keyed streams make it the same run."""
    from bayescollapse.experiment.assemble import row_table
    from bayescollapse.experiment.executor import single_threaded
    from bayescollapse.experiment.progress import show_progress
    from bayescollapse.lineage.record import RecordSettings

    settings = RecordSettings(0, "all", (), experiment.chains)
    parts: list[dict[str, NDArray[Any]]] = []
    jobs = [job for job in experiment.jobs() if not job.label.startswith("reference/")]
    bars = show_progress(len(jobs), title="emitted rows", shown=progress and takes_long(experiment))
    with single_threaded(), bars as bar:
        for job in jobs:
            lineage = replace(experiment.lineage(job), record=settings, held_out=None)
            arrays = lineage.run().arrays
            rows = {k.removeprefix("rows/"): v for k, v in arrays.items() if k.startswith("rows/")}
            rows["scheme"] = np.full(rows["generation"].size, job.label)
            parts.append(rows)
            bar.advance(job.label)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return row_table(experiment.estimator.schema, joined)


def _entries(run: xr.DataTree, table: xr.Dataset) -> dict[str, NDArray[Any]]:
    """Every entry of every response, by label."""
    recorded = run["predictive"].data_vars if has_group(run, "predictive") else ()
    out = {}
    for name in map(str, recorded):
        if name not in table:
            continue
        values = table[name]
        own = [d for d in values.dims if d != "row"]
        flat = values.transpose("row", *own).to_numpy().reshape(values.sizes["row"], -1)
        for i, entry in enumerate(itertools.product(*(_ticks(values, str(d)) for d in own))):
            out[f"{name}[{', '.join(entry)}]" if entry else name] = flat[:, i]
    return out


def _ticks(values: xr.DataArray, dim: str) -> list[str]:
    return [str(tick) for tick in values[dim].to_numpy().tolist()]


def _sorted(
    table: xr.Dataset,
    entries: Mapping[str, NDArray[Any]],
    labels: tuple[str, ...],
    shape: tuple[int, int, int],
    weightless: bool,
) -> RowSamples:
    columns = {n: table[n].to_numpy() for n in ("generation", "replicate", "real", "batch")}
    names = table["scheme"].to_numpy()
    scheme = np.zeros(names.size, dtype=np.int64)
    for i, label in enumerate(labels):
        scheme[names == label] = i
    used = table["weight"].to_numpy() > 0
    first = used & columns["real"] & (columns["generation"] == 0) & (scheme == 0)
    newest = (
        (used | weightless) & ~columns["real"] & (columns["batch"] == columns["generation"] - 1)
    )
    chosen = np.flatnonzero(newest)
    keys = (columns["replicate"][chosen], columns["batch"][chosen], scheme[chosen])
    chosen = chosen[np.lexsort(keys)]
    code = (scheme * shape[2] + columns["batch"]) * shape[1] + columns["replicate"]
    edges = np.searchsorted(code[chosen], np.arange(np.prod(shape) + 1))
    bounds = np.stack([edges[:-1], edges[1:]], axis=-1).reshape(shape[0], shape[2], shape[1], 2)
    cells = {(s, t): bounds[s, t] for s in range(shape[0]) for t in range(shape[2])}
    return RowSamples(
        {name: values[first] for name, values in entries.items()},
        {name: values[chosen] for name, values in entries.items()},
        {name: values.dtype.kind in "iub" for name, values in entries.items()},
        cells,
        labels,
        shape,
    )
