"""A table: real rows resampled from data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import ROW_DIM, RowSchema, Variable, count_rows
from bayescollapse.sources.base import Place, stack_parameters, take_rows

if TYPE_CHECKING:
    import pandas as pd

    from bayescollapse.estimator.learner import Learner

__all__ = ["Table"]


class Table:
    """Real rows resampled with replacement from a table.

    Parameters
    ----------
    frame : DataFrame
        The data, one row per observation.
    variables : mapping of str to str or list of str, optional
        Model variable to column, or to the columns of a matrix; by default every variable is the
        column of its own name.
    truth : {"fit"} or mapping of str to array_like, optional
        Parameters that errors are measured against: the posterior mean on the whole table, or given
        values; None leaves them unknown.
    categorical : sequence of str
        Model variables to code as 0, 1, … in sorted order of their values; missing entries form a
        category of their own. Columns of text are coded in any case.

    Raises
    ------
    TypeError
        If `frame` is no DataFrame.
    ValueError
        If a column is missing, or holds missing values and is not categorical.

    Examples
    --------
    >>> import pandas as pd
    >>> import bayescollapse as bc
    >>> frame = pd.DataFrame({"answer": ["no", "yes", "no"]})
    >>> bc.Table(frame, variables={"y": "answer"}).labels("y")
    ['no', 'yes']
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        variables: Mapping[str, str | Sequence[str]] | None = None,
        truth: str | Mapping[str, Any] | None = None,
        categorical: Sequence[str] = (),
    ) -> None:
        if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
            raise TypeError(f"frame must be a pandas DataFrame, got {type(frame).__name__}")
        if len(frame) == 0:
            raise ValueError("frame must have at least one row, got an empty table")
        if isinstance(truth, str) and truth != "fit":
            raise ValueError(
                f"truth must be None, 'fit' or a mapping of parameter values, got {truth!r}"
            )
        self.frame = frame
        self.variables = (
            dict(variables) if variables is not None else {str(c): str(c) for c in frame.columns}
        )
        self.truth_setting = truth
        self.categorical = tuple(categorical)
        for columns in self.variables.values():
            for column in [columns] if isinstance(columns, str) else columns:
                if column not in frame.columns:
                    raise ValueError(
                        f"variables names the column {column!r}, which the frame does not have; "
                        f"its columns are {list(map(str, frame.columns))}"
                    )

    def labels(self, variable: str) -> list[Any]:
        """Values of a coded column, in the order of their codes.

        Parameters
        ----------
        variable : str
            Model variable.
        """
        return _code(self.frame[self._column(variable)])[1]

    def rows(self, schema: RowSchema) -> dict[str, NDArray[Any]]:
        """Give the whole table as checked rows of one replicate, shape (1, obs, …)."""
        data = {v.name: ((ROW_DIM, *v.dims), self._array(v)) for v in schema.variables}
        return schema.values(xr.Dataset(data), argument="frame")

    def check(self, estimator: Learner) -> None:
        """Refuse columns and a truth that do not fit the model."""
        self.rows(estimator.schema)
        if isinstance(self.truth_setting, Mapping):
            arrays = {n: np.asarray(v, dtype=np.float64) for n, v in self.truth_setting.items()}
            stack_parameters(arrays, estimator.schema)

    def resolved(self, bound: BoundTable, schema: RowSchema) -> Table:
        """Table whose truth is given by value, so that nobody fits it again."""
        if self.truth_setting != "fit" or bound.stacked is None:
            return self
        truth = schema.unpack(bound.stacked)
        return Table(
            self.frame, variables=self.variables, truth=truth, categorical=self.categorical
        )

    def bind(self, estimator: Learner, *, seed: int) -> BoundTable:
        """Map and check the columns, and fit the whole table where it is the truth."""
        rows = self.rows(estimator.schema)
        stacked = None
        if self.truth_setting == "fit":
            whole = estimator.schema.dataset(rows, replicate=0)
            posterior = estimator.fit(whole, draws=1000, chains=2, seed=seed)[
                "posterior"
            ].to_dataset()
            means = posterior.mean(("chain", "draw"))
            stacked = estimator.schema.pack(
                {str(n): v.to_numpy() for n, v in means.items()}, lead=0
            )
        elif isinstance(self.truth_setting, Mapping):
            arrays = {n: np.asarray(v, dtype=np.float64) for n, v in self.truth_setting.items()}
            stacked = stack_parameters(arrays, estimator.schema)
        return BoundTable(rows, estimator.schema, stacked)

    def describe(self) -> dict[str, Any]:
        """Give the configuration as plain values, with a digest of the data."""
        used = [c for v in self.variables.values() for c in ([v] if isinstance(v, str) else v)]
        text = self.frame[used].to_csv(index=False).encode()
        truth = self.truth_setting
        if isinstance(truth, Mapping):
            truth = {n: np.asarray(v).tolist() for n, v in truth.items()}
        return {
            "source": "Table",
            "rows": len(self.frame),
            "variables": {
                n: v if isinstance(v, str) else list(v) for n, v in self.variables.items()
            },
            "categorical": list(self.categorical),
            "truth": truth,
            "sha256": hashlib.sha256(text).hexdigest()[:16],
        }

    def _column(self, variable: str) -> str:
        column = self.variables.get(variable)
        if column is None:
            raise ValueError(
                f"variables has no entry for {variable!r}, which the model reads: add "
                f"{variable!r}: 'column' (the frame has {list(map(str, self.frame.columns))})"
            )
        return column if isinstance(column, str) else column[0]

    def _array(self, variable: Variable) -> NDArray[Any]:
        first = self._column(variable.name)
        columns = self.variables[variable.name]
        names = [first] if isinstance(columns, str) else list(columns)
        coded = variable.name in self.categorical
        arrays = [_column_values(self.frame[name], coded) for name in names]
        return (
            arrays[0]
            if isinstance(columns, str) and not variable.shape
            else np.column_stack(arrays)
        )


