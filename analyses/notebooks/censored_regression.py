"""Censored regression: whether knowing the detection limit keeps a slope right in the loop."""

# %% [markdown]
# # Does it help to know the detection limit?
#
# A device reports no value below 0. An ordinary regression takes the zeros for measurements, so its
# slope is too flat, and its synthetic rows have no limit at all. A censored (tobit) regression
# knows. Both are fitted to their own rows and to fresh ones.

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import censored_regression, linear_regression


def design(m, rng):
    """Draw m rows of a column of ones and a concentration."""
    return xr.Dataset(
        {"x": (("obs", "feature"), np.column_stack([np.ones(m), rng.normal(size=m)]))}
    )


tobit = censored_regression.estimator(features=2, lower=0.0)
ordinary = linear_regression.estimator(features=2)
rng = np.random.default_rng(15)
rows = design(100, rng)
latent = rows["x"].to_numpy() @ [0.0, 1.0] + 0.5 * rng.normal(size=100)
rows["y"] = ("obs", np.maximum(latent, 0.0))

# %% [markdown]
# The same rows, fitted twice; the true slope is 1.

# %%
fits = {"tobit": tobit.fit(rows, seed=1), "ordinary": ordinary.fit(rows, seed=1)}
az.plot_forest(fits, combined=True, ci_kind="eti", ci_probs=(0.5, 0.95))

# %%
for name, learner in {"tobit": tobit, "ordinary": ordinary}.items():
    emitted = learner.emit(fits[name], 100, covariates=rows[["x"]], seed=2)["y"]
    print(name, "share of zeros", (emitted == 0).mean().item(), "smallest", emitted.min().item())

# %% [markdown]
# Five generations. The truth is the censored model for both learners.

# %%
truth = bc.Truth(beta=[0.0, 1.0], sigma=0.5, covariates=design, estimator=tobit)
schemes = {"replace": bc.schemes.replace(), "pooled": bc.schemes.pooled()}
slopes = {}
for name, learner in {"tobit": tobit, "ordinary": ordinary}.items():
    run = bc.Experiment(
        learner, truth, schemes, n_real=100, generations=5, replicates=2, references=()
    ).run(progress=False)
    slopes[name] = run["summary"]["beta"].sel(statistic="mean", feature=1).mean("replicate")

# %%
for name, slope in slopes.items():
    last = slope.isel(generation=-1).to_series()
    print(
        f"{name}: the slope (truth 1) starts at {slope.isel(scheme=0, generation=0).item():.2f} "
        f"and is {last['replace']:.2f} at generation 4 of replace, {last['pooled']:.2f} of pooled."
    )
