"""Combinations of axes that make no sense, each refused with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayescollapse.schemes.selection.base import KeepAll, mode_of
from bayescollapse.schemes.supply import Contaminated
from bayescollapse.schemes.weighting import Weighting

if TYPE_CHECKING:
    from bayescollapse.schemes.scheme import Scheme

__all__ = ["refuse_contradictions"]


def refuse_contradictions(scheme: Scheme) -> None:
    """Refuse a scheme whose axes contradict each other.

    Raises
    ------
    ValueError
        With the axes, the reason and what to do.
    """
    _mixed_rows(scheme)
    _selection(scheme)
    weighting = scheme.weighting
    if isinstance(weighting, Weighting):
        if scheme.supply == "none":
            _no_real_rows(weighting)
        _solved_weights(scheme, weighting)


def _no_real_rows(weighting: Weighting) -> None:
    if weighting.real_share != "pooled":
        raise ValueError(
            f"weighting with real_share={weighting.real_share!r} needs real rows, but "
            "supply='none' has none after generation 0: use supply='fresh', 'fixed' or 'stream', "
            "or weighting='pooled'"
        )
    if weighting.total_weight == "real":
        raise ValueError(
            "total_weight='real' counts real rows, but supply='none' has none after generation 0: "
            "use 'rows' or a number"
        )


def _mixed_rows(scheme: Scheme) -> None:
    """Rows that are mixed at random cannot be weighed by what they are."""
    contaminated = isinstance(scheme.supply, Contaminated)
    subsample = scheme.memory.kind == "subsample"
    if subsample and scheme.supply not in ("fixed", "none"):
        raise ValueError(
            "memory 'subsample' draws from the original real rows and all synthetic ones and needs "
            f"supply='fixed', or 'none' for synthetic rows alone, got {scheme.supply!r}"
        )
    if contaminated and scheme.memory.kind != "last":
        raise ValueError(
            "supply=Contaminated(…) replaces rows of the newest batch and needs memory='last', got "
            f"{scheme.memory.label!r}"
        )
    if not (contaminated or subsample):
        return
    axis = "supply=Contaminated(…)" if contaminated else "memory 'subsample'"
    weighting = scheme.weighting
    plain = isinstance(weighting, Weighting) and not (
        weighting.real_share != "pooled"
        or weighting.ages
        or weighting.total_weight in ("real", "kish", "calibrated")
    )
    if not plain:
        raise ValueError(
            f"{axis} mixes real and synthetic rows at random and needs weighting='pooled' with "
            f"total_weight='rows', a number or a schedule, got {weighting!r}"
        )
    if not isinstance(scheme.selection, KeepAll) and mode_of(scheme.selection) == "weigh":
        raise ValueError(
            f"{axis} mixes real and synthetic rows at random, so a selection cannot weigh them, "
            f"got {scheme.selection!r}: wrap a function as bc.schemes.Filter(function), which "
            "accepts rows or not"
        )


def _selection(scheme: Scheme) -> None:
    if isinstance(scheme.selection, KeepAll) or mode_of(scheme.selection) != "edit":
        return
    wanted = {"supply": "none", "memory": "last"}
    found = {"supply": scheme.supply, "memory": scheme.memory.label}
    weighting = scheme.weighting
    pooled = isinstance(weighting, Weighting) and weighting.real_share == "pooled"
    if found != wanted or not pooled:
        raise ValueError(
            "a selection that edits rows replaces rows of the generation before and needs "
            f"supply='none', memory='last' and weighting='pooled', got {found} and {weighting!r}"
        )
    if scheme.covariates not in (None, "fixed"):
        raise ValueError(
            "a selection that edits rows keeps their covariates and needs covariates='fixed', got "
            f"{scheme.covariates!r}"
        )
    if scheme.emission.kind == "ensemble":
        raise ValueError(
            "a selection that edits rows proposes one row in place of each, and an ensemble's rows "
            "come in groups, got emission='ensemble(…)': use 'predictive', 'joint' or 'plug-in'"
        )


def _solved_weights(scheme: Scheme, weighting: Weighting) -> None:
    """Shares and sizes that come from a law need the loop that the law is about."""
    solved = weighting.total_weight == "calibrated"
    optimal = isinstance(weighting.real_share, str) and weighting.real_share != "pooled"
    if not isinstance(scheme.selection, KeepAll) and (solved or optimal):
        raise ValueError(
            f"weighting {weighting!r} is worked out for loops that use every emitted row, got "
            f"selection={scheme.selection!r}: give a number or a schedule"
        )
    if optimal and weighting.ages:
        raise ValueError(
            f"real_share={weighting.real_share!r} is worked out for the newest batches alone, got "
            f"by_age={weighting.by_age!r}: give a number or a schedule"
        )
