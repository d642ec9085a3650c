"""Papers that edit, drop or weigh synthetic rows by what a model says of them."""

from __future__ import annotations

from typing import Any

from bayescollapse.schemes.density_ratio import DensityRatio
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build, plug_in
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.edit import TokenEdit
from bayescollapse.schemes.selection.truncation import Truncation

__all__ = ["density_ratio_weighted", "fortifai", "toedit"]


def toedit(
    *,
    confidence: float | None = None,
    quantile: float | None = None,
    share: float | None = None,
    mask: str = "fixed",
    shrink: float = 1.0,
) -> Scheme:
    """Loop of ToEdit: keep the text, replace the tokens of which the model is sure.

    The paper found that editing few tokens of real rows, instead of generating rows anew, keeps the
    error bounded over generations.

    Parameters
    ----------
    confidence : float, optional
        Replace rows of at least this probability; 0.99 if nothing is given.
    quantile, share, mask, shrink
        Other masks, see :class:`~bayescollapse.schemes.selection.edit.TokenEdit`.

    Notes
    -----
    Law: :func:`bayescollapse.theory.regression_replace_error` where every row is replaced
    (``share=1``); nothing changes where none is. The bound of two units that the paper states does
    not hold for every sequence of masks.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.toedit()
    Scheme(supply='none', selection=TokenEdit(confidence=0.99), emission='plug-in')
    """
    return build(
        "toedit",
        papers.TOEDIT,
        {},
        supply="none",
        selection=TokenEdit(confidence, quantile, share, mask, shrink),
        emission=plug_in(),
    )


def fortifai(
    *, threshold: float | None = None, quantile: float | None = None, point: str = "mean"
) -> Scheme:
    """Loop of ForTIFAI: rows of high probability under the emitting model do not count.

    The paper found that a loss which ignores tokens that the model predicts with high confidence
    delays collapse.

    Parameters
    ----------
    threshold : float, optional
        Highest probability that counts, for discrete rows; 0.8, the authors' default, if neither is
        given.
    quantile : float, optional
        Share of the rows that counts, for continuous rows.
    point : str
        Estimate that emits rows.

    Notes
    -----
    Law: :func:`bayescollapse.theory.truncated_moments` gives the growth of a Gaussian mean's error,
    for many rows; ``threshold=1`` keeps all rows. Which rows count is decided once, by the
    generation that emitted them.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.fortifai()
    Scheme(supply='none', selection=Truncation(threshold=0.8), emission='plug-in')
    """
    if threshold is None and quantile is None:
        threshold = 0.8
    return build(
        "fortifai",
        papers.FORTIFAI,
        {},
        supply="none",
        selection=Truncation(threshold, quantile),
        emission=plug_in(point),
    )


def density_ratio_weighted(
    *, supply: str = "fresh", memory: Any = "last", emission: Any = "joint", **settings: Any
) -> Scheme:
    """Weigh synthetic rows by how much more likely they are among real rows.

    The paper found that text models trained on their own samples with estimated density ratios as
    weights generate better than those trained by maximum likelihood alone; read here as a
    weighting.

    Parameters
    ----------
    supply : {"fresh", "fixed", "stream"}
        Real rows, which it needs.
    memory, emission
        Other axes of :class:`Scheme`.
    **settings
        ``classifier``, ``degree``, ``clip`` and others of
        :class:`~bayescollapse.schemes.density_ratio.DensityRatio`.

    Notes
    -----
    No law: the classifier has none. It needs scikit-learn.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.density_ratio_weighted(clip=5.0).weighting
    DensityRatio(clip=5.0)
    """
    return build(
        "density_ratio_weighted",
        papers.SONG,
        {"memory": memory, "emission": emission},
        supply=supply,
        weighting=DensityRatio(**settings),
    )
