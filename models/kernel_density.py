r"""Kernel density estimate with a posterior of its bandwidth.

This is **not a PyMC model**: :func:`estimator` gives a
:class:`~bayescollapse.estimator.direct.DirectEstimator`, and there is no ``model``.

With rows :math:`y_i` of weight :math:`w_i` in d columns and total weight :math:`W`, the density is

.. math:: f_h(x) = \sum_i \frac{w_i}{W} \, \mathrm{Normal}_d(x \mid y_i, h^2 I)

The bandwidth h has a log-normal prior, and the weighted leave-one-out likelihood

.. math:: \log L(h) = \sum_i w_i \log \sum_{j \ne i} \frac{w_j}{W - w_i} \,
    \mathrm{Normal}_d(y_i \mid y_j, h^2 I)

This is a pseudo-likelihood: each row is predicted from all others, so rows are used twice, and the
posterior of h is not calibrated. A row is left out with all of its weight; a row of weight 2 is not
the same as two equal rows, which would predict each other perfectly and drive h to 0. Tables with
many tied values do that: the run's ``sample_stats`` record ``edge_mass``, the posterior mass on the
two ends of the grid.

The posterior lives on a geometric grid of bandwidths, 4 prior sds to each side of the prior median:
exact up to the grid, whose spacing is 9 % unless another is asked for. A prior with a tiny
``prior_log_sd`` fixes the bandwidth.

Tracked are ``bandwidth`` and ``sigma``, the standard deviation of the density in every column,
:math:`\sigma^2 = S^2 + h^2` with the weighted variance :math:`S^2` of the rows. The mean of the
density is the weighted mean of the rows and has no posterior of its own; read it from the emitted
rows (group ``predictive``).

Emission: rows resampled by weight, plus Gaussian noise of the drawn bandwidth (``plug-in``: of its
posterior mean; ``joint``: one draw for all rows; ``predictive``: one draw a row).

Kernel densities in recursive loops: every generation adds :math:`h^2` to the variance of the rows.
Khelifa, Turner and Venkataramanan (2026, arXiv:2602.16601) study the loop with a fraction of real
rows, Schaeffer et al. (2025, arXiv:2503.03150) its metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer, positive
from bayescollapse.estimator.atoms import log_kernel_sums, resample, weighted_rows
from bayescollapse.estimator.direct import DirectEngine
from bayescollapse.estimator.emission import Emission, posterior_draws
from bayescollapse.estimator.engine import EXACT_BLOCK, EXACT_FIGURES, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    from bayescollapse.estimator.direct import DirectEstimator

__all__ = ["KernelDensityEngine", "KernelDensityFit", "estimator"]

REACH = 4.0
"""Prior sds of the log bandwidth that the grid reaches to each side."""


def estimator(
    *,
    columns: int | None = None,
    prior_median: float = 0.5,
    prior_log_sd: float = 1.0,
    points_per_octave: int = 8,
) -> DirectEstimator:
    """Estimator by a kernel density with a posterior of its bandwidth.

    Parameters
    ----------
    columns : int, optional
        Number of columns of ``y``, which share one bandwidth; a single value a row if not given.
    prior_median : float, default 0.5
        Prior median of the bandwidth, in units of ``y``, positive. The default suits rows with an
        sd of about 1.
    prior_log_sd : float, default 1
        Prior sd of the log bandwidth, positive.
    points_per_octave : int, default 8
        Grid points from one bandwidth to its double, even; 8 is a spacing of 9 %.

    Returns
    -------
    DirectEstimator
        Parameters ``bandwidth`` and ``sigma``, row variable ``y``; method ``grid``.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    The cost of a fit is the square of the number of rows times the points of the grid (93 at the
    defaults): about 0.2 s for 128 replicates of 100 rows.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import kernel_density
    >>> rows = xr.Dataset({"y": ("obs", np.random.default_rng(1).normal(size=200))})
    >>> learner = kernel_density.estimator()
    >>> posterior = learner.fit(rows, seed=1)
    >>> 0.1 < float(posterior["posterior"]["bandwidth"].mean()) < 0.8
    True
    """
    from bayescollapse.estimator.direct import DirectEstimator

    if columns is not None:
        integer("columns", columns)
    positive("prior_median", prior_median)
    positive("prior_log_sd", prior_log_sd)
    if integer("points_per_octave", points_per_octave, minimum=2) % 2:
        raise ValueError(f"points_per_octave must be even, got {points_per_octave}: take one more")
    return DirectEstimator(
        KernelDensityEngine(columns, float(prior_median), float(prior_log_sd), points_per_octave)
    )


@dataclass(frozen=True)
class KernelDensityEngine(DirectEngine):
    """Kernel densities of a block of replicates; arguments as for :func:`estimator`."""

    columns: int | None = None
    prior_median: float = 0.5
    prior_log_sd: float = 1.0
    points_per_octave: int = 8

    method = "grid"
    block = EXACT_BLOCK
    repeatable = True

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``; parameters ``bandwidth`` and ``sigma`` (one per column)."""
        dims, shape = ((), ()) if self.columns is None else (("column",), (self.columns,))
        return RowSchema(
            responses=(Variable("y", dims, shape),),
            covariates=(),
            parameters=(Variable("bandwidth"), Variable("sigma", dims, shape)),
            coords={} if self.columns is None else {"column": tuple(range(self.columns))},
        )

    @cached_property
    def grid(self) -> Floats:
        """Bandwidths, from the largest down."""
        octaves = REACH * self.prior_log_sd / np.log(2.0)
        side = int(np.ceil(octaves * self.points_per_octave))
        steps = np.arange(side, -side - 1, -1) / self.points_per_octave
        return np.asarray(self.prior_median * 2.0**steps)

    @cached_property
    def log_prior(self) -> Floats:
        """Log prior mass of the grid points."""
        z = np.log(self.grid / self.prior_median) / self.prior_log_sd
        return np.asarray(-0.5 * z**2 - np.logaddexp.reduce(-0.5 * z**2))

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> KernelDensityFit:
        """Posterior mass of every bandwidth of the grid."""
        rows, by_row = weighted_rows(groups, weights)
        y = rows["y"].reshape(*by_row.shape, -1)
        # In order of the (first) value, so that schemes share the noise of resampling.
        order = np.argsort(y[..., 0], axis=1, kind="stable")
        y = np.take_along_axis(y, order[..., None], axis=1)
        by_row = np.take_along_axis(by_row, order, axis=1)
        log_mass = self.log_prior + self._log_likelihood(y, by_row)
        log_mass -= np.logaddexp.reduce(log_mass, axis=1, keepdims=True)
        return KernelDensityFit(y, by_row, self.grid, log_mass, self.schema)

    def emit(
        self,
        fit: KernelDensityFit,
        emission: Emission,
        m: int,
        covariates: Values,
        parameters_rng: np.random.Generator | None,
        noise_rng: np.random.Generator,
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Floats] | None]:
        """Resample rows by weight and add noise of the drawn bandwidths."""
        self.check_emission(emission)
        if emission.kind == "plug-in":
            bandwidth = fit.point()["bandwidth"][:, None]
        else:
            assert parameters_rng is not None
            bandwidth = fit.bandwidths(posterior_draws(emission, m), parameters_rng)
        p = fit.weights / fit.weights.sum(axis=1, keepdims=True)
        index = resample(p[:, None], m, noise_rng)
        rows = np.take_along_axis(fit.rows, index[..., None], axis=1)
        by_row = np.repeat(bandwidth, m // bandwidth.shape[1], axis=1)
        rows = rows + by_row[..., None] * noise_rng.standard_normal(rows.shape)
        recorded = None if emission.kind == "predictive" else fit.functionals(bandwidth)
        return {"y": rows.reshape(*index.shape, *self.schema.responses[0].shape)}, recorded

    def log_predictive(
        self, fit: KernelDensityFit, rows: Values, rng: np.random.Generator
    ) -> Floats:
        """Log density of rows, averaged over the posterior of the bandwidth."""
        replicates = fit.rows.shape[0]
        y = rows["y"].reshape(*rows["y"].shape[:2], -1)
        points = np.broadcast_to(y, (replicates, *y.shape[1:]))
        sums = self._sums(points, fit.rows, fit.weights) + self._log_scale(fit.rows)
        sums -= np.log(fit.weights.sum(axis=1))[:, None]
        return np.asarray(np.logaddexp.reduce(sums + fit.log_mass.T[..., None], axis=0))

    def _log_likelihood(self, y: Floats, weights: Floats) -> Floats:
        """Weighted leave-one-out log-likelihood, up to a constant, shape (replicate, bandwidth)."""
        if (np.count_nonzero(weights, axis=1) < 2).any():
            raise ValueError(
                "a kernel density needs at least two rows of positive weight: its bandwidth is "
                "found by predicting each row from the others"
            )
        sums = self._sums(None, y, weights) + self._log_scale(y)
        # The weight of the other rows is the same at every bandwidth.
        return np.asarray(np.einsum("gri,ri->rg", sums, weights))

    def _sums(self, points: Floats | None, atoms: Floats, weights: Floats) -> Floats:
        half, count = self.points_per_octave // 2, len(self.grid)
        return log_kernel_sums(points, atoms, weights, float(self.grid[0]), half, count)

    def _log_scale(self, y: Floats) -> Floats:
        """Log of the kernels' normalising constants, shape (bandwidth, 1, 1)."""
        return np.asarray(-y.shape[2] * np.log(self.grid * np.sqrt(2 * np.pi)))[:, None, None]


@dataclass(frozen=True)
class KernelDensityFit:
    """Kernel densities of a block.

    Parameters
    ----------
    rows : ndarray, shape (replicate, obs, column)
        Rows that were fitted.
    weights : ndarray, shape (replicate, obs)
        Their weights.
    grid : ndarray, shape (bandwidth,)
        Bandwidths, from the largest down.
    log_mass : ndarray, shape (replicate, bandwidth)
        Log of their posterior mass.
    schema : RowSchema
        Shapes of the parameters.
    """

    rows: Floats
    weights: Floats
    grid: Floats
    log_mass: Floats
    schema: RowSchema

    @property
    def figures(self) -> dict[str, NDArray[Any]]:
        """Posterior mass on the two ends of the grid; nothing else to gate."""
        return {**EXACT_FIGURES, "edge_mass": np.exp(self.log_mass[:, [0, -1]]).sum(axis=1)}

    def point(self) -> dict[str, Floats]:
        """Posterior means."""
        return self.schema.unpack(self._moments()[0])

    def summary(self, probabilities: tuple[float, ...]) -> Floats:
        """Mean, sd and quantiles on the grid; a quantile is the first grid point to reach it."""
        mean, sd = self._moments()
        out = np.empty((len(mean), 2 + len(probabilities), mean.shape[1]))
        out[:, 0], out[:, 1] = mean, sd
        for i, p in enumerate(probabilities):
            chosen = self.grid[self._place(np.full((len(mean), 1), p))]
            out[:, 2 + i] = self.schema.pack(self.functionals(chosen), lead=2)[:, 0]
        return out

    def draws(self, count: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Independent draws from the grid."""
        return self.functionals(self.bandwidths(count, rng))

    def keep(self, count: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Independent draws, split over chains."""
        per_chain = max(count // chains, 1)
        flat = self.draws(per_chain * chains, rng)
        return {n: v.reshape(v.shape[0], chains, per_chain, *v.shape[2:]) for n, v in flat.items()}

    def bandwidths(self, count: int, rng: np.random.Generator) -> Floats:
        """Bandwidths drawn from the grid, shape (replicate, count)."""
        uniform = rng.random((len(self.log_mass), count))
        return np.asarray(self.grid[self._place(uniform)])

    def functionals(self, bandwidth: Floats) -> dict[str, Floats]:
        """``bandwidth`` and ``sigma`` at bandwidths (replicate, count)."""
        sigma = np.sqrt(self._spread[:, None] + bandwidth[..., None] ** 2)
        shape = (*bandwidth.shape, *self.schema.parameters[1].shape)
        return {"bandwidth": bandwidth, "sigma": sigma.reshape(shape)}

    @cached_property
    def _spread(self) -> Floats:
        """Weighted variance of the rows, shape (replicate, column)."""
        p = (self.weights / self.weights.sum(axis=1, keepdims=True))[:, None]
        centred = self.rows - p @ self.rows
        return np.asarray(p @ centred**2)[:, 0]

    def _moments(self) -> tuple[Floats, Floats]:
        grid = np.broadcast_to(self.grid, self.log_mass.shape)
        values = self.schema.pack(self.functionals(grid), lead=2)
        mass = np.exp(self.log_mass)
        mean = np.einsum("rg,rgp->rp", mass, values)
        variance = np.einsum("rg,rgp->rp", mass, (values - mean[:, None]) ** 2)
        return mean, np.sqrt(variance)

    def _place(self, probability: Floats) -> NDArray[np.int64]:
        """First grid point, counted from the smallest bandwidth, whose distribution function is p.

        Parameters
        ----------
        probability : ndarray, shape (replicate, count)
        """
        mass = np.exp(self.log_mass[:, ::-1])
        edges = np.cumsum(mass, axis=1)
        edges /= edges[:, -1:]
        below = np.stack([np.searchsorted(e, p) for e, p in zip(edges, probability, strict=True)])
        return np.asarray(len(self.grid) - 1 - np.minimum(below, len(self.grid) - 1))
