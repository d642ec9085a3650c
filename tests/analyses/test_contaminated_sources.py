"""The analysis of contaminated sources: its parts, and the script as a person runs it."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ANALYSES = Path(__file__).parents[2] / "analyses"


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(ANALYSES / "contaminated_sources.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def read(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSES))
    from contamination_parts import exponents, frequencies, settings, text

    return {
        "exponents": exponents,
        "frequencies": frequencies,
        "settings": settings,
        "text": text,
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("contaminated")
    arguments = ["--quick", "--texts", 2, "--length", 0.25, "--workers", 1, "--out", out]
    result = command(*arguments)
    assert result.returncode == 0, result.stderr
    return out, arguments, result.stdout


def test_mixings_have_names_counts_and_fates(parts):
    mixing = parts["settings"].Mixing(1.0, 1.0, 1.5, 100)
    assert mixing.name == "real share (t+1)^-1, 100(t+1)^1.5 rows"
    assert mixing.rows(3) == [100, 282, 519]
    assert mixing.shares(3) == [1.0, 0.5, pytest.approx(1 / 3)]
    assert mixing.fate == "recovery"
    assert parts["settings"].Mixing(0.0, 0.0, 0.0, 50).fate == "collapse"
    scheme = mixing.scheme("joint")
    assert [int(scheme.supply.total(t)) for t in range(3)] == mixing.rows(3)
    assert [scheme.supply.real_share(t) for t in range(3)] == mixing.shares(3)
    every = [m for group in parts["frequencies"].MIXINGS.values() for m in group]
    assert len({m.name for m in every}) == 7


def test_the_grid_agrees_with_the_cells(parts):
    """A cell of the map is the law of the loop that is simulated there."""
    exponents, frequencies = parts["exponents"], parts["frequencies"]
    decay, growth = np.array([0.5, 1.0]), np.array([0.0, 0.5, 2.0])
    ratio = exponents.grid_ratio(decay, growth, 9)
    v = frequencies.diversity(frequencies.truth(exponents.CATEGORIES))
    for i, b in enumerate(growth):
        for j, a in enumerate(decay):
            law = parts["settings"].Mixing(1.0, a, b, exponents.FIRST).law(9, v, "plug-in")
            assert ratio[i, j] == pytest.approx(law[-1] / law[0], rel=1e-12)


def test_cells_of_every_region(parts):
    cells = [parts["settings"].Mixing(1.0, a, b, 20) for a, b in parts["exponents"].CELLS]
    assert {cell.fate for cell in cells} == {"recovery", "floor", "collapse"}


def test_worth_is_read_off_the_learning_curve(parts):
    text = parts["text"]
    sizes = text.learning_sizes(12)
    log_size = np.log(np.array(sizes) / text.ROWS)
    grid = 4.0 - 0.3 * log_size + 0.01 * log_size**2 + np.array([[-0.1], [0.0], [0.1]])
    losses = 4.0 - 0.3 * np.log(0.5) + 0.01 * np.log(0.5) ** 2 + np.array([-0.1, 0.0, 0.1])
    value, mcse = text.worth(losses, grid, sizes)
    # Lineages differ by the same amount in both, so nothing is left of their spread.
    assert value == pytest.approx(0.5, rel=5e-3)
    assert mcse < 5e-3
    assert text.worth(losses[::-1], grid, sizes)[0] == pytest.approx(value, rel=1e-12)
    assert text.worth(losses[::-1], grid, sizes)[1] > 0.05
    assert np.isnan(text.worth(losses + 9, grid, sizes)[0])


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_worth_in_the_long_run(parts, share):
    q = (1 - share) ** 2
    worth = parts["text"].worth_law
    assert worth(share, "plug-in", False, 400) == pytest.approx(share * (2 - share), rel=1e-6)
    assert worth(share, "joint", False, 400) == pytest.approx((1 - q) / (1 + q), rel=1e-6)
    assert worth(0.0, "plug-in", False, 10) == pytest.approx(0.1, rel=1e-6)


def test_repeats_and_ruled_lines_are_left_out(parts):
    topics = ["Title\n=====\n\none\ntwo", "one  two\n\n+---+", "one two\n\nthree\n\nthree"]
    assert parts["text"].without_repeats(topics) == ["Title\n\none two", "three"]


def test_held_out_topics_are_not_learned(parts):
    corpus = parts["text"].load_corpus(0)
    learned = {row.tobytes() for row in corpus.rows["y"].to_numpy()}
    held_out = [row.tobytes() for row in corpus.held_out["y"].to_numpy()]
    assert np.mean([row in learned for row in held_out]) < 0.02
    assert corpus.held_out.sizes["obs"] <= parts["text"].HELD_OUT
    assert corpus.unknown < 0.15
    assert sum(corpus.topics) > 50


def test_the_report_says_what_was_measured(finished):
    out, _, printed = finished
    assert str(out / "report.html") in printed.replace("\n", "")
    assert max(map(len, printed.splitlines())) <= 80
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert page.count("data:image/png;base64") == 4
    assert "arXiv:2602.10531" in page
    names = {"frequencies.png", "exponents.png", "loss.png", "worth.png"}
    assert {path.name for path in out.glob("*.png")} == names


def test_errors_are_close_to_the_laws(finished):
    """About 480 errors; |z| > 5.5 anywhere has probability below 0.1 %, skewness included."""
    out, _, _ = finished
    rows = read(out / "errors.csv")
    z = [(float(r["measured"]) - float(r["theory"])) / float(r["standard_error"]) for r in rows]
    assert len(z) > 300
    assert np.max(np.abs(z)) < 5.5
    # With the laws of the two emissions exchanged, they are far away.
    law = {(r["level"], r["decay"], r["growth"], r["emission"], r["generation"]): r for r in rows}
    joint = [r for r in rows if r["emission"] == "joint" and r["generation"] == "3"]
    for row in joint:
        key = (row["level"], row["decay"], row["growth"], "plug-in", "3")
        gap = float(row["measured"]) - float(law[key]["theory"])
        assert gap > 5.5 * float(row["standard_error"])


def test_losses_are_ordered_by_the_share(finished):
    out, _, _ = finished
    rows = read(out / "losses.csv")
    last = max(int(row["generation"]) for row in rows)
    loss = {row["text"]: float(row["loss"]) for row in rows if int(row["generation"]) == last}
    first = {row["loss"] for row in rows if row["generation"] == "0"}
    assert len(first) == 1  # all schemes share generation 0
    for emission in ("plug-in", "joint"):
        ordered = [loss[f"{share} % real, {emission}"] for share in (0, 10, 25, 50)]
        assert ordered == sorted(ordered, reverse=True)
    assert loss["0 % real, joint"] > loss["0 % real, plug-in"] > loss["real rows only"] + 0.2


def test_a_second_call_takes_everything_from_the_store(finished):
    out, arguments, printed = finished
    shards = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npz")}
    assert shards
    again = command(*arguments)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npz")} == shards
    assert again.stdout.split("Report:")[0] == printed.split("Report:")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replicates", 1], "no spread"),
        (["--length", 0], "above 0"),
        (["--workers", 0], "at least 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message, tmp_path):
    result = command(*arguments, "--out", tmp_path)
    assert result.returncode != 0
    assert message in result.stderr
