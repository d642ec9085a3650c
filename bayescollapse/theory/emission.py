"""What the way of emitting rows adds to the recursion of a Gaussian mean.

A batch of m rows emitted by a posterior with total weight N scatters around the posterior mean
with variance sb s2/m + f s2/N, where f is 0 for plug-in, 1 for joint, 1/K for ensemble(K) with m/K
rows per member, and 1/m for predictive emission. The sampling bias sb, 1 if not named, multiplies
the variance of the rows around the parameters that emit them.
"""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    Emission,
    EmissionLike,
    TotalWeightLike,
    at_least,
    parse_emission,
    parse_total_weight,
    plain,
    share,
)

__all__ = ["EmissionTerms", "emission_terms", "parse_narrowed", "posterior_weight"]


class EmissionTerms(NamedTuple):
    """Coefficients of the recursion for unit row variance; see `risk`."""

    a: Array
    b: Array
    c: Array


def posterior_weight(
    n: ArrayLike,
    m: ArrayLike,
    *,
    total_weight: TotalWeightLike = "rows",
    real_share: ArrayLike | None = None,
) -> Array:
    """Total weight N of a generation that is fitted to n real and m synthetic rows.

    n + m for "rows", n for "real", 1/(w^2/n + (1-w)^2/m) for "kish", or the number given. Exact
    by definition. Generation 0 has total weight n whatever the rule.

    Parameters
    ----------
    n, m
        Real and synthetic rows, each 1 or more.
    total_weight
        "rows", "real", "kish" or a positive number. "calibrated" changes from one generation to
        the next: see `total_weight_path`.
    real_share
        Share of the total weight on real rows, in [0, 1]; needed for "kish" only.

    Returns
    -------
    ndarray
        Total weight in rows, positive, broadcast over the arguments the rule uses.

    Raises
    ------
    ValueError
        If an argument is outside its range, "kish" comes without `real_share`, or the rule is
        "calibrated".

    References
    ----------
    Kish 1965, Survey Sampling, for the effective size.

    Examples
    --------
    >>> float(posterior_weight(50, 50))
    100.0
    >>> float(posterior_weight(50, 50, total_weight="kish", real_share=1.0))
    50.0
    """
    n, m = _rows(n, m)
    rule = parse_total_weight(total_weight)
    if not isinstance(rule, str):
        return plain(rule)
    if rule == "rows":
        return plain(n + m)
    if rule == "real":
        return plain(n)
    if rule == "calibrated":
        raise ValueError(
            'total_weight must be "rows", "real", "kish" or a positive number here, got '
            '"calibrated": it differs between generations, use total_weight_path'
        )
    if real_share is None:
        raise ValueError(
            'real_share must be given with total_weight="kish", got None: '
            "pass the share of the total weight that lies on real rows"
        )
    w = share("real_share", real_share)
    return plain(1 / (w**2 / n + (1 - w) ** 2 / m))


def emission_terms(
    n: ArrayLike,
    m: ArrayLike,
    *,
    emission: EmissionLike = "plug-in",
    total_weight: TotalWeightLike = "rows",
    real_share: ArrayLike | None = None,
) -> EmissionTerms:
    """Coefficients a, b and c of the recursion for a Gaussian mean with unit row variance.

    a = 1/n, b = sb/m + f/N and c = 1, with sb the sampling bias and f the emission's share of the
    posterior variance (0 plug-in, 1 joint, 1/K ensemble(K), 1/m predictive). Under "calibrated"
    total weight N = 1/R_t, which moves f from b to c: b = sb/m, c = 1 + f. Exact from generation 2
    on and in the limit; generation 0 emits with total weight n, which `mean_risk` accounts for.

    Parameters
    ----------
    n, m
        Real and synthetic rows per generation, each 1 or more.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K), or a label with a sampling bias; see
        `parse_narrowed`.
    total_weight
        "rows", "real", "kish", "calibrated" or a positive number.
    real_share
        Share of the total weight on real rows; needed for "kish" only.

    Returns
    -------
    EmissionTerms
        Arrays `a`, `b` and `c`; multiply `a` and `b` by the row variance for other units.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library; the sampling bias is that of Alemohammad et al. 2024, arXiv
    2307.01850.

    Examples
    --------
    >>> terms = emission_terms(50, 50, emission="joint")
    >>> [round(float(value), 4) for value in terms]
    [0.02, 0.03, 1.0]
    >>> from bayescollapse.theory.recursion import limit_risk
    >>> round(float(limit_risk(0.6861, **terms._asdict())) * 50, 4)
    0.6861
    """
    n, m = np.broadcast_arrays(*_rows(n, m))
    mode, bias = parse_narrowed(emission)
    spread = mode.spread(m)
    if isinstance(total_weight, str) and total_weight == "calibrated":
        return EmissionTerms(plain(1 / n), plain(bias / m), plain(1 + spread))
    weight = posterior_weight(n, m, total_weight=total_weight, real_share=real_share)
    return EmissionTerms(plain(1 / n), plain(bias / m + spread / weight), plain(np.ones_like(m)))


