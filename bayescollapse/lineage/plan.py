"""Plan: how many rows, which real share and which total weight every generation has.

A plan is worked out before anything is compiled or sampled, so every contradiction between a scheme
and the counts of an experiment is refused at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayescollapse.estimator.emission import Emission
from bayescollapse.lineage.solved import ages, shares, totals
from bayescollapse.schedules import tabulate
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.base import mode_of
from bayescollapse.schemes.supply import Contaminated
from bayescollapse.schemes.weighting import Weighting

__all__ = ["Plan", "make_plan"]


@dataclass(frozen=True)
class Plan:
    """Counts and weights of every generation of a scheme.

    Parameters
    ----------
    scheme : Scheme
        The scheme, with schedules tabulated.
    fresh : tuple of int
        Real rows of the batch that each generation could draw.
    emitted : tuple of int
        Rows that each generation emits for the next one.
    real_rows, synthetic_rows : tuple of int
        Rows used by each generation; under a subsampling memory, expected numbers are not stored
        and `synthetic_rows` holds the subsample.
    real_share, total_weight : tuple of float
        Resolved weights; NaN where a person's own function decides.
    mixing : tuple of float
        Probability that a row of each generation is real, under a contaminated supply; else empty.
    by_age : tuple of float
        Relative row weights by the age of a batch; empty where all are equal.
    """

    scheme: Scheme
    fresh: tuple[int, ...]
    emitted: tuple[int, ...]
    real_rows: tuple[int, ...]
    synthetic_rows: tuple[int, ...]
    real_share: tuple[float, ...]
    total_weight: tuple[float, ...]
    mixing: tuple[float, ...] = ()
    by_age: tuple[float, ...] = ()

    @property
    def generations(self) -> int:
        """Number of generations."""
        return len(self.fresh)


def make_plan(
    label: str, scheme: Scheme, *, n_real: Sequence[int], n_synthetic: Sequence[int]
) -> Plan:
    """Work out a scheme's plan.

    Parameters
    ----------
    label : str
        Label of the scheme, for error messages.
    scheme : Scheme
        The scheme.
    n_real : sequence of int
        Real rows of every generation's batch.
    n_synthetic : sequence of int
        Synthetic rows that generation t is given by its predecessor; one entry more than
        generations.

    Raises
    ------
    ValueError
        If the scheme cannot have these counts; the message begins with the label.
    """
    generations = len(n_real)
    scheme = _tabulated(scheme, generations)
    unknown = (np.nan,) * generations
    try:
        fresh, emitted, mixing = _batches(scheme, n_real, n_synthetic)
        real, synthetic = _counts(scheme, fresh, emitted)
        plan = Plan(scheme, fresh, emitted, real, synthetic, unknown, unknown, mixing)
        _check_emission(scheme.emission, emitted)
        _check_editing(plan)
        if not isinstance(scheme.weighting, Weighting):
            return plan
        plan = replace(plan, by_age=ages(scheme.weighting, generations))
        share = shares(plan, scheme.weighting)
        total = totals(plan, scheme.weighting.total_weight, share)
        return replace(plan, real_share=share, total_weight=total)
    except ValueError as error:
        raise ValueError(f"scheme {label!r}: {error}") from error


def _batches(
    scheme: Scheme, n_real: Sequence[int], n_synthetic: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]]:
    """Rows of every real batch, rows that every generation emits, and probabilities of mixing."""
    supply, generations = scheme.supply, len(n_real)
    if not isinstance(supply, Contaminated):
        return tuple(n_real), tuple(n_synthetic[1:]), ()
    wanted = supply.total
    if isinstance(wanted, tuple) and len(wanted) == generations:
        wanted = (*wanted, wanted[-1])
    table = tabulate("total", wanted, generations + 1)
    bad = [value for value in table if not (np.isfinite(value) and value >= 1)]
    if bad:
        raise ValueError(f"total must be at least 1 row in every generation, got {bad[0]}")
    total = tuple(int(value) for value in table)
    mixing = tabulate("real_share", supply.real_share, generations)
    outside = [value for value in mixing if not 0 <= value <= 1]
    if outside:
        raise ValueError(f"real_share of the supply must lie in [0, 1], got {outside[0]}")
    return total[:-1], total[1:], (1.0, *mixing[1:])


def _tabulated(scheme: Scheme, generations: int) -> Scheme:
    weighting = scheme.weighting
    if not isinstance(weighting, Weighting):
        return scheme
    fields: dict[str, Any] = {}
    for name in ("real_share", "total_weight"):
        value = getattr(weighting, name)
        if callable(value):
            fields[name] = tabulate(name, value, generations)
    return replace(scheme, weighting=replace(weighting, **fields)) if fields else scheme


def _counts(
    scheme: Scheme, fresh: tuple[int, ...], emitted: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    generations = range(len(fresh))
    if isinstance(scheme.supply, Contaminated):
        return (fresh[0],) + (0,) * (len(fresh) - 1), (0, *fresh[1:])
    supplies: dict[str, Callable[[int], int]] = {
        "fresh": lambda t: fresh[t],
        "fixed": lambda t: fresh[0],
        "stream": lambda t: sum(fresh[: t + 1]),
        "none": lambda t: fresh[0] if t == 0 else 0,
    }
    available, memory = supplies[scheme.supply], scheme.memory
    if memory.kind == "subsample":
        original = fresh[0] if scheme.supply == "fixed" else 0
        return _subsample_counts(memory.size or 0, fresh[0], original, emitted)
    reach = {"last": 1, "all": len(fresh), "window": memory.size or 0}[memory.kind]
    synthetic = tuple(sum(emitted[max(t - reach, 0) : t]) for t in generations)
    real = tuple(available(t) for t in generations)
    for t in generations:
        if real[t] + synthetic[t] == 0:
            raise ValueError(
                f"generation {t} has neither real nor synthetic rows: raise n_synthetic, or choose "
                "another supply"
            )
    return real, synthetic


def _subsample_counts(
    size: int, first: int, original: int, emitted: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    generations = len(emitted)
    for t in range(1, generations):
        pool = original + sum(emitted[:t])
        if size > pool:
            raise ValueError(
                f"memory 'subsample({size})' wants more rows than the {pool} that exist at "
                f"generation {t}: lower rows, or raise n_real or n_synthetic"
            )
    return (first,) + (0,) * (generations - 1), (0,) + (size,) * (generations - 1)


def _check_emission(emission: Emission, emitted: tuple[int, ...]) -> None:
    members = emission.members
    if members and any(m % members for m in emitted):
        bad = next(m for m in emitted if m % members)
        raise ValueError(
            f"emission {emission.label!r} needs numbers of synthetic rows that {members} divides, "
            f"got {bad}"
        )


def _check_editing(plan: Plan) -> None:
    if mode_of(plan.scheme.selection) != "edit":
        return
    wrong = [m for m in plan.emitted if m != plan.fresh[0]]
    if wrong:
        raise ValueError(
            "a selection that edits rows proposes one for each row of the generation before: "
            f"n_synthetic must be n_real = {plan.fresh[0]} at generation 0, got {wrong[0]}"
        )
