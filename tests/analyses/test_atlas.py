"""The atlas: every preset against its law, and loops that are not the preset's against it."""

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bayescollapse.schemes.presets.catalogue import PRESETS
from bayescollapse.schemes.selection.base import KEEP_ALL, mode_of
from bayescollapse.schemes.selection.edit import TokenEdit
from bayescollapse.schemes.selection.noisy import NoisyVerifier

ANALYSES = Path(__file__).parents[2] / "analyses"


@pytest.fixture(scope="module")
def atlas():
    """The script as a module, with its parts beside it."""
    sys.path.insert(0, str(ANALYSES))
    try:
        import atlas as script

        yield script
    finally:
        sys.path.remove(str(ANALYSES))


@pytest.fixture(scope="module")
def settings(atlas):
    """Settings of the parts, by their scale."""
    return atlas.Settings


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The quick atlas, run as a person runs it."""
    out = tmp_path_factory.mktemp("atlas")
    result = subprocess.run(
        [sys.executable, str(ANALYSES / "atlas.py"), "--quick", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return out, result.stdout


def test_every_law_is_obeyed_by_a_tenth_of_the_lineages(finished):
    """False-alarm probability of the whole table: 1e-3, see output.z_limit."""
    with open(finished[0] / "laws.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row for row in rows if row["pass"] != "True"] == []
    assert len(rows) > 80
    # The measured figures are figures: none is stuck at its law.
    assert all(float(row["standard error"]) > 0 for row in rows)


def test_the_page_is_one_file(finished):
    out, printed = finished
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert page.count("data:image/png;base64") == 1
    assert "false-alarm probability" in printed


@pytest.mark.verification
def test_every_law_is_obeyed(atlas, settings):
    """False-alarm probability of the whole table: 1e-3, see output.z_limit."""
    from atlas_parts import output

    rows = output.rows_of(atlas.run(settings(1.0)))
    assert [row for row in rows if not row["pass"]] == []


def test_every_preset_with_a_law_is_in_the_atlas(atlas):
    laws = {preset.name: set(preset.law) for preset in PRESETS if preset.law}
    checks = [check for part in atlas.parts() for check in part.checks]
    assert {check.preset for check in checks} == set(laws)
    for check in checks:
        assert check.law in laws[check.preset], check.label
    for part in atlas.parts():
        assert {check.label for check in part.checks} == set(part.schemes)
        for label, scheme in part.schemes.items():
            assert label.startswith(f"{scheme.name}(")


def wrong_emission(scheme):
    """Draws where there was a point, and a point where there were draws."""
    edits = mode_of(scheme.selection) == "edit"
    emission = "joint" if scheme.emission.kind in ("plug-in", "ensemble") else "plug-in"
    return replace(scheme, emission="predictive" if edits and emission == "joint" else emission)


def colder(scheme):
    """Rows too close to what is likely: what a lower bound on survival misses."""
    if scheme.name != "suresh":
        return scheme
    return replace(scheme, emission="plug-in(mle, temperature=0.6)")


def wrong_rows(scheme):
    """Real rows where there were none, or none where there were, or another share of them."""
    supply, weighting, memory = scheme.supply, scheme.weighting, scheme.memory
    if mode_of(scheme.selection) == "edit":
        return replace(scheme, selection=TokenEdit(share=0.3))
    if not isinstance(supply, str):
        return replace(scheme, supply=type(supply)(real_share=0.9, total=supply.total))
    if supply == "fresh":
        share = weighting.real_share
        other = 0.95 if isinstance(share, str) else (share + 0.5) % 1
        return replace(scheme, weighting=replace(weighting, real_share=other))
    if memory.kind == "subsample":
        return replace(scheme, memory="last")
    if (supply, weighting.real_share) == ("fixed", "pooled"):
        return replace(scheme, supply="none")
    return replace(scheme, supply="fresh")


def no_selection(scheme):
    """Every row, chosen or not."""
    return replace(scheme, selection=KEEP_ALL)


def another_selection(scheme):
    """A verifier of labels that does not err."""
    if not isinstance(scheme.selection, NoisyVerifier):
        return scheme
    return replace(scheme, selection=replace(scheme.selection, right=1.0, wrong=0.0))


MUTATIONS = (wrong_emission, colder, wrong_rows, no_selection, another_selection)


def failures(atlas, parts, settings, mutations):
    """Checks that fail under each mutation."""
    from atlas_parts import output

    limit = output.z_limit(sum(len(part.checks) for part in atlas.parts()))
    found = {}
    for part in parts:
        for mutate in mutations:
            mutant = part.mutated(mutate)
            for outcome in mutant.run(settings):
                key = (part.name, outcome.check.label, outcome.check.law, outcome.check.quantity)
                changed = mutant.schemes[outcome.check.label] != part.schemes[outcome.check.label]
                failed = changed and abs(outcome.z) > limit
                found[key] = found.get(key, False) or failed
    return found


@pytest.mark.parametrize(
    ("name", "mutate"),
    [
        ("categories", wrong_emission),
        ("gaussian", wrong_emission),
        ("regression-ridge", wrong_emission),
        ("regression-verified", no_selection),
    ],
)
def test_a_wrong_loop_fails_its_rows(atlas, settings, name, mutate):
    parts = [part for part in atlas.parts() if part.name == name]
    found = failures(atlas, parts, settings(0.1), (mutate,))
    assert found
    assert all(found.values()), [key for key, failed in found.items() if not failed]


@pytest.mark.verification
def test_every_row_can_fail(atlas, settings):
    """Each law is missed by a loop that differs in emission, rows or selection."""
    found = failures(atlas, atlas.parts(), settings(0.1), MUTATIONS)
    assert all(found.values()), [key for key, failed in found.items() if not failed]
