"""Papers on the real share: fresh or fixed real rows mixed with the last synthetic batch."""

from __future__ import annotations

from bayescollapse._checks import real_number
from bayescollapse.schedules import Schedule
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build, plug_in
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.predictive import unit_interval
from bayescollapse.schemes.weighting import Weighting

__all__ = [
    "alemohammad",
    "bertrand",
    "borkar",
    "garg_bhattacharya_sur",
    "he_xu_cheng",
    "jain_montanari_sasoglu",
    "khelifa_turner_venkataramanan",
]

LOOPS = {"synthetic": "none", "fixed": "fixed", "fresh": "fresh"}


def he_xu_cheng(real_share: Schedule | str = "optimal") -> Scheme:
    """Loop of He, Xu and Cheng: fresh real rows, the last synthetic batch, plug-in emission.

    The paper finds that the best real share is the inverse golden ratio when real and synthetic
    rows are equally many, and that pooling is inferior.

    Parameters
    ----------
    real_share : number, schedule, "optimal" or "pooled"
        Share of the total weight on real rows.

    Notes
    -----
    Law: :func:`bayescollapse.theory.mean_risk`, :func:`~bayescollapse.theory.optimal_share`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.he_xu_cheng(0.618).citation
    'He, Xu and Cheng (2025), arXiv:2502.18049'
    """
    return build(
        "he_xu_cheng",
        papers.HE_XU_CHENG,
        {},
        weighting=Weighting(real_share),
        emission=plug_in(),
    )


def garg_bhattacharya_sur(real_share: Schedule | str = "optimal by generation") -> Scheme:
    """Loop of Garg, Bhattacharya and Sur: fresh labels on one design, the best share each time.

    The paper found that for least-norm and ridge regression on a fixed design with as many real as
    synthetic labels the best share is a ratio of Fibonacci numbers that tends to the inverse golden
    ratio.

    Parameters
    ----------
    real_share : number, schedule, "optimal", "optimal by generation" or "pooled"
        Share of the total weight on real labels.

    Notes
    -----
    Law: :func:`bayescollapse.theory.ridge_law`, :func:`~bayescollapse.theory.optimal_schedule`.
    Counts: as many synthetic as real rows; the source has a fixed design. The two labels of a row
    of the design are averaged, so the total weight is that of the real rows; it matters to ridge
    penalties.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.garg_bhattacharya_sur(0.618).covariates
    'fixed'
    """
    return build(
        "garg_bhattacharya_sur",
        papers.GARG,
        {},
        weighting=Weighting(real_share, "real"),
        emission=plug_in(),
        covariates="fixed",
    )


def alemohammad(loop: str = "fresh", *, sampling_bias: float = 1.0, point: str = "mean") -> Scheme:
    """Loops of Alemohammad et al. ("MAD"): no real rows, the same ones, or fresh ones.

    The paper found that without enough fresh real rows each generation loses quality or diversity,
    and that drawing rows too close to their mean keeps quality and loses diversity faster.

    Parameters
    ----------
    loop : {"fresh", "fixed", "synthetic"}
        Fresh real rows each generation, the first ones for ever, or none after generation 0.
    sampling_bias : float
        Factor on the covariance of emitted rows, in (0, 1].
    point : str
        Estimate that emits rows; ``unbiased`` is the paper's, where the family has it.

    Notes
    -----
    Law: :func:`bayescollapse.theory.narrowed_variance` (no real rows),
    :func:`~bayescollapse.theory.narrowed_gaussian_law` (fresh),
    :func:`~bayescollapse.theory.fixed_supply_error` (fixed, no sampling bias).

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.alemohammad("fresh", sampling_bias=0.8)
    Scheme(supply='fresh', emission='plug-in(sampling_bias=0.8)')
    """
    if loop not in LOOPS:
        raise ValueError(f"loop must be one of {tuple(LOOPS)}, got {loop!r}")
    return build(
        "alemohammad",
        papers.ALEMOHAMMAD,
        {},
        supply=LOOPS[loop],
        emission=plug_in(point, sampling_bias=sampling_bias),
    )


def bertrand(synthetic_per_real: float = 1.0) -> Scheme:
    """Loop of Bertrand et al.: the same real rows for ever, the last synthetic batch.

    The paper found that retraining is stable if the first model is good enough and the synthetic
    rows' weight is small beside that of the real ones.

    Parameters
    ----------
    synthetic_per_real : float
        Weight of all synthetic rows per weight of all real rows, 0 or more; the real share is
        1 / (1 + synthetic_per_real).

    Notes
    -----
    Law: :func:`bayescollapse.theory.fixed_supply_error`; the mean of a Gaussian is stable at any
    ratio.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.bertrand(0.25).weighting
    Weighting(real_share=0.8)
    """
    if real_number("synthetic_per_real", synthetic_per_real) < 0:
        raise ValueError(f"synthetic_per_real must be 0 or more, got {synthetic_per_real!r}")
    return build(
        "bertrand",
        papers.BERTRAND,
        {},
        supply="fixed",
        weighting=Weighting(1 / (1 + float(synthetic_per_real))),
        emission=plug_in(),
    )


def khelifa_turner_venkataramanan(real_share: Schedule = 0.3) -> Scheme:
    """Loop of Khelifa, Turner and Venkataramanan: a fraction of fresh real rows each generation.

    The paper found that for diffusion models with a fraction of real rows the errors of a
    generation fade geometrically, so that the sum over generations stays bounded.

    Parameters
    ----------
    real_share : number or schedule
        Share of the total weight on real rows, 0 to 1.

    Notes
    -----
    Law: :func:`bayescollapse.theory.kernel_variance`, for kernel density estimates, in which the
    ages of kernels are geometric.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.khelifa_turner_venkataramanan(0.3).weighting
    Weighting(real_share=0.3)
    """
    return build(
        "khelifa_turner_venkataramanan",
        papers.KHELIFA,
        {},
        weighting=Weighting(real_share),
        emission=plug_in(),
    )


def borkar(real_share: Schedule = 0.1) -> Scheme:
    """Loop of Borkar: an external source adds some real rows each generation.

    The paper found that with a persistent external source the loop degenerates, but does not
    collapse.

    Parameters
    ----------
    real_share : number or schedule
        Share of the total weight on real rows, 0 to 1.

    Notes
    -----
    Law: :func:`bayescollapse.theory.limit_risk`, for a Gaussian mean: bounded, above the error of
    the real rows alone where the share is small.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.borkar(0.1).supply
    'fresh'
    """
    return build("borkar", papers.BORKAR, {}, weighting=Weighting(real_share), emission=plug_in())


def jain_montanari_sasoglu(surrogate_share: float = 0.2) -> Scheme:
    """Loop of Jain, Montanari and Sasoglu: real rows and a share of surrogate ones, in one round.

    The paper found that some weight on surrogate rows beats none, even where they come from an
    unrelated distribution.

    Parameters
    ----------
    surrogate_share : float
        Share of the total weight on surrogate rows, in [0, 1].

    Notes
    -----
    Law: :func:`bayescollapse.theory.mean_risk` at generation 1, for a surrogate that an earlier fit
    emitted. Counts: two generations.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.jain_montanari_sasoglu(0.25).weighting
    Weighting(real_share=0.75)
    """
    part = unit_interval(
        "surrogate_share", surrogate_share, "the share of the total weight on surrogate rows"
    )
    return build(
        "jain_montanari_sasoglu",
        papers.JAIN,
        {},
        weighting=Weighting(1 - part),
        emission=plug_in(),
    )
