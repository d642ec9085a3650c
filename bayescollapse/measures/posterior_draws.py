"""Comparing kept draws of every cell with those of a reference, in blocks of replicates."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from bayescollapse.measures.divergence import joint, null
from bayescollapse.measures.layout import LEAD, flatten, group, pooled_draws, truth_of
from bayescollapse.measures.posterior_table import (
    JOINT,
    MARGINAL,
    POSTERIOR_MEASURES,
    UPWARDS,
    least_draws,
)
from bayescollapse.measures.references import reference_draws

__all__ = ["Compared", "Comparison", "compare_draws"]

Floats = NDArray[np.float64]

_CELLS = 2_000
"""Cells from which on a comparison shows its progress."""

_ENTRIES = 1 << 22
"""Numbers that a block of replicates may hold at a time."""

_GROUPS = 20
"""Groups of neighbouring draws that the jackknife leaves out, one at a time."""


class Comparison(NamedTuple):
    """What is compared with what, and how often it is dealt anew."""

    run: xr.DataTree
    reference: str
    var_names: str | Sequence[str] | None
    permutations: int
    seed: int


class Compared(NamedTuple):
    """What comes of it, by name of the measure; errors if there is a single replicate."""

    values: dict[str, xr.DataArray]
    errors: dict[str, xr.DataArray]
    nulls: dict[str, xr.DataArray]


class Block(NamedTuple):
    """Draws (replicate, generation, draw, parameter) of a scheme, and what they refer to.

    That is its first generation, unless there is a truth (replicate, parameter), or draws of
    another reference.
    """

    draws: Floats
    first_sd: Floats
    truth: Floats | None
    other: Floats | None = None

    def part(self, places: slice) -> Block:
        """Take some of the replicates."""
        truth = None if self.truth is None else self.truth[places]
        other = None if self.other is None else self.other[places]
        return Block(self.draws[places], self.first_sd[places], truth, other)

    def parts(self) -> Iterator[slice]:
        """Split into runs of replicates that are worked on at a time."""
        replicates, generations, draws, parameters = self.draws.shape
        step = max(1, _ENTRIES // (generations * draws * max(parameters, 50)))
        for begin in range(0, replicates, step):
            yield slice(begin, min(begin + step, replicates))


def compare_draws(
    task: Comparison, names: Sequence[str], mean: xr.DataArray, sd: xr.DataArray, *, progress: bool
) -> Compared:
    """Compute measures from draws in every cell, and how far chance alone would take them.

    Parameters
    ----------
    task : Comparison
        What is compared.
    names : sequence of str
        Measures of :data:`MARGINAL` and :data:`JOINT`.
    mean, sd : DataArray
        Summaries on (scheme, replicate, generation, parameter), for labels and scales.
    progress : bool
        Whether a long comparison shows how far it is.

    Returns
    -------
    Compared
        Values on (scheme, replicate, generation[, parameter]), and their jackknife errors if there
        is a single replicate and draws enough; ``<name>_null`` on (scheme, generation[, parameter])
        where permutations were asked for.
    """
    from threadpoolctl import threadpool_limits

    from bayescollapse.experiment.progress import show_progress

    if not names:
        return Compared({}, {}, {})
    alone = mean.isel(parameter=0, drop=True).drop_vars("variable", errors="ignore")
    cells = {name: xr.full_like(mean if name in MARGINAL else alone, np.nan) for name in names}
    errors = _empty_errors(task, cells, mean)
    truth = truth_of(task.run, mean) if task.reference == "truth" else None
    other = _reference(task)
    shown = progress and alone.size * (1 + task.permutations) > _CELLS
    dealt: dict[str, list[Floats]] = {}
    bars = show_progress(alone.size, title="posterior drift", shown=shown)
    with threadpool_limits(1), bars as bar:
        for place, label in enumerate(mean["scheme"].to_numpy().tolist()):
            scale = sd.isel(scheme=place, generation=0).to_numpy()
            point = None if truth is None else truth.to_numpy()
            block = Block(_scheme_draws(task, place), scale, point, other)
            sums: dict[str, Floats] = {}
            for part in block.parts():
                _fill(Compared(cells, errors, {}), sums, task, block, place, part)
                bar.advance(str(label), block.draws[part].shape[0] * block.draws.shape[1])
            for name, total in sums.items():
                dealt.setdefault(name, []).append(total / len(block.draws))
    return Compared(cells, errors, _null_points(dealt, cells))


def _scheme_draws(task: Comparison, place: int) -> Floats:
    posterior = group(task.run, "posterior", needed_for="posterior drift").isel(scheme=[place])
    return _pooled(posterior, task.var_names)


def _reference(task: Comparison) -> Floats | None:
    """Draws of a reference of its own; None for the first generation and the truth."""
    if task.reference in ("first", "truth"):
        return None
    draws = group(task.run, reference_draws(task.reference), needed_for="posterior drift")
    return _pooled(draws.expand_dims("scheme"), task.var_names)


def _pooled(posterior: xr.Dataset, var_names: str | Sequence[str] | None) -> Floats:
    """Draws of all chains, shape (replicate, generation, draw, parameter)."""
    flat = flatten(pooled_draws(posterior), (*LEAD, "sample"), var_names)
    return np.asarray(flat.isel(scheme=0).to_numpy(), dtype=np.float64)


def _empty_errors(
    task: Comparison, cells: dict[str, xr.DataArray], mean: xr.DataArray
) -> dict[str, xr.DataArray]:
    """Places for jackknife errors of a single replicate, where there are draws enough."""
    posterior = group(task.run, "posterior", needed_for="posterior drift")
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    if mean.sizes["replicate"] > 1 or draws < 2 * _GROUPS:
        return {}
    left = draws - -(-draws // _GROUPS)
    able = [n for n in cells if least_draws(n, mean.sizes["parameter"]) <= left]
    return {n: xr.full_like(cells[n], np.nan) for n in able}


def _fill(
    found: Compared,
    sums: dict[str, Floats],
    task: Comparison,
    whole: Block,
    place: int,
    part: slice,
) -> None:
    """Measure a run of replicates of a scheme, and add up what permutations give."""
    block = whole.part(part)
    for name, cells in found.values.items():
        kernel, x, y, axis = _arguments(name, block)
        cells.values[place, part] = _start(task, kernel(x, y))
        if name in found.errors:
            error = null.jackknife_error(kernel, x, y, blocks=_GROUPS, axis=axis)
            found.errors[name].values[place, part] = _start(task, error)
        if task.permutations and name in UPWARDS:
            # By name, so that a null does not depend on which other measures there are.
            key = (zlib.crc32(name.encode()), part.start)
            rng = np.random.default_rng(np.random.SeedSequence(task.seed, spawn_key=key))
            deals = null.permutation_null(
                kernel, x, y, rng=rng, permutations=task.permutations, axis=axis
            )
            dealt = np.stack([_start(task, deal) for deal in deals])
            sums[name] = sums.get(name, np.zeros(())) + dealt.sum(axis=1)


def _start(task: Comparison, values: ArrayLike) -> Floats:
    """Set generation 0 to exactly 0 where it is compared with itself."""
    out = np.array(values, dtype=np.float64)
    if task.reference == "first":
        out[:, 0] = np.where(np.isfinite(out[:, 0]), 0.0, np.nan)
    return out


def _arguments(name: str, block: Block) -> tuple[Callable[..., Any], Floats, Floats, int]:
    """Kernel, draws, draws of the reference, and the axis of draws."""
    first = block.draws[:, :1]
    other = first if block.truth is None else block.truth[:, None, None, :]
    if block.other is not None:
        other = block.other
    if name in MARGINAL:
        return MARGINAL[name], np.swapaxes(block.draws, -1, -2), np.swapaxes(other, -1, -2), -1
    sd = block.first_sd[:, None, None, :]
    scale = np.where(sd > 0, sd, np.nan)
    kernel = JOINT[name]
    if name == "maximum_mean_discrepancy":
        length = joint.median_distance(first / scale)
        kernel = partial(kernel, bandwidth=np.where(length > 0, length, np.nan))
    return kernel, block.draws / scale, other / scale, -2


def _null_points(
    dealt: dict[str, list[Floats]], cells: dict[str, xr.DataArray]
) -> dict[str, xr.DataArray]:
    points = {}
    for name, means in dealt.items():
        text = f"99 % point of the mean {name.replace('_', ' ')} if nothing has changed"
        attrs = {"long_name": text, "units": POSTERIOR_MEASURES[name].units}
        data = np.stack([null.null_point(m) for m in means])
        like = cells[name].isel(replicate=0, drop=True)
        points[f"{name}_null"] = like.copy(data=data).assign_attrs(attrs)
    return points
