"""A truth: real rows from a model at known parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import ROW_DIM, RowSchema, Values
from bayescollapse.sources.base import Place, stack_parameters
from bayescollapse.sources.covariates import CovariateSource, covariate_block, describe_covariates

if TYPE_CHECKING:
    from bayescollapse.estimator.engine import Engine
    from bayescollapse.estimator.learner import Learner

__all__ = ["Truth"]

Covariates = CovariateSource | Callable[[int, np.random.Generator], xr.Dataset] | xr.Dataset


class Truth:
    """Real rows from a model at known parameter values.

    Parameters
    ----------
    parameters : mapping of str to array_like, optional
        True values by parameter name.
    covariates : callable, NormalCovariates or Dataset, optional
        ``f(m, rng) -> Dataset`` of m rows, a covariate distribution, or a fixed design.
    estimator : Estimator, optional
        Another model to draw real rows from (a misspecified truth); the experiment's own if not
        given. True values are compared with the learner's parameters of the same name and shape,
        whatever they mean in the two models: the scale of a Student-t is not the sd of a normal.
    **parameters_by_name : array_like
        More true values.

    Raises
    ------
    ValueError
        When bound: if a parameter is missing, unknown, misshapen or not finite.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.Truth(mu=0.0, sigma=1.0)
    Truth(mu=0.0, sigma=1.0)
    """

    def __init__(
        self,
        parameters: Mapping[str, Any] | None = None,
        /,
        *,
        covariates: Covariates | None = None,
        estimator: Learner | None = None,
        **parameters_by_name: Any,
    ) -> None:
        merged = {**(parameters or {}), **parameters_by_name}
        self.parameters = {
            name: np.asarray(value, dtype=np.float64) for name, value in merged.items()
        }
        self.covariates = covariates
        self.estimator = estimator
        self.prior = False

    @classmethod
    def from_prior(
        cls, *, covariates: Covariates | None = None, estimator: Learner | None = None
    ) -> Truth:
        """Draw a new truth for every replicate from the model's prior.

        Parameters
        ----------
        covariates : callable, NormalCovariates or Dataset, optional
            As for :class:`Truth`.
        estimator : Estimator, optional
            Model whose prior is drawn; the experiment's own if not given.

        Raises
        ------
        ValueError
            When bound: if the prior is improper.
        """
        truth = cls(covariates=covariates, estimator=estimator)
        truth.prior = True
        return truth

    def __repr__(self) -> str:
        """Parameters as given."""
        if self.prior:
            return "Truth.from_prior()"
        values = (f"{name}={value.tolist()}" for name, value in self.parameters.items())
        return f"Truth({', '.join(values)})"

    def check(self, estimator: Learner) -> None:
        """Refuse parameters and covariates that do not fit the model that draws the rows."""
        schema = (self.estimator or estimator).schema
        if not self.prior:
            stack_parameters(self.parameters, schema)
        covariate_block(
            self.covariates, schema, _rows_of(self.covariates), 1, np.random.default_rng(0)
        )

    def bind(self, estimator: Learner, *, seed: int) -> BoundTruth:
        """Check the parameters against the model that draws the rows."""
        model = self.estimator or estimator
        if self.prior:
            from bayescollapse.estimator.estimator import Estimator
            from bayescollapse.estimator.forward import PriorDraw

            if not isinstance(model, Estimator):
                raise ValueError(
                    f"Truth.from_prior() draws parameters from a PyMC model, and {model!r} has "
                    "none: name another model with estimator="
                )
            draw = PriorDraw(model.row_model)
            draw(1, np.random.default_rng(0))
            return BoundTruth(model.engine(), estimator.schema, None, draw, self.covariates)
        stacked = stack_parameters(self.parameters, model.schema)
        return BoundTruth(model.engine(), estimator.schema, stacked, None, self.covariates)

    def describe(self) -> dict[str, Any]:
        """Give the configuration as plain values."""
        values = {name: value.tolist() for name, value in self.parameters.items()}
        return {
            "source": "Truth",
            "parameters": "prior" if self.prior else values,
            "covariates": describe_covariates(self.covariates),
            "estimator": None if self.estimator is None else repr(self.estimator),
        }


@dataclass(frozen=True)
class BoundTruth:
    """A truth with the engine that draws its rows."""

    engine: Engine
    learner: RowSchema
    stacked: Floats | None
    prior: Callable[[int, np.random.Generator], Mapping[str, NDArray[Any]]] | None
    covariate_source: Covariates | None

    @property
    def default_covariates(self) -> str:
        """One design is repeated; a distribution of covariates is drawn from."""
        return "fixed" if isinstance(self.covariate_source, xr.Dataset) else "source"

    def truth(self, place: Place) -> Floats | None:
        """Give true values of the learner's parameters; NaN where the truth's model has none."""
        parameters = self._parameters(place)
        known = {name: value[:, 0] for name, value in parameters.items()}
        columns = [
            known[p.name].reshape(place.replicates, p.size)
            if p.name in known and known[p.name].shape[1:] == p.shape
            else np.full((place.replicates, p.size), np.nan)
            for p in self.learner.parameters
        ]
        return np.concatenate(columns, axis=1)

    def real(self, n: int, place: Place) -> dict[str, NDArray[Any]]:
        """Fresh covariates and responses at the true parameters."""
        rng = place.generator()
        x = covariate_block(self.covariate_source, self.engine.schema, n, place.replicates, rng)
        return {**self.engine.forward(self._parameters(place), x, n, rng), **x}

    def covariates(self, m: int, place: Place) -> dict[str, NDArray[Any]]:
        """Fresh covariates from the covariate distribution."""
        rng = place.generator("covariates")
        return covariate_block(self.covariate_source, self.learner, m, place.replicates, rng)

    def _parameters(self, place: Place) -> Values:
        schema = self.engine.schema
        if self.stacked is not None:
            flat = np.broadcast_to(self.stacked, (place.replicates, 1, self.stacked.shape[-1]))
            return schema.unpack(flat)
        assert self.prior is not None
        rng = place.streams.generator("truth", block=place.block, generation=0)
        return {name: value[:, None] for name, value in self.prior(place.replicates, rng).items()}


def _rows_of(covariates: Covariates | None) -> int:
    return covariates.sizes.get(ROW_DIM, 0) if isinstance(covariates, xr.Dataset) else 2
