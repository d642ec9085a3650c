"""Poisson regression: what it costs to hand on posterior draws instead of point estimates."""

# %% [markdown]
# # What does handing on uncertainty cost?
#
# Claims of insured drivers grow with a risk score. Each generation fits a Poisson regression to the
# claims that the one before made up. Made up at the posterior mean, they carry the noise of counts;
# made up at a posterior draw, they carry the posterior's spread as well, which is as large again.
# Does the error then grow twice as fast?

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import poisson_regression


def drivers(m, rng):
    """Draw m drivers: a column of ones and a risk score."""
    score = rng.normal(size=m)
    return xr.Dataset({"x": (("obs", "feature"), np.column_stack([np.ones(m), score]))})


learner = poisson_regression.estimator(features=2, prior_sd=2.0)
rng = np.random.default_rng(10)
rows = drivers(100, rng)
rows["y"] = ("obs", rng.poisson(np.exp(rows["x"].to_numpy() @ [1.0, 0.3])))

# %% [markdown]
# Laplace's method beside NUTS on the same rows.

# %%
fits = {method: learner.fit(rows, method=method, seed=1) for method in ("laplace", "nuts")}
az.plot_forest(fits, combined=True, ci_kind="eti", ci_probs=(0.5, 0.95))

# %%
claims = learner.emit(fits["laplace"], 100, covariates=rows[["x"]], seed=2)
print(rows["y"].mean().item(), claims["y"].mean().item())

# %% [markdown]
# Eight generations of 100 drivers. A random tenth of the fits has its approximation checked.

# %%
schemes = {
    "posterior mean": bc.schemes.replace(emission="plug-in"),
    "posterior draw": bc.schemes.replace(),
}
run = bc.Experiment(
    learner,
    bc.Truth(beta=[1.0, 0.3], covariates=drivers),
    schemes,
    n_real=100,
    generations=8,
    replicates=300,
    method="laplace(check=0.1)",
).run(progress=False)
bc.plot_drift(run, measures=["squared_error"])

# %%
error = bc.drift(run)["squared_error"].sum("parameter")
growth = (error.isel(generation=-1) - error.isel(generation=0)).to_series() / 7
first = error.isel(scheme=0, generation=0).item()
print(
    f"A generation adds {growth['posterior mean'] / first:.2f} times the squared error of the real "
    f"rows' fit at the posterior mean and {growth['posterior draw'] / first:.2f} times at a draw: "
    f"{growth['posterior draw'] / growth['posterior mean']:.1f} times as much."
)
