"""Temperature and sampling bias: every family of the table, exact samplers, and their loops."""

import warnings

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.estimator.emission import parse_emission
from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.estimator.exact import powered
from bayescollapse.estimator.functions import compile_function
from bayescollapse.estimator.hooks import emit_rows
from bayescollapse.estimator.tempering import LOCATION_SCALE, TEMPERED, tempered_responses
from bayescollapse.models import categorical, gaussian, ngram
from tests.families import FAMILIES

SETTINGS = FitSettings(1, 1, None, int)
GRID = np.linspace(0.05, 0.95, 19)
COVARIANCE = np.array([[2.0, 0.6], [0.6, 1.0]])

LAWS = {
    "Normal": (pm.Normal.dist(0.3, 1.2), 4 * GRID - 2),
    "HalfNormal": (pm.HalfNormal.dist(1.2), GRID),
    "TruncatedNormal": (pm.TruncatedNormal.dist(0.3, 1.2, lower=0.0, upper=1.0), GRID),
    "MvNormal": (
        pm.MvNormal.dist([0.3, -1.0], COVARIANCE),
        np.random.default_rng(0).normal(size=(9, 2)),
    ),
    "LogNormal": (pm.LogNormal.dist(0.3, 1.2), GRID),
    "Laplace": (pm.Laplace.dist(0.3, 1.2), 4 * GRID - 2),
    "StudentT": (pm.StudentT.dist(4.0, mu=0.3, sigma=1.2), 4 * GRID - 2),
    "Exponential": (pm.Exponential.dist(2.0), GRID),
    "Gamma": (pm.Gamma.dist(3.0, 2.0), GRID),
    "InvGamma": (pm.InverseGamma.dist(3.0, 2.0), GRID),
    "Beta": (pm.Beta.dist(3.0, 2.0), GRID),
    "Dirichlet": (pm.Dirichlet.dist([3.0, 2.0]), np.stack([GRID, 1 - GRID], axis=1)),
    "VonMises": (pm.VonMises.dist(0.3, 1.2), GRID),
    "Geometric": (pm.Geometric.dist(0.3), np.arange(1, 9)),
    "Bernoulli": (pm.Bernoulli.dist(0.3), np.arange(2)),
    "Categorical": (pm.Categorical.dist([0.5, 0.3, 0.2]), np.arange(3)),
    "Uniform": (pm.Uniform.dist(0.0, 1.0), GRID),
    "DiscreteUniform": (pm.DiscreteUniform.dist(0, 4), np.arange(5)),
    "Logistic": (pm.Logistic.dist(0.3, 1.2), 4 * GRID - 2),
    "Cauchy": (pm.Cauchy.dist(0.3, 1.2), 4 * GRID - 2),
}


def names(table):
    return sorted(kind.__name__.removesuffix("RV") for kind in table)


def log_density(variable, values):
    one = variable.type()
    function = compile_function([one], pm.logp(variable, one))
    return np.array([function(np.asarray(value, dtype=variable.dtype)) for value in values])


@pytest.mark.parametrize("temperature", [0.6, 1.7])
@pytest.mark.parametrize("name", names(TEMPERED))
def test_a_tempered_log_density_is_the_model_s_over_the_temperature(name, temperature):
    law, values = LAWS[name]
    (tempered,) = tempered_responses([law], temperature, 1.0)
    excess = log_density(tempered, values) - log_density(law, values) / temperature
    np.testing.assert_allclose(excess, excess[0], atol=1e-9)


@pytest.mark.parametrize("name", names(LOCATION_SCALE))
def test_a_sampling_bias_narrows_the_noise_around_the_location(name):
    law, values = LAWS[name]
    (narrowed,) = tempered_responses([law], 1.0, 0.3)
    location = np.array([0.3, -1.0]) if name == "MvNormal" else 0.3
    closer = location + np.sqrt(0.3) * (values - location)
    excess = log_density(narrowed, closer) - log_density(law, values)
    np.testing.assert_allclose(excess, excess[0], atol=1e-9)


@pytest.mark.parametrize(
    ("law", "kind"),
    [
        (lambda: pm.Poisson.dist(2.0), "Poisson"),
        (lambda: pm.Binomial.dist(5, 0.3), "Binomial"),
        (lambda: pm.Censored.dist(pm.Normal.dist(), -1, 1), "Censored"),
        (lambda: pm.NormalMixture.dist([0.5, 0.5], [0.0, 1.0], 1.0), "Mixture"),
    ],
)
def test_other_families_are_refused_by_name(law, kind):
    variable = law()
    variable.name = "y"
    for setting in ((2.0, 1.0), (1.0, 0.5)):
        with pytest.raises(ValueError, match=f"'y', which is .*{kind}"):
            tempered_responses([variable], *setting)


