"""The digits analysis, run as a person runs it, on the small images."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "analyses" / "digits.py"


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("digits")
    result = command(
        *("--quick", "--data", "sklearn", "--factors", 2, "--images", 200, "--out", out)
    )
    assert result.returncode == 0, result.stderr
    with open(out / "digits.csv", encoding="utf-8") as file:
        return out, result.stdout, list(csv.DictReader(file))


def test_page_pictures_and_table(finished):
    out, printed, rows = finished
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert page.count("data:image/png;base64") == 4
    assert len(list(out.glob("*.png"))) == 4
    assert "approximate" in page
    assert "held-out log density" in printed
    assert len(rows) == 6


def test_schemes_share_generation_0_and_replace_forgets(finished):
    _, _, rows = finished
    value = {(row["scheme"], row["generation"]): float(row["nats per image"]) for row in rows}
    assert value["replace", "0"] == value["keep real", "0"]
    assert value["replace", "2"] < value["keep real", "2"]
    assert np.isfinite(list(value.values())).all()
    assert all(row["converged"] == "True" for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", 10_000], "--images must be at most"),
        (["--model", "decoder", "--method", "map"], "use advi"),
        (["--images", 0], "at least 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    result = command("--data", "sklearn", *arguments)
    assert result.returncode != 0
    assert message in result.stderr
