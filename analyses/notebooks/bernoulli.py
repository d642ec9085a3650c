"""Bernoulli: whether a chain of learners ends at its data or at its prior."""

# %% [markdown]
# # What does the last learner of a chain believe?
#
# Each learner sees 20 yes/no answers of the one before, draws one probability of "yes" from its
# posterior, and answers for the next. All of them share a beta prior that expects mostly "yes";
# in reality one answer in five is "yes". Griffiths and Kalish (2007,
# doi:10.1080/15326900701326576) showed that such a chain is a Gibbs sampler. What does it forget?

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import bernoulli

learner = bernoulli.estimator(prior_successes=6.0, prior_failures=2.0)
rng = np.random.default_rng(1)
rows = xr.Dataset({"y": ("obs", rng.binomial(1, 0.2, size=20))})

# %% [markdown]
# One learner: its posterior lies between the data and the prior, and its answers repeat it.

# %%
posterior = learner.fit(rows, seed=1)
az.summary(posterior, ci_prob=0.95, ci_kind="eti", round_to=3)

# %%
print(learner.emit(posterior, 20, seed=2)["y"].to_numpy())

# %% [markdown]
# A chain of 40 learners, 256 times: closed, or with 20 fresh real answers for every learner.

# %%
schemes = {"closed": bc.schemes.replace(), "with fresh answers": bc.schemes.pooled()}
run = bc.Experiment(
    learner, bc.Truth(p=0.2), schemes, n_real=20, generations=40, replicates=256
).run(progress=False)
bc.plot_drift(run, measures=["bias", "log_sd_ratio"])

# %%
belief = run["summary"]["p"].sel(statistic="mean").mean("replicate")
first, last = belief.isel(generation=0).to_series(), belief.isel(generation=-1).to_series()
print(
    f"The prior expects {6 / (6 + 2):.2f} and the truth is 0.20. Beliefs start at "
    f"{first['closed']:.2f} and are {last['closed']:.2f} at the end of a closed chain, "
    f"{last['with fresh answers']:.2f} with fresh answers."
)
