r"""Probability of a success.

.. math:: y_i \mid p \sim \mathrm{Bernoulli}(p), \qquad p \sim \mathrm{Beta}(a, b)

With total row weight :math:`N` and weighted number of successes :math:`s` the posterior is
:math:`\mathrm{Beta}(a + s, b + N - s)`. The prior is worth :math:`a + b` rows; by default it is
flat.

It is the two-category case of the loops of Seddik et al. (2024, arXiv:2404.05090) and Bakshi and
Chakraborty (2026, arXiv:2602.10531), see :mod:`~bayescollapse.models.categorical`; with posterior
draws handed on it is a chain of Griffiths and Kalish (2007, doi:10.1080/15326900701326576).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse._checks import positive
from bayescollapse.estimator.conjugate import merge_sums, refuse_outside, weighted_sum
from bayescollapse.estimator.exact import Floats, ForwardFunction, Stats, powered
from bayescollapse.estimator.narrowing import refuse_sampling_bias
from bayescollapse.estimator.point_laws import beta_point, positive_weight
from bayescollapse.estimator.points import UNIT, Point, check_point
from bayescollapse.rows import RowSchema, Values, Variable

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

    from bayescollapse.estimator import Estimator

__all__ = ["BernoulliSampler", "estimator", "model"]

SCHEMA = RowSchema(
    responses=(Variable("y", dtype="int64"),), covariates=(), parameters=(Variable("p"),)
)


def model(
    rows: xr.Dataset | None = None, *, prior_successes: float = 1.0, prior_failures: float = 1.0
) -> pm.Model:
    """PyMC model of a success probability under a beta prior.

    Parameters
    ----------
    rows : Dataset, optional
        Rows with ``y`` in {0, 1} on ``obs``; one of each if not given.
    prior_successes, prior_failures : float, default 1
        Parameters of the beta prior, positive; 1 and 1 is the flat prior.

    Returns
    -------
    pymc.Model
        Parameter ``p``, observed variable ``y`` on the dimension ``obs``.

    Examples
    --------
    >>> from bayescollapse.models import bernoulli
    >>> [rv.name for rv in bernoulli.model().free_RVs]
    ['p']
    """
    import pymc as pm

    with pm.Model() as coin:
        y = pm.Data("y_rows", np.arange(2) if rows is None else rows["y"].to_numpy(), dims="obs")
        p = pm.Beta("p", prior_successes, prior_failures)
        pm.Bernoulli("y", p, observed=y, dims="obs")
    return coin


def estimator(*, prior_successes: float = 1.0, prior_failures: float = 1.0) -> Estimator:
    """Estimator of a success probability, with its exact posterior.

    Parameters
    ----------
    prior_successes, prior_failures : float, default 1
        Parameters of the beta prior, positive; 1 and 1 is the flat prior.

    Returns
    -------
    Estimator
        Parameter ``p``, row variable ``y`` in {0, 1}.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from bayescollapse.models import bernoulli
    >>> rows = xr.Dataset({"y": ("obs", np.array([1, 1, 1, 0]))})
    >>> posterior = bernoulli.estimator().fit(rows, draws=2000, seed=1)
    >>> round(float(posterior["posterior"]["p"].mean()), 1)
    0.7
    """
    from bayescollapse.estimator import Estimator

    positive("prior_successes", prior_successes)
    positive("prior_failures", prior_failures)
    prior: dict[str, Any] = {"prior_successes": prior_successes, "prior_failures": prior_failures}
    return Estimator(partial(model, **prior), exact=BernoulliSampler(**prior))


@dataclass(frozen=True)
class BernoulliSampler:
    """Exact beta posterior; statistics are the total weight and the weighted successes."""

    prior_successes: float = 1.0
    prior_failures: float = 1.0

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y``, parameter ``p``."""
        return SCHEMA

    def suffstats(self, rows: Values, weights: Floats | None) -> Stats:
        """Total weight and weighted number of successes."""
        y = rows["y"]
        refuse_outside(
            y,
            (y != 0) & (y != 1),
            weights,
            allowed="0 or 1",
            advice="recode them, or use categorical for more than two values",
        )
        return weighted_sum(y, weights)

    def merge(self, stats: Sequence[Stats], factors: Sequence[float]) -> Stats:
        """Add weights and successes."""
        return merge_sums(stats, factors)

    def check(self, stats: Stats) -> None:
        """Accept every count: a beta prior of positive parameters is proper."""

    def mean(self, stats: Stats) -> dict[str, Floats]:
        """Posterior mean of ``p``."""
        successes, failures = self._posterior(stats)
        return {"p": successes / (successes + failures)}

    def summary(self, stats: Stats, probabilities: tuple[float, ...]) -> Floats:
        """Beta summary of ``p``."""
        from scipy.special import betaincinv

        successes, failures = self._posterior(stats)
        total = successes + failures
        mean = successes / total
        columns = [mean, np.sqrt(mean * (failures / total) / (total + 1))]
        columns += [betaincinv(successes, failures, level) for level in probabilities]
        return np.stack(columns, axis=1)[:, :, None]

    def draw(self, stats: Stats, draws: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Beta draws."""
        successes, failures = self._posterior(stats)
        size = (successes.shape[0], draws)
        return {"p": rng.beta(successes[:, None], failures[:, None], size)}

    def forward(
        self, parameters: Values, covariates: Values, m: int, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Zeros and ones by inversion: one uniform a row, so schemes share their noise."""
        uniform = rng.random((parameters["p"].shape[0], m))
        return {"y": (uniform < parameters["p"]).astype(np.int64)}

    def tempered(self, temperature: float, sampling_bias: float) -> ForwardFunction:
        """Rows whose log odds are divided by the temperature; there is no sampling bias."""
        refuse_sampling_bias(self, sampling_bias)

        def forward(
            parameters: Values, covariates: Values, m: int, rng: np.random.Generator
        ) -> dict[str, NDArray[Any]]:
            p = parameters["p"]
            sharpened = powered(np.stack([p, 1 - p], axis=-1), temperature)[..., 0]
            return self.forward({"p": sharpened}, covariates, m, rng)

        return forward

    def point_estimate(self, point: Point) -> Callable[[Stats], dict[str, Floats]]:
        """Mean and mode on any scale, modes on the boundary included; or the share of ones."""
        check_point(self, point, {"p": UNIT})

        def from_likelihood(stats: Stats) -> dict[str, Floats]:
            return {"p": stats[1] / positive_weight(stats[0], point)}

        def from_posterior(stats: Stats) -> dict[str, Floats]:
            return {"p": beta_point(*self._posterior(stats), point, "p")}

        return from_likelihood if point.kind in ("mle", "unbiased") else from_posterior

    def log_predictive(self, stats: Stats, rows: Values) -> Floats:
        """Log of the posterior mean probability of every row, shape (replicate, obs)."""
        p = self.mean(stats)["p"][:, None]
        return np.where(rows["y"] == 1, np.log(p), np.log1p(-p))

    def log_density(self, parameters: Values, rows: Values) -> Floats:
        """Log probability of every row at every draw."""
        p, y = parameters["p"][:, :, None], rows["y"][:, None, :]
        with np.errstate(divide="ignore"):
            return np.where(y == 1, np.log(p), np.log1p(-p))

    def _posterior(self, stats: Stats) -> tuple[Floats, Floats]:
        """Parameters of the beta posterior."""
        total, successes = stats
        return self.prior_successes + successes, self.prior_failures + (total - successes)
