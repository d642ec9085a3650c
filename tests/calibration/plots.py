"""Rank plot: ECDF of the ranks minus the diagonal, with the simultaneous band."""

from __future__ import annotations

import numpy as np

from bayescollapse.measures.bands import band, counts_below

__all__ = ["plot_ranks"]


def plot_ranks(calibration, *, probability=0.99, title=""):
    """Draw one panel per quantity and return the figure; it gives no verdict."""
    import matplotlib.pyplot as plt

    simulations, draws = calibration.simulations, calibration.draws
    cuts = np.arange(1, draws + 1) / (draws + 1)
    lower, upper = (edge / simulations - cuts for edge in band(simulations, draws, probability))
    columns = min(len(calibration.ranks), 4)
    lines = -(-len(calibration.ranks) // columns)
    figure, axes = plt.subplots(
        lines, columns, squeeze=False, sharex=True, sharey=True, figsize=(3 * columns, 2.5 * lines)
    )
    for axis, (name, ranks) in zip(axes.flat, calibration.ranks.items(), strict=False):
        axis.fill_between(cuts, lower, upper, step="mid", color="0.85")
        axis.step(cuts, counts_below(ranks, draws) / simulations - cuts, where="mid")
        axis.set_title(name, fontsize="small")
    for axis in axes.flat[len(calibration.ranks) :]:
        axis.set_visible(False)
    figure.suptitle(title)
    figure.supxlabel("rank of the truth, as a share")
    figure.supylabel("ECDF minus diagonal")
    return figure
