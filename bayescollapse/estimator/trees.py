"""ArviZ trees of one fit, and posteriors read back from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.points import Point, mean_of_draws
from bayescollapse.rows import ROW_DIM, RowSchema, Values

__all__ = ["PooledDraws", "fit_tree", "parameter_dataset", "pooled_draws"]


def parameter_dataset(
    schema: RowSchema,
    parameters: Values,
    lead: tuple[str, ...],
    coords: dict[str, Any] | None = None,
) -> xr.Dataset:
    """Label parameter arrays whose leading axes are `lead`."""
    data = {p.name: (lead + p.dims, np.asarray(parameters[p.name])) for p in schema.parameters}
    return xr.Dataset(data, coords={**schema.parameter_coords(), **(coords or {})})


def fit_tree(
    schema: RowSchema,
    draws: Values,
    figures: Values,
    rows: Values,
    weights: Floats,
    *,
    method: str,
) -> xr.DataTree:
    """Tree of one fit: posterior, gate figures, rows and weights.

    Parameters
    ----------
    schema : RowSchema
        Names and dimensions.
    draws : mapping of str to ndarray, shape (chain, draw, …)
        Posterior draws.
    figures : mapping of str to ndarray, shape (1,)
        Gate figures.
    rows : mapping of str to ndarray, shape (1, obs, …)
        Rows that were fitted.
    weights : ndarray, shape (obs,)
        Their weights.
    method : str
        How the posterior was drawn.
    """
    chains, length = next(iter(draws.values())).shape[:2]
    coords = {"chain": np.arange(chains), "draw": np.arange(length)}
    posterior = parameter_dataset(schema, draws, ("chain", "draw"), coords)
    stats = xr.Dataset(
        {name: ((), value[0]) for name, value in figures.items()}, attrs={"method": method}
    )
    labelled = schema.dataset(rows, replicate=0)
    observed = labelled[[v.name for v in schema.responses]]
    constant = labelled[[v.name for v in schema.covariates]].assign(weights=(ROW_DIM, weights))
    return xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "sample_stats": stats,
            "observed_data": observed,
            "constant_data": constant,
        }
    )


@dataclass(frozen=True)
class PooledDraws:
    """A posterior known by its draws alone, behind the block interface; one replicate."""

    schema: RowSchema
    pooled: Floats

    @property
    def figures(self) -> dict[str, NDArray[Any]]:
        """No gate figures: the draws come from elsewhere."""
        return {}

    def point(self) -> dict[str, Floats]:
        """Mean of all draws."""
        return self.schema.unpack(self.pooled.mean(axis=0)[None])

    def estimate(self, point: Point) -> dict[str, Floats]:
        """Mean of all draws on another scale."""
        draws = self.schema.unpack(self.pooled[None])
        return mean_of_draws(draws, np.full((1, len(self.pooled)), 1 / len(self.pooled)), point)

    def summary(self, probabilities: tuple[float, ...]) -> Floats:
        """Mean, sd and quantiles of all draws."""
        draws = self.pooled
        quantiles = np.quantile(draws, probabilities, axis=0) if probabilities else draws[:0]
        return np.vstack([draws.mean(axis=0), draws.std(axis=0, ddof=1), quantiles])[None]

    def draws(self, count: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Uniform from the pooled draws, with replacement."""
        return self.schema.unpack(self.pooled[rng.integers(self.pooled.shape[0], size=count)][None])


def pooled_draws(schema: RowSchema, posterior: xr.DataTree) -> PooledDraws:
    """Read the parameters of a posterior group, stacked over chains and draws.

    Raises
    ------
    ValueError
        If the tree has no posterior group, or a parameter is missing from it.
    """
    if "posterior" not in getattr(posterior, "children", {}):
        raise ValueError(
            "posterior must be a DataTree with a 'posterior' group, as Estimator.fit returns"
        )
    group = posterior["posterior"].to_dataset()
    missing = [p.name for p in schema.parameters if p.name not in group]
    if missing:
        raise ValueError(
            f"posterior has no {missing}, which the model's parameters are: "
            f"{sorted(map(str, group))}"
        )
    arrays = {
        p.name: group[p.name].transpose("chain", "draw", ...).to_numpy() for p in schema.parameters
    }
    packed = schema.pack(arrays, lead=2)
    return PooledDraws(schema, packed.reshape(-1, packed.shape[-1]))
