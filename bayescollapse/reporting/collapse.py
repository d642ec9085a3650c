"""Section of a report: which collapse happened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import xarray as xr

from bayescollapse.measures.collapse import collapse
from bayescollapse.reporting.section import Section, format_value

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["collapse_section"]

RISKS = {
    "error": (
        "Risk is the squared error of the posterior mean in units of generation 0's posterior "
        "variance, averaged over parameters."
    ),
    "held_out": "Risk is the held-out log density lost since generation 0, in nats per row.",
    "unknown": "The run has neither a truth nor held-out rows, so that its risk is unknown.",
}


def collapse_section(
    run: xr.DataTree,
    *,
    experiment: Experiment | None = None,
    larger: xr.DataTree | None = None,
    **thresholds: Any,
) -> Section:
    """Tabulate which definitions of collapse the schemes of a run meet.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    experiment, larger, **thresholds
        As for :func:`~bayescollapse.measures.collapse.collapse`.

    Returns
    -------
    Section
        One row per definition, one column per scheme: whether it happened, and its statistic with
        interval.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> from bayescollapse.reporting.collapse import collapse_section
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=6, replicates=20,
    ... ).run(progress=False)
    >>> collapse_section(run).table[0]["definition"]
    'catastrophic rise'
    """
    found = collapse(run, experiment=experiment, larger=larger, **thresholds)
    measured = found["happened"].notnull().any("scheme")
    rows = [_row(found, name) for name in found["definition"].values[measured.values].tolist()]
    percent = format_value(100 * found.attrs["probability"])
    text = (
        "The word collapse stands for different events, and a scheme can show one without another. "
        "A definition counts as met where the whole "
        f"{percent} % interval of its statistic lies beyond its threshold; the statistic and the "
        "interval follow. A 'no' means that it was not shown with this many replicates and "
        f"generations. {RISKS[found.attrs['risk']]}{_unmeasured(found, measured)}"
    )
    return Section("Which collapse happened", text, table=rows)


def _row(found: xr.Dataset, name: str) -> dict[str, Any]:
    entry = found.sel(definition=name)
    row = {
        "definition": name.replace("_", " "),
        "what it says": str(entry["words"].item()),
        "compared": str(entry["compared"].item()),
        "threshold": format_value(float(entry["threshold"].max())),
    }
    for scheme in entry["scheme"].values.tolist():
        row[str(scheme)] = _cell(entry.sel(scheme=scheme))
    return row


def _cell(entry: xr.Dataset) -> str:
    happened, value, low, high = (
        float(entry[name]) for name in ("happened", "statistic", "low", "high")
    )
    if math.isnan(happened):
        return "not measured"
    numbers = f"{format_value(value)}, {format_value(low)} to {format_value(high)}"
    return f"{'yes' if happened else 'no'} ({numbers})"


def _unmeasured(found: xr.Dataset, measured: xr.DataArray) -> str:
    names = found["definition"].values[~measured.values].tolist()
    if not names:
        return ""
    told = ", ".join(str(name).replace("_", " ") for name in names)
    return f"\n\nNot measured: {told}. Reasons: {found.attrs['missing']}."