def rows_at(engine, parameters, label, m, covariates=None, seed=1):
    """Rows of one replicate at fixed parameters, from the exact or the compiled forward."""

    class At:
        def draws(self, count, rng):
            return {name: np.asarray(v, dtype=float)[None, None] for name, v in parameters.items()}

    rng = np.random.default_rng(seed)
    return emit_rows(engine, At(), parse_emission(label), m, covariates or {}, rng, rng)[0]


def test_a_response_that_depends_on_another_is_tempered_given_it():
    with pm.Model() as model:
        mu = pm.Normal("mu")
        x = pm.Normal("x", mu, 1.0, observed=np.zeros(4))
        pm.Normal("y", 2.0 * x, 3.0, observed=np.zeros(4))
    rows = rows_at(bc.Estimator(model).engine(), {"mu": 1.0}, "joint(temperature=0.25)", 40_000)
    x, y = rows["x"][0], rows["y"][0]
    # Relative sds of a variance of 40,000 rows are 0.7 %: 5 standard errors are 3.5 %.
    np.testing.assert_allclose(x.var(), 0.25, rtol=0.035)
    np.testing.assert_allclose((y - 2 * x).var(), 9 * 0.25, rtol=0.035)
    np.testing.assert_allclose(y.var(), 4 * 0.25 + 9 * 0.25, rtol=0.035)


PARAMETERS = {
    "gaussian_mean flat": {"mu": 0.7},
    "gaussian jeffreys": {"mu": 0.7, "sigma": 1.4},
    "multivariate normal": {"mu": [0.7, -1.0], "covariance": COVARIANCE},
    "bernoulli": {"p": 0.3},
    "exponential": {"rate": 0.6},
    "regression known noise": {"beta": [0.7, -1.0]},
    "regression unknown noise": {"sigma": 1.4, "beta": [0.7, -1.0]},
    "categorical": {"p": [0.5, 0.3, 0.2]},
}
NARROWED = [name for name in PARAMETERS if name.startswith(("gaussian", "mult", "regression"))]


@pytest.mark.parametrize(
    ("name", "label"),
    [(name, "joint(temperature=0.6)") for name in PARAMETERS]
    + [(name, "joint(temperature=1.5, sampling_bias=0.4)") for name in NARROWED],
)
def test_exact_samplers_temper_as_the_rewritten_model_does(name, label, estimators):
    estimator, m = estimators[name], 20_000
    x = np.random.default_rng(2).normal(size=(1, m, 2))
    covariates = {"x": x} if estimator.schema.covariates else {}
    engines = estimator.engine("exact"), estimator.engine("map")
    one, two = (
        rows_at(e, PARAMETERS[name], label, m, covariates)["y"][0].reshape(m, -1) for e in engines
    )
    if covariates:
        one, two = (y - x[0] @ np.array(PARAMETERS[name]["beta"])[:, None] for y in (one, two))
    for moment in (lambda y: y, lambda y: y**2, lambda y: y == 1, lambda y: y.prod(axis=-1)):
        a, b = np.asarray(moment(one), float), np.asarray(moment(two), float)
        error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / m)
        # 5 standard errors: 6e-7 each, 1e-4 for all of them.
        assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) <= 5 * error + 1e-12).all()


def test_families_of_the_zoo_are_tempered_or_refused():
    tempered = set()
    for name in FAMILIES:
        try:
            FAMILIES[name]().exact.tempered(2.0, 1.0)
        except ValueError as error:
            assert name == "poisson" and "Poisson" in str(error)
        else:
            tempered.add(name)
    assert tempered == set(FAMILIES) - {"poisson"}


def test_log_odds_are_divided_by_the_temperature_every_generation():
    p = np.array([0.5, 0.3, 0.2])
    for tau in (0.7, 1.6):
        expected, current = [], p
        for t in range(1, 5):
            current = powered(current, tau)
            expected.append(
                theory.tempered_probabilities(t, probabilities=p, temperature=tau) - current
            )
        assert np.abs(expected).max() < 1e-12


def test_rows_at_a_temperature_have_the_tempered_probabilities():
    p, m = np.array([0.5, 0.3, 0.2]), 100_000
    engine = categorical.estimator(categories=3).engine()
    y = rows_at(engine, {"p": p}, "joint(temperature=0.5)", m)["y"][0]
    law = theory.tempered_probabilities(1, probabilities=p, temperature=0.5)
    counts = np.bincount(y, minlength=3)
    # A chi-square of 2 degrees above 23 has a probability of 1e-5.
    assert ((counts - m * law) ** 2 / (m * law)).sum() < 23


