"""Registry: what every measure of a run means, how it is scaled, and what it needs."""

from __future__ import annotations

import importlib
import importlib.util
import math
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "KNOWING",
    "NEEDS",
    "QUESTIONS",
    "REAL",
    "REFERENCES",
    "LackingError",
    "Measure",
    "lacking",
    "registered",
    "table",
]

QUESTIONS = (
    "posterior drift",
    "predictive drift",
    "accuracy against claim",
    "information",
    "calibration over generations",
    "sensitivity",
    "definitions of collapse",
)
"""Questions that measures answer, in the order in which tables list them."""

NEEDS = {
    "summary": "every run of bc.Experiment has it",
    "draws": "run the experiment with keep_draws above 0",
    "quantiles": "run the experiment with a pair such as probabilities=(0.025, 0.975)",
    "truth": "use a source that knows the truth (bc.Truth, or truth= of bc.Table and bc.Simulator)",
    "prior truths": "draw a new truth for every replicate with bc.Truth.from_prior",
    "real_only": "add 'real_only' to references= of the experiment",
    "real_seen": "add 'real_seen' to references= of the experiment",
    "real_plus": "add 'real_plus' to references= of the experiment",
    "held-out rows": "run the experiment with held_out=",
    "emitted rows": "run more than one generation with n_synthetic above 0",
    "rows": "run the experiment with keep_rows='all'",
    "emission": "run more than one generation, with any emission but predictive",
    "densities": "pass the experiment= that made the run",
    "experiment": "pass the experiment= that made the run",
    "prior": "pass the experiment= that made the run, whose model has a proper prior",
    "larger run": "pass larger=, the run of the same experiment with more rows a generation",
}
"""What a measure can need, and how to get it."""

REAL = ("real_only", "real_seen", "real_plus")
"""Posteriors from real rows alone: a generation's n, all seen so far, and n + m fresh ones."""

REFERENCES = ("first", "truth", *REAL)
"""What a generation can be compared with: generation 0, the truth, and posteriors of real rows."""

KNOWING = ("first", *REAL)
"""References that know a finite amount: all but the truth."""

HOMES = ("bayescollapse.measures", "bayescollapse.perturbing")
"""Packages whose modules may hold a tuple ``MEASURES``."""


class LackingError(ValueError):
    """A run does not hold what a measure needs; the message says how to get it."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a measure means: a line of the table of all measures.

    Parameters
    ----------
    name : str
        Name of the variable in the dataset that holds it.
    question : str
        One of :data:`QUESTIONS`.
    meaning : str
        What a value says, in words; the ``long_name`` of the variable.
    units : str
        Unit, ``"1"`` for a pure number.
    lowest, highest : float
        Range of the population value; an estimate may leave it, and `bias` says so.
    symmetric : bool
        Whether exchanging the two distributions leaves it as it is; False for what compares none.
    invariant : bool or str
        Whether a one-to-one change of the scale of what is compared leaves it as it is; a word for
        a smaller group of changes, such as ``"affine"``.
    needs : tuple of str, optional
        Keys of :data:`NEEDS`.
    references : tuple of str, optional
        What it can be compared with, chosen by name; none if its definition leaves no choice.
    null : float or str
        Value where nothing has changed, or in words.
    bias : str, optional
        Known bias of the estimate.
    source : str
        Where it comes from, with DOI or arXiv id.

    Raises
    ------
    ValueError
        If a field is out of its range.

    Examples
    --------
    >>> Measure(
    ...     name="sd_ratio", question="posterior drift", meaning="sd over that of the reference",
    ...     units="1", lowest=0.0, highest=float("inf"), symmetric=False, invariant="affine",
    ...     null=1.0, source="ratio of standard deviations",
    ... ).bounded
    False
    """

    name: str
    question: str
    meaning: str
    units: str
    lowest: float
    highest: float
    symmetric: bool
    invariant: bool | str
    needs: tuple[str, ...] = ("summary",)
    references: tuple[str, ...] = ()
    null: float | str
    bias: str = "none known"
    source: str

    def __post_init__(self) -> None:
        """Refuse lines that a reader could not use."""
        if not self.name.isidentifier():
            raise ValueError(f"name must be the name of a variable, got {self.name!r}")
        if self.question not in QUESTIONS:
            raise ValueError(
                f"question of {self.name!r} must be one of {QUESTIONS}, got {self.question!r}"
            )
        if not self.lowest < self.highest:
            raise ValueError(
                f"lowest of {self.name!r} must lie below highest, got {self.lowest!r} and "
                f"{self.highest!r}"
            )
        # A text in place of a tuple has letters for entries, which are no needs either.
        if any(need not in NEEDS for need in self.needs):
            raise ValueError(
                f"needs of {self.name!r} must be a tuple of {list(NEEDS)}, got {self.needs!r}: add "
                "what is missing to NEEDS, with how to get it"
            )
        if any(reference not in REFERENCES for reference in self.references):
            raise ValueError(
                f"references of {self.name!r} must be a tuple of {REFERENCES}, got "
                f"{self.references!r}"
            )
        for field in ("meaning", "units", "source", "bias"):
            if not str(getattr(self, field)).strip():
                raise ValueError(f"{field} of {self.name!r} must not be empty: say it in words")

    @property
    def bounded(self) -> bool:
        """Whether both ends of the range are finite."""
        return math.isfinite(self.lowest) and math.isfinite(self.highest)


