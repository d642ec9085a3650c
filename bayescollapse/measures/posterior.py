"""Posterior drift: divergences of every generation's posterior from a reference."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from bayescollapse.measures.drift import over_replicates
from bayescollapse.measures.labels import compared_with, words_of
from bayescollapse.measures.layout import cells_of
from bayescollapse.measures.posterior_draws import Comparison, compare_draws
from bayescollapse.measures.posterior_table import (
    MOMENTS,
    POSTERIOR_MEASURES,
    allowed,
    check_permutations,
    chosen,
)
from bayescollapse.measures.references import reference_moments
from bayescollapse.measures.registry import lacking

__all__ = ["posterior_drift"]

WORDS = words_of(POSTERIOR_MEASURES.values())


def posterior_drift(
    run: xr.DataTree,
    *,
    reference: str = "first",
    var_names: str | Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    permutations: int = 0,
    seed: int = 0,
    progress: bool = True,
) -> xr.Dataset:
    r"""Measure how far each generation's posterior lies from a reference posterior.

    Every measure is computed within each replicate and then reduced over replicates to its mean
    (``<name>``), the Monte Carlo standard error of that mean (``<name>_mcse``) and its median
    (``<name>_median``). Values are 0 where nothing has changed, 1 for ``sd_ratio``; those from
    moments only if summaries are in closed form (see Notes).

    ======================== ==================================================================
    per parameter            from means and sds
    ======================== ==================================================================
    shift_sds                shift of the mean in sds of the reference
    sd_ratio                 sd over that of the reference
    gaussian_kl              Kullback-Leibler divergence of Gaussians with these moments, nats
    gaussian_hellinger       Hellinger distance between Gaussians with these moments
    gaussian_wasserstein     order-2 distance between Gaussians with these moments
    wasserstein              from draws, order 2, in units of the parameter; biased upwards
    squared_hellinger        from draws, squared Hellinger distance, corrected for its bias
    ======================== ==================================================================

    ======================== ==================================================================
    all parameters jointly   from draws, in sds of generation 0's posterior
    ======================== ==================================================================
    sliced_wasserstein       order 2, over fixed directions; biased upwards
    energy_distance          unbiased, twice the mean distance between minus those within
    kl_moments               Gaussian divergence, unbiased for Gaussians, nats
    maximum_mean_discrepancy unbiased, squared, Gaussian kernel; only if named
    kl_neighbours            by nearest neighbours, nats; slow, only if named
    ======================== ==================================================================

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    reference : str, default "first"
        ``"first"`` (generation 0), ``"truth"``, or a reference of the run: ``"real_only"``,
        ``"real_seen"``, ``"real_plus"``. The truth is a point: measures from moments compare with
        generation 0's posterior moved to the truth, distances from draws with the point itself.
        Joint measures are in sds of generation 0 whatever the reference.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    measures : sequence of str, optional
        Names of measures; those above that the run allows, without the two that are only computed
        if named, if not given.
    permutations : int, default 0
        Random deals behind ``wasserstein_null`` and ``sliced_wasserstein_null``, the point that the
        mean over replicates of a distance that is biased upwards stays below with probability .99
        if nothing has changed: 0 for none, otherwise 99 or more. Each costs as much as the distance
        itself. Not from the truth, which has no draws to exchange.
    seed : int, default 0
        Seed of the deals; those of a measure do not depend on which others are named.
    progress : bool, default True
        Whether a long comparison shows how far it is.

    Returns
    -------
    Dataset
        On (scheme, generation, parameter), or (scheme, generation) for joint measures.
        Attributes say what a measure is, its units and its ``reference``; ``attrs["missing"]`` says
        which measures the run cannot give, and why. Replicates are never dropped: a missing value
        in one makes its mean missing. With a single replicate ``attrs["errors"]`` says whose
        ``_mcse`` comes from its draws.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If a name is unknown, a measure is named that the run cannot give, or permutations would
        give no null.

    Notes
    -----
    Measures from moments are biased upwards where summaries come from sampled draws. From n draws
    each of one Gaussian, n = 200, 500 and 1,000: ``gaussian_kl`` .010, .004 and .002 (2 / n),
    ``gaussian_hellinger`` .044, .028 and .020, ``gaussian_wasserstein`` .107, .069 and .048 sds.
    They have no permutation null, since summaries are from all draws and the run keeps some.

    With a single replicate, measures from draws have the blocked jackknife error over its draws for
    ``<name>_mcse``: how far other draws from the same posteriors would have led, and not how far
    other data. It was 0.8 to 1.9 times the sd of measures of 100 and 400 Gaussian draws (squared
    Hellinger: 1.6 to 3.3 times), at most where nothing had changed.

    Generation 0 is at distance exactly 0 from itself. Draws of two generations are taken as
    independent, and kept draws as unrelated; repeated ones are allowed for, and told from those of
    atoms, such as integers, by whether the reference has them too. Unbiased measures fall
    below 0 by chance, so that their means over replicates are right: do not truncate them. A joint
    measure is missing where generation 0 has a parameter without spread. Range, symmetry,
    invariance, bias and source of each are in ``bayescollapse.measures.registry.table()``.

    References
    ----------
    .. [1] Szekely and Rizzo (2013), doi:10.1016/j.jspi.2013.03.018.
    .. [2] Bonneel, Rabin, Peyre and Pfister (2015), doi:10.1007/s10851-014-0506-3.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.measures import posterior_drift
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=3, replicates=4,
    ... ).run(progress=False)
    >>> out = posterior_drift(run, measures=["sd_ratio", "energy_distance"])
    >>> out["energy_distance"].dims, out["energy_distance"].values[0, 0].item()
    (('scheme', 'generation'), 0.0)
    """
    names = chosen(measures, reference)
    check_permutations(permutations, names, reference)
    mean, sd = cells_of(run, "mean", var_names), cells_of(run, "sd", var_names)
    moments = reference_moments(run, reference, mean, sd)
    if moments is None:
        raise ValueError(lacking(f"distances from {reference}", reference))
    possible, missing = allowed(run, names, reference, mean.sizes["parameter"])
    if missing and measures is not None:
        raise ValueError("; ".join(missing))
    task = Comparison(run, reference, var_names, permutations, seed)
    drawn = [name for name in possible if name not in MOMENTS]
    found = compare_draws(task, drawn, mean, sd, progress=progress)
    cells = _from_moments(possible, mean, sd, moments) | found.values
    out = over_replicates({name: cells[name] for name in possible}, WORDS).assign(found.nulls)
    out = compared_with(out, dict.fromkeys(possible, reference))
    out = out.assign_attrs(reference=reference, missing="; ".join(missing))
    return _with_errors(out, found.errors)


def _with_errors(out: xr.Dataset, errors: dict[str, xr.DataArray]) -> xr.Dataset:
    """Put errors over draws in the place of those over replicates, of which there is one."""
    for name, error in errors.items():
        meaning, units = WORDS[name]
        attrs = {"long_name": f"{meaning}: jackknife standard error over draws", "units": units}
        out[f"{name}_mcse"] = error.isel(replicate=0, drop=True).assign_attrs(attrs)
    if errors:
        out.attrs["errors"] = f"over draws of the one replicate: {', '.join(errors)}"
    return out


def _from_moments(
    names: list[str],
    mean: xr.DataArray,
    sd: xr.DataArray,
    moments: tuple[xr.DataArray, xr.DataArray],
) -> dict[str, xr.DataArray]:
    arrays = [a.transpose(*mean.dims) for a in xr.broadcast(mean, sd, *moments)]
    values = [a.to_numpy() for a in arrays]
    return {n: mean.copy(data=MOMENTS[n](*values)) for n in names if n in MOMENTS}
