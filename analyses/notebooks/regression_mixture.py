"""Mixture of regressions: whether a minority with the opposite response is still found."""

# %% [markdown]
# # Who still answers the other way?
#
# A drug helps four patients in five and harms one. A mixture of two robust regressions finds both
# groups. Fitted to its own patients again and again, does it keep the minority's slope?

# %%
import arviz as az
import numpy as np
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import regression_mixture

truth = {"weights": [0.2, 0.8], "beta": [[0.0, -1.5], [0.0, 1.0]], "sigma": [0.3, 0.3]}


def doses(m, rng):
    """Draw m patients: a column of ones and a dose."""
    x = np.column_stack([np.ones(m), rng.uniform(-2, 2, size=m)])
    return xr.Dataset({"x": (("obs", "feature"), x)})


rng = np.random.default_rng(13)
patients = doses(80, rng)
slope = rng.choice([-1.5, 1.0], p=[0.2, 0.8], size=80)
y = slope * patients["x"].to_numpy()[:, 1] + 0.3 * rng.standard_t(4, size=80)

# %% [markdown]
# Components are sorted by the coefficient of `dose`: the first one is the minority.

# %%
learner = regression_mixture.estimator(
    components=2, features=["one", "dose"], ordered_by="dose", sd_median=0.5
)
posterior = learner.fit(patients.assign(y=("obs", y)), seed=1)
az.summary(posterior, ci_prob=0.95, ci_kind="eti", round_to=2)

# %%
emitted = learner.emit(posterior, 80, covariates=patients, seed=2)
print(np.corrcoef(emitted["x"][:, 1], emitted["y"])[0, 1])

# %% [markdown]
# Six generations of 80 patients, without and with fresh real ones.

# %%
schemes = {"replace": bc.schemes.replace(), "pooled": bc.schemes.pooled()}
run = bc.Experiment(
    learner,
    bc.Truth(truth, covariates=doses),
    schemes,
    n_real=80,
    generations=6,
    replicates=1,
    references=(),
    seed=2,
).run(progress=False)
bc.plot_drift(run, var_names=["beta[0, dose]", "weights[0]"], measures=["bias", "log_sd_ratio"])

# %%
summary = run["summary"].to_dataset().sel(component=0, replicate=0, generation=5)
for scheme in schemes:
    minority = summary.sel(scheme=scheme)
    low, high = minority["beta"].sel(feature="dose", statistic=["q2.5", "q97.5"]).to_numpy()
    share = minority["weights"].sel(statistic="mean").item()
    print(
        f"{scheme}: at generation 5 the minority is {share:.0%} of the patients (truth 20 %) and "
        f"its slope lies between {low:.2f} and {high:.2f} with probability 95 % (truth -1.5)."
    )
