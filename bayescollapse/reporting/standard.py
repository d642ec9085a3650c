"""Standard sections of a run's report: gate, drift, information, predictions and weights."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.estimator.methods import APPROXIMATE
from bayescollapse.measures.accuracy import posterior_accuracy
from bayescollapse.measures.diagnose import diagnose
from bayescollapse.measures.drift import moment_drift, over_replicates
from bayescollapse.measures.layout import group
from bayescollapse.measures.predictive_table import WORDS
from bayescollapse.measures.recorded import recorded_cells
from bayescollapse.plots.drift import plot_drift
from bayescollapse.plots.information import plot_information
from bayescollapse.reporting.section import Section
from bayescollapse.reporting.shown import not_available, pairs, shown

__all__ = [
    "drift_section",
    "gate_section",
    "information_section",
    "predictive_section",
    "weight_section",
]


def gate_section(run: xr.DataTree) -> Section:
    """Say how well the posteriors were drawn."""
    gate = diagnose(run)
    title = "Checks of the posteriors"
    if gate.attrs["method"] in ("exact", "grid"):
        return Section(
            title,
            "Posteriors were computed in closed form or on a grid: there are no chains to check, "
            "and no fit can fail.",
        )
    failed, fits = int(gate["failed"].sum()), int(gate["fits"].sum())
    text = (
        f"{failed} of {fits} fits did not pass their checks after retries. Fits that fail stay in "
        "the run, since dropping them would bias every curve; read schemes with many of them with "
        f"care. {_about(gate)}"
    )
    return Section(title, text, table=[_gate_row(gate, s) for s in gate["scheme"].values.tolist()])


def _about(gate: xr.Dataset) -> str:
    """Say what the method's figures mean, and what they cannot show."""
    method = gate.attrs["method"]
    if method in APPROXIMATE:
        return (
            f"The method, {method}, is approximate: a fit that passes has converged to its "
            "approximation, which may still be far from the posterior. Read sds and coverage as "
            "the approximation's."
        )
    if "refitted" in gate:
        checked, refitted = int(gate["checked"].sum()), int(gate["refitted"].sum())
        return (
            f"Posteriors are Laplace approximations. Pareto k was worked out for {checked} of them "
            f"and is the largest before any refit; {refitted} with k above 0.7 were fitted by NUTS."
        )
    return "The worst of many good R-hat values exceeds 1.01 by chance."


def drift_section(run: xr.DataTree) -> Section:
    """Show how far generations moved."""
    measured = moment_drift(run)
    drawn, note = shown(run, measured)
    last = measured.isel(generation=-1)
    truth = "bias" in measured
    rows = [_drift_row(last, s, p, truth) for s, p in pairs(last)]
    text = (
        f"The table gives the last generation ({int(last['generation'])}). Means over replicates "
        "are followed by their Monte Carlo standard error (MCSE) and the median: where mean and "
        "median part, a few lineages carry the mean."
        f"{not_available(measured.attrs['missing'])}"
    )
    figure = plot_drift(run, coords=drawn)
    caption = (
        "Generations run from left to right, one colour per scheme. A flat line means no drift. "
        "Solid lines are means over replicates, dotted lines medians; a posterior sd that falls "
        f"while the error does not is false certainty.{note}"
    )
    return Section("Drift over generations", text, table=rows, figure=figure, caption=caption)


def information_section(run: xr.DataTree) -> Section:
    """Show coverage, worth and claim."""
    measured = posterior_accuracy(run)
    drawn, note = shown(run, measured)
    last = measured.isel(generation=-1)
    single = run["summary"].sizes["replicate"] < 2
    rows = [_information_row(last, s, p, single=single) for s, p in pairs(last)]
    text = (
        f"The table gives the last generation ({int(last['generation'])})."
        f"{_about_information(measured, single)}{not_available(measured.attrs['missing'])}"
    )
    caption = (
        "A sound scheme keeps coverage at the dashed line and the ratio at 1. Coverage that falls "
        f"over generations means that the posterior closes on a wrong value.{note}"
    )
    figure = plot_information(run, coords=drawn)
    return Section("Coverage and information", text, table=rows, figure=figure, caption=caption)


def _about_information(measured: xr.Dataset, single: bool) -> str:
    """Explain the columns that there are."""
    text = ""
    if "coverage" in measured:
        text += " Coverage is followed by its exact 95 % binomial limits."
    if "rows_claimed" in measured:
        text += (
            " Rows claimed is the number of real rows that would give the same posterior variance, "
            "which is taken to fall as one over the rows."
        )
    if "rows_worth" in measured:
        text += (
            " Rows worth is the number that would give the same squared error, in the same way; "
            "claimed over worth is 1 for an honest posterior and above 1 for one that claims too "
            "much."
        )
        if single:
            text += (
                " Rows worth and the ratio are left blank, and their lines mean little: the error "
                "of a single replicate is near 0 or far from it by chance."
            )
    return text


