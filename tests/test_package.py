"""The package: light import, wheel contents, README code."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("pymc", "arviz", "nutpie", "scipy.stats", "pytensor", "matplotlib", "pandas")


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_import_is_light():
    heavy = run_python(
        "import sys, bayescollapse; bayescollapse.schemes.pooled(); "
        f"print([m for m in {HEAVY[:4]} if m in sys.modules])"
    )
    assert heavy.strip() == "[]"


def test_exact_runs_need_no_pymc():
    code = """
import sys, bayescollapse as bc
from bayescollapse.models import gaussian
bc.Experiment(gaussian.estimator(), bc.Truth(mu=0.0, sigma=1.0), bc.schemes.replace(),
              n_real=9, generations=2, replicates=2).run(progress=False)
print([m for m in ("pymc", "nutpie", "scipy.stats") if m in sys.modules])
"""
    assert run_python(code).strip() == "[]"


def test_every_public_name_loads():
    import bayescollapse as bc

    for name in bc.__all__:
        assert getattr(bc, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        bc.nothing  # noqa: B018


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_wheel_holds_the_models(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    modules = {path.name for path in (ROOT / "models").glob("*.py")}
    assert {f"bayescollapse/models/{name}" for name in modules} <= set(names)
    assert not any(name.startswith("models/") for name in names)
    assert len(names) == len(set(names))
    assert any(
        name.startswith("bayescollapse/reporting/") and name.endswith(".html.j2") for name in names
    )


def test_no_generated_files_are_tracked():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "uv.lock" not in tracked.stdout
    files = re.sub(r"^tests/reference/.*$", "", tracked.stdout, flags=re.MULTILINE)
    assert not re.search(r"^results/|\.ipynb$|\.npz$", files, flags=re.MULTILINE)


def test_readme_code_runs(tmp_path, monkeypatch):
    """A reader's own model in the loop, in at most 15 lines."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert blocks
    own_model = blocks[0]
    assert len([line for line in own_model.splitlines() if line.strip()]) <= 15
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
