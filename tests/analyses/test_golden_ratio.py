"""The golden-ratio analysis: its own laws, and the script as a person runs it."""

import csv
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import multivariate_normal

ANALYSES = Path(__file__).parents[2] / "analyses"
SCRIPT = ANALYSES / "golden_ratio.py"


def command(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def golden(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSES))
    return lambda name: importlib.import_module(f"golden.{name}")


def z_scores(errors, law):
    """Distances of mean errors (replicate, generation) from a law, in standard errors."""
    return (errors.mean(axis=0) - law) / (errors.std(axis=0, ddof=1) / np.sqrt(len(errors)))


# 24 comparisons in each of the next two tests: |z| > 4.5 has a false-alarm probability of 2e-4.
@pytest.mark.parametrize("dim", [2, 3])
def test_covariance_laws_agree_with_a_loop_of_their_own(golden, dim):
    """At 10 rows the two updates differ by 30 %: each law fails the other's loop."""
    shares, rows, generations = [0.0, 0.4, 0.8], 10, 4
    laws = {
        True: lambda share: golden("pooled_covariance").pooled_covariance_risk(
            generations, p=dim, n=rows, m=rows, real_share=share
        ),
        False: lambda share: (
            theory.covariance_risk(
                generations, covariance=np.eye(dim), n=rows, m=rows, real_share=share
            ).risk
        ),
    }
    for pooled, law in laws.items():
        errors = golden("apart").covariance_errors(
            shares,
            replicates=20_000,
            generations=generations,
            rows=rows,
            dim=dim,
            rng=np.random.default_rng(dim),
            pooled=pooled,
        )
        for share, found in zip(shares, errors, strict=True):
            assert np.abs(z_scores(found, law(share))).max() < 4.5
            assert np.abs(z_scores(found, laws[not pooled](share))).max() > 6


@pytest.mark.parametrize("emission", ["plug-in", "joint"])
def test_the_covariance_of_the_model_follows_the_pooled_law(golden, emission):
    scenario = golden("scenarios")
    prior = multivariate_normal.NormalInverseWishart(weight=1e-9, degrees=4.0, scale=1e-9)
    shares = (0.3, 0.6)
    run = bc.Experiment(
        multivariate_normal.estimator(dim=3, prior=prior),
        bc.Truth(mu=np.zeros(3), covariance=np.eye(3)),
        {f"{share:g}": bc.schemes.weighted(share, emission=emission) for share in shares},
        n_real=14,
        n_synthetic=20,
        generations=5,
        replicates=2560,
        keep_draws=0,
        keep_rows="none",
        references=(),
        probabilities=(),
    ).run(progress=False)
    errors = scenario.squared_errors(run, "covariance")
    for share, found in zip(shares, errors, strict=True):
        law = golden("pooled_covariance").pooled_covariance_risk(
            5, p=3, n=14, m=20, real_share=share, emission=emission
        )
        assert np.abs(z_scores(found, law)).max() < 4.5


def test_distance_of_a_distribution_is_the_integral(golden):
    """Against a Riemann sum on 200,000 points, whose error is below 1e-5."""
    from scipy.special import ndtr

    rng = np.random.default_rng(1)
    y, p = np.sort(rng.normal(size=(2, 7)), axis=1), rng.dirichlet(np.ones(7), size=(2, 3))
    found = golden("distribution").squared_distance(y, p)
    u = (np.arange(200_000) + 0.5) / 200_000
    for replicate, draw in np.ndindex(2, 3):
        steps = np.concatenate([[0], np.cumsum(p[replicate, draw])])
        height = steps[np.searchsorted(ndtr(y[replicate]), u, side="right")]
        assert found[replicate, draw] == pytest.approx(((height - u) ** 2).mean(), abs=1e-5)


def test_best_share_of_the_law_is_the_one_in_closed_form(golden):
    settings = golden("settings")
    mean, *_ = golden("scenarios").exact_scenarios()
    for k in (2.0, 1.0, 0.2):
        found = mean.best_share(settings.Size(1, 60), round(100 / k), "joint")
        assert found == pytest.approx(theory.optimal_share(k, emission="joint", n=100), abs=1e-3)


def test_examples(golden):
    assert doctest.testmod(golden("pooled_covariance")).failed == 0


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


def exact_z(path):
    with open(path, encoding="utf-8") as file:
        return np.array([float(row["z"]) for row in csv.DictReader(file) if row["law"] == "exact"])


def test_errors_are_close_to_the_laws(finished):
    """About 130 errors with an exact law: |z| > 4.75 anywhere has probability below 0.1 %.

    Generations without real rows are left out here, where errors are skewed: few of 128 lineages
    carry their mean.
    """
    out, _ = finished
    shares, ratios = exact_z(out / "errors.csv"), exact_z(out / "ratios.csv")
    assert len(shares) > 90
    assert len(ratios) > 15
    assert np.abs(np.concatenate([shares, ratios])).max() < 4.75


def test_every_scenario_of_the_paper_is_there(finished):
    out, _ = finished
    names = (
        "Gaussian mean",
        "Gaussian covariance",
        "Gaussian covariance, paper's update",
        "Linear regression, random design",
        "Linear regression, fixed design",
        "Logistic regression",
        "Poisson regression",
        "Empirical distribution",
    )
    for table in ("errors", "growth"):
        with open(out / f"{table}.csv", encoding="utf-8") as file:
            assert {row["model"] for row in csv.DictReader(file)} >= set(names)


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
