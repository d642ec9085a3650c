"""What a row model refuses by looking at its graph.

A row can be weighted only if the likelihood is one term per row and nothing but the likelihood
reads the rows. What only shows when the model is evaluated is found by
:mod:`~bayescollapse.estimator.probe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from pymc.model.fgraph import ModelFreeRV, ModelNamed, ModelObservedRV, ModelPotential
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.variable import TensorVariable

from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.estimator.rebuild import BAMBI_DIM, Draft, reads, row_constants

if TYPE_CHECKING:
    import pymc as pm

__all__ = [
    "check_structure",
    "refuse_joint",
    "refuse_latent",
    "refuse_local",
    "same_length",
    "shape_of",
    "suspects",
]


def refuse_local(model: pm.Model, local: tuple[str, ...]) -> None:
    """Refuse ``local=``, which needs a method that this version does not have."""
    free = [rv.name for rv in model.free_RVs]
    for name in local:
        if name not in free:
            raise ValueError(
                f"local names {name!r}, but the model's free variables are {free}: choose among "
                "these"
            )
    if local:
        raise ValueError(
            f"local={list(local)}: local latent variables need method='advi', which this version "
            "does not have: integrate them out of the model, or give them a dimension of groups "
            "instead of rows"
        )


def refuse_latent(names: Iterable[str]) -> None:
    """Refuse free variables with one value per row."""
    if names := sorted(names):
        raise ValueError(
            f"free variables {names} have one value per row, so the weight of a row has no meaning "
            "for them: integrate them out of the model (for example pm.NegativeBinomial for a "
            "Poisson with Gamma rates), or give them a dimension of groups instead of rows; "
            "local= needs method='advi', which this version does not have"
        )


def refuse_joint(name: str, batch: int) -> None:
    """Refuse a likelihood that is one term for all rows."""
    if batch < 1:
        raise ValueError(
            f"the likelihood of {name!r} is one term for all rows, so its rows cannot be weighted: "
            "write a likelihood with one term per row (for a Gaussian process use pm.gp.HSGP "
            "instead of a marginal one; for a time series let a row be a whole series)"
        )


def same_length(values: Mapping[str, NDArray[Any]]) -> int:
    """Count the rows, and refuse responses that differ."""
    lengths = {name: len(value) for name, value in values.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"observed variables have different numbers of rows, {lengths}: name those that share "
            f"rows in observed=, for example observed={next(iter(lengths))!r}"
        )
    if not (count := next(iter(lengths.values()))):
        raise ValueError(
            f"observed variables {list(lengths)} have no rows: build the model with at least one"
        )
    return count


def check_structure(made: Draft, count: int) -> None:
    """Refuse rows that are read by anything but the likelihood of their own row.

    Parameters
    ----------
    made : Draft
        The model with its rows found.
    count : int
        Number of rows.
    """
    observed, rows = made.named(ModelObservedRV), set(made.shared.values())
    for name in made.shared:
        if name in observed and made.shared[name] in reads(
            observed[name].owner.inputs[0], shapes=False
        ):
            raise ValueError(
                f"the distribution of observed variable {name!r} is computed from its own values: "
                "a row must not read its response as a covariate; give it a pm.Data of its own"
            )
    for name, free in made.named(ModelFreeRV).items():
        if read := rows & reads(free, shapes=False):
            raise ValueError(
                f"the prior of {name!r} reads the rows of {sorted(s.name for s in read)}, so a row "
                "of weight 0 would still count: compute the prior's constants before the model"
            )
    for name, potential in made.named(ModelPotential).items():
        if reads(potential, shapes=False) & (
            rows | {observed[n] for n in observed if n in made.shared}
        ):
            raise ValueError(
                f"pm.Potential {name!r} reads the rows, and a potential cannot be weighted row by "
                "row: write it as an observed variable, for example with pm.CustomDist"
            )


def suspects(model: pm.Model, made: Draft, count: int) -> list[str]:
    """Say what could tie the model to its present number of rows.

    Parameters
    ----------
    model : Model
        The person's model.
    made : Draft
        The model with its rows found.
    count : int
        Number of rows.
    """
    found = []
    if BAMBI_DIM in made.row_dims:
        found.append(
            "a Bambi model may have common terms only: write group-specific terms and offsets in "
            "PyMC"
        )
    for constant in row_constants(made, count):
        dims = '"obs"' if constant.ndim == 1 else '("obs", "feature")'
        found.append(
            f"a plain array of shape {constant.data.shape}: write "
            f'x = pm.Data("x", x, dims={dims}) and use that x'
        )
    for name, data in made.named(ModelNamed).items():
        inner = data.owner.inputs[0]
        if isinstance(inner, SharedVariable) and name not in made.shared and inner.ndim:
            if inner.get_value(borrow=True).shape[0] == count:
                found.append(
                    f"pm.Data {name!r} with dims {data.owner.op.dims}: put the row dimension first"
                )
    for name in made.named(ModelFreeRV):
        # The person's own variable: a prior in the draft may read value variables, which have no
        # value.
        if model[name].ndim and shape_of(model[name])[0] == count:
            found.append(
                f"free variable {name!r}: one value per row cannot be weighted, integrate it out"
            )
    return found


def shape_of(variable: TensorVariable) -> tuple[int, ...]:
    """Shape of a variable, evaluated."""
    return tuple(int(n) for n in variable.shape.eval(mode=PYTHON)) if variable.ndim else ()
