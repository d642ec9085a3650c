"""Definitions of collapse: false-alarm rates, known collapses, and what each run cannot tell."""

import json
from dataclasses import fields

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.optimize import brentq

import bayescollapse as bc
from bayescollapse.measures.collapse import collapse
from bayescollapse.measures.definitions import DEFINITIONS, MEANINGS, Thresholds
from bayescollapse.measures.findings import _coverage
from bayescollapse.measures.risk import lineage_risk
from bayescollapse.models import categorical, gaussian, gaussian_mean
from bayescollapse.reporting import page
from bayescollapse.reporting.collapse import collapse_section
from tests.measures.test_collapse_evidence import Z, at_most

NAMES = [entry.name for entry in DEFINITIONS]
P = np.array([0.4, 0.3, 0.2, 0.06, 0.02, 0.02])


def happened(run, scheme=None, **settings):
    found = collapse(run, **settings)["happened"]
    return found.isel(scheme=0) if scheme is None else found.sel(scheme=scheme)


# Nothing happens


def null_run(seed, *, replicates=50, generations=6, keep_rows="all"):
    """Synthetic rows are there, but have no weight to speak of."""
    return bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.schemes.weighted(1 - 1e-9, total_weight="real", emission="plug-in"),
        n_real=100,
        generations=generations,
        replicates=replicates,
        keep_draws=0,
        keep_rows=keep_rows,
        held_out=50,
        seed=seed,
    ).run(progress=False)


def test_nothing_happens_to_real_rows():
    # Any rise fires by chance in 2.5 % of seeds; this one is fixed.
    run = null_run(1)
    for risk in ("error", "held_out"):
        whole = collapse(run, risk=risk).isel(scheme=0).drop_sel(definition="scaling_change")
        assert (whole["happened"] == 0).all(), whole["happened"]
    for entry in DEFINITIONS:
        if entry.highest == 1.0:
            limits = whole.sel(definition=entry.name)
            assert entry.lowest <= limits["low"] <= limits["high"] <= entry.highest, entry.name


@pytest.mark.verification
def test_nothing_happens_to_real_rows_in_many_runs():
    found = [happened(null_run(seed), risk=("error", "held_out")[seed % 2]) for seed in range(200)]
    count = {name: sum(float(f.sel(definition=name)) for f in found) for name in NAMES}
    # Three late generations of 50 replicates leave the growth of the risk nearly unknown.
    assert at_most(count.pop("any_rise"), 200, 0.025)
    assert at_most(count.pop("divergence"), 200, 0.025)
    assert np.isnan(count.pop("scaling_change"))
    # The other thresholds lie far from their null values: practically never.
    assert all(value == 0 for value in count.values()), count


# Known collapses


@pytest.fixture(scope="module")
def means():
    """Gaussian means under a flat prior, joint emission: 2t + 1, 2 - 1/(t + 1), and 1."""
    schemes = {
        "replace": bc.schemes.replace(),
        "accumulate": bc.schemes.accumulate(),
        "real": bc.schemes.weighted(1.0, total_weight="real"),
    }
    runs = [
        bc.Experiment(
            gaussian_mean.estimator(),
            bc.Truth(mu=1.0),
            schemes,
            n_real=n,
            generations=24,
            replicates=600,
            keep_draws=0,
        ).run(progress=False)
        for n in (10, 160)
    ]
    return collapse(runs[0], larger=runs[1]), runs


def test_risk_grows_linearly_when_rows_are_replaced(means):
    found = means[0].sel(scheme="replace")
    for name in ("catastrophic_rise", "any_rise", "divergence", "false_certainty"):
        assert found["happened"].sel(definition=name) == 1, name
    for name in ("variance_collapse", "scaling_change"):
        assert found["happened"].sel(definition=name) == 0, name
    growth = found.sel(definition="divergence")
    error = (growth["high"] - growth["low"]) / 2 / 1.96
    assert abs(growth["statistic"] - exponent(2 * np.arange(24) + 1)) < Z * error
    rise = found.sel(definition="any_rise")
    # Where the rise is best established lies among the last generations, near 47.
    assert rise["low"] < 47
    assert rise["high"] > 35


