"""Scheme: what a generation is trained on, as one frozen value of six axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bayescollapse.estimator.emission import Emission, parse_emission
from bayescollapse.schemes.contradictions import refuse_contradictions
from bayescollapse.schemes.memory import Memory, parse_memory
from bayescollapse.schemes.selection.base import KEEP_ALL, KeepAll, Selection, parse_selection
from bayescollapse.schemes.supply import Contaminated, parse_supply
from bayescollapse.schemes.value import Value
from bayescollapse.schemes.weighting import RowWeighting, Weighting, parse_weighting

__all__ = ["COVARIATES", "Scheme"]

COVARIATES = ("source", "resample", "fixed", "model")


@dataclass(frozen=True)
class Scheme:
    """What a generation is trained on.

    Parameters
    ----------
    supply : {"fresh", "fixed", "stream", "none"} or Contaminated
        Real rows of a generation: a new batch each time, the first batch for ever, all batches so
        far, or none after generation 0; or rows of unknown origin, see
        :class:`~bayescollapse.schemes.Contaminated`.
    memory : {"last", "all"} or Memory
        Synthetic batches that are kept; ``window(j)`` and ``subsample(rows)`` are strings or values
        of
        :class:`~bayescollapse.schemes.Memory`.
    selection : KeepAll, RowSelection or callable
        Which synthetic rows are used: a selection of ``bc.schemes``, or a function
        ``f(proposed, context) -> weights`` of as many proposed rows as are wanted.
    weighting : Weighting, "pooled", "optimal", "optimal by generation", number or callable
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

    supply: str | Contaminated
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
        supply: str | Contaminated = "fresh",
        memory: Memory | str = "last",
        selection: Selection = KEEP_ALL,
        weighting: Weighting | RowWeighting | str | float | tuple[float, ...] = "pooled",
        emission: Emission | str = "joint",
        covariates: str | None = None,
        name: str = "",
        citation: str = "",
    ) -> None:
        """Turn short forms into values and refuse contradictions."""
        if covariates is not None and covariates not in COVARIATES:
            raise ValueError(f"covariates must be None or one of {COVARIATES}, got {covariates!r}")
        values = {
            "supply": parse_supply(supply),
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
        refuse_contradictions(self)

    def __repr__(self) -> str:
        """One line with the axes that differ from the defaults."""
        parts = [f"supply={self.supply!r}"]
        if self.memory != Memory("last"):
            parts.append(f"memory={self.memory.label!r}")
        if not isinstance(self.selection, KeepAll):
            parts.append(f"selection={_axis(self.selection)}")
        if self.weighting != Weighting():
            parts.append(f"weighting={_axis(self.weighting)}")
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


def _axis(value: Any) -> str:
    """Show a value as it is, and a person's own function by its name."""
    if isinstance(value, Value):
        return repr(value)
    return f"{getattr(value, '__module__', '?')}.{getattr(value, '__qualname__', repr(value))}"
