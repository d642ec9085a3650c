"""Section of ranks: what it shows, and what it says where ranks mean nothing."""

import matplotlib
import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse.models import bernoulli, categorical, gaussian_mean
from bayescollapse.reporting.ranks import ranks_section
from bayescollapse.reporting.section import close
from tests.measures.synthetic import make_run

matplotlib.use("agg")

P_VALUE = "p-value of uniform ranks"


def run_of(learner, source, *, keep_draws=20):
    return bc.Experiment(
        learner,
        source,
        bc.schemes.replace(),
        n_real=10,
        generations=4,
        replicates=6,
        keep_draws=keep_draws,
        seed=2,
    ).run(progress=False)


@pytest.fixture(scope="module")
def run():
    return run_of(gaussian_mean.estimator(prior_sd=0.5), bc.Truth.from_prior())


def test_first_and_last_generation_are_tabulated(run):
    section = ranks_section(run)
    assert [row["generation"] for row in section.table] == [0, 3]
    assert "left out" not in section.caption and "drawn." not in section.caption
    close(section.figure)


def test_ranks_are_found_once(run, monkeypatch):
    def twice(*_, **__):
        raise AssertionError("ranks were found again for the figure")

    monkeypatch.setattr("bayescollapse.plots.ranks.truth_ranks", twice)
    close(ranks_section(run).figure)


def test_what_is_not_drawn_is_told(run, monkeypatch):
    monkeypatch.setattr("bayescollapse.plots.ranks.SHOWN", 2)
    section = ranks_section(run)
    assert "2 of 4 generations are drawn." in section.caption
    close(section.figure)


def test_a_run_without_generation_zero(run):
    section = ranks_section(run.isel(generation=slice(1, None)))
    assert [row["generation"] for row in section.table] == [1, 3]
    close(section.figure)


def test_missing_draws_are_told_and_can_be_reported(run, tmp_path):
    gappy = run.copy(deep=True)
    gappy["posterior"]["mu"][{"replicate": 0, "generation": 3}] = np.nan
    section = ranks_section(gappy)
    assert [np.isnan(row[P_VALUE]) for row in section.table] == [False, True]
    assert "cells with a missing draw are left out" in section.caption
    close(section.figure)
    text = bc.report(gappy, tmp_path / "run.html").read_text(encoding="utf-8")
    assert "cells with a missing draw are left out" in text


def test_where_ranks_mean_nothing_the_section_says_so(run):
    other = bc.Truth.from_prior(estimator=gaussian_mean.estimator(prior_sd=2.0))
    section = ranks_section(run_of(gaussian_mean.estimator(prior_sd=0.2), other))
    assert "another model's prior" in section.text and section.figure is None
    # p is a number of one model and a vector of the other: no parameter in common.
    apart = bc.Truth.from_prior(estimator=categorical.estimator(categories=2))
    assert "another model's prior" in ranks_section(run_of(bernoulli.estimator(), apart)).text
    single = ranks_section(run.isel(chain=[0], draw=[0]))
    assert "2 draws or more" in single.text


def test_without_truths_of_a_prior_there_is_no_section(run):
    assert ranks_section(make_run(4, draws=5)) is None
    assert ranks_section(run_of(gaussian_mean.estimator(), bc.Truth(mu=0.0))) is None
    none = run_of(gaussian_mean.estimator(), bc.Truth(mu=0.0), keep_draws=0)
    assert ranks_section(none) is None
