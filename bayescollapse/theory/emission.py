"""What the way of emitting rows adds to the recursion of a Gaussian mean.

A batch of m rows emitted by a posterior with total weight N scatters around the posterior mean
with variance s2/m + f s2/N, where f is 0 for plug-in, 1 for joint, 1/K for ensemble(K) with m/K
rows per member, and 1/m for predictive emission.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    TotalWeightLike,
    at_least,
    parse_emission,
    parse_total_weight,
    plain,
    share,
)

__all__ = ["EmissionTerms", "emission_terms", "posterior_weight"]


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

    a = 1/n, b = 1/m + f/N and c = 1, with f the emission's share of the posterior variance (0
    plug-in, 1 joint, 1/K ensemble(K), 1/m predictive). Under "calibrated" total weight N = 1/R_t,
    which moves f from b to c: b = 1/m, c = 1 + f. Exact from generation 2 on and in the limit;
    generation 0 emits with total weight n, which `mean_risk` accounts for.

    Parameters
    ----------
    n, m
        Real and synthetic rows per generation, each 1 or more.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K).
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
    Derived for this library.

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
    spread = parse_emission(emission).spread(m)
    if isinstance(total_weight, str) and total_weight == "calibrated":
        return EmissionTerms(plain(1 / n), plain(1 / m), plain(1 + spread))
    weight = posterior_weight(n, m, total_weight=total_weight, real_share=real_share)
    return EmissionTerms(plain(1 / n), plain(1 / m + spread / weight), plain(np.ones_like(m)))


def _rows(n: ArrayLike, m: ArrayLike) -> tuple[Array, Array]:
    return (
        at_least("n", n, 1, "pass the number of real rows per generation"),
        at_least("m", m, 1, "pass the number of synthetic rows per generation"),
    )
