"""Scheme: what a generation is trained on, as one frozen value of six axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bayescollapse.estimator.emission import Emission, parse_emission
from bayescollapse.schemes.axes import (
    COVARIATES,
    KEEP_ALL,
    SUPPLIES,
    KeepAll,
    Memory,
    RowWeighting,
    Selection,
    Weighting,
    parse_memory,
    parse_selection,
    parse_weighting,
)

__all__ = ["Scheme"]


@dataclass(frozen=True)
class Scheme:
    """What a generation is trained on.

    Parameters
    ----------
    supply : {"fresh", "fixed", "stream", "none"}
        Real rows of a generation: a new batch each time, the first batch for ever, all batches so
        far, or none after generation 0.
    memory : {"last", "all"} or Memory
        Synthetic batches that are kept; ``window(j)`` and ``subsample(rows)`` are strings or values
        of
        :class:`~bayescollapse.schemes.Memory`.
    selection : KeepAll or callable
        Which synthetic rows are used: ``f(proposed, context) -> weights``.
    weighting : Weighting, "pooled", "optimal", number or callable
        Real share and total weight; a number is a fixed real share, a callable is
        ``f(rows, context) -> weights``.
    emission : {"joint", "plug-in", "predictive", "ensemble(K)"} or Emission
        How a fitted posterior produces synthetic rows.
    covariates : {"source", "resample", "fixed", "model"}, optional
        Where covariates of synthetic rows come from; the source's default if not given. ``model``:
        from the model itself, in which they must be observed variables, like the response.
    name, citation : str
        Label of a preset and the paper it comes from; not part of equality.

    Raises
    ------
    ValueError
        If an axis is out of range, or axes contradict each other.

    Notes
    -----
    Schemes are values: hashable, equal when their axes are equal, and stored with every run through
    :meth:`to_dict`.

    Examples
    --------
    >>> import bayescollapse as bc
    >>> bc.Scheme(supply="fresh", weighting=0.618, emission="plug-in")
    Scheme(supply='fresh', weighting=Weighting(real_share=0.618), emission='plug-in')
    >>> bc.Scheme() == bc.schemes.pooled()
    True
    """

    supply: str
    memory: Memory
    selection: Selection
    weighting: Weighting | RowWeighting
    emission: Emission
    covariates: str | None
    name: str = field(compare=False)
    citation: str = field(compare=False)

    # Written out because it takes short forms, while the fields hold values.
    def __init__(
        self,
        supply: str = "fresh",
        memory: Memory | str = "last",
        selection: Selection = KEEP_ALL,
        weighting: Weighting | RowWeighting | str | float | tuple[float, ...] = "pooled",
        emission: Emission | str = "joint",
        covariates: str | None = None,
        name: str = "",
        citation: str = "",
    ) -> None:
        """Turn short forms into values and refuse contradictions."""
        if supply not in SUPPLIES:
            raise ValueError(f"supply must be one of {SUPPLIES}, got {supply!r}")
        if covariates is not None and covariates not in COVARIATES:
            raise ValueError(f"covariates must be None or one of {COVARIATES}, got {covariates!r}")
        values = {
            "supply": supply,
            "memory": parse_memory(memory),
            "selection": parse_selection(selection),
            "weighting": parse_weighting(weighting),
            "emission": parse_emission(emission),
            "covariates": covariates,
            "name": name,
            "citation": citation,
        }
        for field_name, value in values.items():
            object.__setattr__(self, field_name, value)
        _refuse_contradictions(self)

    def __repr__(self) -> str:
        """One line with the axes that differ from the defaults."""
        parts = [f"supply={self.supply!r}"]
        if self.memory != Memory("last"):
            parts.append(f"memory={self.memory.label!r}")
        if not isinstance(self.selection, KeepAll):
            parts.append(f"selection={_function_name(self.selection)}")
        if self.weighting != Weighting():
            parts.append(f"weighting={self.weighting!r}")
        parts.append(f"emission={self.emission.label!r}")
        if self.covariates is not None:
            parts.append(f"covariates={self.covariates!r}")
        return f"Scheme({', '.join(parts)})"

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary of the axes; functions are named with a hash of their source.

        Examples
        --------
        >>> import bayescollapse as bc
        >>> scheme = bc.schemes.weighted(0.5)
        >>> bc.Scheme.from_dict(scheme.to_dict()) == scheme
        True
        """
        from bayescollapse.schemes.codec import scheme_to_dict

        return scheme_to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Scheme:
        """Scheme from a dictionary made by :meth:`to_dict`."""
        from bayescollapse.schemes.codec import scheme_from_dict

        return scheme_from_dict(data)


def _function_name(function: Any) -> str:
    module = getattr(function, "__module__", "?")
    return f"{module}.{getattr(function, '__qualname__', repr(function))}"


def _refuse_contradictions(scheme: Scheme) -> None:
    weighting, memory = scheme.weighting, scheme.memory
    if not isinstance(weighting, Weighting):
        return
    if scheme.supply == "none" and weighting.real_share != "pooled":
        raise ValueError(
            f"weighting with real_share={weighting.real_share!r} needs real rows, but "
            "supply='none' has none after generation 0: use supply='fresh', 'fixed' or 'stream', "
            "or weighting='pooled'"
        )
    if scheme.supply == "none" and weighting.total_weight == "real":
        raise ValueError(
            "total_weight='real' counts real rows, but supply='none' has none after generation 0: "
            "use 'rows' or a number"
        )
    if memory.kind == "subsample":
        if scheme.supply != "fixed":
            raise ValueError(
                "memory 'subsample' draws from the original real rows and needs supply='fixed', "
                f"got {scheme.supply!r}"
            )
        if weighting != Weighting():
            raise ValueError(
                "memory 'subsample' mixes real and synthetic rows at random and needs "
                f"weighting='pooled' with total_weight='rows', got {weighting!r}"
            )
