"""The Laplace engine: modes and curvatures of a whole block, corrected by importance."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.graph import RowModel
from bayescollapse.estimator.laplace.fit import LaplaceFit
from bayescollapse.estimator.laplace.newton import Modes, newton
from bayescollapse.estimator.laplace.numpy_backend import NumpyBackend
from bayescollapse.estimator.laplace.proposals import K_LIMIT, propose
from bayescollapse.estimator.laplace.target import Backend, Target
from bayescollapse.estimator.model_engine import ModelEngine
from bayescollapse.estimator.nuts import NutsFit, NutsSampler
from bayescollapse.estimator.tilt import neutral_rows
from bayescollapse.rows import Values

__all__ = ["LAPLACE_BLOCK", "LaplaceEngine"]

LAPLACE_BLOCK = 128
"""Replicates in a block of Laplace posteriors. Part of a run's identity: never change it."""

_LEAST_DRAWS = 50
_REFIT_DRAWS = 500
_ATTEMPTS = 8
"""Seeds set aside for the attempts of one refit."""


class LaplaceEngine(ModelEngine):
    """Laplace posteriors of any smooth PyMC model, a block of replicates at a time.

    Parameters
    ----------
    row_model : RowModel
        The model with exchangeable rows.
    check : float, optional
        Share of the cells of a block, chosen at random, whose Pareto k is worked out. All of them
        if not given, and then draws are corrected by their importance weights; with a share they
        stay those of the Gaussian approximation.
    backend : {"jax", "numpy"}, optional
        How the density is evaluated: ``jax`` where it is installed, else ``numpy``. Both give the
        same numbers to rounding.

    Notes
    -----
    Draws come in antithetic pairs around the mode, which makes weighted means more accurate than
    independent draws would. Sds and tail quantiles are worth half as many draws; the recorded
    ``ess_importance`` counts a pair once and holds for both.
    """

    method = "laplace"
    block = LAPLACE_BLOCK

    def __init__(
        self, row_model: RowModel, *, check: float | None = None, backend: str | None = None
    ) -> None:
        super().__init__(row_model)
        self.check = check
        self.method = "laplace" if check is None else f"laplace(check={check:g})"
        self._target = Target(row_model)
        self._evaluate = _backend(self._target, backend)
        self.backend = self._evaluate.name

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> LaplaceFit:
        """Fit all replicates of the block; those whose Pareto k is above 0.7 by NUTS."""
        draws = settings.draws * settings.chains
        if draws < _LEAST_DRAWS:
            raise ValueError(
                f"method='laplace' needs at least {_LEAST_DRAWS} draws a fit to judge its "
                f"importance weights, got draws x chains = {draws}: raise draws"
            )
        rows, by_row = self.gather(groups, weights)
        rows = _neutral(rows, by_row)
        rng = np.random.default_rng(settings.seeds(0))
        bound = self._evaluate.bind(rows, by_row)
        start = np.tile(self._target.start, (len(by_row), 1))
        modes = newton(bound.curvature, start)
        drawn = propose(bound, modes, draws, self.check, rng)
        flat = self._target.constrain(drawn.points.reshape(-1, drawn.points.shape[2]))
        pooled, weight = flat.reshape(*drawn.points.shape[:2], -1), drawn.weights
        refits = self._refits(drawn.k > K_LIMIT, rows, by_row, settings)
        for r, fit in refits.items():
            pooled[r], weight[r] = _evenly(self._packed(fit), draws), 1 / draws
        return LaplaceFit(self.schema, pooled, weight, _figures(drawn.k, modes, weight, refits))

    def _refits(
        self, failed: NDArray[np.bool_], rows: Values, weights: Floats, settings: FitSettings
    ) -> dict[int, NutsFit]:
        def refit(r: int) -> NutsFit:
            return self._sampler.fit(
                {name: value[r] for name, value in rows.items()},
                weights[r],
                draws=max(settings.draws, _REFIT_DRAWS),
                tune=settings.tune,
                chains=settings.chains,
                seeds=lambda attempt: settings.seeds(1 + r * _ATTEMPTS + attempt),
            )

        return {r: refit(r) for r in np.flatnonzero(failed).tolist()}

    @cached_property
    def _sampler(self) -> NutsSampler:
        return NutsSampler(self.row_model)

    def _packed(self, fit: NutsFit) -> Floats:
        packed = self.schema.pack(fit.parameters, lead=2)
        return packed.reshape(-1, packed.shape[-1])


def _backend(target: Target, name: str | None) -> Backend:
    if name is None:
        name = "numpy" if importlib.util.find_spec("jax") is None else "jax"
    if name == "numpy":
        return NumpyBackend(target)
    if name != "jax":
        raise ValueError(f"backend must be 'jax' or 'numpy', got {name!r}")
    from bayescollapse.estimator.laplace.jax_backend import JaxBackend

    return JaxBackend(target)


def _neutral(rows: Values, weights: Floats) -> Values:
    """Rows with those of weight 0 replaced, in every replicate."""
    if (weights > 0).all():
        return rows
    each = [
        neutral_rows({name: value[r] for name, value in rows.items()}, weights[r])
        for r in range(len(weights))
    ]
    return {name: np.stack([one[name] for one in each]) for name in rows}


def _effective(weights: Floats) -> Floats:
    """Effective number of draws; the two of an antithetic pair count once."""
    half = (weights.shape[1] + 1) // 2
    pairs = weights[:, :half].copy()
    pairs[:, : weights.shape[1] - half] += weights[:, half:]
    return np.asarray(1 / (pairs**2).sum(axis=1))


def _evenly(pooled: Floats, count: int) -> Floats:
    index = np.linspace(0, len(pooled) - 1, count).round().astype(int)
    return np.asarray(pooled[index])


def _figures(
    k: Floats, modes: Modes, weights: Floats, refits: dict[int, NutsFit]
) -> dict[str, NDArray[Any]]:
    cells = len(k)
    figures: dict[str, NDArray[Any]] = {
        name: np.full(cells, np.nan) for name in ("rhat", "ess_bulk", "ess_tail")
    }
    figures |= {
        "divergences": np.zeros(cells, dtype=int),
        "attempts": np.ones(cells, dtype=int),
        "passed": np.ones(cells, dtype=bool),
        "pareto_k": k,
        "ess_importance": _effective(weights),
        "refitted": np.isin(np.arange(cells), list(refits)),
        "iterations": np.full(cells, modes.iterations),
    }
    for r, fit in refits.items():
        for name in ("rhat", "ess_bulk", "ess_tail", "divergences", "passed"):
            figures[name][r] = getattr(fit.figures, name)
        figures["attempts"][r] = 1 + fit.attempts
        figures["ess_importance"][r] = np.nan
    return figures
