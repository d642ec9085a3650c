"""The mixture analysis: its measures, and the script as a person runs it."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

ANALYSES = Path(__file__).parents[2] / "analyses"


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(ANALYSES / "mixtures.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def measures(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSES))
    from modes import measures

    return measures


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("mixtures")
    arguments = ["--quick", "--replicates", 1, "--generations", 3, "--workers", 1, "--out", out]
    result = command(*arguments)
    assert result.returncode == 0, result.stderr
    return out, arguments, result.stdout


def test_mass_and_density_are_those_of_the_mixture(measures):
    weights, mu, sigma = np.array([0.2, 0.8]), np.array([-1.0, 3.0]), np.array([0.5, 2.0])
    laws = stats.norm(mu, sigma)
    mass = measures.mass_above(1.5, weights, mu, sigma)
    np.testing.assert_allclose(mass, weights @ laws.sf(1.5), rtol=1e-12)
    grid = np.linspace(-4, 9, 7)
    expected = laws.pdf(grid[:, None]) @ weights
    np.testing.assert_allclose(measures.density(grid, weights, mu, sigma), expected, rtol=1e-12)


@pytest.mark.parametrize(("apart", "modes"), [(1.9, 1), (2.5, 2)])
def test_modes_are_counted(measures, apart, modes):
    """Two equal normals of unit spread have two modes exactly when they are more than 2 apart."""
    mu = np.array([-apart / 2, apart / 2])
    curve = measures.density(measures.GRID, np.full(2, 0.5), mu, np.ones(2))
    assert measures.count_modes(curve) == modes


def test_shares_follow_weights_and_batches(measures):
    draws = xr.Dataset(coords={"scheme": ["b", "a"], "replicate": [0], "generation": [0, 1]})
    above, below = measures.BOUNDARY + 1, measures.BOUNDARY - 1
    columns = {
        "scheme": ["b", "b", "b", "b", "b", "a"],
        "replicate": [0] * 6,
        "generation": [0, 0, 1, 1, 1, 0],
        "real": [True, True, True, False, False, True],
        "batch": [0, 0, 1, 0, 0, 0],
        "weight": [1.0, 1.0, 2.0, 1.0, 1.0, 1.0],
        "y": [above, below, above, above, below, below],
    }
    rows = xr.Dataset({name: ("row", values) for name, values in columns.items()})
    seen, emitted = measures.row_shares(rows, draws)
    np.testing.assert_allclose(seen[:, 0], [[0.5, 0.75], [0.0, np.nan]])
    np.testing.assert_allclose(emitted[:, 0], [[0.5, np.nan], [np.nan, np.nan]])


def test_the_report_says_what_was_measured(finished):
    out, _, printed = finished
    assert str(out / "report.html") in printed.replace("\n", "")
    assert max(map(len, printed.splitlines())) <= 80
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert page.count("data:image/png;base64") == 3
    assert "in generation 2 the rare mode is lost in" in page
    assert {path.name for path in out.glob("*.png")} == {"mass.png", "densities.png", "labels.png"}


def test_every_fit_is_in_the_table(finished):
    out, _, _ = finished
    with open(out / "fits.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 3
    first = [row for row in rows if row["generation"] == "0"]
    # All schemes share generation 0, so the masses agree to the last bit.
    assert len({row["mass"] for row in first}) == 1
    for row in rows:
        assert 0 <= float(row["mass_low"]) <= float(row["mass"]) <= float(row["mass_high"]) <= 1
        lost = float(row["mass_high"]) < 0.5 * float(row["true_mass"])
        assert row["lost_posterior"] == str(lost)
    # Under replace, what a generation emitted is what the next one saw.
    replace = [row for row in rows if row["scheme"] == "replace"]
    assert [row["emitted"] for row in replace[:-1]] == [row["seen"] for row in replace[1:]]


def test_a_second_call_takes_everything_from_the_store(finished):
    out, arguments, printed = finished
    shards = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npz")}
    again = command(*arguments)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npz")} == shards
    assert again.stdout.split("Report:")[0] == printed.split("Report:")[0]


def test_one_generation_is_refused(tmp_path):
    result = command("--generations", 1, "--out", tmp_path)
    assert result.returncode != 0
    assert "at least 2" in result.stderr
