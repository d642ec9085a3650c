"""Families fitted by NUTS: their densities, priors, weights, emission, posteriors and loops.

Every independent computation is NumPy and SciPy alone; see ``tests/sampled_families.py``.
"""

import numpy as np
import pytest
from scipy import stats

import bayescollapse as bc
from bayescollapse.estimator.forward import Density, Forward, PriorDraw
from bayescollapse.estimator.interpreter import PYTHON
from bayescollapse.estimator.rebuild import untransformed
from bayescollapse.estimator.tilt import weighted_model, weights_name
from tests.sampled_families import SAMPLED, covariates_of
from tests.unconstrained import constrain, unconstrain

REGRESSIONS = [name for name, family in SAMPLED.items() if family.names]
# PyMC's normal densities hold log(sqrt(2 pi)) in single precision: 1.2e-8 nats a term.
CONSTANT = 2e-7


@pytest.fixture(scope="module")
def families():
    """Every family's estimator, compiled at most once."""
    return {name: family.estimator() for name, family in SAMPLED.items()}


def rows_of(estimator, family, n, seed):
    """Rows at the truth, without the leading axis of replicates."""
    rng = np.random.default_rng(seed)
    x = {k: v[0] for k, v in covariates_of(estimator.schema).block(1, n, rng).items()}
    return {**Forward(estimator.row_model)(family.theta(), x, n, rng), **x}


def dataset(estimator, rows):
    return estimator.schema.dataset(
        {name: value[None] for name, value in rows.items()}, replicate=0
    )


def prior_draws(estimator, size, seed):
    return PriorDraw(estimator.row_model)(size, np.random.default_rng(seed))


@pytest.mark.parametrize("name", SAMPLED)
def test_row_density_is_the_independent_one(families, name):
    family, estimator = SAMPLED[name], families[name]
    rows = rows_of(estimator, family, 40, seed=1)
    theta = prior_draws(estimator, 25, seed=2)
    density = Density(estimator.row_model)(theta, rows)
    expected = family.log_density(theta, rows)
    np.testing.assert_allclose(density, expected, rtol=1e-10, atol=CONSTANT)
    near = {k: v + np.zeros((2, *v.shape)) for k, v in family.theta().items()}
    near["sigma" if "sigma" in near else "beta"][1] *= 1.3
    # Constants cancel in differences between draws and between rows.
    ours, theirs = Density(estimator.row_model)(near, rows), family.log_density(near, rows)
    change, expected = np.diff(ours, axis=0), np.diff(theirs, axis=0)
    scale = 1e-12 * np.abs(theirs).max()
    np.testing.assert_allclose(change, expected, rtol=family.rtol, atol=scale)


@pytest.mark.parametrize("name", SAMPLED)
def test_prior_density_is_the_independent_one(families, name):
    family, estimator = SAMPLED[name], families[name]
    theta = prior_draws(estimator, 10, seed=3)
    model = untransformed(estimator.row_model.model)
    log_prior = model.compile_logp(vars=model.free_RVs, jacobian=False, mode=PYTHON)
    values = {rv.name: model.rvs_to_values[rv].name for rv in model.free_RVs}
    ours = [log_prior({values[k]: v[i] for k, v in theta.items()}) for i in range(10)]
    np.testing.assert_allclose(ours, family.log_prior(theta), rtol=1e-10, atol=CONSTANT)


@pytest.mark.parametrize("name", SAMPLED)
def test_prior_draws_have_the_prior_density(families, name):
    """The mean of q / prior over prior draws is 1 for any density q on unconstrained coordinates.

    q is normal with 0.7 times the draws' spread; a constant missing from the density, or unordered
    draws, would show. |z| > 4 in one of six families: false alarm 4e-4.
    """
    family, estimator = SAMPLED[name], families[name]
    theta = prior_draws(estimator, 3000, seed=4)
    flat = unconstrain(theta, family.kinds)
    shapes = {key: value.shape[1:] for key, value in theta.items()}
    back, jacobian = constrain(flat, family.kinds, shapes)
    for key, value in theta.items():
        np.testing.assert_allclose(back[key], value, rtol=1e-9, atol=1e-9)
    pilot = unconstrain(prior_draws(estimator, 1000, seed=5), family.kinds)
    log_q = stats.norm.logpdf(flat, np.median(pilot, axis=0), 0.7 * pilot.std(0)).sum(1)
    ratio = np.exp(log_q - family.log_prior(theta) - jacobian)
    error = ratio.std() / np.sqrt(len(ratio))
    assert error < 0.1
    assert abs(ratio.mean() - 1) < 4 * error


def function(model, compiled):
    """Log density, or its gradient in a fixed order of the parameters."""
    if compiled == "compile_logp":
        return model.compile_logp(mode=PYTHON)
    order = sorted(model.free_RVs, key=lambda rv: rv.name)
    return model.compile_dlogp(vars=order, mode=PYTHON)


