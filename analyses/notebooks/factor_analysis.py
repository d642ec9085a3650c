"""Factor analysis: whether the directions of handwriting survive the loop."""

# %% [markdown]
# # Do the directions of handwriting survive?
#
# Images of the digit 3 (8 x 8 pixels) vary in slant, width and stroke. Probabilistic PCA describes
# that by a few factors and noise. It is fitted to its own images, by the posterior mode or by a
# mean-field approximation. Both are declared approximate: standard deviations are 0 or too small.

# %%
import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from sklearn.datasets import load_digits

import bayescollapse as bc
from bayescollapse.models import factor_analysis

digits = load_digits()
images = digits.images[digits.target == 3].reshape(-1, 64) / 16
rows = xr.Dataset({"y": (("obs", "feature"), images)})

# %% [markdown]
# Four factors. Loadings can be rotated without any change, so the noise is what is looked at.

# %%
learner = factor_analysis.estimator(features=64, factors=4, triangular=False, noise_scale=0.2)
posterior = learner.fit(rows, method="advi", seed=1)
az.summary(posterior, var_names=["noise_sd"], ci_prob=0.95, ci_kind="eti", round_to=3)

# %%
emitted = learner.emit(posterior, 100, seed=2)["y"]
print(np.linalg.eigvalsh(np.cov(emitted, rowvar=False))[-6:].round(2))

# %% [markdown]
# Six generations of 60 images at the posterior mode: only synthetic, or with fresh real images.

# %%
pixels = [f"pixel {number}" for number in range(64)]
source = bc.Table(pd.DataFrame(images, columns=pixels), variables={"y": pixels})
schemes = {
    "replace": bc.schemes.replace(emission="plug-in"),
    "pooled": bc.schemes.pooled(emission="plug-in"),
}
run = bc.Experiment(
    learner, source, schemes, n_real=60, generations=6, replicates=2, method="map", references=()
).run(progress=False)
print(run.attrs["method"], bc.diagnose(run)["failed"].sum().item(), "fits failed")

# %% [markdown]
# Loadings can be rotated, the space that they span cannot: compare it with that of all images.

# %%
whole = posterior["posterior"]["loading"].mean(("chain", "draw")).transpose("factor", "feature")
loading = run["summary"]["loading"].sel(statistic="mean").transpose(..., "feature", "factor")
basis = np.linalg.svd(loading.to_numpy(), full_matrices=False)[0]
target = np.linalg.svd(whole.to_numpy(), full_matrices=False)[2]
inside = np.linalg.norm(target @ basis, axis=(-2, -1)) ** 2 / 4
for scheme, by_generation in zip(schemes, inside.mean(axis=1), strict=True):
    print(
        f"{scheme}: of the four directions of all images {by_generation[0]:.0%} are found at "
        f"generation 0 and {by_generation[-1]:.0%} at generation 5 (by chance: {4 / 64:.0%})."
    )
