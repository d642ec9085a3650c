r"""Local latent variables: free variables with one value per row, named with ``local=``.

They belong to their row and are forgotten with it: a run knows the global parameters only. Emitted
rows get fresh ones from their prior, given the global parameters (ancestral sampling). A row's
weight multiplies its likelihood, the prior of its local variables and the entropy of their
approximate posterior, so weight 2 is the row twice and weight 0 is no row.

The log density of a row integrates them out, by importance sampling:

.. math:: \log p(y_i \mid \theta) \approx \log \frac1S \sum_s
    \frac{p(y_i \mid z_s, \theta)\, p(z_s \mid \theta)}{q_i(z_s)}, \qquad z_s \sim q_i

with :math:`q_i` a mean-field Gaussian fitted to that row at the mean of the draws of
:math:`\theta`, its sds widened by a fifth. The estimate is too low on average, never too high, by
less the more draws [1]_: held-out densities of models with local variables are lower bounds in
expectation.

.. [1] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. arXiv:1509.00519
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from bayescollapse.estimator.functions import Arrays, checked, compile_function
from bayescollapse.estimator.mean_field import fit_mean_field
from bayescollapse.estimator.probe import start_point
from bayescollapse.estimator.rebuild import rebuild

if TYPE_CHECKING:
    import pymc as pm

    from bayescollapse.estimator.graph import RowModel

__all__ = ["LOCAL_DRAWS", "LocalDensity", "local_logp"]

Floats = NDArray[np.float64]

LOCAL_DRAWS = 5
"""Importance draws of the local variables for every draw of the parameters: with the 200 draws of a
held-out density, 1,000 in all."""

WIDER = 1.2
"""Factor of the sds of a proposal, whose tails would else be lighter than those of the target."""


def local_logp(built: RowModel, model: pm.Model) -> TensorVariable:
    """Log prior density of the local variables of every row, on the unconstrained scale.

    Parameters
    ----------
    built : RowModel
        A row model with local variables.
    model : Model
        Its model, or a clone of it.

    Returns
    -------
    TensorVariable, shape (obs,)
    """
    terms = model.logp(vars=[model[name] for name in built.local], sum=False, jacobian=True)
    return sum(t.sum(axis=tuple(range(1, t.ndim))) if t.ndim > 1 else t for t in terms)


class LocalDensity:
    """Log density of rows with their local variables integrated out.

    Parameters
    ----------
    built : RowModel
        A row model with local variables.
    """

    def __init__(self, built: RowModel) -> None:
        self._built = built

    def __call__(self, parameters: Arrays, values: Arrays, rng: np.random.Generator) -> Floats:
        """Estimate the log density of every row under every draw.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (D, …)
            Parameters on their own scale.
        values : mapping of str to ndarray, shape (obs, …)
            Responses and covariates.
        rng : Generator
            Source of randomness.

        Returns
        -------
        ndarray, shape (D, obs)
            In nats; too low on average.
        """
        schema = self._built.schema
        count, rows = (len(next(iter(v.values()))) for v in (parameters, values))
        theta = checked("parameters", parameters, schema.parameters, (count,))
        data = list(checked("values", values, schema.variables, (rows,)).values())
        centre = [np.asarray(value.mean(axis=0)) for value in theta.values()]
        mean, sd = self._proposal(centre, data, rows, rng)
        density = np.empty((count, rows))
        for d in range(count):
            one = [np.asarray(value[d]) for value in theta.values()]
            density[d] = self._one(one, data, mean, sd, rng)
        return density

    def _one(
        self, theta: list[Any], data: list[Any], mean: Floats, sd: Floats, rng: np.random.Generator
    ) -> Floats:
        terms = np.empty((LOCAL_DRAWS, len(mean)))
        for s in range(LOCAL_DRAWS):
            noise = rng.standard_normal(mean.shape)
            proposed = -0.5 * (noise**2 + np.log(2 * np.pi)) - np.log(sd)
            target = self._terms(*theta, *self._split(mean + sd * noise), *data)
            terms[s] = target - proposed.sum(axis=1)
        return np.asarray(np.logaddexp.reduce(terms, axis=0) - np.log(LOCAL_DRAWS))

    def _proposal(
        self, theta: list[Any], data: list[Any], rows: int, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Mean and sd of every row's local variables, shape (obs, local)."""
        start = np.concatenate(
            [np.resize(v, (rows, *v.shape[1:])).reshape(rows, -1) for v in self._starts], axis=1
        )

        def density(flat: Floats) -> tuple[float, Floats]:
            local = self._split(flat.reshape(start.shape))
            total, *gradients = self._gradient(*theta, *local, *data)
            joined = np.concatenate([g.reshape(rows, -1) for g in gradients], axis=1)
            return float(total), joined.ravel()

        fitted = fit_mean_field(density, start.ravel(), rng, max_steps=1000)
        sd = WIDER * np.exp(fitted.log_sd)
        return fitted.mean.reshape(start.shape), sd.reshape(start.shape)

    def _split(self, joined: Floats) -> list[Floats]:
        out, begin = [], 0
        for value in self._starts:
            width = int(np.prod(value.shape[1:], dtype=int))
            part = joined[:, begin : begin + width]
            out.append(np.ascontiguousarray(part.reshape(len(joined), *value.shape[1:])))
            begin += width
        return out

    @cached_property
    def _starts(self) -> list[NDArray[Any]]:
        model, start = self._built.model, start_point(self._built.model)
        return [start[model.rvs_to_values[model[name]].name] for name in self._built.local]

    @cached_property
    def _graph(self) -> tuple[list[Any], list[Any], list[Any], Any]:
        """Parameters on their own scale, local values, rows, and the terms of the rows."""
        from bayescollapse.estimator.graph import row_variables, rowwise_logp

        built, model = self._built, self._built.model
        theta = {model[v.name]: model[v.name].type() for v in built.schema.parameters}
        shared = row_variables(built)
        rows = [shared[v.name].type() for v in built.schema.variables]
        replace = {shared[v.name]: r for v, r in zip(built.schema.variables, rows, strict=True)}
        replace |= _unconstrained(model, theta)
        old = [model.rvs_to_values[model[name]] for name in built.local]
        local = [v.type.clone(shape=(None, *v.type.shape[1:]))() for v in old]
        replace |= dict(zip(old, local, strict=True))
        terms = rebuild([rowwise_logp(built) + local_logp(built, model)], replace)[0]
        return list(theta.values()), local, rows, terms

    @cached_property
    def _terms(self) -> Any:
        theta, local, rows, terms = self._graph
        return compile_function([*theta, *local, *rows], terms)

    @cached_property
    def _gradient(self) -> Any:
        theta, local, rows, terms = self._graph
        total = terms.sum()
        return compile_function([*theta, *local, *rows], [total, *pytensor.grad(total, local)])


def _unconstrained(model: pm.Model, theta: Mapping[Any, Any]) -> dict[Any, Any]:
    """Value variables as functions of the parameters on their own scale."""
    found = {}
    for rv, own in theta.items():
        transform = model.rvs_to_transforms[rv]
        value = own if transform is None else transform.forward(own, *rv.owner.inputs)
        found[model.rvs_to_values[rv]] = rebuild([value], theta)[0]
    return found
