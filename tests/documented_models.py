"""PyMC models as their own documentation writes them, for tests of any PyMC model.

Every model is a function of its rows, named as the library names them, so that the same code called
with other rows is an independent reference.
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt

__all__ = [
    "censored_regression",
    "compositions",
    "counts",
    "custom_dist",
    "custom_graph",
    "dirichlet_multinomial",
    "hilbert_space_gp",
    "images",
    "lkj_cholesky",
    "logistic_regression",
    "mediation",
    "ordered_logistic",
    "ordered_mixture",
    "periodic_gp",
    "radon",
    "rugby",
    "series",
    "softmax_regression",
    "truncated_regression",
]


def rugby(
    home_team: np.ndarray, away_team: np.ndarray, home_points: np.ndarray, away_points: np.ndarray
) -> pm.Model:
    """Hierarchical rugby: two responses of the same matches, deterministics, string coords.

    https://www.pymc.io/projects/examples/en/latest/case_studies/rugby_analytics.html
    """
    coords = {"team": ["Wales", "France", "Ireland", "Scotland"]}
    with pm.Model(coords=coords) as model:
        home_idx = pm.Data("home_team", home_team, dims="match")
        away_idx = pm.Data("away_team", away_team, dims="match")
        home = pm.Normal("home", mu=0, sigma=1)
        sd_att = pm.HalfNormal("sd_att", sigma=2)
        sd_def = pm.HalfNormal("sd_def", sigma=2)
        intercept = pm.Normal("intercept", mu=3, sigma=1)
        atts_star = pm.Normal("atts_star", mu=0, sigma=sd_att, dims="team")
        defs_star = pm.Normal("defs_star", mu=0, sigma=sd_def, dims="team")
        atts = pm.Deterministic("atts", atts_star - pt.mean(atts_star), dims="team")
        defs = pm.Deterministic("defs", defs_star - pt.mean(defs_star), dims="team")
        home_theta = pt.exp(intercept + home + atts[home_idx] + defs[away_idx])
        away_theta = pt.exp(intercept + atts[away_idx] + defs[home_idx])
        pm.Poisson("home_points", mu=home_theta, observed=home_points, dims="match")
        pm.Poisson("away_points", mu=away_theta, observed=away_points, dims="match")
    return model


def radon(floor_idx: np.ndarray, county_idx: np.ndarray, y: np.ndarray) -> pm.Model:
    """Varying, correlated intercepts and slopes, with labelled rows.

    https://www.pymc.io/projects/examples/en/latest/generalized_linear_models/multilevel_modeling.html
    """
    coords = {
        "county": ["AITKIN", "ANOKA", "BECKER"],
        "param": ["alpha", "beta"],
        "obs_id": [f"house {i}" for i in range(len(y))],
    }
    with pm.Model(coords=coords) as model:
        floor = pm.Data("floor_idx", floor_idx, dims="obs_id")
        county = pm.Data("county_idx", county_idx, dims="obs_id")
        sd_dist = pm.Exponential.dist(0.5, shape=(2,))
        chol, _, _ = pm.LKJCholeskyCov("chol", n=2, eta=2.0, sd_dist=sd_dist, compute_corr=True)
        mu_alpha_beta = pm.Normal("mu_alpha_beta", mu=0.0, sigma=5.0, shape=2)
        z = pm.Normal("z", 0.0, 1.0, dims=("param", "county"))
        alpha_beta_county = pm.Deterministic(
            "alpha_beta_county", pt.dot(chol, z).T, dims=("county", "param")
        )
        theta = pm.Deterministic(
            "theta",
            mu_alpha_beta[0]
            + alpha_beta_county[county, 0]
            + (mu_alpha_beta[1] + alpha_beta_county[county, 1]) * floor,
            dims="obs_id",
        )
        sigma = pm.Exponential("sigma", 1.0)
        pm.Normal("y", theta, sigma=sigma, observed=y, dims="obs_id")
    return model


def softmax_regression(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Categorical response with named dims and a probability for every row and class.

    https://www.pymc.io/projects/docs/en/stable/api/distributions/generated/pymc.Categorical.html
    """
    coords = {"feature": ["sepal", "petal"], "species": ["setosa", "versicolor", "virginica"]}
    with pm.Model(coords=coords) as model:
        x_data = pm.Data("x", x, dims=("obs", "feature"))
        intercept = pm.ZeroSumNormal("intercept", sigma=2, dims="species")
        beta = pm.Normal("beta", 0, 1, dims=("feature", "species"))
        p = pm.Deterministic(
            "p", pm.math.softmax(intercept + x_data @ beta, axis=-1), dims=("obs", "species")
        )
        pm.Categorical("y", p=p, observed=y, dims="obs")
    return model


