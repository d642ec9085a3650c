"""Parts 2 and 3: loops over many rounds, with batches that grow."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bayescollapse as bc
from verification_parts.settings import Settings, verified

FEATURES = 2
GROWTH = 50
"""Accepted rows along each direction at generation t, divided by t."""
RADII = (0.1, 0.5, 1.5)
EMISSIONS = ("plug-in", "joint")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Loop:
    """A verifier and an emission.

    Parameters
    ----------
    verifier : str
        The verifier in words.
    distance : float
        Distance of the verifier's centre from the truth.
    radius : float, optional
        Radius of its ball; no verifier at all if not given.
    emission : str
        How a generation makes rows.
    """

    verifier: str
    distance: float
    radius: float | None
    emission: str = "plug-in"

    @property
    def label(self) -> str:
        """Words that tell it from other loops of a study."""
        return f"{self.words}, {self.emission}"

    @property
    def words(self) -> str:
        """Verifier and radius in words."""
        return self.verifier if self.radius is None else f"{self.verifier}, radius {self.radius:g}"

    @property
    def bias(self) -> Floats:
        """Verifier's centre minus the truth: the same along every direction."""
        return np.full(FEATURES, self.distance / np.sqrt(FEATURES))

    @property
    def scheme(self) -> bc.Scheme:
        """What generations are trained on."""
        if self.radius is None:
            return bc.schemes.replace(emission=self.emission)
        return verified(self.radius, self.bias, self.emission)


@dataclass(frozen=True)
class Study:
    """Loops that start from the same real rows.

    Parameters
    ----------
    name : str
        Name of the store.
    first : int
        Real rows along each direction.
    loops : tuple of Loop
        What is compared.
    generations : int
        Generations, generation 0 included.
    """

    name: str
    first: int
    loops: tuple[Loop, ...]
    generations: int

    @property
    def rows(self) -> Floats:
        """Rows along each direction that every generation is fitted to."""
        return np.array([self.first, *(GROWTH * t for t in range(1, self.generations))], float)

    def find(self, verifier: str, emission: str) -> Loop:
        """Loop of a verifier and an emission."""
        return next(a for a in self.loops if (a.verifier, a.emission) == (verifier, emission))


@dataclass(frozen=True)
class Outcome:
    """What the lineages of one loop did.

    Parameters
    ----------
    offset, sd : ndarray, shape (replicate, generation, feature)
        Posterior mean minus the verifier's centre, and posterior sd.
    acceptance : ndarray, shape (replicate, generation - 1)
        Share of the proposed rows that was accepted.
    total_weight : ndarray, shape (generation,)
        Total weight, the sample size that the posterior claims.
    short : ndarray of bool, shape (replicate, generation)
        Lineages for which the stated number of proposals did not suffice.
    interval : ndarray, shape (replicate, generation, 2)
        Ends of the 95 % interval of the first coefficient.
    """

    offset: Floats
    sd: Floats
    acceptance: Floats
    total_weight: Floats
    short: NDArray[np.bool_]
    interval: Floats


def rates(settings: Settings) -> Study:
    """Compare three radii, for a verifier at distance 1 from the truth and for one at it."""
    ways = (("biased verifier", 1.0), ("unbiased verifier", 0.0))
    loops = tuple(Loop(name, distance, radius) for name, distance in ways for radius in RADII)
    return Study("many-rounds", 25, (*loops, Loop("no verifier", 0.0, None)), settings.generations)


def reversals(settings: Settings) -> Study:
    """Compare no, mild and strong bias at one radius, in two emissions.

    A mild bias is as large as the error of the real rows alone, root mean square; a strong one
    three times that, and still inside the radius.
    """
    first, radius = 10, 1.5
    alone = float(np.sqrt(FEATURES / first))
    ways = (("unbiased", 0.0), ("mild bias", round(alone, 4)), ("strong bias", round(3 * alone, 4)))
    loops = tuple(
        loop
        for emission in EMISSIONS
        for loop in (
            *(Loop(name, distance, radius, emission) for name, distance in ways),
            Loop("no verifier", 0.0, None, emission),
        )
    )
    return Study("reversal", first, loops, settings.generations)


def run(settings: Settings, executor: Executor, study: Study) -> dict[Loop, Outcome]:
    """Run the loops of a study."""
    tree = settings.run(
        study.name,
        executor,
        {loop.label: loop.scheme for loop in study.loops},
        features=FEATURES,
        real=FEATURES * study.first,
        synthetic=tuple(int(FEATURES * rows) for rows in study.rows[1:]),
        probabilities=(0.025, 0.975),
    )
    summary = tree["summary"]["beta"].load()
    training = tree["training"].to_dataset(inherit=False).load()
    truth = np.asarray(tree["truth"]["beta"])
    return {
        loop: _outcome(summary.sel(scheme=loop.label), training.sel(scheme=loop.label), truth, loop)
        for loop in study.loops
    }


def _outcome(summary: Any, training: Any, truth: Floats, loop: Loop) -> Outcome:
    parts = summary.transpose("statistic", "replicate", "generation", "feature")
    mean, sd = (parts.sel(statistic=name).to_numpy() for name in ("mean", "sd"))
    ends = parts.sel(statistic=["q2.5", "q97.5"]).isel(feature=0).to_numpy()
    columns = {
        name: training[name].transpose("replicate", "generation").to_numpy()
        for name in ("accepted", "emitted", "total_weight", "short")
    }
    return Outcome(
        mean - np.broadcast_to(truth, (len(mean), FEATURES))[:, None] - loop.bias,
        sd,
        columns["accepted"][:, :-1] / columns["emitted"][:, :-1],
        columns["total_weight"][0],
        columns["short"].astype(bool),
        np.moveaxis(ends, 0, -1),
    )
