"""Time of a NUTS refit through the engine against nutpie's own public call.

Both get new rows of a logistic regression every round, exchange them in the same compiled model and
sample with the same seed, so they draw the same draws, which is checked. The engine's time includes
the gate (R-hat and effective sizes), the public call's the conversion to an ArviZ tree. That model
weights its rows; ``nutpie, unweighted`` is the public call on the same model without weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import nutpie
import xarray as xr
from interleaved import interleaved, parser, show, show_ratio

from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.estimator.mcmc import SampledFit
from bayescollapse.estimator.nuts import NutsSampler
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.models import logistic_regression

FEATURES, DRAWS, TUNE, CHAINS = 2, 500, 400, 2


class Refits:
    """The candidates: each fits the rows of a round."""

    def __init__(self, rows: int, rounds: int) -> None:
        self.rows = [_rows(rows, number) for number in range(rounds)]
        estimator = logistic_regression.estimator(features=FEATURES)
        self.engine = estimator.engine("nuts")
        self.shared = estimator.row_model.shared
        self.compiled = self.engine._sampler.compile()  # the engine's own compiled model
        model = logistic_regression.model(_dataset(self.rows[0]), features=FEATURES)
        self.unweighted = nutpie.compile_pymc_model(model, freeze_model=False)
        self.attempts: list[int] = []

    def by_engine(self, number: int) -> SampledFit:
        """Fit through the engine, gate included."""
        values = {name: value[None] for name, value in self.rows[number].items()}
        group = Group((values,), None, len(self.rows[number]["y"]), True, (0,))
        settings = FitSettings(DRAWS, CHAINS, TUNE, lambda attempt: number + 1000 * attempt)
        fit = self.engine.condition([group], [1.0], settings)
        self.attempts.append(fit.fit.attempts)
        return fit

    def by_nutpie(self, number: int, *, warmup: bool = True) -> xr.DataTree:
        """Fit the weighted model with the public call, which keeps the warm-up by default."""
        rows = self.rows[number]
        data = {self.shared[name]: value for name, value in rows.items()}
        compiled = self.compiled.with_data(**data, weights=np.ones(len(rows["y"])))
        return _sample(compiled, number, save_warmup=warmup)

    def by_nutpie_unweighted(self, number: int) -> xr.DataTree:
        """Fit the person's own model, without weights, with the public call."""
        rows = self.rows[number]
        return _sample(self.unweighted.with_data(x=rows["x"], y_rows=rows["y"]), number)

    def check(self, number: int) -> None:
        """Raise unless the engine's draws are those of the public call."""
        fit = self.by_engine(number)
        theirs = self.by_nutpie(number)["posterior"]["beta"].to_numpy()
        if fit.fit.attempts == 1:
            np.testing.assert_array_equal(fit.fit.parameters["beta"], theirs)


def _sample(compiled: Any, seed: int, **settings: Any) -> xr.DataTree:
    return nutpie.sample(
        compiled,
        draws=DRAWS,
        tune=TUNE,
        chains=CHAINS,
        cores=1,
        seed=seed,
        progress_bar=False,
        **settings,
    )


def _rows(count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, FEATURES))
    chance = 1 / (1 + np.exp(-x @ np.ones(FEATURES)))
    return {"y": (rng.random(count) < chance).astype(np.int64), "x": x}


def _dataset(rows: dict[str, np.ndarray]) -> xr.Dataset:
    return xr.Dataset({"y": ("obs", rows["y"]), "x": (("obs", "feature"), rows["x"])})


def main() -> None:
    """Time the candidates and print them."""
    arguments = parser(__doc__, repeats=40)
    arguments.add_argument("--rows", type=int, default=200)
    chosen = arguments.parse_args()
    with single_threaded():
        refits = Refits(chosen.rows, chosen.repeats + 1)
        assert isinstance(refits.engine._sampler, NutsSampler)
        refits.check(0)
        refits.attempts.clear()
        candidates = {
            "engine": refits.by_engine,
            "nutpie": refits.by_nutpie,
            "nutpie, no warm-up kept": lambda number: refits.by_nutpie(number, warmup=False),
            "nutpie, unweighted": refits.by_nutpie_unweighted,
        }
        seconds = interleaved(candidates, chosen.repeats)
    show(f"{chosen.rows} rows, {CHAINS} x {DRAWS} draws", seconds, unit="ms a fit", scale=1e3)
    show_ratio(seconds, "engine", "nutpie", "at most 1.0")
    show_ratio(seconds, "engine", "nutpie, no warm-up kept")
    show_ratio(seconds, "engine", "nutpie, unweighted")
    repeated = sum(attempts > 1 for attempts in refits.attempts)
    print(f"the gate repeated {repeated} of {len(refits.attempts)} engine fits")


if __name__ == "__main__":
    main()
