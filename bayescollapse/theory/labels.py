"""Labels checked by a verifier that errs."""

import numpy as np
from numpy.typing import ArrayLike

from bayescollapse.theory._inputs import Array, plain, positive, share

__all__ = ["kept_label_error", "kept_share", "label_error_breakdown"]


def kept_share(label_error: ArrayLike, *, keep_correct: ArrayLike, keep_wrong: ArrayLike) -> Array:
    """Share of labelled rows that a noisy verifier keeps.

    p psi + (1 - p) phi, with p the share of wrong labels, phi and psi the probabilities of keeping
    a right and a wrong one. Exact.

    Parameters
    ----------
    label_error
        Share of wrong labels among emitted rows, in [0, 1].
    keep_correct, keep_wrong
        Probabilities of keeping a row with a right and a wrong label, in [0, 1].

    Returns
    -------
    ndarray
        Share of rows kept, in [0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Setting of Feng et al. 2025, arXiv 2406.07515.

    Examples
    --------
    >>> round(float(kept_share(0.3, keep_correct=0.8, keep_wrong=0.4)), 4)
    0.68
    """
    error, right, wrong = _rates(label_error, keep_correct, keep_wrong)
    return plain(error * wrong + (1 - error) * right)


def kept_label_error(
    label_error: ArrayLike, *, keep_correct: ArrayLike, keep_wrong: ArrayLike
) -> Array:
    r"""Share of wrong labels among the rows that a noisy verifier keeps.

    .. math:: \frac{p \psi}{p \psi + (1-p) \phi}

    Exact; below 1/2 exactly where p is below `label_error_breakdown`. A learner that recovers the
    majority label then jumps from the best to the worst accuracy there.

    Parameters
    ----------
    label_error
        Share of wrong labels among emitted rows, in [0, 1].
    keep_correct, keep_wrong
        Probabilities of keeping a row with a right and a wrong label, in [0, 1].

    Returns
    -------
    ndarray
        Share of wrong labels, in [0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range or no row would be kept.

    References
    ----------
    Setting of Feng et al. 2025, arXiv 2406.07515; derived for this library.

    Examples
    --------
    >>> round(float(kept_label_error(0.57, keep_correct=0.8, keep_wrong=0.4)), 4)
    0.3986
    """
    error, right, wrong = _rates(label_error, keep_correct, keep_wrong)
    bad, good = error * wrong, (1 - error) * right
    if np.any(bad + good == 0):
        raise ValueError(
            "keep_correct and keep_wrong must let some rows pass, got a kept share of 0: raise the "
            "probability of keeping the labels that occur"
        )
    return plain(bad / (bad + good))


def label_error_breakdown(*, keep_correct: ArrayLike, keep_wrong: ArrayLike) -> Array:
    r"""Share of wrong labels at which a verifier stops helping to find the right one.

    .. math:: p^* = \frac{\phi}{\phi + \psi}

    1/2 without verification, 1 for a verifier that lets no wrong label pass. Exact.

    Parameters
    ----------
    keep_correct
        Probability of keeping a row with a right label, in (0, 1].
    keep_wrong
        Probability of keeping a row with a wrong label, in [0, 1].

    Returns
    -------
    ndarray
        Share of wrong labels, in (0, 1].

    Raises
    ------
    ValueError
        If an argument is outside its range.

    References
    ----------
    Feng et al. 2025, arXiv 2406.07515; derived again for this library.

    Examples
    --------
    >>> round(float(label_error_breakdown(keep_correct=0.8, keep_wrong=0.4)), 4)
    0.6667
    """
    _, right, wrong = _rates(0.5, keep_correct, keep_wrong)
    right = positive("keep_correct", right, "a verifier must keep some right labels")
    return plain(right / (right + wrong))


def _rates(
    label_error: ArrayLike, keep_correct: ArrayLike, keep_wrong: ArrayLike
) -> tuple[Array, Array, Array]:
    return (
        share("label_error", label_error, "pass the share of wrong labels"),
        share("keep_correct", keep_correct, "pass the probability of keeping a right label"),
        share("keep_wrong", keep_wrong, "pass the probability of keeping a wrong label"),
    )
