"""Plots: structure without drawing, and figures that matplotlib can write."""

import io

import matplotlib
import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.plots import plot_share
from bayescollapse.plots.frame import scheme_colors
from tests.measures.synthetic import make_run

matplotlib.use("agg")


@pytest.fixture(scope="module")
def run():
    return make_run()


def lines(plot, name, group="mean"):
    return plot.viz[group][name].values.ravel().tolist()


def test_drift_structure(run):
    plot = bc.plot_drift(run, backend="none")
    assert set(plot.viz["plot"].data_vars) == {"bias", "squared_error", "log_sd_ratio", "kl_first"}
    assert plot.viz["mean"]["bias"].sizes == {"parameter": 3, "scheme": 2}
    drawn = lines(plot, "squared_error")
    assert all(line["function"] == "line" for line in drawn)
    assert np.allclose(drawn[0]["y"], (1 + np.arange(5)) / 10)
    assert len({line["color"] for line in drawn}) == 2
    assert plot.viz["title"]["bias"].values[1]["string"] == "beta[0]: posterior mean minus truth"


def test_drift_without_truth_and_selection():
    run = make_run(3, truth=False)
    assert "bias" not in bc.plot_drift(run, backend="none").viz["plot"]
    chosen = bc.plot_drift(
        run, measures=["kl_first"], var_names="mu", coords={"scheme": "proud"}, backend="none"
    )
    assert chosen.viz["mean"]["kl_first"].sizes == {"parameter": 1, "scheme": 1}
    with pytest.raises(ValueError, match="no truth"):
        bc.plot_drift(run, measures=["bias"], backend="none")
    with pytest.raises(ValueError, match="coords must name dimensions"):
        bc.plot_drift(run, coords={"model": "x"}, backend="none")


def test_information_structure(run):
    plot = bc.plot_information(run, backend="none")
    names = {"coverage", "certainty", "rows_worth", "rows_claimed"}
    assert set(plot.viz["plot"].data_vars) == names
    assert plot.viz["reference"]["coverage"].values[0]["y"] == 0.95
    assert plot.viz["real_rows"]["rows_worth"].values[0]["y"].tolist() == [10] * 5
    bare = make_run(3, truth=False, reference=False)
    assert set(bc.plot_information(bare, backend="none").viz["plot"].data_vars) == {"claimed_sd"}
    with pytest.raises(ValueError, match="measures must be among"):
        bc.plot_information(bare, measures=["coverage"], backend="none")


@pytest.mark.parametrize("plot", [bc.plot_drift, bc.plot_information])
def test_figures_can_be_written(run, plot):
    from matplotlib import pyplot

    drawn = plot(run, var_names="mu", backend="matplotlib")
    figure = drawn.viz["figure"].item()
    assert len(figure.axes) == 4 and len(figure.legends) == 1
    assert all(axes.get_xlabel() and axes.get_ylabel() and axes.get_title() for axes in figure.axes)
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    pyplot.close(figure)


@pytest.mark.parametrize("settings", [(1, 3), (3, 1)])
def test_small_runs_can_be_drawn(settings):
    from matplotlib import pyplot

    run = make_run(*settings)
    for plot in (bc.plot_drift, bc.plot_information):
        figure = plot(run, var_names="mu", backend="matplotlib").viz["figure"].item()
        figure.savefig(io.BytesIO(), format="png", dpi=30)
        pyplot.close(figure)


def test_colours_differ():
    for count in (1, 7, 9, 30):
        assert len(set(scheme_colors(count))) == count


def test_share_facets_and_marks():
    shares = np.linspace(0.2, 0.9, 8)
    table = [
        {"k": k, "emission": e, "real_share": w, "error": 1 + (w - 0.6) ** 2, "error_mcse": 0.1}
        for k in (1, 0.2) for e in ("plug-in", "joint") for w in shares
    ]  # fmt: skip
    curves = [{"k": 1, "real_share": w, "error": 1.0} for w in shares]
    marks = [{"located": 0.6, "low": 0.5, "high": 0.7}, {"k": 1, "optimum": 0.618}]
    figure = plot_share(table, curves=curves, marks=marks)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0] == "1 real per synthetic row, plug-in emission" and len(titles) == 4
    labels = {label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]}
    assert {"theory", "theoretical optimum", "located minimum, with interval"} < labels
    assert "theory" not in figure.axes[-1].get_legend_handles_labels()[1]
    figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_share_refusals():
    with pytest.raises(ValueError, match="at least one row"):
        plot_share([])
    with pytest.raises(ValueError, match="lacks \\['error'\\]"):
        plot_share([{"real_share": 1}])
    with pytest.raises(TypeError, match="sequence of dictionaries"):
        plot_share({"real_share": [1], "error": [1]})


def test_bands_of_log_axes_are_those_of_the_logarithm():
    """Three replicates: an arithmetic band would end below 0, or be drawn down to a tenth."""
    run = make_run(3, 12)
    measured = bc.drift(run, progress=False)
    mean, error = (measured[n].values for n in ("squared_error", "squared_error_mcse"))
    plot = bc.plot_drift(run, backend="none")
    drawn = plot.viz["band"]["squared_error"].transpose("scheme", "parameter").values
    for s, p in np.ndindex(drawn.shape):
        factor = np.exp(2 * error[s, :, p] / mean[s, :, p])
        assert np.allclose(drawn[s, p]["y_bottom"], mean[s, :, p] / factor)
        assert np.allclose(drawn[s, p]["y_top"], mean[s, :, p] * factor)
    bias = plot.viz["band"]["bias"].sel(scheme="proud", parameter="mu").item()
    middle = measured["bias"].sel(scheme="proud", parameter="mu").values
    assert np.allclose((bias["y_bottom"] + bias["y_top"]) / 2, middle)
    assert "of the log on log axes" in plot.viz["figure_title"].item()["string"]


def test_bands_of_information_have_the_same_ratio_on_both_sides():
    run = make_run(3, 12)
    value = bc.information(run)["rows_worth"].sel(scheme="proud", parameter="mu").values
    plot = bc.plot_information(run, var_names="mu", backend="none")
    edges = plot.viz["band"]["rows_worth"].sel(scheme="proud").item()
    assert np.allclose(edges["y_top"] / value, value / edges["y_bottom"])


def test_ranks_say_how_many_generations_are_drawn():
    from bayescollapse.models import gaussian_mean

    run = bc.Experiment(
        gaussian_mean.estimator(prior_sd=0.5),
        bc.Truth.from_prior(),
        bc.schemes.replace(),
        n_real=10,
        generations=6,
        replicates=4,
        keep_draws=20,
    ).run(progress=False)
    titles = {}
    for count, coords in ((5, None), (2, {"generation": [0, 3]}), (6, {"generation": range(6)})):
        plot = bc.plot_ranks(run, coords=coords, backend="none")
        titles[count] = plot.viz["figure_title"].item()["string"]
    assert "5 of 6 generations drawn" in titles[5] and "2 of 6" in titles[2]
    assert "generations" not in titles[6]
