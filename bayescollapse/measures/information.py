"""Information: what a generation's posterior knows, and what it claims to know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from bayescollapse.measures.kernels import binomial_interval, mean_and_error, ratio_and_error
from bayescollapse.measures.layout import (
    cells_of,
    central_intervals,
    like_run,
    real_rows,
    truth_of,
)

__all__ = ["information"]


def information(
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    probability: float | None = None,
) -> xr.Dataset:
    r"""Measure what each generation's posterior is worth, and what it claims to be worth.

    ============= ================================================================================
    variable      meaning; V is a posterior variance, E a mean squared error over replicates
    ============= ================================================================================
    claimed_sd    posterior sd, mean over replicates (and ``_mcse``, ``_median``)
    coverage      share of replicates whose central interval holds the truth, with exact binomial
                  95 % limits ``coverage_low`` and ``coverage_high``
    rows_worth    equivalent real rows: :math:`n_t E_{real} / E_t`
    rows_claimed  equivalent real rows: :math:`n_t \bar V_{real} / \bar V_t`
    certainty     rows_claimed / rows_worth: 1 honest as a fit to real rows, above 1 overconfident
    n_real        real rows :math:`n_t` of the generation
    ============= ================================================================================

    "Real" is the fit of generation t's own :math:`n_t` real rows alone, on the same random numbers.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    probability : float, optional
        Central interval whose coverage is measured, above 0 and below 1; every one that the run's
        quantiles allow if not given.

    Returns
    -------
    Dataset
        On (scheme, generation, parameter), coverage with ``interval`` (its nominal probability).
        ``attrs["missing"]`` says which measures the run cannot give, and why. Standard errors end
        in ``_mcse``; those of ratios pair the replicates.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If a parameter is unknown, or `probability` is no interval of the run's quantiles.

    Notes
    -----
    Rows assume that error and posterior variance fall as one over the number of rows, which is
    exact for a mean with a flat prior and first order for regular models; with an informative prior
    the scale is compressed. Ratios of means carry a bias of order 1 / replicates. The binomial
    limits are conservative, and cover one cell at a time.

    References
    ----------
    .. [1] Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.accumulate(),
    ...     n_real=20, generations=3, replicates=8,
    ... ).run(progress=False)
    >>> bc.information(run)["rows_claimed"].values[0, :, 0].round(6).tolist()
    [20.0, 40.0, 60.0]
    """
    mean, sd = cells_of(run, "mean", var_names), cells_of(run, "sd", var_names)
    truth = truth_of(run, mean)
    out = _claimed(sd)
    missing: list[str] = []
    out |= _coverage(run, var_names, truth, _intervals(run, probability), missing)
    out |= _rows(run, mean, sd, truth, missing)
    return xr.Dataset(out, attrs={"missing": "; ".join(missing)})


def _claimed(sd: xr.DataArray) -> dict[str, xr.DataArray]:
    mean, error = mean_and_error(sd.to_numpy(), sd.dims.index("replicate"))
    median = sd.median("replicate", skipna=False)
    values = {"claimed_sd": mean, "claimed_sd_mcse": error, "claimed_sd_median": median.to_numpy()}
    attrs = {"long_name": "posterior sd", "units": "units of the parameter"}
    return {name: median.copy(data=value).assign_attrs(attrs) for name, value in values.items()}


def _intervals(run: xr.DataTree, probability: float | None) -> list[tuple[float, str, str]]:
    found = central_intervals(run)
    if probability is None:
        return found
    chosen = [entry for entry in found if abs(entry[0] - probability) < 1e-9]
    if not chosen:
        raise ValueError(
            f"probability must be one of {[entry[0] for entry in found]}, the central "
            f"intervals that the run's quantiles form, got {probability!r}: choose one, or run the "
            "experiment with the two quantiles in probabilities="
        )
    return chosen


def _coverage(
    run: xr.DataTree,
    var_names: str | Sequence[str] | None,
    truth: xr.DataArray | None,
    intervals: list[tuple[float, str, str]],
    missing: list[str],
) -> dict[str, xr.DataArray]:
    if truth is None:
        missing.append("coverage: the run has no truth (give the source a truth=)")
    elif not intervals:
        missing.append("coverage: the run holds no pair of quantiles (give probabilities=)")
    if truth is None or not intervals:
        return {}
    hits, known = [], []
    for _, lower, upper in intervals:
        low, high = cells_of(run, lower, var_names), cells_of(run, upper, var_names)
        hits.append(((low <= truth) & (truth <= high)).sum("replicate"))
        known.append((low.notnull() & high.notnull() & truth.notnull()).all("replicate"))
    nominal = xr.Variable("interval", [entry[0] for entry in intervals])
    return _shares(xr.concat(hits, nominal), xr.concat(known, nominal), truth.sizes["replicate"])


def _shares(hits: xr.DataArray, known: xr.DataArray, trials: int) -> dict[str, xr.DataArray]:
    hits = hits.transpose("scheme", "generation", "parameter", "interval")
    low, high = binomial_interval(hits.to_numpy(), trials)
    values = {
        "coverage": hits / trials,
        "coverage_low": hits.copy(data=low),
        "coverage_high": hits.copy(data=high),
    }
    attrs = {"long_name": "share of replicates whose interval holds the truth", "units": "1"}
    order = hits.dims
    return {
        name: value.where(known).transpose(*order).assign_attrs(attrs)
        for name, value in values.items()
    }


def _rows(
    run: xr.DataTree,
    mean: xr.DataArray,
    sd: xr.DataArray,
    truth: xr.DataArray | None,
    missing: list[str],
) -> dict[str, xr.DataArray]:
    sd_real = like_run(run, "reference/real_only", "sd", sd)
    mean_real = like_run(run, "reference/real_only", "mean", mean)
    if sd_real is None or mean_real is None:
        missing.append(
            "rows_worth, rows_claimed, certainty: the run has no fits of real rows alone (give "
            "references=('real_only',))"
        )
        return {}
    counts = real_rows(run, mean["generation"].values.tolist())
    variance, variance_real = sd**2, sd_real**2
    out = {"n_real": counts.assign_attrs(units="real rows")}
    out |= _ratio("rows_claimed", [variance_real], [variance], counts)
    if truth is None:
        missing.append("rows_worth, certainty: the run has no truth (give the source a truth=)")
        return out
    error, error_real = (mean - truth) ** 2, (mean_real - truth) ** 2
    out |= _ratio("rows_worth", [error_real], [error], counts)
    return out | _ratio("certainty", [variance_real, error], [variance, error_real], None)


def _ratio(
    name: str,
    tops: Sequence[xr.DataArray],
    bottoms: Sequence[xr.DataArray],
    counts: xr.DataArray | None,
) -> dict[str, xr.DataArray]:
    order = ("scheme", "replicate", "generation", "parameter")
    arrays = [a.transpose(*order) for a in xr.broadcast(*tops, *bottoms)]
    split = len(tops)
    value, error = ratio_and_error(
        [a.to_numpy() for a in arrays[:split]], [a.to_numpy() for a in arrays[split:]], 1
    )
    like = arrays[0].isel(replicate=0, drop=True)
    scale = xr.ones_like(like) if counts is None else counts
    units = "1" if counts is None else "equivalent real rows"
    parts = {name: value, f"{name}_mcse": np.asarray(error)}
    return {
        label: (like.copy(data=part) * scale).transpose(*like.dims).assign_attrs(units=units)
        for label, part in parts.items()
    }
