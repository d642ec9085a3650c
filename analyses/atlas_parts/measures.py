"""What is measured of a lineage: numbers of shape (replicate, generation)."""

from __future__ import annotations

from typing import Any

import numpy as np

from atlas_parts.part import Floats, Measure

NORMAL_95 = 1.959963984540054


def posterior_mean(run: Any, label: str, name: str) -> Floats:
    """Posterior means, (replicate, generation, …)."""
    values = run["summary"][name].sel(scheme=label, statistic="mean")
    return np.asarray(values.transpose("replicate", "generation", ...))


def emitting(run: Any, label: str, name: str) -> Floats:
    """Parameters that emitted rows, (replicate, generation, …): a plug-in point, or a draw."""
    values = run["emission"][name].sel(scheme=label).isel(member=0)
    return np.asarray(values.transpose("replicate", "generation", ...))


def squared(values: Any) -> Floats:
    """Sum of squares over everything but replicates and generations."""
    squares = np.asarray(values) ** 2
    return np.asarray(squares.reshape(*squares.shape[:2], -1).sum(axis=-1))


def error(name: str, truth: Any, unit: float = 1.0) -> Measure:
    """Squared error of the posterior mean, in a unit."""
    return lambda run, label: squared(posterior_mean(run, label, name) - truth) / unit


def point_error(name: str, truth: Any, unit: float = 1.0) -> Measure:
    """Squared error of the parameters that emitted rows, in a unit."""
    return lambda run, label: squared(emitting(run, label, name) - truth) / unit


def coverage(name: str, truth: float) -> Measure:
    """Whether the central 95 % interval of a normal posterior holds the truth."""

    def measure(run: Any, label: str) -> Floats:
        sd = run["summary"][name].sel(scheme=label, statistic="sd")
        half = NORMAL_95 * np.asarray(sd.transpose("replicate", "generation"))
        away = np.abs(posterior_mean(run, label, name) - truth)
        return np.asarray(away <= half, dtype=float)

    return measure


def concentration(name: str) -> Measure:
    """Sum of squared probabilities that emitted rows."""
    return lambda run, label: squared(emitting(run, label, name))


def since_start(name: str) -> Measure:
    """Squared distance of the parameters that emitted rows to those of generation 0."""

    def measure(run: Any, label: str) -> Floats:
        values = emitting(run, label, name)
        return squared(values - values[:, :1])

    return measure


def training(name: str, over: str | None = None) -> Measure:
    """Read a recorded figure of a generation, or its ratio to another."""

    def measure(run: Any, label: str) -> Floats:
        table = run["training"].sel(scheme=label)
        values = np.asarray(table[name].transpose("replicate", "generation"), dtype=float)
        if over is not None:
            values = values / np.asarray(table[over].transpose("replicate", "generation"))
        return values

    return measure