def lower_limit(risk, t, level):
    """Smallest ratio that Student's test of x_t - r x_0 over replicates does not refuse."""
    far = stats.t.ppf((1 + level) / 2, risk.shape[0] - 1)

    def gap(r):
        return stats.ttest_1samp(risk[:, t] - r * risk[:, 0], 0.0).statistic - far

    return brentq(gap, 0, risk[:, t].mean() / risk[:, 0].mean()) if gap(0.0) > 0 else 0.0


def test_the_statistic_of_a_rise_can_be_worked_out_by_hand():
    """From the summaries: not the largest ratio, but the one with the highest lower limit."""
    truth = {"mu": 0.5, "sigma": 1.0}
    run = bc.Experiment(
        gaussian.estimator(),
        bc.Truth(**truth),
        {"replace": bc.schemes.replace(), "pooled": bc.schemes.pooled()},
        n_real=20,
        generations=6,
        replicates=30,
        keep_draws=0,
        seed=3,
    ).run(progress=False)
    found = collapse(run).sel(definition=["catastrophic_rise", "any_rise"])
    for scheme in ("replace", "pooled"):
        risk = np.zeros((30, 6))
        for name, value in truth.items():
            mean, sd = (
                run["summary"][name].sel(scheme=scheme, statistic=s).transpose("replicate", ...)
                for s in ("mean", "sd")
            )
            variance = float((sd.isel(generation=0) ** 2).mean())
            risk += (mean.to_numpy() - value) ** 2 / variance / len(truth)
        ratios = risk.mean(axis=0) / risk[:, 0].mean()
        limits = [lower_limit(risk, t, 1 - 0.05 / 5) for t in range(1, 6)]
        chosen = 1 + int(np.argmax(limits))
        assert ratios[chosen] < ratios.max()
        entry = found.sel(scheme=scheme)
        assert np.allclose(entry["statistic"], ratios[chosen])
        assert np.allclose(entry["low"], max(limits))


def test_accumulation_has_no_divergence_but_loses_coverage(means):
    found = means[0].sel(scheme="accumulate")
    assert found["happened"].sel(definition="divergence") == 0
    assert found["happened"].sel(definition="catastrophic_rise") == 0
    assert found["happened"].sel(definition="any_rise") == 1
    assert found["happened"].sel(definition="false_certainty") == 1
    growth = found.sel(definition="divergence")
    error = (growth["high"] - growth["low"]) / 2 / 1.96
    assert abs(growth["statistic"] - exponent(2 - 1 / (1 + np.arange(24)))) < Z * error
    covered = found["statistic"].sel(definition="false_certainty")
    law = 2 * stats.norm.cdf(1.959964 / np.sqrt(24 * (2 - 1 / 24))) - 1
    assert abs(covered - law) < Z * np.sqrt(law * (1 - law) / 600)


def test_real_rows_alone_do_not_collapse(means):
    found = means[0].sel(scheme="real")
    names = [n for n in NAMES if n not in ("mode_loss", "tail_loss", "hallucination")]
    assert (found["happened"].sel(definition=names) == 0).all()
    assert abs(found["rate"].sel(definition="any_rise") - 0.5) < Z * np.sqrt(0.25 / 600)
    # Errors are those of the reference, draw by draw.
    assert abs(found["statistic"].sel(definition="scaling_change")) < 1e-9


def exponent(law):
    """Slope of the logarithm of an exact law over the second half of its generations."""
    half = law.size // 2
    return np.polyfit(np.log(np.arange(half, law.size) + 1), np.log(law[half:]), 1)[0]


def test_a_fixed_number_of_synthetic_rows_changes_the_scaling_law():
    runs = [
        bc.Experiment(
            gaussian_mean.estimator(),
            bc.Truth(mu=0.0),
            bc.schemes.weighted(0.5, emission="plug-in"),
            n_real=n,
            n_synthetic=5,
            generations=6,
            replicates=600,
            keep_draws=0,
        ).run(progress=False)
        for n in (10, 1000)
    ]
    found = collapse(runs[0], larger=runs[1]).isel(scheme=0).sel(definition="scaling_change")
    assert found["happened"] == 1
    risk = [1 / n for n in (10, 1000)]
    for i, n in enumerate((10, 1000)):
        for _ in range(5):
            risk[i] = 0.25 / n + 0.25 * (risk[i] + 1 / 5)
    law = np.log(risk[0] / risk[1]) / np.log(100) - 1
    error = (found["high"] - found["low"]) / 2 / 1.96
    assert abs(found["statistic"] - law) < Z * error


