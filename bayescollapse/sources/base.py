"""What a source of real rows must do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import RowSchema, Values
from bayescollapse.streams import Streams

if TYPE_CHECKING:
    from bayescollapse.estimator.learner import Learner

__all__ = ["BoundSource", "Place", "Source", "stack_parameters", "take_rows"]


@dataclass(frozen=True)
class Place:
    """Where in an experiment rows are drawn: the key of their stream.

    Parameters
    ----------
    streams : Streams
        The experiment's streams.
    block, generation : int
        Block of replicates, and generation.
    replicates : int
        Replicates in the block.
    purpose : str
        Purpose of the stream; real rows and held-out rows have one each.
    attempt : int
        Round of proposals, each with a stream of its own.
    """

    streams: Streams
    block: int
    generation: int
    replicates: int
    purpose: str = "real"
    attempt: int = 0

    def generator(self, purpose: str | None = None) -> np.random.Generator:
        """Random generator of this place."""
        return self.streams.generator(
            purpose or self.purpose,
            block=self.block,
            generation=self.generation,
            attempt=self.attempt,
        )


class BoundSource(Protocol):
    """A source that knows the rows and parameters of the estimator it feeds."""

    @property
    def default_covariates(self) -> str:
        """Where covariates of synthetic rows come from if a scheme does not say."""

    def truth(self, place: Place) -> Floats | None:
        """Stacked parameters behind the rows, shape (replicate, parameter); None if unknown."""

    def real(self, n: int, place: Place) -> dict[str, NDArray[Any]]:
        """Fresh real rows, shape (replicate, n, …)."""

    def covariates(self, m: int, place: Place) -> dict[str, NDArray[Any]]:
        """Fresh covariates for synthetic rows, shape (replicate, m, …)."""


class Source(Protocol):
    """Where fresh real rows come from: a truth, a table or a simulator."""

    def check(self, estimator: Learner) -> None:
        """Refuse what does not fit the estimator, before anything is compiled or sampled."""

    def bind(self, estimator: Learner, *, seed: int) -> BoundSource:
        """Source for this estimator; may fit or compile."""

    def describe(self) -> dict[str, Any]:
        """Give the configuration as plain values, part of a run's identity."""


def take_rows(rows: Values, index: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Rows of each replicate at an index of shape (replicate, m)."""
    out = {}
    for name, value in rows.items():
        if value.shape[0] == 1:
            out[name] = value[0][index]
        else:
            out[name] = value[np.arange(index.shape[0])[:, None], index]
    return out


def stack_parameters(parameters: Values, schema: RowSchema) -> Floats:
    """Check true parameter values against a model and stack them, shape (parameter,)."""
    wanted = {p.name: p.shape for p in schema.parameters}
    unknown, missing = sorted(set(parameters) - set(wanted)), sorted(set(wanted) - set(parameters))
    if unknown or missing:
        raise ValueError(
            f"Truth must give exactly the model's parameters {sorted(wanted)}: missing {missing}, "
            f"unknown {unknown}"
        )
    for name, shape in wanted.items():
        value = parameters[name]
        if value.shape != shape:
            raise ValueError(f"Truth parameter {name!r} must have shape {shape}, got {value.shape}")
        if not np.isfinite(value).all():
            raise ValueError(f"Truth parameter {name!r} must be finite, got {value.tolist()}")
    return schema.pack(parameters, lead=0)