def parse_narrowed(emission: EmissionLike, *, prior_weight: float = 0.0) -> tuple[Emission, float]:
    """Read an emission, with a sampling bias where its label has one.

    Parameters
    ----------
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K), or the label of an emission, such as
        "joint(sampling_bias=0.8)" or "plug-in(mle)". All points of a plug-in emission are the same
        for a Gaussian mean under a flat prior.
    prior_weight
        Rows the prior is worth; where it is above 0, points from the likelihood alone differ.

    Returns
    -------
    tuple of Emission and float
        The kind, and the factor on the variance of the rows, in (0, 1].

    Raises
    ------
    ValueError
        If the label is unknown, or has a temperature or a point that no law here covers.

    Examples
    --------
    >>> parse_narrowed("ensemble(5, sampling_bias=0.8)")
    (Emission(kind='ensemble', members=5), 0.8)
    """
    match = re.fullmatch(r"([a-z-]+)\((.+)\)", emission) if isinstance(emission, str) else None
    if match is None:
        return parse_emission(emission), 1.0
    kind, bias = match[1], 1.0
    for part in match[2].split(", "):
        name, equals, number = part.partition("=")
        if name == "temperature":
            raise ValueError(
                f"emission {emission!r} has a temperature, and no law of a Gaussian mean here "
                "covers one: leave it out, or see tempered_probabilities"
            )
        if equals and name == "sampling_bias":
            bias = _bias(emission, number)
        elif kind == "plug-in" and not equals:
            _check_point(emission, part, prior_weight)
        elif kind == "ensemble" and part.isdecimal():
            kind = f"ensemble({part})"
        else:
            return parse_emission(emission), 1.0
    return parse_emission(kind), bias


def _bias(emission: EmissionLike, number: str) -> float:
    try:
        bias = float(number)
    except ValueError:
        bias = np.nan
    if not 0 < bias <= 1:
        raise ValueError(
            f"sampling_bias must lie in (0, 1], got {number!r} in {emission!r}: pass the factor on "
            "the variance of emitted rows"
        )
    return bias


def _check_point(emission: EmissionLike, point: str, prior_weight: float) -> None:
    kind = point.partition(" of ")[0]
    if kind in ("mean", "map", "marginal map"):
        return
    if kind not in ("mle", "unbiased"):
        raise ValueError(
            f'point must be "mean", "map", "marginal map", "mle" or "unbiased", got {point!r} in '
            f"emission {emission!r}"
        )
    if prior_weight > 0:
        raise ValueError(
            f"emission {emission!r} hands on an estimate from the likelihood alone, which is not "
            f"the posterior mean under a prior of weight {prior_weight:g}: use 'plug-in', or a "
            "flat prior"
        )


def _rows(n: ArrayLike, m: ArrayLike) -> tuple[Array, Array]:
    return (
        at_least("n", n, 1, "pass the number of real rows per generation"),
        at_least("m", m, 1, "pass the number of synthetic rows per generation"),
    )
