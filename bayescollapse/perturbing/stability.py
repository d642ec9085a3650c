r"""Recursive stability: one initial real row replaced, and the same random streams replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse._checks import integer
from bayescollapse.estimator.exact import Floats
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.experiment.experiment import Experiment
from bayescollapse.experiment.progress import Progress, show_progress
from bayescollapse.measures.drift import over_replicates
from bayescollapse.measures.kernels import ratio_and_error
from bayescollapse.measures.labels import labelled
from bayescollapse.measures.layout import cells_of
from bayescollapse.measures.registry import Measure
from bayescollapse.perturbing.choice import Choice, choose
from bayescollapse.perturbing.visit import blocks, quiet_lineage
from bayescollapse.rows import ROW_DIM, Values, count_rows
from bayescollapse.sources.base import BoundSource, Place

__all__ = ["ReplacedRow", "stability"]

ANOTHER = 1_000_000
"""Round of the source's stream that replacements come from; real rows come from round 0."""

WORDS = {
    "mean_change": ("size of the change of the posterior mean", "units of the parameter"),
    "standardised_change": ("size of the change of the mean, in its sds", "posterior sds"),
    "log_sd_change": ("size of the log ratio of posterior sds", "log ratio"),
    "noise": ("Monte Carlo sd that the change of the mean may have", "units of the parameter"),
}
RATIO = {"amplification": ("change over the initial change", "1")}


class ReplacedRow:
    """A source one of whose initial real rows is another one.

    Parameters
    ----------
    source : BoundSource
        The source as it is.
    row : int
        Which row of generation 0.
    replacement : mapping of str to ndarray, shape (1, 1, …), optional
        What it is replaced with in every replicate; a fresh row of the source if not given.
    """

    def __init__(self, source: BoundSource, row: int, replacement: Values | None = None) -> None:
        self.source, self.row, self.replacement = source, row, replacement
        self.default_covariates = source.default_covariates

    def truth(self, place: Place) -> Floats | None:
        """Give the truth, which stays."""
        return self.source.truth(place)

    def covariates(self, m: int, place: Place) -> dict[str, NDArray[Any]]:
        """Fresh covariates, which stay."""
        return self.source.covariates(m, place)

    def real(self, n: int, place: Place) -> dict[str, NDArray[Any]]:
        """Real rows, one of them replaced at generation 0."""
        rows = self.source.real(n, place)
        if place.generation or place.purpose != "real":
            return rows
        other = self.replacement
        if other is None:
            fresh = self.source.real(n, replace(place, attempt=ANOTHER))
            other = {name: value[:, self.row : self.row + 1] for name, value in fresh.items()}
        out = {}
        for name, value in rows.items():
            shape = (max(len(value), len(other[name])), *value.shape[1:])
            out[name] = np.broadcast_to(value, shape).copy()
            out[name][:, self.row] = other[name][:, 0]
        return out


