"""All default measures of a large run, within the time and the memory of an analysis."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import linear_regression

SECONDS = 30
GIBIBYTES = 2

# A process of its own: the peak of its memory is that of the measures, and its processor time
# counts threads, so that it stays the same beside other work.
MEASURED = """
import resource, sys, time
import bayescollapse as bc
run = bc.open_run(sys.argv[1])
started = time.process_time()
bc.drift(run, progress=False)
bc.information(run)
bc.collapse(run)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(time.process_time() - started, peak / 2**20)
"""


def covariates(rows: int, rng: np.random.Generator) -> xr.Dataset:
    return xr.Dataset({"x": (("obs", "feature"), rng.normal(size=(rows, 4)))})


@pytest.mark.verification
def test_measures_of_a_large_run(tmp_path):
    """5 schemes, 200 replicates, 20 generations, 200 draws and 5 parameters."""
    experiment = bc.Experiment(
        linear_regression.estimator(features=4),
        bc.Truth(beta=np.zeros(4), sigma=1.0, covariates=covariates),
        {
            "replace": bc.schemes.replace(),
            "accumulate": bc.schemes.accumulate(),
            "pooled": bc.schemes.pooled(),
            "30 %": bc.schemes.weighted(0.3),
            "70 %": bc.schemes.weighted(0.7),
        },
        n_real=50,
        generations=20,
        replicates=200,
        keep_draws=200,
        held_out=100,
    )
    experiment.run(tmp_path / "run", progress=False)
    finished = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / "run")],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, peak = map(float, finished.stdout.split())
    print(f"{seconds:.1f} s of processor time, peak {peak:.2f} GiB")
    assert seconds <= SECONDS
    assert peak <= GIBIBYTES
