"""Density: the log-likelihood of every row under given parameters, compiled once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pytensor.graph.basic import Variable as Node

from bayescollapse.estimator.functions import Arrays, checked, compile_function, vectorised, wider
from bayescollapse.estimator.graph import RowModel, row_variables, rowwise_logp
from bayescollapse.estimator.rebuild import rebuild, untransformed

__all__ = ["Density"]

_CHUNK = 2_000_000
"""Entries of row-wise log-likelihood made at a time."""


class Density:
    """Row-wise log-likelihood of a model.

    Parameters
    ----------
    built : RowModel
        The row model.
    """

    def __init__(self, built: RowModel) -> None:
        self._built = built

    def __call__(self, parameters: Arrays, values: Arrays) -> NDArray[np.float64]:
        """Evaluate the log-likelihood of every row under every draw.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (D, …)
            Values of every free variable, on its own scale.
        values : mapping of str to ndarray, shape (obs, …)
            Responses and covariates.

        Returns
        -------
        ndarray, shape (D, obs)
            In nats; minus infinity for impossible rows.
        """
        schema = self._built.schema
        count, rows = (len(next(iter(v.values()))) for v in (parameters, values))
        theta = checked("parameters", parameters, schema.parameters, (count,))
        data = checked("values", values, schema.variables, (rows,)).values()
        if self._batched is None:
            each = zip(*theta.values(), strict=True)
            return np.stack([self._single(*map(np.asarray, one), *data) for one in each])
        width = max(v.size for v in schema.variables)
        step = max(1, _CHUNK // max(rows * width, 1))
        parts = (slice(i, i + step) for i in range(0, count, step))
        return np.concatenate(
            [self._batched(*(t[p] for t in theta.values()), *data) for p in parts]
        )

    @cached_property
    def _graph(self) -> tuple[list[Node], list[Node], Node]:
        model, schema = untransformed(self._built.model), self._built.schema
        shared = row_variables(self._built, model)
        theta = [model.rvs_to_values[model[v.name]] for v in schema.parameters]
        rows = [shared[v.name].type(f"{v.name}_input") for v in schema.variables]
        replace = {shared[v.name]: row for v, row in zip(schema.variables, rows, strict=True)}
        return theta, rows, rebuild([rowwise_logp(self._built, model)], replace)[0]

    @cached_property
    def _single(self) -> Callable[..., NDArray[np.float64]]:
        theta, rows, terms = self._graph
        return compile_function([*theta, *rows], terms)

    @cached_property
    def _batched(self) -> Callable[..., NDArray[np.float64]] | None:
        theta, rows, terms = self._graph
        wide = [wider(v) for v in theta]
        # A likelihood that reads no parameter still has one row of terms per draw.
        zero = sum((w.flatten(2).sum(axis=1) if w.ndim > 1 else w) * 0 for w in wide)
        made = vectorised([terms], dict(zip(theta, wide, strict=True)))
        if made is None:
            return None
        (drawn,) = made
        return compile_function([*wide, *rows], drawn if drawn.ndim == 2 else zero[:, None] + drawn)
