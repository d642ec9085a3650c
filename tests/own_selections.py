"""Selections as a person would write them, importable by workers and stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayescollapse.schemes import RowSelection


def positive_rows(proposed, context):
    """Accept positive responses."""
    return proposed["y"].to_numpy() > 0


def never(proposed, context):
    """Accept nothing."""
    return np.zeros(proposed["y"].shape, dtype=bool)


def random_weights(proposed, context):
    """Weigh rows at random; about a third of them get none."""
    return np.maximum(context.rng.random(proposed["y"].shape) - 1 / 3, 0.0)


@dataclass(frozen=True, repr=False)
class Above(RowSelection):
    """Accept responses above a limit."""

    limit: float = 0.0
    max_proposals: int = 100

    def select(self, rows, context):
        return rows["y"] > self.limit


@dataclass(frozen=True, repr=False)
class EditShare(RowSelection):
    """Replace a random share of the old rows."""

    mode: ClassVar[str] = "edit"
    share: float = 0.5

    def select(self, rows, context):
        return context.rng.random(rows["y"].shape[:2]) < self.share


@dataclass(frozen=True, repr=False)
class Largest(RowSelection):
    """Pick the largest of every `among` consecutive proposals."""

    mode: ClassVar[str] = "pick"
    among: int = 2

    def proposals(self, m):
        return m * self.among

    @property
    def shared(self):
        return self.among

    def select(self, rows, context):
        y = rows["y"].reshape(len(rows["y"]), -1, self.among)
        return (y == y.max(axis=2, keepdims=True)).reshape(rows["y"].shape)
