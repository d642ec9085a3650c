"""The golden-ratio analysis, run as a person runs it, on a table of one's own."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "analyses" / "golden_ratio.py"


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    frame = pd.DataFrame(
        {
            "income": x.round(3),
            "city": rng.choice(["Ghent", "Lyon", "Turin"], size=400),
            "bought": np.where(rng.random(400) < 1 / (1 + np.exp(-x)), "yes", "no"),
        }
    )
    path = tmp_path_factory.mktemp("data") / "shop.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def finished(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    arguments = ["--quick", "--replicates", 128, "--generations", 8, "--seed", 3, "--out", out]
    result = command(
        *arguments, "--data", table, "--columns", "income,city", "--response", "bought"
    )
    assert result.returncode == 0, result.stderr
    return out, result.stdout


def test_it_prints_where_it_wrote(finished):
    out, printed = finished
    assert str(out / "report.html") in printed.replace("\n", "")
    assert "Gate" in printed
    assert "shop.csv" in printed


def test_the_report_is_one_file(finished):
    out, _ = finished
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert page.count("data:image/png;base64") >= 8
    assert "golden ratio" in page
    assert len(list(out.glob("*.png"))) >= 8


def test_errors_are_close_to_the_laws(finished):
    """About 60 errors with an exact law; |z| > 4.5 anywhere has probability below 0.1 %."""
    out, _ = finished
    with open(out / "errors.csv", encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file) if row["model"].startswith(("Gaussian mean", "cat"))
        ]
    z = [
        (float(row["error"]) - float(row["theory"])) / float(row["error_mcse"])
        for row in rows
        if row["theory"] != "nan"
    ]
    assert len(z) > 50
    assert np.max(np.abs(z)) < 4.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--columns", "income"], "--data needs --columns"),
        (["--columns", "age", "--response", "bought"], "no column"),
        (["--columns", "income", "--response", "city"], "two values"),
    ],
)
def test_bad_tables_are_refused(table, arguments, message):
    result = command("--data", table, *arguments)
    assert result.returncode != 0
    assert message in result.stderr
