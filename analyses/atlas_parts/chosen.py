"""Rows that are chosen: verifiers of means and labels, truncation, curation, temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

import bayescollapse as bc
from atlas_parts.measures import emitting, error, posterior_mean, training
from atlas_parts.part import Check, Floats, Part
from bayescollapse import schemes, theory
from bayescollapse.models import bernoulli, categorical, gaussian_mean
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.rewards import QuadraticReward, TableReward

MANY = 10_000
P = np.array([0.5, 0.3, 0.2])
REWARDS = (0.0, 0.5, 1.0)
RIGHT, WRONG = 0.8, 0.4


def parts() -> list[Part]:
    """Experiments in which rows are chosen."""
    return [ball(), tails(), centre(), labels(0.57), labels(0.77), populations()]


def ball(generations: int = 8, rows: int = 40) -> Part:
    """Verify a Gaussian mean with a mild bias."""
    given = {"radius": 0.1, "slack": 0.8, "bias": 0.3}
    label = "verified(radius=0.1, slack=0.8, bias=0.3, emission='plug-in')"
    path = theory.verified_path(
        generations,
        offset=[-given["bias"]],
        start_variance=1 / rows,
        accepted=rows,
        radius=given["radius"],
        slack=given["slack"],
    )
    measure = error("mu", 0.0)
    check = Check(label, "verified_path", "squared error", measure, path.truth_error)
    chosen = {label: schemes.verified(**given, emission="plug-in")}
    counts = {"n_real": rows, "generations": generations}
    return _mean("chosen-ball", chosen, (check,), 5120, counts)


def tails(generations: int = 3, keep: float = 0.75, rows: int = 200) -> Part:
    """Drop rows of high density: the tails are left, and errors grow faster."""
    cut = float(ndtri(1 - keep / 2))
    inside = float(theory.truncated_moments(-cut, cut).variance)
    tail = (1 - (1 - keep) * inside) / keep
    law = 1 + np.arange(generations) * tail / keep
    chosen = {
        "fortifai(quantile=0.75)": schemes.fortifai(quantile=keep),
        "truncated(quantile=0.75, emission='plug-in')": schemes.truncated(
            quantile=keep, emission="plug-in"
        ),
    }
    measure = error("mu", 0.0, 1 / rows)
    checks = tuple(
        Check(label, "truncated_moments", "n · squared error", measure, law) for label in chosen
    )
    counts = {"n_real": rows, "generations": generations}
    return _mean("chosen-tails", chosen, checks, 5120, counts)


def centre(rows: int = 400, real: int = 20, keep: float = 0.5) -> Part:
    """Keep the best half by the distance to the truth, in one round."""
    label = "verified_by(QuadraticReward(0.0, 1.0), keep=0.5, emission='plug-in')"
    nodes, mass = np.polynomial.hermite_e.hermegauss(24)
    mass = mass / mass.sum()
    at = nodes / np.sqrt(real)
    cuts = np.array([half_width(float(mean), keep) for mean in at])
    kept = theory.truncated_moments(-cuts - at, cuts - at)
    law = mass @ ((at + kept.mean) ** 2 + kept.variance / rows)
    measure = error("mu", 0.0, 1 / real)
    check = Check(
        label,
        "truncated_moments",
        "n · squared error",
        measure,
        real * law,
        window=slice(1, 2),
    )
    chosen = {label: schemes.verified_by(QuadraticReward(0.0, 1.0), keep, emission="plug-in")}
    counts = {"n_real": real, "n_synthetic": rows, "generations": 2}
    return _mean("chosen-centre", chosen, (check,), 12_800, counts)


def labels(wrong_share: float) -> Part:
    """Verify labels with errors, in one round."""
    rates = {"keep_correct": RIGHT, "keep_wrong": WRONG}
    error_kept = float(theory.kept_label_error(wrong_share, **rates))
    passed = float(theory.kept_share(wrong_share, **rates))
    below = wrong_share < float(theory.label_error_breakdown(**rates))
    label = f"feng(right={RIGHT}, wrong={WRONG})"
    generic = f"label_verified(right={RIGHT}, wrong={WRONG})"
    once, start = slice(1, 2), slice(0, 1)
    accepted = training("accepted", over="emitted")
    checks = (
        Check(label, "kept_label_error", "wrong labels kept", wrong, error_kept, once),
        Check(
            label,
            "label_error_breakdown",
            f"wrong labels kept, {'below' if below else 'beyond'} breakdown",
            wrong,
            0.5,
            once,
            kind="at most" if below else "at least",
        ),
        Check(generic, "kept_label_error", "wrong labels kept", wrong, error_kept, once),
        Check(generic, "kept_share", "rows kept", accepted, passed, start),
    )
    chosen = {
        label: schemes.feng(RIGHT, WRONG, correct=is_one),
        generic: schemes.label_verified(RIGHT, WRONG, correct=is_one, emission="plug-in"),
    }
    return Part(
        f"chosen-labels-{wrong_share:g}",
        bernoulli.estimator(),
        bc.Truth(p=1 - wrong_share),
        chosen,
        checks,
        1280,
        {"n_real": MANY, "generations": 2},
    )


def populations(generations: int = 5) -> Part:
    """Emit so many rows that a generation follows the population."""
    t, reward = np.arange(generations), TableReward(REWARDS)
    curated: dict[str, dict[str, Any]] = {
        "curated(TableReward((0.0, 0.5, 1.0)), among=2, emission='plug-in')": {"choices": 2},
        "ferbach(TableReward((0.0, 0.5, 1.0)), among=4)": {"choices": 4},
        "ferbach(TableReward((0.0, 0.5, 1.0)), real_share=0.6)": {
            "choices": 2,
            "real_share": 0.6,
        },
    }
    few, many, mixed = curated
    hot = "marchi(temperature=0.8)"
    chosen = {
        few: schemes.curated(reward, 2, emission="plug-in"),
        many: schemes.ferbach(reward, 4),
        mixed: schemes.ferbach(reward, real_share=0.6),
        hot: schemes.marchi(0.8),
    }
    checks = [
        Check(
            label,
            "curated_population",
            "share of the best category",
            best_category,
            theory.curated_population(generations, probabilities=P, rewards=REWARDS, **given)[
                :, -1
            ],
        )
        for label, given in curated.items()
    ]
    worth = np.exp(REWARDS)
    gain = theory.curation_gain_bound(P, rewards=REWARDS, choices=2)
    checks.append(
        Check(
            few,
            "curation_gain_bound",
            "E[exp(reward)]",
            lambda run, label: posterior_mean(run, label, "p") @ worth,
            P @ worth + gain,
            window=slice(1, 2),
            kind="at least",
        )
    )
    cooled = theory.tempered_probabilities(t, probabilities=P, temperature=0.8)
    odds = np.log(cooled[:, 0] / cooled[:, 1])
    checks.append(Check(hot, "tempered_probabilities", "log odds", log_odds, odds))
    return Part(
        "chosen-populations",
        categorical.estimator(categories=len(P)),
        bc.Truth(p=P),
        chosen,
        tuple(checks),
        640,
        {"n_real": MANY, "generations": generations},
    )


def is_one(proposed: xr.Dataset, context: Context) -> NDArray[np.bool_]:
    """Whether a label is right: the truth is 1."""
    return np.asarray(proposed["y"].to_numpy() == 1)


def wrong(run: Any, label: str) -> Floats:
    """Share of wrong labels among those that were learned from."""
    return 1 - posterior_mean(run, label, "p")


def best_category(run: Any, label: str) -> Floats:
    """Share of the category of highest reward."""
    return posterior_mean(run, label, "p")[..., -1]


def log_odds(run: Any, label: str) -> Floats:
    """Log odds of the first two categories."""
    p = emitting(run, label, "p")
    return np.asarray(np.log(p[..., 0] / p[..., 1]))


def half_width(mean: float, keep: float) -> float:
    """Distance from 0 within which rows of N(mean, 1) fall with a probability."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def excess(cut: float) -> float:
        return float(ndtr(cut - mean) - ndtr(-cut - mean) - keep)

    return float(brentq(excess, 1e-6, 20.0 + abs(mean)))


def _mean(name: str, chosen: Any, checks: Any, lineages: int, counts: Any) -> Part:
    estimator = gaussian_mean.estimator()
    return Part(name, estimator, bc.Truth(mu=0.0), chosen, checks, lineages, counts)
