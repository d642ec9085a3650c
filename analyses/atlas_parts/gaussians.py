"""Gaussian with unknown variance, kernel densities, and Poisson rates."""

from __future__ import annotations

from typing import Any

import numpy as np

import bayescollapse as bc
from atlas_parts.measures import emitting, point_error, squared
from atlas_parts.part import Check, Floats, Part
from bayescollapse import schemes, theory
from bayescollapse.models import gaussian, kernel_density, poisson

N = 20
BANDWIDTH = 0.5


def parts() -> list[Part]:
    """Experiments on scales and shapes."""
    return [scale(), poisson_rate(), kernels()]


def scale(generations: int = 9) -> Part:
    """Mean and variance of a Gaussian, by the estimates of each paper."""
    t, share, narrow = np.arange(generations), 0.5, 0.8
    mad = {
        "fresh": {"loop": "fresh", "sampling_bias": narrow, "point": "mle"},
        "synthetic": {"loop": "synthetic", "sampling_bias": narrow, "point": "unbiased"},
    }
    chosen = {
        "shumailov(point='unbiased')": schemes.shumailov(point="unbiased"),
        "alemohammad(loop='fresh', sampling_bias=0.8, point='mle')": schemes.alemohammad(
            **mad["fresh"]
        ),
        "alemohammad(loop='synthetic', sampling_bias=0.8, point='unbiased')": schemes.alemohammad(
            **mad["synthetic"]
        ),
        "kazdan(point='mle')": schemes.kazdan(point="mle"),
    }
    walk, fresh, alone, kept = chosen
    law = theory.narrowed_gaussian_law(
        generations, n=N, m=N, sampling_bias=narrow, real_share=share
    )
    checks = (
        Check(
            walk, "wasserstein_error", "squared W2", wasserstein, theory.wasserstein_error(t, n=N)
        ),
        Check(fresh, "narrowed_gaussian_law", "variance", variance, law.variance),
        Check(
            fresh,
            "narrowed_gaussian_law",
            "squared error of the mean",
            point_error("mu", 0.0),
            law.mean_risk,
        ),
        Check(
            alone,
            "narrowed_variance",
            "variance",
            variance,
            theory.narrowed_variance(t, sampling_bias=narrow),
        ),
        Check(
            kept,
            "accumulated_diversity",
            "variance",
            variance,
            theory.accumulated_diversity(t, n=N),
        ),
    )
    counts = {"n_real": N, "generations": generations}
    truth = bc.Truth(mu=0.0, sigma=1.0)
    return Part("gaussian", gaussian.estimator(), truth, chosen, checks, 12_800, counts)


def poisson_rate(generations: int = 10, rate: float = 4.0) -> Part:
    """Keep every batch; the law is exact as the mean is a martingale."""
    label = "dey_donoho(point='mle')"
    law = 1 / theory.accumulate_efficiency(np.arange(generations))
    measure = point_error("rate", rate, rate / N)
    check = Check(label, "accumulate_efficiency", "n · squared error", measure, law)
    return Part(
        "poisson",
        poisson.estimator(),
        bc.Truth(rate=rate),
        {label: schemes.dey_donoho(point="mle")},
        (check,),
        12_800,
        {"n_real": N, "generations": generations},
    )


def kernels(generations: int = 7) -> Part:
    """Kernel density with a fixed bandwidth."""
    t, share = np.arange(generations), 0.3
    label = "khelifa_turner_venkataramanan(real_share=0.3)"
    chosen = {
        label: schemes.khelifa_turner_venkataramanan(share),
        "replace(emission='plug-in')": schemes.replace(emission="plug-in"),
        "accumulate(emission='plug-in')": schemes.accumulate(emission="plug-in"),
    }
    settings: dict[str, dict[str, Any]] = {
        label: {"real_share": share},
        "replace(emission='plug-in')": {},
        "accumulate(emission='plug-in')": {"memory": "all"},
    }
    checks = tuple(
        Check(
            call,
            "kernel_variance",
            "mean square of an emitted row",
            mean_square,
            theory.kernel_variance(t, bandwidth=BANDWIDTH, **given).density,
            window=slice(0, None),
        )
        for call, given in settings.items()
    )
    estimator = kernel_density.estimator(
        prior_median=BANDWIDTH, prior_log_sd=1e-9, points_per_octave=2
    )
    truth = bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator())
    counts = {"n_real": N, "generations": generations}
    return Part("kernels", estimator, truth, chosen, checks, 5120, counts)


def wasserstein(run: Any, label: str) -> Floats:
    """Squared Wasserstein distance of the emitting Gaussian to the standard one."""
    mean, sd = (emitting(run, label, name) for name in ("mu", "sigma"))
    return np.asarray(mean**2 + (sd - 1) ** 2)


def variance(run: Any, label: str) -> Floats:
    """Variance of the emitting Gaussian."""
    return squared(emitting(run, label, "sigma"))


def mean_square(run: Any, label: str) -> Floats:
    """Mean square of a batch of emitted rows, from its mean and sd (divisor rows - 1)."""
    rows = run["predictive"]["y"].sel(scheme=label).transpose("statistic", "replicate", ...)
    mean, sd = (np.asarray(rows.sel(statistic=name)) for name in ("mean", "sd"))
    return np.asarray(mean**2 + sd**2 * (N - 1) / N)
