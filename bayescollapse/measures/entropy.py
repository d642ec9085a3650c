"""Entropy of posteriors: what they claim to know, and what they really say about the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import xarray as xr

from bayescollapse._checks import integer
from bayescollapse.measures.entropy_cells import (
    about_truth,
    normal_entropy,
    prior_gains,
    shares_of,
)
from bayescollapse.measures.entropy_draws import dependent_entries, draw_entropies
from bayescollapse.measures.entropy_errors import Cells, with_errors
from bayescollapse.measures.labels import compared_with, labelled, words_of
from bayescollapse.measures.layout import LEAD, cells_of, has_group, truth_of
from bayescollapse.measures.priors import PriorFigures, heavy_tails, prior_draws
from bayescollapse.measures.references import check_reference, reference_moments
from bayescollapse.measures.registry import KNOWING, Measure, lacking

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["MEASURES", "posterior_entropy"]

ESTIMATORS = ("normal", "nearest neighbours")

COVER = "Cover and Thomas (2006), doi:10.1002/047174882X"
NORMAL = "that of a normal with the same moments, an upper bound for other laws"
POSTERIOR = "densities are those of normals with the posterior's moments"
GAIN = (
    "entropies of normals with the same moments: too high by what the prior's own falls short of "
    "its normal's, too low by what the posterior's does"
)
EQUAL = "equal to {} by normals, if truths are drawn from the prior"
GOOD = "Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x; differences of expected log densities"


def _measure(
    name: str,
    meaning: str,
    needs: tuple[str, ...],
    null: float | str,
    *,
    units: str = "nats",
    invariant: bool | str = "affine",
    bias: str = "densities are those of normals with the same moments, the prior's too",
    source: str = GOOD,
) -> Measure:
    compared = name.startswith("share_") or name == "lost_to_reference"
    return Measure(
        name=name,
        question="information",
        meaning=meaning,
        units=units,
        lowest=-float("inf"),
        highest=float("inf"),
        symmetric=False,
        invariant=invariant,
        needs=needs,
        references=KNOWING if compared else (),
        null=null,
        bias=bias,
        source=source,
    )


MEASURES = (
    _measure(
        "entropy",
        "entropy of the posterior margin",
        ("summary",),
        "that of generation 0",
        invariant="translation",
        bias=NORMAL,
        source=COVER,
    ),
    _measure(
        "information_gain",
        "entropy of the prior minus that of the posterior",
        ("prior",),
        "that of generation 0",
        bias=GAIN,
        source=COVER,
    ),
    _measure(
        "information_known",
        "log density of the truth, posterior over prior",
        ("prior", "truth"),
        EQUAL.format("information_gain"),
    ),
    _measure(
        "share_claimed",
        "information gain over that of the reference",
        ("prior", "real_only"),
        1.0,
        units="1",
        bias=GAIN,
        source=COVER,
    ),
    _measure(
        "share_kept",
        "information known over that of the reference",
        ("prior", "truth", "real_only"),
        1.0,
        units="1",
    ),
    _measure(
        "lost_to_reference",
        "log density of the truth, reference over this one",
        ("truth", "real_only"),
        0.0,
        bias=POSTERIOR,
    ),
    _measure(
        "lost_per_generation",
        "log density of the truth lost since the generation before",
        ("truth",),
        0.0,
        bias=POSTERIOR,
    ),
    _measure(
        "joint_entropy",
        "entropy of the posterior of all parameters",
        ("draws",),
        "that of generation 0",
        invariant="translation",
        bias=NORMAL,
        source=COVER,
    ),
    _measure(
        "joint_gain",
        "joint entropy of the prior minus that of the posterior",
        ("draws", "prior"),
        "that of generation 0",
        bias=GAIN,
        source=COVER,
    ),
    _measure(
        "joint_known",
        "joint log density of the truth, posterior over prior",
        ("draws", "prior", "truth"),
        EQUAL.format("joint_gain"),
    ),
)

WORDS = words_of(MEASURES)


def posterior_entropy(
    run: xr.DataTree,
    *,
    var_names: str | Sequence[str] | None = None,
    experiment: Experiment | None = None,
    reference: str = "real_only",
    estimator: str = "normal",
    neighbours: int = 4,
    draws: int = 4000,
    progress: bool = False,
) -> xr.Dataset:
    r"""Measure the entropy of posteriors, and the information that they claim and really have.

    =================== ==========================================================================
    variable            meaning, in nats; q is a posterior density, p the prior's
    =================== ==========================================================================
    entropy             :math:`H(q_t)`: falls as the posterior narrows, right or wrong
    information_gain    :math:`H(p) - H(q_t)`: what the posterior *claims* to have learnt
    information_known   :math:`E[\log q_t(\theta^*) - \log p(\theta^*)]`: what it *has* learnt of
                        the truth. Over truths drawn from the prior it is equal to the gain (by
                        normals) if it is calibrated, less if it is not; below 0 where the prior
                        knew more
    share_claimed       information_gain over that of the reference, both by normals
    share_kept          information_known over that of the reference
    lost_to_reference   :math:`E[\log q_{ref}(\theta^*) - \log q_t(\theta^*)]`, without a prior
    lost_per_generation :math:`E[\log q_{t-1}(\theta^*) - \log q_t(\theta^*)]`; missing at
                        generation 0
    joint_entropy,      the first three for all parameters together, from the kept draws
    joint_gain,
    joint_known
    =================== ==========================================================================

    Parameters
    ----------
    run : DataTree
        Result of an experiment.
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries such as ``"beta[0]"``; all if not given.
    experiment : Experiment, optional
        The experiment of the run, whose model's prior is drawn from. Without it the truths are the
        draws of the prior, where the run drew a new one for every replicate.
    reference : {"real_only", "real_seen", "real_plus", "first"}, default "real_only"
        Posterior that shares and losses compare with: that of the generation's own real rows, of
        all seen so far, of n + m fresh ones, or generation 0's.
    estimator : {"normal", "nearest neighbours"}, default "normal"
        How entropies and gains are estimated: from means, sds and covariances, or, for posteriors
        of any form, from the kept draws. Shares, and log densities of the truth, are always those
        of normals.
    neighbours : int, default 4
        Neighbours of the second estimator.
    draws : int, default 4000
        Draws of the prior of an `experiment`, 2 or more.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    Dataset
        On (scheme, generation, parameter), joint ones on (scheme, generation): means over
        replicates, with ``_mcse`` and (but for shares) ``_median``. ``attrs["missing"]`` says what
        the run cannot give, and why.

    Raises
    ------
    TypeError
        If `experiment` is no bc.Experiment.
    ValueError
        If `reference` or `estimator` is unknown, the estimator needs draws that the run does not
        hold, the experiment did not make the run, or its prior is improper.

    Notes
    -----
    Normal entropies are upper bounds for other forms and depend on the scale: those of a standard
    deviation differ from those of its logarithm. Gains by normals bound neither side: they are too
    high where the prior is further from a normal than the posterior is, by 0.19 nats from a
    half-normal prior to a normal posterior; nearest neighbours see both as they are. Gains, shares
    and losses do not change with units.
    Joint figures correct the bias of finitely many independent draws exactly for normal posteriors;
    draws of a sampler should be nearly independent. They are left out where parameters determine
    one another linearly, as all entries of a simplex do: name all but one in `var_names`.

    ``_mcse`` includes the error of the prior's figures, to first order. Those of normals need a
    prior of finite variance (gains by nearest neighbours do not). Parameters whose prior draws,
    1,000 or more, have a Pareto k above 0.7 are missing in them and named in ``attrs["missing"]``;
    from fewer draws nothing is judged.

    References
    ----------
    .. [1] Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x.
    .. [2] Kozachenko and Leonenko (1987), Problems of Information Transmission 23, 95–101.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.measures import posterior_entropy
    >>> from bayescollapse.models import gaussian_mean
    >>> run = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.accumulate(),
    ...     n_real=20, generations=3, replicates=8,
    ... ).run(progress=False)
    >>> posterior_entropy(run)["entropy"].values[0, :, 0].round(3).tolist()
    [-0.079, -0.426, -0.628]
    """
    check_reference(reference, KNOWING)
    nearest = _nearest(run, estimator, neighbours)
    figures = (cells_of(run, name, var_names) for name in ("mean", "sd"))
    mean, sd = (figure.transpose(*LEAD, "parameter") for figure in figures)
    known = reference_moments(run, reference, mean, sd)
    truth, drawn = truth_of(run, mean), prior_draws(run, experiment, mean, draws)
    has = {"prior": drawn, "truth": truth, reference: known}
    missing = _missing({name for name, value in has.items() if value is not None}, run, reference)
    cells = {"entropy": Cells(normal_entropy(sd))}
    if has_group(run, "posterior"):
        found = draw_entropies(run, mean, neighbours=nearest, progress=progress)
        cells |= {name: Cells(values) for name, values in found.items()}
        missing += _without_joint(cells, dependent_entries(run, mean))
    prior = None if drawn is None else _normal(drawn, nearest, missing)
    if drawn is not None and prior is not None:
        cells |= prior_gains(cells, PriorFigures(drawn, nearest) if nearest else prior)
    out = with_errors(cells | about_truth(run, (mean, sd), truth, known, prior, cells), WORDS)
    if known is not None and prior is not None:
        shares = labelled(xr.Dataset(shares_of((mean, sd), known, truth, prior)), WORDS)
        out = out.assign(dict(shares.items()))
    out = compared_with(out, {m.name: reference for m in MEASURES if m.references})
    return out.assign_attrs(missing="; ".join(missing), estimator=estimator, reference=reference)


def _nearest(run: xr.DataTree, estimator: str, neighbours: int) -> int | None:
    """Neighbours of the estimator, None for normals."""
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {ESTIMATORS}, got {estimator!r}")
    if estimator == "normal":
        return None
    if not has_group(run, "posterior"):
        raise ValueError(lacking(f"estimator={estimator!r}", "draws"))
    return integer("neighbours", neighbours)


def _normal(drawn: xr.DataArray, nearest: int | None, missing: list[str]) -> PriorFigures:
    """Figures by normals, missing for parameters whose prior has no usable variance."""
    heavy = heavy_tails(drawn)
    if heavy:
        missing.append(_of_heavy(heavy, nearest))
    return PriorFigures(drawn.where(~drawn["parameter"].isin(list(heavy))))


def _missing(has: set[str], run: xr.DataTree, reference: str) -> list[str]:
    """One line for everything that the run lacks, with all measures that need it."""
    has = has | {"summary"} | ({"draws"} if has_group(run, "posterior") else set())
    lines: dict[str, list[str]] = {}
    for measure in MEASURES:
        for need in measure.needs:
            wanted = reference if need == "real_only" else need
            if wanted not in has:
                lines.setdefault(wanted, []).append(measure.name)
    return [lacking(names, need) for need, names in lines.items()]


def _without_joint(cells: dict[str, Cells], entries: list[str]) -> list[str]:
    """Leave joint measures out, in place, if entries determine one another; say so."""
    if not entries:
        return []
    del cells["joint_entropy"]
    names = ", ".join(m.name for m in MEASURES if m.name.startswith("joint"))
    return [
        f"{names}: {', '.join(entries)} determine one another linearly, so that all together have "
        "no density (leave one of them out of var_names)"
    ]


def _of_heavy(heavy: dict[str, float], nearest: int | None) -> str:
    """Say which parameters have a prior whose variance cannot be used."""
    kept = ("entropy", "lost_to_reference", "lost_per_generation", "joint_entropy")
    names = [m.name for m in MEASURES if m.name not in kept]
    names = [n for n in names if not (nearest and n.endswith("gain"))]
    found = ", ".join(f"{label} (Pareto k {k:.1f})" for label, k in heavy.items())
    return (
        f"{', '.join(names)} of {found}: the prior has no variance that draws could tell, which "
        "normals need (gains by estimator='nearest neighbours' do not)"
    )
