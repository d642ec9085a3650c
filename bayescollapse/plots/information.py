"""Information over generations as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from bayescollapse.measures.accuracy import posterior_accuracy
from bayescollapse.plots.frame import (
    GREY,
    Panel,
    band_edges,
    draw_lines,
    finish,
    log_panels,
    open_frame,
    select,
)

__all__ = ["plot_information"]

PANELS = {
    "certainty": Panel(
        "claimed over true certainty", "claimed / worth (1: honest)", log=True, line=1.0
    ),
    "rows_worth": Panel("what the posterior is worth", "equivalent real rows", log=True),
    "rows_claimed": Panel("what the posterior claims", "equivalent real rows", log=True),
    "claimed_sd": Panel("claimed uncertainty", "posterior sd (units)", log=True),
}
BANDS = 7


def plot_information(
    run: xr.DataTree,
    *,
    measures: Sequence[str] | None = None,
    var_names: str | Sequence[str] | None = None,
    probability: float | None = None,
    coords: Mapping[str, Any] | None = None,
    backend: str | None = None,
) -> Any:
    """Plot coverage, and what posteriors are worth beside what they claim, over generations.

    Colours are schemes. In the coverage facet the dashed line is the nominal level and the band the
    exact 95 % binomial interval (up to seven schemes). In the two facets of equivalent real rows
    the grey dashed line is the number of real rows of the generation; in the facet of certainty 1
    is honest, above 1 overconfident. Other bands are two Monte Carlo standard errors on either
    side, of the logarithm where the axis is logarithmic (delta method).

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    measures : sequence of str, optional
        Some of ``coverage``, ``certainty``, ``rows_worth``, ``rows_claimed`` and ``claimed_sd``;
        what the run can give of the first four if not given.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    probability : float, optional
        Central interval whose coverage is drawn; the widest that the run allows if not given.
    coords : mapping, optional
        Subset of schemes, generations or parameters, such as ``{"scheme": ["pooled"]}``.
    backend : {"matplotlib", "none", "bokeh", "plotly"}, optional
        Plotting backend of ArviZ.

    Returns
    -------
    PlotCollection
        Facets on (measure, parameter), colour mapped to ``scheme``.

    Raises
    ------
    ValueError
        If a measure, parameter or coordinate is unknown, or the run cannot give it.
    """
    measured = posterior_accuracy(run, var_names=var_names, probability=probability)
    panels, measured = _with_coverage(select(measured, coords))
    names = _chosen(measured, panels, measures)
    data = _on_facets(measured, names, "")
    logged = log_panels(data, panels)
    collection = open_frame(data, panels, backend=backend)
    few = data.sizes["scheme"] <= BANDS
    if few:
        _bands(collection, measured, names, logged)
    _real_rows(collection, measured, names)
    draw_lines(collection, data, "value", width=1.8)
    note = "dashed: nominal coverage, honest certainty, real rows of the generation"
    labels = [str(s) for s in data["scheme"].values]
    return finish(collection, f"{note}{'; bands: Monte Carlo error' if few else ''}", labels)


def _with_coverage(measured: xr.Dataset) -> tuple[dict[str, Panel], xr.Dataset]:
    """Take the widest interval, and describe its panel."""
    if "coverage" not in measured:
        return dict(PANELS), measured
    widest = measured.isel(interval=int(measured["interval"].to_numpy().argmax()))
    level = float(widest["interval"])
    panel = Panel(
        f"coverage of the {100 * level:g} % interval",
        "share of replicates covered",
        line=level,
        limits=(-0.02, 1.02),
    )
    return {"coverage": panel, **PANELS}, widest.drop_vars("interval")


def _chosen(
    measured: xr.Dataset, panels: Mapping[str, Panel], measures: Sequence[str] | None
) -> list[str]:
    available = [name for name in panels if name in measured]
    if measures is None:
        return [name for name in available if name != "claimed_sd"] or ["claimed_sd"]
    names = [measures] if isinstance(measures, str) else list(measures)
    unknown = [name for name in names if name not in available]
    if unknown or not names:
        raise ValueError(
            f"measures must be among {available}, got {names}: "
            f"{measured.attrs['missing'] or 'choose from those'}"
        )
    return names


def _on_facets(measured: xr.Dataset, names: Sequence[str], suffix: str) -> xr.Dataset:
    data = xr.Dataset({name: measured[name + suffix] for name in names})
    return data.drop_vars("variable").transpose("parameter", "scheme", "generation")


def _bands(
    collection: Any, measured: xr.Dataset, names: Sequence[str], logged: Sequence[str]
) -> None:
    from arviz_plots import visuals

    low, high = {}, {}
    for name in names:
        value = measured[name]
        if name == "coverage":
            low[name], high[name] = measured["coverage_low"], measured["coverage_high"]
            continue
        error = measured[f"{name}_mcse"]
        low[name], high[name] = band_edges(value, error, log=name in logged)
    edges = [_on_facets(xr.Dataset(edge), names, "") for edge in (low, high)]
    collection.map(
        visuals.fill_between_y,
        "band",
        data=edges[0],
        x=measured["generation"],
        y_bottom=edges[0],
        y_top=edges[1],
        alpha=0.15,
    )


def _real_rows(collection: Any, measured: xr.Dataset, names: Sequence[str]) -> None:
    shown = [name for name in names if name.startswith("rows_")]
    if not shown:
        return
    row, _ = xr.broadcast(measured["n_real"], measured["parameter"].drop_vars("variable"))
    data = xr.Dataset({name: row.transpose("parameter", "generation") for name in shown})
    dashed = "--" if collection.backend == "matplotlib" else "C1"
    draw_lines(collection, data, "real_rows", ignore_aes="all", color=GREY, linestyle=dashed)
