r"""Empirical distribution: the nonparametric learner, with the Bayesian bootstrap as its posterior.

This is **not a PyMC model**: :func:`estimator` gives a
:class:`~bayescollapse.estimator.direct.DirectEstimator`, and there is no ``model``.

A posterior draw is a distribution on the rows that were fitted, with random probabilities

.. math:: (p_1, …, p_n) \sim \mathrm{Dirichlet}(w_1, …, w_n), \qquad F = \sum_i p_i \, \delta_{y_i}

where :math:`w_i` is the weight of row i. Weight 1 a row is Rubin's Bayesian bootstrap (1981); a row
of weight 2 is the same as that row twice; a row of weight 0 is not there; total weight
:math:`W = \sum_i w_i` fixes how far a draw departs from the weighted empirical distribution. It is
the limit of a Dirichlet-process posterior as the mass of its base measure goes to 0, so the prior
is improper: nothing but values that were seen is ever emitted.

Tracked are two functionals of F, its mean ``mu`` and its standard deviation ``sigma``. With the
weighted mean :math:`\bar y` and variance :math:`S^2 = \sum_i w_i (y_i - \bar y)^2 / W`,

.. math:: \mathrm{E}\,\mu = \bar y, \qquad \mathrm{Var}\,\mu = S^2 / (W + 1), \qquad
    \mathrm{E}\,\sigma^2 = S^2 \, W / (W + 1)

Emission. ``plug-in``: rows resampled from the weighted empirical distribution, which is the
posterior mean of F. ``joint``: one draw of F, all rows from it. ``predictive``: one draw of F per
row, which is the same law as plug-in, as for every categorical distribution. ``ensemble(K)``: K
draws of F, m/K rows each.

Used as the nonparametric scenario by He, Xu and Cheng (2025, arXiv:2502.18049), whose update is the
weighted empirical distribution with plug-in emission.

References
----------
.. [1] Rubin (1981), The Bayesian bootstrap, doi:10.1214/aos/1176345338.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.estimator.atoms import resample, weighted_rows
from bayescollapse.estimator.direct import DirectEngine
from bayescollapse.estimator.emission import Emission, posterior_draws
from bayescollapse.estimator.engine import EXACT_BLOCK, EXACT_FIGURES, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    from bayescollapse.estimator.direct import DirectEstimator

__all__ = ["EmpiricalEngine", "EmpiricalFit", "estimator"]

CHUNK = 4_000_000
"""Random numbers that are held at a time."""


def estimator(*, columns: int | None = None, summary_draws: int = 400) -> DirectEstimator:
    """Estimator by the empirical distribution, with the Bayesian bootstrap as its posterior.

    Parameters
    ----------
    columns : int, optional
        Number of columns of ``y``, which are resampled together; a single value a row if not given.
    summary_draws : int, default 400
        Draws behind the quantiles of ``mu`` and the mean, sd and quantiles of ``sigma``, at least
        2. The Monte Carlo error of a mean is the posterior sd over the root of this.

    Returns
    -------
    DirectEstimator
        Parameters ``mu`` and ``sigma``, row variable ``y``. Mean and sd of ``mu`` are exact.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import empirical
    >>> rows = xr.Dataset({"y": ("obs", np.array([1.0, 2.0, 6.0]))})
    >>> learner = empirical.estimator()
    >>> posterior = learner.fit(rows, draws=2000, seed=1)
    >>> round(float(posterior["posterior"]["mu"].mean()), 1)
    3.0
    >>> sorted(set(learner.emit(posterior, 50, seed=2)["y"].values.tolist()))
    [1.0, 2.0, 6.0]
    """
    from bayescollapse.estimator.direct import DirectEstimator

    if columns is not None:
        integer("columns", columns)
    draws = integer("summary_draws", summary_draws, minimum=2)
    return DirectEstimator(EmpiricalEngine(columns, draws))


@dataclass(frozen=True)
class EmpiricalEngine(DirectEngine):
    """Bayesian bootstrap of a block of replicates.

    Parameters
    ----------
    columns : int, optional
        Columns of ``y``; a single value if not given.
    summary_draws : int
        Draws behind what has no closed form.
    """

    columns: int | None = None
    summary_draws: int = 400

    method = "exact"
    block = EXACT_BLOCK
    repeatable = True
    no_density = "its distributions sit on the rows they were fitted to"

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``; parameters ``mu`` and ``sigma``, one per column."""
        dims, shape = ((), ()) if self.columns is None else (("column",), (self.columns,))
        return RowSchema(
            responses=(Variable("y", dims, shape),),
            covariates=(),
            parameters=(Variable("mu", dims, shape), Variable("sigma", dims, shape)),
            coords={} if self.columns is None else {"column": tuple(range(self.columns))},
        )

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> EmpiricalFit:
        """Rows in order of their (first) value, so that schemes share the noise of resampling."""
        rows, by_row = weighted_rows(groups, weights)
        y = rows["y"].reshape(*by_row.shape, -1)
        order = np.argsort(y[..., 0], axis=1, kind="stable")
        return EmpiricalFit(
            np.take_along_axis(y, order[..., None], axis=1),
            np.take_along_axis(by_row, order, axis=1),
            self.schema,
            self.summary_draws,
            settings.seeds(0),
        )

    def emit(
        self,
        fit: EmpiricalFit,
        emission: Emission,
        m: int,
        covariates: Values,
        parameters_rng: np.random.Generator | None,
        noise_rng: np.random.Generator,
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Floats] | None]:
        """Resample rows; record ``mu`` and ``sigma`` of the distributions they came from."""
        self.check_emission(emission)
        members = posterior_draws(emission, m)
        if emission.kind in ("plug-in", "predictive"):
            p = (fit.weights / fit.weights.sum(axis=1, keepdims=True))[:, None]
        else:
            assert parameters_rng is not None
            p = fit.distributions(members, parameters_rng)
        index = resample(p, m // p.shape[1], noise_rng)
        rows = np.take_along_axis(fit.rows, index[..., None], axis=1)
        recorded = None if emission.kind == "predictive" else fit.functionals(p)
        y = self.schema.responses[0]
        return {"y": rows.reshape(*index.shape, *y.shape)}, recorded


@dataclass(frozen=True)
class EmpiricalFit:
    """Bayesian bootstraps of a block.

    Parameters
    ----------
    rows : ndarray, shape (replicate, obs, column)
        Rows that were fitted.
    weights : ndarray, shape (replicate, obs)
        Their weights.
    schema : RowSchema
        Shapes of the parameters.
    summary_draws, seed : int
        Draws behind a summary, and their seed.
    """

    rows: Floats
    weights: Floats
    schema: RowSchema
    summary_draws: int
    seed: int

    @property
    def figures(self) -> dict[str, NDArray[Any]]:
        """Nothing to gate: independent draws."""
        return EXACT_FIGURES

    def point(self) -> dict[str, Floats]:
        """``mu`` and ``sigma`` of the posterior mean of F, the weighted empirical distribution."""
        p = self.weights / self.weights.sum(axis=1, keepdims=True)
        return {name: value[:, 0] for name, value in self.functionals(p[:, None]).items()}

    def summary(self, probabilities: tuple[float, ...]) -> Floats:
        """Exact mean and sd of ``mu``; everything else from draws."""
        rng = np.random.default_rng(self.seed)
        draws = self.schema.pack(self.draws(self.summary_draws, rng), lead=2)
        out = np.empty((draws.shape[0], 2 + len(probabilities), draws.shape[2]))
        out[:, 0], out[:, 1] = draws.mean(axis=1), draws.std(axis=1, ddof=1)
        if probabilities:
            out[:, 2:] = np.moveaxis(np.quantile(draws, probabilities, axis=1), 0, 1)
        total = self.weights.sum(axis=1, keepdims=True)
        mean, sd = self._moments((self.weights / total)[:, None])
        columns = self.rows.shape[2]
        out[:, 0, :columns] = mean[:, 0]
        out[:, 1, :columns] = sd[:, 0] / np.sqrt(total + 1)
        return out

    def draws(self, count: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Independent draws of the functionals."""
        step = max(1, CHUNK // self.weights.size)
        sizes = [min(step, count - start) for start in range(0, count, step)]
        parts = [self.functionals(self.distributions(size, rng)) for size in sizes]
        return {name: np.concatenate([p[name] for p in parts], axis=1) for name in parts[0]}

    def keep(self, count: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Independent draws of the functionals, split over chains."""
        per_chain = max(count // chains, 1)
        flat = self.draws(per_chain * chains, rng)
        return {n: v.reshape(v.shape[0], chains, per_chain, *v.shape[2:]) for n, v in flat.items()}

    def distributions(self, count: int, rng: np.random.Generator) -> Floats:
        """Probabilities of the rows in `count` draws, shape (replicate, count, obs)."""
        replicates, rows = self.weights.shape
        p = rng.standard_gamma(self.weights[:, None], (replicates, count, rows))
        total = p.sum(axis=2, keepdims=True)
        if not total.all():
            raise ValueError(
                f"a total weight of {float(self.weights.sum(axis=1).min()):g} is too small for the "
                "Bayesian bootstrap: its probabilities underflow; give more weight"
            )
        p /= total
        return np.asarray(p)

    def functionals(self, p: Floats) -> dict[str, Floats]:
        """Mean and sd of distributions (replicate, count, obs) on the rows."""
        mu, sigma = self._moments(p)
        shape = (*p.shape[:2], *self.schema.parameters[0].shape)
        return {"mu": mu.reshape(shape), "sigma": sigma.reshape(shape)}

    def _moments(self, p: Floats) -> tuple[Floats, Floats]:
        # Around the plain mean, so that little is lost where the spread is far below the mean.
        centre = self.rows.mean(axis=1, keepdims=True)
        rows = self.rows - centre
        mean = p @ rows
        squares = np.maximum(p @ rows**2 - mean**2, 0.0)
        return mean + centre, np.sqrt(squares)
