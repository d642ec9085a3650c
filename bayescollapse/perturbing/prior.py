"""The prior of a model: its log density at draws, and posteriors under a power of it.

The prior is everything in the model that is not a row: the densities of the free variables on their
own scale (without the Jacobian of a transformation), potentials, and observed variables that have
no rows.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.graph.basic import Variable as Node

from bayescollapse.estimator.functions import Arrays, checked, compile_function, vectorised, wider
from bayescollapse.estimator.graph import RowModel
from bayescollapse.estimator.nuts import NutsSampler
from bayescollapse.estimator.rebuild import untransformed
from bayescollapse.estimator.tilt import weighted_model

if TYPE_CHECKING:
    from nutpie.compile_pymc import CompiledPyMCModel

__all__ = ["LogPrior", "PoweredPriorSampler", "prior_names"]

Floats = NDArray[np.float64]

POWER = "prior_power_minus_one"


def prior_names(built: RowModel, names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Check which parts of the prior are meant; all of them if not given.

    Parameters
    ----------
    built : RowModel
        The row model.
    names : str or sequence of str, optional
        Free variables, potentials, or observed variables without rows.

    Raises
    ------
    ValueError
        If a name is none of these.
    """
    model, rows = built.model, {v.name for v in built.schema.responses}
    every = [rv.name for rv in model.free_RVs if rv.name not in built.local]
    every += [p.name for p in model.potentials]
    every += [rv.name for rv in model.observed_RVs if rv.name not in rows]
    wanted = every if names is None else [names] if isinstance(names, str) else list(names)
    unknown = [name for name in wanted if name not in every]
    if unknown or not wanted:
        raise ValueError(
            f"prior_var_names must name parts of the prior, {every}, got {wanted}: correct "
            f"{unknown or 'the empty list'}"
        )
    return tuple(dict.fromkeys(wanted))


class LogPrior:
    """Log density of (parts of) a model's prior.

    Parameters
    ----------
    built : RowModel
        The row model.
    names : str or sequence of str, optional
        Parts of the prior; all if not given. In a hierarchical model, name the variables on top:
        the others are part of the model rather than of the prior.
    """

    def __init__(self, built: RowModel, names: str | Sequence[str] | None = None) -> None:
        self._built = built
        self.names = prior_names(built, names)

    def __call__(self, parameters: Arrays) -> Floats:
        """Evaluate the log prior at draws.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (D, …)
            Every free variable on its own scale.

        Returns
        -------
        ndarray, shape (D,)
            In nats; 0 for flat variables.
        """
        schema = self._built.schema
        count = len(next(iter(parameters.values())))
        theta = checked("parameters", parameters, schema.parameters, (count,))
        if self._batched is not None:
            return np.asarray(self._batched(*theta.values()))
        each = zip(*theta.values(), strict=True)
        return np.array([float(self._single(*map(np.asarray, one))) for one in each])

    @cached_property
    def _graph(self) -> tuple[list[Node], Node]:
        model = untransformed(self._built.model)
        theta = [model.rvs_to_values[model[v.name]] for v in self._built.schema.parameters]
        return theta, _log_prior(model, self.names)

    @cached_property
    def _single(self) -> Callable[..., NDArray[np.float64]]:
        return compile_function(*self._graph)

    @cached_property
    def _batched(self) -> Callable[..., NDArray[np.float64]] | None:
        theta, total = self._graph
        wide = [wider(v) for v in theta]
        made = vectorised([total], dict(zip(theta, wide, strict=True)))
        if made is None:
            return None
        # A flat prior reads no parameter, but still has one term per draw.
        zero = pt.zeros(wide[0].shape[:1])
        return compile_function(wide, made[0] + zero)


def _log_prior(model: pm.Model, names: Sequence[str]) -> Node:
    terms = model.logp(vars=[model[name] for name in names], sum=False, jacobian=False)
    return sum((term.sum() for term in terms), start=pt.constant(0.0))


class PoweredPriorSampler(NutsSampler):
    """NUTS posteriors under a power of the prior; compiled once for all powers.

    Parameters
    ----------
    built : RowModel
        The row model.
    names : sequence of str
        Parts of the prior that are raised to the power.

    Raises
    ------
    ValueError
        If the model has discrete free variables.
    """

    def __init__(self, built: RowModel, names: Sequence[str]) -> None:
        super().__init__(built)
        self._names = tuple(names)
        self._power = 1.0

    def at(self, power: float) -> PoweredPriorSampler:
        """Sampler at a power, 0 or more, with the same compiled functions."""
        self.compile()
        twin = copy.copy(self)
        twin._power = power
        return twin

    @cached_property
    def _compiled(self) -> CompiledPyMCModel:
        import nutpie

        model = weighted_model(self._built)
        model.deterministics.clear()  # their rows would fix the number of rows of the trace
        power = pytensor.shared(np.zeros(1), name=POWER, shape=(1,))
        with model:
            model.data_vars.append(power)
            model.add_named_variable(power)
            pm.Potential(f"{POWER}_tilt", power[0] * _log_prior(model, self._names))
        count = len(next(iter(self._built.template.values())))
        model._coords.update({d: tuple(range(count)) for d in self._built.row_dims})
        names = [v.name for v in self._built.schema.parameters]
        with warnings.catch_warnings():
            # As for the plain model: a warning about a linker that nothing here uses.
            # https://pytensor.readthedocs.io/en/latest/troubleshooting.html
            warnings.filterwarnings("ignore", message="PyTensor could not link to a BLAS")
            return nutpie.compile_pymc_model(model, freeze_model=False, var_names=names)

    def _with_rows(self, rows: Mapping[str, NDArray[Any]], weights: Floats) -> CompiledPyMCModel:
        placed = super()._with_rows(rows, weights)
        return placed.with_data(**{POWER: np.array([self._power - 1.0])})
