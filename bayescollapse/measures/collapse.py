"""Which collapse happened: every published definition, with its threshold and its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.measures.definitions import DEFINITIONS, Definition, Thresholds
from bayescollapse.measures.evidence import Evidence
from bayescollapse.measures.findings import FINDERS, Finding, Material
from bayescollapse.measures.kernels import binomial_interval
from bayescollapse.measures.layout import group, has_group
from bayescollapse.measures.predictive import predictive_cells
from bayescollapse.measures.risk import lineage_risk

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["collapse"]

Floats = NDArray[np.float64]
WORDS = {
    "verdict": "whether it happened",
    "happened": "whether the whole interval lies beyond the threshold",
    "statistic": "what is compared with the threshold",
    "low": "lower limit of the statistic",
    "high": "upper limit of the statistic",
    "threshold": "threshold",
    "rate": "share of lineages in which it happened",
    "rate_low": "lower limit of the share of lineages",
    "rate_high": "upper limit of the share of lineages",
}
NAMES = tuple(name for name in WORDS if name != "verdict")


def collapse(
    run: xr.DataTree,
    *,
    experiment: Experiment | None = None,
    larger: xr.DataTree | None = None,
    var_names: str | Sequence[str] | None = None,
    risk: str | None = None,
    probability: float = 0.95,
    **thresholds: float,
) -> xr.Dataset:
    r"""Tell which definitions of collapse a run meets.

    ================== ============================================================================
    definition         statistic, and when it happened
    ================== ============================================================================
    catastrophic_rise  mean risk over generation 0's mean risk, in the generation whose ratio has
                       the highest lower limit: above ``catastrophic_factor``
    any_rise           the same: above 1
    divergence         late growth of the risk: exponent above ``growth_exponent``
    variance_collapse  median over lineages of the emitted rows' sd over generation 0's: below
                       ``sd_ratio``
    scaling_change     exponent of the risk in rows minus that of real rows: farther from 0 than
                       ``scaling_gap``
    mode_loss          share of lineages that lost a mode since generation 0: above ``lineages``
    tail_loss          the same for both tails together, or rare categories
    hallucination      share of emitted rows far from every real row: above ``far_share``
    false_certainty    coverage of the widest interval: below nominal by more than
                       ``coverage_gap``
    ================== ============================================================================

    A definition is said to have happened where the *whole interval* of its statistic lies beyond
    the threshold. It is said of the last generation, unless the table says otherwise.

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    experiment : Experiment, optional
        The experiment of the run: lineages are run again for their rows where these were not kept.
    larger : DataTree, optional
        Run of the same experiment with more rows a generation, for ``scaling_change``: the same
        source, schemes, generations and fits.
    var_names : str or sequence of str, optional
        Parameters whose errors make the risk, and whose coverage counts; all if not given.
    risk : {"error", "held_out"}, optional
        What the risk is: squared error of the posterior mean, each parameter's in units of its
        posterior variance at generation 0 (mean over replicates), averaged over parameters; or
        held-out loss in nats per row since generation 0. The error where the truth is known, if
        not given. Of every cell it is :func:`~bayescollapse.measures.risk.lineage_risk`.
    probability : float, default 0.95
        Level of the intervals, above 0 and below 1.
    **thresholds : float
        Fields of :class:`~bayescollapse.measures.definitions.Thresholds`.

    Returns
    -------
    Dataset
        On (scheme, definition): ``verdict`` ("yes"; "no" where the whole interval lies on the other
        side of the threshold; "cannot tell" where it holds the threshold: more replicates would
        tell; "not measured"); ``happened`` (1 for "yes", missing if not measured, else 0);
        ``statistic`` with ``low`` and ``high``, ``threshold``, and ``rate``, the share of lineages
        in which it happened, with exact binomial limits ``rate_low`` and ``rate_high`` (missing
        where a definition speaks of no single lineage). ``attrs`` hold ``risk``, ``probability``
        and ``missing``: a reason, and what to do, for every definition that was not measured for
        some scheme.

    Raises
    ------
    TypeError
        If `run` or `larger` is no DataTree, or a threshold is unknown.
    ValueError
        If a threshold, `risk` or `probability` is out of range, `larger` is no result of an
        experiment, or the run does not have the `risk` that was asked for.

    Notes
    -----
    Where the population statistic lies at its threshold, a definition fires with probability (1 -
    `probability`) / 2 at most, as far as its interval holds; on the safe side of it more rarely.
    ``any_rise`` has its threshold at the null value, the others have theirs away from it. Where
    nothing happens, and errors are Gaussian, ``any_rise`` fires in 2.5 % of runs at most (measured:
    0.1 to 1.5 % with 2 to 100 replicates); ``divergence`` in 5 % with six generations and 2 to 5
    replicates, 2.3 % with 20, 0.9 % with 100; ``tail_loss`` in 1.3 % with 6 replicates of 10 rows,
    fewer with others, and in none of 8,000 with 2 or 3; the others practically never. Nothing
    corrects for nine definitions or for many schemes. Intervals of the risk treat means over
    replicates as Gaussian, and those of ``divergence`` and ``scaling_change`` are too narrow where
    few lineages carry the mean, as when variances explode.

    The statistic of the two rises is the ratio of means over replicates (the difference, where risk
    is the held-out loss) in one generation, and not the largest one if that is less certain. It is
    biased upwards, since its generation is chosen for its rise; the interval is that of the largest
    rise of any generation: see :func:`~bayescollapse.measures.evidence.largest_rise`.

    ``rate`` counts what the lineages show, chance included: with 20 rows many a lineage lacks
    tails that it never lost. The statistics of ``mode_loss`` and ``tail_loss`` are net of
    generation 0's. A lineage that loses one of its tails keeps half of the mass of both, and is not
    counted by ``tail_loss``: the ``emitted_quantile_shift`` of
    :func:`~bayescollapse.measures.predictive.predictive_drift` tells the sides apart.

    Limits of shares are cut at the ends of their range, and have a width even where all lineages
    agree (:func:`~bayescollapse.measures.evidence.mean_evidence`). The sd of integers is that of
    their codes; a range of generations is all that ``divergence`` knows.

    References
    ----------
    .. [1] Schaeffer et al. (2025), Position: model collapse does not mean what you think,
       arXiv:2503.03150.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.measures.collapse import collapse
    >>> from bayescollapse.models import gaussian
    >>> run = bc.Experiment(
    ...     gaussian.estimator(), bc.Truth(mu=0.0, sigma=1.0),
    ...     bc.schemes.replace(emission="plug-in(unbiased)"),
    ...     n_real=10, generations=60, replicates=40, keep_draws=0,
    ... ).run(progress=False)
    >>> found = collapse(run).sel(definition="variance_collapse")
    >>> float(found["happened"].item())
    1.0
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must lie above 0 and below 1, got {probability!r}")
    known = {entry.name for entry in fields(Thresholds)}
    unknown = sorted(set(thresholds) - known)
    if unknown:
        raise TypeError(f"unknown thresholds {unknown}: allowed are {sorted(known)}")
    limits = Thresholds(**thresholds)
    _check_larger(larger)
    known_risk = lineage_risk(run, kind=risk, var_names=var_names)
    cells = predictive_cells(
        run, experiment=experiment, rare=limits.rare, tail=limits.tail, kept=limits.kept
    )
    material = Material(run, larger, var_names, known_risk, cells, limits, probability)
    found = {entry.name: FINDERS[entry.name](material) for entry in DEFINITIONS}
    summary = group(run, "summary", needed_for="collapse")
    out = _dataset(summary["scheme"].to_numpy(), found, probability)
    trials = summary.sizes["replicate"]
    reasons = [_unknown(out.sel(definition=name), found[name], trials) for name in found]
    return out.assign_attrs(
        missing="; ".join(filter(None, reasons)),
        risk="unknown" if known_risk is None else known_risk.kind,
        probability=probability,
    )


