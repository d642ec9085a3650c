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
from bayescollapse.estimator.exact import Floats
from bayescollapse.schedules import Schedule, tabulate
from bayescollapse.schemes.axes import Weighting
from bayescollapse.schemes.scheme import Scheme

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
    """

    scheme: Scheme
    fresh: tuple[int, ...]
    emitted: tuple[int, ...]
    real_rows: tuple[int, ...]
    synthetic_rows: tuple[int, ...]
    real_share: tuple[float, ...]
    total_weight: tuple[float, ...]

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
    fresh, emitted = tuple(n_real), tuple(n_synthetic[1:])
    scheme = _tabulated(scheme, generations)
    try:
        real, synthetic = _counts(scheme, fresh, emitted)
        plan = Plan(
            scheme,
            fresh,
            emitted,
            real,
            synthetic,
            (np.nan,) * generations,
            (np.nan,) * generations,
        )
        _check_emission(scheme.emission, emitted)
        if not isinstance(scheme.weighting, Weighting):
            return plan
        share = _shares(plan, scheme.weighting)
        total = _totals(plan, scheme.weighting.total_weight, share)
        return replace(plan, real_share=share, total_weight=total)
    except ValueError as error:
        raise ValueError(f"scheme {label!r}: {error}") from error


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
    supplies: dict[str, Callable[[int], int]] = {
        "fresh": lambda t: fresh[t],
        "fixed": lambda t: fresh[0],
        "stream": lambda t: sum(fresh[: t + 1]),
        "none": lambda t: fresh[0] if t == 0 else 0,
    }
    available, memory = supplies[scheme.supply], scheme.memory
    if memory.kind == "subsample":
        return _subsample_counts(memory.size or 0, fresh, emitted)
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
    size: int, fresh: tuple[int, ...], emitted: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    for t in range(1, len(fresh)):
        pool = fresh[0] + sum(emitted[:t])
        if size > pool:
            raise ValueError(
                f"memory 'subsample({size})' wants more rows than the {pool} that exist at "
                f"generation {t}: lower rows, or raise n_real or n_synthetic"
            )
    return (fresh[0],) + (0,) * (len(fresh) - 1), (0,) + (size,) * (len(fresh) - 1)


def _check_emission(emission: Emission, emitted: tuple[int, ...]) -> None:
    members = emission.members
    if members and any(m % members for m in emitted):
        bad = next(m for m in emitted if m % members)
        raise ValueError(
            f"emission {emission.label!r} needs numbers of synthetic rows that {members} divides, "
            f"got {bad}"
        )


def _shares(plan: Plan, weighting: Weighting) -> tuple[float, ...]:
    real, synthetic = plan.real_rows, plan.synthetic_rows
    if weighting.real_share == "pooled":
        if plan.scheme.memory.kind == "subsample":
            return (1.0,) + (float("nan"),) * (plan.generations - 1)
        return tuple(n / (n + m) for n, m in zip(real, synthetic, strict=True))
    if weighting.real_share == "optimal":
        wanted = (1.0,) + (_optimal_share(plan, weighting.total_weight),) * (plan.generations - 1)
    else:
        wanted = tabulate("real_share", weighting.real_share, plan.generations)
    return tuple(_one_share(t, w, real[t], synthetic[t]) for t, w in enumerate(wanted))


def _one_share(t: int, wanted: float, real: int, synthetic: int) -> float:
    if not 0 <= wanted <= 1:
        raise ValueError(f"real_share must lie in [0, 1], got {wanted} at generation {t}")
    if t == 0 or synthetic == 0:
        return 1.0
    if real == 0 and wanted > 0:
        raise ValueError(f"real_share is {wanted} at generation {t}, which has no real rows")
    return wanted


def _optimal_share(plan: Plan, total: Schedule | str) -> float:
    from bayescollapse.theory import optimal_share

    scheme = plan.scheme
    if scheme.supply != "fresh" or scheme.memory.label != "last":
        raise ValueError(
            "the optimal real share is known for supply='fresh' and memory='last' only, got "
            f"supply={scheme.supply!r}, memory={scheme.memory.label!r}: "
            "use weighted(real_share=…)"
        )
    used = plan.emitted[: max(plan.generations - 1, 1)]
    if len(set(plan.fresh)) > 1 or len(set(used)) > 1:
        raise ValueError(
            "the optimal real share is known for constant n_real and n_synthetic only: use "
            "weighted(real_share=…)"
        )
    if isinstance(total, tuple) or callable(total):
        raise ValueError(
            "the optimal real share is not known for a scheduled total weight: use weighted(…)"
        )
    n, m = plan.fresh[0], used[0]
    share = optimal_share(n / m, emission=scheme.emission.label, n=n, total_weight=total)
    return float(share)


def _totals(plan: Plan, total: Schedule | str, share: tuple[float, ...]) -> tuple[float, ...]:
    if total == "calibrated":
        return _calibrated(plan, share)
    numbers = zip(plan.real_rows, plan.synthetic_rows, share, strict=True)
    if total == "rows":
        return tuple(float(n + m) for n, m, _ in numbers)
    if total == "real":
        return tuple(_real_total(t, n) for t, (n, _, _) in enumerate(numbers))
    if total == "kish":
        return tuple(
            1 / ((w**2 / n if w else 0) + ((1 - w) ** 2 / m if w < 1 else 0)) for n, m, w in numbers
        )
    table = tabulate("total_weight", total, plan.generations)
    if min(table) <= 0 or not np.isfinite(table).all():
        raise ValueError(
            f"total_weight must be positive and finite in every generation, got {min(table)}"
        )
    return (float(plan.real_rows[0]), *table[1:])


def _real_total(t: int, n: int) -> float:
    if n == 0:
        raise ValueError(
            f"total_weight='real' counts real rows, and generation {t} has none: use 'rows'"
        )
    return float(n)


def _calibrated(plan: Plan, share: tuple[float, ...]) -> tuple[float, ...]:
    """Total weight whose claim is true for a Gaussian mean in this loop, by the exact oracle."""
    from bayescollapse.theory import linear_oracle

    if min(plan.emitted) == 0:
        return tuple(float(n) for n in plan.real_rows)
    real, synthetic = _batch_shares(plan, share)
    result = linear_oracle(
        real,
        synthetic,
        real_rows=plan.fresh,
        synthetic_rows=plan.emitted,
        emission=plan.scheme.emission.label,
        total_weights="calibrated",
    )
    return tuple(float(value) for value in result.total_weight)


def _batch_shares(plan: Plan, share: tuple[float, ...]) -> tuple[Floats, Floats]:
    generations = plan.generations
    real, synthetic = np.zeros((generations, generations)), np.zeros((generations, generations))
    memory = plan.scheme.memory
    reach = {"last": 1, "all": generations, "window": memory.size or 0}[memory.kind]
    for t in range(generations):
        first = {"fresh": t, "fixed": 0, "stream": 0, "none": 0}[plan.scheme.supply]
        last = t + 1 if plan.scheme.supply in ("fresh", "stream") else 1
        sizes = np.array(plan.fresh[first:last], dtype=float)
        real[t, first:last] = share[t] * sizes / sizes.sum()
        batch = np.array(plan.emitted[max(t - reach, 0) : t], dtype=float)
        if batch.size:
            synthetic[t, max(t - reach, 0) : t] = (1 - share[t]) * batch / batch.sum()
    return real, synthetic
