"""Table of all presets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.base import KeepAll

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["table"]


def table() -> pd.DataFrame:
    """List every preset with its axes, paper and law.

    Returns
    -------
    DataFrame
        One row per preset and listed call, by name. Columns: ``name``; ``call``, as it is typed
        after ``bc.schemes.``; the axes ``supply``, ``memory``, ``selection``, ``weighting``,
        ``emission`` and ``covariates``; ``paper``; ``law``, the functions of ``bc.theory`` that the
        loop obeys, empty where none is known; ``remark``, what the law is about or why there is
        none.

    Notes
    -----
    Papers without a training loop of their own, and those of which too little was at hand, have no
    preset; :mod:`bayescollapse.schemes.presets.catalogue` names them.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> frame = bc.schemes.table().set_index("name")
    >>> frame.loc["xu_he_cheng", ["supply", "emission", "law"]].tolist()
    ['none', 'plug-in', 'growing_replace_error']
    """
    import pandas as pd

    from bayescollapse.schemes.presets.catalogue import PRESETS

    rows = []
    for preset in PRESETS:
        for call, scheme in preset.schemes.items():
            texts = {"paper": scheme.citation, "law": ", ".join(preset.law)}
            rows.append(
                {"name": preset.name, "call": call, **_axes(scheme), **texts}
                | {"remark": preset.remark}
            )
    return pd.DataFrame(rows)


def _axes(scheme: Scheme) -> dict[str, str]:
    """Axes as text."""
    supply, weighting = scheme.supply, repr(scheme.weighting)
    keep_all = isinstance(scheme.selection, KeepAll)
    return {
        "supply": supply if isinstance(supply, str) else repr(supply),
        "memory": scheme.memory.label,
        "selection": "keep all" if keep_all else repr(scheme.selection),
        "weighting": "pooled" if weighting == "Weighting()" else weighting,
        "emission": scheme.emission.label,
        "covariates": scheme.covariates or "source's default",
    }
