"""What presets are built with."""

from __future__ import annotations

from typing import Any

from bayescollapse.estimator.emission import Emission
from bayescollapse.schemes.scheme import Scheme

__all__ = ["build", "plug_in"]


def build(name: str, citation: str, axes: dict[str, Any], **own: Any) -> Scheme:
    """Scheme of a preset: the axes it fixes, and those that a person gave.

    Parameters
    ----------
    name, citation : str
        Of the preset.
    axes : dict
        Axes that a person gave.
    **own
        Axes that the preset fixes.

    Raises
    ------
    ValueError
        If an axis is in both.

    Examples
    --------
    >>> build("replace", "nobody", {"emission": "plug-in"}, supply="none")
    Scheme(supply='none', emission='plug-in')
    """
    clash = sorted(set(axes) & set(own))
    if clash:
        raise ValueError(
            f"bc.schemes.{name} fixes {clash}, which were also given: use bc.Scheme(…) to combine "
            "axes freely"
        )
    return Scheme(**own, **axes, name=name, citation=citation)


def plug_in(
    point: str = "mean", *, temperature: float = 1.0, sampling_bias: float = 1.0
) -> Emission:
    """Plug-in emission at a point estimate.

    Parameters
    ----------
    point : str, default "mean"
        ``mean`` is there for every model; ``mle``, ``unbiased`` and ``map`` for exact families.
    temperature, sampling_bias : float, default 1
        Of the emitted rows.

    Examples
    --------
    >>> plug_in("mle", temperature=0.8).label
    'plug-in(mle, temperature=0.8)'
    """
    return Emission("plug-in", point=point, temperature=temperature, sampling_bias=sampling_bias)
