"""The digits analysis: distance, verifiers, intervals, and the script as a person runs it."""

import csv
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import linalg, stats

import bayescollapse as bc
from bayescollapse.schemes import Context
from bayescollapse.schemes.selection.score import TopShare

ANALYSES = Path(__file__).parents[2] / "analyses"
SIZES = ("--images", 100, "--made", 100, "--factors", 2, "--lineages", 2, "--workers", 1)


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(ANALYSES / "digits.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def part(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSES))
    return lambda name: import_module(f"digits_parts.{name}")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("digits")
    arguments = ("--quick", "--data", "sklearn", "--no-decoder", "--generations", 3, *SIZES)
    result = command(*arguments, "--out", out)
    assert result.returncode == 0, result.stderr
    return out, (*arguments, "--out", out), result.stdout


def read(out):
    with open(out / "pca.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def whitened(rng, count, size):
    """Rows with mean 0 and covariance I to rounding."""
    rows = rng.standard_normal((count, size))
    rows -= rows.mean(axis=0)
    return rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T


def test_frechet_distance_is_that_of_two_normals(part):
    rng = np.random.default_rng(1)
    rows, frechet = whitened(rng, 60, 3), part("features").frechet
    first, second, shift = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 0.5]), [1.0, 0.0, -2.0]
    expected = 5.0 + ((first - second) ** 2).sum()
    assert frechet(rows * first, rows * second + shift) == pytest.approx(expected)
    assert frechet(rows, rows) == pytest.approx(0.0, abs=1e-7)


def test_frechet_distance_of_covariances_that_do_not_commute(part):
    rng = np.random.default_rng(2)
    one, two = (rng.standard_normal((3, 3)) for _ in range(2))
    rows = whitened(rng, 50, 3)
    a, b = one.T @ one, two.T @ two
    expected = np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    assert part("features").frechet(rows @ one, rows @ two) == pytest.approx(expected)


def test_parts_share_no_image_and_are_balanced(part):
    digits = part("data").load_digits("sklearn")
    parts = [digits.pool, digits.other, digits.held_out]
    seen = [{image.tobytes() for image in p["y"].to_numpy()} for p in parts]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    assert sum(p.sizes["obs"] for p in parts) == 1797
    assert digits.known.sizes["obs"] == 1797 - digits.held_out.sizes["obs"]
    drawn = part("data").real_rows(digits.pool)(200, np.random.default_rng(0))
    assert np.bincount(drawn["label"]).tolist() == [20] * 10
    assert len({image.tobytes() for image in drawn["y"].to_numpy()}) == 200


def test_verifiers_know_real_digits(part):
    verifiers, digits = part("verifiers"), part("data").load_digits("sklearn")
    held_out = digits.held_out
    wrong = held_out.assign(label=(held_out["label"] + 1) % 10)
    legible = verifiers.Legible("sklearn")
    right = verifiers.score_of(legible, held_out) > verifiers.score_of(legible, wrong)
    # Of about 360 images; trees on these digits err for some 3 %.
    assert right.mean() > 0.9
    made = np.concatenate(
        [
            verifiers.imitations(
                digits.known["y"].to_numpy()[digits.known["label"] == digit],
                20,
                2,
                np.random.default_rng(99),
            )
            for digit in range(10)
        ]
    )
    imitated = xr.Dataset(
        {"y": (("obs", "feature"), made), "label": ("obs", np.sort(digits.known["label"]))}
    )
    lifelike = verifiers.Lifelike("sklearn", 200, 2)
    real, other = (verifiers.score_of(lifelike, rows).mean() for rows in (held_out, imitated))
    assert real > 0.5 > other


def test_verifiers_are_the_same_in_every_process(part):
    verifiers, held_out = part("verifiers"), part("data").load_digits("sklearn").held_out
    pixels = held_out["y"].to_numpy()
    first, second = (verifiers.classifier.__wrapped__("sklearn", False) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(pixels), second.predict_proba(pixels))


def test_imitations_have_the_moments_of_real_images(part):
    rng = np.random.default_rng(3)
    real = rng.standard_normal((20_000, 4)) * [3.0, 2.0, 1.0, 1.0] + [0.0, 1.0, 2.0, 3.0]
    made = part("verifiers").imitations(real, len(real), 2, rng)
    # Standard errors of a mean are at most 3/sqrt(20,000) = 0.021, of a variance 9 x 0.01 = 0.09,
    # twice over as the real images vary too: 5 of these, false alarm below 1e-4 over 8 figures.
    np.testing.assert_allclose(made.mean(axis=0), [0.0, 1.0, 2.0, 3.0], atol=0.15)
    np.testing.assert_allclose(made.var(axis=0), [9.0, 4.0, 1.0, 1.0], atol=0.65)


