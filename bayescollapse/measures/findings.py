"""Findings: what a run says about every definition of collapse, or why it cannot."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.measures.definitions import Thresholds
from bayescollapse.measures.evidence import (
    Evidence,
    largest_rise,
    late_growth,
    mean_evidence,
    median_evidence,
    scaling_gap,
)
from bayescollapse.measures.kernels import binomial_interval
from bayescollapse.measures.layout import cells_of, central_intervals, real_rows, truth_of
from bayescollapse.measures.registry import lacking
from bayescollapse.measures.risk import Risk, standard_errors

__all__ = ["FINDERS", "Finding", "Material"]

Floats = NDArray[np.float64]

SAME = (
    "estimator",
    "model",
    "source",
    "schemes",
    "generations",
    "method",
    "draws",
    "chains",
)
"""Settings that runs of one experiment with different numbers of rows have in common."""


class Finding(NamedTuple):
    """What a run says about one definition.

    Attributes
    ----------
    evidence : Evidence
        Statistic and interval, one entry per scheme.
    threshold : float
        What it is compared with.
    lineages : ndarray, shape (scheme, replicate), optional
        In which lineages it happened: 1, 0 or missing; None where it speaks of no single lineage.
    note : str, optional
        What the run cannot tell of some schemes, and why; empty where it tells all, or the reason
        is one of the common ones.
    enough : int, default 2
        Replicates that the interval takes.
    """

    evidence: Evidence
    threshold: float
    lineages: Floats | None = None
    note: str = ""
    enough: int = 2


@dataclass(frozen=True)
class Material:
    """What findings are made of.

    Parameters
    ----------
    run : DataTree
        The run.
    larger : DataTree, optional
        The same experiment with more rows.
    var_names : str or sequence of str, optional
        Parameters whose errors and coverage count.
    risk : Risk, optional
        Risk of every cell.
    cells : Dataset
        Predictive measures of every cell.
    thresholds : Thresholds
        Thresholds.
    probability : float
        Level of intervals.
    """

    run: xr.DataTree
    larger: xr.DataTree | None
    var_names: str | Sequence[str] | None
    risk: Risk | None
    cells: xr.Dataset
    thresholds: Thresholds
    probability: float


def _catastrophe(material: Material) -> Finding | str:
    risk, limits = material.risk, material.thresholds
    if risk is None or risk.values.shape[2] < 2:
        return _no_risk("catastrophic_rise", risk, 2)
    first, last = risk.values[..., 0], risk.values[..., -1]
    limit = limits.catastrophic_factor if risk.relative else limits.catastrophic_nats
    # A lineage's own first error may be near 0 by chance: it is compared with the mean of all.
    bar = first.mean(axis=1, keepdims=True) * limit if risk.relative else limit
    return Finding(_risen(material, risk), limit, _flags(last, last > bar))


def _rise(material: Material) -> Finding | str:
    risk = material.risk
    if risk is None or risk.values.shape[2] < 2:
        return _no_risk("any_rise", risk, 2)
    first, last = risk.values[..., 0], risk.values[..., -1]
    return Finding(_risen(material, risk), float(risk.relative), _flags(last, last > first))


def _risen(material: Material, risk: Risk) -> Evidence:
    return largest_rise(risk.values, relative=risk.relative, probability=material.probability)


def _growth(material: Material) -> Finding | str:
    risk, limits = material.risk, material.thresholds
    if risk is None or risk.values.shape[2] < 5:
        return _no_risk("divergence", risk, 5)
    found = late_growth(risk.values, relative=risk.relative, probability=material.probability)
    return Finding(found, limits.growth_exponent if risk.relative else limits.growth_nats)


def _no_risk(name: str, risk: Risk | None, generations: int) -> str:
    if risk is None:
        return lacking(name, "truth", because="the run has neither a truth nor held-out rows")
    return _too_short(name, generations)


def _too_short(name: str, generations: int) -> str:
    return f"{name}: needs {generations} generations (run the experiment with more)"


def _variance(material: Material) -> Finding | str:
    if "emitted_log_sd_ratio" not in material.cells:
        return lacking("variance_collapse", "emitted rows")
    if material.cells.sizes["generation"] < 2:
        return _too_short("variance_collapse", 2)
    ratio = material.cells["emitted_log_sd_ratio"].isel(generation=-1)
    values = ratio.transpose("response", "scheme", "replicate").to_numpy()
    level = 1 - (1 - material.probability) / values.shape[0]
    found = np.exp([median_evidence(v, probability=level) for v in values])
    # The response that has lost most speaks, at a level that holds for all of them.
    lowest = np.where(np.isnan(found[:, 0]), np.inf, found[:, 0]).argmin(axis=0)
    chosen = found[lowest, :, np.arange(lowest.size)]
    worst, limit = np.exp(np.fmin.reduce(values)), material.thresholds.sd_ratio
    # The extremes enclose the median with a chance of 1 - 2 / 2^replicates.
    enough = math.ceil(math.log2(2 / (1 - level)))
    return Finding(Evidence(*chosen.T), limit, _flags(worst, worst < limit), enough=enough)


def _scaling(material: Material) -> Finding | str:
    name, larger = "scaling_change", material.larger
    if larger is None:
        return lacking(name, "larger run")
    changed = _differing(material.run, larger)
    if changed:
        return lacking(name, "larger run", because=f"larger= differs in {changed}")
    small = standard_errors(material.run, var_names=material.var_names)
    large = standard_errors(larger, var_names=material.var_names)
    if small is None or large is None:
        return lacking(name, "truth", because="true values are missing")
    if small[1] is None or large[1] is None:
        return lacking(name, "real_only")
    if large[0].shape[1] < 2:
        return lacking(name, "larger run", because="larger= has a single replicate")
    last = small[0].shape[2] - 1
    rows = [float(real_rows(run, [last]).item()) for run in (material.run, larger)]
    if not rows[1] > rows[0]:
        because = f"larger= has no more rows a generation: {rows[1]:g}, the run {rows[0]:g}"
        return lacking(name, "larger run", because=because)
    found = scaling_gap(
        (small[0][..., -1], small[1][None, :, -1]),
        (large[0][..., -1], large[1][None, :, -1]),
        rows[1] / rows[0],
        probability=material.probability,
    )
    return Finding(found, material.thresholds.scaling_gap)


def _differing(run: xr.DataTree, larger: xr.DataTree) -> list[str]:
    """Name the settings of one experiment in which two runs differ."""
    mine, theirs = (json.loads(tree.attrs["configuration"]) for tree in (run, larger))
    return [name for name in SAME if mine[name] != theirs[name]]


def _modes(material: Material) -> Finding | str:
    return _lost(material, "mode_loss", {"modes_kept": 1.0})


def _tails(material: Material) -> Finding | str:
    kept = material.thresholds.kept
    return _lost(material, "tail_loss", {"tail_mass": kept, "rare_mass": kept})


def _lost(material: Material, name: str, lowest: dict[str, float]) -> Finding | str:
    there = [measure for measure in lowest if measure in material.cells]
    if not there or material.cells.sizes["generation"] < 3:
        return _no_rows(material, name)
    parts = [
        _flags(values, values < lowest[measure])
        for measure in there
        for values in (material.cells[measure].to_numpy(),)
    ]
    # What was lost in any response, and of any kind, was lost.
    lost = np.fmax.reduce(np.concatenate(parts, axis=-1), axis=-1)
    now = lost[..., -2]
    found = mean_evidence(
        now - lost[..., 0], probability=material.probability, lowest=-1.0, highest=1.0
    )
    return Finding(found, material.thresholds.lineages, now)


def _far(material: Material) -> Finding | str:
    if "far_rows" not in material.cells or material.cells.sizes["generation"] < 2:
        return _no_rows(material, "hallucination")
    share = np.fmax.reduce(material.cells["far_rows"].to_numpy(), axis=-1)[..., -2]
    found = mean_evidence(share, probability=material.probability, lowest=0.0, highest=1.0)
    limit = material.thresholds.far_share
    return Finding(found, limit, _flags(share, share > limit))


def _no_rows(material: Material, name: str) -> str:
    if "far_rows" not in material.cells:
        reasons = [text for text in material.cells.attrs["missing"] if "far_rows" in text]
        return f"{name}: {reasons[0].partition(': ')[2]}"
    if material.cells.sizes["generation"] < 3:
        return _too_short(name, 3)
    return f"{name}: the real rows have nothing of the kind (choose another rare=)"


def _certainty(material: Material) -> Finding | str:
    name, run = "false_certainty", material.run
    last = cells_of(run, "mean", material.var_names).isel(generation=-1)
    truth = truth_of(run, last)
    intervals = central_intervals(run)
    if truth is None or bool(truth.isnull().any()):
        return lacking(name, "truth", because="true values are missing")
    if not intervals:
        return f"{name}: the run holds no pair of quantiles (give probabilities=)"
    nominal, *labels = max(intervals)
    low, high, sd = (
        cells_of(run, label, material.var_names).isel(generation=-1) for label in (*labels, "sd")
    )
    known = (sd > 0) & low.notnull() & high.notnull()
    if not bool(known.any()):
        return f"{name}: the posteriors are single points (run the experiment with another method)"
    inside = ((low <= truth) & (truth <= high)).where(known)
    hits = inside.transpose("parameter", "scheme", "replicate").to_numpy()
    found = _coverage(hits, material.probability)
    unknown = last["scheme"].to_numpy()[np.isnan(found.value)].tolist()
    note = f"{name}: some posteriors of {unknown} have no interval (see bc.diagnose)"
    return Finding(found, nominal - material.thresholds.coverage_gap, note=note if unknown else "")


def _coverage(hits: Floats, probability: float) -> Evidence:
    """Coverage of the parameter that is covered least, at a level that holds for all of them."""
    parameters, _, trials = hits.shape
    count = hits.sum(axis=2).min(axis=0)
    known = ~np.isnan(count)
    level = 1 - (1 - probability) / parameters
    limits = binomial_interval(np.where(known, count, 0), trials, probability=level)
    return Evidence(count / trials, *(np.where(known, limit, np.nan) for limit in limits))


def _flags(values: Floats, yes: NDArray[np.bool_]) -> Floats:
    """Turn yes and no into 1 and 0, missing where the values are."""
    return np.where(np.isnan(values), np.nan, yes)


FINDERS: dict[str, Callable[[Material], Finding | str]] = {
    "catastrophic_rise": _catastrophe,
    "any_rise": _rise,
    "divergence": _growth,
    "variance_collapse": _variance,
    "scaling_change": _scaling,
    "mode_loss": _modes,
    "tail_loss": _tails,
    "hallucination": _far,
    "false_certainty": _certainty,
}
"""A finder for every definition; it gives its finding, or says what the run lacks."""
