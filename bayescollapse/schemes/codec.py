"""Schemes as plain dictionaries.

Labels stay text; any other value on an axis is stored by its type and its fields, and a function by
its name, both with a digest of their source where they are not part of this package.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from bayescollapse.schemes.scheme import Scheme
from bayescollapse.schemes.selection.base import KeepAll

__all__ = ["function_identity", "from_plain", "scheme_from_dict", "scheme_to_dict", "to_plain"]

PACKAGE = "bayescollapse."


def scheme_to_dict(scheme: Scheme) -> dict[str, Any]:
    """Plain dictionary of a scheme; see :meth:`Scheme.to_dict`."""
    keep_all = isinstance(scheme.selection, KeepAll)
    return {
        "supply": to_plain(scheme.supply),
        "memory": scheme.memory.label,
        "selection": "keep all" if keep_all else to_plain(scheme.selection),
        "weighting": to_plain(scheme.weighting),
        "emission": scheme.emission.label,
        "covariates": scheme.covariates,
        "name": scheme.name,
        "citation": scheme.citation,
    }


def scheme_from_dict(data: dict[str, Any]) -> Scheme:
    """Scheme from a plain dictionary; see :meth:`Scheme.from_dict`."""
    selection = data["selection"]
    return Scheme(
        supply=from_plain(data["supply"]),
        memory=data["memory"],
        selection=KeepAll() if selection == "keep all" else from_plain(selection),
        weighting=from_plain(data["weighting"]),
        emission=data["emission"],
        covariates=data["covariates"],
        name=data["name"],
        citation=data["citation"],
    )


def to_plain(value: Any) -> Any:
    """Turn a value of an axis into dictionaries, lists, numbers, text, booleans and None.

    Raises
    ------
    ValueError
        If it holds something that has no plain form, or a function that has no name.
    """
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, tuple):
        return [to_plain(entry) for entry in value]
    if is_dataclass(value) and not isinstance(value, type):
        own = {f.name: to_plain(getattr(value, f.name)) for f in fields(value) if f.init}
        return {**_identity("type", type(value)), "fields": own}
    if callable(value):
        return function_identity(value)
    raise ValueError(
        f"{value!r} cannot be stored: fields of a scheme are numbers, text, tuples, frozen "
        "dataclasses and functions that can be imported by name"
    )


def from_plain(data: Any) -> Any:
    """Value from what :func:`to_plain` made of it."""
    if isinstance(data, list):
        return tuple(from_plain(entry) for entry in data)
    if not isinstance(data, dict):
        return data
    if "function" in data:
        return _load("function", data)
    kind = _load("type", {k: v for k, v in data.items() if k != "fields"})
    return kind(**{name: from_plain(field) for name, field in data["fields"].items()})


def function_identity(function: Callable[..., Any]) -> dict[str, str]:
    """Identify a person's own function by module, qualified name and source hash.

    Raises
    ------
    ValueError
        If the function cannot be imported by name, so that a store or a worker could not find it.
    """
    return _identity("function", function)


def _identity(kind: str, thing: Any) -> dict[str, str]:
    module = getattr(thing, "__module__", None)
    name = getattr(thing, "__qualname__", "<lambda>")
    if module is None or "<" in name:
        raise ValueError(
            f"{name!r} cannot be stored: a function of a scheme must be importable by name; define "
            "it at the top of a module"
        )
    identity = {kind: f"{module}:{name}"}
    # The package's own values are known by its version, which every run records.
    if kind == "type" and module.startswith(PACKAGE):
        return identity
    return {**identity, "sha256": hashlib.sha256(_source(thing)).hexdigest()[:16]}


def _source(thing: Any) -> bytes:
    try:
        return inspect.getsource(thing).encode()
    except OSError as error:
        raise ValueError(
            f"{thing.__qualname__!r} cannot be stored: its source is in no file, and nobody "
            "could tell whether it has changed; define it at the top of a module"
        ) from error


def _load(kind: str, identity: dict[str, str]) -> Any:
    module, _, name = identity[kind].partition(":")
    target: Any = importlib.import_module(module)
    for part in name.split("."):
        target = getattr(target, part)
    if _identity(kind, target) != identity:
        raise ValueError(
            f"{identity[kind]} has changed since it was stored: restore its source, or define the "
            "scheme anew"
        )
    return target
