"""Poisson: whether a model that is checked against its own output sees that it is wrong."""

# %% [markdown]
# # Can a model that was trained on its own output notice that it is wrong?
#
# Counts that vary more than a Poisson variable can (negative binomial). A posterior predictive
# check compares the variance over the mean of the rows with that of replicated rows: at once it
# shows the misfit. Then the model is fitted to its own output, and checked in the same way.

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import poisson


def visits(m, rng):
    """Draw m overdispersed counts with mean 4 and variance 12."""
    return xr.Dataset({"y": ("obs", rng.negative_binomial(2, 1 / 3, size=m))})


learner = poisson.estimator()
rows = visits(100, np.random.default_rng(8))
posterior = learner.fit(rows, seed=1)
az.summary(posterior, ci_prob=0.95, ci_kind="eti", round_to=3)

# %%
emitted = learner.emit(posterior, 100, seed=2)["y"]
print((rows["y"].var() / rows["y"].mean()).item(), (emitted.var() / emitted.mean()).item())

# %% [markdown]
# Five generations. `bc.cell` with the experiment replays a fit, with replicated rows for ArviZ.

# %%
schemes = {"replace": bc.schemes.replace(), "fresh rows": bc.schemes.pooled()}
experiment = bc.Experiment(
    learner, bc.Simulator(visits), schemes, n_real=100, generations=5, replicates=4
)
run = experiment.run(progress=False)
start = bc.cell(run, scheme="replace", replicate=0, generation=0, experiment=experiment)
az.plot_ppc_tstat(start, t_stat="var", ci_prob=0.95, ci_kind="eti")

# %%
tails = {}
for generation in (0, 1, 4):
    for scheme in schemes:
        fit = bc.cell(run, scheme=scheme, replicate=0, generation=generation, experiment=experiment)
        observed, replicated = fit["observed_data"]["y"], fit["posterior_predictive"]["y"]
        dispersion = observed.var() / observed.mean()
        share = (replicated.var("obs") / replicated.mean("obs") >= dispersion).mean()
        tails[scheme, generation] = float(share)

# %%
print(
    "Share of replicated data sets that are at least as dispersed as the rows: "
    f"{tails['replace', 0]:.2f} on real rows; {tails['replace', 1]:.2f} and "
    f"{tails['replace', 4]:.2f} at generations 1 and 4 of replace, {tails['fresh rows', 1]:.2f} "
    f"and {tails['fresh rows', 4]:.2f} where half of the rows stay real."
)
