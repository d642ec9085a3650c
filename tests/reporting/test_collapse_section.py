"""Section of collapse: words for what the interval shows, and reasons beside their names."""

import numpy as np
import pytest
import xarray as xr

from bayescollapse.measures.definitions import DEFINITIONS
from bayescollapse.reporting.collapse import collapse_section

NAMES = [entry.name for entry in DEFINITIONS]
SCHEMES = ["one", "two"]


def found(cells, missing=""):
    """What bc.collapse could return: (happened, statistic, low, high, threshold) by definition."""
    values = np.full((5, len(SCHEMES), len(NAMES)), np.nan)
    for name, pair in cells.items():
        values[:, :, NAMES.index(name)] = np.transpose(pair)
    columns = ("happened", "statistic", "low", "high", "threshold")
    coords = {
        "scheme": SCHEMES,
        "definition": NAMES,
        "words": ("definition", [entry.words for entry in DEFINITIONS]),
        "compared": ("definition", [entry.statistic for entry in DEFINITIONS]),
    }
    data = {n: (("scheme", "definition"), v) for n, v in zip(columns, values, strict=True)}
    return xr.Dataset(data, coords, {"missing": missing, "risk": "error", "probability": 0.95})


@pytest.fixture
def section(monkeypatch):
    def make(*arguments):
        result = found(*arguments)
        monkeypatch.setattr("bayescollapse.reporting.collapse.collapse", lambda *_, **__: result)
        return collapse_section(None)

    return make


def name(row):
    return row["definition"].partition(":")[0]


NOTHING = (np.nan,) * 5


def test_words_follow_the_interval_and_the_side_of_the_threshold(section):
    rows = section(
        {
            "any_rise": [(1, 4, 1.2, 50, 1), (0, 1.8, 0.3, 22, 1)],
            "catastrophic_rise": [(0, 2, 1.2, 9, 10), (0, 12, 0, np.inf, 10)],
            "variance_collapse": [(0, 1.1, 0.7, 2, 0.5), (0, 0.4, 0.1, 0.9, 0.5)],
            "scaling_change": [(0, 0.02, -0.05, 0.09, 0.1), (0, -0.1, -0.3, 0.05, 0.1)],
            "mode_loss": [(0, 0, 0, 0, 0.05), NOTHING],
            "tail_loss": [(0, -0.5, -0.877, -0.123, 0.05), (0, -0.2, -0.6, 0.25, 0.05)],
        }
    ).table
    words = {name(row): (row["one"], row["two"]) for row in rows}
    assert words["any rise"] == ("yes: 4 (1.20 to 50)", "cannot tell: 1.80 (0.300 to 22)")
    assert words["catastrophic rise"] == ("no: 2 (1.20 to 9)", "cannot tell: 12 (0 to ∞)")
    assert [w.partition(":")[0] for w in words["variance collapse"]] == ["no", "cannot tell"]
    assert [w.partition(":")[0] for w in words["scaling change"]] == ["no", "cannot tell"]
    assert words["mode loss"] == ("no: 0 (0 to 0)", "not measured")
    assert words["tail loss"][0].startswith("no: -0.500") and "cannot" in words["tail loss"][1]
    limits = {name(row): row["met if"] for row in rows}
    assert limits["variance collapse"].endswith(": below 0.5")
    assert limits["scaling change"].endswith(": beyond ±0.1")
    net = [name(row) for row in rows if "net of generation 0" in row["met if"]]
    assert net == ["mode loss", "tail loss"]


def test_reasons_stand_beside_their_names(section):
    lost = "no rows; none (keep them)"
    missing = f"any_rise: two replicates; mode_loss: {lost}; tail_loss, hallucination: {lost}"
    text = section({"any_rise": [(1, 2, 1.5, 3, 1), NOTHING]}, missing).text
    told = text.partition("Not measured, for some schemes or all: ")[2]
    assert told.startswith(
        f"any rise – two replicates; mode loss, tail loss, hallucination – {lost}"
    )
    # The others have no value and no reason.
    silent = "catastrophic rise, divergence, variance collapse, scaling change, false certainty"
    assert told.endswith(f"{silent} – no reason is known.")
    known = {name: [(0, 0, 0, 0, 1)] * 2 for name in NAMES}
    assert "Not measured" not in section(known).text
