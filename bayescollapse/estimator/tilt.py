"""Tilt: multiply the log-likelihood of every row by its weight.

The observed variables stay in the model, and one potential is added,
``sum((weights - 1) * rowwise_logp)``.
Weight 1 everywhere is ordinary Bayes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayescollapse.estimator.graph import RowModel, rowwise_logp
from bayescollapse.estimator.local import local_logp
from bayescollapse.estimator.rebuild import clone_model

__all__ = ["neutral_rows", "weighted_model", "weights_name"]


def weighted_model(built: RowModel) -> pm.Model:
    """Make the weighted model: a clone of the row model with data ``weights`` and one potential.

    A row whose log-likelihood is minus infinity makes the total minus infinity, whatever its
    weight. A row of weight 0 has to be neutralised before (:func:`neutral_rows`): no graph can take
    an infinity out of a sum and leave the gradient right.

    Parameters
    ----------
    built : RowModel
        The row model; it is not changed.

    Returns
    -------
    Model
        Its ``pm.Data`` of weights is called :func:`weights_name`.
    """
    model = clone_model(built.model)
    for name, initval in _initial_values(built.model).items():
        model.set_initval(model[name], initval)
    count = len(next(iter(built.template.values())))
    weights = pytensor.shared(np.ones(count), name=weights_name(built), shape=(None,))
    terms = rowwise_logp(built, model)
    if built.local:
        terms = terms + local_logp(built, model)
    finite = pt.switch(pt.isinf(terms), 0.0, terms)  # (w - 1) * -inf would turn -inf into NaN
    with model:
        model.data_vars.append(weights)
        model.add_named_variable(weights)
        pm.Potential(f"{weights.name}_tilt", ((weights - 1.0) * finite).sum())
    return model


def weights_name(built: RowModel) -> str:
    """Name of the weights in the weighted model, one that the model does not use."""
    taken = set(built.model.named_vars) | set(built.model.coords) | set(built.shared.values())
    name = "weights"
    while name in taken or f"{name}_tilt" in taken:
        name = f"row_{name}"
    return name


def neutral_rows(
    values: Mapping[str, NDArray[Any]], weights: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Copy a row of positive weight over the rows of weight 0, response and covariates.

    A removed row then has a finite log-likelihood wherever the other rows have one, and
    contributes nothing.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (obs, …)
        Rows.
    weights : ndarray, shape (obs,)
        Weights of the rows.

    Returns
    -------
    dict of str to ndarray
        The same arrays where no weight is 0.

    Raises
    ------
    ValueError
        If no row has a positive weight.
    """
    removed = weights == 0
    if not removed.any():
        return dict(values)
    if removed.all():
        raise ValueError(
            f"weights are 0 for all {len(weights)} rows: give at least one row a positive weight"
        )
    rows = np.where(removed, np.flatnonzero(~removed)[0], np.arange(len(weights)))
    return {name: value[rows] for name, value in values.items()}


def _initial_values(model: pm.Model) -> dict[str, Any]:
    return {rv.name: v for rv, v in model.rvs_to_initial_values.items() if v is not None}