@pytest.mark.parametrize("name", SAMPLED)
def test_integer_weights_equal_repeated_rows(families, name):
    """Value and gradient of the weighted model, against a plain PyMC model of the repeated rows."""
    family, estimator = SAMPLED[name], families[name]
    built, rng = estimator.row_model, np.random.default_rng(6)
    rows, counts = rows_of(estimator, family, 15, seed=6), rng.integers(1, 4, 15)
    weighted = weighted_model(built)
    data = {built.shared[key]: value for key, value in rows.items()}
    data[weights_name(built)] = counts.astype(float)
    repeated = {key: np.repeat(value, counts, axis=0) for key, value in rows.items()}
    plain = family.model(dataset(estimator, repeated))
    start = plain.initial_point()
    points = [
        {k: v + rng.uniform(-0.5, 0.5, np.shape(v)) for k, v in start.items()} for _ in range(3)
    ]
    for compiled in ("compile_logp", "compile_dlogp"):
        ours, theirs = (function(m, compiled) for m in (weighted, plain))
        for shared in ours.f.get_shared():
            if shared.name in data:
                shared.set_value(data[shared.name].astype(shared.dtype))
        for point in points:
            np.testing.assert_allclose(ours(point), theirs(point), rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("name", SAMPLED)
def test_emitted_rows_have_the_right_law(families, name):
    """Randomised probability integral transforms are uniform: 2 x 6 tests at 1e-4."""
    family, estimator = SAMPLED[name], families[name]
    rng, m = np.random.default_rng(7), 3000
    x = {k: v[0] for k, v in covariates_of(estimator.schema).block(1, m, rng).items()}
    forward, theta = Forward(estimator.row_model), family.theta()
    each = {k: np.broadcast_to(v, (m, *v.shape)) for k, v in theta.items()}
    for drawn in (forward(theta, x, m, rng), forward.per_row(each, x, m, rng)):
        one = {k: v[None] for k, v in theta.items()}
        low, high = family.interval(one, {**drawn, **x})
        uniform = (low + rng.random(m) * (high - low))[0]
        assert stats.kstest(uniform, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("name", SAMPLED)
def test_nuts_draws_the_independent_posterior(families, name):
    """Means and spreads under fractional weights against importance sampling with SciPy's density.

    Some 60 comparisons at |z| > 4.5: false alarm 4e-4.
    """
    family, estimator = SAMPLED[name], families[name]
    rows = rows_of(estimator, family, family.n, seed=8)
    weights = np.random.default_rng(9).uniform(0.3, 1.7, family.n)
    tree = estimator.fit(dataset(estimator, rows), weights, draws=1000, chains=4, seed=10)
    assert bool(tree["sample_stats"]["passed"])
    draws = {k: tree["posterior"][k].to_numpy() for k in family.kinds}
    flat = unconstrain({k: v.reshape(-1, *v.shape[2:]) for k, v in draws.items()}, family.kinds)
    shapes = {key: value.shape[2:] for key, value in draws.items()}
    centre = flat.mean(0)
    proposal = stats.multivariate_t(centre, 1.2 * np.atleast_2d(np.cov(flat.T)), df=6)
    proposed = proposal.rvs(30_000, random_state=np.random.default_rng(11))
    theta, jacobian = constrain(proposed, family.kinds, shapes)
    log_target = family.log_density(theta, rows) @ weights + family.log_prior(theta) + jacobian
    ratio = np.exp(log_target - proposal.logpdf(proposed) - log_target.max())
    ratio /= ratio.sum()
    assert 1 / (ratio**2).sum() > 1000
    effective = min(float(tree["sample_stats"][k]) for k in ("ess_bulk", "ess_tail"))
    for power in (1, 2):
        ours, theirs = (flat - centre) ** power, (proposed - centre) ** power
        expected = ratio @ theirs
        error = np.sqrt(ours.var(0) / effective + (ratio**2) @ (theirs - expected) ** 2)
        assert (np.abs(ours.mean(0) - expected) < 4.5 * error).all()


@pytest.mark.parametrize("name", SAMPLED)
def test_a_replace_lineage_passes_its_gate(families, name):
    family, estimator = SAMPLED[name], families[name]
    truth = bc.Truth(family.theta(), covariates=covariates_of(estimator.schema))
    experiment = bc.Experiment(
        estimator,
        truth,
        bc.schemes.replace(),
        n_real=family.n,
        generations=3,
        replicates=1,
        references=(),
        seed=2,
    )
    run = experiment.run(progress=False)
    assert run["sample_stats"]["passed"].all()
    assert np.isfinite(run["summary"].to_dataset().to_array()).all()
    if "mu" in family.truth:
        assert (np.diff(run["posterior"]["mu"]) > 0).all()


@pytest.mark.parametrize("name", REGRESSIONS)
def test_covariates_stay_honest(families, name):
    """Fresh, resampled or repeated designs, rows whole: never a covariate from nowhere."""
    family, estimator = SAMPLED[name], families[name]
    truth = bc.Truth(family.theta(), covariates=covariates_of(estimator.schema))
    schemes = {c: bc.schemes.pooled(covariates=c) for c in ("source", "resample", "fixed")}
    experiment = bc.Experiment(
        estimator,
        truth,
        schemes,
        n_real=family.n,
        generations=2,
        replicates=1,
        draws=100,
        keep_draws=0,
        keep_rows="all",
        references=(),
        seed=3,
    )
    table = experiment.run(progress=False)["rows"].to_dataset().load()

    def design(scheme, generation, real):
        at = {"scheme": scheme, "generation": generation, "real": real}
        chosen = np.all([table[key].to_numpy() == value for key, value in at.items()], axis=0)
        parts = [table[k].to_numpy()[chosen].reshape(chosen.sum(), -1) for k in family.names]
        return np.concatenate(parts, axis=1)

    def found(some, among):
        return (some[:, None] == among[None]).all(-1)

    first = design("source", 0, real=True)
    fresh, resampled, fixed = (design(scheme, 1, real=False) for scheme in schemes)
    assert len(fresh) == len(resampled) == len(fixed) == len(first) == family.n
    assert not found(fresh, first).any()
    assert not found(fresh, design("source", 1, real=True)).any()
    assert found(resampled, first).any(1).all()
    assert found(first, resampled).any(1).sum() < family.n
    np.testing.assert_array_equal(fixed, first)
