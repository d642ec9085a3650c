"""Papers on categories: extinction of rare ones, absorption, temperature."""

from __future__ import annotations

from bayescollapse.schemes.memory import Memory
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build, plug_in
from bayescollapse.schemes.scheme import Scheme

__all__ = ["jangjoo_marsili_roudi", "marchi", "seddik", "suresh"]


def seddik(*, real_rows: bool = False, point: str = "mle") -> Scheme:
    """Loop of Seddik et al.: next-token frequencies of the last batch, with or without real rows.

    The paper found that a model trained on synthetic rows alone ends on a single token, and that a
    mixture with the real rows stays near them if they are enough.

    Parameters
    ----------
    real_rows : bool
        Whether the first real rows are pooled with every batch.
    point : str
        Estimate that emits rows; ``mean`` for families that have no other.

    Notes
    -----
    Law: :func:`bayescollapse.theory.resampled_concentration` (without real rows),
    :func:`~bayescollapse.theory.fixed_supply_frequency_error` (with them).

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.seddik(real_rows=True)
    Scheme(supply='fixed', emission='plug-in(mle)')
    """
    return build(
        "seddik",
        papers.SEDDIK,
        {},
        supply="fixed" if real_rows else "none",
        emission=plug_in(point),
    )


def suresh(*, point: str = "mle") -> Scheme:
    """Loop of Suresh et al.: maximum likelihood on the last batch alone.

    The paper found how fast the loop collapses: a rare symbol is forgotten after about as many
    generations as it has rows, and a Gaussian's scale after about as many as there are rows.

    Parameters
    ----------
    point : str
        Estimate that emits rows; ``mean`` for families that have no other.

    Notes
    -----
    Law: :func:`bayescollapse.theory.survival_bracket`,
    :func:`~bayescollapse.theory.resampled_counts`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.suresh()
    Scheme(supply='none', emission='plug-in(mle)')
    """
    return build("suresh", papers.SURESH, {}, supply="none", emission=plug_in(point))


def marchi(temperature: float = 0.8, *, keep: bool = False, point: str = "mean") -> Scheme:
    """Loop of Marchi et al.: rows are emitted at a temperature.

    The paper found that temperatures below 1 end on the most likely outcome and temperatures above
    1 on the uniform distribution, unless there are enough real rows.

    Parameters
    ----------
    temperature : float
        Rows come from the density to the power 1 / temperature, renormalised.
    keep : bool
        Whether the real rows and every batch are kept; otherwise the last batch alone.
    point : str
        Estimate that emits rows.

    Notes
    -----
    Law: :func:`bayescollapse.theory.tempered_probabilities`, for many rows and the last batch.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.marchi(0.8)
    Scheme(supply='none', emission='plug-in(temperature=0.8)')
    """
    return build(
        "marchi",
        papers.MARCHI,
        {},
        supply="fixed" if keep else "none",
        memory=Memory("all" if keep else "last"),
        emission=plug_in(point, temperature=temperature),
    )


def jangjoo_marsili_roudi(*, real_rows: bool = False, point: str = "mle") -> Scheme:
    """Loop of Jangjoo, Marsili and Roudi: exponential families refitted to their own rows.

    The paper found that the sufficient statistics of maximum likelihood fits are a martingale that
    gets absorbed, and that a single real row a generation, or a prior, prevents it.

    Parameters
    ----------
    real_rows : bool
        Whether each generation has fresh real rows; the paper adds one (``n_real``).
    point : str
        Estimate that emits rows: ``mle`` is absorbed, ``map`` and ``mean`` under a proper prior are
        not.

    Notes
    -----
    Law: :func:`bayescollapse.theory.resampled_concentration`,
    :func:`~bayescollapse.theory.absorption_time`, and with real rows
    :func:`~bayescollapse.theory.dirichlet_law`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.jangjoo_marsili_roudi(real_rows=True)
    Scheme(supply='fresh', emission='plug-in(mle)')
    """
    return build(
        "jangjoo_marsili_roudi",
        papers.JANGJOO,
        {},
        supply="fresh" if real_rows else "none",
        emission=plug_in(point),
    )
