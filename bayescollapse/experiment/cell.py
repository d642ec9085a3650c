"""One cell of a run as an ordinary ArviZ tree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescollapse.estimator.hooks import EmittingEngine
from bayescollapse.estimator.trees import parameter_dataset
from bayescollapse.experiment.assemble import row_table
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.experiment.experiment import Experiment
from bayescollapse.experiment.jobs import Job
from bayescollapse.lineage.plan import Plan
from bayescollapse.lineage.record import RecordSettings
from bayescollapse.rows import ROW_DIM

__all__ = ["cell"]

REPLAY_DRAWS = 1000


def cell(
    run: xr.DataTree,
    *,
    scheme: str,
    replicate: int,
    generation: int,
    experiment: Experiment | None = None,
) -> xr.DataTree:
    """One scheme, replicate and generation, for ``az.summary``, ``az.plot_*`` and ``az.loo``.

    Parameters
    ----------
    run : DataTree
        Result of :meth:`Experiment.run` or :func:`open_run`.
    scheme : str
        Label of the scheme.
    replicate, generation : int
        Which cell.
    experiment : Experiment, optional
        The experiment of the run. With it, rows and draws that were not kept are replayed, and the
        tree gains ``log_likelihood`` (pointwise, without weights) and ``posterior_predictive``,
        unless the estimator is no parametric model (:class:`~bayescollapse.estimator.direct`).

    Returns
    -------
    DataTree
        Groups ``posterior``, ``observed_data``, ``constant_data`` (covariates, weights; coordinates
        ``real``, ``batch`` and ``origin`` on ``obs``) and ``sample_stats``.

    Raises
    ------
    KeyError
        If the run has no such cell.
    ValueError
        If draws or rows were not kept and `experiment` is not given.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> from bayescollapse.models import gaussian_mean
    >>> experiment = bc.Experiment(
    ...     gaussian_mean.estimator(), bc.Truth(mu=0.0), bc.schemes.pooled(),
    ...     n_real=20, generations=3, replicates=2)
    >>> run = experiment.run(progress=False)
    >>> sorted(bc.cell(run, scheme="pooled", replicate=0, generation=2).children)
    ['constant_data', 'observed_data', 'posterior', 'sample_stats']
    """
    where = {"scheme": scheme, "replicate": replicate, "generation": generation}
    _check_cell(run, where)
    parts = _stored(run, where) if experiment is None else _replay(experiment, where)
    responses = [name for name in _responses(run) if name in parts.rows]
    covariates = [str(name) for name in parts.rows.data_vars if name not in responses]
    groups = {
        "posterior": parts.posterior,
        "sample_stats": parts.stats,
        "observed_data": parts.rows[responses],
        "constant_data": parts.rows[covariates].rename(weight="weights"),
    }
    if experiment is not None:
        groups |= _predictions(experiment, parts, where)
    return xr.DataTree.from_dict(groups)


class Parts(NamedTuple):
    """What one cell consists of."""

    posterior: xr.Dataset
    stats: xr.Dataset
    rows: xr.Dataset


def _check_cell(run: xr.DataTree, where: dict[str, Any]) -> None:
    summary = run.children["summary"].to_dataset(inherit=False)
    for name, value in where.items():
        if value not in summary[name].to_numpy():
            raise KeyError(
                f"{name} {value!r} is not in the run, which has "
                f"{summary[name].to_numpy().tolist()[:20]}"
            )


def _stored(run: xr.DataTree, where: dict[str, Any]) -> Parts:
    if "posterior" not in run.children:
        raise ValueError(
            "the run kept no posterior draws (keep_draws=0): pass experiment= to replay the cell"
        )
    posterior, stats = (
        run.children[name].to_dataset(inherit=False).sel(where).drop_vars(list(where))
        for name in ("posterior", "sample_stats")
    )
    chosen = np.zeros(0, dtype=bool)
    if "rows" in run.children:
        table = run.children["rows"].to_dataset(inherit=False)
        chosen = np.all([table[name].to_numpy() == value for name, value in where.items()], axis=0)
    if not chosen.any():
        raise ValueError(
            f"the rows of {where} were not kept: run with keep_rows='all', or pass experiment= to "
            "replay the cell"
        )
    return Parts(posterior, stats, _row_dataset(table.isel(row=np.flatnonzero(chosen)), where))


def _row_dataset(table: xr.Dataset, where: dict[str, Any]) -> xr.Dataset:
    return table.drop_vars(list(where)).rename(row=ROW_DIM)


def _responses(run: xr.DataTree) -> list[str]:
    names = run.children["predictive"].to_dataset(inherit=False).data_vars
    return [str(name) for name in names if name != "held_out_log_density"]


def _replay(experiment: Experiment, where: dict[str, Any]) -> Parts:
    """Run the cell's block again, keeping rows and draws; keyed streams make it the same run."""
    generation = where["generation"]
    block, index = divmod(where["replicate"], experiment.estimator.engine(experiment.method).block)
    job = Job(
        where["scheme"],
        "replay",
        _shortened(experiment.plans[where["scheme"]], generation + 1),
        block,
        index + 1,
    )
    keep = experiment.record.keep_draws or REPLAY_DRAWS
    settings = RecordSettings(keep, "all", experiment.record.probabilities, experiment.chains)
    with single_threaded():
        arrays = replace(experiment.lineage(job), record=settings).run().arrays
    schema = experiment.estimator.schema
    draws = schema.unpack(arrays["posterior"][index, generation])
    shape = next(iter(draws.values())).shape[:2]
    coords = {name: np.arange(size) for name, size in zip(("chain", "draw"), shape, strict=True)}
    posterior = parameter_dataset(schema, draws, ("chain", "draw"), coords)
    gate = {
        k.split("/")[1]: v[min(index, len(v) - 1), generation]
        for k, v in arrays.items()
        if k.startswith("sample_stats/")
    }
    stats = xr.Dataset({name: ((), value) for name, value in gate.items()})
    kept = {
        name.removeprefix("rows/"): value
        for name, value in arrays.items()
        if name.startswith("rows/")
    }
    kept["scheme"] = np.full(kept["generation"].size, where["scheme"])
    chosen = (kept["replicate"] == where["replicate"]) & (kept["generation"] == generation)
    table = row_table(schema, {name: value[chosen] for name, value in kept.items()})
    return Parts(posterior, stats, _row_dataset(table, where))


