"""Mutual information of runs: the closed forms of iterated learning, about every reference."""

import numpy as np
import pytest

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.measures import mutual_information
from bayescollapse.measures.registry import REAL, LackingError
from bayescollapse.models import bernoulli, gaussian, gaussian_mean
from tests.measures.synthetic import make_run

# |z| > 4 has probability 6.3e-5 under the null.
TOLERANCE = 4.0
PRIOR_WEIGHT, ROWS, LENGTH = 4.0, 10, 6


def iterated(replicates, emission="joint", seed=21, references=()):
    return bc.Experiment(
        gaussian_mean.estimator(prior_sd=PRIOR_WEIGHT**-0.5),
        bc.Truth.from_prior(),
        {
            "replace": bc.schemes.replace(emission=emission),
            "accumulate": bc.schemes.accumulate(emission=emission),
        },
        n_real=ROWS,
        generations=LENGTH,
        replicates=replicates,
        keep_draws=0,
        keep_rows="none",
        references=references,
        probabilities=(),
        seed=seed,
    ).run(progress=False)


@pytest.fixture(scope="module")
def loops():
    return iterated(2_000)


def law_of(about):
    return theory.iterated_information(
        np.arange(LENGTH), n=ROWS, prior_weight=PRIOR_WEIGHT, about=about
    )


def fisher(found, law):
    """Departure of correlations from a law in standard errors, on Fisher's scale."""
    expected = np.sqrt(-np.expm1(-2 * law))
    z = np.arctanh(found["correlation"].to_numpy()) - np.arctanh(expected)
    return z * np.sqrt(found.attrs["replicates"] - 3)


def check_laws(run):
    """Eleven correlations at 4 standard errors, twenty-two estimates; false alarm below 3e-3."""
    for about, start in (("truth", 0), ("first", 1)):
        law = law_of(about)[start:]
        found = mutual_information(run, about=about).sel(scheme="replace").isel(parameter=0)
        found = found.isel(generation=slice(start, None))
        assert np.abs(fisher(found, law)).max() < TOLERANCE
        # Second order: N times squared correlation errors.
        slack = 8 / found.attrs["replicates"]
        for name, extra in (("mutual_information", slack), ("mutual_information_knn", 0.02)):
            error = TOLERANCE * found[f"{name}_mcse"].to_numpy() + extra
            assert np.all(np.abs(found[name].to_numpy() - law) < error), name
        assert np.allclose(found["joint_mutual_information"], found["mutual_information"])


def test_closed_forms_of_iterated_learning(loops):
    check_laws(loops)


@pytest.mark.verification
def test_closed_forms_of_iterated_learning_at_full_size():
    check_laws(iterated(20_000, seed=22))


@pytest.mark.parametrize("mutant", ["plug-in", "accumulate"])
def test_another_loop_would_be_noticed(loops, mutant):
    run = iterated(2_000, emission=mutant) if mutant == "plug-in" else loops
    found = mutual_information(run).isel(parameter=0)
    found = found.sel(scheme="replace" if mutant == "plug-in" else mutant)
    assert np.abs(fisher(found, law_of("truth"))).max() > TOLERANCE


def test_information_about_the_start_is_infinite_at_generation_zero(loops):
    start = mutual_information(loops, about="first").isel(generation=0)
    for name in ("mutual_information", "mutual_information_low", "mutual_information_knn"):
        assert np.isinf(start[name]).all()


def reference_law(name):
    """Correlation of the posterior means of generation t >= 1 and of fresh real rows, `replace`.

    With kap(r) = r / (r + w) for r rows and kap = kap(n), E[m_t | real mean 0] is kap^(t + 1) times
    it, Var m_t = kap / w and that of a reference of r rows kap(r) / w. Real rows that both share
    are those of generation 0 alone, and any average that holds them has the covariance 1 / w +
    1 / r with their mean; one that does not has 1 / w. So the correlation is
    kap^(t + 1/2) / sqrt(kap(r)) with generation 0's rows, and kap^(t + 1/2) sqrt(kap(r)) without.
    """
    t = np.arange(1, LENGTH)
    rows = {"real_only": ROWS, "real_seen": ROWS * (t + 1), "real_plus": 2 * ROWS}[name]
    kept, own = ROWS / (ROWS + PRIOR_WEIGHT), rows / (rows + PRIOR_WEIGHT)
    return kept ** (t + 0.5) * own ** (-0.5 if name == "real_seen" else 0.5)