def _check_larger(larger: xr.DataTree | None) -> None:
    """Refuse what is no result of an experiment."""
    if larger is None:
        return
    advice = "pass the result of the same experiment with more rows a generation"
    if not isinstance(larger, xr.DataTree):
        raise TypeError(
            f"larger must be an xarray.DataTree or None, got {type(larger).__name__}: {advice}"
        )
    if "configuration" not in larger.attrs or not has_group(larger, "summary"):
        raise ValueError(
            "larger must be the result of an experiment, got a DataTree without its configuration "
            f"or its group 'summary': {advice}"
        )


def _unknown(entry: xr.Dataset, found: Finding | str, trials: int) -> str:
    """Why one definition cannot be told of some schemes, and what to do."""
    if isinstance(found, str):
        return found
    name, unknown = entry["definition"].item(), entry["happened"].isnull().to_numpy()
    if found.note or not unknown.any():
        return found.note
    # More replicates give an interval to a statistic that is there, but no statistic.
    few = (trials < found.enough) & unknown & entry["statistic"].notnull().to_numpy()
    reasons = [_too_few(name, trials, found.enough)] if few.any() else []
    if (unknown & ~few).any():
        schemes = entry["scheme"].to_numpy()[unknown & ~few].tolist()
        reasons.append(
            f"{name}: replicates of {schemes} have no finite value (no such rows, too few of them, "
            "or fits without moments: see bc.drift and bc.diagnose)"
        )
    return "; ".join(reasons)