def predictive_section(run: xr.DataTree) -> Section | None:
    """Tabulate held-out loss and the spread of emitted rows, where recorded."""
    cells = recorded_cells(run)
    if not cells:
        return None
    measured = over_replicates(cells, WORDS).isel(generation=-1)
    rows = []
    for scheme in measured["scheme"].values.tolist():
        cell = measured.sel(scheme=scheme)
        row: dict[str, Any] = {"scheme": scheme}
        if "held_out_loss" in cell:
            row["held-out loss (nats per row)"] = float(cell["held_out_loss"])
            row["MCSE"] = float(cell["held_out_loss_mcse"])
            row["median held-out loss"] = float(cell["held_out_loss_median"])
        for response in cell["response"].values.tolist() if "response" in cell.dims else ():
            ratio = float(cell["emitted_log_sd_ratio_median"].sel(response=response))
            row[f"emitted sd of {response}, of generation 0's"] = float(np.exp(ratio))
        rows.append(row)
    text = f"The table gives the last generation ({int(measured['generation'])})."
    if "held_out_loss" in measured:
        text += (
            " Held-out loss is what the predictive distribution loses on the same held-out real "
            "rows since generation 0: above 0 is worse."
        )
    if "response" in measured.dims:
        text += (
            " The emitted sd is the median over replicates, relative to generation 0: far below 1 "
            "is collapse, far above 1 is explosion."
        )
    return Section("Predictions", text, table=rows)


def weight_section(run: xr.DataTree) -> Section:
    """Tabulate rows, real share and total weight of training."""
    means = group(run, "training", needed_for="a report").mean("replicate")
    words = {
        "real_rows": "real rows",
        "synthetic_rows": "synthetic rows used",
        "real_share": "real share",
        "total_weight": "total weight",
        "kish": "Kish effective size",
    }
    if "accepted" in means and _selects(run):
        means = means.assign(rate=means["accepted"] / means["emitted"], marked=means["short"])
        words |= {"rate": "accepted of the rows emitted", "marked": "share of lineages short"}
    rows = [
        {"scheme": str(s), "generation": t}
        | {w: float(means[n].sel(scheme=s, generation=t)) for n, w in words.items() if n in means}
        for s in means["scheme"].values.tolist()
        for t in sorted({min(1, int(means["generation"].max())), int(means["generation"].max())})
    ]
    text = (
        "What generations were trained on, averaged over replicates. The total weight is the "
        "sample size that a posterior claims to have; the Kish effective size is what "
        "its unequal weights leave of the rows."
    )
    if "marked" in means:
        text += (
            " Acceptance is that of the rows which the generation itself emitted. A lineage is "
            "short where its selection found too few rows: others took their place, and its later "
            "generations are not what the scheme says."
        )
    return Section("Rows and weights", text, table=rows)


def _selects(run: xr.DataTree) -> bool:
    """Whether some scheme has a selection."""
    schemes = json.loads(run.attrs.get("configuration", "{}")).get("schemes", {}).values()
    return any(scheme.get("selection", "keep all") != "keep all" for scheme in schemes)


def _gate_row(gate: xr.Dataset, scheme: str) -> dict[str, Any]:
    cell = gate.sel(scheme=scheme)
    bad = cell["generation"].values[(cell["failed"] > 0).values].tolist()
    laplace = {}
    if "refitted" in cell:
        laplace = {
            "checked": int(cell["checked"].sum()),
            "worst Pareto k": round(float(cell["worst_pareto_k"].max()), 2),
            "refitted by NUTS": int(cell["refitted"].sum()),
        }
    return {
        "scheme": scheme,
        "fits": int(cell["fits"].sum()),
        "failed": int(cell["failed"].sum()),
        "failed in generations": ", ".join(map(str, bad)) or "none",
        "retried": int(cell["retried"].sum()),
        "worst R-hat": round(float(cell["worst_rhat"].max()), 4),
        "smallest bulk ESS": float(cell["smallest_ess_bulk"].min()),
        "smallest tail ESS": float(cell["smallest_ess_tail"].min()),
        "divergences": int(cell["divergences"].sum()),
        **laplace,
    }


def _drift_row(last: xr.Dataset, scheme: str, parameter: str, truth: bool) -> dict[str, Any]:
    cell = last.sel(scheme=scheme, parameter=parameter)
    row: dict[str, Any] = {"scheme": scheme, "parameter": parameter}
    if truth:
        row["squared error"] = float(cell["squared_error"])
        row["MCSE"] = float(cell["squared_error_mcse"])
        row["median squared error"] = float(cell["squared_error_median"])
        row["bias"] = float(cell["bias"])
    else:
        row["shift since generation 0"] = float(cell["shift_first"])
        row["MCSE"] = float(cell["shift_first_mcse"])
    row["median divergence from generation 0 (nats)"] = float(cell["kl_first_median"])
    row["median sd, of generation 0's"] = float(np.exp(cell["log_sd_ratio_median"]))
    return row


def _information_row(
    last: xr.Dataset, scheme: str, parameter: str, *, single: bool
) -> dict[str, Any]:
    cell = last.sel(scheme=scheme, parameter=parameter)
    row: dict[str, Any] = {"scheme": scheme, "parameter": parameter}
    if "coverage" in cell:
        for level in cell["interval"].values.tolist():
            inside = cell.sel(interval=level)
            low, high = float(inside["coverage_low"]), float(inside["coverage_high"])
            share = float(inside["coverage"])
            limits = "–" if np.isnan(share) else f"{share:.2f} ({low:.2f} to {high:.2f})"
            row[f"{100 * level:g} % interval covers"] = limits
    if "rows_worth" in cell:
        row["rows worth"] = np.nan if single else float(cell["rows_worth"])
    if "rows_claimed" in cell:
        row["rows claimed"] = float(cell["rows_claimed"])
    if "certainty" in cell:
        row["claimed / worth"] = np.nan if single else float(cell["certainty"])
        row["MCSE"] = float(cell["certainty_mcse"])
    row["median posterior sd"] = float(cell["claimed_sd_median"])
    return row
