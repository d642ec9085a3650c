"""The prior behind a run: its draws, and their moments and entropies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.measures.entropy_kernels import (
    gaussian_entropy,
    knn_entropy,
    normal_fit,
)
from bayescollapse.measures.layout import flatten, truth_of
from bayescollapse.measures.truths import from_prior

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["PriorFigures", "PriorOfRun", "prior_draws"]

Floats = NDArray[np.float64]

SEED = 20_240_601
"""Seed of the prior draws: figures of one experiment are the same at every call."""


@dataclass(frozen=True)
class PriorFigures:
    """What is known of a prior from its draws.

    Parameters
    ----------
    draws : ndarray, shape (draw, entry)
        Draws of one parameter, or of several together.
    entropy, error : float
        Entropy in nats, and its standard error.
    truths : bool
        Whether the draws are the truths of the run themselves.
    """

    draws: Floats
    entropy: float
    error: float
    truths: bool

    def log_density(self, points: Floats) -> Floats:
        """Log density of a normal with the prior's moments at points (…, entry)."""
        mean, white, logs = normal_fit(self.draws)
        count, size = self.draws.shape
        square = (((points - mean) @ white) ** 2).sum(axis=-1)
        if self.truths:
            # Mean and covariance were fitted to these very points.
            square = square * count / (count - 1)
        peak = size / 2 - gaussian_entropy(logs, size, draws=count)
        return np.asarray(peak - square / 2)


def prior_draws(
    run: xr.DataTree,
    experiment: Experiment | None,
    like: xr.DataArray,
    count: int,
) -> tuple[xr.DataArray | None, bool]:
    """Draws of the learner's prior, and whether they are the truths of the run.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    experiment : Experiment, optional
        The experiment of the run, whose model is drawn from.
    like : DataArray
        Parameters that are wanted, on ``parameter``, and the replicates of truths.
    count : int
        Draws from the model.

    Returns
    -------
    tuple of DataArray, bool
        Draws on (draw, parameter), None without an `experiment` where the truths are not draws of
        the learner's own prior.

    Raises
    ------
    ValueError
        If the experiment's learner is no PyMC model, or its prior is improper.
    """
    if experiment is not None:
        return _of_model(experiment, like, integer("prior_draws", count, minimum=2)), False
    source = json.loads(run.attrs.get("configuration", "{}")).get("source", {})
    truth = truth_of(run, like)
    if truth is None or not from_prior(run) or source.get("estimator") is not None:
        return None, False
    return truth.transpose("replicate", "parameter").rename(replicate="draw"), True


@dataclass(frozen=True)
class PriorOfRun:
    """Figures of a prior: every parameter alone, and all together.

    Parameters
    ----------
    labels : tuple of str
        Parameters.
    margins : tuple of PriorFigures
        Every parameter alone.
    joint : PriorFigures
        All together.
    """

    labels: tuple[str, ...]
    margins: tuple[PriorFigures, ...]
    joint: PriorFigures

    @classmethod
    def of(
        cls,
        draws: xr.DataArray,
        like: xr.DataArray,
        *,
        truths: bool,
        neighbours: int | None,
    ) -> PriorOfRun:
        """Work out the figures of draws on (draw, parameter), for the parameters of `like`."""
        labels = tuple(str(label) for label in like["parameter"].to_numpy())
        values = draws.sel(parameter=list(labels)).transpose("draw", "parameter").to_numpy()
        margins = [_figures(v[:, None], truths, neighbours) for v in values.T]
        return cls(labels, tuple(margins), _figures(values, truths, neighbours))

    @property
    def entropy(self) -> xr.DataArray:
        """Entropy of every parameter, in nats."""
        return self._labelled(np.array([prior.entropy for prior in self.margins]))

    def log_density(self, truth: xr.DataArray) -> xr.DataArray:
        """Log density of truths on (replicate, parameter), every parameter alone."""
        points = truth.transpose("replicate", "parameter")
        columns = [
            prior.log_density(values[:, None])
            for prior, values in zip(self.margins, points.to_numpy().T, strict=True)
        ]
        return points.copy(data=np.stack(columns, axis=-1)).drop_vars("variable", errors="ignore")

    def joint_log_density(self, truth: xr.DataArray) -> xr.DataArray:
        """Log density of truths on (replicate, parameter), all parameters together."""
        points = truth.transpose("replicate", "parameter")
        found = self.joint.log_density(points.to_numpy())
        return (
            points.isel(parameter=0, drop=True)
            .drop_vars("variable", errors="ignore")
            .copy(data=found)
        )

    def widen(self, out: xr.Dataset) -> None:
        """Add the error of the prior's entropy to errors of `out`, in place.

        What is known of truths that are the prior's own draws has it already: their log densities
        under the prior vary in the same sum.
        """
        margins = self._labelled(np.array([prior.error for prior in self.margins]))
        for names, error in (("information", margins), ("joint", self.joint.error)):
            for name in (f"{names}_gain", f"{names}_known"):
                if f"{name}_mcse" in out and not (self.joint.truths and name.endswith("known")):
                    narrow = out[f"{name}_mcse"]
                    wide = ((narrow**2 + error**2) ** 0.5).transpose(*narrow.dims)
                    out[f"{name}_mcse"] = wide.assign_attrs(narrow.attrs)

    def _labelled(self, values: Floats) -> xr.DataArray:
        return xr.DataArray(values, dims="parameter", coords={"parameter": list(self.labels)})


def _figures(draws: Floats, truths: bool, neighbours: int | None) -> PriorFigures:
    """Entropy of draws (draw, entry): of a normal, or by nearest neighbours."""
    if neighbours is not None:
        return PriorFigures(draws, *knn_entropy(draws, neighbours=neighbours), truths)
    count, size = draws.shape
    mean, white, logs = normal_fit(draws)
    square = (((draws - mean) @ white) ** 2).sum(axis=-1)
    entropy = gaussian_entropy(logs, size, draws=count)
    error = square.std(ddof=1) / 2 / np.sqrt(count) if count > 1 else np.nan
    return PriorFigures(draws, float(entropy), float(error), truths)


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
