"""Section of collapse: words for what the interval shows, and reasons beside their names."""

import numpy as np
import pytest
import xarray as xr

from bayescollapse.measures.definitions import DEFINITIONS
from bayescollapse.reporting.collapse import collapse_section

NAMES = [entry.name for entry in DEFINITIONS]
SCHEMES = ["one", "two"]


def found(cells, missing=""):
    """What bc.collapse could return: (verdict, statistic, low, high, threshold) by definition."""
    values = np.full((4, len(SCHEMES), len(NAMES)), np.nan)
    verdict = np.full((len(SCHEMES), len(NAMES)), "not measured")
    for name, pair in cells.items():
        place = NAMES.index(name)
        verdict[:, place] = [cell[0] for cell in pair]
        values[:, :, place] = np.transpose([cell[1:] for cell in pair])
    columns = ("statistic", "low", "high", "threshold")
    coords = {
        "scheme": SCHEMES,
        "definition": NAMES,
        "words": ("definition", [entry.words for entry in DEFINITIONS]),
        "compared": ("definition", [entry.statistic for entry in DEFINITIONS]),
    }
    data = {n: (("scheme", "definition"), v) for n, v in zip(columns, values, strict=True)}
    data |= {
        "verdict": (("scheme", "definition"), verdict),
        "happened": (("scheme", "definition"), np.where(verdict == "not measured", np.nan, 0.0)),
    }
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


NOTHING = ("not measured", *(np.nan,) * 4)


def test_cells_say_the_verdict_and_the_interval(section):
    rows = section(
        {
            "any_rise": [("yes", 4, 1.2, 50, 1), ("cannot tell", 12, 0, np.inf, 1)],
            "scaling_change": [("no", 0.02, -0.05, 0.09, 0.1), NOTHING],
            "mode_loss": [("no", 0, 0, 0.04, 0.05), NOTHING],
        }
    ).table
    words = {name(row): (row["one"], row["two"]) for row in rows}
    assert words["any rise"] == ("yes: 4 (1.20 to 50)", "cannot tell: 12 (0 to ∞)")
    assert words["mode loss"] == ("no: 0 (0 to 0.0400)", "not measured")
    limits = {name(row): row["met if"] for row in rows}
    assert limits["any rise"].endswith(": above 1")
    assert limits["scaling change"].endswith(": beyond ±0.1")
    assert limits["mode loss"].endswith("net of generation 0's: above 0.05")


def test_reasons_stand_beside_their_names(section):
    lost = "no rows; none (keep them)"
    missing = f"any_rise: two replicates; mode_loss: {lost}; tail_loss, hallucination: {lost}"
    text = section({"any_rise": [("yes", 2, 1.5, 3, 1), NOTHING]}, missing).text
    told = text.partition("Not measured, for some schemes or all: ")[2]
    assert told.startswith(
        f"any rise – two replicates; mode loss, tail loss, hallucination – {lost}"
    )
    known = {name: [("no", 0, 0, 0, 1)] * 2 for name in NAMES}
    assert "Not measured" not in section(known).text