def test_extreme_temperatures_stay_finite():
    p = np.array([[0.9, 0.1, 0.0], [1e-300, 1 - 1e-12, 1e-12]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert powered(p, 1e-6).tolist() == [[1, 0, 0], [0, 1, 0]]
        np.testing.assert_allclose(powered(p, 1e9)[1], 1 / 3, rtol=1e-6)


def loop(label, *, n, m, share, generations, blocks, seed, replicates=1024):
    """Variance estimates (divisor: total weight) and means of a loop; share 0 has no real rows."""
    engine, emission = gaussian.estimator().engine(), parse_emission(label)
    rng, variance, mean = np.random.default_rng(seed), [], []
    for _ in range(blocks):
        path: list = []
        old = None
        for _ in range(generations):
            groups, weights = [], []
            for rows, count, w in ((real(rng, replicates, n), n, share), (old, m, 1 - share)):
                if rows is not None and (w or old is None):
                    groups.append(Group((rows,), engine.digest(rows), count, True, (0,)))
                    weights.append(1.0 if old is None or not share else w * (n + m) / count)
            fit = engine.condition(groups, weights, SETTINGS)
            path.append((fit.stats[2] / fit.stats[0], fit.stats[1]))
            old, _ = emit_rows(engine, fit, emission, m, {}, rng, rng)
        variance.append([v for v, _ in path])
        mean.append([c for _, c in path])
    return np.concatenate(variance, axis=1), np.concatenate(mean, axis=1)


def real(rng, replicates, n):
    return {"y": rng.standard_normal((replicates, n))}


def check_law(values, law):
    # 4.5 standard errors: 7e-6 for each generation.
    error = values.std(axis=1) / np.sqrt(values.shape[1])
    assert (np.abs(values.mean(axis=1) - law) < 4.5 * error).all()
    return error


def fully_synthetic(blocks):
    n = 10
    variance, _ = loop(
        "plug-in(unbiased, sampling_bias=0.8)",
        n=n,
        m=n,
        share=0.0,
        generations=5,
        blocks=blocks,
        seed=3,
    )
    law = theory.narrowed_variance(np.arange(5), sampling_bias=0.8)
    error = check_law(variance * n / (n - 1), law)
    assert (np.abs(law[1:] - 1) > 10 * error[1:]).all()


def fresh_rows(blocks):
    law = theory.narrowed_gaussian_law(5, n=12, m=8, real_share=0.4, sampling_bias=0.8)
    variance, mean = loop(
        "plug-in(mle, sampling_bias=0.8)",
        n=12,
        m=8,
        share=0.4,
        generations=5,
        blocks=blocks,
        seed=4,
    )
    error = check_law(variance, law.variance)
    check_law(mean**2, law.mean_risk)
    wide = theory.narrowed_gaussian_law(5, n=12, m=8, real_share=0.4, sampling_bias=1.0)
    assert (np.abs(law.variance - wide.variance)[1:] > 10 * error[1:]).all()


def test_narrowed_rows_lose_their_variance_geometrically():
    fully_synthetic(10)


def test_narrowed_rows_beside_fresh_ones_obey_their_recursion():
    fresh_rows(10)


@pytest.mark.verification
def test_narrowed_loops_at_full_size():
    fully_synthetic(100)
    fresh_rows(100)


def test_temperature_of_gaussian_rows_is_a_sampling_bias():
    labels = "joint(temperature=0.8)", "joint(sampling_bias=0.8)"
    paths = [
        loop(label, n=5, m=5, share=0.5, generations=3, blocks=1, seed=5)[0] for label in labels
    ]
    np.testing.assert_allclose(*paths)


def test_next_tokens_are_tempered_within_their_context():
    learner = ngram.estimator(vocabulary=4, order=1, length=2, concentration=0.5)
    tokens = np.random.default_rng(6).choice(4, size=(40, 2), p=[0.5, 0.3, 0.2, 0.0])
    posterior = learner.fit(xr.Dataset({"y": (("obs", "position"), tokens)}), seed=1)
    m, tau = 40_000, 0.6
    y = learner.emit(posterior, m, emission=f"plug-in(temperature={tau})", seed=2)["y"].values
    counts = np.zeros((5, 4))
    np.add.at(counts, (np.zeros(40, int), tokens[:, 0]), 1)
    np.add.at(counts, (1 + tokens[:, 0], tokens[:, 1]), 1)
    law = powered((counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True), tau)
    seen = np.zeros((5, 4))
    np.add.at(seen, (np.zeros(m, int), y[:, 0]), 1)
    np.add.at(seen, (1 + y[:, 0], y[:, 1]), 1)
    expected = law * seen.sum(axis=1, keepdims=True)
    # Pearson residuals; 20 of them, 5 standard errors: 1e-5.
    assert (np.abs(seen - expected) < 5 * np.sqrt(expected) + 1).all()
    cold = learner.emit(posterior, 50, emission="plug-in(temperature=1e-4)", seed=2)["y"].values
    assert (cold[:, 0] == counts[0].argmax()).all()
    assert (cold[:, 1] == counts[1 + cold[0, 0]].argmax()).all()


def test_a_degree_of_freedom_that_no_temperature_has_is_an_error():
    with pm.Model() as model:
        nu = pm.Gamma("nu", 2, 1)
        pm.StudentT("y", nu=nu, observed=np.zeros(3))
    engine = bc.Estimator(model).engine("nuts")
    with pytest.raises(ValueError, match="at temperature=3.0 and sampling_bias=1.0: .* nearer 1"):
        rows_at(engine, {"nu": 1.0}, "joint(temperature=3)", 5)


@pytest.mark.parametrize("label", ["plug-in", "joint", "predictive", "ensemble(5)"])
@pytest.mark.parametrize("total_weight", ["rows", "real", "kish", "calibrated", 70.0])
def test_the_optimal_share_knows_the_sampling_bias(label, total_weight):
    inner = label.removesuffix(")")
    narrow = f"{inner}{', ' if '(' in inner else '('}sampling_bias=0.4)"
    n, m, shares = 40, 60, np.linspace(0.01, 0.999, 20_000)
    best = theory.optimal_share(n / m, emission=narrow, n=n, total_weight=total_weight)
    # "kish" and others read the share itself, so the limit is minimised on a grid.
    terms = theory.emission_terms(
        n, m, emission=narrow, total_weight=total_weight, real_share=shares
    )
    limit = theory.limit_risk(shares, **terms._asdict())
    assert abs(best - shares[np.argmin(limit)]) < 2e-4
    assert best < theory.optimal_share(n / m, emission=label, n=n, total_weight=total_weight)


def test_the_oracle_agrees_with_the_recursion_of_narrowed_rows():
    n, m, w, generations = 30, 20, 0.4, 6
    terms = theory.emission_terms(n, m, emission="plug-in(sampling_bias=0.5)")
    path = theory.risk(generations, real_share=w, **terms._asdict())
    real_shares = np.diag([1.0] + [w] * (generations - 1))
    synthetic = np.diag([1 - w] * (generations - 1), -1)
    result = theory.linear_oracle(
        real_shares,
        synthetic,
        real_rows=n,
        synthetic_rows=m,
        emission="plug-in(mle, sampling_bias=0.5)",
        total_weights=n + m,
    )
    np.testing.assert_allclose(result.risk, path, rtol=1e-12)
    ratio = 1 / theory.narrowed_effective_rows(w, n=n, m=m, sampling_bias=0.5)
    np.testing.assert_allclose(theory.limit_risk(w, **terms._asdict()), ratio, rtol=1e-12)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("joint(temperature=0.5)", "has a temperature, and no law"),
        ("plug-in(median)", "point must be"),
        ("joint(sampling_bias=2)", r"sampling_bias must lie in \(0, 1\], got '2'"),
        ("joint(sampling_bias=x)", r"sampling_bias must lie in \(0, 1\], got 'x'"),
        ("joint(map)", "emission must be"),
        ("ensemble(sampling_bias=0.5)", "emission must be"),
    ],
)
def test_theory_refuses_emissions_without_a_law(label, message):
    with pytest.raises(ValueError, match=message):
        theory.optimal_share(1.0, emission=label)
    with pytest.raises(ValueError, match=message):
        theory.emission_terms(10, 10, emission=label)


