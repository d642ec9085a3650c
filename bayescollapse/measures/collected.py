"""What ``bc.drift`` and ``bc.information`` return: the measures of all topics on one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import xarray as xr

from bayescollapse.measures.accuracy import posterior_accuracy
from bayescollapse.measures.drift import moment_drift
from bayescollapse.measures.entropy import posterior_entropy
from bayescollapse.measures.mutual import mutual_information
from bayescollapse.measures.posterior import posterior_drift
from bayescollapse.measures.predictive import predictive_drift
from bayescollapse.measures.ranks import truth_ranks
from bayescollapse.measures.registry import LackingError

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["drift", "information"]

LINEAGES = 10
"""Fewest lineages from which the mutual information of two generations is estimated."""


def drift(
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    reference: str | None = None,
    from_draws: bool = False,
    experiment: Experiment | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Measure how far each generation has moved: its posterior, and what it predicts.

    Every measure is computed within each replicate and then reduced over replicates to its mean
    (``<name>``), the Monte Carlo standard error of that mean (``<name>_mcse``) and its median
    (``<name>_median``). A mean can stay constant while every lineage collapses: read both.

    - :func:`~.drift.moment_drift`: from generation 0 and the truth, by mean and sd;
    - :func:`~.posterior.posterior_drift`: from `reference`, by parameter and jointly, mostly from
      draws;
    - :func:`~.predictive.predictive_drift`: of predictions and of emitted rows.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    reference : {"first", "truth", "real_only", "real_seen", "real_plus"}, optional
        What the second and third group compare with: generation 0 if not given, and real rows for
        what is counted over emitted rows.
    from_draws : bool, default False
        Compute the Wasserstein distances of the first group from the kept draws.
    experiment : Experiment, optional
        The experiment that made the run, for measures that need rows it did not keep or the density
        of the truth.
    progress : bool, default True
        Show a bar where draws of many cells are compared.

    Returns
    -------
    Dataset
        Variables on (scheme, generation) with ``parameter``, ``response`` or neither. Attributes
        say what a measure is, its units and its ``reference``; ``attrs["missing"]`` says which
        measures the run cannot give, and how to get them.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If a parameter or reference is unknown, or `from_draws` is asked of a run without draws.

    Notes
    -----
    ``bc.measures.table()`` lists the measures with units, range, bias and source.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=3, replicates=4,
    ... ).run(progress=False)
    >>> bc.drift(run, progress=False)["kl_first"].isel(generation=0).values.tolist()
    [[0.0]]
    """
    moments = moment_drift(run, var_names=var_names, from_draws=from_draws)
    posterior = posterior_drift(
        run, reference=reference or "first", var_names=var_names, progress=progress
    )
    predictive = predictive_drift(
        run, reference=reference, experiment=experiment, progress=progress
    )
    out = _joined([moments, posterior, predictive])
    if reference is None:  # groups have references of their own, and variables say which
        del out.attrs["reference"]
    return out


def information(
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    probability: float | None = None,
    reference: str = "real_only",
    experiment: Experiment | None = None,
) -> xr.Dataset:
    """Measure what each generation's posterior knows, and what it claims to know.

    - :func:`~.accuracy.posterior_accuracy`: accuracy against claim, coverage, rows worth and
      claimed;
    - :func:`~.entropy.posterior_entropy`: entropy, gain, and information lost;
    - :func:`~.mutual.mutual_information`: of the posterior means of generation 0 and generation t
      (names begin with ``first_``; ten lineages or more), and of the truth and the posterior mean;
    - :func:`~.ranks.truth_ranks`: calibration, generation by generation.

    Figures about the truth in the last two need one of its own in every replicate, and ranks one
    from the learner's own prior: ``bc.Truth.from_prior()``.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    probability : float, optional
        Central interval whose coverage is measured, above 0 and below 1; every one that the run's
        quantiles allow if not given.
    reference : {"real_only", "real_seen", "real_plus", "first"}, default "real_only"
        Posterior that rows worth and claimed, shares and losses compare with.
    experiment : Experiment, optional
        The experiment that made the run, for the density of its prior.

    Returns
    -------
    Dataset
        On (scheme, generation, parameter), coverage with ``interval``; joint measures without
        ``parameter``. ``attrs["missing"]`` says which measures the run cannot give, and how to get
        them. Standard errors end in ``_mcse``, limits in ``_low`` and ``_high``.

    Raises
    ------
    TypeError
        If `run` is no DataTree.
    ValueError
        If a parameter is unknown, or `probability` is no interval of the run's quantiles.

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
    parts = [
        posterior_accuracy(run, var_names=var_names, probability=probability, reference=reference),
        posterior_entropy(run, var_names=var_names, experiment=experiment, reference=reference),
    ]
    missing = []
    for make in (_about_first, mutual_information, truth_ranks):
        try:
            parts.append(make(run, var_names=var_names))
        except LackingError as lack:
            missing.append(str(lack))
    out = _joined(parts, missing).drop_vars("rank", errors="ignore")
    out.attrs.pop("about", None)  # variables say what they are about
    return out


def _about_first(run: xr.DataTree, *, var_names: str | Sequence[str] | None) -> xr.Dataset:
    """Mutual information with generation 0, under names of its own."""
    lineages = run["summary"].sizes["replicate"]
    if lineages < LINEAGES:
        raise LackingError(
            f"first_mutual_information: it is estimated from {LINEAGES} lineages or more, and the "
            f"run has {lineages} (run the experiment with replicates={LINEAGES} or more)"
        )
    first = mutual_information(run, about="first", var_names=var_names)
    first.attrs.clear()  # what the other one is about: variables say what they are
    return first.rename({name: f"first_{name}" for name in first.data_vars})


def _joined(parts: Sequence[xr.Dataset], missing: Sequence[str] = ()) -> xr.Dataset:
    """All variables of several datasets, each once; what is missing in any is missing."""
    out = parts[0]
    attrs = dict(out.attrs)
    for part in parts[1:]:
        new = [name for name in part.data_vars if name not in out.data_vars]
        out = xr.merge([out, part[new]], compat="equals", join="exact", combine_attrs="override")
        attrs = {**part.attrs, **attrs}
    found = [str(part.attrs.get("missing", "")) for part in parts]
    notes = dict.fromkeys(note for note in (*found, *missing) if note)
    return out.assign_attrs({**attrs, "missing": "; ".join(notes)})