def ordered_logistic(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Ordinal response, ordered cutpoints with an initial value.

    https://www.pymc.io/projects/docs/en/stable/api/distributions/generated/pymc.OrderedLogistic.html
    """
    with pm.Model() as model:
        x_data = pm.Data("x", x)
        beta = pm.Normal("beta", 0, 1)
        cutpoints = pm.Normal(
            "cutpoints",
            mu=[-1, 1],
            sigma=10,
            shape=2,
            transform=pm.distributions.transforms.ordered,
            initval=[-1.0, 1.0],
        )
        pm.OrderedLogistic("y", cutpoints=cutpoints, eta=beta * x_data, observed=y)
    return model


def counts(exposure: np.ndarray, y: np.ndarray, z: np.ndarray) -> pm.Model:
    """Overdispersed and zero-inflated counts of the same rows, with an offset and a number.

    https://www.pymc.io/projects/docs/en/stable/api/distributions/generated/pymc.ZeroInflatedPoisson.html
    """
    with pm.Model() as model:
        exposure_data = pm.Data("exposure", exposure, dims="obs")
        prior_scale = pm.Data("prior_scale", 2.0)
        b = pm.Normal("b", 0, prior_scale, shape=2)
        psi = pm.Beta("psi", 2, 2)
        dispersion = pm.Exponential("dispersion", 1)
        mu = pm.math.exp(b[0] + b[1] * exposure_data) * exposure_data
        pm.NegativeBinomial("y", mu=mu, alpha=dispersion, observed=y, dims="obs")
        pm.ZeroInflatedPoisson("z", psi=psi, mu=mu, observed=z, dims="obs")
    return model


def truncated_regression(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Truncated response.

    https://www.pymc.io/projects/examples/en/latest/generalized_linear_models/GLM-truncated-censored-regression.html
    """
    with pm.Model() as model:
        x_data = pm.Data("x", x, dims="obs")
        slope = pm.Normal("slope", mu=0, sigma=1)
        intercept = pm.Normal("intercept", mu=0, sigma=1)
        sigma = pm.HalfNormal("sigma", sigma=1)
        normal_dist = pm.Normal.dist(mu=slope * x_data + intercept, sigma=sigma)
        pm.Truncated("y", normal_dist, lower=-5, upper=5, observed=y, dims="obs")
    return model


def censored_regression(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Censored response; the example of :func:`truncated_regression`."""
    with pm.Model() as model:
        x_data = pm.Data("x", x, dims="obs")
        slope = pm.Normal("slope", mu=0, sigma=1)
        intercept = pm.Normal("intercept", mu=0, sigma=1)
        sigma = pm.HalfNormal("sigma", sigma=1)
        y_latent = pm.Normal.dist(mu=slope * x_data + intercept, sigma=sigma)
        pm.Censored("y", y_latent, lower=-1, upper=1, observed=y, dims="obs")
    return model


def lkj_cholesky(y: np.ndarray) -> pm.Model:
    """Multivariate normal rows, plain observed array.

    https://www.pymc.io/projects/examples/en/latest/howto/LKJ.html
    """
    coords = {"axis": ["y", "z", "w"], "axis_bis": ["y", "z", "w"], "obs_id": np.arange(len(y))}
    with pm.Model(coords=coords) as model:
        chol, corr, stds = pm.LKJCholeskyCov(
            "chol", n=3, eta=2.0, sd_dist=pm.Exponential.dist(1.0, shape=3)
        )
        cov = pm.Deterministic("cov", chol.dot(chol.T), dims=("axis", "axis_bis"))
        mu = pm.Normal("mu", 0.0, sigma=1.5, dims="axis")
        pm.MvNormal("y", mu, chol=chol, observed=y, dims=("obs_id", "axis"))
        assert cov is not None and corr is not None and stds is not None
    return model


def dirichlet_multinomial(y: np.ndarray) -> pm.Model:
    """Rows of counts whose row dimension has labels that mean something.

    https://www.pymc.io/projects/examples/en/latest/mixture_models/dirichlet_mixture_of_multinomials.html
    """
    forests = [f"forest_{i}" for i in range(len(y))]
    coords = {"tree": ["pine", "oak", "ebony"], "forest": forests}
    with pm.Model(coords=coords) as model:
        frac = pm.Dirichlet("frac", a=np.ones(3), dims="tree")
        conc = pm.Lognormal("conc", mu=1, sigma=1)
        pm.DirichletMultinomial(
            "y", n=10, a=frac * conc, observed=y, dims=("forest", "tree"), shape=y.shape
        )
    return model


def hilbert_space_gp(X: np.ndarray, y: np.ndarray) -> pm.Model:
    """Hilbert-space Gaussian process whose inputs are data.

    https://www.pymc.io/projects/examples/en/latest/gaussian_processes/HSGP-Basic.html
    """
    with pm.Model(coords={"basis_coeffs": np.arange(6)}) as model:
        x_data = pm.Data("X", X, dims=("obs_id", "input"))
        eta = pm.Exponential("eta", scale=1.0)
        ell = pm.InverseGamma("ell", mu=1.0, sigma=0.5)
        cov_func = eta**2 * pm.gp.cov.Matern52(input_dim=1, ls=ell)
        gp = pm.gp.HSGP(m=[6], c=2.0, parametrization="noncentered", cov_func=cov_func)
        f = gp.prior("f", X=x_data, hsgp_coeffs_dims="basis_coeffs", gp_dims="obs_id")
        sigma = pm.Exponential("sigma", scale=1.0)
        pm.Normal("y", mu=f, sigma=sigma, observed=y, dims="obs_id")
    return model


def periodic_gp(X: np.ndarray, y: np.ndarray) -> pm.Model:
    """Periodic Hilbert-space Gaussian process, from the docstring of ``HSGPPeriodic``."""
    with pm.Model() as model:
        x_data = pm.Data("X", X)
        scale = pm.HalfNormal("scale", 10)
        cov_func = pm.gp.cov.Periodic(1, period=1.0, ls=2.0)
        gp = pm.gp.HSGPPeriodic(m=5, scale=scale, cov_func=cov_func)
        (phi_cos, phi_sin), psd = gp.prior_linearized(X=x_data)
        beta = pm.Normal("beta", size=(5 * 2 - 1))
        beta_cos, beta_sin = beta[:5], beta[5:]
        f = pm.Deterministic(
            "f", phi_cos @ (psd * beta_cos) + phi_sin[..., 1:] @ (psd[1:] * beta_sin)
        )
        pm.Normal("y", mu=f, sigma=0.5, observed=y)
    return model


def ordered_mixture(y: np.ndarray) -> pm.Model:
    """Marginalised mixture with ordered means and initial values, plain observed array.

    https://www.pymc.io/projects/examples/en/latest/mixture_models/gaussian_mixture_model.html
    """
    with pm.Model(coords={"cluster": range(3)}) as model:
        mu = pm.Normal(
            "mu",
            mu=0,
            sigma=5,
            transform=pm.distributions.transforms.ordered,
            initval=[-4, 0, 4],
            dims="cluster",
        )
        sigma = pm.HalfNormal("sigma", sigma=1, dims="cluster")
        weights = pm.Dirichlet("w", np.ones(3), dims="cluster")
        pm.NormalMixture("y", w=weights, mu=mu, sigma=sigma, observed=y)
    return model


def logistic_regression(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Data containers for covariate and response, shape taken from the data.

    https://www.pymc.io/projects/examples/en/latest/fundamentals/data_container.html
    """
    with pm.Model() as model:
        x_data = pm.Data("x", x)
        y_obs = pm.Data("y_data", y)
        coeff = pm.Normal("x_coeff", mu=0, sigma=1)
        logistic = pm.math.sigmoid(coeff * x_data)
        pm.Bernoulli(name="y", p=logistic, observed=y_obs, shape=x_data.shape[0])
    return model


def custom_dist(x: np.ndarray, y: np.ndarray) -> pm.Model:
    """Likelihood given by its log density and random function, from the docs of ``CustomDist``."""

    def logp(value: pt.TensorVariable, mu: pt.TensorVariable) -> pt.TensorVariable:
        return -((value - mu) ** 2) - 0.5 * np.log(np.pi)

    def random(mu: np.ndarray, rng: np.random.Generator, size: tuple) -> np.ndarray:
        return rng.normal(loc=mu, scale=np.sqrt(0.5), size=size)

    with pm.Model() as model:
        x_data = pm.Data("x", x, dims="obs")
        mu = pm.Normal("mu", 0, 1)
        pm.CustomDist("y", mu * x_data, logp=logp, random=random, observed=y, dims="obs")
    return model


def custom_graph(y: np.ndarray) -> pm.Model:
    """Likelihood given by a graph of distributions, from the docs of ``CustomDist``."""

    def dist(mu: pt.TensorVariable, size: pt.TensorVariable) -> pt.TensorVariable:
        return pt.exp(pm.Normal.dist(mu, 0.5, size=size)) + 1.0

    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 1)
        pm.CustomDist("y", mu, dist=dist, observed=y)
    return model


def images(images: np.ndarray, y: np.ndarray) -> pm.Model:
    """Data of rank 0, 1, 2 and 3, some fixed; a robust response."""
    with pm.Model(coords={"row": ["top", "bottom"], "column": ["l", "m", "r"]}) as model:
        pictures = pm.Data("images", images, dims=("obs", "row", "column"))
        template = pm.Data("template", np.eye(2, 3), dims=("row", "column"))
        shift = pm.Data("shift", np.array([0.1, -0.1, 0.3]), dims="column")
        degrees = pm.Data("degrees", 4.0)
        filters = pm.Normal("filters", dims=("row", "column"))
        pixels = (pictures - shift) * (filters + template)
        pm.StudentT("y", nu=degrees, mu=pixels.sum(axis=(1, 2)), sigma=1, observed=y, dims="obs")
    return model


def compositions(y: np.ndarray, z: np.ndarray) -> pm.Model:
    """Rows that are compositions, and binomial counts out of known trials of the same rows."""
    with pm.Model() as model:
        concentration = pm.Gamma("concentration", 2, 1, shape=3)
        pm.Dirichlet("y", a=concentration, observed=y)
        p = pm.Deterministic("p", concentration[0] / concentration.sum())
        pm.Multinomial("z", n=6, p=pt.stack([p, 1 - p]), observed=z)
    return model


def mediation(x: np.ndarray, m_likelihood: np.ndarray, y_likelihood: np.ndarray) -> pm.Model:
    """Mediation: the data of one response are a covariate of another one.

    https://www.pymc.io/projects/examples/en/latest/causal_inference/mediation_analysis.html
    """
    coords = {"obs_id": np.arange(len(x))}
    with pm.Model(coords=coords) as model:
        x_data = pm.Data("x", x, dims="obs_id")
        y_data = pm.Data("y", y_likelihood, dims="obs_id")
        m_data = pm.Data("m", m_likelihood, dims="obs_id")
        im = pm.Normal("im", mu=0, sigma=10)
        iy = pm.Normal("iy", mu=0, sigma=10)
        a = pm.Normal("a", mu=0, sigma=10)
        b = pm.Normal("b", mu=0, sigma=10)
        cprime = pm.Normal("cprime", mu=0, sigma=10)
        sigma_m = pm.HalfCauchy("sigma_m", 1)
        sigma_y = pm.HalfCauchy("sigma_y", 1)
        pm.Normal("m_likelihood", mu=im + a * x_data, sigma=sigma_m, observed=m_data, dims="obs_id")
        pm.Normal(
            "y_likelihood",
            mu=iy + b * m_data + cprime * x_data,
            sigma=sigma_y,
            observed=y_data,
            dims="obs_id",
        )
        pm.Deterministic("indirect effect", a * b)
    return model


def series(y: np.ndarray) -> pm.Model:
    """Rows that are whole time series, from the docs of ``AR``."""
    with pm.Model() as model:
        coefs = pm.Normal("coefs", 0, 0.3, size=2)
        sigma = pm.HalfNormal("sigma")
        init = pm.Normal.dist(0, 1, shape=1)
        pm.AR("y", rho=coefs, sigma=sigma, init_dist=init, constant=True, observed=y)
    return model
