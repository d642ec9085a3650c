"""Pictures of the golden-ratio analysis say what their axes and lines are."""

import importlib
from pathlib import Path

import numpy as np
import pytest

ANALYSES = Path(__file__).parents[2] / "analyses"


@pytest.fixture
def golden(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSES))
    return lambda name: importlib.import_module(f"golden.{name}")


def labels(axes):
    return axes.get_legend_handles_labels()[1]


def test_a_law_for_large_samples_is_called_so(golden):
    growth, ones = golden("growth").Growth, np.ones(3)
    drawn = [growth(name, name, ones, ones, ones, ones) for name in ("exact", "first order")]
    figure = golden("figures").growth_figure(drawn)
    exact, first = figure.axes
    assert "theory" in labels(exact) and "large-sample theory" not in labels(exact)
    assert "large-sample theory" in labels(first) and "theory" not in labels(first)
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"theory", "large-sample theory"} < set(shown) and len(set(shown)) == len(shown)
    # Errors are divided by what theory gives generation 0, and not by the measured error.
    assert {axes.get_ylabel() for axes in figure.axes} == {"error / first error of theory"}


@pytest.mark.parametrize("written", [["0.2", "0.5", "1"], ["0.01", "0.02", "0.05", "0.1", "1"]])
def test_ratios_are_written_in_decimals(golden, written):
    found = [
        golden("ratios").Ratio("A", "exact", scheme, float(k), 0.5, 10, 0.5, 0.1, 0.5, 0.5)
        for scheme in ("pooled", "best share")
        for k in written
    ]
    axes = golden("figures").ratio_figure(found).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == written
    # Within one decade matplotlib would write powers of ten between them.
    assert axes.get_xticklabels(minor=True) == []


def test_ratios_call_a_law_for_large_samples_so(golden):
    ratio = golden("ratios").Ratio
    for kind, style in (("exact", "-"), ("first order", "--")):
        found = [
            ratio("A", kind, scheme, k, 0.5, 10, 0.5, 0.1, 0.5, 0.5)
            for scheme in ("pooled", "best share")
            for k in (0.1, 0.5, 1.0)
        ]
        axes = golden("figures").ratio_figure(found).axes[0]
        laws = [line for line in axes.get_lines() if str(line.get_label()).endswith("theory")]
        words = "theory" if kind == "exact" else "large-sample theory"
        assert [line.get_label() for line in laws] == [
            f"{s}, {words}" for s in ("pooled", "best share")
        ]
        assert {line.get_linestyle() for line in laws} == {style}


def test_legends_of_both_kinds_of_law_fit_on_the_figure(golden):
    found = [
        golden("ratios").Ratio(kind, kind, scheme, k, 0.5, 10, 0.5, 0.1, 0.5, 0.5)
        for kind in ("exact", "first order")
        for scheme in ("pooled", "best share")
        for k in (0.1, 0.5, 1.0)
    ]
    figure = golden("figures").ratio_figure(found)
    figure.canvas.draw()
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 7
    assert legend.get_window_extent().x1 <= figure.bbox.x1


def test_titles_of_shares_name_what_holds_for_large_samples_only(golden):
    from types import SimpleNamespace

    def sweep(kind):
        values = np.array([0.3, 0.6])
        return SimpleNamespace(
            model=kind, kind=kind, ratio=1, emission="plug-in", shares=values, error=values,
            mcse=values, law=values, z_scores=values, optimum=0.6,
            located=SimpleNamespace(share=0.6, low=0.5, high=0.7),
        )  # fmt: skip

    figure = golden("figures").share_figure([sweep("exact"), sweep("first order")], ("model",))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["exact", "first order\n(large-sample theory)"]
    assert figure.axes[0].get_ylabel() == "error / real-only theory"
