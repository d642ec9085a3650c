"""Experiment: schemes by replicates by generations."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from bayescollapse._checks import integer
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.learner import Learner
from bayescollapse.experiment.arguments import (
    check_covariates,
    check_direct,
    check_emissions,
    counts,
    labelled,
    record_settings,
    reference_names,
)
from bayescollapse.experiment.describe import identity
from bayescollapse.experiment.executor import fitted_source, run_jobs, single_threaded
from bayescollapse.experiment.finish import finished, in_memory
from bayescollapse.experiment.jobs import REFERENCES, Job, block_sizes, reference_plans, scheme_key
from bayescollapse.experiment.progress import show_progress
from bayescollapse.experiment.store import Store, open_run
from bayescollapse.lineage.loop import Lineage
from bayescollapse.lineage.plan import Plan, make_plan
from bayescollapse.lineage.record import RecordSettings
from bayescollapse.rows import Values
from bayescollapse.schedules import Schedule
from bayescollapse.schemes.scheme import Scheme
from bayescollapse.sources.base import BoundSource, Place, Source
from bayescollapse.streams import Streams

__all__ = ["Experiment"]

MEMORY_LIMIT = 2 * 1024**3
PROBABILITIES = (0.025, 0.25, 0.5, 0.75, 0.975)


class Experiment:
    """A recursive training experiment: every scheme, replicate and generation.

    Parameters
    ----------
    estimator : Estimator or DirectEstimator
        The learner.
    source : Truth, Table or Simulator
        Where fresh real rows come from.
    schemes : Scheme or mapping of str to Scheme
        What generations are trained on; labels become the ``scheme`` coordinate.
    n_real : int or schedule
        Real rows of a generation.
    n_synthetic : int or schedule, optional
        Synthetic rows that a generation is given by the one before; `n_real` if not given.
    generations, replicates : int
        Generations (generation 0 is fitted to real rows only) and independent lineages.
    method : {"auto", "exact", "nuts", "laplace", "advi", "map"}, default "auto"
        How posteriors are drawn; ``laplace(check=0.05)`` checks a random 5 % of the Laplace fits.
        ``advi`` and ``map`` are approximate, and the run says so.
    draws, chains : int
        Draws a chain, and chains, of sampled posteriors; their product is the number of importance
        draws of a Laplace fit.
    keep_draws : int, default 100
        Posterior draws kept a cell, over all chains; 0 keeps summaries only.
    keep_rows : {"first", "all", "none"}, default "first"
        Replicates whose rows and weights are kept.
    held_out : Dataset or int, optional
        Held-out real rows, or how many to draw from the source, for the held-out log density: the
        same for all generations and schemes, and for all replicates unless each has its own truth.
    seed : int, default 0
        Seed of every stream.
    references : sequence of str, optional
        Which of ``real_only``, ``real_seen`` and ``real_plus`` to fit beside the schemes; all for
        exact posteriors, ``real_only`` for sampled ones, if not given.
    keep_reference_draws : bool, default False
        Keep as many posterior draws of every reference as of a scheme, for divergences from it that
        are worked out from draws.
    probabilities : sequence of float
        Quantiles of the summaries; the 95 % and 50 % intervals and the median if not given.

    Raises
    ------
    TypeError, ValueError
        If anything is out of range or contradictory; nothing has been compiled or sampled then.

    Notes
    -----
    Random streams are keyed by purpose, block of replicates and generation, never by scheme: all
    schemes see the same real rows and the same emission noise, so differences between them are
    paired. The same experiment gives the same bits with any number of workers, after a resume, and
    when schemes, replicates or generations are added.

    Exact and Laplace posteriors are computed for whole blocks of 128 replicates, which keeps the
    bits when replicates are added: 5 replicates cost as much as 128.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> experiment = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.replace(),
    ...     n_real=20, generations=5, replicates=50)
    >>> run = experiment.run(progress=False)
    >>> dict(run["summary"]["mu"].sizes)
    {'scheme': 1, 'replicate': 50, 'generation': 5, 'statistic': 7}
    """

    def __init__(
        self,
        estimator: Learner,
        source: Source,
        schemes: Scheme | Mapping[str, Scheme],
        *,
        n_real: Schedule,
        n_synthetic: Schedule | None = None,
        generations: int,
        replicates: int,
        method: str = "auto",
        draws: int = 500,
        chains: int = 2,
        keep_draws: int = 100,
        keep_rows: str = "first",
        held_out: xr.Dataset | int | None = None,
        seed: int = 0,
        references: Sequence[str] | None = None,
        keep_reference_draws: bool = False,
        probabilities: Sequence[float] = PROBABILITIES,
    ) -> None:
        if not isinstance(estimator, Learner):
            raise TypeError(
                f"estimator must be a bc.Estimator, got {type(estimator).__name__}: wrap a model "
                "as bc.Estimator(model)"
            )
        if not (hasattr(source, "bind") and hasattr(source, "describe")):
            raise TypeError(
                f"source must be a bc.Truth, bc.Table or bc.Simulator, got {type(source).__name__}"
            )
        self.estimator, self.source = estimator, source
        self.schemes = labelled(schemes)
        self.generations = integer("generations", generations)
        self.replicates = integer("replicates", replicates)
        self.n_real = counts("n_real", n_real, self.generations, minimum=1)
        given = n_real if n_synthetic is None else n_synthetic
        self.n_synthetic = counts("n_synthetic", given, self.generations + 1, minimum=0)
        self.method = estimator.resolve(method)
        self.draws, self.chains = integer("draws", draws), integer("chains", chains)
        self.seed = integer("seed", seed, minimum=0)
        self.record = record_settings(keep_draws, keep_rows, probabilities, self.chains)
        self.references = reference_names(references, self.method, source)
        self.keep_reference_draws = bool(keep_reference_draws)
        self.held_out = held_out
        if isinstance(held_out, (int, np.integer)):
            integer("held_out", held_out)
        self.plans = self._plans()
        check_covariates(self.schemes, estimator)
        check_direct(estimator, source, held_out)
        check_emissions(self.schemes, estimator, self.method)
        source.check(estimator)

    def __repr__(self) -> str:
        """One line with what is run."""
        return (
            f"Experiment({self.estimator!r}, {self.source!r}, schemes {list(self.schemes)}, "
            f"{self.replicates} replicates x {self.generations} generations, method "
            f"{self.method!r}, seed {self.seed})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave bound sources behind: a worker binds its own."""
        return {k: v for k, v in self.__dict__.items() if k not in ("bound", "held_out_rows")}

    @cached_property
    def bound(self) -> BoundSource:
        """The source bound to the estimator; a table's truth is fitted here, once."""
        return self.source.bind(self.estimator, seed=self.seed)

    @cached_property
    def held_out_rows(self) -> Values | None:
        """Held-out rows of shape (1, obs, …); None where there are none, or one set per truth."""
        if self.held_out is None or self._own_held_out:
            return None
        if isinstance(self.held_out, xr.Dataset):
            return self.estimator.schema.values(self.held_out, argument="held_out")
        place = Place(Streams(self.seed), 0, 0, 1, "held_out")
        return self.bound.real(int(self.held_out), place)

    @property
    def _own_held_out(self) -> bool:
        """Whether every replicate has a truth, and so held-out rows, of its own."""
        drawn = isinstance(self.held_out, (int, np.integer))
        return drawn and bool(getattr(self.source, "prior", False))

    def held_out_of(self, block: int) -> Values | None:
        """Held-out rows of a block of replicates, shape (1 or replicate, obs, …)."""
        if not self._own_held_out:
            return self.held_out_rows
        size = self.estimator.engine(self.method).block
        place = Place(Streams(self.seed), block, 0, size, "held_out")
        assert isinstance(self.held_out, (int, np.integer))
        return self.bound.real(int(self.held_out), place)

    def portable(self) -> Experiment:
        """Copy for worker processes, in which nothing needs to be fitted before the first job."""
        import copy

        twin = copy.copy(self)
        twin.__dict__.pop("bound", None)
        resolved = getattr(self.source, "resolved", None)
        if resolved is not None:
            twin.source = resolved(self.bound, self.estimator.schema)
        return twin

    def jobs(self) -> list[Job]:
        """Every job of the experiment: schemes and references, block by block."""
        sizes = block_sizes(self.replicates, self.estimator.engine(self.method).block)
        return [
            Job(label, scheme_key(plan) + _suffix(label), plan, block, size)
            for label, plan in self.plans.items()
            for block, size in enumerate(sizes)
        ]

    def lineage(self, job: Job) -> Lineage:
        """Set up the generation loop of a job."""
        reference = job.label.startswith("reference/")
        kept = self.record.keep_draws if self.keep_reference_draws else 0
        number = 1 + REFERENCES.index(job.label.rpartition("/")[2]) if reference else 0
        quiet = RecordSettings(kept, "none", self.record.probabilities, self.chains, number)
        return Lineage(
            job.plan,
            self.estimator.engine(self.method),
            self.bound,
            Streams(self.seed),
            job.block,
            job.replicates,
            self.draws,
            self.chains,
            quiet if reference else self.record,
            self.held_out_of(job.block),
        )

    def run(
        self,
        store: str | os.PathLike[str] | None = None,
        *,
        executor: Executor | int | None = None,
        progress: bool = True,
        title: str | None = None,
    ) -> xr.DataTree:
        """Run what is not stored yet, and return the run.

        Parameters
        ----------
        store : path_like, optional
            Directory for shards; an interrupted run resumes from it. In memory if not given.
        executor : int or concurrent.futures.Executor, optional
            Number of local processes, or an executor; this process if not given.
        progress : bool, default True
            Show a progress bar.
        title : str, optional
            What the progress bar calls the experiment; its method if not given.

        Returns
        -------
        DataTree
            Groups ``summary``, ``posterior``, ``emission``, ``predictive``, ``sample_stats``,
            ``training``, ``rows``, ``reference`` and ``truth``.

        Raises
        ------
        MemoryError
            If summaries and draws would exceed 2 GiB without a store.
        ValueError
            If the store belongs to another experiment, or a posterior is improper.
        """
        if store is None:
            self._check_memory()
        if store is not None or executor is not None:
            for plan in self.plans.values():
                plan.scheme.to_dict()  # refuses functions that a store or a worker could not find
        jobs = self.jobs()
        kept = None if store is None else Store(store)
        if kept is not None:
            kept.claim(identity(self))
        started = time.monotonic()
        if isinstance(executor, Executor) and getattr(self.source, "truth_setting", None) == "fit":
            fitted = fitted_source(self, executor)
            self.__dict__["bound"] = fitted.bind(self.estimator, seed=self.seed)
        with single_threaded():
            truth = self._truth()
        total = sum(job.plan.generations for job in jobs)
        with show_progress(total, title=title or self.method, shown=progress) as bar:
            segments = run_jobs(self, jobs, store=kept, executor=executor, progress=bar)
        wall = time.monotonic() - started
        if kept is not None:
            kept.append(finished(self, kept, jobs, truth, wall))
            return open_run(kept.path)
        return in_memory(self, jobs, segments, truth, wall)

    def _plans(self) -> dict[str, Plan]:
        plans = {
            label: make_plan(label, scheme, n_real=self.n_real, n_synthetic=self.n_synthetic)
            for label, scheme in self.schemes.items()
        }
        references = reference_plans(self.references, self.n_real, self.n_synthetic)
        return plans | {f"reference/{name}": plan for name, plan in references.items()}

    def _truth(self) -> Floats | None:
        block = self.estimator.engine(self.method).block
        parts = []
        for number, size in enumerate(block_sizes(self.replicates, block)):
            values = self.bound.truth(Place(Streams(self.seed), number, 0, block))
            if values is None:
                return None
            parts.append(values[:size])
        return np.concatenate(parts)

    def _check_memory(self) -> None:
        cell = (
            2 + len(self.record.probabilities) + self.record.keep_draws
        ) * self.estimator.schema.size
        need = 8 * cell * self.replicates * self.generations * len(self.schemes)
        if need > MEMORY_LIMIT:
            raise MemoryError(
                f"summaries and draws of this experiment need {need / 1024**3:.1f} GiB, more than "
                f"{MEMORY_LIMIT / 1024**3:.0f} GiB: give run(store='directory'), or lower "
                f"keep_draws (now {self.record.keep_draws})"
            )


def _suffix(label: str) -> str:
    """Keep shards of references apart: they hold fewer columns than an equal scheme."""
    return f"-{label.rpartition('/')[2]}" if label.startswith("reference/") else ""
