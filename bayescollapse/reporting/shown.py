"""What sections show of a run: rows of tables, lines of figures, and words for what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.measures.shares import share_groups
from bayescollapse.reporting.words import counted

__all__ = ["not_available", "pairs", "shown", "some_drawn"]

SCHEMES = 9
PARAMETERS = 3


def pairs(last: xr.Dataset) -> list[tuple[str, str]]:
    """Schemes and parameters, one pair a row of a table."""
    labels = last["parameter"].values.tolist()
    return [(str(s), p) for s in last["scheme"].values.tolist() for p in labels]


def shown(run: xr.DataTree, measured: xr.Dataset) -> tuple[dict[str, Sequence[str]], str]:
    """Choose what a figure shows, and say what it leaves out."""
    drawn = _drawn(run, measured)
    note = some_drawn(drawn, measured)
    return drawn, f" {note}; the table has all." if note else ""


def some_drawn(drawn: Mapping[str, Sequence[Any]], measured: xr.Dataset) -> str:
    """Say how much of every dimension a figure shows, if it is not all."""
    sizes = {dim: (len(chosen), measured.sizes[dim]) for dim, chosen in drawn.items()}
    return "; ".join(
        f"{some} of {counted(every, dim)} {'is' if some == 1 else 'are'} drawn"
        for dim, (some, every) in sizes.items()
        if some < every
    )


def _drawn(run: xr.DataTree, measured: xr.Dataset) -> dict[str, Sequence[str]]:
    schemes = measured["scheme"].values.tolist()
    if len(schemes) > SCHEMES:
        schemes = _representative(run, schemes)
    return {"scheme": schemes, "parameter": measured["parameter"].values.tolist()[:PARAMETERS]}


def _representative(run: xr.DataTree, schemes: list[str]) -> list[str]:
    """Take the ends and the middle of every sweep over real shares, and all other schemes."""
    groups = list(share_groups(run).values())
    ends = {g[i] for g in groups for i in (0, len(g) // 2, -1)}
    swept = {label for g in groups for label in g}
    chosen = [s for s in schemes if s in ends or s not in swept]
    places = np.linspace(0, len(chosen) - 1, min(SCHEMES, len(chosen))).round().astype(int)
    return [chosen[i] for i in places]


def not_available(missing: str) -> str:
    """Say what a run cannot give, and why."""
    return f" Not available: {missing}." if missing else ""
