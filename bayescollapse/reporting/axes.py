"""The axes of a run's schemes in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from bayescollapse.reporting.words import configuration_of

__all__ = ["scheme_rows"]

SUPPLY = {
    "fresh": "a new batch each generation",
    "fixed": "the first batch for ever",
    "stream": "all batches so far",
    "none": "only in generation 0",
}
MEMORY = {"last": "the newest batch", "all": "all batches"}
SHARE = {
    "pooled": "pooled (same weight for every row)",
    "optimal": "optimal by theory",
    "optimal by generation": "the best of each generation, by theory",
}
TOTAL = {
    "rows": "rows used",
    "real": "real rows in use",
    "kish": "Kish effective size",
    "calibrated": "calibrated to the true error",
}


def scheme_rows(run: xr.DataTree) -> list[dict[str, Any]]:
    """Tabulate the schemes of a run, one row each, an axis a column."""
    schemes = configuration_of(run)["schemes"]
    return [{"scheme": label, **_axes(scheme)} for label, scheme in schemes.items()]


def _axes(scheme: Mapping[str, Any]) -> dict[str, Any]:
    if "supply" not in scheme:
        written = str(scheme.get("repr", scheme))
        return {"real rows": written, "citation": scheme.get("citation", "")}
    return {
        "real rows": _named(scheme["supply"], SUPPLY),
        "synthetic rows": MEMORY.get(scheme["memory"], scheme["memory"]),
        **_weighting(scheme["weighting"]),
        "emission": scheme["emission"],
        "selection": _named(scheme["selection"], {}),
        "covariates": scheme.get("covariates") or "source's default",
        "citation": scheme.get("citation", ""),
    }


def _weighting(weighting: Mapping[str, Any]) -> dict[str, str]:
    """Real share and total weight, or the value or function that gives rows their weights."""
    fields = weighting.get("fields", {})
    if "real_share" not in fields:
        return {"real share": _named(weighting, {}), "total weight": "its own"}
    words = {
        "real share": _named(fields["real_share"], SHARE),
        "total weight": _named(fields["total_weight"], TOTAL),
    }
    if fields.get("by_age", 1.0) != 1.0:
        words["real share"] += f", by age of the batch: {_named(fields['by_age'], {})}"
    return words


def _named(value: Any, words: Mapping[str, str]) -> str:
    """Write a plain value: a label, a number, a table, a function, or a value with its fields."""
    if isinstance(value, str):
        return words.get(value, value)
    if isinstance(value, Mapping) and "function" in value:
        return f"function {value['function']}"
    if isinstance(value, Mapping):
        name = value["type"].partition(":")[2]
        fields = value.get("fields", {})
        shown = [f"{k}={_named(v, {})}" for k, v in fields.items() if v is not None]
        return f"{name}({', '.join(shown)})"
    if isinstance(value, list | tuple):
        shown = [_named(entry, {}) for entry in value[:4]]
        return f"({', '.join(shown)}{', …' if len(value) > 4 else ''})"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
