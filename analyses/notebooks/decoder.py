"""Decoder: whether images that are generated from generated images resemble real ones."""

# %% [markdown]
# # Do copies of copies still look like digits?
#
# A small neural network turns two random numbers and a label into a black-and-white image: a
# Bayesian variational autoencoder without an encoder, fitted by mean-field variational inference,
# which is approximate. Zeros and ones are generated from images that were generated.

# %%
import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from sklearn.datasets import load_digits

import bayescollapse as bc
from bayescollapse.models import decoder

digits = load_digits(n_class=2)
black = (digits.data > 7).astype(int)
rows = xr.Dataset({"y": (("obs", "feature"), black), "label": ("obs", digits.target)})

# %% [markdown]
# One fit. The latent numbers belong to their rows and are no parameters; single weights mean
# little, so only some pixel biases are drawn.

# %%
learner = decoder.estimator(features=64, classes=2, latent=2, hidden=8)
posterior = learner.fit(rows, method="advi", seed=1)
some = {"feature": [0, 10, 20, 30]}
az.plot_forest(
    posterior, var_names=["pixel_bias"], coords=some, ci_kind="eti", ci_probs=(0.5, 0.95)
)

# %%
labels = xr.Dataset({"label": ("obs", np.repeat([0, 1], 10))})
images = learner.emit(posterior, 20, emission="predictive", covariates=labels, seed=2)
for line in np.concatenate(images["y"].to_numpy()[[0, 10]].reshape(2, 8, 8), axis=1):
    print("".join(" #"[pixel] for pixel in line))

# %% [markdown]
# Three generations of 100 images; labels of synthetic images are those of real ones.

# %%
pixels = [f"pixel {number}" for number in range(64)]
frame = pd.DataFrame(black, columns=pixels).assign(digit=digits.target)
source = bc.Table(frame, variables={"y": pixels, "label": "digit"})
schemes = {"replace": bc.schemes.replace(), "pooled": bc.schemes.pooled()}
run = bc.Experiment(
    learner, source, schemes, n_real=100, generations=3, replicates=1, keep_draws=2, references=()
).run(progress=False)

# %% [markdown]
# How far is a generated image from the nearest real one, in pixels? Real ones are some apart, too.

# %%
table = run["rows"].to_dataset()
apart = (black[:, None] != black).sum(axis=-1) + 64 * np.eye(len(black), dtype=int)
print(f"A real image differs from the nearest other one in {apart.min(axis=1).mean():.1f} pixels.")
for scheme in schemes:
    distance = []
    for generation in (1, 2):
        made = (table["scheme"] == scheme) & (table["generation"] == generation) & ~table["real"]
        images = table["y"].to_numpy()[made]
        distance.append((images[:, None] != black).sum(axis=-1).min(axis=1).mean())
    print(
        f"{scheme}: an image that generation 1 is given differs in {distance[0]:.1f} pixels from "
        f"the nearest real one, an image that generation 2 is given in {distance[1]:.1f}."
    )
