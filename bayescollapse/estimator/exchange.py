"""Rows that a draft holds in another way than as data: constants, and responses that others read.

A frozen model holds its ``pm.Data`` as constants, a Bambi model its design matrix, and a mediation
model reads the data of one response in the distribution of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytensor
from pymc.model.fgraph import (
    ModelFreeRV,
    ModelNamed,
    ModelObservedRV,
    model_named,
    model_observed_rv,
)
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import ancestors, walk
from pytensor.tensor.shape import Shape, Shape_i

from bayescollapse.estimator.rebuild import BAMBI_DIM, Draft, reads, rebuild

__all__ = ["follow_responses", "row_constants", "thaw"]


def thaw(made: Draft, rows: int) -> None:
    """Make exchangeable what the model holds as constants with a name or a known place.

    Parameters
    ----------
    made : Draft
        The model, changed in place.
    rows : int
        Number of rows.
    """
    for name, data in made.named(ModelNamed).items():
        inner, dims = data.owner.inputs[0], data.owner.op.dims
        if not isinstance(inner, Constant) or inner.ndim == 0:
            continue
        if dims[0] in made.row_dims if dims else len(inner.data) == rows:
            made.replace({inner: _shared(inner, name)})
    if BAMBI_DIM in made.row_dims:
        _exchange_design(made, rows)


def follow_responses(made: Draft) -> None:
    """Let a response that reads the data of another one read its random variable instead.

    The density stays the same, and emitted rows become consistent: a mediator is drawn before
    what depends on it.

    Parameters
    ----------
    made : Draft
        The model, changed in place.

    Raises
    ------
    ValueError
        If responses read each other in a circle.
    """
    observed = made.named(ModelObservedRV)
    sources = {name: _read_responses(made, name) for name in observed if name in made.shared}
    for name in _ordered(sources):
        observed = made.named(ModelObservedRV)
        rv = observed[name].owner.inputs[0]
        replaced = {made.shared[other]: observed[other] for other in sources[name]}
        kept = {var: var for var in ancestors([rv]) if _keeps(var)}
        if replaced:
            rv = rebuild([rv], {**kept, **replaced})[0]
            dims = observed[name].owner.op.dims
            fresh = model_observed_rv(rv, made.shared[name], name, *dims)
            made.replace({observed[name]: fresh})


def row_constants(made: Draft, rows: int) -> Iterator[Variable]:
    """Constants with as many rows as the data on the way from free to observed variables."""
    observed = made.named(ModelObservedRV)
    seen = set().union(*(reads(observed[n], shapes=False) for n in made.shared if n in observed))
    for var in seen:
        data = getattr(var, "data", None)
        if var.owner is None and isinstance(data, np.ndarray) and data.ndim and rows > 1:
            if data.shape[0] == rows:
                yield var


def _shared(constant: Constant, name: str) -> Variable:
    return pytensor.shared(constant.data, name=name, shape=(None,) * constant.ndim)


def _exchange_design(made: Draft, rows: int) -> None:
    # Bambi writes its centred design matrix into the graph as a constant.
    found = list(row_constants(made, rows))
    if len(found) == 1:
        taken = {v.owner.op.name for v in made.outputs} | set(made.coords)
        name = next(n for n in ("X", "design", "design_matrix") if n not in taken)
        shared = _shared(found[0], name)
        made.replace({found[0]: shared})
        made.outputs.append(model_named(shared, name))
        made.shared[name] = shared


def _read_responses(made: Draft, name: str) -> list[str]:
    """Other responses whose data or random variables the distribution of a response reads."""
    observed = made.named(ModelObservedRV)

    def expand(var: Variable) -> Sequence[Variable] | None:
        return None if var.owner is None or _keeps(var) else var.owner.inputs

    read = set(walk([observed[name].owner.inputs[0]], expand))
    others = (o for o in observed if o != name and o in made.shared)
    return [o for o in others if made.shared[o] in read or observed[o] in read]


def _keeps(var: Variable) -> bool:
    # A length is still measured on the data, which stand for the number of rows everywhere.
    return var.owner is not None and isinstance(
        var.owner.op, Shape | Shape_i | ModelFreeRV | ModelObservedRV
    )


def _ordered(sources: Mapping[str, list[str]]) -> list[str]:
    done: list[str] = []
    while len(done) < len(sources):
        ready = [n for n in sources if n not in done and all(s in done for s in sources[n])]
        if not ready:
            circle = sorted(set(sources) - set(done))
            raise ValueError(
                f"observed variables {circle} are computed from each other's values: no row could "
                "be drawn from such a model; let the later one read the earlier one only"
            )
        done += ready
    return done