@dataclass(frozen=True)
class BoundTable:
    """A table with its checked rows."""

    table: dict[str, NDArray[Any]]
    schema: RowSchema
    stacked: Floats | None
    default_covariates: str = "resample"

    def truth(self, place: Place) -> Floats | None:
        """Fit of the whole table or given values, the same for every replicate."""
        if self.stacked is None:
            return None
        return np.broadcast_to(self.stacked, (place.replicates, self.stacked.shape[-1]))

    def real(self, n: int, place: Place) -> dict[str, NDArray[Any]]:
        """Rows of the table, with replacement."""
        return take_rows(self.table, self._index(n, place, place.generator()))

    def covariates(self, m: int, place: Place) -> dict[str, NDArray[Any]]:
        """Covariates of rows of the whole table, with replacement."""
        names = [v.name for v in self.schema.covariates]
        chosen = {name: self.table[name] for name in names}
        return (
            take_rows(chosen, self._index(m, place, place.generator("covariates")))
            if chosen
            else {}
        )

    def _index(self, n: int, place: Place, rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.integers(count_rows(self.table), size=(place.replicates, n))


def _code(column: pd.Series) -> tuple[NDArray[np.int64], list[Any]]:
    import pandas as pd

    codes, labels = pd.factorize(column, sort=True, use_na_sentinel=True)
    names = [str(label) if isinstance(label, str) else label for label in labels]
    missing = codes < 0
    if missing.any():
        codes = np.where(missing, len(names), codes)
        names.append("missing")
    return np.asarray(codes, dtype=np.int64), names


def _column_values(column: pd.Series, coded: bool) -> NDArray[Any]:
    import pandas as pd

    if coded or not pd.api.types.is_numeric_dtype(column):
        return _code(column)[0]
    return column.to_numpy()
