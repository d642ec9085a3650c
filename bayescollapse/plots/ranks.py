"""Calibration over generations as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.measures.bands import band, counts_below
from bayescollapse.measures.ranks import truth_ranks
from bayescollapse.plots.frame import GREY, select, tidy

__all__ = ["drawn_generations", "plot_ranks", "ranks_figure"]

SHOWN = 5
"""Generations that are drawn if none are named."""


def plot_ranks(
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    coords: Mapping[str, Any] | None = None,
    probability: float = 0.95,
    thin: int = 1,
    backend: str | None = None,
) -> Any:
    """Plot how far the ranks of the truth are from uniform, one facet per scheme and parameter.

    A line is the ECDF of the ranks of a generation minus the diagonal, coloured by generation. The
    grey band holds the whole line of a calibrated posterior with the given probability. A line that
    first rises and then falls belongs to posteriors that are too narrow (ranks pile up at both
    ends), one that first falls to posteriors that are too wide; a hill over the whole axis means
    that posteriors lie too high, a valley that they lie too low.

    Parameters
    ----------
    run : DataTree
        Result of an experiment that kept draws and drew a truth per replicate from the learner's
        own prior.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    coords : mapping, optional
        Subset of schemes, generations or parameters, such as ``{"generation": [0, 9]}``; five
        generations from the first to the last if none are named. The note above the picture says
        how many of the run's generations are drawn, and the legend which.
    probability : float, default 0.95
        Probability of the band, above 0 and below 1, exact for each line alone.
    thin : int, default 1
        Use every so-many-th kept draw of a chain.
    backend : {"matplotlib", "none", "bokeh", "plotly"}, optional
        Plotting backend of ArviZ.

    Returns
    -------
    PlotCollection
        Facets on (scheme, parameter), colour mapped to ``generation``. Lines of cells with a
        missing draw are left out, and counted in the title.

    Raises
    ------
    ValueError
        If a coordinate is unknown, or `probability` is out of range.
    LackingError
        If the run has no draws, one truth for all replicates, or truths of another model's prior.

    References
    ----------
    .. [1] Säilynoja, Bürkner and Vehtari (2022), arXiv:2103.10522.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie above 0 and below 1, got {probability!r}")
    ranks = truth_ranks(run, var_names=var_names, thin=thin)
    return ranks_figure(ranks, coords=coords, probability=probability, backend=backend)


def ranks_figure(
    ranks: xr.Dataset,
    *,
    coords: Mapping[str, Any] | None = None,
    probability: float = 0.95,
    backend: str | None = None,
) -> Any:
    """Plot ranks that :func:`~bayescollapse.measures.truth_ranks` has found.

    Parameters
    ----------
    ranks : Dataset
        What that function returned.
    coords, probability, backend
        As for :func:`plot_ranks`.

    Returns
    -------
    PlotCollection
        As of :func:`plot_ranks`.
    """
    chosen = select(ranks[["rank"]], _with_generations(ranks, coords))
    data = _departures(chosen["rank"], ranks.attrs["draws"])
    collection = _facets(data, backend)
    _draw(collection, data, ranks.attrs["draws"], chosen.sizes["replicate"], probability)
    gaps = int(data["ecdf"].isnull().any("cut").sum())
    some, every = data.sizes["generation"], ranks.sizes["generation"]
    note = f"band: {100 * probability:g} % of calibrated posteriors"
    note += f"; {some} of {every} generations drawn" * (some < every)
    return _finish(collection, note + f"; lines left out for missing draws: {gaps}" * (gaps > 0))


def _with_generations(ranks: xr.Dataset, coords: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"generation": drawn_generations(ranks), **(coords or {})}


def drawn_generations(ranks: xr.Dataset) -> list[int]:
    """List the generations that are drawn if none are named: five from the first to the last.

    Parameters
    ----------
    ranks : Dataset
        What :func:`~bayescollapse.measures.truth_ranks` returned.
    """
    every = ranks["generation"].to_numpy()
    places = np.unique(np.linspace(0, len(every) - 1, SHOWN).round().astype(int))
    chosen: list[int] = every[places].tolist()
    return chosen


def _departures(rank: xr.DataArray, draws: int) -> xr.Dataset:
    """ECDF minus diagonal at every cut, from 0 to 1; missing where a rank is."""
    ordered = rank.transpose("scheme", "parameter", "generation", "replicate")
    ranks, known = ordered.to_numpy(), ordered.notnull().all("replicate").to_numpy()
    cuts = np.arange(draws + 2) / (draws + 1)
    values = np.full((*known.shape, len(cuts)), np.nan)
    if known.any():
        counts = counts_below(ranks[known].astype(np.int64), draws)
        values[known] = np.pad(counts / ranks.shape[-1] - cuts[1:-1], [(0, 0), (1, 1)])
    like = ordered.isel(replicate=0, drop=True).drop_vars("variable")
    return xr.Dataset({"ecdf": like.expand_dims(cut=cuts, axis=-1).copy(data=values)})


def _facets(data: xr.Dataset, backend: str | None) -> Any:
    from arviz_base import rcParams
    from arviz_plots import PlotCollection, visuals
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    facets = data.sizes["scheme"] * data.sizes["parameter"]
    shades = [
        to_hex(c) for c in colormaps["viridis"](np.linspace(0, 0.9, data.sizes["generation"]))
    ]
    figure: dict[str, Any] = {}
    if (backend or rcParams["plot.backend"]) == "matplotlib":
        size = (9.0 if facets > 1 else 6.5, 2.9 * -(-facets // 2) + 1.1)
        figure = {"figsize": size, "layout": "constrained"}
    collection = PlotCollection.wrap(
        data,
        cols=["scheme", "parameter"],
        col_wrap=2,
        backend=backend,
        aes={"color": ["generation"]},
        color=shades,
        figure_kwargs=figure,
    )

    def describe(da: Any, target: Any, var_name: str, sel: Any, isel: Any) -> Any:
        visuals.labelled_x(da, target, text="rank of the truth, as a share")
        visuals.labelled_y(da, target, text="ECDF minus diagonal")
        return visuals.labelled_title(da, target, text=f"{sel['scheme']}: {sel['parameter']}")

    collection.facet_map(describe, "title", subset_info=True)
    return collection


def _draw(
    collection: Any, data: xr.Dataset, draws: int, simulations: int, probability: float
) -> None:
    from arviz_plots import visuals

    cuts = data["cut"].to_numpy()
    edges = []
    for counts in band(simulations, draws, probability):
        edge = np.pad(counts / simulations - cuts[1:-1], 1)
        flat = data["ecdf"].isel(generation=0, drop=True)
        edges.append(xr.Dataset({"ecdf": flat.copy(data=np.broadcast_to(edge, flat.shape))}))
    collection.map(
        visuals.fill_between_y,
        "band",
        data=edges[0],
        ignore_aes="all",
        x=data["cut"],
        y_bottom=edges[0],
        y_top=edges[1],
        color=GREY,
        alpha=0.25,
    )
    collection.map(visuals.line, "ecdf", data=data, xname="cut", width=1.4)


def _finish(collection: Any, note: str) -> Any:
    matplotlib = collection.backend == "matplotlib"
    place = {"loc": "outside lower left", "ncols": SHOWN} if matplotlib else {}
    collection.add_legend("generation", title="Generation", **place)
    collection.add_title(note, **({"size": 10, "x": 0.01, "ha": "left"} if matplotlib else {}))
    if matplotlib:
        for axes in collection.viz["figure"].item().axes:
            tidy(axes)
    return collection
