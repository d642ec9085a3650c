"""The prior behind a run: its draws, and their moments and entropies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.experiment.describe import check_run
from bayescollapse.measures.entropy_kernels import (
    INFLATION,
    gaussian_entropy,
    gaussian_log_density,
    nearest_terms,
    normal_fit,
)
from bayescollapse.measures.layout import flatten, truth_of
from bayescollapse.measures.truths import from_prior

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["PriorFigures", "heavy_tails", "prior_draws"]

Floats = NDArray[np.float64]

SEED = 20_240_601
"""Seed of the prior draws: figures of one experiment are the same at every call."""

HEAVY, ENOUGH = 0.7, 1_000
"""Pareto k above which a prior has no usable variance, and draws from which on k is judged."""


@dataclass(frozen=True)
class PriorFigures:
    """What is known of a prior from its draws: every parameter alone, or all of them together.

    Parameters
    ----------
    draws : DataArray
        Draws on (draw, parameter); on (replicate, parameter) where they are the run's own truths.
    neighbours : int, optional
        Neighbours of nearest-neighbour entropies; entropies of normals if not given.
    together : bool, default False
        Figures of all parameters together, without ``parameter``.
    """

    draws: xr.DataArray
    neighbours: int | None = None
    together: bool = False

    @property
    def truths(self) -> bool:
        """Whether the draws are the truths of the run."""
        return "replicate" in self.draws.dims

    @property
    def entropy(self) -> xr.DataArray:
        """Entropy in nats."""
        return self._labelled(self._entropies[0])

    @property
    def effects(self) -> xr.DataArray:
        """First-order effect of every replicate's truth on the entropy; 0 of other draws."""
        entropy, terms = self._entropies
        if not self.truths:
            return self._labelled(np.zeros_like(entropy))
        return self._labelled(terms, self.draws["replicate"])

    @property
    def error(self) -> xr.DataArray:
        """Standard error of the entropy; 0 where `effects` hold it."""
        entropy, terms = self._entropies
        return self._labelled(np.zeros_like(entropy) if self.truths else _error(terms))

    def log_density(self, truth: xr.DataArray) -> xr.DataArray:
        """Log density of a normal with the prior's moments at truths on (replicate, parameter)."""
        mean, white, logs = self._fit
        points = self._parts(truth)
        count, size = self.draws.shape[0], points.shape[-1]
        square = (((points - mean[:, None]) @ white) ** 2).sum(axis=-1)
        if self.truths:
            # Mean and covariance were fitted to these very points.
            entropy = gaussian_entropy(logs, size, draws=count)[:, None]
            found = (size - square * count / max(count - 1, 1)) / 2 - entropy
        else:
            found = gaussian_log_density(square, logs[:, None], size, draws=count)
        return self._labelled(found, truth["replicate"])

    def density_error(self, truth: xr.DataArray) -> xr.DataArray:
        """Error that the draws leave in the mean of `log_density`; 0 where that mean holds it."""
        mean, white, _ = self._fit
        if self.truths:
            return self._labelled(np.zeros(len(mean)))
        x, u = ((self._parts(a) - mean[:, None]) @ white for a in (self.draws, truth))
        square = np.swapaxes(u, -1, -2) @ u / u.shape[1]
        effect = (x @ u.mean(axis=1)[..., None])[..., 0]
        return self._labelled(_error(effect + ((x @ square - x) * x).sum(axis=-1) / 2))

    @cached_property
    def _fit(self) -> tuple[Floats, Floats, Floats]:
        return normal_fit(self._parts(self.draws))

    @cached_property
    def _entropies(self) -> tuple[Floats, Floats]:
        """Entropy of every part, and the effect of every draw on it, with mean 0."""
        parts = self._parts(self.draws)
        if self.neighbours is not None:
            pairs = [_nearest(part, self.neighbours) for part in parts]
            return np.array([p[0] for p in pairs]), np.stack([p[1] for p in pairs])
        mean, white, logs = self._fit
        square = (((parts - mean[:, None]) @ white) ** 2).sum(axis=-1)
        entropy = gaussian_entropy(logs, parts.shape[-1], draws=parts.shape[1])
        return entropy, (square - square.mean(axis=-1, keepdims=True)) / 2

    def _parts(self, values: xr.DataArray) -> Floats:
        """Values as (part, row, entry): a part is one parameter, or all together."""
        table = values.transpose(..., "parameter").to_numpy()
        return table[None] if self.together else table.T[:, :, None]

    def _labelled(self, values: Floats, rows: xr.DataArray | None = None) -> xr.DataArray:
        """Put the dimensions back to values on (part,) or (part, row)."""
        lead = {} if rows is None else {str(rows.dims[0]): rows.to_numpy()}
        if self.together:
            return xr.DataArray(values[0], coords=lead, dims=list(lead))
        coords = {"parameter": self.draws["parameter"].to_numpy(), **lead}
        return xr.DataArray(values, coords=coords, dims=list(coords))