def test_estimates_that_ignore_the_prior_have_no_law_under_one():
    arguments = {"real_rows": 5, "synthetic_rows": 5, "total_weights": 5.0}
    with pytest.raises(ValueError, match="from the likelihood alone"):
        theory.linear_oracle(
            np.eye(1), np.zeros((1, 1)), emission="plug-in(mle)", prior_weight=1.0, **arguments
        )


def test_an_experiment_runs_and_stores_every_emission():
    labels = ["plug-in(mle)", "plug-in(mean of log sigma)", "joint(sampling_bias=0.5)", "joint"]
    schemes = {label: bc.schemes.replace(emission=label) for label in labels}
    run = bc.Experiment(
        gaussian.estimator(),
        bc.Truth(mu=0.0, sigma=1.0),
        schemes,
        n_real=20,
        generations=4,
        replicates=128,
        seed=1,
    ).run(progress=False)
    sigma = run["emission"]["sigma"].isel(generation=0).squeeze()
    exact = run["summary"]["sigma"].sel(statistic="mean").isel(generation=0)
    # Generation 0 is the same in all schemes: only what is handed on differs.
    ratio = (sigma / exact).sel(scheme="plug-in(mle)").values
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-10)
    later = run["summary"]["sigma"].sel(statistic="mean").isel(generation=-1).mean("replicate")
    assert float(later.sel(scheme="joint(sampling_bias=0.5)")) < 0.6 * float(
        later.sel(scheme="joint")
    )
    assert bc.schemes.replace(emission=labels[1]).emission.label == labels[1]