def _too_few(name: str, trials: int, enough: int) -> str:
    counted = "1 replicate is" if trials == 1 else f"{trials} replicates are"
    return (
        f"{name}: {counted} too few for an interval (run the experiment with "
        f"replicates={enough} or more)"
    )


def _dataset(
    schemes: NDArray[np.str_], found: dict[str, Finding | str], probability: float
) -> xr.Dataset:
    shape = (schemes.size, len(DEFINITIONS))
    values = {name: np.full(shape, np.nan) for name in NAMES}
    verdict = np.full(shape, "not measured")
    for i, entry in enumerate(DEFINITIONS):
        finding = found[entry.name]
        if isinstance(finding, str):
            continue
        verdict[:, i] = _verdict(finding.evidence, finding.threshold, entry)
        for name, value in _columns(finding, probability).items():
            values[name][:, i] = value
    measured = np.where(verdict == "yes", 1.0, 0.0)
    values["happened"] = np.where(verdict == "not measured", np.nan, measured)
    coords = {
        "scheme": schemes,
        "definition": [entry.name for entry in DEFINITIONS],
        "words": ("definition", [entry.words for entry in DEFINITIONS]),
        "compared": ("definition", [entry.statistic for entry in DEFINITIONS]),
    }
    columns = {"verdict": verdict, **values}
    data = {n: (("scheme", "definition"), v, {"long_name": WORDS[n]}) for n, v in columns.items()}
    return xr.Dataset(data, coords=coords)


def _columns(finding: Finding, probability: float) -> dict[str, Floats]:
    evidence, threshold = finding.evidence, finding.threshold
    columns = {
        "statistic": evidence.value,
        "low": evidence.low,
        "high": evidence.high,
        "threshold": np.full(evidence.value.shape, threshold),
    }
    if finding.lineages is None:
        return columns
    count, trials = finding.lineages.sum(axis=1), finding.lineages.shape[1]
    known = ~np.isnan(count)
    low, high = binomial_interval(np.where(known, count, 0), trials, probability=probability)
    rates = {"rate": count / trials, "rate_low": low, "rate_high": high}
    return columns | {name: np.where(known, value, np.nan) for name, value in rates.items()}


def _verdict(evidence: Evidence, threshold: float, entry: Definition) -> NDArray[np.str_]:
    _, low, high = evidence
    yes, no = {
        "above": (low > threshold, high <= threshold),
        "below": (high < threshold, low >= threshold),
        "beyond": (
            (low > threshold) | (high < -threshold),
            (low >= -threshold) & (high <= threshold),
        ),
    }[entry.side]
    unknown = np.isnan(low) | np.isnan(high)
    return np.select([unknown, yes, no], ["not measured", "yes", "no"], "cannot tell")
