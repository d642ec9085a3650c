"""Gaussian mean and sd: whether a lineage's variance collapses, explodes or wanders."""

# %% [markdown]
# # Does the variance collapse, explode or wander?
#
# Fit a Gaussian to 20 rows, draw 20 rows from the fit, fit again (Shumailov et al. 2024,
# arXiv:2305.17493). Where the log variance drifts to depends on what is handed on: rows at a point
# estimate, or rows at a posterior draw.

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import gaussian

learner = gaussian.estimator()
rows = xr.Dataset({"y": ("obs", np.random.default_rng(5).normal(10.0, 2.0, size=20))})

# %% [markdown]
# The exact posterior of one generation under Jeffreys' prior, and 20 rows at its mean.

# %%
posterior = learner.fit(rows, seed=1)
az.plot_pair(posterior, var_names=["mu", "sigma"])

# %%
print(learner.emit(posterior, 20, emission="plug-in", seed=2)["y"].std(ddof=1).item())

# %% [markdown]
# 1,024 lineages of 40 generations, each on nothing but its own rows.

# %%
schemes = {
    "posterior mean": bc.schemes.replace(emission="plug-in"),
    "posterior draw": bc.schemes.replace(emission="joint"),
}
truth = bc.Truth(mu=10.0, sigma=2.0)
run = bc.Experiment(
    learner, truth, schemes, n_real=20, generations=40, replicates=1024, keep_draws=0
).run(progress=False)
bc.plot_drift(run, var_names="sigma", measures=["log_sd_ratio"])

# %% [markdown]
# The posterior sd of `sigma` scales with the estimate, so does its mean: their logarithms drift
# alike. `bc.theory` has the drift of the log variance per generation.

# %%
log_variance = 2 * np.log(run["summary"]["sigma"].sel(statistic="mean"))
change = log_variance.isel(generation=-1) - log_variance.isel(generation=0)
drift = change.mean("replicate").to_series() / 39
error = change.std("replicate").to_series() / 39 / 1024**0.5
theory = {
    "posterior mean": bc.theory.log_variance_drift(20, point="mean of sd"),
    "posterior draw": bc.theory.log_variance_drift(20, emission="joint"),
}
for scheme in schemes:
    low, high = np.exp(change.sel(scheme=scheme)).quantile([0.05, 0.95]).to_numpy()
    print(
        f"{scheme}: the log variance drifts by {drift[scheme]:+.4f} a generation (standard error "
        f"{error[scheme]:.4f}, theory {float(theory[scheme]):+.4f}); after 39, nine in ten "
        f"variances are {low:.2g} to {high:.2g} times the first."
    )
