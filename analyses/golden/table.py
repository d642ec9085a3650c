"""A real table, its categorical marginals and a logistic regression of its response."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import categorical, logistic_regression
from golden.logistic import FewShares, few_shares
from golden.scenarios import smallest, squared_errors
from golden.settings import Settings, Size, share_grid
from golden.simulated import Sweep, reduce

ROWS = 500
SHARES = (0.25, 0.45, 0.618, 0.8, 0.95)
MOST_CATEGORIES = 12
FAIR_COLUMNS = ("rate_marriage", "religious", "educ")


@dataclass(frozen=True)
class RealTable:
    """A table with a binary response and the columns that explain it."""

    name: str
    frame: pd.DataFrame
    columns: tuple[str, ...]
    response: str


def load_table(path: Path | None, columns: str | None, response: str | None) -> RealTable:
    """Load the survey that statsmodels ships, or a person's own CSV file.

    Raises
    ------
    SystemExit
        If the file lacks a column, or the response does not have two values.
    """
    if path is None:
        import statsmodels.api as sm

        frame = sm.datasets.fair.load_pandas().data
        frame = frame.assign(any_affair=(frame["affairs"] > 0).astype(int))
        return RealTable(
            "survey of Fair (1978), shipped with statsmodels", frame, FAIR_COLUMNS, "any_affair"
        )
    if columns is None or response is None:
        raise SystemExit("--data needs --columns A,B,… and --response R: name columns of the file")
    names = tuple(name.strip() for name in columns.split(","))
    frame = pd.read_csv(path)
    missing = [name for name in (*names, response) if name not in frame]
    if missing:
        raise SystemExit(f"{path} has no column {missing}; its columns are {list(frame.columns)}")
    whole = frame[[*names, response]].dropna()
    if whole[response].nunique() != 2:
        raise SystemExit(
            f"--response {response} must have two values, got {whole[response].nunique()}"
        )
    return RealTable(path.name, whole, names, response)


def marginals(settings: Settings, executor: Executor, table: RealTable) -> Iterator[Sweep]:
    """Sweep real shares for each column's posterior mean probabilities, beside the exact law."""
    for column in table.columns[:3]:
        codes = _categories(table.frame[column])
        yield _marginal(settings, executor, table, column, codes)


def regression(settings: Settings, executor: Executor, table: RealTable) -> FewShares:
    """Regress the response on the columns; the truth is the logistic fit on the whole table."""
    frame = pd.DataFrame({name: _standardised(table.frame[name]) for name in table.columns})
    frame.insert(0, "intercept", 1.0)
    frame["response"] = pd.factorize(table.frame[table.response], sort=True)[0]
    variables = {"y": "response", "x": ["intercept", *table.columns]}
    source = bc.Table(frame, variables=variables, truth="fit")
    estimator = logistic_regression.estimator(features=len(table.columns) + 1)
    return few_shares("logistic-table", settings, executor, estimator, source, SHARES, ROWS)


def _marginal(
    settings: Settings, executor: Executor, table: RealTable, column: str, codes: pd.Series
) -> Sweep:
    count = int(codes.max()) + 1
    size = settings.exact
    grid = share_grid(float(theory.optimal_share(1.0)), settings.narrow, widest=False)
    run = settings.run(
        f"marginal-{column}",
        executor,
        size,
        categorical.estimator(categories=count),
        bc.Table(codes.to_frame(column), variables={"y": column}, truth="fit"),
        {f"{share:g}": bc.schemes.weighted(share, emission="plug-in") for share in grid},
        n_real=ROWS,
    )
    frequencies = np.bincount(codes, minlength=count) / len(codes)
    truth = run["truth"]["p"].isel(replicate=0).to_numpy()
    unit = (1 - (frequencies**2).sum()) / ROWS
    lineage = squared_errors(run, "p")[:, :, size.window].mean(axis=2) / unit

    def law(share: float) -> float:
        return _dirichlet_error(size, frequencies, truth, share) / unit

    return reduce(
        settings,
        (f"categories of {column}", "probabilities", "exact"),
        1.0,
        "plug-in",
        grid,
        lineage,
        np.array([law(share) for share in grid]),
        smallest(law),
    )


def _dirichlet_error(
    size: Size, frequencies: NDArray[np.float64], truth: NDArray[np.float64], share: float
) -> float:
    """Exact risk around the whole table's fit, which is a little off the table's frequencies."""
    law = theory.dirichlet_law(
        size.generations,
        probabilities=frequencies,
        n=ROWS,
        m=ROWS,
        real_share=share,
        prior_total=float(frequencies.size),
        emission="plug-in",
    )
    bias = ((law.mean - truth) ** 2).sum(axis=-1)
    return float((law.variance + bias)[size.window].mean())


def _categories(column: pd.Series) -> pd.Series:
    """Codes of a column; a number with many values is cut at its quartiles."""
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_CATEGORIES:
        column = pd.qcut(column, 4, duplicates="drop").astype(str)
    codes, labels = pd.factorize(column, sort=True)
    if len(labels) < 2:
        raise SystemExit(f"--columns {column.name} has a single value: leave it out")
    return pd.Series(codes, index=column.index)


def _standardised(column: pd.Series) -> Any:
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.Series(pd.factorize(column, sort=True)[0], index=column.index)
    if column.std() == 0:
        raise SystemExit(f"--columns {column.name} has a single value: leave it out")
    return (column - column.mean()) / column.std()
