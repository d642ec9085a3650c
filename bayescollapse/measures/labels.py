"""Labels: variables of a dataset carry the words and units of the measures they belong to."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import xarray as xr

from bayescollapse.measures.registry import Measure

__all__ = ["ROLES", "Words", "compared_with", "labelled", "words_of"]

type Words = dict[str, tuple[str, str]]
"""Meaning and unit by name of a measure."""

ROLES = {
    "_mcse": "Monte Carlo standard error",
    "_median": "median over replicates",
    "_low": "lower limit",
    "_high": "upper limit",
    "_p": "p-value of its null value",
}
"""What the ends of names say of a variable beside the measure itself."""


def words_of(measures: Iterable[Measure]) -> Words:
    """Meaning and unit of measures.

    Parameters
    ----------
    measures : iterable of Measure
        Lines of the registry.
    """
    return {measure.name: (measure.meaning, measure.units) for measure in measures}


def labelled(dataset: xr.Dataset, words: Words) -> xr.Dataset:
    """Give variables a ``long_name`` and ``units``.

    Parameters
    ----------
    dataset : Dataset
        Measures, and what belongs to them: the name of a measure and one of :data:`ROLES`.
    words : dict of str to tuple of str
        Meaning and unit of every measure; variables of other measures stay as they are.

    Returns
    -------
    Dataset
        With attributes on its variables; a p-value has unit 1.

    Examples
    --------
    >>> import xarray as xr
    >>> known = labelled(xr.Dataset({"bias_mcse": 0.1}), {"bias": ("mean error", "cm")})
    >>> known["bias_mcse"].attrs
    {'long_name': 'mean error: Monte Carlo standard error', 'units': 'cm'}
    """
    out = dataset.copy()
    for name in map(str, dataset.data_vars):
        base, role = _parts(name, words)
        if base:
            meaning, units = words[base]
            text = f"{meaning}: {ROLES[role]}" if role else meaning
            out[name].attrs.update(long_name=text, units="1" if role == "_p" else units)
    return out


def compared_with(dataset: xr.Dataset, references: Mapping[str, str]) -> xr.Dataset:
    """Say on variables what their measure was compared with, as ``attrs["reference"]``.

    Parameters
    ----------
    dataset : Dataset
        Measures, and what belongs to them.
    references : mapping of str to str
        Reference by name of a measure; variables of other measures stay as they are.

    Returns
    -------
    Dataset
        With the attribute.
    """
    out = dataset.copy()
    for name in map(str, dataset.data_vars):
        base, _ = _parts(name, references)
        if base:
            out[name].attrs["reference"] = references[base]
    return out


def _parts(name: str, words: Container[str]) -> tuple[str, str]:
    """Measure that a variable belongs to, and the end of its name."""
    if name in words:
        return name, ""
    for role in ROLES:
        base = name.removesuffix(role)
        if base != name and base in words:
            return base, role
    return "", ""
