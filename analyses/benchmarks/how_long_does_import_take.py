"""Cold import time of the package, and the heavy modules that are loaded.

Every figure is a new Python process with byte code already compiled and files in the page cache.
``bare Python`` starts the interpreter alone; other rows include it. ``a model of one's own`` has
no exact posterior, so PyMC is imported and the model is read, but nothing is compiled to sample.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from interleaved import interleaved, parser, show, show_ratio

EXPERIMENT = """
import bayescollapse as bc
from bayescollapse.models import gaussian
bc.Experiment(
    gaussian.estimator(), bc.Truth(mu=0.0, sigma=1.0), bc.schemes.pooled(),
    n_real=20, generations=2, replicates=2,
).run(progress=False)
"""

ESTIMATOR = """
from bayescollapse.models import logistic_regression
logistic_regression.estimator(features=2).schema
"""

PROGRAMS = {
    "bare Python": "pass",
    "numpy": "import numpy",
    "xarray": "import xarray",
    "bayescollapse": "import bayescollapse",
    "an exact experiment": EXPERIMENT,
    "a model of one's own": ESTIMATOR,
    "pymc": "import pymc",
}

HEAVY_MS = 5.0


def run(program: str, _: int = 0) -> None:
    """Run a program in a new process."""
    subprocess.run([sys.executable, "-c", program], check=True)


def own_milliseconds(program: str) -> dict[str, float]:
    """Time that each top-level package's modules take themselves, by ``-X importtime``."""
    arguments = [sys.executable, "-X", "importtime", "-c", program]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    packages: dict[str, float] = {}
    for line in done.stderr.splitlines():
        own, *_, name = line.removeprefix("import time:").split("|")
        if own.strip().isdigit():
            package = name.strip().partition(".")[0]
            packages[package] = packages.get(package, 0.0) + int(own) / 1e3
    return packages


def heavy(program: str) -> str:
    """List packages that take more than a few ms, heaviest first."""
    packages = {name: ms for name, ms in own_milliseconds(program).items() if ms > HEAVY_MS}
    ordered = sorted(packages, key=lambda name: -packages[name])
    return ", ".join(f"{name} {packages[name]:.0f}" for name in ordered) or "none"


def main() -> None:
    """Time every program and list what it loads."""
    repeats = parser(__doc__, repeats=9).parse_args().repeats
    candidates = {name: partial(run, program) for name, program in PROGRAMS.items()}
    seconds = interleaved(candidates, repeats)
    show("New processes", seconds, unit="ms", scale=1e3)
    show_ratio(seconds, "bayescollapse", "numpy")
    show_ratio(seconds, "bayescollapse", "pymc")
    show_ratio(seconds, "an exact experiment", "pymc")
    print(f"\nPackages whose own modules take more than {HEAVY_MS:g} ms (ms, under -X importtime)")
    for name, program in PROGRAMS.items():
        print(f"{name}: {heavy(program)}")


if __name__ == "__main__":
    main()
