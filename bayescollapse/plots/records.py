"""Tables in the forms people have them in, as a list of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

__all__ = ["Table", "as_records"]

Table = xr.Dataset | Iterable[Mapping[str, Any]] | Any
"""Dataset, DataFrame, or dictionaries with the same keys."""


def as_records(table: Table, *, argument: str = "table") -> list[dict[str, Any]]:
    """Turn a table into one dictionary per row.

    Parameters
    ----------
    table : Dataset, DataFrame or sequence of mapping
        A dataset gives one row per combination of its dimensions, without those whose variables are
        all missing.
    argument : str
        How error messages name `table`.

    Returns
    -------
    list of dict
        Plain Python values by column.

    Examples
    --------
    >>> import xarray as xr
    >>> as_records(xr.Dataset({"a": ("t", [1, 2])}, coords={"t": [0, 1]}))
    [{'t': 0, 'a': 1}, {'t': 1, 'a': 2}]
    """
    if isinstance(table, xr.Dataset):
        names = [str(n) for n in table.data_vars]
        frame = table.to_dataframe().dropna(how="all", subset=names)
        if table.dims:
            frame = frame.reset_index()
        table = frame
    if hasattr(table, "to_dict") and hasattr(table, "columns"):
        table = table.to_dict("records")
    rows = None if isinstance(table, str | Mapping) else list(table)
    if rows is None or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError(
            f"{argument} must be an xarray.Dataset, a DataFrame or a sequence of dictionaries, got "
            f"{type(table).__name__}: wrap one row in a list"
        )
    return [{str(k): _plain(v) for k, v in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return value
