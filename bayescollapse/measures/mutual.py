"""Mutual information over lineages: what a generation still knows of the truth or of the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.measures.labels import labelled, words_of
from bayescollapse.measures.layout import LEAD, cells_of, like_run
from bayescollapse.measures.mutual_kernels import (
    correlation_interval,
    fisher_interval,
    gaussian_mutual_information,
    knn_mutual_information,
)
from bayescollapse.measures.registry import REFERENCES, LackingError, Measure, lacking
from bayescollapse.measures.truths import prior_truths

__all__ = ["MEASURES", "mutual_information"]

Floats = NDArray[np.float64]

KSG = "Kraskov et al. (2004), arXiv:cond-mat/0305641"


def _measure(
    name: str, meaning: str, invariant: bool | str, bias: str, source: str, **rest: Any
) -> Measure:
    fields: dict[str, Any] = {"units": "nats", "lowest": 0.0, "highest": float("inf")}
    return Measure(
        name=name,
        question="information",
        meaning=meaning,
        symmetric=True,
        invariant=invariant,
        needs=("summary", "prior truths"),
        references=REFERENCES,
        null=0.0,
        bias=bias,
        source=source,
        **(fields | rest),
    )


MEASURES = (
    _measure(
        "mutual_information",
        "mutual information of the posterior mean and what it is about, by correlation",
        "affine",
        "none for normal pairs, estimates of 0 can be negative; else a bound on the linear part",
        "correlation of a normal pair; exact bias of its logarithm (digamma functions)",
    ),
    _measure(
        "mutual_information_knn",
        "mutual information of the posterior mean and what it is about, by neighbours",
        "population value: every one-to-one change; estimate: affine",
        "order 1 / replicates near 0, downwards for strong dependence and for values that repeat",
        KSG,
    ),
    _measure(
        "joint_mutual_information",
        "mutual information of all posterior means and what they are about",
        "affine",
        "none for normal vectors, estimates of 0 can be negative",
        "determinants of a Wishart matrix (digamma functions)",
    ),
    _measure(
        "correlation",
        "correlation of the posterior mean with what it is about, over replicates",
        "increasing affine",
        "of order 1 / replicates, towards 0",
        "Fisher (1915), doi:10.1093/biomet/10.4.507",
        units="1",
        lowest=-1.0,
        highest=1.0,
    ),
)


def mutual_information(
    run: xr.DataTree,
    *,
    about: str = "truth",
    var_names: str | Sequence[str] | None = None,
    neighbours: int = 4,
    probability: float = 0.95,
) -> xr.Dataset:
    """Measure what the posterior mean of a generation still tells, over lineages.

    ======================== =====================================================================
    variable                 meaning, in nats
    ======================== =====================================================================
    mutual_information       of the posterior mean and what it is about, from their correlation
    mutual_information_knn   the same by nearest neighbours, for any law
    joint_mutual_information of all parameters together, from their covariance
    correlation              correlation over replicates (no unit)
    ======================== =====================================================================

    Unlike the posterior's own entropy this is no claim: a posterior that is certain and wrong has
    little of it. It falls from one generation to the next in every loop without new real rows.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    about : {"truth", "first", "real_only", "real_seen", "real_plus"}, default "truth"
        The truth, drawn from a prior anew for every replicate; or the posterior mean of the run's
        first generation, or of a reference of the run in the same generation.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    neighbours : int, default 4
        Neighbours of the second estimator.
    probability : float, default 0.95
        Level of the interval of the first, above 0 and below 1.

    Returns
    -------
    Dataset
        On (scheme, generation, parameter), the joint one on (scheme, generation). Errors over
        replicates are ``_mcse``; ``mutual_information`` also has ``_low`` and ``_high`` (Fisher),
        which ``correlation`` has in place of an error. Variables say in ``attrs["about"]`` what
        they are about; ``attrs["missing"]`` names parameters that the truths do not have: their
        figures are missing, and the joint one is of the others.

    Raises
    ------
    ValueError
        If `about` is unknown.
    LackingError
        If the run does not have it, or it is the truth and the run has one for all replicates.

    Notes
    -----
    A generation about itself (the first about ``"first"``, generation 0 about a reference of the
    same rows) has infinite information, unless its mean takes few values, as that of a count: then
    the nearest neighbours give the entropy of these values, the other two infinity all the same.

    The joint value needs many more replicates than parameters. Errors are of first order, and too
    small near 0, where the interval holds. Compare with
    :func:`bayescollapse.theory.iterated_information` for a Gaussian mean under ``replace``.

    References
    ----------
    .. [1] Griffiths and Kalish (2007), doi:10.1080/15326900701326576.
    .. [2] Kraskov et al. (2004), arXiv:cond-mat/0305641.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.measures import mutual_information
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(prior_sd=1.0), bc.Truth.from_prior(), bc.schemes.replace(),
    ...     n_real=10, generations=9, replicates=200,
    ... ).run(progress=False)
    >>> known = mutual_information(run)["mutual_information"]
    >>> bool(known[0, 0, 0] > 4 * known[0, 8, 0])
    True
    """
    if about not in REFERENCES:
        raise ValueError(f"about must be one of {REFERENCES}, got {about!r}")
    nearest = integer("neighbours", neighbours)
    mean = cells_of(run, "mean", var_names).transpose(*LEAD, "parameter")
    if about == "truth":
        names = [measure.name for measure in MEASURES]
        target = prior_truths(run, names, var_names).to_numpy()[None, None]
    elif about == "first":
        target = mean.isel(generation=0).to_numpy()[:, None]
    else:
        centre = like_run(run, f"reference/{about}", "mean", mean)
        if centre is None:
            raise LackingError(lacking(f"mutual information about {about}", about))
        order = ("generation", "replicate", "parameter")
        target = centre.transpose(*order).to_numpy()[None]
    out = _by_parameter(mean, target, probability)
    out |= _by_neighbours(mean, target, nearest)
    unknown = np.isnan(target).all(axis=(0, 1, 2))
    out |= _jointly(mean.isel(parameter=np.flatnonzero(~unknown)), target[..., ~unknown])
    data = labelled(xr.Dataset(out), words_of(MEASURES))
    for name in data.data_vars:
        data[name].attrs["about"] = about
    missing = _unknown(mean["parameter"].to_numpy()[unknown].tolist())
    attrs = {"about": about, "replicates": mean.sizes["replicate"], "missing": missing}
    return data.assign_attrs(attrs)


def _unknown(labels: Sequence[str]) -> str:
    """Say which parameters the truths do not have."""
    if not labels:
        return ""
    because = "truths have no such parameter, and the joint one leaves it out"
    return lacking(f"mutual_information of {', '.join(labels)}", "prior truths", because=because)


def _by_parameter(
    mean: xr.DataArray, target: Floats, probability: float
) -> dict[str, xr.DataArray]:
    values = mean.transpose("scheme", "generation", "parameter", "replicate")
    goal = np.moveaxis(target, -1, -2)
    like = values.isel(replicate=0, drop=True)
    value, error = gaussian_mutual_information(values.to_numpy()[..., None], goal[..., None])
    r = _correlation(values.to_numpy(), goal)
    low, high = correlation_interval(r, values.sizes["replicate"], probability=probability)
    named = {"": value, "_mcse": error, "_low": low, "_high": high}
    found = {f"mutual_information{end}": part for end, part in named.items()}
    limits = fisher_interval(r, values.sizes["replicate"], probability=probability)
    found |= {"correlation": r, "correlation_low": limits[0], "correlation_high": limits[1]}
    return {name: like.copy(data=part) for name, part in found.items()}


def _by_neighbours(mean: xr.DataArray, target: Floats, nearest: int) -> dict[str, xr.DataArray]:
    values = mean.transpose("scheme", "generation", "parameter", "replicate")
    goal = np.broadcast_to(np.moveaxis(target, -1, -2), values.shape)
    like = values.isel(replicate=0, drop=True)
    found = np.full((2, *like.shape), np.nan)
    array = values.to_numpy()
    if values.sizes["replicate"] > nearest:
        for cell in np.ndindex(like.shape):
            found[:, *cell] = knn_mutual_information(array[cell], goal[cell], neighbours=nearest)
    names = ("mutual_information_knn", "mutual_information_knn_mcse")
    return {name: like.copy(data=part) for name, part in zip(names, found, strict=True)}


def _jointly(mean: xr.DataArray, target: Floats) -> dict[str, xr.DataArray]:
    values = mean.transpose("scheme", "generation", "replicate", "parameter")
    like = values.isel(replicate=0, parameter=0, drop=True)
    found = gaussian_mutual_information(values.to_numpy(), target)
    names = ("joint_mutual_information", "joint_mutual_information_mcse")
    return {name: like.copy(data=part) for name, part in zip(names, found, strict=True)}


def _correlation(x: Floats, y: Floats) -> Floats:
    first, second = (a - a.mean(axis=-1, keepdims=True) for a in (x, y))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
        return np.clip((first * second).sum(axis=-1) / scale, -1.0, 1.0)
