"""Which models can be fitted and drawn from at all, whatever their rows.

Refused before anything is compiled: likelihoods without a log density or a random function,
parameters without a gradient or with a sampler of their own, and names that collide with ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymc as pm
from pymc import step_methods
from pymc.distributions.custom import CustomDistRV
from pymc.distributions.simulator import SimulatorRV
from pytensor.gradient import NullTypeGradError, grad
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorVariable

if TYPE_CHECKING:
    from bayescollapse.rows import RowSchema

__all__ = ["refuse_reserved", "refuse_rough", "refuse_unusable"]

_ROW_NAMES = frozenset({"obs", "replicate", "real", "batch", "origin", "weights"})
"""Coordinates and dimensions of datasets of rows, and what a fit records beside covariates."""

_PARAMETER_NAMES = frozenset(
    {"scheme", "replicate", "generation", "statistic", "member", "chain", "draw"}
)
"""Dimensions of posteriors and runs."""


def refuse_unusable(model: pm.Model, name: str) -> None:
    """Refuse a likelihood that has no density for every row, or cannot be drawn from.

    Parameters
    ----------
    model : Model
        A person's model.
    name : str
        An observed variable that has rows.
    """
    rv = model[name]
    if not isinstance(rv, TensorVariable):
        raise ValueError(
            f"observed variable {name!r} is written with pymc.dims, whose variables cannot be "
            "weighted by this version: write the model with the distributions of pymc itself"
        )
    above = ancestors([rv], blockers=model.free_RVs)
    for op in {v.owner.op for v in above if v.owner is not None and v not in model.free_RVs}:
        if isinstance(op, SimulatorRV):
            raise ValueError(
                f"observed variable {name!r} is a pm.Simulator, which has no log density: its "
                "pseudo-likelihood compares all rows at once, is random, and needs pm.sample_smc; "
                "write a likelihood with one term per row"
            )
        if isinstance(op, CustomDistRV) and _missing(op._random_fn):
            raise ValueError(
                f"the likelihood of {name!r} is a pm.CustomDist without random=, so no synthetic "
                "rows can be drawn from it: add random=, or write it with dist="
            )


def refuse_rough(model: pm.Model) -> None:
    """Refuse parameters that no gradient-based sampler can move, or that need another sampler.

    Discrete parameters are left to the methods, which name themselves in their own refusals.

    Parameters
    ----------
    model : Model
        The rebuilt model.
    """
    if not model.free_RVs:
        raise ValueError(
            "model has no free variables, so there is nothing to fit: give at least one parameter "
            "a prior"
        )
    smooth = [rv for rv in model.free_RVs if rv.dtype.startswith("float")]
    for rv in smooth:
        _refuse_own_sampler(rv)
    density, values = model.logp(), [model.rvs_to_values[rv] for rv in smooth]
    if _gradient_error(density, values) is None:
        return
    errors = {rv.name: _gradient_error(density, [model.rvs_to_values[rv]]) for rv in smooth}
    names = [name for name, error in errors.items() if error is not None]
    raise ValueError(
        f"the log density has no gradient with respect to {names} ({errors[names[0]]}), which NUTS "
        "and the other methods need: write black-box operations in pytensor, or give them a "
        "gradient (pullback); step methods attached in your own sampling code are not used"
    )


def refuse_reserved(schema: RowSchema) -> None:
    """Refuse names that collide with the coordinates of rows, posteriors and runs.

    Parameters
    ----------
    schema : RowSchema
        Names and dimensions of the model.
    """
    for variables, reserved, where in (
        (schema.variables, _ROW_NAMES, "rows"),
        (schema.parameters, _PARAMETER_NAMES, "posteriors and runs"),
    ):
        for variable in variables:
            for name in (variable.name, *variable.dims):
                if name in reserved:
                    kind = "variable" if name == variable.name else f"dimension of {variable.name}"
                    raise ValueError(
                        f"{kind} {name!r} has a name that {where} use themselves: rename it (taken "
                        f"are {sorted(reserved)})"
                    )


def _gradient_error(density: TensorVariable, values: list[TensorVariable]) -> Exception | None:
    try:
        grad(density, values, disconnected_inputs="ignore")
    except (NotImplementedError, NullTypeGradError) as error:
        return error
    return None


def _missing(function: object) -> bool:
    # PyMC puts a function of this name where a person gave none.
    return getattr(function, "__qualname__", "").startswith("default_not_implemented")


def _refuse_own_sampler(rv: TensorVariable) -> None:
    def rank(method: Any) -> int:
        return max(int(c) for c in method._competence(rv, True))

    # Packages register their samplers in the list, or put a longer list in its old place.
    known = [*step_methods.STEP_METHODS, *vars(pm).get("STEP_METHODS", ())]
    best = max(known, key=rank)
    if not best.__module__.startswith("pymc."):
        raise ValueError(
            f"free variable {rv.name!r} needs a sampler of its own ({best.__name__}), as the trees "
            "of BART do, and every method here moves all parameters by their gradients: step "
            "methods are not used; replace it by a smooth function, for example pm.gp.HSGP or "
            "splines"
        )
