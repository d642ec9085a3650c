"""Part 2: recovery and collapse over the two exponents, of the real share and of the sizes."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayescollapse import theory
from contamination_parts.frequencies import Curve, diversity, measure, truth
from contamination_parts.settings import Mixing, Settings

CATEGORIES = 8
FIRST = 20
GENERATIONS = 41
LARGEST = (2.0, 2.0)
STEPS = 81

CELLS = (
    (0.0, 0.0),
    (0.0, 1.0),
    (0.5, 0.0),
    (0.5, 0.5),
    (0.5, 1.25),
    (1.0, 0.5),
    (1.0, 1.75),
    (1.5, 0.5),
    (1.5, 1.5),
    (2.0, 2.0),
)
"""Exponents A and B of the mixings that are simulated, some from every region."""


@dataclass(frozen=True)
class Atlas:
    """What theory says over a grid of exponents, and what was measured in a few cells.

    Parameters
    ----------
    decay, growth : ndarray, shape (cell,)
        Exponents of the grid: A of the real share, B of the number of rows.
    fate : ndarray of str, shape (growth, decay)
        Long run: recovery, floor or collapse.
    ratio : ndarray, shape (growth, decay)
        Error of the last generation over that of generation 0, by the recursion.
    measured : list of Curve
        The cells.
    """

    decay: NDArray[np.float64]
    growth: NDArray[np.float64]
    fate: NDArray[np.str_]
    ratio: NDArray[np.float64]
    measured: list[Curve]

    @property
    def last(self) -> int:
        """Last generation that was simulated."""
        return self.measured[0].last


def atlas(settings: Settings, executor: Executor) -> Atlas:
    """Work out the grid, and run the cells."""
    mixings = [Mixing(1.0, decay, growth, FIRST) for decay, growth in CELLS]
    name = f"exponents-{settings.generations(GENERATIONS) - 1}"
    measured = measure(name, settings, executor, mixings, ("plug-in",), CATEGORIES, GENERATIONS)
    decay, growth = (np.linspace(0, end, STEPS) for end in LARGEST)
    fate = theory.contamination_region(decay, growth[:, None]).region
    ratio = grid_ratio(decay, growth, settings.generations(GENERATIONS))
    return Atlas(decay, growth, fate, ratio, measured)


def grid_ratio(
    decay: NDArray[np.float64], growth: NDArray[np.float64], generations: int
) -> NDArray[np.float64]:
    """Error of the last generation over that of generation 0, shape (growth, decay)."""
    t = np.arange(1, generations + 1, dtype=float)[:, None, None]
    path = theory.contaminated_risk(
        generations,
        real_probability=t**-decay,
        rows=np.floor(FIRST * t ** growth[:, None]),
        diversity=diversity(truth(CATEGORIES)),
    )
    return np.asarray(path[-1] / path[0])
