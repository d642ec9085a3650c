"""What a row model refuses by looking at its graph.

A row can be weighted only if the likelihood is one term per row and nothing but the likelihood
reads the rows. What only shows when the model is evaluated is found by
:mod:`~bayescollapse.estimator.probe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pymc.model.fgraph import ModelFreeRV, ModelNamed, ModelObservedRV, ModelPotential
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.tensor.variable import TensorVariable

from bayescollapse.estimator.exchange import row_constants
from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.estimator.rebuild import BAMBI_DIM, Draft, reads

if TYPE_CHECKING:
    import pymc as pm

__all__ = [
    "check_structure",
    "one_row_dim",
    "refuse_joint",
    "refuse_latent",
    "refuse_local",
    "same_length",
    "shape_of",
    "suspects",
]


def refuse_local(model: pm.Model, local: tuple[str, ...]) -> None:
    """Refuse names in ``local=`` that are no free variables with one value per row."""
    free = [rv.name for rv in model.free_RVs]
    for name in local:
        if name not in free:
            raise ValueError(
                f"local names {name!r}, but the model's free variables are {free}: choose among "
                "these"
            )
        if not model[name].dtype.startswith("float"):
            raise ValueError(
                f"local names {name!r}, which is discrete, and advi needs continuous variables: "
                "sum it out of the model (for example pm.Mixture instead of a categorical label)"
            )
    if local and len(local) == len(free):
        raise ValueError(
            f"local={list(local)} names all free variables, so nothing is left to learn: leave out "
            "those that rows share"
        )


def refuse_latent(names: Iterable[str]) -> None:
    """Refuse free variables with one value per row."""
    if names := sorted(names):
        raise ValueError(
            f"free variables {names} have one value per row, so the weight of a row has no meaning "
            "for them: integrate them out of the model (for example pm.NegativeBinomial for a "
            "Poisson with Gamma rates), give them a dimension of groups instead of rows, or name "
            f"them in local={names!r} and fit by method='advi', which is approximate"
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


def check_structure(made: Draft, count: int, local: tuple[str, ...] = ()) -> None:
    """Refuse rows that are read by anything but the likelihood of their own row.

    Parameters
    ----------
    made : Draft
        The model with its rows found.
    count : int
        Number of rows.
    local : tuple of str
        Free variables with one value per row.
    """
    observed = made.named(ModelObservedRV)
    rows = {shared: name for name, shared in made.shared.items()} | _named_rows(made)
    for name in made.shared:
        if name in observed and made.shared[name] in reads(
            observed[name].owner.inputs[0], shapes=False
        ):
            raise ValueError(
                f"the distribution of observed variable {name!r} is computed from its own values: "
                "a row must not read its response as a covariate; give it a pm.Data of its own"
            )
    responses = {shared: name for shared, name in rows.items() if name in observed}
    for name, free in made.named(ModelFreeRV).items():
        # A local variable belongs to its row, and may read its covariates.
        if read := _known(responses if name in local else rows, reads(free, shapes=False)):
            raise ValueError(
                f"the prior of {name!r} reads the rows of {read}, so a row of weight 0 would still "
                "count: compute the prior's constants before the model"
            )
    for name in observed.keys() - made.shared.keys():
        if read := _known(rows, reads(observed[name], shapes=False)):
            raise ValueError(
                f"observed variable {name!r} is not named in observed=, so it is part of the "
                f"prior, but it reads the rows of {read}, which every fit exchanges: name it in "
                "observed= too, or give it data of its own"
            )
    for name, potential in made.named(ModelPotential).items():
        _refuse_potential(made, name, potential, rows, count)


def one_row_dim(dims: set[str], names: Sequence[str], count: int) -> None:
    """Refuse rows with several names: it is not known that they are the same."""
    if len(dims) > 1:
        raise ValueError(
            f"dimensions {sorted(dims)} all count {count} rows of observed variables "
            f"{list(names)}: variables on different dimensions do not share rows, so name in "
            "observed= those that do; where an observed variable has no dims, give it its own with "
            "dims="
        )


def suspects(model: pm.Model, made: Draft, count: int, local: tuple[str, ...] = ()) -> list[str]:
    """Say what could tie the model to its present number of rows.

    Parameters
    ----------
    model : Model
        The person's model.
    made : Draft
        The model with its rows found.
    count : int
        Number of rows.
    local : tuple of str
        Free variables with one value per row.
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
    observed = made.named(ModelObservedRV)
    used = set().union(*(reads(observed[n], shapes=False) for n in made.shared if n in observed))
    for name, data in made.named(ModelNamed).items():
        inner = data.owner.inputs[0]
        if isinstance(inner, SharedVariable) and name not in made.shared and inner in used:
            if count in inner.get_value(borrow=True).shape:
                found.append(
                    f"pm.Data {name!r} with dims {data.owner.op.dims}: put the row dimension first"
                )
    for name in set(made.named(ModelFreeRV)) - set(local):
        # The person's own variable: a prior in the draft may read value variables, which have no
        # value.
        if model[name].ndim and shape_of(model[name])[0] == count:
            found.append(
                f"free variable {name!r}: one value per row cannot be weighted, integrate it out"
            )
    return found


def _named_rows(made: Draft) -> dict[Variable, str]:
    """Find the data on the row dimension by name, also where no likelihood reads them."""
    return {
        data.owner.inputs[0]: name
        for name, data in made.named(ModelNamed).items()
        if isinstance(data.owner.inputs[0], SharedVariable | Constant)
        and (dims := data.owner.op.dims)
        and dims[0] in made.row_dims
    }


def _known(rows: Mapping[Variable, str], read: set[Variable]) -> list[str]:
    return sorted({rows[var] for var in read if var in rows})


def _refuse_potential(
    made: Draft, name: str, potential: Variable, rows: Mapping[Variable, str], count: int
) -> None:
    observed = made.named(ModelObservedRV)
    responses = sorted(n for n in observed if n in made.shared)
    read = reads(potential, shapes=False)
    known = _known({**rows, **{observed[n]: n for n in responses}}, read)
    if known:
        raise ValueError(
            f"pm.Potential {name!r} reads the rows of {known}, and a potential cannot be weighted "
            "row by row. Their information would be double counted: once by weight in the "
            f"likelihood of {responses}, and once more in full in the potential, even at weight 0. "
            "Write it as an observed variable, for example with pm.CustomDist or pm.Censored"
        )
    data = [v for v in made.named(ModelNamed).values() if v.owner.op.dims]
    other = {v.owner.inputs[0] for v in data}
    for var in read - other:
        value = _array(var)
        if value is not None and value.ndim and count > 1 and len(value) == count:
            raise ValueError(
                f"pm.Potential {name!r} holds an array of shape {value.shape}, as long as the "
                f"{count} rows. If these are data, they would be double counted: the rows that the "
                "model was built with would count in full in every fit, next to the weighted rows "
                f"of {responses}. Write it as an observed variable, for example with "
                "pm.CustomDist or pm.Censored; if they are no data, hold them in a pm.Data with "
                "dims of its own"
            )


def _array(var: Variable) -> NDArray[Any] | None:
    if isinstance(var, SharedVariable):
        value = var.get_value(borrow=True)
    else:
        value = var.data if isinstance(var, Constant) else None
    return value if isinstance(value, np.ndarray) else None


def shape_of(variable: TensorVariable) -> tuple[int, ...]:
    """Shape of a variable, evaluated."""
    return tuple(int(n) for n in variable.shape.eval(mode=PYTHON)) if variable.ndim else ()