def stability(
    experiment: Experiment,
    run: xr.DataTree,
    *,
    row: int = 0,
    replacement: xr.Dataset | None = None,
    var_names: str | Sequence[str] | None = None,
    schemes: str | Sequence[str] | None = None,
    replicates: int | Sequence[int] | None = None,
    generations: int | Sequence[int] | None = None,
    average: bool = True,
    progress: bool = True,
) -> xr.Dataset:
    r"""Follow the replacement of one initial real row over the generations.

    The experiment is replayed with the same random streams and one real row of generation 0
    replaced; everything that differs from the run was handed on by that row.

    =================== ===========================================================================
    variable            value in one replicate; m and s are mean and sd of the run, primes those of
                        the replay
    =================== ===========================================================================
    mean_change         :math:`m'_t - m_t` in units of the parameter
    standardised_change :math:`(m'_t - m_t) / s_t`
    log_sd_change       :math:`\log(s'_t / s_t)`
    amplification       :math:`(m'_t - m_t) / (m'_0 - m_0)`: below 1 in size the loop forgets the
                        row, above 1 it blows it up
    noise               Monte Carlo sd that mean_change may have from sampling, in its units
    =================== ===========================================================================

    For a Gaussian mean under fresh real rows with share w, memory of the last batch and a prior
    worth :math:`\kappa` rows, the amplification is :math:`(h(1-w))^t` with
    :math:`h = N/(N + \kappa)` and total weight N, in every replicate. With the first real rows used
    for ever, and nothing forgotten, it need not fall to 0.

    Parameters
    ----------
    experiment : Experiment
        The experiment of the run.
    run : DataTree
        Its result.
    row : int, default 0
        Which real row of generation 0 is replaced.
    replacement : Dataset, optional
        One row on ``obs``; a fresh row of the source if not given (replace-one stability).
    var_names : str or sequence of str, optional
        Parameters, or labels of single entries; all if not given.
    schemes : str or sequence of str, optional
        Schemes; all if not given.
    replicates : int or sequence of int, optional
        The first so many (at most all), or these; all if not given.
    generations : int or sequence of int, optional
        Generations; all if not given.
    average : bool, default True
        Reduce over replicates; otherwise give every cell.
    progress : bool, default True
        Show a progress bar.

    Returns
    -------
    Dataset
        On (scheme, generation, parameter). If averaged, all but the ratio are the mean over
        replicates of the *size* of the change, with ``<name>_mcse`` and ``<name>_median``, and
        ``amplification`` is the ratio of root mean squares, with ``amplification_mcse``. Otherwise
        they are on (scheme, replicate, generation, parameter) and have signs. Where the initial
        change is 0, amplification is missing.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the run is another experiment's.

    Notes
    -----
    With closed-form posteriors the change is free of Monte Carlo error. Sampled posteriors get the
    same seeds, but follow other paths once their data differ: ``noise`` is ``sd * sqrt(2 / ess)``
    with the effective sample size of the worst parameter. Emission hands this error on, and changes
    that are not well above it say nothing about the row.

    References
    ----------
    .. [1] Fu et al. (2025), arXiv:2502.18865.
    .. [2] Bousquet and Elisseeff (2002), Stability and generalization, JMLR 2, 499-526.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> experiment = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.weighted(real_share=0.5),
    ...     n_real=20, generations=3, replicates=4)
    >>> run = experiment.run(progress=False)
    >>> bc.stability(experiment, run, progress=False)["amplification"].values.round(9).tolist()
    [[[1.0], [0.5], [0.25]]]
    """
    chosen = choose(
        experiment,
        run,
        var_names=var_names,
        schemes=schemes,
        replicates=replicates,
        generations=generations,
    )
    other = _checked(experiment, row, replacement)
    replayed = _Replayed(experiment, chosen, ReplacedRow(experiment.bound, row, other))
    total = replayed.generations * len(replayed.parts)
    with show_progress(total, title="stability", shown=progress) as bar, single_threaded():
        moments = replayed.moments(bar)
    cells = _changes(run, chosen, moments)
    return _averaged(cells) if average else cells.drop_vars("initial_change")


@dataclass(frozen=True)
class _Replayed:
    """Lineages of the experiment with another source, from generation 0 to the last one wanted."""

    experiment: Experiment
    choice: Choice
    source: BoundSource

    @property
    def generations(self) -> int:
        return max(self.choice.generations) + 1

    @property
    def parts(self) -> list[tuple[int, int, NDArray[np.int64]]]:
        """Place of the scheme, block, and replicates in it."""
        schemes = range(len(self.choice.schemes))
        return [(s, b, m) for s in schemes for b, m in blocks(self.experiment, self.choice)]

    def moments(self, bar: Progress) -> Floats:
        """Means and sds, shape (2, scheme, replicate, generation, parameter)."""
        choice, size = self.choice, self.experiment.estimator.engine(self.experiment.method).block
        shape = (*choice.shape[:2], self.generations, len(choice.entries))
        out = np.full((2, *shape), np.nan)
        for s, block, members in self.parts:
            label = choice.schemes[s]
            lineage = quiet_lineage(self.experiment, label, block, self.generations)
            summary = replace(lineage, source=self.source).run().arrays["summary"]
            wide = np.broadcast_to(summary, (size, *summary.shape[1:]))[members - block * size]
            place = np.searchsorted(choice.replicates, members)
            out[:, s, place] = np.moveaxis(wide[..., choice.entries], 2, 0)
            bar.advance(label, self.generations)
        return out


