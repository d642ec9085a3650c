"""Papers on what is kept: the last batch, growing batches, all batches, subsamples of them."""

from __future__ import annotations

from bayescollapse.schedules import Schedule
from bayescollapse.schemes.memory import Memory
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build, plug_in
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.weighting import Weighting

__all__ = [
    "amin",
    "barzilai_shamir",
    "dey_donoho",
    "fu",
    "gerstgrasser",
    "kazdan",
    "xu_he_cheng",
]


def gerstgrasser(*, accumulate: bool = True) -> Scheme:
    """Loop of Gerstgrasser et al.: keep the real rows and every synthetic batch, on one design.

    The paper found that errors grow without bound where rows are replaced and stay bounded, by
    pi^2/6 of the first error in linear regression, where they accumulate.

    Parameters
    ----------
    accumulate : bool
        Whether rows are kept; otherwise each generation replaces them.

    Notes
    -----
    Law: :func:`bayescollapse.theory.regression_accumulate_error`,
    :func:`~bayescollapse.theory.regression_replace_error`. Counts: as many synthetic as real rows.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.gerstgrasser()
    Scheme(supply='fixed', memory='all', emission='plug-in', covariates='fixed')
    """
    return build(
        "gerstgrasser",
        papers.GERSTGRASSER,
        {},
        supply="fixed" if accumulate else "none",
        memory=Memory("all" if accumulate else "last"),
        emission=plug_in(),
        covariates="fixed",
    )


def kazdan(rows: int | None = None, *, point: str = "mean") -> Scheme:
    """Loop of Kazdan et al.: keep every row, and fit all of them or a subsample of fixed size.

    The paper found that errors that diverge where rows are replaced plateau where rows are drawn
    from all that exist, above those of keeping everything.

    Parameters
    ----------
    rows : int, optional
        Rows of a subsample; all rows if not given.
    point : str
        Estimate that emits rows; ``mle`` is the paper's, where the family has it.

    Notes
    -----
    Law: :func:`bayescollapse.theory.subsample_error` (subsample),
    :func:`~bayescollapse.theory.accumulated_diversity` (all, ``mle``). Counts: as many synthetic as
    real rows, and a subsample of as many.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.kazdan(rows=60)
    Scheme(supply='fixed', memory='subsample(60)', emission='plug-in')
    """
    return build(
        "kazdan",
        papers.KAZDAN,
        {},
        supply="fixed",
        memory=Memory("all") if rows is None else Memory("subsample", rows),
        emission=plug_in(point),
    )


def dey_donoho(*, point: str = "mean") -> Scheme:
    """Loop of Dey and Donoho: keep the real rows and every synthetic batch, any family.

    The paper found that the factor pi^2/6 is universal: it holds for regular estimators of
    exponential families, whose relative efficiency never falls below 6/pi^2.

    Parameters
    ----------
    point : str
        Estimate that emits rows; ``mle`` is the paper's, where the family has it.

    Notes
    -----
    Law: :func:`bayescollapse.theory.accumulate_efficiency`. Counts: as many synthetic as real rows.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.dey_donoho(point="mle").emission.label
    'plug-in(mle)'
    """
    return build(
        "dey_donoho",
        papers.DEY_DONOHO,
        {},
        supply="fixed",
        memory=Memory("all"),
        emission=plug_in(point),
    )


def barzilai_shamir(*, point: str = "mean") -> Scheme:
    """Loop of Barzilai and Shamir: maximum likelihood on the real rows and every synthetic batch.

    The paper found that errors stay bounded whatever the number of generations if batches are large
    enough, and gives families in which they do not.

    Parameters
    ----------
    point : str
        Estimate that emits rows; ``mle`` is the paper's, where the family has it.

    Notes
    -----
    Law: :func:`bayescollapse.theory.accumulate_error`, for a Gaussian mean; the paper's bound is
    not reproduced.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.barzilai_shamir().memory
    Memory('all')
    """
    return build(
        "barzilai_shamir",
        papers.BARZILAI_SHAMIR,
        {},
        supply="fixed",
        memory=Memory("all"),
        emission=plug_in(point),
    )


def xu_he_cheng(*, point: str = "mean") -> Scheme:
    """Loop of Xu, He and Cheng: synthetic rows alone, in batches that may grow.

    The paper found that a loop without real rows is a random walk which stays bounded if batches
    grow faster than linearly, and collapses if their size is fixed.

    Parameters
    ----------
    point : str
        Estimate that emits rows; ``mle`` is the paper's, where the family has it.

    Notes
    -----
    Law: :func:`bayescollapse.theory.growing_replace_error`. Counts: a growing schedule, such as
    ``n_synthetic=lambda t: int(20 * (t + 1) ** 1.5)``.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.xu_he_cheng()
    Scheme(supply='none', emission='plug-in')
    """
    return build("xu_he_cheng", papers.XU_HE_CHENG, {}, supply="none", emission=plug_in(point))


def fu(real_share: Schedule | str = 0.5) -> Scheme:
    """Loop of Fu et al.: the real rows with a constant share, beside every synthetic batch.

    The papers found that the distance to the truth stays under control if the real rows are many or
    their share is large, and that a constant real share suffices for recursive stability.

    Parameters
    ----------
    real_share : number, schedule or "pooled"
        Share of the total weight on real rows.

    Notes
    -----
    Law: :func:`bayescollapse.theory.linear_oracle`, for a Gaussian mean; the papers' bounds are not
    reproduced.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.fu(0.5)
    Scheme(supply='fixed', memory='all', weighting=Weighting(real_share=0.5), emission='plug-in')
    """
    return build(
        "fu",
        papers.FU,
        {},
        supply="fixed",
        memory=Memory("all"),
        weighting=Weighting(real_share),
        emission=plug_in(),
    )


def amin(*, by_age: Schedule = 1.0) -> Scheme:
    """Loop of Amin et al.: every round's real and synthetic rows, averaged over all rounds.

    The paper found that the uniform average over all rounds converges although rows are
    contaminated by earlier averages, and that weights which differ between rounds do better.

    Parameters
    ----------
    by_age : number or schedule
        Relative weight of a row by the age of its round.

    Notes
    -----
    Law: :func:`bayescollapse.theory.linear_oracle`. Counts: contamination c of N rows is
    ``n_real=(1 - c) * N`` and ``n_synthetic=c * N``.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.amin()
    Scheme(supply='stream', memory='all', emission='plug-in')
    """
    return build(
        "amin",
        papers.AMIN,
        {},
        supply="stream",
        memory=Memory("all"),
        weighting=Weighting("pooled", by_age=by_age),
        emission=plug_in(),
    )
