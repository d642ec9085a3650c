"""Logistic regression: whether the loop makes a classifier's coefficients grow."""

# %% [markdown]
# # Does a classifier that labels its own training data become too sure of itself?
#
# Applicants are accepted or refused by two scores. A logistic regression is fitted to the first
# decisions, then decides itself, and is fitted to its own decisions. Maximum likelihood exaggerates
# logistic coefficients in small samples, and the next generation exaggerates what it is given. Does
# the prior hold that back, and does it matter how the decisions are made up?

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import logistic_regression

truth = np.array([1.0, -1.0])
rng = np.random.default_rng(9)
x = xr.Dataset({"x": (("obs", "feature"), rng.normal(size=(80, 2)))})
accepted = rng.random(80) < 1 / (1 + np.exp(-x["x"].to_numpy() @ truth))
rows = x.assign(y=("obs", accepted.astype(int)))

# %% [markdown]
# One fit by Laplace's method: the mode and curvature of the model's own log density, corrected by
# importance weights. Pareto's k says how good the approximation is; it is poor above 0.7.

# %%
learner = logistic_regression.estimator(features=2, prior_sd=2.5)
posterior = learner.fit(rows, method="laplace", seed=1)
print("Pareto k", posterior["sample_stats"]["pareto_k"].item())
az.summary(posterior, ci_prob=0.95, ci_kind="eti", round_to=3)

# %%
print(learner.emit(posterior, 80, covariates=x, seed=2)["y"].mean().item())

# %% [markdown]
# Ten generations of decisions on 80 new applicants each.

# %%
source = bc.Truth(beta=truth, covariates=bc.sources.NormalCovariates(2))
schemes = {
    "at the posterior mean": bc.schemes.replace(emission="plug-in"),
    "at a posterior draw": bc.schemes.replace(),
}
run = bc.Experiment(
    learner, source, schemes, n_real=80, generations=10, replicates=20, method="laplace", draws=100
).run(progress=False)
gate = bc.diagnose(run)
print(gate["worst_pareto_k"].to_series().unstack("scheme"))

# %%
beta = run["summary"]["beta"].sel(statistic="mean")
size = ((beta**2).sum("feature") ** 0.5 / np.sqrt(2)).median("replicate")
first, last = size.isel(scheme=0, generation=0).item(), size.isel(generation=-1).to_series()
print(
    f"The coefficients' size, relative to the truth, has the median {first:.2f} over lineages at "
    f"generation 0. At generation 9 it is {last['at the posterior mean']:.2f} where decisions are "
    f"made at the posterior mean and {last['at a posterior draw']:.2f} at a posterior draw. NUTS "
    f"took over {gate['refitted'].sum().item()} of {gate['fits'].sum().item()} fits from Laplace."
)
