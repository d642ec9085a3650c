"""Gaussian mean with known variance: shares, memories and emission, all exact but subsampling."""

from __future__ import annotations

from typing import Any

import numpy as np

import bayescollapse as bc
from atlas_parts.measures import coverage, emitting, error, squared
from atlas_parts.part import Check, Floats, Part, presets
from bayescollapse import schemes, theory
from bayescollapse.models import gaussian_mean

N = 20
TRUTH = bc.Truth(mu=0.0)
ERROR = "n · squared error"
FLAT = error("mu", 0.0, 1 / N)


def parts() -> list[Part]:
    """Experiments on a Gaussian mean."""
    return [shares(), settled(), pooled_rounds(), growing(), subsampled(), prior(), strong()]


def shares(generations: int = 12) -> Part:
    """Mix as many synthetic as real rows, with a flat prior."""
    t = np.arange(generations)
    best = {e: float(theory.optimal_share(1.0, emission=e, n=N)) for e in ("joint", "plug-in")}
    calibrated = float(theory.optimal_share(1.0, emission="joint", total_weight="calibrated"))
    table: list[tuple[Any, dict[str, Any], str, Any]] = [
        (schemes.replace, {}, "replace_error", theory.replace_error(t, n=N, emission="joint")),
        (
            schemes.replace,
            {"emission": "predictive"},
            "replace_error",
            theory.replace_error(t, n=N, emission="predictive"),
        ),
        (
            schemes.edited,
            {"share": 1.0},
            "replace_error",
            theory.replace_error(t, n=N, emission="joint"),
        ),
        (
            schemes.accumulate,
            {},
            "accumulate_error",
            theory.accumulate_error(t, n=N, emission="joint"),
        ),
        (schemes.barzilai_shamir, {}, "accumulate_error", theory.accumulate_error(t, n=N)),
        (schemes.pooled, {}, "mean_risk", path(generations, 0.5, "joint")),
        (schemes.weighted, {"real_share": 0.7}, "mean_risk", path(generations, 0.7, "joint")),
        (schemes.optimal, {}, "mean_risk", path(generations, best["joint"], "joint")),
        (schemes.he_xu_cheng, {}, "mean_risk", path(generations, best["plug-in"])),
        (schemes.he_xu_cheng, {"real_share": "pooled"}, "mean_risk", path(generations, 0.5)),
        (
            schemes.calibrated,
            {},
            "mean_risk",
            path(generations, calibrated, "joint", "calibrated"),
        ),
        (
            schemes.optimal_by_generation,
            {},
            "optimal_schedule",
            theory.optimal_schedule(
                [N] * generations, [N] * (generations - 1), emission="joint"
            ).risk_ratio,
        ),
        (schemes.bertrand, {"synthetic_per_real": 0.5}, "fixed_supply_error", fixed(t, 2 / 3)),
        (schemes.bertrand, {"synthetic_per_real": 3.0}, "fixed_supply_error", fixed(t, 1 / 4)),
        (schemes.alemohammad, {"loop": "fixed"}, "fixed_supply_error", fixed(t, 1 / 2)),
        (schemes.shumailov, {"original_share": 0.1}, "fixed_supply_error", fixed(t, 0.1)),
        (schemes.fu, {"real_share": 0.5}, "linear_oracle", fu(generations)),
    ]
    checks = [check(function, given, law, values) for function, given, law, values in table]
    surrogate = {"surrogate_share": 0.2}
    round_one = slice(1, 2)
    checks += [
        check(
            schemes.jain_montanari_sasoglu,
            surrogate,
            "mean_risk",
            path(generations, 0.8),
            window=round_one,
        ),
        check(
            schemes.van_breugel,
            {"members": 4},
            "ensemble_mean_variance",
            N * theory.ensemble_mean_variance(N, m=N // 4, members=4),
            window=round_one,
        ),
        Check(
            "replace()",
            "replace_coverage",
            "coverage of 95 %",
            coverage("mu", 0.0),
            theory.replace_coverage(t, n=N, emission="joint"),
        ),
        Check(
            "accumulate()",
            "accumulate_coverage",
            "coverage of 95 %",
            coverage("mu", 0.0),
            theory.accumulate_coverage(t, n=N, emission="joint"),
        ),
    ]
    calls = {call_of(f, g): (f, g) for f, g, *_ in table}
    calls[call_of(schemes.jain_montanari_sasoglu, surrogate)] = (
        schemes.jain_montanari_sasoglu,
        surrogate,
    )
    calls["van_breugel(members=4)"] = (schemes.van_breugel, {"members": 4})
    counts = {"n_real": N, "generations": generations}
    return part("mean", calls, checks, 12_800, counts)


def settled() -> Part:
    """Follow a small real share until it settles."""
    generations, share = 50, 0.1
    calls = {"borkar(real_share=0.1)": (schemes.borkar, {"real_share": share})}
    limit = N * theory.limit_risk(share, a=1 / N, b=1 / N)
    checks = [
        check(schemes.borkar, {"real_share": share}, "limit_risk", limit, window=slice(40, None))
    ]
    return part("mean-settled", calls, checks, 5120, {"n_real": N, "generations": generations})


def pooled_rounds(generations: int = 10, real: int = 5, made: int = 15) -> Part:
    """Keep every round's real and synthetic rows."""
    aged = (1.0, 0.5)
    even = rounds(generations, real, made, (1.0,))
    table = [
        (schemes.amin, {}, even),
        (
            schemes.amin,
            {"by_age": aged},
            rounds(generations, real, made, aged),
        ),
        (schemes.kanabar_gastpar, {}, even),
        (schemes.wang_niu_li, {}, even),
    ]
    checks = [check(f, g, "linear_oracle", N * law) for f, g, law in table]
    counts = {"n_real": real, "n_synthetic": made, "generations": generations}
    return part("mean-rounds", {call_of(f, g): (f, g) for f, g, _ in table}, checks, 12_800, counts)


def growing(generations: int = 10) -> Part:
    """Use synthetic rows alone, in batches that grow faster than linearly."""
    made = [int(N * (t + 1) ** 1.5) for t in range(generations)]
    law = N * theory.growing_replace_error(made)
    checks = [check(schemes.xu_he_cheng, {}, "growing_replace_error", law)]
    counts = {"n_real": N, "n_synthetic": tuple(made), "generations": generations}
    return part("mean-growing", {"xu_he_cheng()": (schemes.xu_he_cheng, {})}, checks, 5120, counts)


def subsampled(generations: int = 9, rows: int = 60) -> Part:
    """Draw as many rows as at first from all; the law neglects terms in 1/rows."""
    given = {"rows": rows}
    table = [
        (schemes.kazdan, given),
        (schemes.accumulate_subsample, {**given, "emission": "plug-in"}),
    ]
    law = theory.subsample_error(np.arange(generations))
    unit = error("mu", 0.0, 1 / rows)
    checks = [
        Check(call_of(f, g), "subsample_error", ERROR, unit, law, slack=0.02) for f, g in table
    ]
    calls = {call_of(f, g): (f, g) for f, g in table}
    return part(
        "mean-subsampled", calls, checks, 5120, {"n_real": rows, "generations": generations}
    )


def prior(generations: int = 40) -> Part:
    """Return to a proper prior that is worth two rows."""
    n, worth = 10, 2.0
    law = theory.prior_stationary(n, prior_weight=worth)

    def draws(run: Any, label: str) -> Floats:
        return squared(emitting(run, label, "mu"))

    check = Check(
        "griffiths_kalish()",
        "prior_stationary",
        "square of a posterior draw",
        draws,
        law.parameter_variance,
        window=slice(30, None),
    )
    estimator = gaussian_mean.estimator(prior_sd=worth**-0.5)
    return Part(
        "mean-prior",
        estimator,
        bc.Truth(mu=1.0),
        {"griffiths_kalish()": schemes.griffiths_kalish()},
        (check,),
        5120,
        {"n_real": n, "generations": generations},
    )


def strong() -> Part:
    """Hand the error of a small first generation on to a large second one."""
    few, many, share = 5, 5000, 0.2
    given = {"synthetic_share": share}
    label = call_of(schemes.dohmatob_strong_collapse, given)
    offset = 1 / np.sqrt(few)
    law = few * theory.mixture_bias(share, offset=[offset])
    noise = few * ((1 - share) ** 2 + share**2) / many
    check = Check(
        label,
        "mixture_bias",
        ERROR,
        error("mu", 0.0, 1 / few),
        law + noise,
        window=slice(1, 2),
    )
    counts = {"n_real": (few, many), "n_synthetic": many, "generations": 2}
    calls = {label: (schemes.dohmatob_strong_collapse, given)}
    return part("mean-strong", calls, [check], 5120, counts)


def path(generations: int, share: float, emission: str = "plug-in", total: str = "rows") -> Floats:
    """Risk of a mean whose real rows are fresh, in units of generation 0's."""
    risk = theory.mean_risk(
        generations, n=N, m=N, real_share=share, emission=emission, total_weight=total
    )
    return np.asarray(N * risk)


def fixed(t: Any, share: float) -> Floats:
    """Risk of a mean whose real rows stay the same, in units of generation 0's."""
    return np.asarray(N * theory.fixed_supply_error(t, n=N, m=N, real_share=share))


def fu(generations: int) -> Floats:
    """Risk with half of the weight on the first real rows and the rest on all batches."""
    real, made = np.full((generations, 1), 0.5), np.zeros((generations, generations))
    real[0] = 1.0
    for t in range(1, generations):
        made[t, :t] = 0.5 / t
    law = theory.linear_oracle(real, made, real_rows=N, synthetic_rows=N, total_weights=N)
    return np.asarray(N * law.risk)


def rounds(generations: int, real: int, made: int, ages: tuple[float, ...]) -> Floats:
    """Risk of a mean of all rounds, whose rows weigh by age; the last entry is for all older."""
    weight = np.array([ages[min(age, len(ages) - 1)] for age in range(generations)])
    from_real, from_made = np.zeros((2, generations, generations))
    for t in range(generations):
        from_real[t, : t + 1] = real * weight[t::-1]
        from_made[t, :t] = made * weight[:t][::-1]
    total = (from_real + from_made).sum(axis=1, keepdims=True)
    law = theory.linear_oracle(
        from_real / total,
        from_made / total,
        real_rows=real,
        synthetic_rows=made,
        total_weights=total[:, 0],
    )
    return np.asarray(law.risk)


def check(function: Any, given: dict[str, Any], law: str, values: Any, **more: Any) -> Check:
    """Check of the squared error of the posterior mean."""
    return Check(call_of(function, given), law, ERROR, FLAT, values, **more)


def call_of(function: Any, given: dict[str, Any]) -> str:
    """Call as it is typed."""
    return f"{function.__name__}({', '.join(f'{k}={v!r}' for k, v in given.items())})"


def part(name: str, calls: Any, checks: list[Check], lineages: int, counts: dict[str, Any]) -> Part:
    """Part with a flat prior."""
    return Part(
        name, gaussian_mean.estimator(), TRUTH, presets(calls), tuple(checks), lineages, counts
    )
