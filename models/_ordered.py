"""Order statistics of normal variables, the generative prior behind labels that cannot switch.

Sorting the components of an exchangeable prior relabels them and changes nothing else: the sorted
vector has the joint density of the order statistics, ``K!`` times the exchangeable one. A mere
``ordered`` transform on independent normals has the same density up to a constant, but draws
unordered values from the prior; here prior draws and density agree.
"""

from __future__ import annotations

from math import lgamma
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ordered_normals", "ordered_rows"]


def ordered_normals(name: str, mean: float, sd: float, *, size: int, dims: str) -> Any:
    """Add the order statistics of independent normal variables to the model of the context.

    Parameters
    ----------
    name, dims : str
        Name and dimension of the variable.
    mean, sd : float
        Of each normal before sorting.
    size : int
        How many.

    Returns
    -------
    TensorVariable, shape (size,)
        Ascending.
    """
    import pymc as pm

    return pm.CustomDist(
        name,
        np.full(size, mean),
        np.full(size, sd),
        logp=_logp_ordered,
        random=_sorted_normals,
        signature="(k),(k)->(k)",
        transform=pm.distributions.transforms.ordered,
        initval=mean + sd * np.linspace(-1.0, 1.0, size),
        dims=dims,
    )


def ordered_rows(
    name: str, sd: float, *, shape: tuple[int, int], column: int, dims: tuple[str, str]
) -> Any:
    """Add a matrix of independent centred normals, its rows sorted by one column.

    Parameters
    ----------
    name : str
        Name of the variable.
    sd : float
        Of every entry.
    shape : tuple of int
        Rows (components) and columns (features).
    column : int
        Column whose entries ascend.
    dims : tuple of str
        Dimensions of the variable.

    Returns
    -------
    TensorVariable, shape `shape`
    """
    import pymc as pm

    start = np.zeros(shape)
    start[:, column] = sd * np.linspace(-1.0, 1.0, shape[0])
    return pm.CustomDist(
        name,
        np.full(shape, sd),
        column,
        logp=_logp_rows,
        random=_sorted_rows,
        signature="(k,p),()->(k,p)",
        transform=_ordered_column(column),
        initval=start,
        dims=dims,
    )


def _logp_ordered(value: Any, mean: Any, sd: Any) -> Any:
    import pymc as pm

    return _relabelled(pm.logp(pm.Normal.dist(mean, sd), value).sum(-1), value)


def _sorted_normals(
    mean: NDArray[Any], sd: NDArray[Any], rng: np.random.Generator, size: tuple[int, ...] | None
) -> NDArray[Any]:
    return np.sort(rng.normal(mean, sd, (*(size or ()), mean.shape[-1])), axis=-1)


def _logp_rows(value: Any, sd: Any, column: Any) -> Any:
    import pymc as pm

    exchangeable = pm.logp(pm.Normal.dist(0.0, sd), value).sum((-2, -1))
    return _relabelled(exchangeable, value[..., :, column])


def _sorted_rows(
    sd: NDArray[Any],
    column: NDArray[Any],
    rng: np.random.Generator,
    size: tuple[int, ...] | None,
) -> NDArray[Any]:
    drawn = rng.normal(0.0, sd, (*(size or ()), *sd.shape[-2:]))
    order = np.argsort(drawn[..., int(np.ravel(column)[0])], axis=-1)
    return np.take_along_axis(drawn, order[..., None], axis=-2)


def _relabelled(exchangeable: Any, labels: Any) -> Any:
    """K! times a density that treats components alike, on the cone of ascending labels."""
    import pytensor.tensor as pt

    size = labels.type.shape[-1]
    ascending = pt.all(labels[..., 1:] >= labels[..., :-1], axis=-1)
    return pt.switch(ascending, exchangeable + lgamma(size + 1), -np.inf)


def _ordered_column(column: int) -> Any:
    """Transform one column of a matrix to its first entry and log steps; keep the others."""
    import pymc as pm
    from pymc.logprob.transforms import Transform

    ordered = pm.distributions.transforms.ordered

    class OrderedColumn(Transform):  # type: ignore[misc]
        name = f"ordered_column_{column}"
        ndim_supp = 2

        def forward(self, value: Any, *inputs: Any) -> Any:
            return _replaced(value, column, ordered.forward(value[..., column]))

        def backward(self, value: Any, *inputs: Any) -> Any:
            return _replaced(value, column, ordered.backward(value[..., column]))

        def log_jac_det(self, value: Any, *inputs: Any) -> Any:
            return ordered.log_jac_det(value[..., column])

    return OrderedColumn()


def _replaced(matrix: Any, column: int, entries: Any) -> Any:
    return matrix[..., column].set(entries)