def heavy_tails(draws: xr.DataArray) -> dict[str, float]:
    """Pareto k of parameters whose draws have no usable variance, by label.

    Parameters
    ----------
    draws : DataArray
        Draws of the prior on (any, parameter); fewer than 1,000 are not judged.

    Notes
    -----
    The k of absolute distances from the median, above 0.7: 97 % of sets of 4,000 Cauchy draws are
    found, 2 % of a t law with 2 degrees of freedom (whose variance is infinite too), and none of
    400 sets with 3.
    """
    from bayescollapse.estimator.laplace.importance import pareto_smooth

    if draws.shape[0] < ENOUGH:
        return {}
    known = draws.isel(parameter=np.flatnonzero(np.isfinite(draws.to_numpy()).all(axis=0)))
    lead = str(known.dims[0])
    distance = abs(known - known.median(lead)).transpose("parameter", ...)
    with np.errstate(divide="ignore"):
        k = pareto_smooth(np.log(distance.to_numpy()))[1]
    pairs = zip(known["parameter"].to_numpy(), k, known.std(lead).to_numpy(), strict=True)
    return {str(label): float(shape) for label, shape, sd in pairs if shape > HEAVY and sd > 0}


def prior_draws(
    run: xr.DataTree, experiment: Experiment | None, like: xr.DataArray, draws: int
) -> xr.DataArray | None:
    """Draws of the learner's prior.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    experiment : Experiment, optional
        The experiment of the run, whose model is drawn from.
    like : DataArray
        Parameters that are wanted, on ``parameter``, and the replicates of truths.
    draws : int
        Draws from the model.

    Returns
    -------
    DataArray or None
        Draws on (draw, parameter). Without an `experiment` the truths of the run, on (replicate,
        parameter); None where they are not draws of the learner's own prior.

    Raises
    ------
    TypeError
        If `experiment` is no bc.Experiment.
    ValueError
        If it did not make the run, its learner is no PyMC model, or its prior is improper.
    """
    count = integer("draws", draws, minimum=2)
    if experiment is not None:
        check_run(experiment, run)
        return _of_model(experiment, like, count)
    source = json.loads(run.attrs.get("configuration", "{}")).get("source", {})
    truth = truth_of(run, like)
    if truth is None or not from_prior(run) or source.get("estimator") is not None:
        return None
    return truth.transpose("replicate", "parameter")


def _of_model(experiment: Experiment, like: xr.DataArray, count: int) -> xr.DataArray:
    from bayescollapse.estimator.estimator import Estimator
    from bayescollapse.estimator.prior import PriorDraw
    from bayescollapse.estimator.trees import parameter_dataset

    estimator = experiment.estimator
    if not isinstance(estimator, Estimator):
        raise ValueError(
            f"experiment must learn a PyMC model, whose prior can be drawn from, got {estimator!r}:"
            " leave experiment= out"
        )
    drawn = PriorDraw(estimator.row_model)(count, np.random.default_rng(SEED))
    named = {"draw": np.arange(count)}
    dataset = parameter_dataset(estimator.schema, drawn, ("draw",), named)
    chosen = like["parameter"].to_numpy().tolist()
    return flatten(dataset, ("draw",)).sel(parameter=chosen).transpose("draw", "parameter")


def _nearest(part: Floats, neighbours: int) -> tuple[float, Floats]:
    """Entropy of draws (draw, entry) by nearest neighbours, and the effect of every draw."""
    terms = nearest_terms(part, neighbours=neighbours)
    if terms.ndim == 0:
        return float(terms), np.full(len(part), np.nan)
    place = np.unique(part, axis=0, return_inverse=True)[1]
    return float(terms.mean()), INFLATION * (terms - terms.mean())[np.ravel(place)]


def _error(effects: Floats) -> Floats:
    """Give the standard error of a mean whose draws have these effects, (part, draw)."""
    return np.asarray(effects.std(axis=-1, ddof=1) / np.sqrt(effects.shape[-1]))