@pytest.fixture(scope="module")
def referenced():
    return iterated(2_000, seed=23, references=REAL)


@pytest.mark.parametrize("name", REAL)
def test_closed_forms_about_real_references(referenced, name):
    """Five correlations and ten estimates for each, at 4 standard errors; false alarm 1e-3."""
    found = mutual_information(referenced, about=name).sel(scheme="replace").isel(parameter=0)
    assert found.attrs["about"] == name
    for value in ("mutual_information", "mutual_information_knn", "joint_mutual_information"):
        assert np.isinf(found[value][0])
    later = found.isel(generation=slice(1, None))
    law = -0.5 * np.log1p(-(reference_law(name) ** 2))
    assert np.abs(fisher(later, law)).max() < TOLERANCE
    for value, extra in (("mutual_information", 0.004), ("mutual_information_knn", 0.02)):
        error = TOLERANCE * later[f"{value}_mcse"].to_numpy() + extra
        assert np.all(np.abs(later[value].to_numpy() - law) < error), value


def test_laws_about_references_differ(referenced):
    """The law of rows that are not shared does not hold where they are, nor the other way round."""
    for name, other in (("real_seen", "real_only"), ("real_only", "real_seen")):
        found = mutual_information(referenced, about=name).sel(scheme="replace").isel(parameter=0)
        wrong = -0.5 * np.log1p(-(reference_law(other) ** 2))
        assert np.abs(fisher(found.isel(generation=slice(1, None)), wrong)).max() > TOLERANCE


def test_references_that_were_not_fitted_are_refused(loops):
    for name in REAL:
        with pytest.raises(LackingError, match=f"about {name}.*add '{name}' to references="):
            mutual_information(loops, about=name)


def test_counts_have_finite_information_about_the_start():
    """Generation 0 about itself: the entropy of its means, by hand."""
    run = bc.Experiment(
        bernoulli.estimator(),
        bc.Truth.from_prior(),
        bc.schemes.replace(),
        n_real=2,
        generations=2,
        replicates=300,
        keep_draws=0,
        references=(),
        seed=24,
    ).run(progress=False)
    found = mutual_information(run, about="first").isel(scheme=0, parameter=0)
    first = run["summary"]["p"].sel(statistic="mean").isel(scheme=0, generation=0)
    _, counts = np.unique(first, return_counts=True)
    shares = counts / 300
    law = -(shares * np.log(shares)).sum()
    assert len(counts) == 3
    assert float(found["mutual_information_knn"][0]) == pytest.approx(law)
    assert np.isinf(found["mutual_information"][0])
    assert np.isfinite(found["mutual_information_knn"][1])


def test_parameters_that_the_truth_does_not_have_are_missing():
    truth = bc.Truth.from_prior(estimator=gaussian_mean.estimator(prior_sd=0.5))
    run = bc.Experiment(
        gaussian.estimator(),
        truth,
        bc.schemes.replace(),
        n_real=10,
        generations=2,
        replicates=30,
        keep_draws=0,
        references=(),
        seed=25,
    ).run(progress=False)
    found, alone = mutual_information(run), mutual_information(run, var_names="mu")
    assert found["parameter"].values.tolist() == ["mu", "sigma"]
    for name in found.data_vars:
        whole = found[name]
        if "parameter" in whole.dims:
            assert whole.sel(parameter="sigma").isnull().all()
            whole = whole.sel(parameter=["mu"])
        assert np.allclose(whole, alone[name])
    assert "mutual_information of sigma" in found.attrs["missing"]
    assert alone.attrs["missing"] == ""
    with pytest.raises(LackingError, match="no parameter of the learner is the truth's"):
        mutual_information(run, var_names="sigma")


def test_layout_and_refusals(loops):
    found = mutual_information(loops, var_names="mu")
    assert found["mutual_information"].dims == ("scheme", "generation", "parameter")
    assert found["joint_mutual_information"].dims == ("scheme", "generation")
    assert (found["mutual_information_low"] <= found["mutual_information_high"]).all()
    one_truth = make_run(30)
    assert "joint_mutual_information" in mutual_information(one_truth, about="first")
    with pytest.raises(ValueError, match=r"one truth for all replicates.*from_prior"):
        mutual_information(one_truth)
    with pytest.raises(ValueError, match="about must be one of"):
        mutual_information(loops, about="future")
