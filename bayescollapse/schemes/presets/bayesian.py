"""Papers on learners with posteriors: iterated learning, martingale posteriors, ensembles."""

from __future__ import annotations

from bayescollapse._checks import integer
from bayescollapse.estimator.emission import Emission
from bayescollapse.schemes.memory import Memory
from bayescollapse.schemes.presets import papers
from bayescollapse.schemes.presets.build import build, plug_in
from bayescollapse.schemes.scheme import Scheme

__all__ = [
    "fong_holmes_walker",
    "griffiths_kalish",
    "kirby_dowman_griffiths",
    "reali_griffiths",
    "van_breugel",
]


def griffiths_kalish() -> Scheme:
    """Loop of Griffiths and Kalish: each learner draws from its posterior on the last one's rows.

    The paper found that iterated learning by Bayesian agents converges to the prior, whatever the
    first rows were.

    Notes
    -----
    Law: :func:`bayescollapse.theory.prior_stationary`,
    :func:`~bayescollapse.theory.dirichlet_stationary`,
    :func:`~bayescollapse.theory.iterated_language_rate`. The model needs a proper prior.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.griffiths_kalish()
    Scheme(supply='none', emission='joint')
    """
    return build("griffiths_kalish", papers.GRIFFITHS_KALISH, {}, supply="none", emission="joint")


def kirby_dowman_griffiths() -> Scheme:
    """Loop of Kirby, Dowman and Griffiths: iterated learning by posterior modes.

    The paper found that learners who choose the most probable hypothesis exaggerate the prior.

    Notes
    -----
    Law: :func:`bayescollapse.theory.dirichlet_stationary` with plug-in emission, where one row less
    per category is the prior's worth: a mode inside the simplex is the mean under that prior. The
    posterior mode is known to exact families, and to others under ``method="map"``.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.kirby_dowman_griffiths()
    Scheme(supply='none', emission='plug-in(map)')
    """
    return build("kirby_dowman_griffiths", papers.KIRBY, {}, supply="none", emission=plug_in("map"))


def reali_griffiths(*, point: str = "mean") -> Scheme:
    """Loop of Reali and Griffiths: iterated learning of frequencies as genetic drift.

    The paper found that iterated learning of the frequencies of variants is the Wright-Fisher model
    of drift with mutation, in which the prior sets the mutation rate.

    Parameters
    ----------
    point : str
        Estimate that emits rows. With the posterior mean the frequencies follow the Wright-Fisher
        model exactly; whether that is the authors' estimate is not claimed here.

    Notes
    -----
    Law: :func:`bayescollapse.theory.dirichlet_stationary` with plug-in emission.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.reali_griffiths()
    Scheme(supply='none', emission='plug-in')
    """
    return build(
        "reali_griffiths", papers.REALI_GRIFFITHS, {}, supply="none", emission=plug_in(point)
    )


def fong_holmes_walker() -> Scheme:
    """Loop of Fong, Holmes and Walker: impute rows from the predictive until nothing is unknown.

    The paper found that imputing the missing rest of the population from the one-step predictive,
    row by row, is a draw from the posterior: the estimate is a martingale, and its limit varies as
    the posterior of generation 0 does.

    Notes
    -----
    Law: :func:`bayescollapse.theory.urn_variance_joint`. Counts: the paper's is ``n_synthetic=1``;
    under joint emission the limit is the same for larger batches.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.fong_holmes_walker()
    Scheme(supply='fixed', memory='all', emission='joint')
    """
    return build(
        "fong_holmes_walker",
        papers.FONG_HOLMES_WALKER,
        {},
        supply="fixed",
        memory=Memory("all"),
        emission="joint",
    )


def van_breugel(members: int = 6) -> Scheme:
    """Loop of van Breugel et al.: one round of synthetic rows from K generators.

    The paper found that what is learned from one synthetic data set claims too much, and that an
    ensemble of generators shows the uncertainty that one hides.

    Parameters
    ----------
    members : int
        Generators K, that is posterior draws, each of which emits the same number of rows.

    Notes
    -----
    Law: :func:`bayescollapse.theory.ensemble_mean_variance`, at generation 1. Counts: two
    generations, ``n_synthetic`` is K times the rows of one generator. The data sets of the round
    apart, and the rule that combines them, are :func:`bayescollapse.multiple` and
    :func:`bayescollapse.combine`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.schemes.van_breugel(6)
    Scheme(supply='none', emission='ensemble(6)')
    """
    integer("members", members)
    return build(
        "van_breugel",
        papers.VAN_BREUGEL,
        {},
        supply="none",
        emission=Emission("ensemble", members),
    )
