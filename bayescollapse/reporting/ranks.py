"""Section on calibration over generations: ranks of truths that were drawn from the prior."""

from __future__ import annotations

from typing import Any

import xarray as xr

from bayescollapse.measures.layout import has_group
from bayescollapse.measures.ranks import truth_ranks
from bayescollapse.measures.registry import LackingError
from bayescollapse.measures.truths import from_prior
from bayescollapse.plots.ranks import drawn_generations, ranks_figure
from bayescollapse.reporting.section import Section
from bayescollapse.reporting.shown import some_drawn

__all__ = ["ranks_section"]

TITLE = "Calibration over generations"
SCHEMES = 3
PARAMETERS = 2


def ranks_section(run: xr.DataTree) -> Section | None:
    """Show how the ranks of the truth bend over generations; None without truths from a prior.

    Where the prior is another model's, or there are too few draws, the section says so.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> from bayescollapse.reporting.ranks import ranks_section
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=3, replicates=4,
    ... ).run(progress=False)
    >>> ranks_section(run) is None
    True
    """
    if not (from_prior(run) and has_group(run, "posterior")):
        return None
    try:
        measured = truth_ranks(run)
    except LackingError as lack:
        return Section(TITLE, f"Calibration cannot be judged here. {lack}.")
    ends = measured["generation"].values[[0, -1]].tolist()
    rows = [
        _row(measured, scheme, parameter, generation)
        for scheme in measured["scheme"].values.tolist()
        for parameter in measured["parameter"].values.tolist()
        for generation in dict.fromkeys(ends)
    ]
    drawn = {
        "scheme": measured["scheme"].values.tolist()[:SCHEMES],
        "parameter": measured["parameter"].values.tolist()[:PARAMETERS],
    }
    figure = ranks_figure(measured, coords=drawn)
    note = some_drawn(drawn | {"generation": drawn_generations(measured)}, measured)
    shown = f" {note}." if note else ""
    cells = measured["rank"].isnull().any("replicate")
    gaps = " Lines and figures of cells with a missing draw are left out." if cells.any() else ""
    text = (
        "Every replicate has a truth of its own, drawn from the prior. The rank of the truth among "
        "the posterior draws is uniform where posteriors are calibrated, as they should be at "
        "generation 0. Afterwards its shape tells what was lost: a bend above 0 means posteriors "
        "that are too narrow, below 0 too wide; a shift above 0 posteriors that lie too low. Each "
        "p-value is of one line alone."
    )
    caption = (
        "Lines are the distribution of the ranks minus the uniform one, by generation; the band "
        "holds the whole line of a calibrated posterior with probability 0.95. A line that first "
        "rises and then falls belongs to posteriors that are too narrow."
    )
    return Section(TITLE, text, rows, figure, caption + shown + gaps)


def _row(measured: xr.Dataset, scheme: str, parameter: str, generation: int) -> dict[str, Any]:
    cell = measured.sel(scheme=scheme, parameter=parameter, generation=generation)
    return {
        "scheme": scheme,
        "parameter": parameter,
        "generation": generation,
        "p-value of uniform ranks": float(cell["uniform_p"]),
        "bend": float(cell["bend"]),
        "MCSE of the bend": float(cell["bend_mcse"]),
        "shift": float(cell["shift"]),
        "MCSE of the shift": float(cell["shift_mcse"]),
    }