def _shortened(plan: Plan, generations: int) -> Plan:
    names = ("fresh", "emitted", "real_rows", "synthetic_rows", "real_share", "total_weight")
    return replace(plan, **{name: getattr(plan, name)[:generations] for name in names})


def _predictions(
    experiment: Experiment, parts: Parts, where: dict[str, Any]
) -> dict[str, xr.Dataset]:
    """Pointwise log-likelihood without weights, and one replicated data set per draw."""
    schema = experiment.estimator.schema
    engine = experiment.estimator.engine(experiment.method)
    if isinstance(engine, EmittingEngine):
        return {}
    lead = ("chain", "draw", ROW_DIM)
    sizes = tuple(parts.posterior.sizes[d] for d in lead[:2])
    draws = {
        p.name: parts.posterior[p.name].to_numpy().reshape(1, -1, *p.shape)
        for p in schema.parameters
    }
    rows = schema.values(parts.rows)
    m = parts.rows.sizes[ROW_DIM]
    density = engine.log_density(draws, rows)[0].reshape(*sizes, m)
    count = sizes[0] * sizes[1]
    one_each = {name: value[0][:, None] for name, value in draws.items()}
    covariates = {
        v.name: np.broadcast_to(rows[v.name], (count, *rows[v.name].shape[1:]))
        for v in schema.covariates
    }
    rng = np.random.default_rng([experiment.seed, where["replicate"], where["generation"]])
    replicated = engine.forward(one_each, covariates, m, rng)
    coords = {name: parts.rows[name] for name in ("real", "batch", "origin")}
    coords |= {name: parts.posterior[name] for name in lead[:2]}
    predictive = {
        v.name: ((*lead, *v.dims), replicated[v.name].reshape(*sizes, m, *v.shape))
        for v in schema.responses
    }
    return {
        "log_likelihood": xr.Dataset({schema.responses[0].name: (lead, density)}, coords=coords),
        "posterior_predictive": xr.Dataset(predictive, coords=coords),
    }
