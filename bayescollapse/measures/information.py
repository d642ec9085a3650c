"""Information: what a generation's posterior knows, and what it claims to know."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from bayescollapse.measures.coverage import chosen_intervals, interval_coverage
from bayescollapse.measures.kernels import mean_and_error
from bayescollapse.measures.layout import cells_of, truth_of
from bayescollapse.measures.worth import row_worth

__all__ = ["rows_and_coverage"]


def rows_and_coverage(
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
    >>> from bayescollapse.measures import rows_and_coverage
    >>> rows_and_coverage(run)["rows_claimed"].values[0, :, 0].round(6).tolist()
    [20.0, 40.0, 60.0]
    """
    mean, sd = cells_of(run, "mean", var_names), cells_of(run, "sd", var_names)
    truth = truth_of(run, mean)
    out = _claimed(sd)
    missing: list[str] = []
    intervals = chosen_intervals(run, probability)
    out |= interval_coverage(run, var_names, truth, intervals, missing)
    out |= row_worth(run, mean, sd, truth, missing)
    return xr.Dataset(out, attrs={"missing": "; ".join(missing)})


def _claimed(sd: xr.DataArray) -> dict[str, xr.DataArray]:
    mean, error = mean_and_error(sd.to_numpy(), sd.dims.index("replicate"))
    median = sd.median("replicate", skipna=False)
    values = {"claimed_sd": mean, "claimed_sd_mcse": error, "claimed_sd_median": median.to_numpy()}
    attrs = {"long_name": "posterior sd", "units": "units of the parameter"}
    return {name: median.copy(data=value).assign_attrs(attrs) for name, value in values.items()}
