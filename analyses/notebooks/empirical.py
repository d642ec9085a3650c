"""Empirical distribution: how many different values are left when resamples are resampled."""

# %% [markdown]
# # How fast does resampling use up a sample?
#
# Bootstrap samples of bootstrap samples: a learner without any model hands on rows drawn from the
# rows that it was given. It can repeat values but never make a new one, so a lineage runs out of
# them. The posterior is the Bayesian bootstrap (Rubin 1981, doi:10.1214/aos/1176345338): a random
# weight for every row.

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import empirical


def incomes(m, rng):
    """Draw m skewed incomes, in thousands."""
    return xr.Dataset({"y": ("obs", rng.lognormal(mean=3.5, sigma=0.6, size=m))})


learner = empirical.estimator()
rows = incomes(100, np.random.default_rng(3))

# %% [markdown]
# The posterior of the mean and of the standard deviation. A posterior draw weights the rows
# unequally, so a sample from it holds fewer different values than a plain resample.

# %%
posterior = learner.fit(rows, draws=1000, seed=1)
az.summary(posterior, ci_prob=0.95, ci_kind="eti", round_to=3)

# %%
for emission in ("plug-in", "joint"):
    resampled = learner.emit(posterior, 100, emission=emission, seed=2)["y"]
    print(emission, np.unique(resampled).size, "different values")

# %% [markdown]
# Twelve generations of 100 rows: rows resampled from the empirical distribution itself, or from one
# posterior draw of it.

# %%
schemes = {"plug-in": bc.schemes.replace(emission="plug-in"), "joint": bc.schemes.replace()}
run = bc.Experiment(
    learner,
    bc.Simulator(incomes),
    schemes,
    n_real=100,
    generations=12,
    replicates=128,
    keep_draws=0,
    keep_rows="all",
    references=(),
).run(progress=False)
frame = run["rows"].to_dataset()[["scheme", "generation", "replicate", "y"]].to_dataframe()
distinct = frame.groupby(["scheme", "generation", "replicate"])["y"].nunique()
left = distinct.groupby(["scheme", "generation"]).mean().unstack("scheme")
print(left)

# %%
spread = run["summary"]["sigma"].sel(statistic="mean").median("replicate")
last = spread.isel(generation=-1).to_series()
print(
    f"Of 100 incomes, {left.loc[11, 'plug-in']:.0f} different ones are left after 11 generations "
    f"of plug-in and {left.loc[11, 'joint']:.0f} of joint emission. The median standard deviation "
    f"was {spread.isel(scheme=0, generation=0).item():.1f} thousand and is now "
    f"{last['plug-in']:.1f} and {last['joint']:.1f}."
)
