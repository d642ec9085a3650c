"""NumPy kernels on rows that are categories or counts: entropy, diversity, rare ones, support."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "category_counts",
    "category_entropy",
    "chance_of_difference",
    "relative_mass",
    "support_loss",
]

Floats = NDArray[np.float64]


def category_counts(x: ArrayLike, categories: ArrayLike) -> Floats:
    """Count rows of every category.

    Parameters
    ----------
    x : array_like, shape (…, obs)
        Values.
    categories : array_like, shape (category,)
        Distinct values, ascending.

    Returns
    -------
    ndarray, shape (…, category + 1)
        Counts; the last entry counts rows of no category of the list.

    Examples
    --------
    >>> category_counts([[0, 2, 2, 9]], [0, 1, 2]).tolist()
    [[1.0, 0.0, 2.0, 1.0]]
    """
    values, known = np.asarray(x), np.asarray(categories)
    place = np.minimum(np.searchsorted(known, values), known.size - 1)
    code = np.where(known[place] == values, place, known.size)
    flat = code.reshape(-1, code.shape[-1])
    width = known.size + 1
    offset = np.arange(flat.shape[0])[:, None] * width
    counts = np.bincount((flat + offset).ravel(), minlength=flat.shape[0] * width)
    return counts.reshape(*code.shape[:-1], width).astype(np.float64)


def category_entropy(counts: ArrayLike) -> Floats:
    r"""Entropy of a categorical variable from counts, with Miller's correction.

    .. math:: \hat H = -\sum_k \hat p_k \log \hat p_k + (K_{seen} - 1) / (2 m)

    Parameters
    ----------
    counts : array_like, shape (…, category)
        Counts.

    Returns
    -------
    ndarray
        Entropy in nats, 0 or more; 0 where all rows are alike.

    Notes
    -----
    The bias that is left is of order 1 / m squared where no category is rare, and negative where
    many categories have not been seen.

    References
    ----------
    .. [1] Paninski (2003), doi:10.1162/089976603321780272.

    Examples
    --------
    >>> float(category_entropy([7, 0, 0]))
    0.0
    """
    count = np.asarray(counts, dtype=np.float64)
    total = count.sum(axis=-1, keepdims=True)
    p = count / total
    logs = np.log(np.where(p > 0, p, 1.0))
    seen = (count > 0).sum(axis=-1)
    return np.asarray(-(p * logs).sum(axis=-1) + (seen - 1) / (2 * total[..., 0]))


def chance_of_difference(counts: ArrayLike) -> Floats:
    """Probability that two different rows fall into different categories (Simpson), unbiased.

    Parameters
    ----------
    counts : array_like, shape (…, category)
        Counts of at least 2 rows.

    Returns
    -------
    ndarray
        0 where all rows are alike, to 1. The inverse of one minus it is the effective number of
        categories.

    References
    ----------
    .. [1] Simpson (1949), doi:10.1038/163688a0.

    Examples
    --------
    >>> float(chance_of_difference([1, 1]))
    1.0
    """
    count = np.asarray(counts, dtype=np.float64)
    total = count.sum(axis=-1)
    return np.asarray(1 - (count * (count - 1)).sum(axis=-1) / (total * (total - 1)))


def relative_mass(counts: ArrayLike, p: ArrayLike, chosen: ArrayLike) -> Floats:
    """Mass of chosen categories, relative to their real mass.

    Parameters
    ----------
    counts : array_like, shape (…, category)
        Counts of emitted rows.
    p : array_like, shape (category,)
        Real probabilities.
    chosen : array_like of bool, shape (category,)
        Which categories.

    Returns
    -------
    ndarray
        0 or more, 1 where nothing has changed; missing where the chosen have no real mass.

    Examples
    --------
    >>> float(relative_mass([9, 1], [0.8, 0.2], [False, True]))
    0.5
    """
    count, real = np.asarray(counts, dtype=np.float64), np.asarray(p, dtype=np.float64)
    inside = np.asarray(chosen, dtype=bool)
    own = real[inside].sum()
    mass = count[..., inside].sum(axis=-1) / count.sum(axis=-1)
    return np.asarray(mass / own if own > 0 else np.full(mass.shape, np.nan))


def support_loss(counts: ArrayLike, real: ArrayLike) -> Floats:
    r"""Real mass of categories that were not emitted, beyond what chance leaves out.

    .. math:: \sum_k \frac{C_k}{N}
        \left[1(c_k = 0) - \binom{N - C_k}{m} \Big/ \binom{N - 1}{m}\right]

    The last term is the chance that m rows miss a category, estimated from the real rows without
    bias: that m of them, drawn without replacement, miss it beside one that has it.

    Parameters
    ----------
    counts : array_like, shape (…, category)
        Counts :math:`c_k` of m emitted rows.
    real : array_like, shape (category,)
        Counts :math:`C_k` of N real rows.

    Returns
    -------
    ndarray
        -1 to 1; its mean is exactly 0 for m independent rows of the law of the real rows, if m is
        below N.

    Notes
    -----
    Where m is N or more there is no such estimate. The chance is then that of the observed shares,
    :math:`(1 - C_k / N)^m`, which is too low for rare categories: with N = m = 50, and 20
    categories of .005 each beside three common ones, the mean is .045 instead of 0.

    References
    ----------
    .. [1] Good (1953), doi:10.1093/biomet/40.3-4.237.

    Examples
    --------
    >>> float(support_loss([4, 0], [5, 5]).round(3))
    0.46
    """
    count, own = np.asarray(counts, dtype=np.float64), np.asarray(real, dtype=np.float64)
    rows, total = count.sum(axis=-1, keepdims=True), own.sum()
    missed = np.where(rows < total, _missed(own, total, rows), (1 - own / total) ** rows)
    return np.asarray((own / total * ((count == 0) - missed)).sum(axis=-1))


def _missed(own: Floats, total: float, rows: Floats) -> Floats:
    """Ways to draw rows from the others than a category's, over those from all but one row."""
    from scipy.special import gammaln

    others = total - own
    left = others - rows
    possible = (left >= 0) & (own > 0)
    logs = (
        gammaln(others + 1)
        - gammaln(np.where(possible, left, 0) + 1)
        - gammaln(total)
        + gammaln(np.maximum(total - rows, 1))
    )
    return np.where(possible, np.exp(np.where(possible, logs, 0.0)), 0.0)
