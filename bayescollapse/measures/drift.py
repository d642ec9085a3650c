"""Drift: how far each generation's posterior has moved from the first one and from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse.measures.accuracy import MEASURES as ACCURACY
from bayescollapse.measures.kernels import (
    gaussian_kl,
    gaussian_wasserstein,
    mean_and_error,
    wasserstein_1d,
)
from bayescollapse.measures.labels import Words, compared_with, labelled, words_of
from bayescollapse.measures.layout import (
    LEAD,
    cells_of,
    flatten,
    group,
    has_group,
    pooled_draws,
    truth_of,
)
from bayescollapse.measures.registry import Measure, lacking

__all__ = ["MEASURES", "moment_drift", "over_replicates"]

INF = float("inf")
KULLBACK = "Kullback and Leibler (1951), doi:10.1214/aoms/1177729694"
DOWSON = "Dowson and Landau (1982), doi:10.1016/0047-259X(82)90077-X"
MOMENTS = (
    "compares the first two moments only; upwards at equality if they are those of sampled draws"
)

UNITS = "units of the parameter"
FIRST = {
    "shift_first": ("posterior mean minus generation 0's", UNITS),
    "log_sd_ratio": ("log of posterior sd over generation 0's", "log ratio"),
    "kl_first": ("Gaussian divergence from generation 0's posterior", "nats"),
    "wasserstein_first": ("order-2 Wasserstein distance from generation 0", UNITS),
}
TRUTH = {
    "kl_truth": ("Gaussian divergence from generation 0's posterior moved to the truth", "nats"),
    "wasserstein_truth": ("order-2 Wasserstein distance from the truth", UNITS),
}


def _measure(name: str, lowest: float, invariant: str, **given: Any) -> Measure:
    fields: dict[str, Any] = {"null": 0.0, "source": "difference of means"} | given
    return Measure(
        name=name,
        question="posterior drift",
        meaning=(FIRST | TRUTH)[name][0],
        units=(FIRST | TRUTH)[name][1],
        lowest=lowest,
        highest=INF,
        symmetric=name == "wasserstein_first",
        invariant=invariant,
        needs=("truth",) if name in TRUTH else ("summary",),
        **fields,
    )


MEASURES = (
    _measure("shift_first", -INF, "translation"),
    _measure("log_sd_ratio", -INF, "affine", source="log ratio of standard deviations"),
    _measure("kl_first", 0.0, "affine", bias=MOMENTS, source=KULLBACK),
    _measure("wasserstein_first", 0.0, "translation", bias=MOMENTS, source=DOWSON),
    _measure("kl_truth", 0.0, "affine", null="that of generation 0", bias=MOMENTS, source=KULLBACK),
    _measure("wasserstein_truth", 0.0, "translation", null="that of generation 0", source=DOWSON),
)
"""Drift by mean and sd; ``bias`` and ``squared_error`` are declared with accuracy."""

WORDS = words_of((*MEASURES, *ACCURACY))
COMPARED = dict.fromkeys(FIRST, "first") | dict.fromkeys((*TRUTH, "bias", "squared_error"), "truth")


def moment_drift(
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    from_draws: bool = False,
) -> xr.Dataset:
    r"""Measure how far each generation has moved from generation 0 and from the truth.

    Every measure is computed within each replicate and then reduced over replicates to its mean
    (``<name>``), the Monte Carlo standard error of that mean (``<name>_mcse``) and its median
    (``<name>_median``). A mean can stay constant while every lineage collapses: read both.

    ===================== =========================================================================
    variable              value in one replicate; m and s are posterior mean and sd
    ===================== =========================================================================
    bias                  :math:`m_t - \theta`, in units of the parameter
    squared_error         :math:`(m_t - \theta)^2`, in squared units
    shift_first           :math:`m_t - m_0`, in units of the parameter
    log_sd_ratio          :math:`\log(s_t / s_0)`; below 0 the posterior has narrowed
    kl_first              Gaussian divergence of generation t from generation 0, nats, 0 or more
    kl_truth              the same from a Gaussian at the truth with sd :math:`s_0`, nats
    wasserstein_first     order-2 distance from generation 0's posterior, in units of the parameter
    wasserstein_truth     order-2 distance from the truth, :math:`\sqrt{(m_t-\theta)^2 + s_t^2}`
    ===================== =========================================================================

    The truth is a point, from which a posterior's divergence is infinite. ``kl_truth`` therefore
    compares with a posterior that is right and as certain as generation 0: it charges both for
    being wrong and for being more or less certain than n real rows allow.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    from_draws : bool, default False
        Compute Wasserstein distances from the kept draws instead of Gaussian closed forms.

    Returns
    -------
    Dataset
        Variables on (scheme, generation, parameter); attributes say what each is, in which units,
        what it compares with, and which ``estimator`` the Wasserstein distances have.
        ``attrs["missing"]`` says which measures the run cannot give, and why. Replicates are never
        dropped: a missing value in one makes its mean missing.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If a parameter is unknown, or `from_draws` is asked of a run without draws.

    Notes
    -----
    Generation 0 is at distance exactly 0 from itself. Closed forms see only mean and sd. With
    ``from_draws`` two fits of the same posterior are of order ``sd / sqrt(draws)`` apart, and
    ``wasserstein_first`` of later generations carries that bias.

    References
    ----------
    .. [1] Kullback and Leibler (1951), doi:10.1214/aoms/1177729694.
    .. [2] Dowson and Landau (1982), doi:10.1016/0047-259X(82)90077-X.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=3, replicates=4,
    ... ).run(progress=False)
    >>> from bayescollapse.measures import moment_drift
    >>> moment_drift(run)["kl_first"].isel(generation=0).values.tolist()
    [[0.0]]
    """
    mean, sd = cells_of(run, "mean", var_names), cells_of(run, "sd", var_names)
    truth = truth_of(run, mean)
    cells = _from_first(mean, sd)
    if truth is not None:
        cells |= _from_truth(mean, sd, truth)
    if from_draws:
        cells |= _from_draws(run, var_names, truth)
    out = compared_with(over_replicates(cells, WORDS), COMPARED)
    for name in ("wasserstein_first", "wasserstein_truth"):
        if name in out:
            out[name].attrs["estimator"] = "kept draws" if from_draws else "Gaussian closed form"
    missing = "" if "bias" in out else lacking(["bias", "squared_error", *TRUTH], "truth")
    return out.assign_attrs(missing=missing)


def over_replicates(cells: dict[str, xr.DataArray], words: Words) -> xr.Dataset:
    """Reduce measures of every replicate to mean, Monte Carlo standard error and median."""
    out: dict[str, xr.DataArray] = {}
    for name, array in cells.items():
        mean, error = mean_and_error(array.to_numpy(), _axis(array))
        middle = array.median("replicate", skipna=False)
        found = {"": mean, "_mcse": error, "_median": middle.to_numpy()}
        out |= {name + end: middle.copy(data=value) for end, value in found.items()}
    return labelled(xr.Dataset(out), words)


def _from_first(mean: xr.DataArray, sd: xr.DataArray) -> dict[str, xr.DataArray]:
    first = {"mean": mean.isel(generation=0, drop=True), "sd": sd.isel(generation=0, drop=True)}
    log_ratio = _log(sd / first["sd"])
    return {
        "shift_first": mean - first["mean"],
        "log_sd_ratio": log_ratio,
        "kl_first": _apply(gaussian_kl, mean, sd, first["mean"], first["sd"]),
        "wasserstein_first": _apply(gaussian_wasserstein, mean, sd, first["mean"], first["sd"]),
    }


def _from_truth(
    mean: xr.DataArray, sd: xr.DataArray, truth: xr.DataArray
) -> dict[str, xr.DataArray]:
    bias = (mean - truth).transpose(*mean.dims)
    first = sd.isel(generation=0, drop=True)
    return {
        "bias": bias,
        "squared_error": bias**2,
        "kl_truth": _apply(gaussian_kl, mean, sd, truth, first),
        "wasserstein_truth": _apply(gaussian_wasserstein, mean, sd, truth, xr.zeros_like(first)),
    }


def _from_draws(
    run: xr.DataTree, var_names: str | Sequence[str] | None, truth: xr.DataArray | None
) -> dict[str, xr.DataArray]:
    if not has_group(run, "posterior"):
        raise ValueError(
            "from_draws=True needs posterior draws, which the run does not hold: run the "
            "experiment with keep_draws above 0, or use from_draws=False"
        )
    posterior = group(run, "posterior", needed_for="from_draws=True")
    draws = flatten(pooled_draws(posterior), (*LEAD, "sample"), var_names)
    ordered = draws.transpose(*LEAD, "parameter", "sample")
    first = ordered.isel(generation=0).expand_dims(generation=1, axis=2)
    distance = wasserstein_1d(ordered.to_numpy(), first.to_numpy(), order=2)
    like = ordered.isel(sample=0, drop=True)
    cells = {"wasserstein_first": like.copy(data=distance)}
    if truth is not None:
        squared = ((ordered - truth) ** 2).mean("sample", skipna=False)
        cells["wasserstein_truth"] = (squared**0.5).transpose(*like.dims)
    return cells


def _log(ratio: xr.DataArray) -> xr.DataArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return ratio.copy(data=np.log(ratio.to_numpy()))


def _axis(array: xr.DataArray) -> int:
    return array.dims.index("replicate")


def _apply(kernel: object, *arrays: xr.DataArray) -> xr.DataArray:
    first = arrays[0]
    return xr.apply_ufunc(kernel, *arrays, keep_attrs=False).transpose(*first.dims)  # type: ignore[arg-type, no-any-return]
