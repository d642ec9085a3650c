"""Bad input is refused with the argument, the value and what to do, before anything is sampled."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import (
    categorical,
    gaussian,
    gaussian_mean,
    linear_regression,
    logistic_regression,
)

MEAN = gaussian_mean.estimator()
TRUTH = bc.Truth(mu=0.0)
COUNTS = {"n_real": 10, "generations": 3, "replicates": 2}


def rows(values):
    return xr.Dataset({"y": ("obs", np.asarray(values, dtype=float))})


def experiment(schemes=None, estimator=MEAN, source=TRUTH, **settings):
    return bc.Experiment(
        estimator, source, schemes or bc.schemes.pooled(), **{**COUNTS, **settings}
    )


CASES = {
    # rows
    "missing values": (
        lambda: MEAN.fit(rows([1, np.nan])),
        "1 missing or infinite.*drop or impute",
    ),
    "infinite values": (lambda: MEAN.fit(rows([1, np.inf])), "missing or infinite"),
    "no such column": (
        lambda: MEAN.fit(xr.Dataset({"z": ("obs", [1.0])})),
        "no variable 'y'.*variables=",
    ),
    "wrong dimension": (lambda: MEAN.fit(xr.Dataset({"y": ("row", [1.0])})), "dimensions"),
    "wrong width": (
        lambda: linear_regression.estimator(features=2).fit(
            xr.Dataset({"y": ("obs", [1.0]), "x": (("obs", "feature"), [[1.0, 2.0, 3.0]])})
        ),
        "trailing shape",
    ),
    "text": (lambda: MEAN.fit(xr.Dataset({"y": ("obs", ["a"])})), "code categories"),
    "half a category": (
        lambda: categorical.estimator(categories=2).fit(rows([0, 0.5])),
        "int64 cannot represent",
    ),
    "category out of range": (
        lambda: categorical.estimator(categories=2).fit(xr.Dataset({"y": ("obs", [0, 2])})),
        "codes from 0 to 1.*raise categories",
    ),
    # weights
    "negative weight": (lambda: MEAN.fit(rows([1, 2]), [1, -1]), "not negative.*-1.*row 1"),
    "infinite weight": (lambda: MEAN.fit(rows([1, 2]), [1, np.inf]), "weights must be finite"),
    "all weights zero": (lambda: MEAN.fit(rows([1, 2]), [0, 0]), "at least one row"),
    "weights misshapen": (lambda: MEAN.fit(rows([1, 2]), [1, 1, 1]), r"shape \(2,\)"),
    # improper posteriors
    "too little total weight": (
        lambda: gaussian.estimator().fit(rows([1, 2]), [0.5, 0.5]),
        "improper.*must exceed 1.*NormalInverseGamma",
    ),
    "rows without spread": (lambda: gaussian.estimator().fit(rows([1, 1])), "improper.*all equal"),
    "singular design": (
        lambda: linear_regression.estimator(features=2, noise_sd=1.0).fit(
            xr.Dataset({"y": ("obs", [1.0, 2.0]), "x": (("obs", "feature"), np.ones((2, 2)))})
        ),
        "improper.*singular",
    ),
    "too few rows for the noise": (
        lambda: linear_regression.estimator(features=2).fit(
            xr.Dataset({"y": ("obs", [1.0, 2.0]), "x": (("obs", "feature"), np.eye(2))})
        ),
        "sigma is improper",
    ),
    # estimator
    "not a model": (lambda: bc.Estimator(3), "pymc.Model or a function"),
    "not a sampler": (lambda: bc.Estimator(lambda rows: None, exact=3), "ExactSampler"),
    "unknown method": (
        lambda: MEAN.fit(rows([1.0]), method="gibbs"),
        "'auto', 'exact', 'nuts'.*'gibbs'",
    ),
    "exact without sampler": (
        lambda: logistic_regression.estimator(features=1).resolve("exact"),
        "needs an exact sampler",
    ),
    "no draws": (lambda: MEAN.fit(rows([1.0]), draws=0), "draws must be an integer of at least 1"),
    "emit without covariates": (
        lambda: linear_regression.estimator(features=1, noise_sd=1.0).emit(None, 3),
        "covariates must hold",
    ),
    "unknown emission": (lambda: MEAN.emit(MEAN.fit(rows([1.0])), 3, emission="map"), "ensemble"),
    "no posterior": (lambda: MEAN.emit(xr.DataTree(), 3), "'posterior' group"),
    # models
    "negative sd": (lambda: gaussian_mean.estimator(sd=-1), "sd must be a positive finite"),
    "no categories": (lambda: categorical.estimator(categories=1), "at least 2"),
    # sources
    "unknown parameter": (
        lambda: experiment(source=bc.Truth(nu=1.0)),
        r"missing \['mu'\], unknown \['nu'\]",
    ),
    "misshapen parameter": (lambda: experiment(source=bc.Truth(mu=[1.0, 2.0])), "shape"),
    "infinite parameter": (lambda: experiment(source=bc.Truth(mu=np.inf)), "must be finite"),
    "no covariates": (
        lambda: experiment(
            estimator=linear_regression.estimator(features=1, noise_sd=1.0),
            source=bc.Truth(beta=[1.0]),
        ),
        "covariates must be given.*NormalCovariates",
    ),
    "table column": (
        lambda: bc.Table(pd.DataFrame({"a": [1]}), variables={"y": "b"}),
        r"column 'b'.*\['a'\]",
    ),
    "table without variable": (
        lambda: experiment(source=bc.Table(pd.DataFrame({"a": [1.0]}))),
        "no entry for 'y'",
    ),
    "table with gaps": (
        lambda: experiment(source=bc.Table(pd.DataFrame({"y": [1.0, np.nan]}))),
        "missing or infinite",
    ),
    "empty table": (lambda: bc.Table(pd.DataFrame({"y": []})), "at least one row"),
    "no table": (lambda: bc.Table([1, 2]), "pandas DataFrame"),
    "truth of a table": (lambda: bc.Table(pd.DataFrame({"y": [1.0]}), truth="best"), "'fit'"),
    "no simulator": (lambda: bc.Simulator(3), "callable"),
    "simulator of other rows": (
        lambda: experiment(source=bc.Simulator(lambda m, rng: rows(np.zeros(3)))),
        "must return m = 2 rows",
    ),
    # schemes
    "share above one": (
        lambda: bc.schemes.weighted(1.4),
        r"real_share must lie in \[0, 1\], got 1.4",
    ),
    "share below zero": (lambda: bc.schemes.weighted(-0.1), r"\[0, 1\]"),
    "share by name": (lambda: bc.schemes.weighted("pooled"), r"bc.schemes.pooled\(\)"),
    "unknown supply": (lambda: bc.Scheme(supply="some"), "supply must be one of"),
    "unknown memory": (lambda: bc.Scheme(memory="some"), "memory must be"),
    "window without size": (lambda: bc.schemes.Memory("window"), "at least 1"),
    "unknown total": (
        lambda: bc.schemes.pooled(total_weight="many"),
        "total_weight must be one of",
    ),
    "negative total": (lambda: bc.schemes.pooled(total_weight=-3.0), "positive"),
    "unknown covariates": (
        lambda: bc.schemes.pooled(covariates="x"),
        "covariates must be None or one of",
    ),
    "share without real rows": (
        lambda: bc.Scheme(supply="none", weighting=0.5),
        "needs real rows, but supply='none'",
    ),
    "real total without real rows": (
        lambda: bc.schemes.replace(total_weight="real"),
        "counts real rows",
    ),
    "subsample of fresh rows": (
        lambda: bc.Scheme(supply="fresh", memory="subsample(3)"),
        "supply='fixed'",
    ),
    "preset axis twice": (lambda: bc.schemes.replace(supply="fresh"), "fixes.*supply.*bc.Scheme"),
    # experiment
    "no optimum known": (
        lambda: experiment(bc.Scheme(supply="fixed", weighting="optimal")),
        "scheme 'scheme': the optimal real share is known for",
    ),
    "no optimum for schedules": (
        lambda: experiment(bc.schemes.optimal(), n_real=(10, 20, 30)),
        "constant n_real and n_synthetic",
    ),
    "subsample too large": (
        lambda: experiment(bc.schemes.accumulate_subsample(100)),
        "more rows than the 20 that exist at generation 1",
    ),
    "ensemble does not divide": (
        lambda: experiment(bc.schemes.pooled(emission="ensemble(3)")),
        "that 3 divides, got 10",
    ),
    "no rows at all": (
        lambda: experiment(bc.schemes.replace(), n_synthetic=0),
        "generation 1 has neither real nor synthetic rows",
    ),
    "half a row": (lambda: experiment(n_real=10.5), "whole number"),
    "no real rows": (lambda: experiment(n_real=0), "n_real must be at least 1"),
    "short schedule": (lambda: experiment(n_real=(10, 10)), "tuple of 2 values, but there are 3"),
    "no generations": (lambda: experiment(generations=0), "generations must be an integer"),
    "kept rows": (lambda: experiment(keep_rows="some"), "'first', 'all' or 'none'"),
    "no estimator": (lambda: experiment(estimator=3), "bc.Estimator"),
    "no source": (lambda: experiment(source=3), "bc.Truth"),
    "no schemes": (lambda: bc.Experiment(MEAN, TRUTH, {}, **COUNTS), "non-empty mapping"),
    "label": (lambda: experiment({"reference/real_only": bc.schemes.pooled()}), "reserved"),
    "references": (lambda: experiment(references=("best",)), "references must be among"),
    "fixed design of other size": (
        lambda: bc.Experiment(
            linear_regression.estimator(features=1, noise_sd=1.0),
            bc.Truth(beta=[1.0], covariates=bc.sources.NormalCovariates(1)),
            bc.schemes.pooled(covariates="fixed"),
            **COUNTS,
            n_synthetic=5,
        ).run(progress=False),
        "covariates='fixed' repeats the design of the 10 real rows, but 5",
    ),
    "improper in the loop": (
        lambda: experiment(
            bc.schemes.weighted(0.5, total_weight=0.5),
            estimator=gaussian.estimator(),
            source=bc.Truth(mu=0.0, sigma=1.0),
        ).run(progress=False),
        "generation 1 of block 0: the posterior of mu and sigma is improper",
    ),
    "no run": (lambda: bc.open_run("nowhere"), "no manifest.jsonl"),
}


@pytest.mark.parametrize("case", CASES)
def test_refusal(case):
    call, message = CASES[case]
    with pytest.raises((ValueError, TypeError, FileNotFoundError)) as caught:
        call()
    assert re.search(message, str(caught.value)), str(caught.value)


def test_store_of_another_experiment(tmp_path):
    experiment().run(tmp_path / "store", progress=False)
    before = sorted((p.name, p.stat().st_mtime_ns) for p in (tmp_path / "store").rglob("*"))
    with pytest.raises(
        ValueError, match=r"belongs to another experiment; it differs in \['seed'\]"
    ):
        experiment(seed=1).run(tmp_path / "store", progress=False)
    after = sorted((p.name, p.stat().st_mtime_ns) for p in (tmp_path / "store").rglob("*"))
    assert before == after


def test_store_in_a_used_directory(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match="directory with other files"):
        experiment().run(tmp_path, progress=False)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_large_runs_need_a_store():
    large = experiment(replicates=100_000, generations=200, keep_draws=100)
    with pytest.raises(MemoryError, match="GiB.*run\\(store='directory'\\)"):
        large.run(progress=False)


def test_prior_without_mass():
    with pytest.raises(ValueError, match="improper"):
        experiment(source=bc.Truth.from_prior()).run(progress=False)


def test_cell_without_rows():
    run = experiment(keep_rows="none").run(progress=False)
    where = {"scheme": "pooled", "replicate": 0, "generation": 1}
    with pytest.raises(ValueError, match="keep_rows='all'"):
        bc.cell(run, **where)
    with pytest.raises(KeyError, match="generation 9"):
        bc.cell(run, **{**where, "generation": 9})


def test_lambda_cannot_be_stored(tmp_path):
    scheme = bc.Scheme(weighting=lambda rows, context: np.ones((128, 20)))
    with pytest.raises(ValueError, match="importable by name"):
        scheme.to_dict()
    with pytest.raises(ValueError, match="importable by name"):
        experiment(scheme).run(tmp_path / "store", progress=False)
    assert not (tmp_path / "store").exists()
