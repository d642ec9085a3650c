"""Engines of the methods that are declared approximate: ``advi`` and ``map``.

``advi`` is mean-field automatic differentiation variational inference
(:mod:`~bayescollapse.estimator.mean_field`): posterior sds are too small where parameters are
correlated, means are usually close. ``map`` is the mode of the posterior density on the parameters'
own scale (the convention of ``pm.find_MAP``; on the unconstrained scale the Jacobian would be
added), by L-BFGS: its draws are copies of one point with sd 0, so ``joint`` and ``predictive``
emission are plug-in emission at the mode, and coverage means nothing.

PyMC's own ``pm.ADVI`` is not used. On the weighted model of a linear regression its first 1,000
steps took 29 s, nearly all of it compiling with the numba backend (0.9 s for the next 1,000), which
every worker process would pay; its groups fix the shapes of all variables when they are built, so
local variables could not follow the number of rows; and ``fit`` runs a fixed number of steps
without a rule of convergence. Here compiling takes 1 to 3 s and serves every number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.engine import FIGURES, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.graph import RowModel
from bayescollapse.estimator.local import LocalDensity
from bayescollapse.estimator.mean_field import fit_mean_field
from bayescollapse.estimator.model_engine import ModelEngine
from bayescollapse.estimator.objective import Objective, Placed
from bayescollapse.estimator.points import Point
from bayescollapse.estimator.trees import PooledDraws
from bayescollapse.rows import Values

__all__ = ["AdviEngine", "ApproximateFit", "MapEngine"]

GAIN = 1e-3
"""A mode is found when L-BFGS ends by its own rule, or when its last quadratic model promises less
than this many more nats; the line search often ends at the precision of the density."""

MODE_STEPS = 2_000
"""L-BFGS iterations after which a mode has not been found."""

_JITTER = 0.1


@dataclass(frozen=True)
class ApproximateFit(PooledDraws):
    """One replicate's approximate posterior.

    Parameters
    ----------
    schema : RowSchema
        Names and shapes of the parameters.
    pooled : ndarray, shape (draw, parameter)
        Draws of the approximation; one for a mode.
    passed : bool
        Whether the optimiser converged by its rule.
    recorded : mapping of str to float
        What else is recorded: ``iterations``, ``elbo`` or ``log_joint``.
    """

    passed: bool
    recorded: dict[str, float]

    def estimate(self, point: Point) -> dict[str, Floats]:
        """Mean of the draws on another scale; the only one is the mode on the own scale."""
        if point == Point("map") and len(self.pooled) == 1:
            return self.point()
        return super().estimate(point)

    @property
    def figures(self) -> dict[str, NDArray[Any]]:
        """Convergence and what was recorded; figures of chains are NaN."""
        values: dict[str, Any] = dict.fromkeys(FIGURES, np.nan)
        values |= {"divergences": 0, "attempts": 1, "passed": self.passed}
        return {name: np.atleast_1d(v) for name, v in (values | self.recorded).items()}

    def summary(self, probabilities: tuple[float, ...]) -> Floats:
        """Mean, sd and quantiles of the draws; a single point has sd 0."""
        if len(self.pooled) > 1:
            return super().summary(probabilities)
        point = self.pooled[0]
        return np.stack([point, 0 * point, *(point for _ in probabilities)])[None]

    def keep(self, count: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Evenly spaced draws, which are independent, split over chains."""
        each = max(count // chains, 1)
        chosen = np.linspace(0, len(self.pooled) - 1, each * chains).round().astype(int)
        return self.schema.unpack(self.pooled[chosen].reshape(1, chains, each, -1))


class _ApproximateEngine(ModelEngine):
    """Shared by the two engines: rows and an objective that is compiled at the first fit."""

    block = 1
    _jacobian = True

    @cached_property
    def _objective(self) -> Objective:
        return Objective(self.row_model, jacobian=self._jacobian)

    def _place(
        self, groups: Sequence[Group], weights: Sequence[Weight], rng: np.random.Generator
    ) -> tuple[Placed, Floats]:
        """Objective at the only replicate's rows, and a random start near the initial point."""
        rows, by_row = self.gather(groups, weights)
        one = {name: value[0] for name, value in rows.items()}
        placed = self._objective.place(one, by_row[0])
        # Exactly at the initial point, symmetric models (loadings of 0) have no gradient.
        return placed, placed.start + rng.uniform(-_JITTER, _JITTER, placed.start.shape)

    def _fit(self, points: Floats, passed: bool, recorded: dict[str, float]) -> ApproximateFit:
        packed = self.schema.pack(self._objective.own_scale(points), lead=1)
        return ApproximateFit(self.schema, packed, passed, recorded)


class AdviEngine(_ApproximateEngine):
    """Mean-field variational posteriors of any smooth PyMC model, local variables included.

    Parameters
    ----------
    row_model : RowModel
        The model with exchangeable rows.

    Notes
    -----
    A fit converges when the bound has stopped rising in each of three stages of decreasing steps
    within 20,000 steps; one that does not stays in the run with ``passed`` false. ``elbo`` (nats)
    and ``iterations`` are recorded.
    """

    method = "advi"

    def __init__(self, row_model: RowModel) -> None:
        super().__init__(row_model)
        self._local_density = LocalDensity(row_model)

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> ApproximateFit:
        """Fit the only replicate of the block."""
        from threadpoolctl import threadpool_limits

        rng = np.random.default_rng(settings.seeds(0))
        placed, start = self._place(groups, weights, rng)
        with threadpool_limits(1):
            field = fit_mean_field(placed, start, rng, counts=placed.counts)
            points = field.draw(settings.draws * settings.chains, rng, slice(0, placed.local.start))
            recorded = {"elbo": field.elbo, "iterations": float(field.iterations)}
            return self._fit(points, field.converged, recorded)

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Row-wise log-likelihood; local variables are integrated out, which is too low on average.

        The importance draws are the same at every call.
        """
        if not self.row_model.local:
            return super().log_density(parameters, rows)
        from threadpoolctl import threadpool_limits

        count = next(iter(parameters.values())).shape[0]
        with threadpool_limits(1):
            return np.stack(
                [
                    self._local_density(
                        {name: value[r] for name, value in parameters.items()},
                        {name: value[r] for name, value in rows.items()},
                        np.random.default_rng(r),
                    )
                    for r in range(count)
                ]
            )


class MapEngine(_ApproximateEngine):
    """Posterior modes of any smooth PyMC model, on the parameters' own scale.

    Parameters
    ----------
    row_model : RowModel
        The model with exchangeable rows.

    Notes
    -----
    The density is bounded or not as the model has it: a hierarchical sd may run to 0. ``passed``
    says whether L-BFGS ended by its own rule, or where its quadratic model promises less than a
    thousandth of a nat. ``log_joint`` (nats) and ``iterations`` are recorded.
    """

    method = "map"
    _jacobian = False

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> ApproximateFit:
        """Find the mode of the only replicate of the block."""
        from scipy.optimize import minimize
        from threadpoolctl import threadpool_limits

        rng = np.random.default_rng(settings.seeds(0))
        placed, start = self._place(groups, weights, rng)

        def loss(point: Floats) -> tuple[float, Floats]:
            value, gradient = placed(point)
            return (-value, -gradient) if np.isfinite(value) else (np.inf, 0 * gradient)

        options = {"maxiter": MODE_STEPS, "maxfun": 2 * MODE_STEPS, "ftol": 1e-9, "gtol": 1e-6}
        with threadpool_limits(1):
            if not np.isfinite(placed(start)[0]):
                raise ValueError(
                    "the log density is not finite at the starting point: check that the rows lie "
                    "in the support of the likelihood, and give free variables an initval where "
                    "their starting point is impossible"
                )
            found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
            gain = 0.5 * float(found.jac @ found.hess_inv.matvec(found.jac))
            passed = bool(np.isfinite(found.fun) and (found.success or gain < GAIN))
            recorded = {"log_joint": -float(found.fun), "iterations": float(found.nit)}
            return self._fit(found.x[None], passed, recorded)
