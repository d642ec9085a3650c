"""Rows: what one observation is made of, and how batches of rows are labelled.

Inside the engine, rows are plain NumPy arrays with the leading axes ``(replicate, obs)``; in front
of a person they are an :class:`xarray.Dataset` on the dimension ``obs``. :class:`RowSchema`
translates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["ROW_DIM", "RowSchema", "Values", "Variable", "concatenate_rows", "count_rows"]

ROW_DIM = "obs"
"""Name of the row dimension of every dataset of rows."""

Values = Mapping[str, NDArray[Any]]
"""Arrays by variable name, with the leading axes ``(replicate, obs)``."""


@dataclass(frozen=True)
class Variable:
    """One named array of a model: a response, a covariate or a parameter.

    Parameters
    ----------
    name : str
        Name in the PyMC model.
    dims : tuple of str
        Names of the axes, without ``obs`` for responses and covariates.
    shape : tuple of int
        Lengths of the axes in `dims`.
    dtype : str
        NumPy type of the values.
    """

    name: str
    dims: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    dtype: str = "float64"

    @property
    def size(self) -> int:
        """Number of entries of one value."""
        return int(np.prod(self.shape, dtype=int))


@dataclass(frozen=True)
class RowSchema:
    """What rows and parameters of an estimator look like.

    Parameters
    ----------
    responses : tuple of Variable
        Observed variables, one entry per row.
    covariates : tuple of Variable
        Row-wise ``pm.Data``, one entry per row.
    parameters : tuple of Variable
        Free variables of the model, on their own scale.
    coords : mapping of str to tuple, optional
        Labels of the named dimensions.
    """

    responses: tuple[Variable, ...]
    covariates: tuple[Variable, ...]
    parameters: tuple[Variable, ...]
    coords: Mapping[str, tuple[Any, ...]] = field(default_factory=dict, hash=False)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Responses, then covariates."""
        return self.responses + self.covariates

    @property
    def size(self) -> int:
        """Number of scalar parameters."""
        return sum(parameter.size for parameter in self.parameters)

    def dataset(self, values: Values, *, replicate: int | None = None, **coords: Any) -> xr.Dataset:
        """Label rows: a dataset on ``obs``, with ``replicate`` in front unless one is chosen.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (replicate, obs, …)
            Rows; variables that are missing (covariates before their responses) are left out.
        replicate : int, optional
            Take this replicate alone.
        **coords : array_like
            Row coordinates ``real``, ``batch`` and ``origin``, of shape (obs,) or (replicate, obs).
        """
        lead = ("replicate", ROW_DIM) if replicate is None else (ROW_DIM,)
        data = {
            v.name: (
                lead + v.dims,
                values[v.name] if replicate is None else values[v.name][replicate],
            )
            for v in self.variables
            if v.name in values
        }
        rows = xr.Dataset(data, coords=self._labels(self.variables))
        for name, value in coords.items():
            array = np.asarray(value)
            if array.ndim == 2 and replicate is not None:
                array = array[replicate]
            rows = rows.assign_coords({name: (lead[-array.ndim :], array)})
        return rows

    def values(self, rows: xr.Dataset, *, argument: str = "rows") -> dict[str, NDArray[Any]]:
        """Check a dataset of rows and strip its labels.

        Parameters
        ----------
        rows : Dataset
            Rows on ``obs``; a ``replicate`` dimension may precede it.
        argument : str
            How error messages name `rows`.

        Returns
        -------
        dict of str to ndarray, shape (replicate, obs, …)

        Raises
        ------
        TypeError
            If `rows` is no dataset.
        ValueError
            If a variable is missing, has the wrong dimensions, or holds missing or infinite values.
        """
        if not isinstance(rows, xr.Dataset):
            raise TypeError(
                f"{argument} must be an xarray.Dataset on the dimension 'obs', got "
                f"{type(rows).__name__}: wrap the arrays, for example "
                f"xr.Dataset({{'y': ('obs', values)}})"
            )
        return {v.name: self._checked(v, rows, argument) for v in self.variables}

    def unpack(self, flat: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Split a trailing axis of stacked parameters into named parameters."""
        out, start = {}, 0
        for parameter in self.parameters:
            stop = start + parameter.size
            out[parameter.name] = flat[..., start:stop].reshape(flat.shape[:-1] + parameter.shape)
            start = stop
        return out

    def pack(self, parameters: Values, lead: int) -> NDArray[np.float64]:
        """Stack named parameters with `lead` leading axes into one trailing axis."""
        arrays = [np.asarray(parameters[p.name], dtype=np.float64) for p in self.parameters]
        return np.concatenate([a.reshape(a.shape[:lead] + (-1,)) for a in arrays], axis=-1)

    def parameter_coords(self) -> dict[str, list[Any]]:
        """Labels of the dimensions of the parameters."""
        return self._labels(self.parameters)

    def _labels(self, variables: Sequence[Variable]) -> dict[str, list[Any]]:
        return {d: list(self.coords[d]) for v in variables for d in v.dims if d in self.coords}

    def _checked(self, variable: Variable, rows: xr.Dataset, argument: str) -> NDArray[Any]:
        name = variable.name
        if name not in rows:
            raise ValueError(
                f"{argument} has no variable {name!r}, which the model reads (it has "
                f"{sorted(map(str, rows.data_vars))}): rename a column, or map it with variables="
            )
        array = rows[name]
        lead = ("replicate", ROW_DIM) if "replicate" in array.dims else (ROW_DIM,)
        if array.dims[: len(lead)] != lead or array.shape[len(lead) :] != variable.shape:
            expected = ", ".join((ROW_DIM, *variable.dims))
            raise ValueError(
                f"{argument}[{name!r}] has dimensions {dict(array.sizes)}, but the model needs "
                f"({expected}) with trailing shape {variable.shape}: transpose it or choose other "
                "columns"
            )
        checked = _finite(array.to_numpy(), variable, f"{argument}[{name!r}]")
        return checked if len(lead) == 2 else checked[np.newaxis]


def count_rows(values: Values) -> int:
    """Count the rows of one replicate."""
    return int(next(iter(values.values())).shape[1])


def concatenate_rows(parts: Sequence[Values]) -> dict[str, NDArray[Any]]:
    """Join batches of rows along ``obs``."""
    if len(parts) == 1:
        return dict(parts[0])
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


def _finite(array: NDArray[Any], variable: Variable, label: str) -> NDArray[Any]:
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"{label} holds values of type {array.dtype}, but the model needs numbers: code "
            "categories as integers first (bc.Table does it for columns of text)"
        )
    bad = ~np.isfinite(array)
    if bad.any():
        raise ValueError(
            f"{label} holds {int(bad.sum())} missing or infinite values: drop or impute those rows "
            "first"
        )
    cast = array.astype(variable.dtype)
    if not np.array_equal(cast, array):
        raise ValueError(
            f"{label} holds values that {variable.dtype} cannot represent (first: "
            f"{array[cast != array].flat[0]!r}), but the model's variable is of that type: recode "
            "the column"
        )
    return cast
