"""Executor: work through jobs in this process or in several, segment by segment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bayescollapse.experiment.jobs import Job
from bayescollapse.experiment.progress import Progress
from bayescollapse.experiment.store import Store
from bayescollapse.lineage.loop import Segment

if TYPE_CHECKING:
    from bayescollapse.estimator.learner import Learner
    from bayescollapse.experiment.experiment import Experiment
    from bayescollapse.sources.base import Source

__all__ = ["fitted_source", "local_processes", "run_here", "run_jobs", "single_threaded"]

SEGMENT_SECONDS = 30.0


def single_threaded() -> AbstractContextManager[Any]:
    """Keep BLAS and OpenMP on one thread: sums in another order would be other bits."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limits


def run_jobs(
    experiment: Experiment,
    jobs: Sequence[Job],
    *,
    store: Store | None,
    executor: Executor | int | None,
    progress: Progress,
) -> dict[tuple[str, int], list[Segment]]:
    """Run jobs; with a store, finished segments are committed and not returned.

    Parameters
    ----------
    experiment : Experiment
        The experiment the jobs belong to.
    jobs : sequence of Job
        What to run.
    store : Store, optional
        Where segments go.
    executor : int or concurrent.futures.Executor, optional
        None runs here; a number starts that many local processes.
    progress : Progress
        Receives finished generations.
    """
    if executor is None or executor == 1:
        with single_threaded():
            return {
                (job.label, job.block): run_here(experiment, job, store, progress) for job in jobs
            }
    owned: AbstractContextManager[Executor]
    owned = local_processes(executor) if isinstance(executor, int) else nullcontext(executor)
    with owned as pool:
        return _run_in_pool(experiment, jobs, store, pool, progress)


def run_here(
    experiment: Experiment, job: Job, store: Store | None, progress: Progress
) -> list[Segment]:
    """Run one job in this process, from where the store left it."""
    lineage = experiment.lineage(job)
    start, state = _resume_point(store, job)
    progress.advance(job.label, min(start, job.plan.generations))
    segments: list[Segment] = []
    while start < job.plan.generations:
        seconds = SEGMENT_SECONDS if store else float("inf")
        segment = lineage.run(
            start=start,
            state=state,
            seconds=seconds,
            progress=lambda _: progress.advance(job.label),
        )
        start, state = segment.stop, segment.state
        if store:
            store.append(store.write(job, segment))
        else:
            segments.append(segment)
    return segments


def _resume_point(store: Store | None, job: Job) -> tuple[int, dict[str, Any] | None]:
    """Where to go on. A lineage that had ended kept no state; more generations compute it anew."""
    done = store.shards(job) if store else []
    if store is None or not done:
        return 0, None
    state = store.state(done[-1])
    ended = done[-1]["stop"] < job.plan.generations and not state
    return (0, None) if ended else (done[-1]["stop"], state)


def _run_in_pool(
    experiment: Experiment,
    jobs: Sequence[Job],
    store: Store | None,
    pool: Executor,
    progress: Progress,
) -> dict[tuple[str, int], list[Segment]]:
    import cloudpickle

    payload = cloudpickle.dumps(experiment.portable())
    results: dict[tuple[str, int], list[Segment]] = {(job.label, job.block): [] for job in jobs}
    waiting: dict[Future[Any], Job] = {}

    def submit(job: Job, start: int, state: Any) -> None:
        path = None if store is None else str(store.path)
        waiting[pool.submit(_work, payload, job, start, state, path)] = job

    # Longest first, so that no long job starts when the others are done.
    for job in sorted(jobs, key=lambda job: -sum(job.plan.emitted)):
        start, state = _resume_point(store, job)
        progress.advance(job.label, min(start, job.plan.generations))
        if start < job.plan.generations:
            submit(job, start, state)
    while waiting:
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            job = waiting.pop(future)
            segment, line = future.result()
            if store is not None:
                store.append(line)
            else:
                results[job.label, job.block].append(segment)
            progress.advance(job.label, segment.stop - segment.start)
            if segment.stop < job.plan.generations:
                submit(job, segment.stop, segment.state)
    return results


def fitted_source(experiment: Experiment, pool: Executor) -> Source:
    """Fit a source's truth in a worker, which keeps the compiled model for the jobs to come.

    Parameters
    ----------
    experiment : Experiment
        Its source may have to be fitted.
    pool : concurrent.futures.Executor
        Where to fit.
    """
    import cloudpickle

    source: Source = pool.submit(_fit_source, cloudpickle.dumps(experiment)).result()
    return source


def _fit_source(payload: bytes) -> Source:
    with single_threaded():
        return _experiment(payload).portable().source


def _work(
    payload: bytes, job: Job, start: int, state: Any, path: str | None
) -> tuple[Segment, dict[str, Any] | None]:
    """One segment of a job in a worker process."""
    with single_threaded():
        lineage = _experiment(payload).lineage(job)
        segment = lineage.run(
            start=start, state=state, seconds=SEGMENT_SECONDS if path else float("inf")
        )
    if path is None:
        return segment, None
    line = Store(path).write(job, segment)
    return Segment(segment.start, segment.stop, {}, segment.state), line


@lru_cache(maxsize=8)
def _experiment(payload: bytes) -> Experiment:
    """Rebuild an experiment, once a worker; equal estimators share compiled functions."""
    import cloudpickle

    rebuilt: Experiment = cloudpickle.loads(payload)
    rebuilt.estimator = _COMPILED.setdefault(rebuilt.estimator.fingerprint(), rebuilt.estimator)
    return rebuilt


# Compiled functions cannot be sent to a worker or rebuilt cheaply, so a worker keeps them by model.
_COMPILED: dict[str, Learner] = {}


def local_processes(workers: int) -> ProcessPoolExecutor:
    """Local worker processes that several experiments may share, as ``run(executor=…)``.

    Parameters
    ----------
    workers : int
        Number of processes. Each keeps the models that it has compiled.
    """
    import multiprocessing

    # fork with live threads deadlocks; nutpie and BLAS start threads.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)


def _prepare_worker() -> None:
    """Give a worker its own compile directory before pytensor is imported, which reads it once."""
    import multiprocessing

    number = multiprocessing.current_process().name.rpartition("-")[2]
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if "base_compiledir" not in flags:
        own = f"base_compiledir={os.path.expanduser('~')}/.pytensor/worker-{number}"
        os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, [flags, own]))
