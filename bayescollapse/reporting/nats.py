"""Section of a report: information in nats."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import TYPE_CHECKING

import xarray as xr

from bayescollapse.measures.drift import moment_drift
from bayescollapse.measures.entropy import posterior_entropy
from bayescollapse.measures.mutual import mutual_information
from bayescollapse.measures.registry import LackingError
from bayescollapse.measures.truths import from_own_prior
from bayescollapse.reporting.section import Section, format_value
from bayescollapse.reporting.shown import not_available, pairs

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["nats_section"]

COLUMNS = {
    "log_sd_ratio": (
        "entropy change",
        "of the posterior since generation 0, below 0 where it claims to know more",
    ),
    "information_gain": (
        "information gain",
        "what the posterior claims to have learnt since the prior",
    ),
    "information_known": (
        "information known",
        "log density of the truth, posterior over prior",
    ),
    "lost_to_reference": (
        "lost to real rows",
        "log density of the truth that a fit to the generation's real rows alone has, and this one "
        "has not",
    ),
    "share_kept": ("share kept", "information known, of what that fit knows (a ratio)"),
    "mutual_information": (
        "mutual information",
        "what posterior means tell of the truth over replicates, with its 95 % interval",
    ),
}
"""Heading and explanation of every measure, in the order of the columns."""


def nats_section(run: xr.DataTree, *, experiment: Experiment | None = None) -> Section:
    """Tabulate the information that posteriors claim and have, in nats.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    experiment : Experiment, optional
        The experiment that made the run, for the density of its prior.

    Returns
    -------
    Section
        One row per scheme and parameter, one column per measure that the run can give.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> from bayescollapse.reporting.nats import nats_section
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.accumulate(),
    ...     n_real=20, generations=3, replicates=8,
    ... ).run(progress=False)
    >>> nats_section(run).table[0]["entropy change"]
    '-0.55 ± 0.00'
    """
    measured, missing = _measured(run, experiment)
    last = measured.isel(generation=-1)
    shown = {name: words for name, words in COLUMNS.items() if name in measured}
    rows = [
        {"scheme": scheme, "parameter": parameter}
        | {
            head: _cell(last.sel(scheme=scheme, parameter=parameter), name)
            for name, (head, _) in shown.items()
        }
        for scheme, parameter in pairs(last)
    ]
    told = "; ".join(f"{head}: {words}" for head, words in shown.values())
    told += _beside_gain(run, shown)
    text = (
        f"The table gives the last generation ({int(last['generation'])}) in nats: means over "
        "replicates ± their Monte Carlo standard error, with densities of normals that have the "
        f"posteriors' means and sds. {told[0].upper()}{told[1:]}.{not_available(missing)}"
    )
    return Section("Information in nats", text, table=rows)


def _beside_gain(run: xr.DataTree, shown: Container[str]) -> str:
    """How information known is to be read beside the gain."""
    if not {"information_gain", "information_known"} <= {name for name in COLUMNS if name in shown}:
        return ""
    if from_own_prior(run):
        return (
            ". Information known is equal to the gain, on average, where posteriors are honest, "
            "and less where they claim too much"
        )
    return (
        ". Truths are no draws of the prior, so that information known depends on how likely the "
        "prior holds them: compare it between schemes and generations, and not with the gain"
    )


def _measured(run: xr.DataTree, experiment: Experiment | None) -> tuple[xr.Dataset, str]:
    """All measures of the table that the run can give, and why it cannot give the others."""
    entropy = posterior_entropy(run, experiment=experiment)
    # Entropies of normals differ by the logarithm of the ratio of their sds.
    parts, missing = [moment_drift(run), entropy], [entropy.attrs["missing"]]
    try:
        parts.append(mutual_information(run))
        missing.append(parts[-1].attrs["missing"])
    except LackingError as lack:
        missing.append(str(lack))
    found = {
        str(name): part[name]
        for part in parts
        for name in part.data_vars
        if str(name).rsplit("_", 1)[0] in COLUMNS or name in COLUMNS
    }
    return xr.Dataset(found), "; ".join(filter(None, missing))


def _cell(cell: xr.Dataset, name: str) -> str:
    value = float(cell[name])
    if math.isnan(value):
        return "–"
    if name == "mutual_information":
        low, high = (_hundredths(float(cell[f"{name}_{end}"])) for end in ("low", "high"))
        return f"{_hundredths(value)} ({low} to {high})"
    error = float(cell[f"{name}_mcse"])
    return _hundredths(value) + ("" if math.isnan(error) else f" ± {_hundredths(error)}")


def _hundredths(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 1000 else format_value(value)
