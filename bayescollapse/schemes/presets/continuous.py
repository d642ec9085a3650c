"""Papers on Gaussians and regression without real rows after the first ones, or with few."""

from __future__ import annotations

from bayescollapse._checks import share as check_share
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build, plug_in
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.predictive import unit_interval
from bayescollapse.schemes.weighting import Weighting

__all__ = ["dohmatob_feng_kempe", "dohmatob_strong_collapse", "shumailov"]


def shumailov(*, original_share: float = 0.0, point: str = "mean") -> Scheme:
    """Loop of Shumailov et al.: each generation learns from the last one's rows.

    The paper found that tails vanish first and then the variance, while the distance to the truth
    grows without bound; a tenth of the original rows slows this.

    Parameters
    ----------
    original_share : float
        Share of the total weight on the original real rows; 0.1 in the paper's language models.
    point : str
        Estimate that emits rows; ``unbiased`` is the paper's, where the family has it.

    Notes
    -----
    Law: :func:`bayescollapse.theory.wasserstein_error` (``unbiased``, no original rows),
    :func:`~bayescollapse.theory.fixed_supply_error` (Gaussian mean, original rows).

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.shumailov(point="unbiased")
    Scheme(supply='none', emission='plug-in(unbiased)')
    >>> bc.schemes.shumailov(original_share=0.1).supply
    'fixed'
    """
    kept = check_share("original_share", original_share)
    return build(
        "shumailov",
        papers.SHUMAILOV,
        {},
        supply="fixed" if kept else "none",
        weighting=Weighting(kept or "pooled"),
        emission=plug_in(point),
    )


def dohmatob_feng_kempe() -> Scheme:
    """Loop of Dohmatob, Feng and Kempe: labels of the last fit at new covariates.

    The paper found that the error of regression grows linearly with the generations, and that the
    best ridge penalty for real rows is not the best for synthetic ones.

    Notes
    -----
    Law: :func:`bayescollapse.theory.fresh_design_error`,
    :func:`~bayescollapse.theory.min_norm_error` (fewer rows than features). Counts: as many
    synthetic as real rows.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.dohmatob_feng_kempe()
    Scheme(supply='none', emission='plug-in', covariates='source')
    """
    return build(
        "dohmatob_feng_kempe",
        papers.DOHMATOB_FENG_KEMPE,
        {},
        supply="none",
        emission=plug_in(),
        covariates="source",
    )


def dohmatob_strong_collapse(synthetic_share: float = 0.2) -> Scheme:
    """Loop of Dohmatob et al., "Strong model collapse": one fit with a share of synthetic rows.

    The paper found that even a small constant share of synthetic rows leaves an error that no
    number of rows removes.

    Parameters
    ----------
    synthetic_share : float
        Share of the total weight on rows of the generation before, in [0, 1].

    Notes
    -----
    Law: :func:`bayescollapse.theory.mixture_bias`, for many rows. Counts: two generations, a small
    first one, whose error is the offset, and a large second one.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.dohmatob_strong_collapse(0.25).weighting
    Weighting(real_share=0.75)
    """
    mixed = unit_interval(
        "synthetic_share", synthetic_share, "the share of the total weight on synthetic rows"
    )
    return build(
        "dohmatob_strong_collapse",
        papers.DOHMATOB_STRONG,
        {},
        weighting=Weighting(1 - mixed),
        emission=plug_in(),
    )
