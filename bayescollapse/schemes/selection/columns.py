"""Which of the proposed variables a selection reads, and numbers and tables as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.rows import Values

__all__ = [
    "block_shape",
    "covariate_name",
    "check_function",
    "integer_codes",
    "optional_name",
    "plain_numbers",
    "plain_value",
    "response_name",
]


def response_name(rows: Values, name: str | None) -> str:
    """Name of the response among proposed rows.

    Parameters
    ----------
    rows : mapping of str to ndarray, shape (replicate or 1, obs, …)
        Proposed rows.
    name : str or None
        The name a person gave. None takes the only variable, or the only one with a single number
        per row.

    Raises
    ------
    ValueError
        If there is no variable of that name, or none that is clear.

    Examples
    --------
    >>> import numpy as np
    >>> response_name({"y": np.zeros((2, 5)), "x": np.zeros((2, 5, 3))}, None)
    'y'
    """
    if name is not None:
        return _known(rows, "response", name)
    candidates = list(rows) if len(rows) == 1 else [k for k, v in rows.items() if v.ndim == 2]
    if len(candidates) != 1:
        raise ValueError(
            f"response must be named: the rows have {sorted(rows)}, and which of them is the "
            "response is not clear; pass response="
        )
    return candidates[0]


def covariate_name(rows: Values, name: str | None, response: str) -> str | None:
    """Name of the covariates among proposed rows; None where there are none.

    Parameters
    ----------
    rows : mapping of str to ndarray, shape (replicate or 1, obs, …)
        Proposed rows.
    name : str or None
        The name a person gave. None takes the only variable beside the response.
    response : str
        Name of the response.

    Raises
    ------
    ValueError
        If there is no variable of that name, or there are several.

    Examples
    --------
    >>> import numpy as np
    >>> covariate_name({"y": np.zeros((2, 5)), "x": np.zeros((2, 5, 3))}, None, "y")
    'x'
    """
    if name is not None:
        return _known(rows, "covariates", name)
    others = [other for other in rows if other != response]
    if len(others) > 1:
        raise ValueError(
            f"covariates must be named: the rows have {sorted(others)} beside the response "
            f"{response!r}; pass covariates="
        )
    return others[0] if others else None


def block_shape(rows: Values) -> tuple[int, int]:
    """Count the replicates and the rows of a block."""
    arrays = list(rows.values())
    return max(array.shape[0] for array in arrays), int(arrays[0].shape[1])


def integer_codes(rows: Values, name: str, what: str, count: int | None = None) -> NDArray[np.intp]:
    """Codes 0, 1, … of a categorical variable, shape (replicate or 1, obs).

    Parameters
    ----------
    rows : mapping of str to ndarray
        Proposed rows.
    name, what : str
        The variable, and how errors name the argument that chose it.
    count : int, optional
        Number of codes allowed.

    Raises
    ------
    ValueError
        If the values are no whole numbers of at least 0, or reach `count`.
    """
    values = rows[_known(rows, what, name)]
    codes = values.astype(np.intp)
    if values.ndim != 2 or (values.dtype.kind == "f" and not np.array_equal(codes, values)):
        raise ValueError(
            f"{what} {name!r} must hold one integer code per row, got {values.dtype} of shape "
            f"{values.shape}: name a categorical or binary variable"
        )
    if codes.min(initial=0) < 0 or (count is not None and codes.max(initial=0) >= count):
        top = "" if count is None else f" and below {count}"
        raise ValueError(
            f"{what} {name!r} must hold codes of at least 0{top}, got codes from {codes.min()} to "
            f"{codes.max()}: recode it, or say how many codes there are"
        )
    return codes


def plain_value(value: Any) -> Any:
    """Turn arrays, lists and mappings into nested tuples, which are hashable and can be stored.

    A mapping becomes a tuple of pairs, sorted by key; what is plain already stays as it is.

    Examples
    --------
    >>> import numpy as np
    >>> plain_value({"beta": np.array([1.0, 2.0]), "a": 1})
    (('a', 1), ('beta', (1.0, 2.0)))
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return tuple((str(key), plain_value(value[key])) for key in sorted(value))
    if isinstance(value, list | tuple):
        return tuple(plain_value(item) for item in value)
    return value


def plain_numbers(argument: str, value: Any) -> Any:
    """Check finite numbers, and return a float or nested tuples of floats.

    Raises
    ------
    ValueError
        If the value is empty, ragged, or holds anything but finite numbers.
    """
    plain = plain_value(value)
    try:
        array = np.asarray(plain)
    except ValueError as error:
        raise ValueError(f"{argument} must be a rectangular array of numbers: {error}") from error
    if array.dtype.kind not in "iuf" or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{argument} must be finite numbers, got {value!r}")
    return plain_value(array.astype(np.float64))


def optional_name(argument: str, value: Any) -> None:
    """Refuse what is neither None nor the name of a variable."""
    if value is not None and not (isinstance(value, str) and value):
        raise ValueError(f"{argument} must be the name of a variable or None, got {value!r}")


def check_function(argument: str, value: Any, signature: str) -> None:
    """Refuse what is no function."""
    if not callable(value):
        raise ValueError(f"{argument} must be a function {signature}, got {value!r}")


def _known(rows: Values, argument: str, name: str) -> str:
    if name not in rows:
        raise ValueError(
            f"{argument} names {name!r}, but the rows have {sorted(rows)}: use one of these names"
        )
    return name
