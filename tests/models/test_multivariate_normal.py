"""Multivariate normal: inverse-Wishart laws, stable statistics, priors as PyMC draws them."""

import numpy as np
import pytest
import scipy.stats
import xarray as xr

from bayescollapse.estimator import inverse_wishart as iw
from bayescollapse.estimator.forward import PriorDraw
from bayescollapse.models import gaussian, multivariate_normal
from bayescollapse.models.multivariate_normal import LKJ, NormalInverseWishart

SCALE = np.array([[3.0, -1.0, 0.5], [-1.0, 2.0, 0.0], [0.5, 0.0, 1.5]])


@pytest.mark.parametrize("degrees", [3.0, 12.0, 100.0, 3000.0])
def test_both_quadratures_of_an_off_diagonal_entry_agree(degrees):
    """Integrating T or U out in closed form gives one distribution function."""
    r = np.array([0.45, 0.55, 0.6, 0.7])
    q = np.array([-0.5, 0.1, 0.5, 0.8, 2.0])[:, None] * np.ones(4) / degrees
    over_u, over_t = (iw._Distribution(r, degrees) for _ in range(2))
    over_u.small[:], over_t.small[:] = True, False
    np.testing.assert_allclose(over_u(q)[0], over_t(q)[0], atol=1e-9)


@pytest.mark.parametrize("degrees", [12.0, 100.0])
def test_table_of_quantiles_agrees_with_the_solution(degrees):
    r = np.linspace(-0.9999, 0.9999, 500)[None]
    tabled = iw._off_diagonal(r, np.array([degrees]), (0.025, 0.5, 0.975))[0]
    solved = iw._solve(r[0], degrees, (0.025, 0.5, 0.975))
    assert np.abs((tabled - solved) / (solved[2] - solved[0])).max() < 1e-7


@pytest.mark.parametrize("degrees", [6.5, 40.0])
def test_inverse_wishart_draws_have_their_moments_and_quantiles(degrees):
    draws, scale, df = 40_000, SCALE[None], np.array([degrees])
    root = iw.inverse_wishart_roots(scale, df, draws, np.random.default_rng(1))[0]
    sigma = root @ root.swapaxes(-1, -2)
    levels = (0.05, 0.5, 0.9)
    # 9 entries, 3 quantiles and (40 degrees) a mean: 36 z-scores at |z| > 4, false alarm 0.2 %.
    quantiles = iw.inverse_wishart_quantiles(scale, df, levels)[0]
    for level, quantile in zip(levels, quantiles, strict=True):
        below = (sigma <= quantile).mean(axis=0)
        assert (np.abs(below - level) < 4 * np.sqrt(level * (1 - level) / draws)).all()
    if degrees > 10:
        sd = iw.inverse_wishart_sd(scale, df)[0]
        mean = iw.inverse_wishart_mean(scale, df)[0]
        assert (np.abs(sigma.mean(axis=0) - mean) < 4 * sd / np.sqrt(draws)).all()
        kurtosis = ((sigma - mean) ** 4).mean(axis=0) / sd**4
        error = np.sqrt((kurtosis - 1) / (4 * draws))
        assert (np.abs(sigma.std(axis=0) / sd - 1) < 4 * error).all()


def test_moments_that_do_not_exist_are_not_given():
    scale = np.eye(2)[None]
    assert np.isnan(iw.inverse_wishart_mean(scale, np.array([3.0]))).all()
    assert np.isinf(iw.inverse_wishart_sd(scale, np.array([5.0]))).all()
    assert np.isfinite(iw.inverse_wishart_quantiles(scale, np.array([1.5]), (0.1,))).all()


def test_prior_density_is_scipys():
    matrix, degrees = np.cov(np.random.default_rng(2).normal(size=(3, 9))), 5.5
    got = multivariate_normal._inverse_wishart_logp(matrix, degrees, SCALE).eval()
    np.testing.assert_allclose(got, scipy.stats.invwishart(degrees, SCALE).logpdf(matrix))


def test_prior_draws_of_the_pymc_model_follow_the_prior():
    prior = NormalInverseWishart(mean=(1.0, 0.0, -1.0), weight=4.0, degrees=7.0, scale=SCALE)
    estimator = multivariate_normal.estimator(dim=3, prior=prior)
    drawn = PriorDraw(estimator.row_model)(1500, np.random.default_rng(3))
    sampler = estimator.exact
    nothing = (np.zeros(1), np.zeros((1, 3)), np.zeros((1, 3, 3)))
    levels = (0.1, 0.5, 0.9)
    quantiles = sampler.summary(nothing, levels)[0, 2:]
    packed = estimator.schema.pack(drawn, lead=1)
    # 12 entries at 3 levels, |z| > 4: false alarm 0.2 %.
    for level, quantile in zip(levels, quantiles, strict=True):
        below = (packed <= quantile).mean(axis=0)
        assert (np.abs(below - level) < 4 * np.sqrt(level * (1 - level) / 1500)).all()


