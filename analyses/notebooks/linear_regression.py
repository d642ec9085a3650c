"""Linear regression: how many real patients a fit to partly synthetic ones is worth."""

# %% [markdown]
# # What are synthetic patients worth in real ones?
#
# The diabetes table of Efron et al. (2004, doi:10.1214/009053604000000067), 442 patients. A
# generation is fitted to 60 patients of the table and to 60 whose outcome its predecessor made up,
# for measurements of real patients. Its posterior claims to know what 120 patients tell. What does
# it really know?

# %%
import arviz as az
import xarray as xr
from sklearn.datasets import load_diabetes

import bayescollapse as bc
from bayescollapse.models import linear_regression

frame = load_diabetes(as_frame=True).frame
measurements = ["bmi", "bp", "s5"]
frame[measurements] /= frame[measurements].std()
frame["target"] = (frame["target"] - frame["target"].mean()) / frame["target"].std()

# %% [markdown]
# All patients, under a g-prior worth one patient.

# %%
prior = linear_regression.g_prior(frame[measurements].to_numpy())
learner = linear_regression.estimator(features=3, prior_precision=prior)
x = xr.Dataset({"x": (("obs", "feature"), frame[measurements].to_numpy())})
whole = learner.fit(x.assign(y=("obs", frame["target"].to_numpy())), seed=1)
az.plot_forest(whole, var_names=["beta"], ci_kind="eti", ci_probs=(0.5, 0.95))

# %%
print(learner.emit(whole, 442, covariates=x, seed=2)["y"].std().item())

# %% [markdown]
# The loop, 1,024 times: synthetic outcomes at one posterior draw, or at the posterior mean. Errors
# are measured against the fit of the whole table.

# %%
patients = bc.Table(frame, variables={"x": measurements, "y": "target"}, truth="fit")
schemes = {
    "posterior draw": bc.schemes.pooled(),
    "posterior mean": bc.schemes.pooled(emission="plug-in"),
}
run = bc.Experiment(
    learner, patients, schemes, n_real=60, generations=12, replicates=1024, keep_draws=0
).run(progress=False)
rows = bc.information(run, var_names="beta")[["rows_claimed", "rows_worth"]].isel(generation=-1)
rows = rows.mean("parameter").to_dataframe()
print(rows)

# %%
drawn, mean = rows.loc["posterior draw"], rows.loc["posterior mean"]
print(
    f"A generation has 60 real patients. With outcomes at a posterior draw it claims to know "
    f"{drawn['rows_claimed']:.0f} and is worth {drawn['rows_worth']:.0f}; at the posterior mean it "
    f"claims {mean['rows_claimed']:.0f} and is worth {mean['rows_worth']:.0f}."
)
