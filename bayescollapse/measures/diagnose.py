"""Gate figures of a run: how well the posteriors behind it were drawn."""

from __future__ import annotations

import xarray as xr

from bayescollapse.measures.layout import group, has_group

__all__ = ["diagnose"]


def diagnose(run: xr.DataTree) -> xr.Dataset:
    """Summarise the sampling checks of a run by scheme and generation.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.

    Returns
    -------
    Dataset
        On (scheme, generation), over replicates: ``fits``, ``failed`` (fits that did not pass
        their checks, kept in the run), ``retried`` (fits that took more than one attempt),
        ``worst_rhat``, ``smallest_ess_bulk`` and ``smallest_ess_tail`` (effective draws of the
        worst parameter and replicate), ``divergences`` (total). Exact posteriors have no R-hat or
        effective sample size, which are missing then. Runs by Laplace also have ``checked`` (fits
        whose Pareto k was worked out), ``worst_pareto_k`` (before a refit; inf where no mode was
        found) and ``refitted`` (fits that NUTS took over). ``short`` counts the replicates whose
        selection found too few rows among those that the generation emitted. ``attrs["method"]`` is
        how posteriors were drawn.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If the run has no sampling statistics.

    Notes
    -----
    The worst R-hat of many good fits exceeds 1.01 by chance; what counts is ``failed``, which
    compares each fit with what converged chains of its effective size show.

    References
    ----------
    .. [1] Vehtari et al. (2021), doi:10.1214/20-BA1221.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.pooled(),
    ...     n_real=20, generations=2, replicates=4,
    ... ).run(progress=False)
    >>> bc.diagnose(run)["fits"].values.tolist()
    [[4, 4]]
    """
    stats = group(run, "sample_stats", needed_for="bc.diagnose")
    done = stats["attempts"].notnull()
    out = xr.Dataset(
        {
            "fits": done.sum("replicate"),
            "failed": (done & ~(stats["passed"] == 1)).sum("replicate"),
            "retried": (stats["attempts"] > 1).sum("replicate"),
            "worst_rhat": stats["rhat"].max("replicate"),
            "smallest_ess_bulk": stats["ess_bulk"].min("replicate"),
            "smallest_ess_tail": stats["ess_tail"].min("replicate"),
            "divergences": stats["divergences"].sum("replicate").astype(int),
        }
    )
    if "pareto_k" in stats:
        out = out.assign(
            refitted=(stats["refitted"] == 1).sum("replicate"),
            checked=stats["pareto_k"].notnull().sum("replicate"),
            worst_pareto_k=stats["pareto_k"].max("replicate"),
        )
    if has_group(run, "training") and "short" in run["training"]:
        short = run["training"]["short"]
        out = out.assign(short=(short.astype(float) == 1).sum("replicate"))
    return out.assign_attrs(method=str(stats.attrs.get("method", run.attrs.get("method", ""))))