def _checked(experiment: Experiment, row: int, replacement: xr.Dataset | None) -> Values | None:
    integer("row", row, minimum=0)
    first = min(plan.fresh[0] for plan in experiment.plans.values())
    if row >= first:
        raise ValueError(
            f"row must lie below the {first} real rows of generation 0, got {row}: rows are "
            "counted from 0"
        )
    if replacement is None:
        return None
    values = experiment.estimator.schema.values(replacement, argument="replacement")
    if ROW_DIM not in replacement.sizes or count_rows(values) != 1:
        raise ValueError(f"replacement must be one row on 'obs', got {dict(replacement.sizes)}")
    return values


def _changes(run: xr.DataTree, choice: Choice, moments: Floats) -> xr.Dataset:
    """Compare every cell, with signs."""
    names = ("scheme", "replicate", "generation", "parameter")
    coords = choice.coords | {"generation": np.arange(moments.shape[3])}
    where = {name: coords[name] for name in names}
    mean, sd = (cells_of(run, name).sel(where).to_numpy() for name in ("mean", "sd"))
    change = moments[0] - mean
    with np.errstate(divide="ignore", invalid="ignore"):
        data = {
            "mean_change": change,
            "standardised_change": change / sd,
            "log_sd_change": np.log(moments[1] / sd),
            "amplification": np.where(change[:, :, :1] == 0, np.nan, change / change[:, :, :1]),
            "noise": sd * np.sqrt(2 / _effective_draws(run, where)),
            "initial_change": np.broadcast_to(change[:, :, :1], change.shape),
        }
    cells = xr.Dataset({name: (names, value) for name, value in data.items()}, coords=coords)
    return labelled(cells, WORDS | RATIO).sel(generation=list(choice.generations))


def _effective_draws(run: xr.DataTree, where: dict[str, Any]) -> Floats:
    """Effective draws behind every mean; infinite for closed forms, missing where unknown."""
    stats = run["sample_stats"].to_dataset()
    cells = {name: where[name] for name in ("scheme", "replicate", "generation")}
    ess = stats["ess_bulk"].sel(cells).to_numpy().astype(np.float64)
    if "ess_importance" in stats:
        other = stats["ess_importance"].sel(cells).to_numpy()
        ess = np.where(np.isnan(ess), other, ess)
    exact = stats.attrs.get("method") == "exact"
    return np.where(exact & np.isnan(ess), np.inf, ess)[..., None]


def _averaged(cells: xr.Dataset) -> xr.Dataset:
    """Mean sizes over replicates, and the ratio of root mean squares."""
    out = over_replicates({name: abs(cells[name]) for name in WORDS}, WORDS)
    squares, first = (cells[n].to_numpy() ** 2 for n in ("mean_change", "initial_change"))
    ratio, error = ratio_and_error([squares], [first], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {"": np.sqrt(ratio), "_mcse": error / (2 * np.sqrt(ratio))}
    like = out["mean_change"]
    out = out.assign({f"amplification{end}": (like.dims, value) for end, value in values.items()})
    return labelled(out, RATIO)


def _measure(name: str, lowest: float, null: float | str) -> Measure:
    meaning, units = (WORDS | RATIO)[name]
    return Measure(
        name=name,
        question="sensitivity",
        meaning=meaning,
        units=units,
        lowest=lowest,
        highest=float("inf"),
        symmetric=False,
        invariant="affine",
        needs=("experiment",),
        null=null,
        bias="none for closed-form posteriors; sampled ones add Monte Carlo error to its size",
        source="Fu et al. (2025), arXiv:2502.18865",
    )


MEASURES = (
    _measure("mean_change", float("-inf"), 0.0),
    _measure("standardised_change", float("-inf"), 0.0),
    _measure("log_sd_change", float("-inf"), 0.0),
    _measure("noise", 0.0, "0 in closed form"),
    _measure("amplification", float("-inf"), "1 at generation 0"),
)
