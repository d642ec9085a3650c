"""Simulation-based calibration through the library's own experiment.

A truth is drawn from the prior for every replicate, rows from the truth, and the posterior given
those rows (weight 1). If the method draws the right posterior, the rank of the truth among the
posterior draws is uniform, for every parameter and for any function of parameters and rows (Talts,
Betancourt, Simpson, Vehtari and Gelman 2018, arXiv:1804.06788). Ranks of the joint log-likelihood
of the rows see errors that the ranks of parameters cannot, such as a posterior that ignores rows
(Modrák et al. 2023, arXiv:2211.02383).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np

import bayescollapse as bc
from bayescollapse.measures.bands import p_value

__all__ = ["DRAWS", "Calibration", "calibrate", "rank_of_truth", "scalars", "seed_of"]

DRAWS = 100
"""Posterior draws that a truth is ranked among: ranks lie in 0, …, 100."""

PRIOR_DRAWS = 4_000
LIKELIHOOD = "log likelihood"


@dataclass(frozen=True)
class Calibration:
    """Ranks of a case under a method, and what the fits were like.

    Parameters
    ----------
    ranks : mapping of str to ndarray of int, shape (simulation,)
        Rank of the truth, by quantity.
    draws : int
        Draws that the truth was ranked among.
    dependence : mapping of str to float
        Autocorrelation of neighbouring kept draws, averaged over simulations, by quantity.
    failed : int
        Fits that failed the gate; they are ranked like the others.
    final : mapping of str to ndarray, shape (simulation, 1)
        Quantities of the parameters that emitted at the last generation.
    prior : mapping of str to ndarray, shape (draw, 1)
        Quantities of independent draws from the prior.
    seconds : float
        Wall time.
    """

    ranks: Mapping[str, np.ndarray]
    draws: int
    dependence: Mapping[str, float]
    failed: int
    final: Mapping[str, np.ndarray]
    prior: Mapping[str, np.ndarray]
    seconds: float

    @property
    def simulations(self):
        """Number of simulations."""
        return len(next(iter(self.ranks.values())))

    def p_values(self):
        """p-value of every quantity's ranks."""
        return {name: p_value(ranks, self.draws) for name, ranks in self.ranks.items()}

    def worst(self):
        """Quantity with the smallest p-value, and that p-value."""
        values = self.p_values()
        name = min(values, key=values.get)
        return name, values[name]


def calibrate(
    case, method, simulations, *, estimator=None, source=None, generations=1, executor=None
):
    """Run a case's simulations under a method.

    Parameters
    ----------
    case : Case
        Model, rows and quantities.
    method : str
        Method of the experiment.
    simulations : int
        Number of replicates.
    estimator : Estimator, optional
        Another learner than the case's own, for estimators that are wrong on purpose.
    source : Truth, optional
        Another truth than the learner's own prior.
    generations : int
        Generations of `replace` with joint emission; ranks are those of generation 0.
    executor : int or Executor, optional
        As in ``Experiment.run``.
    """
    started = time.monotonic()
    learner = case.make() if estimator is None else estimator
    experiment = bc.Experiment(
        learner,
        source or bc.Truth.from_prior(covariates=case.covariates),
        bc.schemes.replace(emission="joint", total_weight="rows"),
        n_real=case.rows,
        generations=generations,
        replicates=simulations,
        method=method,
        keep_draws=DRAWS,
        keep_rows="all",
        references=(),
        probabilities=(),
        seed=seed_of(case.name, method),
    )
    run = experiment.run(progress=False, executor=executor)
    true, drawn = _values(case, learner, method, run)
    chains = run["posterior"].sizes["chain"]
    rng = np.random.default_rng(seed_of(case.name, "ties"))
    names = [p.name for p in learner.schema.parameters]
    emitted = run["emission"].isel(scheme=0, generation=-1, member=[0])
    prior = experiment.bound.prior(PRIOR_DRAWS, np.random.default_rng(seed_of(case.name, "prior")))
    return Calibration(
        {name: rank_of_truth(true[name][:, 0], values, rng) for name, values in drawn.items()},
        next(iter(drawn.values())).shape[1],
        {n: _dependence(v.reshape(len(v), chains, -1)) for n, v in drawn.items()},
        int((~run["sample_stats"]["passed"].to_numpy()).sum()),
        case.quantities({name: emitted[name].to_numpy() for name in names}),
        case.quantities({name: prior[name][:, None] for name in names}),
        time.monotonic() - started,
    )


def rank_of_truth(truth, draws, rng):
    """Rank of each truth (simulation,) among its draws (simulation, draw); ties are broken evenly.

    A truth that equals t of the draws has one of the t + 1 ranks it could have, each with the same
    probability, so ranks are uniform on 0, …, L also for quantities with atoms.
    """
    below = (draws < truth[:, None]).sum(axis=1)
    equal = (draws == truth[:, None]).sum(axis=1)
    return below + rng.integers(equal + 1)


def scalars(parameters):
    """Every entry of every parameter (simulation, draw, …) as a quantity (simulation, draw)."""
    out = {}
    for name, value in parameters.items():
        for index in np.ndindex(value.shape[2:]):
            label = f"{name}{list(index)}" if index else name
            out[label] = value[(slice(None), slice(None), *index)]
    return out


def seed_of(*parts):
    """Seed that depends on names only: adding a case changes no other."""
    return crc32(" ".join(parts).encode())


def _values(case, learner, method, run):
    """Quantities of the truths (simulation, 1) and of the draws (simulation, draw)."""
    names = [p.name for p in learner.schema.parameters]
    kept = run["posterior"].isel(scheme=0, generation=0)
    chains = {name: kept[name].to_numpy() for name in names}
    draws = {n: v.reshape(v.shape[0], -1, *v.shape[3:]) for n, v in chains.items()}
    truth = {name: run["truth"][name].to_numpy()[:, None] for name in names}
    engine, rows = learner.engine(method), _rows(learner.schema, run, case.rows)
    return tuple(
        case.quantities(values) | {LIKELIHOOD: engine.log_density(values, rows).sum(axis=-1)}
        for values in (truth, draws)
    )


def _rows(schema, run, count):
    table = run["rows"].to_dataset()
    first = table.isel(row=(table["generation"] == 0).to_numpy())
    order = np.argsort(first["replicate"].to_numpy(), kind="stable")
    return {
        v.name: first[v.name].to_numpy()[order].reshape(-1, count, *v.shape)
        for v in schema.variables
    }


def _dependence(values):
    """Autocorrelation at lag 1 of (simulation, chain, draw), each simulation around its mean."""
    centred = values - values.mean(axis=(1, 2), keepdims=True)
    scale = (centred**2).mean(axis=(1, 2))
    products = (centred[:, :, 1:] * centred[:, :, :-1]).mean(axis=(1, 2))
    moving = scale > 0
    return float((products[moving] / scale[moving]).mean())
