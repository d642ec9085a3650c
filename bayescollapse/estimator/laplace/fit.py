"""Laplace posteriors of a block: weighted draws, some of them replaced by NUTS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.points import Point, mean_of_draws
from bayescollapse.rows import RowSchema

__all__ = ["LaplaceFit"]


@dataclass(frozen=True)
class LaplaceFit:
    """Posteriors of a block as weighted draws.

    Parameters
    ----------
    schema : RowSchema
        Names and shapes of the parameters.
    pooled : ndarray, shape (replicate, draw, parameter)
        Stacked parameters on their own scale.
    weights : ndarray, shape (replicate, draw)
        Importance weights; each replicate's sum to 1.
    figures : mapping of str to ndarray, shape (replicate,)
        Figures of every fit.
    """

    schema: RowSchema
    pooled: Floats
    weights: Floats
    figures: Mapping[str, NDArray[Any]]

    def point(self) -> dict[str, Floats]:
        """Weighted mean of the draws."""
        return self.schema.unpack(self._mean)

    def estimate(self, point: Point) -> dict[str, Floats]:
        """Weighted mean of the draws on another scale."""
        return mean_of_draws(self.schema.unpack(self.pooled), self.weights, point)

    def summary(self, probabilities: tuple[float, ...]) -> Floats:
        """Weighted mean, sd and quantiles."""
        mean = self._mean
        sd = np.sqrt(np.einsum("rs,rsp->rp", self.weights, (self.pooled - mean[:, None]) ** 2))
        out = np.empty((len(mean), 2 + len(probabilities), mean.shape[1]))
        out[:, 0], out[:, 1] = mean, sd
        if probabilities:
            out[:, 2:] = _weighted_quantiles(self.pooled, self.weights, probabilities)
        return out

    def draws(self, count: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draws chosen with the probability of their weights, independently."""
        return self._chosen(rng.random((len(self.weights), count)))

    def keep(self, count: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draws chosen evenly by weight, in random order: equal weights repeat none."""
        per_chain = max(count // chains, 1)
        total = per_chain * chains
        cells = len(self.weights)
        even = (np.arange(total) + rng.random((cells, 1))) / total
        even = rng.permuted(even, axis=1)
        flat = self._chosen(even)
        return {n: v.reshape(cells, chains, per_chain, *v.shape[2:]) for n, v in flat.items()}

    @property
    def _mean(self) -> Floats:
        return np.asarray(np.einsum("rs,rsp->rp", self.weights, self.pooled))

    def _chosen(self, uniform: Floats) -> dict[str, Floats]:
        edges = np.cumsum(self.weights, axis=1)
        # One sorted axis for all cells: cell r lies between r and r + 1.
        cells = np.arange(len(edges))[:, None]
        edges = edges / edges[:, -1:] + cells
        index = np.searchsorted(edges.ravel(), (uniform + cells).ravel(), side="right")
        index = np.minimum(
            index.reshape(uniform.shape) - cells * edges.shape[1], edges.shape[1] - 1
        )
        return self.schema.unpack(np.take_along_axis(self.pooled, index[..., None], axis=1))


def _weighted_quantiles(
    pooled: Floats, weights: Floats, probabilities: tuple[float, ...]
) -> Floats:
    """Quantiles that interpolate between the middles of the weights, (replicate, p, parameter)."""
    cells, _, parameters = pooled.shape
    out = np.empty((cells, len(probabilities), parameters))
    order = np.argsort(pooled, axis=1)
    ordered = np.take_along_axis(pooled, order, axis=1)
    for r in range(cells):
        for j in range(parameters):
            w = weights[r, order[r, :, j]]
            out[r, :, j] = np.interp(probabilities, np.cumsum(w) - w / 2, ordered[r, :, j])
    return out
