"""Kernel density: whether smoothing fills the valley between two modes."""

# %% [markdown]
# # Smoothing what was smoothed before
#
# A kernel density estimate is wider than its rows by the square of its bandwidth, and the next
# generation smooths again. Rows have two clear modes: how long does the valley between them last?

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import kernel_density


def two_modes(m, rng):
    """Draw m rows from two narrow normals."""
    centre = rng.choice([-1.5, 1.5], size=m)
    return xr.Dataset({"y": ("obs", rng.normal(centre, 0.4))})


learner = kernel_density.estimator(prior_median=0.4)
rows = two_modes(60, np.random.default_rng(7))

# %% [markdown]
# The bandwidth has a posterior: each row is predicted from the others.

# %%
posterior = learner.fit(rows, seed=1)
az.plot_dist(posterior, var_names=["bandwidth"], ci_prob=0.95, ci_kind="eti")

# %%
print(rows["y"].std().item(), learner.emit(posterior, 60, seed=2)["y"].std().item())

# %% [markdown]
# Eight generations of 60 rows, on synthetic rows only and with fresh real rows of the same number.
# The score is the log density of 100 real rows that no generation sees.

# %%
schemes = {"replace": bc.schemes.replace(), "pooled": bc.schemes.pooled()}
run = bc.Experiment(
    learner,
    bc.Simulator(two_modes),
    schemes,
    n_real=60,
    generations=8,
    replicates=128,
    held_out=100,
    keep_rows="all",
    references=(),
).run(progress=False)
loss = bc.drift(run)["held_out_loss"]
print(loss.to_series().unstack("scheme"))

# %%
training = run["rows"].to_dataset()
last = training.where(training["generation"] == 7, drop=True)
valley = (abs(last["y"]) < 0.5).groupby(last["scheme"]).mean().to_series()
lost = loss.isel(generation=-1).to_series()
print(
    f"At generation 7 the mean loss is {lost['replace']:.2f} nats a row under replace and "
    f"{lost['pooled']:.2f} under pooled; the valley between the modes holds "
    f"{valley['replace']:.0%} and {valley['pooled']:.0%} of the rows that are fitted."
)
