"""Part 3: next-word models of real text, generation after generation of contaminated text."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

import bayescollapse as bc
from bayescollapse import theory
from bayescollapse.models import ngram
from contamination_parts.settings import EMISSIONS, Settings

Floats = NDArray[np.float64]

WORDS = 2000
LENGTH = 16
ROWS = 2000
PRIOR_WORDS = 1.0
"""Pseudo-words after each word, spread over the vocabulary; what `ngram` does if not told."""

SHARES = (0.0, 0.1, 0.25, 0.5)
GROWING = 0.25
STEP = 400
GENERATIONS = 16
HELD_OUT = 400
RANGE = (0.003, 4.0)
"""Sizes of the learning curve, in multiples of `ROWS`."""

ALONE, LEARNING = "real rows only", "learning curve"
MANY = 1e9


@dataclass(frozen=True)
class Corpus:
    """A text in rows of words, and rows of other topics that are held out."""

    vocabulary: ngram.Vocabulary
    rows: xr.Dataset
    held_out: xr.Dataset
    topics: tuple[int, int]

    def source(self) -> bc.Table:
        """Fresh real rows: rows of the text, drawn with replacement."""
        columns = [f"word {i}" for i in range(LENGTH)]
        frame = pd.DataFrame(self.rows["y"].to_numpy(), columns=columns)
        return bc.Table(frame, variables={"y": columns})

    @property
    def unknown(self) -> float:
        """Share of words of the held-out rows that the vocabulary lacks."""
        return float((self.held_out["y"] == 0).mean())


@dataclass(frozen=True)
class TextCurve:
    """Held-out loss of one scheme over generations, and what its last generation is worth.

    `loss` is in nats per word. `worth` says with how many real rows, in multiples of generation
    0's, a model of the last generation's loss is fitted; `worth_law` is what frequent words should
    show. A curve that lies outside the learning curve has NaN.
    """

    label: str
    share: float
    emission: str
    growing: bool
    loss: Floats
    mcse: Floats
    words: Floats
    worth: float
    worth_mcse: float
    worth_law: float


@dataclass(frozen=True)
class Texts:
    """Everything that was measured on the text."""

    corpus: Corpus
    curves: list[TextCurve]
    run: Any

    def sample(self, label: str, generation: int, rows: int = 2) -> str:
        """First rows that a generation of lineage 0 was trained on."""
        kept = self.run["rows"].to_dataset(inherit=False)
        chosen = (kept["scheme"] == label) & (kept["generation"] == generation)
        codes = kept["y"].to_numpy()[chosen.to_numpy()][:rows]
        return " / ".join(self.corpus.vocabulary.decode(row) for row in codes)


def load_corpus(seed: int) -> Corpus:
    """Split the topics of Python's reference at random: four fifths to learn, one to predict."""
    from pydoc_data.topics import topics

    found = without_repeats([topics[name] for name in sorted(topics)])
    order = np.random.default_rng(seed).permutation(len(found))
    away = set(order[: len(found) // 5].tolist())
    text, other = (
        "\n\n".join(topic for i, topic in enumerate(found) if (i in away) is held)
        for held in (False, True)
    )
    words = ngram.Vocabulary.from_text(text, size=WORDS)
    held_out = words.rows(other, length=LENGTH)
    step = max(held_out.sizes["obs"] // HELD_OUT, 1)
    held_out = held_out.isel(obs=slice(0, HELD_OUT * step, step))
    return Corpus(
        words, words.rows(text, length=LENGTH), held_out, (len(found) - len(away), len(away))
    )


def without_repeats(topics: Sequence[str]) -> list[str]:
    """Leave out ruled lines, and paragraphs that came before: a fifth is printed twice."""
    seen: set[str] = set()
    kept = []
    for topic in topics:
        lines = [line for line in topic.split("\n") if not line.strip() or _has_letter(line)]
        paragraphs = [" ".join(part.split()) for part in "\n".join(lines).split("\n\n")]
        new = [part for part in dict.fromkeys(paragraphs) if part and part not in seen]
        seen.update(new)
        if new:
            kept.append("\n\n".join(new))
    return kept


def _has_letter(line: str) -> bool:
    return any(character.isalpha() for character in line)


def texts(settings: Settings, executor: Executor) -> Texts:
    """Run all schemes on the text and read their losses off the learning curve."""
    corpus, generations = load_corpus(settings.seed), settings.generations(GENERATIONS)
    sizes = learning_sizes(generations)
    schemes = {label: _scheme(*cell) for label, cell in cells().items()}
    schemes[LEARNING] = bc.schemes.contaminated(real_share=1.0, total=sizes)
    run = settings.run(
        f"text-{generations - 1}",
        executor,
        ngram.estimator(
            vocabulary=corpus.vocabulary,
            order=1,
            length=LENGTH,
            concentration=PRIOR_WORDS / WORDS,
        ),
        corpus.source(),
        schemes,
        generations=generations,
        replicates=settings.texts,
        keep_rows="first",
        held_out=corpus.held_out,
    )
    loss = -run["predictive"]["held_out_log_density"].load() / LENGTH
    seen = run["sample_stats"]["tokens_seen"].mean("replicate").load()
    losses = loss.transpose("scheme", "replicate", "generation")
    grid = losses.sel(scheme=LEARNING).to_numpy()
    found = [
        _curve(label, cell, losses.sel(scheme=label).to_numpy(), seen.sel(scheme=label), grid)
        for label, cell in cells().items()
    ]
    return Texts(corpus, found, run)


def cells() -> dict[str, tuple[float, str, bool]]:
    """Share, emission and whether rows grow, by label."""
    found = {
        _label(share, emission, False): (share, emission, False)
        for emission in EMISSIONS
        for share in SHARES
    }
    growing = {_label(GROWING, emission, True): (GROWING, emission, True) for emission in EMISSIONS}
    return {**found, **growing, ALONE: (1.0, "plug-in", False)}


def learning_sizes(generations: int) -> tuple[int, ...]:
    """Rows of the learning curve: generation 0 as all others, then a geometric grid."""
    grid = np.geomspace(*RANGE, generations - 1) * ROWS
    return (ROWS, *(int(size) for size in grid.round()))


def worth(loss: Floats, grid: Floats, sizes: tuple[int, ...]) -> tuple[float, float]:
    """Real rows that give a loss, in multiples of `ROWS`, with a jackknife standard error.

    Parameters
    ----------
    loss : ndarray, shape (lineage,)
        Loss of the last generation.
    grid : ndarray, shape (lineage, generation)
        Losses of the learning curve of the same lineages.
    sizes : tuple of int
        Its rows.
    """
    count = len(loss)
    left = [np.arange(count) != i for i in range(count)]
    parts = np.array([_inverse(loss[k].mean(), grid[k].mean(axis=0), sizes) for k in left])
    mcse = np.sqrt((count - 1) * ((parts - parts.mean()) ** 2).mean())
    return _inverse(loss.mean(), grid.mean(axis=0), sizes), float(mcse)


def worth_law(share: float, emission: str, growing: bool, generations: int) -> float:
    """Real rows that the last generation is worth by the recursion, for words that are frequent."""
    growth = np.arange(generations) * STEP / ROWS if growing else np.zeros(generations)
    path = theory.contaminated_risk(
        generations,
        real_probability=share,
        rows=MANY * (1 + growth),
        diversity=0.5,
        emission=emission,
    )
    return float(path[0] / path[-1])


def _inverse(loss: float, curve: Floats, sizes: tuple[int, ...]) -> float:
    """Size at which a smooth learning curve has a loss; NaN outside of it."""
    log_size = np.log(np.array(sizes) / ROWS)
    degree = max(1, min(4, len(sizes) - 4))
    smooth = np.polynomial.Polynomial.fit(log_size, curve, degree)
    fine = np.linspace(log_size.min(), log_size.max(), 2001)
    values = smooth(fine)
    if not values.min() <= loss <= values.max():
        return float("nan")
    return float(np.exp(fine[np.argmin(np.abs(values - loss))]))


def _curve(
    label: str, cell: tuple[float, str, bool], losses: Floats, seen: xr.DataArray, grid: Floats
) -> TextCurve:
    generations = losses.shape[1]
    value, mcse = worth(losses[:, -1], grid, learning_sizes(generations))
    return TextCurve(
        label,
        *cell,
        losses.mean(axis=0),
        losses.std(axis=0, ddof=1) / np.sqrt(losses.shape[0]),
        seen.to_numpy(),
        value,
        mcse,
        worth_law(*cell, generations),
    )


def _scheme(share: float, emission: str, growing: bool) -> bc.Scheme:
    total = bc.schedules.linear(ROWS, STEP) if growing else ROWS
    return bc.schemes.contaminated(real_share=share, total=total, emission=emission)


def _label(share: float, emission: str, growing: bool) -> str:
    size = ", growing" if growing else ""
    return f"{100 * share:g} % real{size}, {emission}"
