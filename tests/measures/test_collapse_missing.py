"""What runs cannot tell of collapse: a reason for every definition that is not measured."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.measures.collapse import collapse
from bayescollapse.measures.evidence import median_evidence
from bayescollapse.models import categorical, gaussian_mean
from tests.measures.test_collapse import NAMES, null_run


def test_runs_say_what_they_cannot_tell():
    run = null_run(2, replicates=6, generations=2, keep_rows="first")
    found = collapse(run)
    assert dict(found.sizes) == {"scheme": 1, "definition": len(NAMES)}
    missing = found.attrs["missing"]
    for words in (
        "divergence: needs 5 generations",
        "scaling_change: the run has no larger run (pass larger=",
        "tail_loss: measures of emitted rows: the run has not kept all rows",
        "pass the experiment=",
    ):
        assert words in missing, missing
    unknown = found["happened"].isnull().isel(scheme=0)
    told = [n for n, u in zip(NAMES, unknown.values, strict=True) if u]
    assert told == ["divergence", "scaling_change", "mode_loss", "tail_loss", "hallucination"]
    single = null_run(2, replicates=1, generations=2, keep_rows="first")
    assert "larger= has a single replicate" in collapse(run, larger=single).attrs["missing"]
    other = null_run(2, replicates=6, generations=3, keep_rows="first")
    assert "larger= differs in ['generations']" in collapse(run, larger=other).attrs["missing"]
    same = collapse(run, larger=run).attrs["missing"]
    assert "larger= has no more rows a generation: 100, the run 100 (pass larger=" in same


RUNS = {
    "one replicate": {"replicates": 1},
    "one replicate, one generation": {"replicates": 1, "generations": 1},
    "three replicates": {"replicates": 3},
    "one generation": {"generations": 1},
    "two generations": {"generations": 2},
    "one row": {"n_real": 1},
    "no synthetic rows": {"n_synthetic": 0, "schemes": bc.schemes.weighted(1.0, total_weight=9.0)},
    "real rows alone": {
        "schemes": {
            "replace": bc.schemes.replace(),
            "real": bc.schemes.weighted(1.0, total_weight="real"),
        }
    },
}


@pytest.mark.parametrize("case", RUNS)
def test_whatever_cannot_be_told_has_a_reason(case):
    settings = {"n_real": 20, "generations": 5, "replicates": 7, "keep_rows": "all", **RUNS[case]}
    schemes = settings.pop("schemes", bc.schemes.replace())
    run = bc.Experiment(
        gaussian_mean.estimator(), bc.Truth(mu=0.0), schemes, keep_draws=0, **settings
    ).run(progress=False)
    found = collapse(run)
    unknown = found["happened"].isnull().any("scheme").to_numpy()
    lines = found.attrs["missing"].split("; ")
    assert [line.partition(":")[0] for line in lines] == list(np.array(NAMES)[unknown])
    assert all(line.endswith(")") for line in lines), lines
    assert (bc.diagnose(run)["fits"] == settings["replicates"]).all()
    few = "replicate is too few" if settings["replicates"] == 1 else "3 replicates are too few"
    assert (few in found.attrs["missing"]) == (case in ("one replicate", "three replicates"))


@pytest.mark.parametrize("probability", [0.5, 0.8, 0.95, 0.99])
def test_as_many_replicates_as_named_give_an_interval(probability):
    run = null_run(8, replicates=3, generations=2, keep_rows="none")
    found = collapse(run, probability=probability).attrs["missing"]
    if probability == 0.5:
        assert "variance_collapse" not in found
        return
    named = int(found.partition("variance_collapse: 3")[2].partition("replicates=")[2].split()[0])
    values = np.random.default_rng(1).normal(size=(1, named))
    assert np.isfinite(median_evidence(values, probability=probability).low).all()
    assert np.isnan(median_evidence(values[:, 1:], probability=probability).low).all()


def test_categories_without_rare_ones_have_no_tails():
    run = bc.Experiment(
        categorical.estimator(categories=2),
        bc.Truth(p=np.array([0.5, 0.5])),
        bc.schemes.replace(),
        n_real=40,
        generations=4,
        replicates=6,
        keep_draws=0,
        keep_rows="all",
    ).run(progress=False)
    reason = "tail_loss: the real rows have nothing of the kind (choose another rare=)"
    assert reason in collapse(run).attrs["missing"]
    assert reason not in collapse(run, rare=0.9).attrs["missing"]
