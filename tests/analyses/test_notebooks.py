"""Notebook-style examples: one for every model, each run as it stands."""

import ast
import re
import runpy
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest

from bayescollapse import models

FOLDER = Path(__file__).parents[2] / "analyses" / "notebooks"

# Compiling and sampling take 10 to 25 s each; one of them runs every day.
SAMPLED = {
    "censored_regression",
    "decoder",
    "factor_analysis",
    "gaussian_mixture",
    "hierarchical_regression",
    "logistic_regression",
    "poisson_regression",
    "regression_mixture",
    "student_t_regression",
}
EVERY_DAY = "student_t_regression"

ALLOWED = {
    "arviz",
    "bayescollapse",
    "bayescollapse.models",
    "numpy",
    "pandas",
    "scipy.special",
    "sklearn.datasets",
    "xarray",
}


def marked(name):
    slow = name in SAMPLED and name != EVERY_DAY
    return pytest.param(name, marks=[pytest.mark.verification] if slow else [])


@pytest.fixture
def notebook_session(tmp_path, monkeypatch):
    """An empty working directory and figures that nobody sees."""
    monkeypatch.chdir(tmp_path)
    backend = matplotlib.get_backend()
    matplotlib.use("Agg")
    yield tmp_path
    plt.close("all")
    matplotlib.use(backend)


def test_every_model_has_one():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(models.__all__)


@pytest.mark.parametrize("name", [marked(name) for name in models.__all__])
def test_it_runs_and_says_what_it_found(name, notebook_session, capsys):
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    finding = capsys.readouterr().out.rstrip().splitlines()[-1]
    assert re.search(r"\d", finding)
    assert "nan" not in finding
    assert finding.endswith(".")
    assert not list(notebook_session.iterdir())


@pytest.mark.parametrize("name", models.__all__)
def test_it_opens_as_a_notebook(name):
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    docstring, *cells = re.split(r"^# %%", text, flags=re.MULTILINE)
    assert docstring.startswith('"""')
    assert cells[0].startswith(" [markdown]\n# # ")
    for cell in cells:
        marker, _, body = cell.partition("\n")
        assert marker in ("", " [markdown]")
        assert body.strip()
        comments = [line.startswith("#") for line in body.strip().splitlines()]
        assert all(comments) if marker else not all(comments)
    assert 40 <= text.count("\n") <= 75


@pytest.mark.parametrize("name", models.__all__)
def test_it_uses_the_public_interface_only(name):
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    imported, from_models = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
            if node.module == "bayescollapse.models":
                from_models |= {alias.name for alias in node.names}
    assert imported <= ALLOWED
    assert name in from_models
    called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for wanted in (r"\.fit$", r"\.emit$", r"^az\.(summary|plot_)", r"^bc\.Experiment$", r"^print$"):
        assert any(re.search(wanted, name) for name in called), wanted
