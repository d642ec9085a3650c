"""Real share, total weight and weights by age of every generation of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayescollapse.estimator.exact import Floats
from bayescollapse.schedules import Schedule, tabulate
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.weighting import Weighting

if TYPE_CHECKING:
    from bayescollapse.lineage.plan import Plan

__all__ = ["ages", "shares", "totals"]


def ages(weighting: Weighting, generations: int) -> tuple[float, ...]:
    """Relative weights by age; a tuple's last value holds for older batches too."""
    if not weighting.ages:
        return ()
    by_age = weighting.by_age
    if isinstance(by_age, tuple) and by_age:
        by_age = (*by_age, *(by_age[-1:] * generations))
    table = tabulate("by_age", by_age, generations)
    if min(table) < 0 or not np.isfinite(table).all() or table[0] <= 0:
        raise ValueError(
            "by_age must give finite weights that are not negative, and a positive one to the "
            f"newest batch, got {table}"
        )
    return table


def shares(plan: Plan, weighting: Weighting) -> tuple[float, ...]:
    """Real share of every generation; NaN where it is left to chance."""
    real, synthetic = plan.real_rows, plan.synthetic_rows
    if weighting.real_share == "pooled":
        if plan.mixing or plan.scheme.memory.kind == "subsample":
            return (1.0,) + (float("nan"),) * (plan.generations - 1)
        if plan.by_age:
            return tuple(_aged_share(plan, t) for t in range(plan.generations))
        return tuple(n / (n + m) for n, m in zip(real, synthetic, strict=True))
    if weighting.real_share == "optimal by generation":
        wanted = _optimal_by_generation(plan, weighting.total_weight)
    elif weighting.real_share == "optimal":
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


def _aged_share(plan: Plan, t: int) -> float:
    """Real share of rows that are weighed by the age of their batch alone."""
    real, synthetic = (sum(n * g for n, g in part) for part in _aged_batches(plan, t))
    return float(real / (real + synthetic))


def _aged_batches(plan: Plan, t: int) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """Rows and relative weight of every real and every synthetic batch in use, oldest first."""
    age = plan.by_age or (1.0,) * plan.generations
    supply, memory = plan.scheme.supply, plan.scheme.memory
    first = t if supply == "fresh" else 0
    last = t + 1 if supply in ("fresh", "stream") else 1
    reach = {"last": 1, "all": plan.generations, "window": memory.size or 0}[memory.kind]
    real = [(plan.fresh[s], age[t - s]) for s in range(first, last)]
    if supply == "none" and t > 0:
        real = []
    synthetic = [(plan.emitted[s], age[t - s - 1]) for s in range(max(t - reach, 0), t)]
    return real, synthetic


def _check_optimum(scheme: Scheme) -> None:
    if scheme.supply != "fresh" or scheme.memory.label != "last":
        raise ValueError(
            "the optimal real share is known for supply='fresh' and memory='last' only, got "
            f"supply={scheme.supply!r}, memory={scheme.memory.label!r}: "
            "use weighted(real_share=…)"
        )


def _optimal_by_generation(plan: Plan, total: Schedule | str) -> tuple[float, ...]:
    from bayescollapse.theory import optimal_schedule

    _check_optimum(plan.scheme)
    if min(plan.emitted[: plan.generations - 1], default=1) == 0:
        raise ValueError(
            "the optimal real share of every generation needs synthetic rows in every generation: "
            "raise n_synthetic"
        )
    path = optimal_schedule(
        plan.fresh,
        plan.emitted[: plan.generations - 1],
        emission=plan.scheme.emission.label,
        total_weight=total if isinstance(total, str) else tabulate("total", total, len(plan.fresh)),
    )
    return tuple(float(value) for value in path.real_share)


def _optimal_share(plan: Plan, total: Schedule | str) -> float:
    from bayescollapse.theory import optimal_share

    scheme = plan.scheme
    _check_optimum(scheme)
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


def totals(plan: Plan, total: Schedule | str, share: tuple[float, ...]) -> tuple[float, ...]:
    """Total weight of every generation."""
    if total == "calibrated":
        return _calibrated(plan, share)
    numbers = zip(plan.real_rows, plan.synthetic_rows, share, strict=True)
    if total == "rows":
        return tuple(float(n + m) for n, m, _ in numbers)
    if total == "real":
        return tuple(_real_total(t, n) for t, (n, _, _) in enumerate(numbers))
    if total == "kish":
        return tuple(_kish(plan, t, w) for t, w in enumerate(share))
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


def _kish(plan: Plan, t: int, share: float) -> float:
    """Kish's effective size of the batches in use."""
    squares = 0.0
    for side, batches in zip((share, 1 - share), _aged_batches(plan, t), strict=True):
        mass = sum(n * g for n, g in batches)
        if side > 0 and mass > 0:
            squares += side**2 * sum(n * g**2 for n, g in batches) / mass**2
    return 1 / squares


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
    """Share of the total weight that every batch has in every generation."""
    generations = plan.generations
    real, synthetic = np.zeros((generations, generations)), np.zeros((generations, generations))
    for t in range(generations):
        mine, theirs = (np.array([n * g for n, g in part]) for part in _aged_batches(plan, t))
        if mine.size:
            first = t if plan.scheme.supply == "fresh" else 0
            real[t, first : first + mine.size] = share[t] * mine / mine.sum()
        if theirs.size:
            synthetic[t, t - theirs.size : t] = (1 - share[t]) * theirs / theirs.sum()
    return real, synthetic
