"""Visit cells of a run, as it kept them or replayed.

A replay is the experiment's own generation loop with an engine that also tells what it was
conditioned on: no part of the loop knows of it, and keyed streams give the run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescollapse.estimator.engine import Fit, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.experiment.cell import cell as stored_cell
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.experiment.experiment import Experiment
from bayescollapse.experiment.jobs import Job
from bayescollapse.experiment.progress import Progress
from bayescollapse.lineage.loop import Lineage
from bayescollapse.lineage.record import RecordSettings
from bayescollapse.perturbing.cells import Cell, Place, Posterior, gathered, with_condition
from bayescollapse.perturbing.choice import Choice
from bayescollapse.streams import Streams

__all__ = ["blocks", "quiet_lineage", "visit"]

SALT = 14
"""Keeps the draws of this layer apart from those of the run."""


def visit(
    experiment: Experiment,
    run: xr.DataTree,
    choice: Choice,
    use: Callable[[Cell], None],
    progress: Progress,
) -> None:
    """Call `use` with every chosen cell.

    Sampled posteriors are read from the run where it kept their rows and at least as many draws as
    are wanted, or as a fit has; all others are replayed, block by block.
    """
    with single_threaded():
        for label in choice.schemes:
            for block, members in blocks(experiment, choice):
                if _kept(experiment, run, label, block, choice):
                    for t in choice.generations:
                        use(_from_run(experiment, run, label, block, t, choice.draws))
                        progress.advance(label)
                else:
                    _Replay(experiment, label, block, members, choice, use, progress).run()


def blocks(experiment: Experiment, choice: Choice) -> list[tuple[int, NDArray[np.int64]]]:
    """Blocks that the chosen replicates are in, with these replicates."""
    size = experiment.estimator.engine(experiment.method).block
    numbers = np.array(choice.replicates)
    return [(int(b), numbers[numbers // size == b]) for b in np.unique(numbers // size)]


@dataclass
class _Replay:
    """One block of a scheme, run again by an engine that tells what it is conditioned on."""

    experiment: Experiment
    label: str
    block: int
    members: NDArray[np.int64]
    choice: Choice
    use: Callable[[Cell], None]
    progress: Progress
    generation: int = 0

    def run(self) -> None:
        last = max(self.choice.generations) + 1
        lineage = quiet_lineage(self.experiment, self.label, self.block, last)
        self.engine = lineage.engine
        replace(lineage, engine=with_condition(lineage.engine, self.condition)).run()

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> Fit:
        fit = self.engine.condition(groups, weights, settings)
        if self.generation in self.choice.generations:
            self.use(self._cell(groups, weights, settings, fit))
            self.progress.advance(self.label)
        self.generation += 1
        return fit

    def _cell(
        self,
        groups: Sequence[Group],
        weights: Sequence[Weight],
        settings: FitSettings,
        fit: Fit,
    ) -> Cell:
        chains = self.experiment.chains
        place = Place(self.label, self.generation, self.block, self.members)
        key = (self.experiment.seed, self.block, self.generation, SALT)
        shape = (chains, max(self.choice.draws // chains, 1))
        return gathered(place, self.engine, groups, weights, settings, fit, shape, key)


def quiet_lineage(experiment: Experiment, label: str, block: int, generations: int) -> Lineage:
    """Set up the generation loop of a block, cut short, without keeping rows or draws."""
    plan = experiment.plans[label]
    plan = replace(plan, fresh=plan.fresh[:generations])
    size = experiment.estimator.engine(experiment.method).block
    lineage = experiment.lineage(Job(label, "replay", plan, block, size))
    settings = RecordSettings(0, "none", (), experiment.chains)
    return replace(lineage, record=settings, held_out=None)


def _kept(
    experiment: Experiment,
    run: xr.DataTree,
    label: str,
    replicate: int,
    choice: Choice,
) -> bool:
    """Whether the run holds the rows and draws of a sampled lineage, a block of its own."""
    if experiment.estimator.engine(experiment.method).block > 1:
        return False
    if "posterior" not in run.children or "rows" not in run.children:
        return False
    sizes = run["posterior"].sizes
    # Fewer draws than a replay would give: replicates of one table would differ in their error.
    if sizes["chain"] * sizes["draw"] < min(choice.draws, experiment.draws * experiment.chains):
        return False
    table = run["rows"]
    mine = (table["scheme"].to_numpy() == label) & (table["replicate"].to_numpy() == replicate)
    return bool(set(choice.generations) <= set(table["generation"].to_numpy()[mine].tolist()))


def _from_run(
    experiment: Experiment, run: xr.DataTree, label: str, replicate: int, t: int, draws: int
) -> Cell:
    """One replicate from what the run kept."""
    engine, schema = experiment.estimator.engine(experiment.method), experiment.estimator.schema
    tree = stored_cell(run, scheme=label, replicate=replicate, generation=t)
    constant = tree["constant_data"].to_dataset()
    rows = schema.values(constant.merge(tree["observed_data"].to_dataset()))
    kept = tree["posterior"].to_dataset().transpose("chain", "draw", ...)
    each = min(kept.sizes["draw"], max(draws // kept.sizes["chain"], 1))
    chosen = np.linspace(0, kept.sizes["draw"] - 1, each).round().astype(int)
    values = {p.name: kept[p.name].to_numpy()[:, chosen] for p in schema.parameters}
    moments = run["summary"].to_dataset().sel(scheme=label, replicate=replicate, generation=t)

    def moment(name: str) -> Floats:
        one = moments.sel(statistic=name)
        return schema.pack({p.name: one[p.name].to_numpy() for p in schema.parameters}, lead=0)[
            None
        ]

    passed = np.array([bool(tree["sample_stats"]["passed"])])
    streams = Streams(experiment.seed)
    settings = FitSettings(
        experiment.draws,
        experiment.chains,
        None,
        lambda attempt: streams.integer("sampler", block=replicate, generation=t, attempt=attempt),
    )
    place = Place(label, t, replicate, np.array([replicate]))
    posterior = Posterior(schema.pack(values, lead=2)[None], moment("mean"), moment("sd"), passed)
    real, batch = (constant[name].to_numpy()[None] for name in ("real", "batch"))
    weights = constant["weights"].to_numpy()[None]
    key = (experiment.seed, replicate, t, SALT)
    return Cell(place, rows, weights, real, batch, posterior, engine, settings, key)
