"""Student-t regression: what happens to outliers in a loop that does not expect them."""

# %% [markdown]
# # Where do the outliers go?
#
# Real noise has heavy tails. A normal regression reads outliers as noise and emits rows without
# any; a Student-t regression has a parameter for them. Both are fitted to their own rows, on the
# same truth. What do they still know about the tails?

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import linear_regression, student_t_regression

robust = student_t_regression.estimator(features=1)
normal = linear_regression.estimator(features=1)
rng = np.random.default_rng(14)
x = rng.normal(size=(100, 1))
y = x[:, 0] + rng.standard_t(2.0, size=100)
rows = xr.Dataset({"x": (("obs", "feature"), x), "y": ("obs", y)})

# %% [markdown]
# The same rows: the robust slope is surer, and `nu` sees the tails.

# %%
fits = {"robust": robust.fit(rows, seed=1), "normal": normal.fit(rows, seed=1)}
az.plot_forest(
    fits, var_names=["beta", "sigma"], combined=True, ci_kind="eti", ci_probs=(0.5, 0.95)
)

# %%
for name, learner in {"robust": robust, "normal": normal}.items():
    emitted = learner.emit(fits[name], 100, covariates=rows[["x"]], seed=2)
    print(name, abs(emitted["y"]).max().item())

# %% [markdown]
# Real rows come from a truth of its own, heavier than the normal learner can describe.

# %%
heavy = bc.Truth(
    beta=[1.0],
    sigma=1.0,
    covariates=bc.sources.NormalCovariates(1),
    estimator=student_t_regression.estimator(features=1, degrees_of_freedom=2.0),
)
schemes = {"replace": bc.schemes.replace(), "pooled": bc.schemes.pooled()}
counts = {"n_real": 100, "generations": 6, "references": ()}
runs = {
    "robust": bc.Experiment(robust, heavy, schemes, replicates=2, **counts).run(progress=False),
    "normal": bc.Experiment(normal, heavy, schemes, replicates=128, **counts).run(progress=False),
}

# %%
nu = runs["robust"]["summary"]["nu"].sel(statistic="mean").mean("replicate").isel(generation=-1)
error = bc.drift(runs["normal"], var_names="beta")["squared_error_median"].squeeze("parameter")
for scheme in schemes:
    lost = error.sel(scheme=scheme)
    print(
        f"{scheme}: at generation 5 the Student-t learner believes in "
        f"{nu.sel(scheme=scheme).item():.1f} degrees of freedom (truth 2); the normal learner's "
        f"typical squared error of the slope is {(lost[-1] / lost[0]).item():.1f} times the first."
    )
