"""Entropy of posteriors: what they claim to know, and what they really say about the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from bayescollapse._checks import integer
from bayescollapse.measures.drift import over_replicates
from bayescollapse.measures.entropy_draws import draw_entropies, joint_log_density
from bayescollapse.measures.entropy_kernels import gaussian_entropy, gaussian_log_density
from bayescollapse.measures.layout import LEAD, cells_of, has_group, truth_of
from bayescollapse.measures.priors import PriorOfRun, prior_draws
from bayescollapse.measures.references import check_reference, reference_moments
from bayescollapse.measures.registry import KNOWING, Measure, lacking
from bayescollapse.measures.worth import paired_ratio

if TYPE_CHECKING:
    from bayescollapse.experiment.experiment import Experiment

__all__ = ["MEASURES", "posterior_entropy"]

ESTIMATORS = ("normal", "nearest neighbours")

COVER = "Cover and Thomas (2006), doi:10.1002/047174882X"
NORMAL = "that of a normal with the same moments, an upper bound for other laws"
GOOD = "Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x; differences of expected log densities"


def _measure(
    name: str,
    needs: tuple[str, ...],
    null: float | str,
    *,
    units: str = "nats",
    invariant: bool | str = "affine",
    bias: str = "densities are those of normals with the posterior's moments",
    source: str = GOOD,
) -> Measure:
    compared = name.startswith("share_") or name == "lost_to_reference"
    return Measure(
        name=name,
        question="information",
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
        ("summary",),
        "that of generation 0",
        invariant="translation",
        bias=NORMAL,
        source=COVER,
    ),
    _measure("information_gain", ("prior",), "that of generation 0", bias=NORMAL, source=COVER),
    _measure("information_known", ("prior", "truth"), "equal to information_gain"),
    _measure("share_claimed", ("prior", "real_only"), 1.0, units="1", bias=NORMAL, source=COVER),
    _measure("share_kept", ("prior", "truth", "real_only"), 1.0, units="1"),
    _measure("lost_to_reference", ("truth", "real_only"), 0.0),
    _measure("lost_per_generation", ("truth",), 0.0),
    _measure("joint_entropy", ("draws",), "that of generation 0", bias=NORMAL, source=COVER),
    _measure("joint_gain", ("draws", "prior"), "that of generation 0", bias=NORMAL, source=COVER),
    _measure("joint_known", ("draws", "prior", "truth"), "equal to joint_gain"),
)

WORDS = {
    "entropy": ("entropy of the posterior margin", "nats"),
    "information_gain": ("entropy of the prior minus that of the posterior", "nats"),
    "information_known": ("log density of the truth, posterior over prior", "nats"),
    "lost_to_reference": ("log density of the truth, reference over this one", "nats"),
    "lost_per_generation": ("log density of the truth lost since the generation before", "nats"),
    "joint_entropy": ("entropy of the posterior of all parameters", "nats"),
    "joint_gain": ("joint entropy of the prior minus that of the posterior", "nats"),
    "joint_known": ("joint log density of the truth, posterior over prior", "nats"),
}


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
                        the truth; equal to the gain if it is calibrated, less if it is not, and
                        below 0 where the prior knew more
    share_claimed       information_gain over that of the reference
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
        How entropies are estimated: from means, sds and covariances, or, for posteriors of any
        form, from the kept draws. Log densities of the truth are always those of normals.
    neighbours : int, default 4
        Neighbours of the second estimator.
    draws : int, default 4000
        Draws of the prior of an `experiment`.
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
    ValueError
        If `reference` or `estimator` is unknown, the estimator needs draws that the run does not
        hold, or the experiment's prior is improper.

    Notes
    -----
    Normal entropies are upper bounds for other forms and depend on the scale: those of a standard
    deviation differ from those of its logarithm. Gains, shares and losses do not change with units.
    Joint figures correct the bias of finitely many independent draws exactly for normal posteriors;
    draws of a sampler should be nearly independent. ``_mcse`` includes the error of the prior's
    entropy.

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
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {ESTIMATORS}, got {estimator!r}")
    nearest = integer("neighbours", neighbours) if estimator != "normal" else None
    if nearest and not has_group(run, "posterior"):
        raise ValueError(lacking(f"estimator={estimator!r}", "draws"))
    figures = (cells_of(run, name, var_names) for name in ("mean", "sd"))
    mean, sd = (figure.transpose(*LEAD, "parameter") for figure in figures)
    missing: list[str] = []
    cells = {"entropy": _entropy(sd)}
    if has_group(run, "posterior"):
        cells |= draw_entropies(run, mean, neighbours=nearest, progress=progress)
    else:
        missing.append(lacking(("joint_entropy", "joint_gain", "joint_known"), "draws"))
    drawn, truths = prior_draws(run, experiment, mean, draws)
    prior = None if drawn is None else PriorOfRun.of(drawn, mean, truths=truths, neighbours=nearest)
    if prior is None:
        missing.append(lacking(("information_gain", "information_known"), "prior"))
    else:
        cells["information_gain"] = -cells["entropy"] + prior.entropy
        if "joint_entropy" in cells:
            cells["joint_gain"] = prior.joint.entropy - cells["joint_entropy"]
    known = reference_moments(run, reference, mean, sd)
    if known is None:
        names = ("share_claimed", "share_kept", "lost_to_reference")
        missing.append(lacking(names, reference))
    cells, shares = _about_truth(run, (mean, sd), known, cells, prior, missing)
    out = over_replicates(cells, WORDS).assign(shares)
    if prior is not None:
        prior.widen(out)
    return out.assign_attrs(missing="; ".join(missing), estimator=estimator, reference=reference)


def _about_truth(
    run: xr.DataTree,
    moments: tuple[xr.DataArray, xr.DataArray],
    known: tuple[xr.DataArray, xr.DataArray] | None,
    cells: dict[str, xr.DataArray],
    prior: PriorOfRun | None,
    missing: list[str],
) -> tuple[dict[str, xr.DataArray], dict[str, xr.DataArray]]:
    """Add what compares log densities of the truth, and what compares with the reference."""
    mean, sd = moments
    truth = truth_of(run, mean)
    names = ("information_known", "share_kept", "lost_per_generation", "lost_to_reference")
    if truth is None:
        missing.append(lacking(names, "truth"))
    out, shares = dict(cells), dict[str, xr.DataArray]()
    if known is not None and prior is not None and "information_gain" in cells:
        claimed = prior.entropy - _entropy(known[1])
        shares |= paired_ratio("share_claimed", [cells["information_gain"]], [claimed])
    if truth is None:
        return out, shares
    now = _log_density(mean, sd, truth)
    out["lost_per_generation"] = (now.shift(generation=1) - now).transpose(*now.dims)
    before = None if prior is None else prior.log_density(truth)
    if before is not None:
        out["information_known"] = (now - before).transpose(*now.dims)
    if known is not None:
        best = _log_density(*known, truth)
        out["lost_to_reference"] = (best - now).transpose(*now.dims)
        if before is not None:
            shares |= paired_ratio("share_kept", [out["information_known"]], [best - before])
    if prior is not None and before is not None and "joint_entropy" in cells:
        together = joint_log_density(run, truth, mean)
        out["joint_known"] = (together - prior.joint_log_density(truth)).transpose(*together.dims)
    return out, shares


def _entropy(sd: xr.DataArray) -> xr.DataArray:
    with np.errstate(divide="ignore"):
        return sd.copy(data=gaussian_entropy(2 * np.log(sd.to_numpy()), 1))


def _log_density(mean: xr.DataArray, sd: xr.DataArray, truth: xr.DataArray) -> xr.DataArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        square = ((truth - mean) / sd).transpose(*mean.dims) ** 2
        logs = 2 * np.log(sd.to_numpy())
        return mean.copy(data=gaussian_log_density(square.to_numpy(), logs, 1))
