"""Schemes as plain dictionaries."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Any

from bayescollapse.schedules import Geometric, Linear, Power, Schedule
from bayescollapse.schemes.axes import KeepAll, RowWeighting, Weighting
from bayescollapse.schemes.scheme import Scheme

__all__ = ["function_identity", "scheme_from_dict", "scheme_to_dict"]

SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "power": Power,
    "linear": Linear,
    "geometric": Geometric,
}


def scheme_to_dict(scheme: Scheme) -> dict[str, Any]:
    """Plain dictionary of a scheme; see :meth:`Scheme.to_dict`."""
    weighting, selection = scheme.weighting, scheme.selection
    if isinstance(weighting, Weighting):
        weights: dict[str, Any] = {
            "real_share": _schedule_to_plain(weighting.real_share),
            "total_weight": _schedule_to_plain(weighting.total_weight),
        }
    else:
        weights = function_identity(weighting)
    return {
        "supply": scheme.supply,
        "memory": scheme.memory.label,
        "selection": (
            "keep all" if isinstance(selection, KeepAll) else function_identity(selection)
        ),
        "weighting": weights,
        "emission": scheme.emission.label,
        "covariates": scheme.covariates,
        "name": scheme.name,
        "citation": scheme.citation,
    }


def scheme_from_dict(data: dict[str, Any]) -> Scheme:
    """Scheme from a plain dictionary; see :meth:`Scheme.from_dict`."""
    weights = data["weighting"]
    if "function" in weights:
        weighting: Weighting | RowWeighting = _load_function(weights)
    else:
        weighting = Weighting(
            _schedule_from_plain(weights["real_share"]),
            _schedule_from_plain(weights["total_weight"]),
        )
    selection = data["selection"]
    return Scheme(
        supply=data["supply"],
        memory=data["memory"],
        selection=KeepAll() if selection == "keep all" else _load_function(selection),
        weighting=weighting,
        emission=data["emission"],
        covariates=data["covariates"],
        name=data["name"],
        citation=data["citation"],
    )


def function_identity(function: Callable[..., Any]) -> dict[str, str]:
    """Identify a person's own function by module, qualified name and source hash.

    Raises
    ------
    ValueError
        If the function cannot be imported by name, so that a store or a worker could not find it.
    """
    module, name = (
        getattr(function, "__module__", None),
        getattr(function, "__qualname__", "<lambda>"),
    )
    if module is None or "<" in name:
        raise ValueError(
            f"{name!r} cannot be stored: a function of a scheme must be importable by name; define "
            "it at the top of a module"
        )
    source = inspect.getsource(function).encode()
    return {"function": f"{module}:{name}", "sha256": hashlib.sha256(source).hexdigest()[:16]}


def _load_function(identity: dict[str, str]) -> Callable[..., Any]:
    module, _, name = identity["function"].partition(":")
    target: Any = importlib.import_module(module)
    for part in name.split("."):
        target = getattr(target, part)
    if function_identity(target) != identity:
        raise ValueError(
            f"{identity['function']} has changed since it was stored: restore its source, or "
            "define the scheme anew"
        )
    loaded: Callable[..., Any] = target
    return loaded


def _schedule_to_plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {"schedule": type(value).__name__.lower(), **asdict(value)}
    if callable(value):
        raise ValueError(
            f"schedule {value!r} is a function: an experiment stores it as a table; use a tuple or "
            "bc.schedules"
        )
    return list(value) if isinstance(value, tuple) else value


def _schedule_from_plain(value: Any) -> Any:
    if isinstance(value, dict):
        fields = {k: v for k, v in value.items() if k != "schedule"}
        return SCHEDULES[value["schedule"]](**fields)
    return tuple(value) if isinstance(value, list) else value
