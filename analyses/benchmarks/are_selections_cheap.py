"""Time a generation with a verifier or a curator against the plain scheme.

Every scheme trains on as many rows: the verifier accepts half of what is proposed, the curator
picks one row of two. All are timed per generation of 128 lineages, for a Gaussian mean (the
cheapest generation there is) and for a regression.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr
from interleaved import interleaved, parser, show, show_ratio

import bayescollapse as bc
from bayescollapse.models import gaussian_mean, linear_regression
from bayescollapse.sources import NormalCovariates

HALF = 0.6745  # a standard normal number lies within with probability one half
REPLICATES = 128


def experiments(rows: int, generations: int) -> dict[str, bc.Experiment]:
    """Set up the loops that are compared."""
    schemes = {
        "plain": bc.Scheme(emission="plug-in"),
        "verifier": bc.Scheme(
            emission="plug-in", selection=bc.schemes.VerifierBall(radius=0.0, slack=HALF)
        ),
        "curator": bc.Scheme(
            emission="plug-in",
            selection=bc.schemes.Curation(bc.schemes.QuadraticReward(centre=0.0, width=1.0), 2),
        ),
    }
    models = {
        "mean": (gaussian_mean.estimator(), bc.Truth(mu=0.0)),
        "regression": (
            linear_regression.estimator(features=2, noise_sd=1.0),
            bc.Truth(beta=[0.0, 0.0], covariates=NormalCovariates(2)),
        ),
    }
    settings = {"keep_draws": 0, "keep_rows": "none", "references": (), "n_real": rows}
    return {
        f"{model}, {name}": bc.Experiment(
            estimator,
            source,
            scheme,
            generations=generations,
            replicates=REPLICATES,
            **settings,
        )
        for model, (estimator, source) in models.items()
        for name, scheme in schemes.items()
    }


def acceptance(run: xr.DataTree) -> float:
    """Share of the emitted rows that were accepted."""
    training = run["training"].to_dataset()
    return float(training["accepted"].sum() / training["emitted"].sum())


def main() -> None:
    """Run the comparison."""
    options = parser(__doc__, repeats=9)
    options.add_argument("--rows", type=int, default=100, help="rows (default: %(default)s)")
    arguments = options.parse_args()
    generations = 100
    made = experiments(arguments.rows, generations)
    for name, experiment in made.items():
        print(f"{name}: {acceptance(experiment.run(progress=False)):.2f} of the rows accepted")

    def once(experiment: bc.Experiment, number: int) -> None:
        experiment.run(progress=False)

    seconds = interleaved({n: partial(once, e) for n, e in made.items()}, arguments.repeats)
    title = f"{arguments.rows} rows, {REPLICATES} lineages"
    show(title, seconds, unit="ms a generation", scale=1e3 / generations)
    for name in made:
        model, _, scheme = name.partition(", ")
        if scheme != "plain":
            show_ratio(seconds, name, f"{model}, plain", "at most 2")
    assert all(np.isfinite(values).all() for values in seconds.values())


if __name__ == "__main__":
    main()
