"""Plug-in points: closed forms against quadrature, optimisers, and the laws of their loops."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from bayescollapse import theory
from bayescollapse.estimator.emission import parse_emission
from bayescollapse.estimator.engine import FitSettings, Group
from bayescollapse.estimator.hooks import emit_rows
from bayescollapse.estimator.point_laws import beta_point, gamma_point, root_inverse_gamma_point
from bayescollapse.estimator.points import Point, parse_point
from bayescollapse.models import bernoulli, categorical, gaussian
from tests.families import FAMILIES, family_rows

SETTINGS = FitSettings(1, 1, None, int)

TRANSFORMS = {
    "identity": (lambda x: x, lambda y: y, lambda x: 1.0),
    "log": (np.log, np.exp, lambda x: 1 / x),
    "sqrt": (np.sqrt, np.square, lambda x: 0.5 / np.sqrt(x)),
    "square": (np.square, np.sqrt, lambda x: 2 * x),
    "reciprocal": (lambda x: 1 / x, lambda y: 1 / y, lambda x: x**-2.0),
    "logit": (
        lambda x: np.log(x / (1 - x)),
        lambda y: 1 / (1 + np.exp(-y)),
        lambda x: 1 / (x * (1 - x)),
    ),
}

ONE = np.ones(1)
LAWS = {
    "gamma": (stats.gamma(4.5, scale=1 / 2.5), 0.0, 40.0, gamma_point, (4.5 * ONE, 2.5 * ONE)),
    "beta": (stats.beta(3.5, 2.8), 0.0, 1.0, beta_point, (3.5 * ONE, 2.8 * ONE)),
}


def root_inverse_gamma_pdf(sigma):
    return 2 * sigma * stats.invgamma(4.5, scale=2.5).pdf(sigma**2)


def density(name):
    if name == "root inverse gamma":
        return root_inverse_gamma_pdf, 1e-9, 60.0, root_inverse_gamma_point, (4.5 * ONE, 2.5 * ONE)
    law, low, high, point, arguments = LAWS[name]
    return law.pdf, low + 1e-12, high - 1e-12, point, arguments


def cases():
    for name in (*LAWS, "root inverse gamma"):
        for transform in TRANSFORMS:
            if transform != "logit" or name == "beta":
                yield name, transform


@pytest.mark.parametrize(("name", "transform"), list(cases()))
def test_points_of_laws_agree_with_quadrature_and_a_search(name, transform):
    pdf, low, high, point, arguments = density(name)
    forward, backward, slope = TRANSFORMS[transform]
    of = () if transform == "identity" else {"x": transform}
    middle = 1.0 if high > 1 else 0.5
    mean = sum(
        integrate.quad(lambda x: forward(x) * pdf(x), *part, epsabs=1e-12, limit=200)[0]
        for part in ((low, middle), (middle, high))
    )
    expected = backward(mean)
    np.testing.assert_allclose(point(*arguments, Point("mean", of), "x"), expected, rtol=1e-6)
    found = optimize.minimize_scalar(
        lambda x: -np.log(pdf(x) / slope(x)),
        bounds=(low + 0.02, min(high - 0.02, 8.0)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    mode = point(*arguments, Point("marginal map", of), "x")
    np.testing.assert_allclose(mode, found.x, rtol=1e-5)


def test_means_that_do_not_exist_are_refused():
    point = parse_point("mean of square sigma")
    with pytest.raises(ValueError, match="has no such mean"):
        root_inverse_gamma_point(ONE, ONE, point, "sigma")
    with pytest.raises(ValueError, match="no single mode"):
        beta_point(0.5 * ONE, 0.5 * ONE, Point("map"), "p")


def fitted(estimator, n=12, seed=3):
    """Exact posteriors of two replicates of weighted rows, and these."""
    values = [estimator.schema.values(family_rows(estimator, n, seed + i)) for i in range(2)]
    rows = {name: np.concatenate([v[name] for v in values]) for name in values[0]}
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, size=(2, n))
    engine = estimator.engine("exact")
    group = Group((rows,), engine.digest(rows), n, True, (0,))
    return engine.condition([group], [weights], SETTINGS), rows, weights


def likelihood(estimator, parameters, rows, weights):
    each = estimator.exact.log_density({n: v[:, None] for n, v in parameters.items()}, rows)
    return (each[:, 0] * weights).sum(axis=1)


@pytest.mark.parametrize("name", [name for name in FAMILIES if "columns" not in name])
def test_nothing_near_a_maximum_of_the_likelihood_is_likelier(name, estimators):
    estimator = estimators[name]
    fit, rows, weights = fitted(estimator)
    best = fit.estimate(Point("mle"))
    top = likelihood(estimator, best, rows, weights)
    rng = np.random.default_rng(4)
    for _ in range(30):
        other = {}
        for key, value in best.items():
            moved = value * (1 + 0.03 * rng.normal(size=value.shape))
            if key == "p" and value.ndim > 1:
                moved = moved / moved.sum(axis=1, keepdims=True)
            if key == "covariance":
                moved = (moved + moved.swapaxes(1, 2)) / 2
            other[key] = moved
        assert (likelihood(estimator, other, rows, weights) < top).all()


def test_more_columns_than_rows_have_no_least_squares(estimators):
    fit, _, _ = fitted(estimators["regression more columns than rows"])
    with pytest.raises(ValueError, match="needs a weighted design of full rank"):
        fit.estimate(Point("mle"))


QUICK = ("gaussian conjugate", "gaussian jeffreys", "poisson", "regression proper")


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.verification)
        for name in FAMILIES
        if name not in ("regression more columns than rows", "multivariate normal")
    ],
)
def test_joint_modes_agree_with_an_optimiser_of_the_model(name, estimators):
    """L-BFGS on the PyMC model without Jacobian; flat in the third digit of its tolerance."""
    estimator = estimators[name]
    fit, rows, weights = fitted(estimator)
    engine = estimator.engine("map")
    exact = fit.estimate(Point("map"))
    for r in range(2):
        one = {key: value[r : r + 1] for key, value in rows.items()}
        group = Group((one,), None, weights.shape[1], True, (0,))
        found = engine.condition([group], [weights[r : r + 1]], SETTINGS)
        for key, value in found.estimate(Point("map")).items():
            np.testing.assert_allclose(value[0], exact[key][r], rtol=2e-3, atol=2e-3)


def test_a_joint_mode_of_a_covariance_is_a_maximum(estimators):
    estimator = estimators["multivariate normal"]
    fit, _, _ = fitted(estimator)
    best = fit.estimate(Point("map"))
    location, weight, degrees, scale = estimator.exact._posterior(fit.stats)

    def log_posterior(covariance, mu, r):
        return stats.invwishart(degrees[r], scale[r]).logpdf(covariance) + (
            stats.multivariate_normal(location[r], covariance / weight[r]).logpdf(mu)
        )

    rng = np.random.default_rng(5)
    for r in range(2):
        top = log_posterior(best["covariance"][r], best["mu"][r], r)
        for _ in range(30):
            step = 0.05 * rng.normal(size=(2, 2))
            moved = best["covariance"][r] + step + step.T
            if np.linalg.eigvalsh(moved)[0] > 0:
                assert log_posterior(moved, best["mu"][r], r) < top


LABELS = {
    "unbiased": "plug-in(unbiased)",
    "maximum likelihood": "plug-in(mle)",
    "mean of variance": "plug-in(mean of square sigma)",
    "mean of sd": "plug-in",
    "mean of log": "plug-in(mean of log sigma)",
    "marginal mode": "plug-in(marginal map of square sigma)",
    "joint mode": "plug-in(map of square sigma)",
}


def log_variance_steps(label, blocks, n=20, replicates=1024):
    """Change of the log variance estimate in one fully synthetic generation."""
    engine, emission = gaussian.estimator().engine(), parse_emission(label)
    rng, steps = np.random.default_rng(6), []
    for _ in range(blocks):
        rows = {"y": rng.normal(1.0, 2.0, size=(replicates, n))}
        group = Group((rows,), engine.digest(rows), n, True, (0,))
        fit = engine.condition([group], [1.0], SETTINGS)
        emitted, _ = emit_rows(engine, fit, emission, n, {}, None, rng)
        steps.append(np.log(emitted["y"].var(axis=1) / rows["y"].var(axis=1)))
    return np.concatenate(steps)


def check_drift(point, blocks):
    # 4.5 standard errors: a false alarm in 7e-6 of the cases, 5e-5 for all points.
    steps = log_variance_steps(LABELS[point], blocks)
    error = steps.std() / np.sqrt(steps.size)
    assert abs(steps.mean() - theory.log_variance_drift(20, point=point)) < 4.5 * error
    return error


@pytest.mark.parametrize("point", LABELS)
def test_drift_of_the_log_variance_depends_on_the_point(point):
    error = check_drift(point, blocks=12)
    # Neighbouring points differ by more, so a wrong one fails.
    drifts = sorted(theory.log_variance_drift(20, point=p) for p in LABELS)
    assert np.diff(drifts).min() > 6 * error


@pytest.mark.verification
@pytest.mark.parametrize("point", LABELS)
def test_drift_of_the_log_variance_at_full_size(point):
    check_drift(point, blocks=400)


def test_a_mode_on_the_own_scale_is_none_of_the_variance():
    fit, _, _ = fitted(gaussian.estimator())
    weight, _, squares = fit.stats
    variance = {
        "map": squares / (weight + 1),
        "marginal map": squares / weight,
        "map of log sigma": squares / weight,
        "map of square sigma": squares / (weight + 2),
    }
    for label, expected in variance.items():
        np.testing.assert_allclose(fit.estimate(parse_point(label))["sigma"] ** 2, expected)


def replace_loop(engine, label, truth, n, generations, seed, replicates=4096):
    """Point estimates of a fully synthetic loop from n real rows, generation first."""
    rng, emission, out = np.random.default_rng(seed), parse_emission(label), []
    covariates: dict = {}
    start = np.broadcast_to(truth, (replicates, 1, *np.shape(truth)))
    rows = engine.forward({"p": start}, covariates, n, rng)
    for _ in range(generations):
        group = Group((rows,), engine.digest(rows), n, False, (0,))
        fit = engine.condition([group], [1.0], SETTINGS)
        rows, recorded = emit_rows(engine, fit, emission, n, covariates, None, rng)
        out.append(recorded["p"][:, 0])
    return np.array(out)


def test_maximum_likelihood_of_bernoulli_rows_is_a_wright_fisher_walk():
    n, p = 10, 0.3
    path = replace_loop(bernoulli.estimator().engine(), "plug-in(mle)", p, n, 8, seed=7)
    for t, estimate in enumerate(path):
        # 4.5 standard errors, 16 comparisons: 1e-4.
        expected = p * (1 - p) * (1 - 1 / n) ** (t + 1)
        spread = estimate * (1 - estimate)
        for value, law in ((estimate, p), (spread, expected)):
            assert abs(value.mean() - law) < 4.5 * value.std() / np.sqrt(value.size)
    absorbed = path[:-1] == 0
    assert absorbed.any() and (path[1:][absorbed] == 0).all()
    flat = replace_loop(bernoulli.estimator().engine(), "plug-in(map)", p, n, 8, seed=7)
    np.testing.assert_allclose(flat, path)


def test_an_interior_mode_drifts_to_that_of_the_prior():
    n, a, b = 10, 4.0, 2.0
    learner = bernoulli.estimator(prior_successes=a, prior_failures=b)
    path = replace_loop(learner.engine(), "plug-in(map)", 0.1, n, 6, seed=8)
    expected = 0.1
    for estimate in path:
        expected = (a - 1 + n * expected) / (a + b - 2 + n)
        assert abs(estimate.mean() - expected) < 4.5 * estimate.std() / np.sqrt(estimate.size)


def test_categories_that_were_lost_stay_lost():
    engine = categorical.estimator(categories=4).engine()
    path = replace_loop(engine, "plug-in(mle)", np.array([0.1, 0.2, 0.3, 0.4]), 12, 10, seed=9)
    lost = path[:-1] == 0
    assert lost.any() and (path[1:][lost] == 0).all()
    expected = 1 - (1 - 1 / 12) ** np.arange(1, 11) * 0.7
    concentration = (path**2).sum(axis=-1)
    error = concentration.std(axis=1) / np.sqrt(concentration.shape[1])
    assert (np.abs(concentration.mean(axis=1) - expected) < 4.5 * error).all()


def survival(blocks):
    path = [
        replace_loop(
            bernoulli.estimator().engine(), "plug-in(mle)", 0.01, 100, 9, 10 + i, replicates=5000
        )
        for i in range(blocks)
    ]
    alive = np.concatenate(path, axis=1) > 0
    for t in range(9):
        bracket = theory.survival_bracket(t, n=100, probability=0.01)
        error = 4 * np.sqrt(0.25 / alive.shape[1])
        assert bracket.lower - error <= alive[t].mean() <= bracket.upper + error


def test_survival_of_a_rare_category_is_inside_its_bracket():
    survival(1)


@pytest.mark.verification
def test_survival_of_a_rare_category_at_full_size():
    survival(40)
