"""The verification analysis: its laws and measures, and the script as a person runs it."""

import csv
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.stats import chi2, truncnorm

from bayescollapse import theory

ANALYSES = Path(__file__).parents[2] / "analyses"
ROWS = np.array([10.0, 50.0, 100.0, 150.0])
SLACK = np.sqrt(2 / np.pi)


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(ANALYSES / "verification.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def part(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSES))
    return lambda name: import_module(f"verification_parts.{name}")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("verification")
    arguments = ["--quick", "--replicates", 128, "--generations", 8, "--workers", 1, "--out", out]
    result = command(*arguments)
    assert result.returncode == 0, result.stderr
    return out, arguments, result.stdout


def simulated(loop, lineages, rng):
    """Offsets (generation, lineage, direction) of a loop, in plain NumPy."""
    z = -loop.bias + rng.standard_normal((lineages, 2)) / np.sqrt(ROWS[0])
    path = [z]
    for before, count in zip(ROWS[:-1], ROWS[1:].astype(int), strict=True):
        joint = loop.emission == "joint"
        z = z + joint * rng.standard_normal(z.shape) / np.sqrt(before)
        reach = np.inf if loop.radius is None else loop.radius + SLACK
        noise = truncnorm.rvs(-reach - z, reach - z, size=(count, *z.shape), random_state=rng)
        z = z + noise.mean(axis=0)
        path.append(z)
    return np.array(path)


def covered(path, point):
    scaled = ROWS[:, None] * ((path - point) ** 2).sum(axis=2)
    return (scaled <= chi2.ppf(0.95, 2)).sum(axis=1)


@pytest.mark.parametrize("emission", ["plug-in", "joint"])
@pytest.mark.parametrize("radius", [None, 1.5])
def test_laws_hold_in_an_independent_loop(part, emission, radius):
    """88 z-scores over all cases; |z| > 5 anywhere has probability below 1e-4."""
    loops, laws, compare = part("loops"), part("laws"), part("compare")
    loop = loops.Loop("biased", 1.2 if radius else 0.0, radius, emission)
    law = laws.follow(loop, ROWS)
    path = simulated(loop, 2000, np.random.default_rng(1))
    for of, point in (("truth", -loop.bias), ("centre", 0.0)):
        errors = ((path - point) ** 2).sum(axis=2)
        mcse = errors.std(axis=1, ddof=1) / np.sqrt(2000)
        assert np.all(abs(errors.mean(axis=1) - compare.error_law(law, of)) < 5 * mcse)
        for count, expected in zip(covered(path, point), law.coverage(of), strict=True):
            assert abs(compare.binomial_z(count, 2000, expected)) < 5


def test_a_wrong_radius_would_be_seen(part):
    loops, laws, compare = part("loops"), part("laws"), part("compare")
    path = simulated(loops.Loop("biased", 1.2, 1.5), 2000, np.random.default_rng(1))
    wrong = laws.follow(loops.Loop("biased", 1.2, 1.2), ROWS)
    counts = covered(path, 0.0)
    assert abs(compare.binomial_z(counts[3], 2000, wrong.coverage("centre")[3])) > 5


def test_without_a_verifier_laws_have_closed_forms(part):
    loops, laws = part("loops"), part("laws")
    plug_in = laws.follow(loops.Loop("none", 0.0, None), ROWS)
    closed = theory.growing_replace_error(ROWS, variance=2.0)
    np.testing.assert_allclose(plug_in.truth_error, closed, rtol=1e-6)
    claimed = 2 / ROWS
    regions = chi2.cdf(chi2.ppf(0.95, 2) * claimed / closed, 2)
    np.testing.assert_allclose(plug_in.coverage("truth"), regions, rtol=1e-5)
    joint = laws.follow(loops.Loop("none", 0.0, None, "joint"), ROWS)
    passed_on = np.append(0.0, np.cumsum(claimed)[:-1])
    np.testing.assert_allclose(joint.truth_error, closed + passed_on, rtol=1e-6)
    np.testing.assert_allclose(plug_in.acceptance(), 1, rtol=1e-6)


@pytest.mark.parametrize("emission", ["plug-in", "joint"])
def test_the_library_law_is_exact_after_one_round_and_close_later(part, emission):
    loops, laws = part("loops"), part("laws")
    law = laws.follow(loops.Loop("biased", 1.0, 1.5, emission), ROWS)
    truth, centre = law.second_order
    np.testing.assert_allclose(law.truth_error[:2], truth[:2], rtol=1e-6)
    np.testing.assert_allclose(law.centre_error[:2], centre[:2], rtol=1e-6)
    np.testing.assert_allclose(law.truth_error, truth, rtol=0.03)


@pytest.mark.parametrize(("emission", "honest"), [("plug-in", (5**0.5 - 1) / 2), ("joint", 0.5)])
def test_regions_about_the_centre_are_honest_at_one_contraction(
    part, monkeypatch, emission, honest
):
    loops, laws = part("loops"), part("laws")
    monkeypatch.setattr(laws, "rate", lambda loop: honest)
    assert laws.limit_coverage(loops.Loop("any", 0.0, 1.0, emission)) == pytest.approx(0.95)


@pytest.mark.parametrize("emission", ["plug-in", "joint"])
def test_coverage_goes_to_its_limit(part, emission):
    """Rows that grow by 2 % a generation for 40 generations."""
    loops, laws = part("loops"), part("laws")
    loop = loops.Loop("unbiased", 0.0, 1.0, emission)
    law = laws.follow(loop, np.append(25.0, 200 * 1.02 ** np.arange(40)))
    assert law.coverage("centre")[-1] == pytest.approx(laws.limit_coverage(loop), abs=0.01)


def test_break_even_is_where_the_line_crosses(part):
    one_round = part("one_round")
    distance = np.array([0.0, 0.2, 0.4])
    cells = xr.Dataset(
        {
            "measured": (("distance", "radius"), np.array([[0.3], [0.1], [-0.1]])),
            "standard_error": (("distance", "radius"), np.full((3, 1), 0.01)),
        },
        coords={"distance": distance, "radius": [0.1]},
    )
    assert one_round.break_even(cells, "measured") == pytest.approx([0.3])
    assert one_round.break_even_error(cells) == pytest.approx([0.01])


def test_log_ratio_has_the_error_of_paired_lineages(part):
    one_round = part("one_round")
    rng = np.random.default_rng(2)
    before = rng.chisquare(8, size=(1, 4000))
    ratio, error = one_round.log_ratio(np.stack([before, before / 4], axis=-1))
    assert ratio == pytest.approx([np.log(2)])
    assert error == pytest.approx([0], abs=1e-12)
    free = np.stack([before, rng.chisquare(8, size=(1, 4000))], axis=-1)
    assert one_round.log_ratio(free)[1] == pytest.approx([0.5 * np.sqrt(2 * 0.25 / 4000)], rel=0.1)


def test_the_theorem_has_the_papers_range(part):
    """The paper's map runs from -0.8 to 0.8, blue where the verifier is unbiased."""
    one_round = part("one_round")
    grid = ([0.0, 0.7], [0.01, 0.5])
    exact, second = one_round.exact_law(*grid), one_round.theorem(*grid)
    assert np.all(abs(exact) < 0.8)
    assert np.all(exact[0] > 0)
    assert np.all(exact[1] < 0)
    np.testing.assert_allclose(exact, second, atol=0.01)


def test_binomial_z_is_normal_on_average(part):
    z = part("compare").binomial_z
    assert z(50, 100, 0.5) == pytest.approx(0, abs=1e-9)
    assert z(0, 100, 1e-12) == pytest.approx(0, abs=1e-6)
    assert z(60, 100, 0.5) == pytest.approx(-z(40, 100, 0.5))
    assert z(5, 100, 1e-3) > 5


def test_page_tables_and_pictures(finished):
    out, _, printed = finished
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert page.count("data:image/png;base64") == 5
    assert len(list(out.glob("*.png"))) == 5
    assert "2510.16657" in page
    assert "standard error" in page
    assert "short of accepted rows" in printed
    assert str(out / "report.html") in printed.replace("\n", "")


def test_measurements_are_close_to_theory(finished):
    """About 600 z-scores, many of them correlated; |z| > 5 anywhere: below 0.1 %."""
    out, _, _ = finished
    z = []
    for path in out.glob("*.csv"):
        with open(path, encoding="utf-8") as file:
            z += [float(row["z"]) for row in csv.DictReader(file) if row["z"] != "nan"]
    assert len(z) > 400
    assert np.max(np.abs(z)) < 5


def test_the_bound_holds(finished):
    """24 figures; each lies above its bound by 5 standard errors with probability 3e-7."""
    out, _, _ = finished
    with open(out / "many-rounds-distances.csv", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["distance_to"] == "centre" and r["radius"]]
    assert len(rows) == 24
    for row in rows:
        t, radius = int(row["t"]), float(row["radius"])
        bound = theory.verified_error_bound(
            8,
            initial_error=1.08,
            accepted=np.array([25, *range(50, 400, 50)]),
            dimensions=2,
            radius=radius,
        )[t]
        assert float(row["measured"]) < bound + 5 * float(row["standard_error"])


def test_a_second_run_computes_nothing(finished):
    out, arguments, printed = finished
    shards = {p: p.stat().st_mtime_ns for p in (out / "runs").rglob("*.npz")}
    assert shards
    again = command(*arguments)
    assert again.returncode == 0, again.stderr
    assert {p: p.stat().st_mtime_ns for p in (out / "runs").rglob("*.npz")} == shards
    assert again.stdout.split("Took")[0].split() == printed.split("Took")[0].split()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replicates", 0], "at least 1"),
        (["--replicates", 1], "at least 2"),
        (["--generations", 2], "at least 3"),
    ],
)
def test_bad_sizes_are_refused(monkeypatch, capsys, arguments, message):
    monkeypatch.syspath_prepend(str(ANALYSES))
    monkeypatch.setattr(sys, "argv", ["verification.py", *map(str, arguments)])
    with pytest.raises(SystemExit):
        import_module("verification").parse()
    assert message in capsys.readouterr().err
