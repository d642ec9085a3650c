"""What was expected of the loops, and what was seen, in words made from the run alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from digits_parts.loops import LEGIBLE, LIFELIKE, UNVERIFIED
from digits_parts.measures import against, contrast, interval

__all__ = [
    "EXPECTED",
    "NAMES",
    "against_rows",
    "findings",
    "generation_rows",
    "seen_rows",
    "verdict",
]

Rows = list[dict[str, Any]]

NAMES = {
    "frechet": "Fréchet distance",
    "density": "held-out log density",
    "recognised": "legibility",
    "variety": "variety",
}
BETTER = {"frechet": -1, "density": 1, "recognised": 1, "variety": 1}
"""Whether a measure is good when it is small or large; variety is best at 1."""

EXPECTED = {
    UNVERIFIED: "degrades",
    LIFELIKE: "improves on generation 0, then a plateau",
    LEGIBLE: "improves on generation 0, then a plateau",
}
"""Of the Fréchet distance and the density, after arXiv:2510.16657."""


def seen_rows(measured: xr.Dataset) -> Rows:
    """One row per measure and scheme: what was expected, and paired changes that were seen."""
    last = int(measured["generation"][-1])
    late = last - max(last // 4, 1)
    rows = []
    for name in ("frechet", "density", "recognised"):
        for scheme in measured["scheme"].to_numpy().tolist():
            first = contrast(measured, name, scheme, 0, 1)
            whole = contrast(measured, name, scheme, 0, last)
            end = contrast(measured, name, scheme, late, last)
            expected = EXPECTED[scheme] if name != "recognised" else "—"
            rows.append(
                {
                    "measure": NAMES[name],
                    "scheme": scheme,
                    "expected": expected,
                    "seen": f"{verdict(name, first)} at first, {verdict(name, whole)} in all",
                    "generation 0 to 1": _words(name, first),
                    f"0 to {last}": _words(name, whole),
                    f"{late} to {last}": f"{_words(name, end)}, {verdict(name, end)}",
                }
            )
    return rows


def against_rows(measured: xr.Dataset) -> Rows:
    """One row per verified scheme and generation: the loop with a verifier against the one without.

    The generations are the first after selection, and the last.
    """
    rows = []
    for scheme in measured["scheme"].to_numpy().tolist():
        if scheme == UNVERIFIED:
            continue
        for t in dict.fromkeys((1, int(measured["generation"][-1]))):
            row = {"scheme": scheme, "generation": t}
            for name in ("frechet", "density", "recognised", "variety"):
                change = against(measured, name, scheme, UNVERIFIED, t)
                row[NAMES[name]] = _words(name, change)
            rows.append(row)
    return rows


def verdict(name: str, change: xr.Dataset) -> str:
    """Call a change ``better``, ``worse`` or ``undecided`` by its interval.

    Parameters
    ----------
    name : str
        The measure.
    change : Dataset
        From :func:`~digits_parts.measures.contrast`.
    """
    none = 1.0 if name == "frechet" else 0.0
    low, high = float(change["low"]), float(change["high"])
    if not (low > none or high < none):
        return "undecided"
    return "better" if (low > none) == (BETTER[name] > 0) else "worse"


def generation_rows(
    measured: xr.Dataset, most: int = 7, names: tuple[str, ...] = tuple(NAMES)
) -> Rows:
    """One row per scheme and some generations: measures with their intervals."""
    every = measured["generation"].to_numpy()
    places = np.unique(np.linspace(0, len(every) - 1, min(most, len(every))).round().astype(int))
    rows = []
    for scheme in measured["scheme"].to_numpy().tolist():
        for t in every[places].tolist():
            part = measured.sel(scheme=scheme, generation=t)
            row = {"scheme": scheme, "generation": t}
            for name in names:
                row[NAMES[name]] = _between(name, interval(part[name], log=name == "frechet"))
            rows.append(row)
    return rows


def findings(measured: xr.Dataset) -> list[str]:
    """Say, scheme by scheme, what was expected and what was seen."""
    last = int(measured["generation"][-1])
    sentences = []
    for scheme in measured["scheme"].to_numpy().tolist():
        parts = [_change(measured, name, scheme, last) for name in NAMES]
        sentences.append(
            f"{scheme[0].upper()}{scheme[1:]}. Expected: {EXPECTED[scheme]}. Seen: "
            f"{'; '.join(parts)}.{_beside(measured, scheme, last)}"
        )
    failed = ~measured["passed"]
    sentences.append(
        f"{int(failed.sum())} of {failed.size} fits did not converge by the rule of their method."
    )
    return sentences


def _change(measured: xr.Dataset, name: str, scheme: str, last: int) -> str:
    own = measured[name].sel(scheme=scheme)
    shown = list(dict.fromkeys((0, 1, last)))
    means = [float(interval(own.sel(generation=t), log=name == "frechet")["mean"]) for t in shown]
    digits = {"frechet": 2, "density": 1, "recognised": 3, "variety": 2}[name]
    figures = ", ".join(f"{value:.{digits}f}" for value in means)
    where = " and ".join([", ".join(map(str, shown[:-1])), str(shown[-1])])
    words = f"{NAMES[name]} {figures} in generations {where}"
    if name == "variety" or measured.sizes["replicate"] < 3:
        return words
    verdicts = [verdict(name, contrast(measured, name, scheme, 0, t)) for t in shown[1:]]
    return f"{words} ({', then '.join(verdicts)})"


def _beside(measured: xr.Dataset, scheme: str, last: int) -> str:
    """Compare a verified loop with the unverified one; nothing where no interval can be given."""
    if scheme == UNVERIFIED or measured.sizes["replicate"] < 3:
        return ""
    distance, density = (
        _words(name, against(measured, name, scheme, UNVERIFIED, last))
        for name in ("frechet", "density")
    )
    return (
        f" Against the unverified loop in generation {last}: Fréchet distance {distance}, density "
        f"{density} nats an image."
    )


def _words(name: str, change: xr.Dataset) -> str:
    mark = "× " if name == "frechet" else ""
    digits = {"frechet": 2, "density": 1, "recognised": 3, "variety": 2}[name]
    sign = "" if name == "frechet" else "+"
    mean, low, high = (f"{float(change[k]):{sign}.{digits}f}" for k in ("mean", "low", "high"))
    return f"{mark}{mean} [{low}, {high}]"


def _between(name: str, summary: xr.Dataset) -> str:
    digits = {"frechet": 2, "density": 1, "recognised": 3, "variety": 2}[name]
    mean, low, high = (f"{float(summary[k]):.{digits}f}" for k in ("mean", "low", "high"))
    return mean if low == "nan" else f"{mean} [{low}, {high}]"
