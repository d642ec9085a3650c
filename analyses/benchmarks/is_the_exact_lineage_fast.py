"""Time of an exact Gaussian lineage against plain NumPy loops and against drawing its numbers.

All candidates are timed per lineage and generation:

- ``lineage``: ``Lineage.run`` of one block; ``experiment``: the whole ``Experiment.run`` around it
- ``random numbers``: draw the lineage's normal numbers, with its generators, and nothing else
- ``recursion``: a loop over replicates of rows, weighted moments and plug-in values, no outputs
- ``same outputs``: that loop with every output that the lineage records, by ``scipy.special``
- ``same outputs, scipy.stats``: the same with the quantiles as most people write them

On the lineage's own random numbers ``same outputs`` must give what the lineage recorded; this is
checked before the clock starts. At 10 rows a generation is mostly the fixed cost of NumPy calls.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from interleaved import Seconds, interleaved, parser, show, show_ratio
from plain_gaussian import SHARE, Floats, Noise, by_special, by_stats, recursion, same_outputs

import bayescollapse as bc
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.models import gaussian
from bayescollapse.streams import Streams


def experiment(rows: int, replicates: int, generations: int) -> bc.Experiment:
    """Set up the loop of all candidates, recorded without draws, rows and references."""
    return bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.schemes.he_xu_cheng(SHARE),
        n_real=rows,
        generations=generations,
        replicates=replicates,
        keep_draws=0,
        keep_rows="none",
        references=(),
    )


def random_numbers(rows: int, block: int, generations: int) -> list[Floats]:
    """Draw the noise of real and synthetic rows of every generation, as the lineage does."""
    streams, drawn = Streams(0), []
    for t in range(generations):
        for purpose in ("real", "synthetic"):
            rng = streams.generator(purpose, block=0, generation=t)
            drawn.append(rng.standard_normal((block, rows)))
    return drawn


def all_replicates(one: Callable[[Noise], object], replicates: int, seed: int) -> None:
    """Loop over replicates, each with a generator of its own."""
    for r in range(replicates):
        one(np.random.default_rng([seed, r]).standard_normal)


def check(made: bc.Experiment, rows: int, generations: int, replicate: int = 3) -> None:
    """Raise unless the loop and the lineage give the same outputs for the same numbers."""
    lineage = made.lineage(made.jobs()[0])
    # A column that is the same in every replicate has one entry.
    arrays = {
        n: column[min(replicate, len(column) - 1)] for n, column in lineage.run().arrays.items()
    }
    drawn = random_numbers(rows, lineage.engine.block, generations)
    ordered = iter([batch[replicate] for batch in drawn])
    ours = same_outputs(lambda _: next(ordered), rows, generations, by_special)
    wanted = [arrays["summary"][:, :, 0], arrays["summary"][:, :, 1], arrays["predictive/y"]]
    wanted += [arrays[f"training/{n}"][:, None] for n in ("real_share", "total_weight", "kish")]
    np.testing.assert_allclose(np.array(ours), np.concatenate(wanted, axis=1), rtol=1e-9)


def timed(rows: int, replicates: int, generations: int, repeats: int) -> Seconds:
    """Time every candidate, in seconds per lineage and generation."""
    made = experiment(rows, replicates, generations)
    check(made, rows, generations, min(3, replicates - 1))
    lineage, size = made.lineage(made.jobs()[0]), {"rows": rows, "generations": generations}
    loops = {
        "recursion": partial(recursion, **size),
        "same outputs": partial(same_outputs, quantiles=by_special, **size),
        "same outputs, scipy.stats": partial(same_outputs, quantiles=by_stats, **size),
    }
    candidates = {
        "lineage": lambda _: lineage.run(),
        "experiment": lambda _: made.run(progress=False),
        "random numbers": lambda _: random_numbers(block=lineage.engine.block, **size),
    }
    candidates |= {name: partial(all_replicates, loop, replicates) for name, loop in loops.items()}
    seconds = interleaved(candidates, repeats)
    return {name: values / (replicates * generations) for name, values in seconds.items()}


def main() -> None:
    """Time 100 and 10 rows and print them."""
    arguments = parser(__doc__, repeats=11)
    arguments.add_argument("--replicates", type=int, default=128, help="at most 128, one block")
    arguments.add_argument("--generations", type=int, default=60)
    chosen = arguments.parse_args()
    with single_threaded():
        for rows in (100, 10):
            seconds = timed(rows, chosen.replicates, chosen.generations, chosen.repeats)
            show(f"n = m = {rows}", seconds, unit="µs", scale=1e6)
            show_ratio(seconds, "lineage", "random numbers", "at most 3")
            show_ratio(seconds, "recursion", "lineage")
            show_ratio(seconds, "same outputs", "lineage", "at least 8")
            show_ratio(seconds, "same outputs, scipy.stats", "lineage")


if __name__ == "__main__":
    main()
