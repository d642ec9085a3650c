"""Time of a Laplace fit per lineage and generation, against scikit-learn in a loop and NUTS.

A block of 128 lineages, each with 100 real and 100 synthetic rows of a logistic regression with two
coefficients. ``mode, curvature, emission`` finds the modes and curvatures of all of them, draws one
posterior value each from the Gaussian approximation, and emits 100 rows at it. ``scikit-learn``
fits and emits one lineage after the other, without curvature. ``importance`` is the correction of
1,000 draws a lineage, apart; ``laplace, whole`` the engine's fit and emission with it, Pareto k and
refits included; ``nuts`` the engine's NUTS fit of the first lineages.
"""

from __future__ import annotations

import numpy as np
from interleaved import interleaved, parser, show, show_ratio
from sklearn.linear_model import LogisticRegression

from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.estimator.laplace import LAPLACE_BLOCK
from bayescollapse.estimator.laplace.newton import newton
from bayescollapse.estimator.laplace.proposals import propose
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.models import logistic_regression

ROWS, DRAWS, PRIOR_SD, NUTS_FITS = 100, 1000, 2.5, 8


class Fits:
    """The candidates: each fits the rows of a round."""

    def __init__(self, rounds: int) -> None:
        self.rounds = [_block(number) for number in range(rounds)]
        estimator = logistic_regression.estimator(features=2, prior_sd=PRIOR_SD)
        self.laplace, self.nuts = estimator.engine("laplace"), estimator.engine("nuts")
        self.start = np.zeros((LAPLACE_BLOCK, 2))
        self.weights = np.ones((LAPLACE_BLOCK, 2 * ROWS))

    def by_newton(self, number: int) -> None:
        """Modes, curvatures, one draw and one batch of rows for every lineage."""
        rows, rng = self.rounds[number], np.random.default_rng(number)
        bound = self.laplace._evaluate.bind(rows, self.weights)  # the engine's own back end
        modes = newton(bound.curvature, self.start)
        root = np.linalg.inv(np.linalg.cholesky(modes.precision))
        noise = rng.standard_normal((LAPLACE_BLOCK, 1, 2))
        beta = modes.point[:, None] + noise @ root
        self.laplace.forward({"beta": beta}, {"x": rows["x"][:, ROWS:]}, ROWS, rng)

    def by_scikit_learn(self, number: int) -> None:
        """Fit and emit with scikit-learn, one lineage after the other."""
        rows, rng = self.rounds[number], np.random.default_rng(number)
        for x, y in zip(rows["x"], rows["y"], strict=True):
            fit = LogisticRegression(C=PRIOR_SD**2, fit_intercept=False).fit(x, y)
            _ = rng.random(ROWS) < fit.predict_proba(x[ROWS:])[:, 1]

    def importance(self, number: int) -> None:
        """Draws and importance weights alone; the modes are found outside of the clock."""
        bound, modes = self.prepared[number]
        propose(bound, modes, DRAWS, None, np.random.default_rng(number))

    def prepare(self) -> None:
        """Find the modes that :meth:`importance` starts from."""
        bounds = [self.laplace._evaluate.bind(rows, self.weights) for rows in self.rounds]
        self.prepared = [(bound, newton(bound.curvature, self.start)) for bound in bounds]

    def by_laplace(self, number: int) -> None:
        """Fit the whole block through the engine, and emit."""
        rows, rng = self.rounds[number], np.random.default_rng(number)
        group = Group((rows,), None, 2 * ROWS, True, (0,))
        settings = FitSettings(DRAWS // 2, 2, None, lambda attempt: number + 1000 * attempt)
        fit = self.laplace.condition([group], [1.0], settings)
        self.laplace.forward(fit.draws(1, rng), {"x": rows["x"][:, ROWS:]}, ROWS, rng)

    def by_nuts(self, number: int) -> None:
        """Fit the first lineages of the block by NUTS, and emit."""
        rng = np.random.default_rng(number)
        for r in range(NUTS_FITS):
            rows = {name: value[r : r + 1] for name, value in self.rounds[number].items()}
            group = Group((rows,), None, 2 * ROWS, True, (0,))
            settings = FitSettings(DRAWS // 2, 2, None, lambda a, r=r: number + 1000 * a + r)
            fit = self.nuts.condition([group], [1.0], settings)
            self.nuts.forward(fit.draws(1, rng), {"x": rows["x"][:, ROWS:]}, ROWS, rng)


def _block(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((LAPLACE_BLOCK, 2 * ROWS, 2))
    chance = 1 / (1 + np.exp(-x @ np.ones(2)))
    return {"y": (rng.random(chance.shape) < chance).astype(np.int64), "x": x}


def main() -> None:
    """Time the candidates and print them, per lineage."""
    arguments = parser(__doc__, repeats=15).parse_args()
    with single_threaded():
        fits = Fits(arguments.repeats + 1)
        fits.prepare()
        candidates = {
            "mode, curvature, emission": fits.by_newton,
            "scikit-learn": fits.by_scikit_learn,
            "importance": fits.importance,
            "laplace, whole": fits.by_laplace,
            "nuts": fits.by_nuts,
        }
        seconds = interleaved(candidates, arguments.repeats)
    lineages = {name: NUTS_FITS if name == "nuts" else LAPLACE_BLOCK for name in candidates}
    each = {name: values / lineages[name] for name, values in seconds.items()}
    show(f"back end {fits.laplace.backend}", each, unit="ms a lineage", scale=1e3)
    show_ratio(each, "scikit-learn", "mode, curvature, emission", "at least 10")
    show_ratio(each, "nuts", "laplace, whole", "at least 2")


if __name__ == "__main__":
    main()