def lacking(names: Sequence[str] | str, needs: str, *, because: str = "") -> str:
    """Say which measures a run cannot give, what they lack, and how to get it.

    Parameters
    ----------
    names : sequence of str or str
        Measures that are left out.
    needs : str
        Key of :data:`NEEDS`.
    because : str, optional
        What the run has instead; that it lacks the thing if not given.

    Returns
    -------
    str
        A line for ``attrs["missing"]`` or for an error.

    Raises
    ------
    ValueError
        If `needs` is no key of :data:`NEEDS`.

    Examples
    --------
    >>> lacking("coverage", "draws")
    'coverage: the run has no draws (run the experiment with keep_draws above 0)'
    """
    if needs not in NEEDS:
        raise ValueError(f"needs must be one of {list(NEEDS)}, got {needs!r}")
    what = names if isinstance(names, str) else ", ".join(names)
    return f"{what}: {because or f'the run has no {needs}'} ({NEEDS[needs]})"


def registered() -> tuple[Measure, ...]:
    """Collect the measures that modules declare in a tuple ``MEASURES``.

    Returns
    -------
    tuple of Measure
        By question, and by module and place within it.

    Raises
    ------
    ValueError
        If two modules declare different measures of one name for the same question.

    Examples
    --------
    >>> all(measure.question in QUESTIONS for measure in registered())
    True
    """
    found: dict[tuple[str, str], Measure] = {}
    for measure in _declared():
        known = found.setdefault((measure.question, measure.name), measure)
        if known != measure:
            raise ValueError(
                f"measure {measure.name!r} is declared twice for {measure.question!r}, and the two "
                "declarations differ: keep one"
            )
    return tuple(sorted(found.values(), key=lambda measure: QUESTIONS.index(measure.question)))


def table(*, question: str | None = None) -> pd.DataFrame:
    """Tabulate what is measured: meaning, units, range, properties, needs, null and source.

    Parameters
    ----------
    question : str, optional
        One of :data:`QUESTIONS`; all if not given.

    Returns
    -------
    DataFrame
        One row per measure, indexed by ``question`` and ``measure``.

    Raises
    ------
    ValueError
        If `question` is unknown.

    Examples
    --------
    >>> from bayescollapse.measures.registry import table
    >>> "units" in table(question="definitions of collapse").columns
    True
    """
    import pandas as pd

    if question is not None and question not in QUESTIONS:
        raise ValueError(f"question must be one of {QUESTIONS}, got {question!r}")
    chosen = [m for m in registered() if question in (None, m.question)]
    lines = [_line(measure) for measure in chosen]
    columns = list(_COLUMNS)
    return pd.DataFrame(lines, columns=columns).set_index(columns[:2])


_COLUMNS = (
    "question",
    "measure",
    "meaning",
    "units",
    "lowest",
    "highest",
    "symmetric",
    "invariant",
    "needs",
    "references",
    "null",
    "bias",
    "source",
)


def _line(measure: Measure) -> dict[str, object]:
    lists = {name: ", ".join(getattr(measure, name)) for name in ("needs", "references")}
    plain = [name for name in _COLUMNS if name not in ("measure", *lists)]
    return {name: getattr(measure, name) for name in plain} | lists | {"measure": measure.name}


def _declared() -> Iterator[Measure]:
    for name in _modules():
        declared = getattr(importlib.import_module(name), "MEASURES", ())
        if not all(isinstance(entry, Measure) for entry in declared):
            raise TypeError(f"MEASURES of {name} must hold values of Measure only")
        yield from declared


def _modules() -> Iterator[str]:
    """Name every module of the homes that exist, this one left out."""
    for home in HOMES:
        spec = importlib.util.find_spec(home)
        if spec is None or spec.submodule_search_locations is None:
            continue
        paths = list(spec.submodule_search_locations)
        found = sorted(m.name for m in pkgutil.walk_packages(paths, f"{home}."))
        yield from (name for name in found if name != __name__)
