"""Report of a run: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from bayescollapse.experiment.describe import check_run
from bayescollapse.plots.records import Table
from bayescollapse.reporting.axes import scheme_rows
from bayescollapse.reporting.collapse import TITLE, collapse_section
from bayescollapse.reporting.nats import nats_section
from bayescollapse.reporting.ranks import ranks_section
from bayescollapse.reporting.render import checked, page
from bayescollapse.reporting.section import Section, close
from bayescollapse.reporting.standard import (
    drift_section,
    gate_section,
    information_section,
    predictive_section,
    weight_section,
)
from bayescollapse.reporting.sweep import share_section
from bayescollapse.reporting.words import configuration_of, lead, setting_rows

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["report"]

COLUMNS = 6
"""Most schemes that the table of definitions of collapse has columns for."""


def report(
    run: xr.DataTree,
    path: str | Path,
    *,
    title: str | None = None,
    sections: Sequence[Section] = (),
    theory: Table = (),
    experiment: Experiment | None = None,
) -> Path:
    """Write what was run and what happened as one self-contained HTML file.

    The page says what was run, how well posteriors were drawn, the error against the real share
    (where three or more schemes differ in nothing else), drift, coverage and information over
    generations, the last one also in nats, calibration (where truths come from the prior), which
    definitions of collapse are met, predictions, and rows and weights. It needs no file beside it
    and no network.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    path : str or Path
        File to write, ending in ``.html``; folders that do not exist are made.
    title : str, optional
        Heading of the page.
    sections : sequence of Section, optional
        An analysis's own sections, in front of the standard ones.
    theory : Dataset, DataFrame or sequence of mapping, optional
        What theory predicts for the errors over real shares, in squared units of the parameter:
        rows with ``real_share`` and ``error`` are points of a curve, rows with ``optimum`` vertical
        lines. Columns ``parameter`` and ``emission`` say for which facet; without them, for all.
        Nothing is drawn that was not passed.
    experiment : Experiment, optional
        The experiment that made the run: for the density of its prior, and for rows that the run
        did not keep.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        If `run` is no DataTree, `experiment` no bc.Experiment, or something in `sections` no
        Section.
    ValueError
        If the run carries no configuration, `path` does not end in ``.html``, `title` is empty, or
        the experiment did not make the run.

    See Also
    --------
    bayescollapse.reporting.page : a page of sections alone, for an analysis over several runs.

    Examples
    --------
    >>> import tempfile
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.pooled(),
    ...     n_real=20, generations=3, replicates=4,
    ... ).run(progress=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bc.report(run, folder + "/run.html").name
    'run.html'
    """
    heading = "A model trained on its own output" if title is None else title
    checked(heading, sections, path)
    configuration_of(run)
    if experiment is not None:
        check_run(experiment, run)
    standard = [
        _schemes(run),
        gate_section(run),
        share_section(run, theory=theory),
        drift_section(run),
        information_section(run),
        nats_section(run, experiment=experiment),
        ranks_section(run),
        _collapse(run, experiment),
        predictive_section(run),
        weight_section(run),
        Section("Settings", table=setting_rows(run)),
    ]
    made = [section for section in standard if section is not None]
    try:
        return page(heading, lead(run), [*sections, *made], path)
    finally:
        for section in made:
            if section.figure is not None:
                close(section.figure)


def _collapse(run: xr.DataTree, experiment: Experiment | None) -> Section | None:
    """Tell which collapse happened, or where to read it if a table has too few columns."""
    if int(run["summary"].sizes["generation"]) < 2:
        return None
    schemes = len(configuration_of(run)["schemes"])
    if schemes <= COLUMNS:
        return collapse_section(run, experiment=experiment)
    text = (
        f"The table of definitions has one column per scheme, {COLUMNS} at most, and this run has "
        f"{schemes}: bc.collapse(run) gives it."
    )
    return Section(TITLE, text)


def _schemes(run: xr.DataTree) -> Section:
    """Tabulate the axes on which schemes differ, and say the others in words."""
    rows = scheme_rows(run)
    axes = list(dict.fromkeys(axis for row in rows for axis in row if axis != "scheme"))
    values = {axis: list(dict.fromkeys(row.get(axis, "") for row in rows)) for axis in axes}
    shared = [f"{axis}: {seen[0]}" for axis, seen in values.items() if len(seen) == 1 and seen[0]]
    differing = ["scheme", *(axis for axis, seen in values.items() if len(seen) > 1)]
    who = "The scheme" if len(rows) == 1 else "All schemes"
    text = f"{who}: {'; '.join(shared)}." if shared else "Schemes differ on every axis."
    table = [{axis: row.get(axis, "") for axis in differing} for row in rows]
    return Section("What was run", text, table=table)
