"""The table of measures: every line is complete, and says how to get what is missing."""

import math

import pytest

from bayescollapse.measures import registry
from bayescollapse.measures.definitions import DEFINITIONS
from bayescollapse.measures.findings import FINDERS
from bayescollapse.measures.predictive_table import WORDS
from bayescollapse.measures.registry import (
    NEEDS,
    QUESTIONS,
    REAL,
    Measure,
    lacking,
    registered,
    table,
)

LINE = {
    "name": "thing",
    "question": "sensitivity",
    "meaning": "what it is",
    "units": "1",
    "lowest": 0.0,
    "highest": 1.0,
    "symmetric": False,
    "invariant": True,
    "null": 0.0,
    "source": "nobody",
}


def test_measures_are_collected_from_their_modules():
    names = {(m.question, m.name) for m in registered()}
    assert {("definitions of collapse", entry.name) for entry in DEFINITIONS} <= names
    own = {name for question, name in names if question == "predictive drift"}
    assert set(WORDS) - {"truth_divergence_error"} <= own
    assert set(FINDERS) == {entry.name for entry in DEFINITIONS}


def test_null_values_lie_in_the_range():
    for measure in registered():
        assert measure.bounded == (math.isfinite(measure.lowest) and math.isfinite(measure.highest))
        if isinstance(measure.null, float):
            assert measure.lowest <= measure.null <= measure.highest, measure.name


def test_table_lists_questions_in_their_order():
    whole = table()
    order = [QUESTIONS.index(q) for q in whole.index.get_level_values("question")]
    assert order == sorted(order)
    assert len(whole) == len(registered())
    part = table(question="definitions of collapse")
    assert list(part.index.get_level_values("measure")) == [entry.name for entry in DEFINITIONS]
    assert (part["source"].str.len() > 0).all()


def test_lines_that_a_reader_could_not_use_are_refused():
    Measure(**LINE)
    for change, words in (
        ({"name": "two words"}, "name of a variable"),
        ({"question": "why"}, "question of 'thing' must be one of"),
        ({"highest": 0.0}, "must lie below highest"),
        ({"needs": ("luck",)}, "how to get it"),
        ({"needs": "draws"}, "must be a tuple"),
        ({"meaning": ""}, "meaning of 'thing' must not be empty"),
        ({"source": " "}, "source of 'thing' must not be empty"),
    ):
        with pytest.raises(ValueError, match=words):
            Measure(**(LINE | change))
    with pytest.raises(ValueError, match="question must be one of"):
        table(question="why")


def test_a_name_with_two_meanings_is_refused(monkeypatch):
    lines = [Measure(**LINE), Measure(**LINE)]
    monkeypatch.setattr(registry, "_declared", lambda: iter(lines))
    assert registered() == (lines[0],)
    lines[1] = Measure(**(LINE | {"units": "nats"}))
    with pytest.raises(ValueError, match="declared twice"):
        registered()


def test_what_is_missing_is_named_with_how_to_get_it():
    text = lacking(["coverage", "bias"], "truth")
    assert text.startswith("coverage, bias: the run has no truth (")
    assert NEEDS["truth"] in text
    for name in REAL:
        # A whole references= would drop those that the run has.
        assert NEEDS[name] == f"add '{name}' to references= of the experiment"
    with pytest.raises(ValueError, match="needs must be one of"):
        lacking("coverage", "luck")
