"""Learning from rows of unknown source, some real and some made by the generation before.

Generation t sees N_t rows drawn from

    Q_t = a_t P + (1 - a_t) P_{t-1}

where P is the true distribution over categories, P_{t-1} what generation t - 1 learned, and a_t
the probability that a row is real. The learner cannot tell which is which. Its error is
R_t = E||P_t - P||^2, in which V = 1 - ||P||^2, the diversity of the truth, is the only feature of P
that matters.
"""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    EmissionLike,
    at_least,
    parse_emission,
    per_generation,
    plain,
    share,
    whole,
)

__all__ = [
    "contaminated_limit",
    "contaminated_quasi_steady",
    "contaminated_risk",
]


def contaminated_risk(
    generations: int,
    *,
    real_probability: ArrayLike,
    rows: ArrayLike,
    diversity: ArrayLike,
    emission: EmissionLike = "plug-in",
) -> Array:
    r"""Error of each generation that learns category frequencies from rows of unknown source.

    .. math:: R_0 = \frac{V}{N_0}, \qquad
        R_t = (1-a_t)^2 \left( \left(1 - \frac{1}{N_t}\right) R_{t-1} + d_t \right)
        + \frac{V}{N_t}

    with d = 0 for plug-in and predictive emission, and

    .. math:: d_t = \left(\frac{1}{K} - \frac{1}{N_t}\right) \frac{V - R_{t-1}}{N_{t-1} + 1}

    where synthetic rows come from K draws of the Dirichlet posterior whose concentrations are the
    counts (joint: K = 1; predictive is K = N_t). Exact.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    real_probability
        a_t in [0, 1]: one number, or first axis generations (entry 0 is not used: generation 0 is
        real) and other axes that broadcast.
    rows
        N_t, 1 or more: one number, or first axis generations with entry t for generation t.
    diversity
        V = 1 - sum of squared true probabilities, positive and below 1.
    emission
        "plug-in", "joint", "predictive" or ("ensemble", K). The K members of an ensemble
        emit equally many rows each.

    Returns
    -------
    ndarray, shape (generations, ...)
        Squared distance of the learned to the true probabilities, no unit.

    Raises
    ------
    ValueError
        If an argument is outside its range or a shape does not fit.

    References
    ----------
    Bakshi and Chakraborty 2026, arXiv 2602.10531, theorem 3.1, for plug-in emission; the explicit
    form and the other emissions were derived for this library and simulated.

    Examples
    --------
    >>> path = contaminated_risk(4, real_probability=0.1, rows=100, diversity=0.9)
    >>> [round(float(value), 4) for value in path]
    [0.009, 0.0162, 0.022, 0.0266]
    """
    whole("generations", generations, 1, "pass how many generations to follow")
    real = per_generation("real_probability", real_chance(real_probability), generations)
    count = per_generation("rows", row_counts(rows), generations)
    v = true_diversity(diversity)
    mode = parse_emission(emission)
    members = np.inf if mode.kind in ("plug-in", "predictive") else float(mode.members)
    shape = np.broadcast_shapes(real.shape[1:], count.shape[1:], v.shape)
    path = np.empty((generations, *shape))
    path[0] = v / count[0]
    for t in range(1, generations):
        spread = np.maximum(1 / members - 1 / count[t], 0.0) * (members < np.inf)
        handed = (1 - 1 / count[t]) * path[t - 1] + spread * (v - path[t - 1]) / (count[t - 1] + 1)
        path[t] = (1 - real[t]) ** 2 * handed + v / count[t]
    return path


def contaminated_limit(
    real_probability: ArrayLike, *, rows: ArrayLike, diversity: ArrayLike
) -> Array:
    r"""Error that a contaminated loop of constant size settles at.

    .. math:: R_\infty = \frac{V}{N - (N-1)(1-a)^2}

    Never below that of generation 0, V/N: contamination of constant strength is bounded damage,
    close to 1/(a(2-a)) times the initial error. At a = 0 the limit is V. Exact.

    Parameters
    ----------
    real_probability
        a in [0, 1].
    rows
        Rows N per generation, 1 or more.
    diversity
        V, positive and below 1.

    Returns
    -------
    ndarray
        Limit of the error, in (0, V].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived from the recursion of Bakshi and Chakraborty 2026, arXiv 2602.10531.

    Examples
    --------
    >>> round(float(contaminated_limit(0.1, rows=100, diversity=0.9)), 4)
    0.0454
    """
    left = (1 - real_chance(real_probability)) ** 2
    count = row_counts(rows)
    return plain(true_diversity(diversity) / (count - (count - 1) * left))


def contaminated_quasi_steady(
    real_probability: ArrayLike, *, rows: ArrayLike, diversity: ArrayLike
) -> Array:
    r"""Error that a slowly changing contaminated loop follows.

    .. math:: R_t \approx \frac{V}{2 a_t N_t + 1}

    Asymptotic: for a_t that is small, yet large beside 1/t, so that the loop forgets faster than
    its settings change. Where a_t N_t tends to a constant it is the floor that is left. Checked
    against the recursion.

    Parameters
    ----------
    real_probability
        a_t in [0, 1].
    rows
        N_t, 1 or more.
    diversity
        V, positive and below 1.

    Returns
    -------
    ndarray
        Approximate error, in (0, V].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived from the recursion of Bakshi and Chakraborty 2026, arXiv 2602.10531.

    Examples
    --------
    >>> round(float(contaminated_quasi_steady(0.01, rows=10_000, diversity=0.9)), 5)
    0.00448
    """
    useful = real_chance(real_probability) * row_counts(rows)
    return plain(true_diversity(diversity) / (2 * useful + 1))


def real_chance(value: ArrayLike) -> Array:
    """Return probabilities of a real row."""
    return share("real_probability", value, "pass the probability that a row is real")


def row_counts(value: ArrayLike) -> Array:
    """Return numbers of rows, 1 or more."""
    return at_least("rows", value, 1, "pass the number of rows per generation")


def true_diversity(value: ArrayLike) -> Array:
    """Return 1 - sum of squared probabilities, strictly between 0 and 1."""
    v = share("diversity", value, "pass 1 - sum of squared true probabilities")
    if np.any((v == 0) | (v == 1)):
        raise ValueError(
            f"diversity must lie strictly between 0 and 1, got {value!r}: it is 1 minus the sum of "
            "the squared true probabilities"
        )
    return v
