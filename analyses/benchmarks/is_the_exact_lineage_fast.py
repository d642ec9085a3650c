"""Time of an exact Gaussian lineage against plain NumPy loops and against drawing its numbers.

Fresh real rows at a fixed real share, the last synthetic batch, plug-in emission, Jeffreys' prior.
All candidates are timed per lineage and generation:

- ``lineage``: ``Lineage.run`` of one block, and ``experiment`` the whole ``Experiment.run`` around it
- ``random numbers``: draw the lineage's normal numbers, with its generators, and nothing else
- ``recursion``: a loop over replicates of rows, weighted moments and plug-in values, no outputs
- ``same outputs``: that loop with every output that the lineage records, by ``scipy.special``
- ``same outputs, scipy.stats``: the same with the quantiles as most people write them

On the lineage's own random numbers ``same outputs`` must give what the lineage recorded; this is
checked before the clock starts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from interleaved import Seconds, interleaved, parser, show, show_ratio
from numpy.typing import NDArray
from scipy import special, stats

import bayescollapse as bc
from bayescollapse.experiment.executor import single_threaded
from bayescollapse.models import gaussian
from bayescollapse.streams import Streams

Floats = NDArray[np.float64]
Noise = Callable[[int, int], Floats]
"""Standard normal numbers by generation and count, real rows first."""

SHARE, PROBABILITIES = 0.618, np.array([0.025, 0.25, 0.5, 0.75, 0.975])


def experiment(rows: int, replicates: int, generations: int) -> bc.Experiment:
    """The loop of all candidates, recorded without draws, rows and references."""
    return bc.Experiment(
        gaussian.estimator(), bc.Truth(mu=0.0, sigma=1.0), bc.schemes.he_xu_cheng(SHARE),
        n_real=rows, generations=generations, replicates=replicates, keep_draws=0,
        keep_rows="none", references=(),
    )  # fmt: skip


def random_numbers(rows: int, block: int, generations: int) -> list[tuple[Floats, Floats]]:
    """Real and synthetic noise of every generation, as the lineage draws it."""
    streams, drawn = Streams(0), []
    for t in range(generations):
        pair = (streams.generator(name, block=0, generation=t) for name in ("real", "synthetic"))
        drawn.append(tuple(rng.standard_normal((block, rows)) for rng in pair))
    return drawn


def recursion(noise: Noise, rows: int, generations: int) -> tuple[float, float]:
    """Only the recursion of one replicate: weighted moments and plug-in values."""
    mu, sigma = 0.0, 1.0
    first, later = _weights(rows)
    plug_in = [_plug_in_factor(w.sum()) for w in (first, later)]
    synthetic = np.empty(0)
    for t in range(generations):
        y = np.concatenate([noise(t, rows), synthetic])
        weights = later if t else first
        mu = weights @ y / weights.sum()
        sigma = plug_in[t > 0] * np.sqrt(weights @ (y - mu) ** 2 / 2)
        synthetic = mu + sigma * noise(t, rows)
    return mu, sigma


def same_outputs(noise: Noise, rows: int, generations: int, quantiles: Callable) -> list[Floats]:
    """One replicate with all that the lineage records: one array a generation."""
    synthetic, out = np.empty(0), []
    for t in range(generations):
        y = np.concatenate([noise(t, rows), synthetic])
        weights = _weights(rows)[min(t, 1)]
        total = weights.sum()
        location = weights @ y / total
        scale, shape = weights @ (y - location) ** 2 / 2, (total - 1) / 2
        first, second = _plug_in_factor(total), 1 / (shape - 1)
        moments = (location, np.sqrt(scale / total * second))
        sigma = (np.sqrt(scale) * first, np.sqrt(scale * (second - first**2)))
        synthetic = location + sigma[0] * noise(t, rows)
        emitted = (synthetic.mean(), synthetic.std(ddof=1))
        training = (weights[:rows].sum() / total, total, total**2 / (weights @ weights))
        parts = quantiles(shape, location, np.sqrt(scale / shape / total), scale)
        rows_quantiles = np.quantile(synthetic, PROBABILITIES)
        out.append(
            np.concatenate([moments, parts[0], sigma, parts[1], emitted, rows_quantiles, training])
        )
    return out


def by_special(shape: float, location: float, spread: float, scale: float) -> tuple:
    """Quantiles of mu and sigma from special functions."""
    t = special.stdtrit(2 * shape, PROBABILITIES)
    return location + spread * t, np.sqrt(scale / special.gammainccinv(shape, PROBABILITIES))


def by_stats(shape: float, location: float, spread: float, scale: float) -> tuple:
    """Quantiles of mu and sigma from distributions."""
    mu = stats.t.ppf(PROBABILITIES, 2 * shape, location, spread)
    return mu, np.sqrt(stats.invgamma.ppf(PROBABILITIES, shape, scale=scale))


def all_replicates(one: Callable[[Noise], object], replicates: int, seed: int) -> None:
    """Loop over replicates, each with a generator of its own."""
    for r in range(replicates):
        rng = np.random.default_rng([seed, r])
        one(lambda _, count, rng=rng: rng.standard_normal(count))


def check(made: bc.Experiment, rows: int, generations: int, replicate: int = 3) -> None:
    """Raise unless the loop and the lineage give the same outputs for the same numbers."""
    lineage = made.lineage(made.jobs()[0])
    arrays = {name: a[replicate] for name, a in lineage.run().arrays.items()}
    drawn = random_numbers(rows, lineage.engine.block, generations)
    ordered = iter([batch[replicate] for pair in drawn for batch in pair])
    ours = same_outputs(lambda t, count: next(ordered), rows, generations, by_special)
    wanted = [arrays["summary"][:, :, 0], arrays["summary"][:, :, 1], arrays["predictive/y"]]
    wanted += [arrays[f"training/{n}"][:, None] for n in ("real_share", "total_weight", "kish")]
    np.testing.assert_allclose(np.array(ours), np.concatenate(wanted, axis=1), rtol=1e-9)


def _weights(rows: int) -> tuple[Floats, Floats]:
    later = np.repeat([2 * SHARE, 2 * (1 - SHARE)], rows)
    return np.ones(rows), later


def _plug_in_factor(total: float) -> float:
    return float(np.exp(special.gammaln(total / 2 - 1) - special.gammaln((total - 1) / 2)))


def timed(rows: int, replicates: int, generations: int, repeats: int) -> Seconds:
    """Seconds per lineage and generation of every candidate."""
    made = experiment(rows, replicates, generations)
    check(made, rows, generations)
    lineage = made.lineage(made.jobs()[0])
    loops = {
        "recursion": partial(recursion, rows=rows, generations=generations),
        "same outputs": partial(
            same_outputs, rows=rows, generations=generations, quantiles=by_special
        ),
        "same outputs, scipy.stats": partial(
            same_outputs, rows=rows, generations=generations, quantiles=by_stats
        ),
    }
    candidates = {
        "lineage": lambda _: lineage.run(),
        "experiment": lambda _: made.run(progress=False),
        "random numbers": lambda _: random_numbers(rows, lineage.engine.block, generations),
    }
    candidates |= {name: partial(all_replicates, loop, replicates) for name, loop in loops.items()}
    seconds = interleaved(candidates, repeats)
    return {name: values / (replicates * generations) for name, values in seconds.items()}


def main() -> None:
    """Time 100 and 10 rows and print them."""
    arguments = parser(__doc__, repeats=9)
    arguments.add_argument("--replicates", type=int, default=128)
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
