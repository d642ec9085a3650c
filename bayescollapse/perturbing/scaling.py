"""Scaling: components of a posterior at powers, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.estimator import Estimator
from bayescollapse.estimator.exact import Floats
from bayescollapse.experiment.experiment import Experiment
from bayescollapse.measures.labels import labelled
from bayescollapse.perturbing.cells import Cell, Posterior
from bayescollapse.perturbing.choice import Choice
from bayescollapse.perturbing.kernels import power_gradients
from bayescollapse.perturbing.reweigh import Refit, changed, has_density, log_likelihoods
from bayescollapse.perturbing.table import CHANGES, ChangeTable

if TYPE_CHECKING:
    from bayescollapse.estimator.graph import RowModel
    from bayescollapse.perturbing.prior import LogPrior, PoweredPriorSampler

__all__ = ["KINDS", "WORDS", "Scaling"]

KINDS = ("prior", "real", "synthetic", "likelihood")
"""Components that can be scaled; ``likelihood`` is real and synthetic rows together."""

GRADIENTS = {
    "mean_gradient": ("change of the posterior mean per doubling", "posterior sds per doubling"),
    "sd_gradient": ("relative change of the posterior sd per doubling", "1 per doubling"),
}

WORDS = (
    {"sensitivity": ("distance per doubling of a component's power", "1 per doubling")}
    | GRADIENTS
    | CHANGES
)
"""What every measure is, and its units."""


@dataclass
class Scaling:
    """Measures of components at powers, filled cell by cell.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    choice : Choice
        Cells and parameters.
    kinds : tuple of str
        Components.
    powers : tuple of float
        Powers other than 1.
    how : {"auto", "always", "never"}
        When to fit again.
    prior_var_names : str or sequence of str, optional
        Parts of the prior that are scaled.
    """

    experiment: Experiment
    choice: Choice
    kinds: tuple[str, ...]
    powers: tuple[float, ...]
    how: str
    prior_var_names: str | Sequence[str] | None
    missing: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make room for every cell."""
        lead = (*self.choice.shape, len(self.kinds))
        entries = (len(self.choice.entries),)
        names = ("mean_gradient", "mean_gradient_mcse", "sd_gradient", "sd_gradient_mcse")
        self.gradients = {name: np.full(lead + entries, np.nan) for name in names}
        further = {"component": self.kinds, "power": self.powers}
        self.table = ChangeTable(self.choice, further)

    @cached_property
    def prior(self) -> LogPrior | None:
        """Log density of the prior; None where it is not looked at."""
        if "prior" not in self.kinds:
            return None
        from bayescollapse.perturbing.prior import LogPrior

        return LogPrior(self._row_model, self.prior_var_names)

    @cached_property
    def _row_model(self) -> RowModel:
        assert isinstance(self.experiment.estimator, Estimator)
        return self.experiment.estimator.row_model

    def add(self, cell: Cell) -> None:
        """Measure a cell."""
        where = self.choice.where(cell.place)
        logs = self._log_components(cell) if has_density(cell) else None
        if logs is None:
            self._note("mean_gradient, sd_gradient: the estimator has no densities of rows")
        else:
            shape = (*cell.posterior.draws.shape[:3], len(self.kinds))
            gradients = power_gradients(cell.posterior.draws, logs.reshape(shape))
            for array, value in zip(self.gradients.values(), gradients, strict=True):
                array[where] = value[..., self.choice.entries]
        for c, kind in enumerate(self.kinds):
            for p, power in enumerate(self.powers):
                ratios = None if logs is None else (power - 1) * logs[..., c]
                change = changed(cell, ratios, self._refit(cell, kind, power), self.how)
                self.table.put((*where, c, p), change)
                if change.improper.any():
                    self._note("some scaled posteriors: they would be improper")
                if np.isnan(change.distance[~change.improper]).any():
                    self._note("some scaled posteriors: Pareto k is too high, and no refit")

    def _log_components(self, cell: Cell) -> Floats:
        """Log density of every component at every draw, (replicate, draw, component)."""
        rows = log_likelihoods(cell, np.where(cell.real, 0, 1), 2)
        parts = {"real": rows[..., 0], "synthetic": rows[..., 1], "likelihood": rows.sum(axis=2)}
        if self.prior is not None:
            draws = cell.posterior.draws
            flat = cell.engine.schema.unpack(draws.reshape(-1, draws.shape[-1]))
            parts["prior"] = self.prior(flat).reshape(rows.shape[:2])
        return np.stack([parts[kind] for kind in self.kinds], axis=-1)

    def _refit(self, cell: Cell, kind: str, power: float) -> Refit | None:
        if kind == "prior":
            approximate = self.experiment.method == "advi"
            return None if approximate else lambda needed: self._powered_prior(cell, power, needed)
        every = np.ones_like(cell.real)
        scaled = {"real": cell.real, "synthetic": ~cell.real, "likelihood": every}[kind]
        return lambda _: cell.refit(np.where(scaled, power, 1.0) * cell.weights)

    def _powered_prior(self, cell: Cell, power: float, needed: NDArray[np.bool_]) -> Posterior:
        """Fit some replicates by NUTS, with their prior raised to a power; others are missing."""
        schema, settings = cell.engine.schema, cell.settings
        sampler = self._sampler.at(power)
        fits = [
            sampler.fit(
                {name: value[r] for name, value in cell.rows.items()},
                cell.weights[r],
                draws=max(settings.draws, 500),
                chains=settings.chains,
                seeds=settings.seeds,
            )
            for r in np.flatnonzero(needed)
        ]
        packed = [schema.pack(fit.parameters, lead=2) for fit in fits]
        each = min(part.shape[1] for part in packed)
        draws = np.stack([part[:, -each:] for part in packed])
        flat = [part.reshape(-1, part.shape[-1]) for part in packed]
        return Posterior(
            _placed(draws, needed, np.nan),
            _placed(np.stack([part.mean(axis=0) for part in flat]), needed, np.nan),
            _placed(np.stack([part.std(axis=0, ddof=1) for part in flat]), needed, np.nan),
            _placed(np.array([fit.figures.passed for fit in fits]), needed, False),
        )

    @cached_property
    def _sampler(self) -> PoweredPriorSampler:
        from bayescollapse.perturbing.prior import PoweredPriorSampler

        assert self.prior is not None
        return PoweredPriorSampler(self._row_model, self.prior.names)

    def _note(self, text: str) -> None:
        if text not in self.missing:
            self.missing.append(text)

    def cells(self) -> xr.Dataset:
        """Label what was measured: every cell, replicates included."""
        out = self.table.cells()
        doublings = xr.DataArray(np.abs(np.log2(self.powers)), dims="power")
        per_doubling = (out["distance"] / doublings).mean("power", skipna=False)
        dims = per_doubling.dims
        out = out.assign(sensitivity=per_doubling)
        out = out.assign({name: (dims, array) for name, array in self.gradients.items()})
        return labelled(out, WORDS)


def _placed(values: NDArray[Any], needed: NDArray[np.bool_], fill: Any) -> NDArray[Any]:
    """Put the values of some replicates among all of them."""
    out = np.full((len(needed), *values.shape[1:]), fill)
    out[needed] = values
    return out