def test_lkj_prior_draws_follow_the_prior():
    """For two dimensions (correlation + 1) / 2 is Beta(concentration, concentration)."""
    estimator = multivariate_normal.estimator(dim=2, prior=LKJ(concentration=2.5, sd_scale=1.5))
    drawn = PriorDraw(estimator.row_model)(1000, np.random.default_rng(4))
    first, cross, second = drawn["factor"].T
    sd = np.hypot(cross, second)
    # Kolmogorov-Smirnov at p < 1e-4, four tests: false alarm 0.04 %.
    for value, law in (
        ((cross / sd + 1) / 2, scipy.stats.beta(2.5, 2.5)),
        (first, scipy.stats.halfnorm(scale=1.5)),
        (sd, scipy.stats.halfnorm(scale=1.5)),
        (drawn["mu"][:, 0], scipy.stats.norm(0, 10)),
    ):
        assert scipy.stats.kstest(value, law.cdf).pvalue > 1e-4


def test_one_dimension_is_the_gaussian_family():
    """Means, and quantiles of mu and of the root of the covariance, default priors included."""
    y = np.random.default_rng(5).normal(2.0, 3.0, size=(4, 25))
    weights = np.random.default_rng(6).uniform(0.2, 2.0, size=(4, 25))
    one = gaussian.GaussianSampler(gaussian.NormalInverseGamma())
    many = multivariate_normal.estimator(dim=1).exact
    levels = (0.05, 0.5, 0.95)
    expected = one.summary(one.suffstats({"y": y}, weights), levels)
    got = many.summary(many.suffstats({"y": y[:, :, None]}, weights), levels)
    np.testing.assert_allclose(got[:, :, 1], expected[:, :, 0], rtol=1e-10)
    np.testing.assert_allclose(np.sqrt(got[:, 2:, 0]), expected[:, 2:, 1], rtol=1e-10)


def test_merging_batches_keeps_a_small_covariance():
    """Spread of a thousandth around a mean of a million: moments about zero would lose it."""
    centre, rng = 1e6, np.random.default_rng(7)
    y = centre + 1e-3 * rng.normal(size=(1, 60, 3)) @ np.linalg.cholesky(SCALE).T
    sampler = multivariate_normal.estimator(dim=3).exact
    parts = [sampler.suffstats({"y": y[:, i : i + 20]}, None) for i in (0, 20, 40)]
    merged = sampler.merge([sampler.merge(parts[:2], [1.0, 1.0]), parts[2]], [1.0, 1.0])
    exact = np.cov(y[0].astype(np.longdouble).T - centre, bias=True) * 60
    np.testing.assert_allclose(merged[2][0], exact, rtol=1e-6)


def test_fifty_dimensions():
    """Draws have the posterior means; rows that are emitted have the drawn covariance."""
    p, draws = 50, 300
    y = np.random.default_rng(8).normal(size=(2, 80, p))
    sampler = multivariate_normal.estimator(dim=p).exact
    stats = sampler.suffstats({"y": y}, None)
    summary = sampler.summary(stats, (0.5,))
    drawn = sampler.draw(stats, draws, np.random.default_rng(9))
    packed = sampler.schema.pack(drawn, lead=2)
    z = (packed.mean(axis=1) - summary[:, 0]) / (summary[:, 1] / np.sqrt(draws))
    # 2 * 1,325 distinct z-scores at |z| > 5.5: false alarm 1e-4.
    assert np.abs(z).max() < 5.5
    one = {name: value[:, :1] for name, value in drawn.items()}
    rows = sampler.forward(one, {}, 20_000, np.random.default_rng(10))["y"]
    sigma = one["covariance"][:, 0]
    diagonal = np.diagonal(sigma, axis1=1, axis2=2)
    error = np.sqrt((sigma**2 + diagonal[:, :, None] * diagonal[:, None, :]) / 20_000)
    sample = np.stack([np.cov(batch.T) for batch in rows])
    assert (np.abs(sample - sigma) < 5.5 * error).all()
    density = sampler.log_density(one, {"y": y})[1, 0]
    law = scipy.stats.multivariate_normal(one["mu"][1, 0], sigma[1])
    np.testing.assert_allclose(density, law.logpdf(y[1]), rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NormalInverseWishart(scale=[[1.0, 2.0], [2.0, 1.0]]), "positive definite"),
        (lambda: NormalInverseWishart(weight=0.0), "weight must be a positive"),
        (lambda: NormalInverseWishart(degrees=-1.0), "degrees must be a positive"),
        (lambda: LKJ(concentration=0.0), "concentration must be a positive"),
        (lambda: multivariate_normal.estimator(dim=0), "dim must be an integer of at least 1"),
        (lambda: multivariate_normal.estimator(dim=1, prior=LKJ()), "of at least 2"),
        (
            lambda: multivariate_normal.estimator(dim=3, prior=NormalInverseWishart(degrees=2.0)),
            "degrees must exceed dim - 1 = 2",
        ),
        (
            lambda: multivariate_normal.estimator(dim=2, prior=NormalInverseWishart(scale=SCALE)),
            "but dim is 2",
        ),
    ],
)
def test_bad_priors_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_lost_dimension_is_named():
    sampler = multivariate_normal.estimator(dim=2).exact
    flat = {"mu": np.zeros((1, 1, 2)), "covariance": np.ones((1, 1, 2, 2))}
    with pytest.raises(ValueError, match="covariance must be positive definite"):
        sampler.forward(flat, {}, 3, np.random.default_rng(1))


