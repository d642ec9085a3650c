"""Section of information in nats: its columns are those that the run can give."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.models import gaussian_mean
from bayescollapse.reporting.nats import nats_section
from tests.measures.synthetic import make_run

EVERY = [
    "entropy change",
    "information gain",
    "information known",
    "lost to real rows",
    "share kept",
    "mutual information",
]


def experiment(source, **settings):
    return bc.Experiment(
        gaussian_mean.estimator(prior_sd=1.0),
        source,
        {"replace": bc.schemes.replace(), "pooled": bc.schemes.pooled()},
        n_real=10,
        generations=3,
        replicates=12,
        **settings,
    )


def columns(section):
    return [name for name in section.table[0] if name not in ("scheme", "parameter")]


def test_truths_of_the_prior_give_every_column():
    run = experiment(bc.Truth.from_prior()).run(progress=False)
    section, measured = nats_section(run), bc.information(run).isel(generation=-1)
    assert columns(section) == EVERY and "Not available" not in section.text
    assert "equal to the gain, on average, where posteriors are honest" in section.text
    row = section.table[1]
    cell = measured.sel(scheme=row["scheme"], parameter=row["parameter"])
    for name in ("information_gain", "information_known"):
        value, error = float(cell[name]), float(cell[f"{name}_mcse"])
        assert row[name.replace("_", " ")] == f"{value:.2f} ± {error:.2f}"
    entropy = bc.information(run)["entropy"].sel(scheme=row["scheme"], parameter=row["parameter"])
    change = float(entropy[-1] - entropy[0])
    assert row["entropy change"].startswith(f"{change:.2f} ±")
    parts = (float(cell[f"mutual_information{end}"]) for end in ("", "_low", "_high"))
    assert row["mutual information"] == "{:.2f} ({:.2f} to {:.2f})".format(*parts)


def test_one_truth_takes_the_experiment_for_its_prior(tmp_path):
    made = experiment(bc.Truth(mu=0.5), references=())
    run = made.run(progress=False)
    section = nats_section(run)
    assert columns(section) == ["entropy change"]
    assert "no prior" in section.text and "one truth for all replicates" in section.text
    assert "Information gain" not in section.text and "nformation known:" not in section.text
    whole = nats_section(run, experiment=made)
    assert columns(whole) == EVERY[:3]
    assert "not with the gain" in whole.text and "honest" not in whole.text
    text = bc.report(run, tmp_path / "r.html", experiment=made).read_text(encoding="utf-8")
    assert "information gain" in text


@pytest.mark.parametrize("replicates", [1, 2])
def test_few_replicates_and_no_truth(replicates):
    section = nats_section(make_run(replicates, 2, truth=False, reference=False))
    assert columns(section) == ["entropy change"]
    change = section.table[-1]["entropy change"]
    assert change.startswith(f"{np.log(0.5 * np.sqrt(2)):.2f}") and ("±" in change) == (
        replicates > 1
    )
