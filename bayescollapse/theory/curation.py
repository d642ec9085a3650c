"""Rows chosen among several by a reward, and labels checked by a verifier that errs.

In Bradley-Terry curation K rows are drawn from the current distribution and one of them is kept,
with probability proportional to e^reward. The kept rows train the next generation; here the
population is followed, without sampling error.
"""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, at_least, finite, share, whole
from bayescollapse.theory.categorical import probability_vector

__all__ = [
    "curated_population",
    "curation_factor",
    "tilted_population",
]

_STEP = 0.2
_BLOCK = 200_000


def curation_factor(probabilities: ArrayLike, *, rewards: ArrayLike, choices: ArrayLike) -> Array:
    r"""Factor by which one round of curation among K multiplies the probability of each state.

    .. math:: H(x) = E\left[\frac{K e^{r(x)}}{e^{r(x)} + \sum_{i<K} e^{r(X_i)}}\right]
        = K e^{r(x)} \int_0^\infty e^{-u e^{r(x)}}
          \left(\sum_y p(y) e^{-u e^{r(y)}}\right)^{K-1} du

    with K - 1 competitors X_i drawn from p; it lies in (0, K) and has mean 1 under p. Exact: the
    integral by the trapezoidal rule in log u, to rounding error. Checked by enumeration.

    Parameters
    ----------
    probabilities
        Current probabilities, adding up to 1 over the last axis, shape (..., states).
    rewards
        r of each state, finite, shape (..., states); only differences matter.
    choices
        K, 1 or more, broadcasting with the leading axes; 1 is no curation.

    Returns
    -------
    ndarray, shape (..., states)
        Factor H, no unit.

    Raises
    ------
    ValueError
        If an argument is outside its range or a shape does not fit.

    References
    ----------
    Ferbach et al. 2024, arXiv 2407.09499; the integral was derived for this library.

    Examples
    --------
    >>> import numpy as np
    >>> factor = curation_factor([0.5, 0.5], rewards=[0.0, np.log(3.0)], choices=2)
    >>> [round(float(value), 4) for value in factor]
    [0.75, 1.25]
    """
    p, scores, count = curation_inputs(probabilities, rewards, choices)
    worth = np.exp(scores - scores.max(axis=-1, keepdims=True))
    # Below and above these ends less than exp(-40) of the integral is left.
    low = -40.0 - np.log(count.max())
    high = np.log(50.0) - np.log(worth.min())
    shape = np.broadcast_shapes(p.shape, scores.shape, (*count.shape, 1))
    points = np.exp(np.arange(low, high, _STEP)).reshape(-1, *(1,) * len(shape))
    block = max(1, _BLOCK // int(np.prod(shape)))
    factor = np.zeros(shape)
    for start in range(0, len(points), block):
        u = points[start : start + block]
        passed = np.exp(-u * worth)
        rivals = np.sum(p * passed, axis=-1, keepdims=True) ** (count[..., None] - 1)
        factor += np.sum(u * passed * rivals, axis=0)
    return np.asarray(_STEP * count[..., None] * worth * factor)


def curated_population(
    generations: int,
    *,
    probabilities: ArrayLike,
    rewards: ArrayLike,
    choices: ArrayLike,
    real_share: ArrayLike = 0.0,
    reference: ArrayLike | None = None,
) -> Array:
    r"""Probabilities of each generation that learns from its predecessor's curated rows.

    .. math:: p_{t+1}(x) = w\, p_{ref}(x) + (1-w)\, p_t(x) H_t(x)

    with H_t of `curation_factor`. Without real rows p_t ends on the states of highest reward
    (`curation_limit`). Exact for the population, that is for endless rows; renormalised each
    generation, as rounding errors would grow about K-fold.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    probabilities
        p_0, adding up to 1 over the last axis, shape (..., states).
    rewards
        As in `curation_factor`.
    choices
        K, 1 or more.
    real_share
        w in [0, 1], the share of rows of the reference. Odds o of curated to reference rows are
        w = 1/(1+o).
    reference
        p_ref, shape of `probabilities`; None is p_0.

    Returns
    -------
    ndarray, shape (generations, ..., states)
        Probabilities.

    Raises
    ------
    ValueError
        If an argument is outside its range or a shape does not fit.

    References
    ----------
    Ferbach et al. 2024, arXiv 2407.09499.

    Examples
    --------
    >>> path = curated_population(
    ...     3, probabilities=[0.5, 0.5], rewards=[0.0, 1.0986122886681098], choices=2)
    >>> [round(float(value), 4) for value in path[:, 1]]
    [0.5, 0.625, 0.7422]
    """
    whole("generations", generations, 1, "pass how many generations to follow")
    p, scores, count = curation_inputs(probabilities, rewards, choices)
    mixed = share("real_share", real_share)[..., None]
    kept = p if reference is None else probability_vector("reference", reference)
    shape = np.broadcast_shapes(p.shape, scores.shape, kept.shape, (*count.shape, 1), mixed.shape)
    path = np.empty((generations, *shape))
    path[0] = p
    for t in range(1, generations):
        factor = curation_factor(path[t - 1], rewards=scores, choices=count)
        step = mixed * kept + (1 - mixed) * path[t - 1] * factor
        path[t] = step / step.sum(axis=-1, keepdims=True)
    return path


def tilted_population(t: ArrayLike, *, probabilities: ArrayLike, rewards: ArrayLike) -> Array:
    r"""Probabilities after t rounds of curation among very many, without real rows.

    .. math:: p_t(x) \propto p_0(x) e^{t r(x)}

    Asymptotic: the limit of many choices K. A Gaussian N(0, s2) with reward -x^2/(2 g^2) becomes
    N(0, 1/(1/s2 + t/g^2)).

    Parameters
    ----------
    t
        Generation, 0 or more; broadcasts with the leading axes.
    probabilities
        p_0, adding up to 1 over the last axis, shape (..., states).
    rewards
        r of each state, finite, shape (..., states).

    Returns
    -------
    ndarray, shape (..., states)
        Probabilities.

    Raises
    ------
    ValueError
        If an argument is outside its range or a shape does not fit.

    References
    ----------
    Ferbach et al. 2024, arXiv 2407.09499.

    Examples
    --------
    >>> tilted_population(2, probabilities=[0.5, 0.5], rewards=[0.0, 0.6931471805599453]).round(4)
    array([0.2, 0.8])
    """
    index = at_least("t", t, 0, "generations are numbered 0, 1, 2, and so on")[..., None]
    p, scores, _ = curation_inputs(probabilities, rewards, 1)
    tilted = p * np.exp(index * (scores - scores.max(axis=-1, keepdims=True)))
    return np.asarray(tilted / tilted.sum(axis=-1, keepdims=True))


def curation_inputs(
    probabilities: ArrayLike, rewards: ArrayLike, choices: ArrayLike
) -> tuple[Array, Array, Array]:
    """Return checked probabilities, rewards and numbers of choices."""
    p = probability_vector("probabilities", probabilities)
    scores = finite("rewards", rewards, "pass one reward per state")
    if scores.ndim == 0 or scores.shape[-1] != p.shape[-1]:
        raise ValueError(
            f"rewards must have {p.shape[-1]} states on the last axis, got shape {scores.shape}: "
            "pass one reward per state"
        )
    count = at_least("choices", choices, 1, "pass among how many rows the reward chooses")
    return p, scores, count