def test_equal_priors_are_equal():
    first, second = (NormalInverseWishart(mean=np.zeros(3), scale=SCALE) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    made = [multivariate_normal.estimator(dim=3, prior=p) for p in (first, second)]
    assert made[0].fingerprint() == made[1].fingerprint()
    other = NormalInverseWishart(mean=np.zeros(3), scale=SCALE + 1e-9 * np.eye(3))
    assert multivariate_normal.estimator(dim=3, prior=other).fingerprint() != (
        made[0].fingerprint()
    )


@pytest.mark.verification
def test_lkj_posterior_against_importance_weights():
    """NUTS under the LKJ prior against draws of the conjugate posterior, reweighted by priors."""
    rng = np.random.default_rng(11)
    y = rng.normal(size=(40, 2)) @ [[1.0, 0.7], [0.0, 0.6]] + 1.0
    rows = xr.Dataset({"y": (("obs", "dim"), y)})
    prior = LKJ(concentration=1.5, sd_scale=1.0, mean_sd=2.0)
    conjugate = multivariate_normal.estimator(dim=2).exact
    drawn = conjugate.draw(conjugate.suffstats({"y": y[None]}, None), 200_000, rng)
    sigma, mu = drawn["covariance"][0], drawn["mu"][0]
    sd = np.sqrt(sigma[:, [0, 1], [0, 1]])
    product = sd.prod(axis=1)
    correlation = sigma[:, 0, 1] / product
    log_new = scipy.stats.halfnorm.logpdf(sd).sum(axis=1) - 2 * np.log(product)
    log_new += 0.5 * np.log1p(-(correlation**2)) + scipy.stats.norm(0, 2).logpdf(mu).sum(axis=1)
    log_old = scipy.stats.invwishart(5, 2 * np.eye(2)).logpdf(np.moveaxis(sigma, 0, -1))
    whitened = np.linalg.solve(np.linalg.cholesky(sigma), mu[..., None])[..., 0]
    log_root = np.log(product) + np.log1p(-(correlation**2)) / 2
    log_old = log_old - (whitened**2).sum(axis=1) / 2 - log_root
    weight = np.exp(log_new - log_old - (log_new - log_old).max())
    weight /= weight.sum()
    fitted = multivariate_normal.estimator(dim=2, prior=prior).fit(
        rows, draws=4000, chains=4, seed=12
    )
    factor = fitted["posterior"]["factor"].to_numpy().reshape(-1, 3)
    ess = float(fitted["sample_stats"]["ess_bulk"])
    sampled = [factor[:, 0] ** 2, factor[:, 0] * factor[:, 1], (factor[:, 1:] ** 2).sum(axis=1)]
    entries = (sigma[:, 0, 0], sigma[:, 0, 1], sigma[:, 1, 1])
    for draws, exact in zip(sampled, entries, strict=True):
        mean = weight @ exact
        spread = np.sqrt(weight @ (exact - mean) ** 2)
        error = spread * np.sqrt(1 / ess + (weight**2).sum())
        # 6 z-scores at |z| > 4: false alarm 0.04 %.
        assert abs(draws.mean() - mean) < 4 * error
        assert abs(np.log(draws.std() / spread)) < 4 * np.sqrt(3) * error / spread
