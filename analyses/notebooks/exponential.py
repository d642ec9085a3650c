"""Exponential: whether 95 % intervals still hold the truth in 95 % of the lineages."""

# %% [markdown]
# # Is an interval still a 95 % interval when part of its data is made up?
#
# Waiting times with an unknown rate. Every lineage draws its own true rate from the prior, so at
# generation 0 the 95 % interval holds it in exactly 95 % of the lineages. Later generations count
# made-up waiting times as if they were observed: what do their intervals hold?

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import exponential

learner = exponential.estimator(prior_shape=4.0, prior_rate=2.0)
times = np.random.default_rng(4).exponential(1 / 2.0, size=30)
posterior = learner.fit(xr.Dataset({"y": ("obs", times)}), seed=1)
az.plot_dist(posterior, ci_prob=0.95, ci_kind="eti")

# %% [markdown]
# Waiting times that this posterior would make up, from one draw for all and from one draw each.

# %%
for emission in ("joint", "predictive"):
    made_up = learner.emit(posterior, 30, emission=emission, seed=2)
    print(emission, made_up["y"].mean().round(3).item())

# %% [markdown]
# 1,024 lineages of 10 generations: the first real rows and all made-up ones, and fresh real rows
# beside the last made-up batch. `coverage_low` and `coverage_high` are exact binomial limits.

# %%
schemes = {"accumulate": bc.schemes.accumulate(), "pooled": bc.schemes.pooled()}
run = bc.Experiment(
    learner, bc.Truth.from_prior(), schemes, n_real=30, generations=10, replicates=1024
).run(progress=False)
information = bc.information(run, probability=0.95)
coverage = information["coverage"].squeeze(drop=True)
print(coverage.to_series().unstack("scheme"))

# %%
certainty = information["certainty"].squeeze(drop=True).isel(generation=-1).to_series()
last = coverage.isel(generation=-1).to_series()
print(
    f"Coverage of 95 % intervals is {coverage.isel(scheme=0, generation=0).item():.1%} at "
    f"generation 0 and {last['accumulate']:.1%} (accumulate) or {last['pooled']:.1%} (pooled) at "
    f"generation 9. Posteriors then claim {certainty['accumulate']:.1f} and "
    f"{certainty['pooled']:.1f} times the real rows that they are worth."
)