def test_the_spread_of_gaussian_rows_vanishes():
    run = bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        bc.schemes.replace(emission="plug-in(unbiased)"),
        n_real=20,
        generations=80,
        replicates=100,
        keep_draws=0,
        keep_rows="all",
    ).run(progress=False)
    found = collapse(run).isel(scheme=0)
    for name in ("variance_collapse", "tail_loss", "false_certainty"):
        assert found["happened"].sel(definition=name) == 1, name
    covered = bc.information(run, probability=0.95)["coverage"].isel(scheme=0, generation=-1)
    assert covered.min() < covered.max()
    assert found["statistic"].sel(definition="false_certainty") == covered.min()
    spread = found.sel(definition="variance_collapse")
    # The log variance falls by psi(19 / 2) - log(19 / 2) a step; 79 steps are nearly Gaussian.
    law = np.exp(79 * (digamma(9.5) - np.log(9.5)) / 2)
    assert spread["low"] / 1.5 < law < spread["high"] * 1.5
    assert spread["rate"] > 0.8


def digamma(x):
    from scipy.special import psi

    return psi(x)


def test_categories_are_lost():
    schemes = {
        "replace": bc.schemes.replace(emission="plug-in(map)"),
        "nearly real": bc.schemes.weighted(1 - 1e-9, total_weight="real", emission="plug-in(map)"),
    }
    run = bc.Experiment(
        categorical.estimator(categories=6),
        bc.Truth(p=P),
        schemes,
        n_real=100,
        generations=30,
        replicates=120,
        keep_draws=0,
        keep_rows="all",
    ).run(progress=False)
    found = collapse(run)
    lost = found["happened"].sel(definition=["mode_loss", "tail_loss"])
    assert (lost.sel(scheme="replace") == 1).all()
    assert (lost.sel(scheme="nearly real") == 0).all()
    assert (found["happened"].sel(definition="hallucination") == 0).all()
    # Two rare categories of 2 %: where both are gone by t = 28 no row is left.
    tail = found["rate"].sel(scheme="replace", definition="tail_loss")
    assert 0.5 < tail < 1


# Settings and refusals


def test_the_larger_run_must_be_of_the_same_experiment(means):
    run = means[1][0]
    larger = means[1][1].copy()
    for name, value in (("source", "another truth"), ("method", "nuts"), ("schemes", {})):
        settings = json.loads(run.attrs["configuration"]) | {name: value}
        larger.attrs["configuration"] = json.dumps(settings | {"n_real": [160] * 24})
        found = collapse(run, larger=larger)
        assert f"larger= differs in ['{name}']" in found.attrs["missing"]
        assert found["happened"].sel(definition="scaling_change").isnull().all()


def test_coverage_holds_for_all_parameters_together():
    hits = np.ones((3, 1, 40))
    hits[1, 0, :11] = 0
    found = _coverage(hits, 0.95)
    exact = stats.binomtest(29, 40).proportion_ci(1 - 0.05 / 3, "exact")
    assert found.value[0] == 29 / 40
    assert (found.low[0], found.high[0]) == pytest.approx((exact.low, exact.high))


def test_only_intervals_that_are_there_can_be_falsely_certain():
    run = null_run(5, replicates=20, generations=2, keep_rows="none")
    before = collapse(run).sel(definition="false_certainty")
    assert before["happened"] == 0
    for statistic, value in (("q2.5", np.nan), ("sd", 0.0)):
        summary = run["summary"].to_dataset().copy(deep=True)
        summary["mu"].loc[{"replicate": [3, 4], "statistic": statistic}] = value
        some = run.copy()
        some["summary"] = summary
        found = collapse(some)
        assert found["happened"].sel(definition="false_certainty").isnull().all()
        assert "some posteriors of ['weighted'] have no interval" in found.attrs["missing"]


