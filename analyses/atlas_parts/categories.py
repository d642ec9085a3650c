"""Categories: extinction, contamination, urns and priors, all exact."""

from __future__ import annotations

from typing import Any

import numpy as np

import bayescollapse as bc
from atlas_parts.measures import (
    concentration,
    emitting,
    error,
    point_error,
    posterior_mean,
    since_start,
    squared,
)
from atlas_parts.part import Check, Floats, Part
from bayescollapse import schemes, theory
from bayescollapse.models import bernoulli, categorical
from bayescollapse.schedules import tabulate
from bayescollapse.schemes.presets.contamination import SETTINGS

N = 20
P = np.array([0.5, 0.25, 0.15, 0.1])
DIVERSITY = float(1 - (P**2).sum())


def parts() -> list[Part]:
    """Experiments on categories."""
    return [resampled(), contamination(), sources(), rare(), priors(), urn()]


def resampled(generations: int = 9) -> Part:
    """Learn by maximum likelihood from the last batch, alone or with the real rows."""
    t = np.arange(generations)
    first = 1 - (1 - 1 / N) * DIVERSITY  # expected concentration among the real rows
    alone = theory.resampled_concentration(t, n=N, concentration=1 - DIVERSITY)
    mixed = theory.fixed_supply_frequency_error(t, m=N, real_share=0.5, concentration=first)
    fresh = theory.dirichlet_law(
        generations, probabilities=P, n=N, m=N, real_share=0.5, prior_total=0.0
    )
    chosen = {
        "seddik()": schemes.seddik(),
        "jangjoo_marsili_roudi()": schemes.jangjoo_marsili_roudi(),
        "seddik(real_rows=True)": schemes.seddik(real_rows=True),
        "jangjoo_marsili_roudi(real_rows=True)": schemes.jangjoo_marsili_roudi(real_rows=True),
    }
    names = list(chosen)
    checks = (
        *(
            Check(name, "resampled_concentration", "sum of p²", concentration("p"), alone)
            for name in names[:2]
        ),
        Check(
            names[2],
            "fixed_supply_frequency_error",
            "distance to the real frequencies",
            since_start("p"),
            mixed,
        ),
        Check(names[3], "dirichlet_law", "squared error", point_error("p", P), fresh.risk),
    )
    return _part("categories", chosen, checks, 6400, {"n_real": N, "generations": generations})


def contamination(generations: int = 7) -> Part:
    """Contaminate rows by the settings of Bakshi and Chakraborty."""
    chosen, checks = {}, []
    for setting, (real_share, total) in SETTINGS.items():
        label = f"bakshi_chakraborty(setting={setting!r}, point='mle')"
        chosen[label] = schemes.bakshi_chakraborty(setting, point="mle")
        rows = np.floor(tabulate("total", total, generations))
        law = theory.contaminated_risk(
            generations,
            real_probability=tabulate("real_share", real_share, generations),
            rows=rows,
            diversity=DIVERSITY,
        )
        checks.append(
            Check(label, "contaminated_risk", "N_0 · error", point_error("p", P, 0.01), 100 * law)
        )
    counts = {"n_real": 100, "generations": generations}
    return _part("categories-contaminated", chosen, tuple(checks), 2560, counts)


def sources(generations: int = 9) -> Part:
    """Contaminate under joint emission, with a prior that is worth next to nothing."""
    label, share, total = "contaminated(real_share=0.2, total=40)", 0.2, 40
    law = theory.contaminated_risk(
        generations,
        real_probability=share,
        rows=total,
        diversity=DIVERSITY,
        emission="joint",
    )
    chosen = {label: schemes.contaminated(real_share=share, total=total)}
    measure = error("p", P, 1 / total)
    check = Check(label, "contaminated_risk", "N · squared error", measure, total * law)
    counts = {"n_real": total, "generations": generations}
    return _part("categories-sources", chosen, (check,), 6400, counts, flat=1e-6)


