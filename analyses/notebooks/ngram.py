"""N-gram model: what is left of a text that is generated from generated text."""

# %% [markdown]
# # A text, and its copies of copies
#
# A model of the next word, given the word before, is fitted to a paragraph of Darwin (1859). It
# writes as many words; the next model reads those. A word that is not written once is gone for
# good, up to the small prior.

# %%
import arviz as az

import bayescollapse as bc
from bayescollapse.models import ngram

darwin = """It is interesting to contemplate an entangled bank, clothed with many plants of many
kinds, with birds singing on the bushes, with various insects flitting about, and with worms
crawling through the damp earth, and to reflect that these elaborately constructed forms, so
different from each other, and dependent on each other in so complex a manner, have all been
produced by laws acting around us. There is grandeur in this view of life, with its several
powers, having been originally breathed into a few forms or into one; and that, whilst this planet
has gone cycling on according to the fixed law of gravity, from so simple a beginning endless
forms most beautiful and most wonderful have been, and are being, evolved."""
words = ngram.Vocabulary.from_text(darwin)
rows = words.rows(darwin, length=12)

# %% [markdown]
# The entropy of the next word in nats, the probability of one word, and what a first model writes.

# %%
learner = ngram.estimator(
    vocabulary=words, order=1, length=12, concentration=0.001, track=["forms"]
)
posterior = learner.fit(rows, draws=100, seed=1)
az.summary(posterior, ci_prob=0.95, ci_kind="eti", round_to=3)

# %%
print("\n".join(words.text(learner.emit(posterior, 3, seed=2))))

# %% [markdown]
# Fifteen generations of as many words, on generated text only or beside the original. The source of
# real rows is the paragraph itself.


# %%
def paragraph(m, rng):
    """Return the first m rows of the text, always the same."""
    return rows.isel(obs=slice(m))


schemes = {"copies of copies": bc.schemes.replace(), "with the original": bc.schemes.accumulate()}
run = bc.Experiment(
    learner,
    bc.Simulator(paragraph),
    schemes,
    n_real=rows.sizes["obs"],
    generations=15,
    replicates=128,
    keep_draws=2,
    references=(),
).run(progress=False)
last = bc.cell(run, scheme="copies of copies", replicate=0, generation=14)
print("\n".join(words.text(learner.emit(last, 3, seed=3))))

# %%
seen = run["sample_stats"]["tokens_seen"].mean("replicate")
entropy = run["summary"]["entropy"].sel(statistic="mean").mean("replicate")
for scheme in schemes:
    start, end = seen.sel(scheme=scheme).isel(generation=[0, -1]).to_numpy()
    before, after = entropy.sel(scheme=scheme).isel(generation=[0, -1]).to_numpy()
    print(
        f"{scheme}: of {start:.0f} different words {end:.0f} are still read at generation 14; the "
        f"entropy of the next word went from {before:.2f} to {after:.2f} nats."
    )