def test_the_best_tenth_of_every_digit_is_kept(part):
    score = part("verifiers").Legible("sklearn")
    pool = part("data").load_digits("sklearn").pool
    rows = {
        "y": pool["y"].to_numpy()[None],
        "label": pool["label"].to_numpy()[None],
    }
    wanted = 70
    best = TopShare(score, keep=0.1, per="label", categories=10)
    kept = best.select(rows, Context(1, 0, wanted, np.random.default_rng(0)))[0]
    assert np.bincount(rows["label"][0][kept], minlength=10).tolist() == [7] * 10
    values = score.score(rows, None)[0]
    for digit in range(10):
        own = rows["label"][0] == digit
        assert values[own & kept].min() >= np.sort(values[own])[-7]


def test_a_verified_scheme_is_data(part):
    best = TopShare(part("verifiers").Lifelike("sklearn", 100, 2), keep=0.1, per="label")
    scheme = bc.schemes.replace(emission="plug-in", selection=best)
    assert bc.Scheme.from_dict(scheme.to_dict()) == scheme
    assert "Lifelike(source='sklearn', images=100, factors=2)" in repr(scheme)


def test_intervals_are_those_of_student(part):
    values = xr.DataArray([1.0, 2.0, 4.0, 7.0], dims="replicate")
    found = part("measures").interval(values)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (float(found["low"]), float(found["high"])) == pytest.approx(expected)
    logs = part("measures").interval(values, log=True)
    assert float(logs["mean"]) == pytest.approx(stats.gmean(values))


@pytest.mark.parametrize(
    ("name", "after", "word"),
    [
        ("frechet", [0.5, 0.55, 0.5], "better"),
        ("frechet", [2.0, 2.1, 2.0], "worse"),
        ("density", [2.0, 2.1, 2.0], "better"),
        ("density", [0.5, 0.55, 0.5], "worse"),
        ("density", [0.5, 1.5, 1.0], "undecided"),
    ],
)
def test_verdicts_read_the_interval(part, name, after, word):
    values = np.stack([np.ones(3), after], axis=1)[None]
    dims = ("scheme", "replicate", "generation")
    measured = xr.Dataset({name: (dims, values)}, coords={"scheme": ["a"], "generation": [0, 1]})
    change = part("measures").contrast(measured, name, "a", 0, 1)
    assert part("findings").verdict(name, change) == word


def test_page_pictures_and_table(finished):
    out, _, printed = finished
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert page.count("data:image/png;base64") == 7 == len(list(out.glob("*.png")))
    assert "approximate" in page
    assert "Expected: degrades. Seen:" in " ".join(printed.split())
    assert len(read(out)) == 3 * 2 * 3


def test_loops_share_generation_0_and_the_unverified_one_forgets(finished):
    out, _, _ = finished
    density = {(r["scheme"], r["replicate"], r["generation"]): r["density"] for r in read(out)}
    for lineage in "01":
        first = {density[s, lineage, "0"] for s, _, _ in density}
        assert len(first) == 1
        assert float(density["unverified", lineage, "2"]) < float(first.pop())


def test_the_verifier_keeps_a_tenth(finished):
    out, _, _ = finished
    training = bc.open_run(next((out / "runs").glob("loops-*")))["training"].to_dataset()
    made = training.isel(generation=slice(0, 2)).sel(scheme="verified as legible")
    assert (made["emitted"] == 1000).all() and (made["accepted"] == 100).all()
    assert (training["emitted"].sel(scheme="unverified").isel(generation=0) == 100).all()


def test_a_second_run_reads_the_first(finished):
    out, arguments, _ = finished
    before = (out / "pca.csv").read_text()
    shards = sorted((path.name, path.stat().st_mtime_ns) for path in out.glob("runs/*/shards/*"))
    assert command(*arguments).returncode == 0
    after = sorted((path.name, path.stat().st_mtime_ns) for path in out.glob("runs/*/shards/*"))
    assert after == shards
    assert (out / "pca.csv").read_text() == before


@pytest.mark.verification
def test_the_quick_run_has_the_decoder(tmp_path):
    result = command("--quick", "--out", tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "decoder.csv").exists()
    assert len(list(tmp_path.glob("decoder*.png"))) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", 10_000], "--images must be at most"),
        (["--images", 105], "multiple of 10"),
        (["--made", 10], "at least 20"),
        (["--generations", 1], "at least 2"),
        (["--lineages", 1], "at least 2"),
        (["--images", 0], "at least 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ANALYSES))
    monkeypatch.setattr(sys, "argv", ["digits.py", "--data", "sklearn", *map(str, arguments)])
    with pytest.raises(SystemExit):
        import_module("digits").parse()
    assert message in " ".join(capsys.readouterr().err.split())
