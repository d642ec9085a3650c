"""Coverage: how often the intervals of a run's posteriors hold the truth."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from bayescollapse._checks import real_number
from bayescollapse.measures.kernels import binomial_interval
from bayescollapse.measures.layout import cells_of, central_intervals
from bayescollapse.measures.registry import lacking

__all__ = ["chosen_intervals", "interval_coverage"]


def chosen_intervals(run: xr.DataTree, probability: float | None) -> list[tuple[float, str, str]]:
    """Central intervals of a run: all, or the one of a probability."""
    found = central_intervals(run)
    if probability is None:
        return found
    number = real_number("probability", probability)
    if not 0 < number < 1:
        raise ValueError(f"probability must lie above 0 and below 1, got {probability!r}")
    chosen = [entry for entry in found if abs(entry[0] - number) < 1e-9]
    if not chosen:
        pair = tuple(round((1 + sign * number) / 2, 10) for sign in (-1, 1))
        formed = f"one of {[entry[0] for entry in found]}, the central intervals that"
        raise ValueError(
            f"probability must be {formed} the run's quantiles form, got {probability!r}: choose "
            f"one, or run the experiment with probabilities={pair}"
            if found
            else f"probability={probability!r} needs the quantiles {pair}, and those of the run "
            f"form no central interval: run the experiment with probabilities={pair}"
        )
    return chosen


def interval_coverage(
    run: xr.DataTree,
    var_names: str | Sequence[str] | None,
    truth: xr.DataArray | None,
    intervals: list[tuple[float, str, str]],
    missing: list[str],
) -> dict[str, xr.DataArray]:
    """Coverage of central intervals with exact binomial limits.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    var_names : str or sequence of str, optional
        Parameters.
    truth : DataArray, optional
        Truths on (replicate, parameter).
    intervals : list of tuple
        Probability, lower and upper label of every interval.
    missing : list of str
        Gains a line if the run cannot give it.
    """
    if truth is None:
        missing.append(lacking("coverage", "truth"))
    elif not intervals:
        missing.append(lacking("coverage", "quantiles"))
    if truth is None or not intervals:
        return {}
    hits, known = [], []
    for _, lower, upper in intervals:
        low, high = cells_of(run, lower, var_names), cells_of(run, upper, var_names)
        hits.append(((low <= truth) & (truth <= high)).sum("replicate"))
        known.append((low.notnull() & high.notnull() & truth.notnull()).all("replicate"))
    nominal = xr.Variable("interval", [entry[0] for entry in intervals])
    return _shares(xr.concat(hits, nominal), xr.concat(known, nominal), truth.sizes["replicate"])


def _shares(hits: xr.DataArray, known: xr.DataArray, trials: int) -> dict[str, xr.DataArray]:
    hits = hits.transpose("scheme", "generation", "parameter", "interval")
    low, high = binomial_interval(hits.to_numpy(), trials)
    values = {
        "coverage": hits / trials,
        "coverage_low": hits.copy(data=low),
        "coverage_high": hits.copy(data=high),
    }
    order = hits.dims
    return {name: value.where(known).transpose(*order) for name, value in values.items()}
