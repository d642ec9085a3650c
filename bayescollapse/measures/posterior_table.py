"""What posterior drift can measure: kernels by name, and what each needs of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import xarray as xr

from bayescollapse._checks import integer
from bayescollapse.measures.divergence import binned, joint, kl, neighbours, sliced, univariate
from bayescollapse.measures.kernels import gaussian_kl, gaussian_wasserstein, wasserstein_1d
from bayescollapse.measures.layout import group, has_group
from bayescollapse.measures.references import check_reference, reference_draws
from bayescollapse.measures.registry import KNOWING, Measure, lacking

__all__ = [
    "DEFAULT",
    "JOINT",
    "MARGINAL",
    "MOMENTS",
    "POSTERIOR_MEASURES",
    "UPWARDS",
    "allowed",
    "check_permutations",
    "chosen",
    "least_draws",
]

MOMENTS: dict[str, Callable[..., Any]] = {
    "shift_sds": lambda m, s, m_ref, s_ref: univariate.shift_sds(m, m_ref, s_ref),
    "sd_ratio": lambda m, s, m_ref, s_ref: univariate.sd_ratio(s, s_ref),
    "gaussian_kl": gaussian_kl,
    "gaussian_hellinger": univariate.gaussian_hellinger,
    "gaussian_wasserstein": gaussian_wasserstein,
}
"""Measures of one parameter, from its mean and sd."""

MARGINAL: dict[str, Callable[..., Any]] = {
    "wasserstein": partial(wasserstein_1d, order=2),
    "squared_hellinger": binned.squared_hellinger,
}
"""Measures of one parameter, from draws."""

JOINT: dict[str, Callable[..., Any]] = {
    "sliced_wasserstein": sliced.sliced_wasserstein,
    "energy_distance": joint.energy_distance,
    "kl_moments": kl.kl_moments,
    "maximum_mean_discrepancy": joint.maximum_mean_discrepancy,
    "kl_neighbours": neighbours.kl_neighbours,
}
"""Measures of all parameters, from draws in units of generation 0's sds."""

DEFAULT = (*MOMENTS, *MARGINAL, "sliced_wasserstein", "energy_distance", "kl_moments")
DENSITIES = ("squared_hellinger", "kl_moments", "kl_neighbours")
UPWARDS = ("wasserstein", "sliced_wasserstein")

POSTERIOR_MEASURES: dict[str, Measure] = {
    measure.name: measure
    for module in (univariate, binned, sliced, joint, kl, neighbours)
    for measure in module.MEASURES
}
"""Every measure of posterior drift by name."""


def chosen(measures: Sequence[str] | None, reference: str) -> list[str]:
    """Check the names of measures and of the reference; the default measures if none is given."""
    check_reference(reference)
    names = DEFAULT if measures is None else measures
    unknown = [n for n in names if n not in POSTERIOR_MEASURES]
    if isinstance(measures, str) or unknown or not names:
        raise ValueError(
            f"measures must be a sequence of names out of {list(POSTERIOR_MEASURES)}, got "
            f"{measures!r}: correct {unknown or 'it'}"
        )
    return list(dict.fromkeys(names))


def check_permutations(permutations: int, names: Sequence[str], reference: str) -> None:
    """Refuse permutations that would give no null point.

    Raises
    ------
    ValueError
        If there are 1 to 98, the reference is a point, or no measure is biased upwards.
    """
    if not integer("permutations", permutations, minimum=0):
        return
    if permutations < 99:
        raise ValueError(
            f"permutations must be 0 or at least 99, got {permutations}: fewer do not reach the "
            "99 % point of a null"
        )
    if reference == "truth":
        raise ValueError(
            f"permutations exchange draws with those of the reference, and the truth is a point, "
            f"got permutations={permutations}: use permutations=0, or one of {KNOWING}"
        )
    if not set(names) & set(UPWARDS):
        raise ValueError(
            f"permutations give null points of {list(UPWARDS)}, which are biased upwards, got "
            f"measures={list(names)}: name one of them, or use permutations=0"
        )


def least_draws(name: str, parameters: int) -> int:
    """Fewest draws from which a measure is defined."""
    return {"kl_moments": parameters + 3, "kl_neighbours": max(6, parameters + 3)}.get(name, 1)


def allowed(
    run: xr.DataTree, names: list[str], reference: str, parameters: int
) -> tuple[list[str], list[str]]:
    """Split the wanted measures into those that the run allows, and what the others lack."""
    drawn = [n for n in names if n not in MOMENTS]
    if not drawn:
        return names, []
    missing = []
    if not has_group(run, "posterior"):
        missing.append((drawn, lacking(drawn, "draws")))
    elif reference not in ("first", "truth") and not has_group(run, reference_draws(reference)):
        because = f"the reference {reference!r} keeps means, sds and quantiles only"
        what = "run the experiment with keep_reference_draws=True"
        missing.append((drawn, f"{', '.join(drawn)}: {because} ({what})"))
    else:
        missing += _short_of_draws(run, drawn, reference, parameters)
    gone = {name for group_, _ in missing for name in group_}
    return [n for n in names if n not in gone], [text for _, text in missing]


def _short_of_draws(
    run: xr.DataTree, drawn: list[str], reference: str, parameters: int
) -> list[tuple[list[str], str]]:
    found = []
    densities = [n for n in drawn if n in DENSITIES]
    if reference == "truth" and densities:
        text = "the truth is a point without a density (use gaussian_kl or gaussian_hellinger)"
        found.append((densities, f"{', '.join(densities)}: {text}"))
        drawn = [n for n in drawn if n not in densities]
    posterior = group(run, "posterior", needed_for="posterior drift")
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    for name in drawn:
        least = least_draws(name, parameters)
        if draws < least:
            because = f"{draws} draws of {parameters} parameters, {least} are needed"
            found.append(([name], lacking(name, "draws", because=because)))
    return found
