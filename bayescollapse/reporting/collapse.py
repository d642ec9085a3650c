"""Section of a report: which collapse happened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from bayescollapse.measures.collapse import collapse
from bayescollapse.measures.definitions import DEFINITIONS, Side
from bayescollapse.reporting.section import Section, format_value

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["TITLE", "collapse_section"]

TITLE = "Which collapse happened"

SIDES: dict[str, Side] = {entry.name: entry.side for entry in DEFINITIONS}

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
        One row per definition, one column per scheme: whether it happened (``yes``, ``no``, or
        ``cannot tell`` where the interval holds the threshold), and its statistic with interval.

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
    "catastrophic rise: the risk rises to a multiple of generation 0's"
    """
    found = collapse(run, experiment=experiment, larger=larger, **thresholds)
    measured = found["happened"].notnull().any("scheme")
    names = found["definition"].values[measured.values].tolist()
    percent = format_value(100 * found.attrs["probability"])
    text = (
        "The word collapse stands for different events, and a scheme can show one without another. "
        f"'Yes' where the whole {percent} % interval of a statistic lies beyond the threshold, "
        "'no' where all of it lies on the other side, 'cannot tell' where the threshold is inside: "
        "more replicates would tell. The statistic and the interval follow. "
        f"{RISKS[found.attrs['risk']]}{_unmeasured(found)}"
    )
    return Section(TITLE, text, table=[_row(found, name) for name in names])


def _row(found: xr.Dataset, name: str) -> dict[str, Any]:
    entry, side = found.sel(definition=name), SIDES[name]
    compared = str(entry["compared"].item())
    limit = float(entry["threshold"].max())
    row = {
        "definition": f"{_words([name])}: {entry['words'].item()}",
        "met if": f"{compared}: {side} {'±' if side == 'beyond' else ''}{limit:g}",
    }
    for scheme in entry["scheme"].values.tolist():
        row[str(scheme)] = _cell(entry.sel(scheme=scheme))
    return row


def _cell(entry: xr.Dataset) -> str:
    word = str(entry["verdict"].item())
    if word == "not measured":
        return word
    value, low, high = (format_value(float(entry[name])) for name in ("statistic", "low", "high"))
    return f"{word}: {value} ({low} to {high})"


def _unmeasured(found: xr.Dataset) -> str:
    """Say what was not measured for some scheme, and why."""
    reasons = _reasons(found.attrs["missing"])
    told = [f"{_words(named)} – {reason}" for reason, named in reasons.items()]
    return f"\n\nNot measured, for some schemes or all: {'; '.join(told)}." if told else ""


def _reasons(missing: str) -> dict[str, list[str]]:
    """Names by reason: definitions that lack the same thing share one."""
    names = "|".join(SIDES)
    # A reason may have semicolons of its own.
    parts = re.split(rf"; (?=(?:{names})[,:])", missing)
    out: dict[str, list[str]] = {}
    for head, _, reason in (part.partition(": ") for part in parts if part):
        out.setdefault(reason, []).extend(head.split(", "))
    return out


def _words(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
