"""Checks of an experiment's arguments, before anything is compiled or sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse._checks import integer
from bayescollapse.estimator.direct import DirectEstimator
from bayescollapse.estimator.hooks import check_emission
from bayescollapse.estimator.learner import Learner
from bayescollapse.experiment.jobs import REFERENCES
from bayescollapse.lineage.record import RecordSettings
from bayescollapse.schedules import tabulate
from bayescollapse.schemes.scheme import Scheme

__all__ = [
    "check_covariates",
    "check_direct",
    "check_emissions",
    "counts",
    "labelled",
    "record_settings",
    "reference_names",
]


def check_covariates(schemes: Mapping[str, Scheme], estimator: Learner) -> None:
    """Refuse covariates that are to come from a model that does not make them."""
    names = [v.name for v in estimator.schema.covariates]
    for label, scheme in schemes.items():
        if scheme.covariates == "model" and names:
            raise ValueError(
                f"scheme {label!r}: covariates='model' needs a model that makes its covariates, "
                f"but {names} are pm.Data in this one: observe them as random variables beside the "
                "response, or use covariates='source', 'resample' or 'fixed'"
            )


def check_direct(estimator: Learner, source: Any, held_out: Any) -> None:
    """Refuse what an estimator without a PyMC model cannot do."""
    draws_rows = getattr(source, "estimator", None) or estimator
    if hasattr(source, "prior") and isinstance(draws_rows, DirectEstimator):
        raise ValueError(
            f"{source!r} would draw real rows from {draws_rows!r}, which has no parameters that "
            "determine them: give the truth a model of its own, for example "
            "bc.Truth(mu=0.0, sigma=1.0, estimator=gaussian.estimator()), or use a bc.Table or "
            "bc.Simulator"
        )
    if held_out is not None and isinstance(estimator, DirectEstimator) and estimator.no_density:
        raise ValueError(
            f"held_out asks for log densities, but {estimator!r} has none: {estimator.no_density}; "
            "leave held_out out"
        )


def check_emissions(schemes: Mapping[str, Scheme], estimator: Learner, method: str) -> None:
    """Refuse emissions that the method's posteriors do not have."""
    for label, scheme in schemes.items():
        if scheme.emission.plain:
            continue
        try:
            check_emission(estimator.engine(method), scheme.emission)
        except ValueError as error:
            raise ValueError(f"scheme {label!r}: {error}") from error


def labelled(schemes: Scheme | Mapping[str, Scheme]) -> dict[str, Scheme]:
    """Check schemes and their labels; a single scheme is labelled by its name."""
    if isinstance(schemes, Scheme):
        return {schemes.name or "scheme": schemes}
    if not isinstance(schemes, Mapping) or not schemes:
        raise TypeError(
            f"schemes must be a Scheme or a non-empty mapping of labels to schemes, got {schemes!r}"
        )
    for label, scheme in schemes.items():
        if not isinstance(label, str) or not isinstance(scheme, Scheme):
            raise TypeError(
                f"schemes must map labels (str) to Scheme values, got {label!r}: {scheme!r}"
            )
        if label.startswith("reference/"):
            raise ValueError(f"scheme label {label!r} is reserved for references: choose another")
    return dict(schemes)


def counts(name: str, schedule: Any, length: int, *, minimum: int) -> tuple[int, ...]:
    """Tabulate a schedule of row counts, which must be whole numbers."""
    if (
        isinstance(schedule, (tuple, list))
        and name == "n_synthetic"
        and len(schedule) == length - 1
    ):
        schedule = (*schedule, schedule[-1])
    table = tabulate(name, schedule, length)
    for t, value in enumerate(table):
        if not np.isfinite(value) or int(value) != value and not callable(schedule):
            raise ValueError(
                f"{name} must be a whole number of rows, got {value} at generation {t}"
            )
        if value < minimum:
            raise ValueError(
                f"{name} must be at least {minimum} in every generation, got {value:g} at "
                f"generation {t}"
            )
    return tuple(int(value) for value in table)


def record_settings(
    keep_draws: int, keep_rows: str, probabilities: Sequence[float], chains: int
) -> RecordSettings:
    """Check what is to be written down of every generation."""
    integer("keep_draws", keep_draws, minimum=0)
    if keep_rows not in ("first", "all", "none"):
        raise ValueError(f"keep_rows must be 'first', 'all' or 'none', got {keep_rows!r}")
    if any(not 0 < p < 1 for p in probabilities):
        raise ValueError(f"probabilities must lie between 0 and 1, got {list(probabilities)}")
    return RecordSettings(
        int(keep_draws), keep_rows, tuple(float(p) for p in probabilities), chains
    )


def reference_names(references: Sequence[str] | None, method: str, source: Any) -> tuple[str, ...]:
    """Choose references: all for exact posteriors, the cheapest for sampled ones.

    A fixed design has no more rows than its own, so `real_plus` is left out there.
    """
    if references is None:
        every = REFERENCES if method == "exact" else REFERENCES[:1]
        fixed = isinstance(getattr(source, "covariates", None), xr.Dataset)
        return tuple(name for name in every if not (fixed and name == "real_plus"))
    unknown = [name for name in references if name not in REFERENCES]
    if unknown:
        raise ValueError(f"references must be among {REFERENCES}, got {unknown}")
    return tuple(references)
