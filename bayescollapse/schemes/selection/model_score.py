"""A verifier given as a PyMC model: the log density of a row under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescollapse.estimator.exact import Floats
from bayescollapse.rows import Values
from bayescollapse.schemes.context import Context
from bayescollapse.schemes.selection.columns import (
    block_shape,
    check_function,
    plain_numbers,
    plain_value,
)
from bayescollapse.schemes.selection.row_score import RowScore

if TYPE_CHECKING:
    from bayescollapse.estimator.engine import Engine

__all__ = ["ModelScore"]

_CHUNK = 2_000_000
"""Entries of row-wise log density made at a time."""


@dataclass(frozen=True, repr=False)
class ModelScore(RowScore):
    r"""Log density of a row under a fixed PyMC model.

    .. math:: \log \frac1D \sum_{d=1}^{D} p(y \mid x, \theta_d)

    at one value of the parameters (D = 1), or averaged over posterior draws.

    Parameters
    ----------
    factory : callable
        Importable function that makes the verifier, an :class:`~bayescollapse.Estimator` or a PyMC
        model, such as ``linear_regression.estimator``.
    parameters : mapping of str to array_like
        A value for every free variable, on its own scale; or draws of all of them, on a leading
        axis of the same length.
    arguments : mapping of str to Any, optional
        Keyword arguments of `factory`. Arrays and lists reach it as tuples.

    Raises
    ------
    ValueError
        If `factory` is no function or a parameter is not finite; when rows are first scored, if the
        parameters do not fit the model or the rows lack one of its variables.

    Notes
    -----
    The model is built and compiled once per process, when rows are first scored. It may read fewer
    variables than the rows have. Scores are in nats per row, and minus infinity where the model
    rules a row out.

    Examples
    --------
    >>> import numpy as np
    >>> from bayescollapse.models import gaussian_mean
    >>> from bayescollapse.schemes import Context
    >>> from bayescollapse.schemes.selection.model_score import ModelScore
    >>> score = ModelScore(gaussian_mean.estimator, {"mu": 1.0}, {"sd": 2.0})
    >>> rows = {"y": np.array([[1.0, 3.0]])}
    >>> score.score(rows, Context(1, 0, 2, np.random.default_rng(0))).round(3)
    array([[-1.612, -2.112]])
    """

    factory: Callable[..., Any]
    parameters: Any
    arguments: Any = ()

    def __post_init__(self) -> None:
        """Turn mappings and arrays into tuples, and refuse what is not finite."""
        check_function("factory", self.factory, "that returns an Estimator")
        pairs = _pairs("parameters", self.parameters)
        if not pairs:
            raise ValueError("parameters must give a value for every free variable, got none")
        numbers = tuple((name, plain_numbers(f"parameters[{name!r}]", v)) for name, v in pairs)
        object.__setattr__(self, "parameters", numbers)
        object.__setattr__(self, "arguments", _pairs("arguments", self.arguments))

    def score(self, rows: Values, context: Context) -> Floats:
        """Log density of every row, shape (replicate, obs), in nats."""
        engine = _engine(self.factory, self.arguments)
        parameters = _parameters(self)
        schema = engine.schema
        missing = [v.name for v in schema.variables if v.name not in rows]
        if missing:
            raise ValueError(
                f"factory reads {missing}, but the rows have {sorted(rows)}: rename the model's "
                "variables, or take another verifier"
            )
        shape = block_shape(rows)
        # The verifier is the same in all replicates: their rows are scored as one long batch.
        flat = {
            v.name: np.broadcast_to(rows[v.name], (*shape, *v.shape)).reshape(1, -1, *v.shape)
            for v in schema.variables
        }
        draws = next(iter(parameters.values())).shape[1]
        step = max(1, _CHUNK // (shape[0] * shape[1]))
        total = np.full(shape[0] * shape[1], -np.inf)
        for start in range(0, draws, step):
            part = {name: value[:, start : start + step] for name, value in parameters.items()}
            density = engine.log_density(part, flat)[0]
            if draws == 1:
                return np.asarray(density[0].reshape(shape))
            total = np.logaddexp(total, np.logaddexp.reduce(density, axis=0))
        return np.asarray(total - np.log(draws)).reshape(shape)


@cache
def _engine(factory: Callable[..., Any], arguments: tuple[tuple[str, Any], ...]) -> Engine:
    """Engine of a verifier's model, made once per process."""
    from bayescollapse.estimator import Estimator

    made = factory(**dict(arguments))
    estimator = made if isinstance(made, Estimator) else Estimator(made)
    engine: Engine = estimator.engine("auto")
    return engine


@lru_cache(maxsize=64)
def _parameters(score: ModelScore) -> Values:
    """Parameters of a verifier, shape (1, draw, …), checked against its model."""
    schema = _engine(score.factory, score.arguments).schema
    given = {name: np.asarray(value) for name, value in score.parameters}
    shapes = {p.name: p.shape for p in schema.parameters}
    if set(given) != set(shapes):
        raise ValueError(
            f"parameters must be {sorted(shapes)}, those of the verifier's model, got "
            f"{sorted(given)}"
        )
    one = all(given[name].shape == shape for name, shape in shapes.items())
    several = all(given[name].shape[1:] == shape for name, shape in shapes.items())
    if not one and (not several or len({value.shape[:1] for value in given.values()}) > 1):
        raise ValueError(
            f"parameters must have the shapes {shapes}, or all of them a leading axis of draws of "
            f"the same length before it, got { ({n: v.shape for n, v in given.items()}) }"
        )
    lead = (1, 1) if one else (1,)
    return {name: value.reshape(*lead, *value.shape) for name, value in given.items()}


def _pairs(argument: str, value: Any) -> tuple[tuple[str, Any], ...]:
    plain = plain_value(value)
    if not isinstance(plain, tuple) or any(
        not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str)
        for pair in plain
    ):
        raise ValueError(f"{argument} must map names to values, got {value!r}")
    return tuple(sorted(plain, key=lambda pair: pair[0]))
