"""Gaussian mean: how much weight fresh real rows should have."""

# %% [markdown]
# # How much should fresh real data weigh?
#
# Every generation has 50 fresh real rows and 50 rows of its predecessor. Equal weights waste the
# real rows, real rows alone waste the synthetic ones. He, Xu and Cheng (2025, arXiv:2502.18049)
# found that the best real share is the inverse golden ratio. Is it, and what is the gain?

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import gaussian_mean

learner = gaussian_mean.estimator(sd=1.0)
rng = np.random.default_rng(6)
real = xr.Dataset({"y": ("obs", rng.normal(size=50))})

# %% [markdown]
# One step by hand: emit 50 rows at the posterior mean, then fit both with the best share.

# %%
first = learner.fit(real, seed=1)
synthetic = learner.emit(first, 50, emission="plug-in", seed=2)
share = float(bc.theory.optimal_share(1.0, emission="plug-in"))
fresh = xr.Dataset({"y": ("obs", rng.normal(size=50))})
both = xr.concat([fresh, synthetic.reset_coords(drop=True)], dim="obs")
weights = np.repeat([100 * share / 50, 100 * (1 - share) / 50], 50)
az.summary(learner.fit(both, weights, seed=3), ci_prob=0.95, ci_kind="eti", round_to=3)

# %% [markdown]
# The loop: 5,000 lineages under three shares, on the same real rows and the same noise.

# %%
schemes = {
    "optimal": bc.schemes.optimal(emission="plug-in"),
    "pooled": bc.schemes.pooled(emission="plug-in"),
    "real only": bc.schemes.weighted(1.0, emission="plug-in"),
}
run = bc.Experiment(
    learner,
    bc.Truth(mu=0.0),
    schemes,
    n_real=50,
    generations=15,
    replicates=5000,
    keep_draws=0,
    references=(),
).run(progress=False)
error = bc.drift(run)["squared_error"].squeeze("parameter", drop=True).isel(generation=-1) * 50
error = error.to_series()
print(error)

# %%
limit = {w: float(bc.theory.limit_risk(w, a=1.0, b=1.0)) for w in (share, 0.5, 1.0)}
print(
    f"With the real share {share:.3f} the error is {error['optimal']:.3f} of that of 50 real rows "
    f"(theory: {limit[share]:.3f}), with equal weights {error['pooled']:.3f} ({limit[0.5]:.3f}), "
    f"with real rows alone {error['real only']:.3f} ({limit[1.0]:.3f})."
)
