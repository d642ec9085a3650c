"""Measurements of the loops beside their laws: theory, measured, standard error, z."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import binom, chi2

from verification_parts.laws import PROBABILITY, Law, rate
from verification_parts.loops import FEATURES, Outcome

Floats = NDArray[np.float64]
Row = dict[str, Any]


def squared(outcome: Outcome, law: Law, of: str) -> Floats:
    """Squared distance from the truth or the verifier's centre, shape (replicate, generation)."""
    away = outcome.offset + (law.loop.bias if of == "truth" else 0.0)
    return np.asarray((away**2).sum(axis=2))


def error_law(law: Law, of: str) -> Floats:
    """Law of the mean of `squared`."""
    return law.truth_error if of == "truth" else law.centre_error


def mean_and_error(values: Floats) -> tuple[Floats, Floats]:
    """Mean over lineages, and its standard error."""
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


def inside(outcome: Outcome, law: Law, of: str) -> NDArray[np.bool_]:
    """Whether the 95 % region contains the truth or the centre, shape (replicate, generation)."""
    away = outcome.offset + (law.loop.bias if of == "truth" else 0.0)
    scaled = ((away / outcome.sd) ** 2).sum(axis=2)
    return np.asarray(scaled <= chi2.ppf(PROBABILITY, FEATURES))


def error_rows(outcome: Outcome, law: Law, of: str) -> Iterator[Row]:
    """Mean squared distances of every generation."""
    measured, error = mean_and_error(squared(outcome, law, of))
    second = law.second_order[0 if of == "truth" else 1]
    for t, expected in enumerate(error_law(law, of)):
        words = {"distance_to": of, "t": t, "second_order": second[t]}
        yield _named(law) | words | _row(expected, measured[t], error[t])


def acceptance_rows(outcome: Outcome, law: Law) -> Iterator[Row]:
    """Shares of proposed rows that were accepted."""
    if law.loop.radius is None:
        return
    measured, error = mean_and_error(outcome.acceptance)
    for t, expected in enumerate(law.acceptance()[:-1]):
        yield _named(law) | {"t": t} | _row(expected, measured[t], error[t])


def coverage_rows(outcome: Outcome, law: Law, of: str) -> Iterator[Row]:
    """Coverage of every generation; z from the exact tail of a binomial count."""
    holds = inside(outcome, law, of)
    for t, expected in enumerate(law.coverage(of)):
        count, number = int(holds[:, t].sum()), len(holds)
        share = count / number
        words = {"holds": of, "t": t}
        error = float(np.sqrt(expected * (1 - expected) / number))
        row = _row(float(expected), share, error) | {"z": binomial_z(count, number, expected)}
        yield _named(law) | words | row


def contraction_row(outcome: Outcome, law: Law, steps: slice) -> Row:
    """Slope of the offsets on those one generation earlier, over some of the steps.

    Steps are weighed by the rows behind them, so later ones, which are nearer to the centre, count
    as much as earlier ones.
    """
    weight = law.rows[:-1][steps]
    now, before = outcome.offset[:, 1:][:, steps], outcome.offset[:, :-1][:, steps]
    top = ((now * before).sum(axis=2) * weight).sum(axis=1)
    bottom = ((before**2).sum(axis=2) * weight).sum(axis=1)
    slope = top.mean() / bottom.mean()
    error = (top - slope * bottom).std(ddof=1) / np.sqrt(len(top)) / bottom.mean()
    products, squares = (values[steps] @ weight for values in law.products())
    words = {"largest": rate(law.loop)}
    return _named(law) | words | _row(products / squares, slope, error)


def binomial_z(count: int, number: int, probability: float) -> float:
    """Turn a count into a normal score, through its mid-p value.

    Examples
    --------
    >>> binomial_z(50, 100, 0.5)
    0.0
    """
    middle = binom.pmf(count, number, probability) / 2
    below = binom.cdf(count - 1, number, probability) + middle
    above = binom.sf(count, number, probability) + middle
    # The smaller tail is the more accurate one.
    return float(ndtri(below) if below < above else -ndtri(above))


def _named(law: Law) -> Row:
    loop = law.loop
    return {"verifier": loop.verifier, "radius": loop.radius, "emission": loop.emission}


def _row(expected: float, measured: float, error: float) -> Row:
    return {
        "theory": float(expected),
        "measured": float(measured),
        "standard_error": float(error),
        "z": float((measured - expected) / error) if error > 0 else np.nan,
    }
