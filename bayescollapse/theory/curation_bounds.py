"""Where curation ends, and bounds on what it gains and on how far it strays."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, at_least, plain, share
from bayescollapse.theory.curation import curation_inputs

__all__ = ["curation_divergence_bound", "curation_gain_bound", "curation_limit"]


def curation_limit(probabilities: ArrayLike, *, rewards: ArrayLike) -> Array:
    """Probabilities that endless curation without real rows ends at.

    p_0 restricted to the states of highest reward among those it gives mass to. Exact limit for
    any K of 2 or more.

    Parameters
    ----------
    probabilities
        p_0, adding up to 1 over the last axis, shape (..., states).
    rewards
        r of each state, finite, shape (..., states). Equal floating-point numbers are ties.

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
    >>> curation_limit([0.6, 0.3, 0.1], rewards=[0.0, 2.0, 2.0]).round(4)
    array([0.  , 0.75, 0.25])
    """
    p, scores, _ = curation_inputs(probabilities, rewards, 1)
    best = np.where(p > 0, scores, -np.inf).max(axis=-1, keepdims=True)
    kept = np.where(scores == best, p, 0.0)
    return np.asarray(kept / kept.sum(axis=-1, keepdims=True))


def curation_gain_bound(
    probabilities: ArrayLike,
    *,
    rewards: ArrayLike,
    choices: ArrayLike,
    real_share: ArrayLike = 0.0,
) -> Array:
    r"""Least rise of E[e^r] by curation.

    .. math:: \frac{K-1}{K}\,\frac{\mathrm{Var}(e^r)}{e^{r^*}}\, f, \qquad
        f = 1 \text{ for } w = 0, \quad f = w^2 (1-w) \text{ for } w > 0

    Without real rows it bounds the rise in one generation from p. With a share w of rows of the
    reference p it bounds the rise over the reference in every generation from 1 on, for a loop
    that starts at the reference. An exact inequality, checked on random populations.

    Parameters
    ----------
    probabilities
        p, adding up to 1 over the last axis, shape (..., states).
    rewards
        r of each state, finite, shape (..., states).
    choices
        K, 1 or more.
    real_share
        w in [0, 1].

    Returns
    -------
    ndarray
        Bound in the units of e^r, 0 or more.

    Raises
    ------
    ValueError
        If an argument is outside its range or a shape does not fit.

    References
    ----------
    Ferbach et al. 2024, arXiv 2407.09499.

    Examples
    --------
    >>> import numpy as np
    >>> bound = curation_gain_bound([0.5, 0.5], rewards=[0.0, np.log(3.0)], choices=2)
    >>> round(float(bound), 4)
    0.1667
    """
    p, scores, count = curation_inputs(probabilities, rewards, choices)
    w = share("real_share", real_share)
    worth = np.exp(scores)
    mean = np.sum(p * worth, axis=-1)
    spread = np.sum(p * (worth - mean[..., None]) ** 2, axis=-1)
    factor = np.where(w > 0, w**2 * (1 - w), 1.0)
    return plain((count - 1) / count * spread / worth.max(axis=-1) * factor)


def curation_divergence_bound(real_share: ArrayLike, *, choices: ArrayLike) -> Array:
    r"""Bound on the divergence from the reference that curation with real rows can reach.

    .. math:: \mathrm{KL}(p_t \| p_{ref}) \le -\log(1 - o (K-1)), \qquad o = \frac{1-w}{w}

    for a loop that starts at the reference; infinite unless o < 1/(K-1). An exact inequality: the
    density ratio p_t/p_ref itself is bounded by 1/(1 - o(K-1)).

    Parameters
    ----------
    real_share
        Share w of rows of the reference, in [0, 1].
    choices
        K, 1 or more.

    Returns
    -------
    ndarray
        Bound in nats, in [0, inf].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Ferbach et al. 2024, arXiv 2407.09499; derived again for this library.

    Examples
    --------
    >>> round(float(curation_divergence_bound(0.75, choices=3)), 4)
    1.0986
    >>> float(curation_divergence_bound(0.5, choices=3))
    inf
    """
    w = share("real_share", real_share)
    count = at_least("choices", choices, 1, "pass among how many rows the reward chooses")
    # 1 - o(K-1) = (1 - (1-w) K)/w, written so that w = 0 needs no special case.
    room = 1 - (1 - w) * count
    bounded = room > 0
    ratio = np.where(bounded, w, 1.0) / np.where(bounded, room, 1.0)
    return plain(np.where(bounded, np.log(ratio), np.where(count == 1, 0.0, np.inf)))