def rare(generations: int = 9, n: int = 100, p: float = 0.01) -> Part:
    """Follow a rare symbol while it survives."""
    t = np.arange(generations)
    alive = 1 - theory.resampled_counts(generations, n=n, probability=p)[:, 0]
    bracket = theory.survival_bracket(t, n=n, probability=p)
    settings = (
        ("resampled_counts", alive, "equal"),
        ("survival_bracket", bracket.lower, "at least"),
        ("survival_bracket", bracket.upper, "at most"),
    )
    checks = tuple(
        Check("suresh()", law, f"alive ({kind})", survival, values, kind=kind)
        for law, values, kind in settings
    )
    return Part(
        "labels-rare",
        bernoulli.estimator(),
        bc.Truth(p=p),
        {"suresh()": schemes.suresh()},
        checks,
        6400,
        {"n_real": n, "generations": generations},
    )


def priors(generations: int = 18, n: int = 10, worth: float = 3.0) -> Part:
    """Iterate learning by draws, means and modes, under a prior whose modes lie inside."""
    categories = 3
    middle = np.full(categories, 1 / categories)
    diversity = 1 - 1 / categories
    total = worth * categories
    by_mean, by_mode = (
        theory.dirichlet_stationary(
            n, prior_total=weight, prior_diversity=diversity, emission="plug-in"
        )
        for weight in (total, total - categories)
    )
    drawn = diversity / (total + 1)
    settings: list[tuple[str, bc.Scheme, Any]] = [
        ("reali_griffiths()", schemes.reali_griffiths(), by_mean),
        ("kirby_dowman_griffiths()", schemes.kirby_dowman_griffiths(), by_mode),
        ("griffiths_kalish()", schemes.griffiths_kalish(), by_posterior(n, total, diversity)),
    ]
    settled = slice(12, None)
    checks = [
        Check(
            label,
            "dirichlet_stationary",
            "spread of the estimate",
            error("p", middle) if label.startswith("griffiths") else point_error("p", middle),
            law,
            window=settled,
        )
        for label, _, law in settings
    ]
    checks.append(
        Check(
            "griffiths_kalish()",
            "dirichlet_stationary",
            "spread of a draw, as the prior's",
            point_error("p", middle),
            drawn,
            window=settled,
        )
    )
    return Part(
        "categories-prior",
        categorical.estimator(categories=categories, concentration=worth),
        bc.Truth(p=[0.6, 0.3, 0.1]),
        {label: scheme for label, scheme, _ in settings},
        tuple(checks),
        6400,
        {"n_real": n, "generations": generations},
    )


def urn(generations: int = 30, n: int = 6) -> Part:
    """Keep every row, one row at a time."""
    label = "fong_holmes_walker()"
    law = theory.urn_variance_joint(np.arange(generations), n=1, start_total=n + len(P))
    quantity = "spread around generation 0"
    check = Check(label, "urn_variance_joint", quantity, spread_from_start, law)
    counts = {"n_real": n, "n_synthetic": 1, "generations": generations}
    chosen = {label: schemes.fong_holmes_walker()}
    return _part("categories-urn", chosen, (check,), 3840, counts)


def by_posterior(n: int, total: float, diversity: float) -> float:
    """Spread of posterior means under joint emission."""
    return float(theory.dirichlet_stationary(n, prior_total=total, prior_diversity=diversity))


def survival(run: Any, label: str) -> Floats:
    """Whether the symbol is still emitted."""
    return np.asarray(emitting(run, label, "p") > 0, dtype=float)


def spread_from_start(run: Any, label: str) -> Floats:
    """Squared distance of posterior means to the first, in units of the first's diversity."""
    mean = posterior_mean(run, label, "p")
    first = 1 - (mean[:, :1] ** 2).sum(axis=-1)
    return squared(mean - mean[:, :1]) / first


def _part(
    name: str, chosen: Any, checks: Any, lineages: int, counts: Any, *, flat: float = 1.0
) -> Part:
    estimator = categorical.estimator(categories=len(P), concentration=flat)
    return Part(name, estimator, bc.Truth(p=P), chosen, tuple(checks), lineages, counts)
