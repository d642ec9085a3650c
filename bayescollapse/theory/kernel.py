"""Kernel density estimates that are fitted to rows of earlier estimates.

A Gaussian kernel of bandwidth h adds h^2 to the variance of every row it emits. How much a row has
gathered depends on its age: how many times it was emitted since it was real.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import (
    Array,
    at_least,
    generation_index,
    plain,
    positive,
    share,
    whole,
)

__all__ = ["KernelVariance", "kernel_variance", "kernel_within_variance", "row_ages"]


class KernelVariance(NamedTuple):
    """Variance of the rows a kernel estimate is fitted to and of the density it gives."""

    rows: Array
    density: Array


def kernel_variance(
    t: ArrayLike,
    *,
    bandwidth: ArrayLike,
    variance: ArrayLike = 1.0,
    real_share: ArrayLike = 0.0,
    memory: str = "last",
) -> KernelVariance:
    r"""Variance of the rows and of the density of generation t, around the true mean.

    =======  =======================================  ========================================
    memory   rows                                     meaning
    =======  =======================================  ========================================
    "last"   s2 + h^2 (1-w)(1 - (1-w)^t)/w            fresh real rows with share w and rows of
             (s2 + t h^2 at w = 0)                    the generation before
    "all"    s2 + h^2 (H_{t+1} - 1)                   every batch is kept, real rows once
    =======  =======================================  ========================================

    with H the harmonic numbers; the density has h^2 more: s2 + h^2 (1 - (1-w)^(t+1))/w, with limit
    s2 + h^2/w, for "last". Exact for a row drawn at random over lineages, at any number of rows.
    One lineage shows less, `kernel_within_variance`.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    bandwidth
        Standard deviation h of the kernel, 0 or more, in the units of the rows.
    variance
        Variance of a real row, positive.
    real_share
        Share w of the total weight on fresh real rows, in [0, 1]; "last" only.
    memory
        "last" or "all".

    Returns
    -------
    KernelVariance
        `rows` and `density`, in the units of `variance`.

    Raises
    ------
    ValueError
        If an argument is outside its range, or "all" comes with a real share.

    References
    ----------
    Scheme with real rows: Khelifa, Turner and Venkataramanan 2026, arXiv 2602.16601; the variances
    were derived for this library and simulated.

    Examples
    --------
    >>> found = kernel_variance([0, 1, 6], bandwidth=0.5, real_share=0.3)
    >>> found.density.round(4).tolist()
    [1.25, 1.425, 1.7647]
    >>> kernel_variance(6, bandwidth=0.5).rows.round(4).tolist()
    2.5
    """
    index = generation_index(t)
    h2 = at_least("bandwidth", bandwidth, 0, "pass the standard deviation of the kernel") ** 2
    s2 = positive("variance", variance, "pass the variance of one real row")
    w = share("real_share", real_share)
    if _memory(memory, w) == "all":
        steps = np.arange(1, int(index.max(initial=0)) + 1)
        age = np.concatenate([[0.0], np.cumsum(1 / (steps + 1.0))])[index]
    else:
        kept = (1 - w) ** index
        age = np.where(w > 0, (1 - w) * (1 - kept) / np.where(w > 0, w, 1.0), index)
    return KernelVariance(plain(s2 + h2 * age), plain(s2 + h2 * (age + 1)))


def kernel_within_variance(
    t: ArrayLike, *, n: ArrayLike, bandwidth: ArrayLike, variance: ArrayLike = 1.0
) -> Array:
    r"""Variance of the rows within one lineage that sees only the generation before.

    .. math:: E\,\widehat{\mathrm{var}}_t = r^{t+1} s_2 + (n-1) h^2 (1 - r^t), \qquad r = 1 - 1/n

    the mean squared distance of a generation's n rows to their own mean (divisor n), expected over
    lineages. The rest of `kernel_variance` is the mean that walks. The limit is (n-1) h^2: the
    kernel keeps a lineage from collapsing. With h = 0 this is resampling. Exact.

    Parameters
    ----------
    t
        Generation, whole, 0 or more.
    n
        Rows per generation, 1 or more.
    bandwidth
        Standard deviation h of the kernel, 0 or more, in the units of the rows.
    variance
        Variance of a real row, positive.

    Returns
    -------
    ndarray
        Variance in the units of `variance`.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Derived for this library and simulated.

    Examples
    --------
    >>> kernel_within_variance([0, 10, 1000], n=20, bandwidth=0.1).round(4).tolist()
    [0.95, 0.645, 0.19]
    """
    index = generation_index(t)
    rows = at_least("n", n, 1, "pass the number of rows per generation")
    h2 = at_least("bandwidth", bandwidth, 0, "pass the standard deviation of the kernel") ** 2
    s2 = positive("variance", variance, "pass the variance of one real row")
    kept = 1 - 1 / rows
    return plain(kept ** (index + 1) * s2 + (rows - 1) * h2 * (1 - kept**index))


def row_ages(generations: int, *, real_share: float = 0.0, memory: str = "last") -> Array:
    r"""Probability that a row used by generation t was emitted j times since it was real.

    .. math:: q_t(j) = w\, 1[j = 0] + (1-w)\, q_{t-1}(j-1)
        \quad\text{or}\quad q_t(j) = \frac{t\, q_{t-1}(j) + q_{t-1}(j-1)}{t+1}

    for memory "last" (geometric with rate w, cut off at t) and "all" (as the number of records
    among t + 1, less one). Exact for any model that emits independent rows.

    Parameters
    ----------
    generations
        How many generations to return, numbered from 0; 1 or more.
    real_share
        Share w of the total weight on fresh real rows, one number in [0, 1]; "last" only.
    memory
        "last" or "all".

    Returns
    -------
    ndarray, shape (generations, generations)
        Entry [t, j]; each row adds up to 1.

    Raises
    ------
    ValueError
        If an argument is outside its range, or "all" comes with a real share.

    References
    ----------
    Derived for this library.

    Examples
    --------
    >>> row_ages(3, real_share=0.5).tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.25, 0.25]]
    """
    count = whole("generations", generations, 1, "pass how many generations to follow")
    w = share("real_share", real_share)
    if w.ndim > 0:
        raise ValueError(f"real_share must be one number, got shape {w.shape}: call once per share")
    pooled = _memory(memory, w) == "all"
    ages = np.zeros((count, count))
    ages[0, 0] = 1.0
    for t in range(1, count):
        older = np.concatenate([[0.0], ages[t - 1, :-1]])
        if pooled:
            ages[t] = (t * ages[t - 1] + older) / (t + 1)
        else:
            ages[t] = (1 - w) * older
            ages[t, 0] = w
    return ages


def _memory(memory: str, real_share: Array) -> str:
    if memory not in ("last", "all"):
        raise ValueError(
            f'memory must be "last" or "all", got {memory!r}: name which synthetic batches stay'
        )
    if memory == "all" and np.any(real_share != 0):
        raise ValueError(
            f'real_share must be 0 with memory "all", got {np.max(real_share):g}: there real rows '
            "are pooled with every batch, and their share is 1/(t+1)"
        )
    return memory
