"""Drift over generations as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from bayescollapse.measures.drift import moment_drift
from bayescollapse.plots.frame import (
    Panel,
    band_edges,
    draw_lines,
    finish,
    log_panels,
    open_frame,
    select,
)

__all__ = ["plot_drift"]

PANELS = {
    "bias": Panel("posterior mean minus truth", "error (units of the parameter)", line=0.0),
    "squared_error": Panel("squared error", "squared error (units squared)", log=True),
    "shift_first": Panel("shift since generation 0", "shift (units of the parameter)", line=0.0),
    "log_sd_ratio": Panel("posterior sd since generation 0", "log of sd ratio (0: same)", line=0.0),
    "kl_first": Panel("divergence from generation 0", "divergence (nats)", log=True),
    "kl_truth": Panel("divergence from the truth", "divergence (nats)", log=True),
    "wasserstein_first": Panel("distance from generation 0", "distance (units)", log=True),
    "wasserstein_truth": Panel("distance from the truth", "distance (units)", log=True),
}
WITH_TRUTH = ("bias", "squared_error", "log_sd_ratio", "kl_first")
WITHOUT_TRUTH = ("shift_first", "log_sd_ratio", "kl_first", "wasserstein_first")
BANDS = 7


def plot_drift(
    run: xr.DataTree,
    *,
    measures: Sequence[str] | None = None,
    var_names: str | Sequence[str] | None = None,
    coords: Mapping[str, Any] | None = None,
    backend: str | None = None,
) -> Any:
    """Plot how far each generation has moved, one facet per measure and parameter.

    Generations lie on the horizontal axis, colours are schemes. The solid line is the mean over
    replicates, its band two Monte Carlo standard errors on either side (up to seven schemes), the
    dotted line the median: where the two part, a few lineages carry the mean. Measures that are
    positive and span more than a factor of ten have a logarithmic axis, on which zeros are not
    drawn and bands are two standard errors of the logarithm (delta method).

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    measures : sequence of str, optional
        Measures of :func:`bayescollapse.drift`; four that show location, error, width and
        divergence if not given.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
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
    measured = select(moment_drift(run, var_names=var_names), coords)
    names = _chosen(measured, measures)
    mean, median, error = (_panels(measured, names, s) for s in ("", "_median", "_mcse"))
    logged = log_panels(mean, PANELS)
    collection = open_frame(mean, PANELS, backend=backend)
    few = mean.sizes["scheme"] <= BANDS
    if few:
        _bands(collection, mean, error, logged)
    draw_lines(collection, _drawable(mean, logged), "mean", width=1.8)
    dotted = ":" if collection.backend == "matplotlib" else "C2"
    faint = {"linestyle": dotted, "width": 1.2, "alpha": 1.0 if few else 0.5}
    draw_lines(collection, _drawable(median, logged), "median", **faint)
    of_logs = ", of the log on log axes" if logged else ""
    band = f" (band: ± 2 Monte Carlo standard errors{of_logs})" if few else ""
    labels = [str(s) for s in mean["scheme"].values]
    return finish(collection, f"solid: mean over replicates{band}, dotted: median", labels)


def _chosen(measured: xr.Dataset, measures: Sequence[str] | None) -> list[str]:
    if measures is None:
        return list(WITH_TRUTH if "bias" in measured else WITHOUT_TRUTH)
    names = [measures] if isinstance(measures, str) else list(measures)
    available = [name for name in PANELS if name in measured]
    unknown = [name for name in names if name not in available]
    if unknown or not names:
        raise ValueError(
            f"measures must be among {available}, got {names}: "
            f"{measured.attrs['missing'] or 'choose from those'}"
        )
    return names


def _panels(measured: xr.Dataset, names: Sequence[str], suffix: str) -> xr.Dataset:
    data = xr.Dataset({name: measured[name + suffix] for name in names})
    return data.drop_vars("variable").transpose("parameter", "scheme", "generation")


def _drawable(data: xr.Dataset, logged: Sequence[str]) -> xr.Dataset:
    masked = {name: data[name].where(data[name] > 0) for name in logged}
    return data.assign(masked)


def _bands(collection: Any, mean: xr.Dataset, error: xr.Dataset, logged: Sequence[str]) -> None:
    from arviz_plots import visuals

    both = {n: band_edges(mean[n], error[n], log=n in logged) for n in mean.data_vars}
    edges = [xr.Dataset({n: pair[end] for n, pair in both.items()}) for end in (0, 1)]
    collection.map(
        visuals.fill_between_y,
        "band",
        data=edges[0],
        x=mean["generation"],
        y_bottom=edges[0],
        y_top=edges[1],
        alpha=0.15,
    )
