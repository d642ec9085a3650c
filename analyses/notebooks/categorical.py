"""Categorical: whether the rarest answer of a survey survives a few generations."""

# %% [markdown]
# # Does the rarest answer of a survey survive?
#
# A survey has four answers, one of them rare. A model of the answers is refitted to interviews that
# it made up itself. An answer that nobody gives in one generation can hardly come back, because
# its probability is then fitted to zero counts.

# %%
import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

import bayescollapse as bc
from bayescollapse.models import categorical

rng = np.random.default_rng(2)
answers = ["agree", "disagree", "neutral", "refused"]
frame = pd.DataFrame({"answer": rng.choice(answers, p=[0.55, 0.25, 0.17, 0.03], size=600)})
survey = bc.Table(frame, variables={"y": "answer"}, truth="fit")
print(survey.labels("y"))

# %% [markdown]
# The whole survey under a prior that is worth a fifth of an interview, and interviews made up from
# one draw of its posterior.

# %%
learner = categorical.estimator(categories=4, concentration=0.05)
codes = frame["answer"].map(survey.labels("y").index).to_numpy()
posterior = learner.fit(xr.Dataset({"y": ("obs", codes)}), seed=1)
az.plot_forest(posterior, ci_kind="eti", ci_probs=(0.5, 0.95))

# %%
emitted = learner.emit(posterior, 600, seed=2)
print(pd.Series(emitted["y"]).map(dict(enumerate(survey.labels("y")))).value_counts())

# %% [markdown]
# Samples of 100 interviews, 15 generations, 50 lineages. All rows are kept, to count answers.

# %%
schemes = {"only made up": bc.schemes.replace(), "30 % real": bc.schemes.weighted(0.3)}
run = bc.Experiment(
    learner, survey, schemes, n_real=100, generations=15, replicates=50, keep_rows="all"
).run(progress=False)
interviews = run["rows"].to_dataset()[["scheme", "generation", "replicate", "y"]].to_dataframe()
given = interviews.groupby(["scheme", "generation", "replicate"])["y"].nunique()
distinct = given.groupby(["scheme", "generation"]).mean().unstack("scheme")
print(distinct)

# %%
lost = (given.xs(14, level="generation") < 4).groupby("scheme").mean()
print(
    f"After 14 generations {lost['only made up']:.0%} of the lineages have lost an answer when "
    f"interviews are only made up, and {lost['30 % real']:.0%} when 30 % of the weight is real; "
    f"on average {distinct.loc[14, 'only made up']:.1f} and {distinct.loc[14, '30 % real']:.1f} of "
    "4 answers are left."
)
