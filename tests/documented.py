"""Models that nobody here wrote, with rows, and what every one of them is tested by.

A model's weighted density is compared with the density of the same code called with repeated rows,
which knows nothing of row models or weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor
import xarray as xr

from bayescollapse.estimator.graph import RowModel, row_model, row_variables
from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.estimator.probe import start_point
from bayescollapse.estimator.tilt import neutral_rows, weighted_model, weights_name
from tests import documented_models as docs

__all__ = [
    "DOCUMENTED",
    "Documented",
    "Point",
    "Rows",
    "Weighted",
    "compiled",
    "points",
    "reference",
]

Rows = dict[str, np.ndarray]
Point = dict[str, np.ndarray]

RNG = np.random.default_rng(2024)
N = 24


@dataclass(frozen=True, eq=False)
class Documented:
    """A model as a function of its rows, and rows.

    Parameters
    ----------
    build : callable
        ``build(**rows)`` is the model.
    rows : dict of str to ndarray
        Responses and covariates by the names that rows of the model have.
    responses : tuple of str
        Which of them are responses.
    """

    build: Callable[..., pm.Model]
    rows: Rows
    responses: tuple[str, ...] = ("y",)

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(next(iter(self.rows.values())))

    def take(self, index: np.ndarray) -> Rows:
        """Rows by position."""
        return {name: value[index] for name, value in self.rows.items()}

    def row_model(self, index: np.ndarray | None = None) -> RowModel:
        """Row model whose template is a part of the rows, or all."""
        return row_model(self.build(**(self.rows if index is None else self.take(index))))

    def dataset(self) -> xr.Dataset:
        """Rows as a person gives them."""
        return xr.Dataset(
            {
                name: (("obs", *(f"{name}_axis_{i}" for i in range(value.ndim - 1))), value)
                for name, value in self.rows.items()
            }
        )


class Weighted:
    """Log density and gradient of a weighted row model, with rows and weights to be exchanged."""

    def __init__(self, built: RowModel) -> None:
        self.built, self.model = built, weighted_model(built)
        self._weights = self.model[weights_name(built)]
        self._rows = row_variables(built, self.model)
        self._function = compiled(self.model)

    def __call__(self, rows: Rows, weights: np.ndarray, point: Point) -> np.ndarray:
        """Log density, then its gradient with respect to the values sorted by name."""
        for name, value in neutral_rows(rows, weights).items() if weights.any() else rows.items():
            self._rows[name].set_value(value.astype(self._rows[name].dtype))
        self._weights.set_value(weights.astype(float))
        return self._function(point)


def compiled(model: pm.Model) -> Callable[[Point], np.ndarray]:
    """Log density and gradient of a model, the latter by value names in alphabetical order."""
    values, density = sorted(model.value_vars, key=lambda v: v.name), model.logp()
    gradient = pytensor.gradient.grad(density, values, disconnected_inputs="ignore")
    function = pytensor.function(
        values, [density, *gradient], mode=PYTHON, on_unused_input="ignore"
    )

    def evaluate(point: Point) -> np.ndarray:
        return np.concatenate([np.ravel(out) for out in function(*(point[v.name] for v in values))])

    return evaluate


def reference(build: Callable[..., pm.Model], rows: Rows, index: np.ndarray) -> Callable:
    """Density and gradient of the person's own code, called with the rows at `index`."""
    return compiled(build(**{name: value[index] for name, value in rows.items()}))


def points(model: pm.Model, count: int, rng: np.random.Generator) -> list[Point]:
    """Random unconstrained points around the initial one."""
    start = start_point(model)
    return [
        {name: value + rng.uniform(-0.5, 0.5, value.shape) for name, value in start.items()}
        for _ in range(count)
    ]


X1 = RNG.normal(size=N)
POSITIONS = np.sort(RNG.uniform(-1, 1, N))[:, None]

DOCUMENTED: dict[str, Documented] = {
    "rugby": Documented(
        docs.rugby,
        {
            "home_team": RNG.integers(0, 4, N).astype("int32"),
            "away_team": RNG.integers(0, 4, N).astype("int32"),
            "home_points": RNG.poisson(20, N),
            "away_points": RNG.poisson(16, N),
        },
        ("home_points", "away_points"),
    ),
    "radon": Documented(
        docs.radon,
        {
            "floor_idx": RNG.integers(0, 2, N).astype("int32"),
            "county_idx": RNG.integers(0, 3, N).astype("int32"),
            "y": RNG.normal(1, 1, N),
        },
    ),
    "softmax": Documented(
        docs.softmax_regression, {"x": RNG.normal(size=(N, 2)), "y": RNG.integers(0, 3, N)}
    ),
    "ordinal": Documented(docs.ordered_logistic, {"x": X1, "y": RNG.integers(0, 3, N)}),
    "counts": Documented(
        docs.counts,
        {"exposure": RNG.uniform(0.5, 2, N), "y": RNG.poisson(3, N), "z": RNG.poisson(1, N)},
        ("y", "z"),
    ),
    "truncated": Documented(
        docs.truncated_regression, {"x": X1, "y": np.clip(X1 + RNG.normal(size=N), -4.9, 4.9)}
    ),
    "censored": Documented(
        docs.censored_regression, {"x": X1, "y": np.clip(X1 + RNG.normal(size=N), -1, 1)}
    ),
    "multivariate normal": Documented(docs.lkj_cholesky, {"y": RNG.normal(size=(N, 3))}),
    "dirichlet multinomial": Documented(
        docs.dirichlet_multinomial, {"y": RNG.multinomial(10, [0.2, 0.3, 0.5], size=N)}
    ),
    "HSGP": Documented(
        docs.hilbert_space_gp, {"X": POSITIONS, "y": np.sin(3 * POSITIONS[:, 0]) + X1 / 10}
    ),
    "periodic HSGP": Documented(
        docs.periodic_gp, {"X": POSITIONS, "y": np.sin(6 * POSITIONS[:, 0]) + X1 / 10}
    ),
    "ordered mixture": Documented(
        docs.ordered_mixture, {"y": RNG.choice([-5, 0, 5], N) + RNG.normal(size=N)}
    ),
    "data containers": Documented(docs.logistic_regression, {"x": X1, "y": RNG.integers(0, 2, N)}),
    "custom": Documented(docs.custom_dist, {"x": X1, "y": X1 + RNG.normal(size=N)}),
    "custom graph": Documented(docs.custom_graph, {"y": 1 + RNG.lognormal(size=N)}),
    "images": Documented(
        docs.images, {"images": RNG.normal(size=(N, 2, 3)), "y": RNG.normal(size=N)}
    ),
    "mediation": Documented(
        docs.mediation,
        {"x": X1, "m_likelihood": RNG.normal(size=N), "y_likelihood": RNG.normal(size=N)},
        ("m_likelihood", "y_likelihood"),
    ),
    "series": Documented(docs.series, {"y": RNG.normal(size=(N, 4))}),
    "compositions": Documented(
        docs.compositions,
        {"y": RNG.dirichlet([2, 2, 2], N), "z": RNG.multinomial(6, [0.4, 0.6], N)},
        ("y", "z"),
    ),
}
