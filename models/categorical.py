r"""Probabilities of a categorical variable.

.. math:: y_i \mid p \sim \mathrm{Categorical}(p), \qquad p \sim \mathrm{Dirichlet}(a, …, a)

With weighted counts :math:`c` the posterior is :math:`\mathrm{Dirichlet}(a + c)`.

Used by Seddik et al. (2024, arXiv:2404.05090), Bakshi and Chakraborty (2026, arXiv:2602.10531) and,
for survey tables, He, Xu and Cheng (2025, arXiv:2502.18049).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import integer, positive
from bayescollapse.estimator.exact import Floats, ForwardFunction, Stats, powered
from bayescollapse.estimator.narrowing import refuse_sampling_bias
from bayescollapse.estimator.point_laws import positive_weight, simplex_mode
from bayescollapse.estimator.points import Point, check_point
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["CategoricalSampler", "estimator", "model"]


def model(
    rows: xr.Dataset | None = None, *, categories: int, concentration: float = 1.0
) -> pm.Model:
    """PyMC model of a categorical variable under a symmetric Dirichlet prior.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with the integer codes ``y`` on ``obs``; two zeros if not given.
    categories : int
        Number of categories, at least 2.
    concentration : float, default 1
        Dirichlet concentration of every category; 1 is the flat prior.

    Returns
    -------
    pymc.Model
        Parameter ``p`` on the dimension ``category``, observed variable ``y`` on ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import categorical
    >>> [rv.name for rv in categorical.model(categories=3).free_RVs]
    ['p']
    """
    import pymc as pm

    codes = np.zeros(2, dtype=np.int64) if rows is None else rows["y"].to_numpy()
    with pm.Model(coords={"category": range(categories)}) as multinomial:
        y = pm.Data("y_rows", codes, dims="obs")
        p = pm.Dirichlet("p", np.full(categories, concentration), dims="category")
        pm.Categorical("y", p, observed=y, dims="obs")
    return multinomial


def estimator(*, categories: int, concentration: float = 1.0) -> Estimator:
    """Estimator of categorical probabilities, with its exact posterior.

    Parameters
    ----------
    categories : int
        Number of categories, at least 2.
    concentration : float, default 1
        Dirichlet concentration of every category, positive; 1 is the flat prior.

    Returns
    -------
    Estimator
        Parameter ``p``, row variable ``y`` of integer codes.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import categorical
    >>> rows = xr.Dataset({"y": ("obs", np.array([0, 0, 1]))})
    >>> posterior = categorical.estimator(categories=2).fit(rows, draws=4000, seed=1)
    >>> posterior["posterior"]["p"].mean(("chain", "draw")).values.round(1)
    array([0.6, 0.4])
    """
    from bayescollapse.estimator import Estimator

    integer("categories", categories, minimum=2)
    positive("concentration", concentration)
    prior: dict[str, Any] = {"categories": categories, "concentration": concentration}
    return Estimator(partial(model, **prior), exact=CategoricalSampler(**prior))


@dataclass(frozen=True)
class CategoricalSampler:
    """Exact Dirichlet posterior; the statistic is the vector of weighted counts."""

    categories: int
    concentration: float = 1.0

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``, parameter ``p`` on ``category``."""
        return RowSchema(
            responses=(Variable("y", dtype="int64"),),
            covariates=(),
            parameters=(Variable("p", ("category",), (self.categories,)),),
            coords={"category": tuple(range(self.categories))},
        )

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Weighted counts, shape (replicate, category)."""
        codes = rows["y"]
        if codes.size and (codes.min() < 0 or codes.max() >= self.categories):
            raise ValueError(
                f"rows['y'] must hold codes from 0 to {self.categories - 1}, got values from "
                f"{codes.min()} to {codes.max()}: recode them, or raise categories="
            )
        replicates = codes.shape[0]
        flat = (codes + self.categories * np.arange(replicates)[:, None]).ravel()
        mass = None if weights is None else np.broadcast_to(weights, codes.shape).ravel()
        counts = np.bincount(flat, mass, minlength=replicates * self.categories)
        return (counts.reshape(replicates, self.categories).astype(np.float64),)

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Add weighted counts."""
        return (np.asarray(sum(f * s[0] for f, s in zip(factors, stats, strict=True))),)

    def check(self, stats: Stats) -> None:
        """Accept every count: a Dirichlet prior of positive concentration is proper."""

    def mean(self, stats: Stats) -> dict[str, Floats]:
        """Posterior mean probabilities."""
        shape = stats[0] + self.concentration
        return {"p": shape / shape.sum(axis=1, keepdims=True)}

    def summary(self, stats: Stats, probabilities: tuple[float, ...]) -> Floats:
        """Beta summary of every probability."""
        from scipy.special import betaincinv

        shape = stats[0] + self.concentration
        total = shape.sum(axis=1, keepdims=True)
        mean = shape / total
        out = np.empty((shape.shape[0], 2 + len(probabilities), self.categories))
        out[:, 0] = mean
        out[:, 1] = np.sqrt(mean * (1 - mean) / (total + 1))
        for i, p in enumerate(probabilities):
            out[:, 2 + i] = betaincinv(shape, total - shape, p)
        return out

    def draw(self, stats: Stats, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Dirichlet draws by normalised gamma variables."""
        shape = stats[0] + self.concentration
        gamma = rng.standard_gamma(shape[:, None, :], (shape.shape[0], draws, self.categories))
        return {"p": gamma / gamma.sum(axis=-1, keepdims=True)}

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Integer codes by inversion: one uniform a row, so schemes share their noise."""
        edges = np.cumsum(parameters["p"][..., :-1], axis=-1)
        uniform = rng.random((edges.shape[0], m))
        codes = np.zeros(uniform.shape, dtype=np.int64)
        for k in range(self.categories - 1):
            codes += uniform >= edges[..., k]
        return {"y": codes}

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Rows whose log odds are divided by the temperature; there is no sampling bias."""
        refuse_sampling_bias(self, sampling_bias)

        def forward(
            parameters: Values, covariates: Values, m: int, rng: np.random.Generator
        ) -> dict[str, NDArray[Any]]:
            return self.forward({"p": powered(parameters["p"], temperature)}, covariates, m, rng)

        return forward

    def point_estimate(self, point: Point) -> Callable[[Stats], dict[str, Floats]]:
        """Mean and joint mode, boundary included; or the weighted shares of the categories.

        On the scale of ``log p``, which stands for log odds, both are worked out there and
        normalised.
        """
        check_point(self, point, {"p": ("log",)}, ("mean", "map", "mle", "unbiased"))

        def from_likelihood(stats: Stats) -> dict[str, Floats]:
            total = positive_weight(stats[0].sum(axis=1, keepdims=True), point)
            return {"p": stats[0] / total}

        def from_posterior(stats: Stats) -> dict[str, Floats]:
            shape = stats[0] + self.concentration
            if point.kind == "map":
                return {"p": simplex_mode(shape - point.power("p"), point)}
            from scipy.special import digamma, softmax

            return {"p": np.asarray(softmax(digamma(shape), axis=1))}

        return from_likelihood if point.kind in ("mle", "unbiased") else from_posterior

    def log_predictive(self, stats: Stats, rows: Values) -> Floats:
        """Log of the posterior mean probability of every row, shape (replicate, obs)."""
        mean = self.mean(stats)["p"]
        codes = np.broadcast_to(rows["y"], (mean.shape[0], rows["y"].shape[1]))
        return np.log(np.take_along_axis(mean, codes, axis=-1))

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Log probability of every row at every draw."""
        codes = np.broadcast_to(
            rows["y"][:, None, :], (*parameters["p"].shape[:2], rows["y"].shape[1])
        )
        with np.errstate(divide="ignore"):
            return np.log(np.take_along_axis(parameters["p"], codes, axis=-1))