def test_points_claim_no_interval():
    run = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=9,
        generations=2,
        replicates=4,
        method="map",
    ).run(progress=False)
    found = collapse(run)
    assert found["happened"].sel(definition="false_certainty").isnull().all()
    assert "false_certainty: the posteriors are single points" in found.attrs["missing"]


def test_risk_is_the_error_where_the_truth_is_known():
    run = null_run(3, replicates=6, generations=3, keep_rows="none")
    assert collapse(run).attrs["risk"] == "error"
    assert collapse(run, risk="held_out").attrs["risk"] == "held_out"
    risk = lineage_risk(run, var_names="mu").values
    mean, sd = (run["summary"]["mu"].sel(statistic=s).to_numpy() for s in ("mean", "sd"))
    assert np.allclose(risk, mean**2 / (sd[:, :, 0] ** 2).mean())
    loss = lineage_risk(run, kind="held_out").values
    density = run["predictive"]["held_out_log_density"].to_numpy()
    assert np.allclose(loss[..., 1], density[..., 0] - density[..., 1])


def test_settings_are_refused():
    run = null_run(4, replicates=4, generations=2, keep_rows="none")
    for error, change, words in (
        (ValueError, {"probability": 1.0}, "probability must lie above 0"),
        (ValueError, {"risk": "fear"}, "risk must be 'error' or 'held_out'"),
        (ValueError, {"var_names": "gamma"}, "var_names must name parameters"),
        (TypeError, {"sd_rati": 0.1}, r"unknown thresholds \['sd_rati'\]"),
        (ValueError, {"catastrophic_factor": 0.5}, "catastrophic_factor must be above 1"),
        (ValueError, {"sd_ratio": 2.0}, "sd_ratio must lie in"),
        (ValueError, {"tail": 1.0}, "tail must lie above 0 and below 1"),
        (ValueError, {"growth_exponent": -1.0}, "growth_exponent must be a positive"),
        (TypeError, {"larger": "x"}, "larger must be an xarray.DataTree or None, got str"),
        (ValueError, {"larger": xr.DataTree()}, "larger must be the result of an experiment"),
    ):
        with pytest.raises(error, match=words):
            collapse(run, **change)
    assert Thresholds().kept == 0.25
    bare = bc.Experiment(
        gaussian_mean.estimator(),
        bc.Truth(mu=0.0),
        bc.schemes.replace(),
        n_real=9,
        generations=2,
        replicates=2,
    ).run(progress=False)
    with pytest.raises(ValueError, match="run the experiment with held_out="):
        collapse(bare, risk="held_out")


def test_a_refused_threshold_says_what_it_is():
    assert set(MEANINGS) == {field.name for field in fields(Thresholds)}
    for name, meaning in MEANINGS.items():
        for value in (-1, "a", np.nan, np.inf, True):
            with pytest.raises(ValueError, match=f"^{name} must .*: it is {meaning}$"):
                Thresholds(**{name: value})
    with pytest.raises(ValueError, match="share of the total weight that lies on real rows"):
        bc.schemes.weighted(-1.0)


def test_thresholds_decide(means):
    run = means[1][0]
    assert happened(run, "replace", growth_exponent=3.0).sel(definition="divergence") == 0
    assert happened(run, "accumulate", catastrophic_factor=1.2).sel(definition="catastrophic_rise")
    assert happened(run, "accumulate", coverage_gap=0.9).sel(definition="false_certainty") == 0


def test_a_section_says_which_collapse_happened(means, tmp_path):
    section = collapse_section(means[1][0])
    assert section.title == "Which collapse happened"
    rows = {row["definition"].partition(":")[0]: row for row in section.table}
    assert rows["divergence"]["replace"].startswith("yes")
    assert rows["divergence"]["accumulate"].startswith("no")
    assert "mode loss" not in rows
    told = section.text.partition("Not measured")[2]
    for name in ("scaling change", "mode loss", "tail loss", "hallucination"):
        assert name in told, name
    assert page("Title", "Lead.", [section], tmp_path / "page.html").exists()
