"""Random streams, keyed by what they are for and never drawn in call order.

A stream is ``SeedSequence(seed, spawn_key=(purpose, block, generation))``. The scheme is not part
of the key, so every scheme of an experiment sees the same real rows and the same emission noise,
and differences between schemes are paired. Adding schemes, replicates or generations moves no
stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

__all__ = ["PURPOSES", "Streams"]

PURPOSES = MappingProxyType(
    {
        "truth": 0,  # parameters of a truth drawn from the prior
        "real": 1,  # fresh real rows
        "covariates": 2,  # covariates of synthetic rows
        "parameters": 3,  # posterior draws that emit
        "synthetic": 4,  # noise of synthetic rows, given parameters
        "memory": 5,  # which rows a subsampling memory keeps
        "selection": 6,  # randomness of a selection
        "weighting": 7,  # randomness of a weighting
        "keep": 8,  # draws kept for the run
        "sampler": 9,  # MCMC seeds
        "initial": 10,  # MCMC initial points
        "held_out": 11,  # held-out rows
        "density": 12,  # draws behind a Monte Carlo log density
        "mixing": 13,  # which rows of a contaminated source are real
        "reference": 14,  # MCMC seeds of references whose draws are kept
    }
)
"""Number of every purpose. Numbers are part of a run's identity: append, never renumber."""


@dataclass(frozen=True)
class Streams:
    """The keyed streams of one experiment.

    Parameters
    ----------
    seed : int
        Seed of the experiment.

    Examples
    --------
    >>> from bayescollapse.streams import Streams
    >>> streams = Streams(1)
    >>> a = streams.generator("real", block=0, generation=3).normal()
    >>> b = streams.generator("real", block=0, generation=3).normal()
    >>> bool(a == b)
    True
    """

    seed: int

    def sequence(
        self, purpose: str, *, block: int, generation: int, attempt: int = 0
    ) -> np.random.SeedSequence:
        """Seed sequence of a stream; a retry, or a further round, appends its number."""
        key = (PURPOSES[purpose], block, generation)
        return np.random.SeedSequence(self.seed, spawn_key=key + ((attempt,) if attempt else ()))

    def generator(
        self, purpose: str, *, block: int, generation: int, attempt: int = 0
    ) -> np.random.Generator:
        """Random generator of a stream."""
        return np.random.default_rng(
            self.sequence(purpose, block=block, generation=generation, attempt=attempt)
        )

    def integer(self, purpose: str, *, block: int, generation: int, attempt: int = 0) -> int:
        """One 63-bit integer of a stream, for programs that take an integer seed."""
        sequence = self.sequence(purpose, block=block, generation=generation, attempt=attempt)
        return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))
