"""Calibration over generations: ranks of the truth among the posterior draws of every generation.

If truths are drawn from the prior and the posterior is right, the rank of the truth among its draws
is uniform (simulation-based calibration). A recursive loop starts so at generation 0; how the ranks
bend afterwards is the signature of what the loop did to the posterior: ranks at both ends mean that
it claims too much, ranks in the middle that it claims too little, ranks at one end that it drifted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from bayescollapse._checks import integer
from bayescollapse.measures.bands import p_value
from bayescollapse.measures.kernels import mean_and_error
from bayescollapse.measures.labels import labelled, words_of
from bayescollapse.measures.layout import flatten, has_group
from bayescollapse.measures.registry import LackingError, Measure, lacking
from bayescollapse.measures.truths import prior_truths

__all__ = ["MEASURES", "rank_bend", "rank_of_truth", "truth_ranks"]

Floats = NDArray[np.float64]

SBC = "Talts et al. (2018), arXiv:1804.06788"
NEYMAN = "Neyman (1937), doi:10.1080/03461238.1937.10404821"

MEASURES = (
    Measure(
        name="uniform_p",
        question="calibration over generations",
        meaning="p-value of uniform ranks of the truth",
        units="1",
        lowest=0.0,
        highest=1.0,
        symmetric=False,
        invariant=True,
        needs=("draws", "prior truths"),
        null="uniform on 0 to 1",
        bias="conservative, as ranks are discrete",
        source="Säilynoja et al. (2022), arXiv:2103.10522",
    ),
    Measure(
        name="shift",
        question="calibration over generations",
        meaning="shift of the ranks of the truth, above 0 if posteriors lie too low",
        units="sds of a uniform rank",
        lowest=-(3.0**0.5),
        highest=3.0**0.5,
        symmetric=False,
        invariant="increasing changes of scale",
        needs=("draws", "prior truths"),
        null=0.0,
        source=f"{SBC}; first component of {NEYMAN}",
    ),
    Measure(
        name="bend",
        question="calibration over generations",
        meaning="bend of the ranks of the truth, above 0 if posteriors are too narrow",
        units="1",
        lowest=-(2.0**0.5),
        highest=5.0**0.5,
        symmetric=False,
        invariant=True,
        needs=("draws", "prior truths"),
        null=0.0,
        source=f"{SBC}; second component of {NEYMAN}",
    ),
    Measure(
        name="dependence",
        question="calibration over generations",
        meaning="autocorrelation of neighbouring kept draws",
        units="1",
        lowest=-1.0,
        highest=1.0,
        symmetric=False,
        invariant="affine",
        needs=("draws", "prior truths"),
        null=0.0,
        bias="-1 / draws for independent draws; 1 where a posterior has no spread",
        source="autocorrelation at lag 1",
    ),
)


def rank_of_truth(truth: ArrayLike, draws: ArrayLike, rng: np.random.Generator) -> Floats:
    """Rank of each truth among its draws; ties are broken evenly.

    Parameters
    ----------
    truth : array_like, shape (…)
        Truths.
    draws : array_like, shape (…, draw)
        Draws; leading axes broadcast with `truth`.
    rng : Generator
        Breaks ties: a truth that equals e of the draws has one of the e + 1 ranks it could have,
        each with the same probability, so that ranks are uniform also for quantities with atoms.

    Returns
    -------
    ndarray, shape (…)
        Rank, a whole number from 0 to the number of draws; missing where the truth or a draw is.

    References
    ----------
    .. [1] Talts et al. (2018), arXiv:1804.06788.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.measures import rank_of_truth
    >>> rank_of_truth([0.5, 9.0], [0.0, 1.0, 2.0], np.random.default_rng(1)).tolist()
    [1.0, 3.0]
    """
    values = np.asarray(draws, dtype=np.float64)
    truths = np.asarray(truth, dtype=np.float64)[..., None]
    below, equal = (values < truths).sum(axis=-1), (values == truths).sum(axis=-1)
    known = np.isfinite(truths[..., 0]) & np.isfinite(values).all(axis=-1)
    return np.where(known, below + rng.integers(equal + 1), np.nan)


def rank_bend(ranks: ArrayLike, draws: int) -> tuple[Floats, Floats]:
    r"""Shift and bend of ranks: the first two orthonormal polynomials of a uniform rank.

    With :math:`c = r - L/2` and :math:`M = L + 1`, the discrete Legendre polynomials

    .. math:: h_1 = \frac{c}{\sqrt{(M^2-1)/12}}, \qquad
        h_2 = \frac{c^2 - (M^2-1)/12}{\sqrt{(M^2-1)(M^2-4)/180}}

    Parameters
    ----------
    ranks : array_like
        Ranks in 0, …, `draws`; missing ones stay missing.
    draws : int
        Draws L that every truth was ranked among, 2 or more.

    Returns
    -------
    tuple of ndarray
        ``h_1`` and ``h_2`` of every rank. Both have mean 0 and variance 1 if ranks are uniform;
        their means over replicates are shift (above 0: posteriors lie too low) and bend (above 0:
        ranks pile up at the ends, posteriors are too narrow; below 0: too wide).

    Raises
    ------
    ValueError
        If `draws` is below 2.

    References
    ----------
    .. [1] Neyman (1937), "Smooth" test for goodness of fit, doi:10.1080/03461238.1937.10404821.

    Examples
    --------
    >>> from bayescollapse.measures import rank_bend
    >>> shift, bend = rank_bend([0, 1, 2], 2)
    >>> bend.round(3).tolist()
    [0.707, -1.414, 0.707]
    """
    square = (integer("draws", draws, minimum=2) + 1) ** 2
    centred = np.asarray(ranks, dtype=np.float64) - draws / 2
    variance = (square - 1) / 12
    curved = (centred**2 - variance) / np.sqrt((square - 1) * (square - 4) / 180)
    return centred / np.sqrt(variance), curved


def truth_ranks(
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    thin: int = 1,
    seed: int = 0,
) -> xr.Dataset:
    """Rank the truth among the posterior draws of every generation.

    ========== ===================================================================================
    variable   meaning
    ========== ===================================================================================
    rank       rank of the truth in every cell, 0 to ``attrs["draws"]``
    uniform_p  p-value of uniform ranks: exact for the largest departure of their ECDF
    shift      mean of the first component of :func:`rank_bend`; above 0 posteriors lie too low
    bend       mean of the second; above 0 posteriors are too narrow (a U of ranks), below too wide
    dependence autocorrelation of neighbouring draws, averaged over replicates
    ========== ===================================================================================

    Parameters
    ----------
    run : DataTree
        Result of an experiment that kept draws and drew a truth per replicate from the learner's
        own prior.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    thin : int, default 1
        Use every so-many-th kept draw of a chain.
    seed : int, default 0
        Seed of the tie breaks, which only quantities with atoms need.

    Returns
    -------
    Dataset
        ``rank`` on (scheme, replicate, generation, parameter), the others on (scheme, generation,
        parameter). ``shift`` and ``bend`` have ``_mcse`` (standard error over replicates) and
        ``_p`` (two-sided, normal with the exact variance of uniform ranks), ``dependence`` has
        ``_mcse``.

    Raises
    ------
    LackingError
        If the run has fewer than two draws in a cell, one truth for all replicates, or truths from
        another model's prior, whose ranks are not uniform even at generation 0.

    Notes
    -----
    Replicates must be independent given the scheme; generations of one lineage are not independent
    of each other, nor are schemes, so p-values of a run are to be read one at a time or with a
    correction. Ranks assume independent draws: dependent ones pile up at both ends even for a right
    posterior, so thin until ``dependence`` is near 0. Figures are missing where a draw is.

    References
    ----------
    .. [1] Talts et al. (2018), arXiv:1804.06788.
    .. [2] Säilynoja, Bürkner and Vehtari (2022), arXiv:2103.10522.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.measures import truth_ranks
    >>> from bayescollapse.models import bernoulli
    >>> run = bc.Experiment(
    ...     bernoulli.estimator(), bc.Truth.from_prior(), bc.schemes.replace(),
    ...     n_real=20, generations=2, replicates=4, keep_draws=20,
    ... ).run(progress=False)
    >>> dict(truth_ranks(run)["rank"].sizes)
    {'scheme': 1, 'replicate': 4, 'generation': 2, 'parameter': 1}
    """
    step = integer("thin", thin)
    names = ("rank", *(measure.name for measure in MEASURES))
    if not has_group(run, "posterior"):
        raise LackingError(lacking(names, "draws"))
    truth = prior_truths(run, names, var_names, own=True)
    posterior = run["posterior"].to_dataset().isel(draw=slice(None, None, step))
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    if draws < 2:
        because = f"they need 2 draws or more in every cell, thin={thin} leaves {draws}: lower it"
        raise LackingError(lacking(names, "draws", because=because))
    rng = np.random.default_rng(seed)
    parts = [
        _of_scheme(posterior.isel(scheme=[place]), truth, rng)
        for place in range(posterior.sizes["scheme"])
    ]
    rank = xr.concat([part[0] for part in parts], "scheme")
    dependence = xr.concat([part[1] for part in parts], "scheme")
    out = _judged(rank, draws).assign({"rank": rank, **_averaged(dependence)})
    words = words_of(MEASURES) | {"rank": ("rank of the truth among the kept draws", "1")}
    return labelled(out, words).assign_attrs(draws=draws, thin=step)


def _of_scheme(
    posterior: xr.Dataset, truth: xr.DataArray, rng: np.random.Generator
) -> tuple[xr.DataArray, xr.DataArray]:
    """Ranks and dependence of one scheme, so that its draws alone are in memory."""
    lead = ("scheme", "replicate", "generation")
    labels = truth["parameter"].to_numpy()
    drawn = flatten(posterior, (*lead, "chain", "draw")).sel(parameter=labels)
    drawn = drawn.transpose(*lead, "parameter", "chain", "draw")
    values = drawn.to_numpy()
    like = drawn.isel(chain=0, draw=0, drop=True)
    rank = rank_of_truth(truth.to_numpy()[None, :, None], values.reshape(*like.shape, -1), rng)
    return like.copy(data=rank), like.copy(data=_dependence(values))


def _averaged(dependence: xr.DataArray) -> dict[str, xr.DataArray]:
    """Reduce the dependence of draws over replicates."""
    like = dependence.isel(replicate=0, drop=True)
    parts = mean_and_error(dependence.to_numpy(), dependence.dims.index("replicate"))
    names = ("dependence", "dependence_mcse")
    return {name: like.copy(data=part) for name, part in zip(names, parts, strict=True)}


def _dependence(values: Floats) -> Floats:
    """Autocorrelation at lag 1 of (…, chain, draw), around the mean of each cell."""
    centred = values - values.mean(axis=(-2, -1), keepdims=True)
    scale = (centred**2).mean(axis=(-2, -1))
    if values.shape[-1] < 2:
        return np.full(scale.shape, np.nan)
    products = (centred[..., 1:] * centred[..., :-1]).mean(axis=(-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(scale > 0, products / scale, 1.0))


def _judged(rank: xr.DataArray, draws: int) -> xr.Dataset:
    from scipy.special import ndtr

    moved = rank.transpose("scheme", "generation", "parameter", "replicate")
    values = moved.to_numpy()
    like = moved.isel(replicate=0, drop=True)
    known = np.isfinite(values).all(axis=-1)
    uniform = np.full(like.shape, np.nan)
    if known.any():
        uniform[known] = p_value(values[known].astype(np.int64), draws)
    out = {"uniform_p": like.copy(data=uniform)}
    for name, component in zip(("shift", "bend"), rank_bend(values, draws), strict=True):
        mean, error = mean_and_error(component, -1)
        z = mean * np.sqrt(values.shape[-1])
        out[name] = like.copy(data=mean)
        out[f"{name}_mcse"] = like.copy(data=error)
        out[f"{name}_p"] = like.copy(data=2 * ndtr(-np.abs(z)))
    return xr.Dataset(out)
