"""Engine of the n-gram model: sparse Dirichlet posteriors of a block of replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.direct import DirectEngine
from bayescollapse.estimator.emission import Emission, posterior_draws
from bayescollapse.estimator.engine import EXACT_BLOCK, EXACT_FIGURES, FitSettings, Group, Weight
from bayescollapse.estimator.exact import Floats
from bayescollapse.estimator.hooks import refuse_unplain
from bayescollapse.models._ngram import functionals
from bayescollapse.models._ngram.counts import (
    Codes,
    Counts,
    Grammar,
    count_rows_of_tokens,
    merge_counts,
)
from bayescollapse.models._ngram.urn import draw_rows, draw_tempered_rows, log_rows
from bayescollapse.rows import RowSchema, Values, Variable

__all__ = ["NgramEngine", "NgramFit"]

LARGE_VOCABULARY = 1000
"""Vocabularies above this are fitted one replicate at a time. Part of a run's identity."""

EXACT_TABLE = 5000
"""Entries of a table up to which whole tables are drawn for the functionals."""


@dataclass(frozen=True)
class NgramEngine(DirectEngine):
    """Dirichlet posteriors of transition tables.

    Parameters
    ----------
    vocabulary, order, length : int
        Tokens, preceding tokens that matter, tokens of a row.
    concentration : float
        Pseudo-counts of every token after every context.
    track : tuple of int
        Tokens whose probability is tracked.
    labels : tuple of str or int
        What runs call them.
    """

    vocabulary: int
    order: int
    length: int
    concentration: float
    track: tuple[int, ...]
    labels: tuple[str | int, ...]

    method = "exact"
    repeatable = False
    """An urn makes rows without a table that could be made again."""

    def check_emission(self, emission: Emission) -> None:
        """Accept a temperature of a plug-in emission; an urn of tempered draws is no urn."""
        if emission.kind == "plug-in" and emission.sampling_bias == 1:
            refuse_unplain(self, Emission("plug-in", point=emission.point))
        elif emission.tempered:
            raise ValueError(
                f"emission {emission.label!r} is not known to NgramEngine: a temperature needs "
                "'plug-in' emission, whose table of probabilities is known, and tokens have no "
                "sampling_bias; use for example 'plug-in(temperature=0.8)'"
            )

    @property
    def block(self) -> int:
        """Replicates a block: 128, or 1 where the vocabulary is large."""
        return EXACT_BLOCK if self.vocabulary <= LARGE_VOCABULARY else 1

    @property
    def grammar(self) -> Grammar:
        """Which contexts there are."""
        return Grammar(self.vocabulary, self.order, self.length)

    @property
    def schema(self) -> RowSchema:
        """Row variable ``y`` (obs, position); parameters ``p`` on ``token`` and ``entropy``."""
        entropy = (Variable("entropy"),)
        p = (Variable("p", ("token",), (len(self.track),)),) if self.track else ()
        return RowSchema(
            responses=(Variable("y", ("position",), (self.length,), "int64"),),
            covariates=(),
            parameters=p + entropy,
            coords={"position": tuple(range(self.length)), "token": self.labels},
        )

    def digest(self, rows: Values) -> Counts:
        """Count rows at weight 1."""
        return count_rows_of_tokens(self.grammar, rows["y"], None)

    def join(self, digests: Sequence[Counts]) -> Counts:
        """Add up the counts of several batches at weight 1."""
        return merge_counts(self.grammar, digests, [1.0] * len(digests))

    def condition(
        self, groups: Sequence[Group], weights: Sequence[Weight], settings: FitSettings
    ) -> NgramFit:
        """Merge weighted counts; only weights by row read rows again."""
        parts: list[Counts] = []
        factors: list[float] = []
        for group, weight in zip(groups, weights, strict=True):
            by_row = isinstance(weight, np.ndarray)
            parts.append(
                count_rows_of_tokens(self.grammar, group.rows()["y"], weight)
                if isinstance(weight, np.ndarray)
                else group.digest
            )
            factors.append(1.0 if by_row else float(weight))
        return NgramFit(self, merge_counts(self.grammar, parts, factors))

    def emit(
        self,
        fit: NgramFit,
        emission: Emission,
        m: int,
        covariates: Values,
        parameters_rng: np.random.Generator | None,
        noise_rng: np.random.Generator,
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Floats] | None]:
        """Draw rows from urns; only a plug-in emission has a table whose functionals are known."""
        self.check_emission(emission)
        urns = posterior_draws(emission, m)
        if emission.tempered:
            rows = draw_tempered_rows(
                self.grammar, fit.counts, self.concentration, m, emission.temperature, noise_rng
            )
        else:
            rows = draw_rows(self.grammar, fit.counts, self.concentration, m, urns, noise_rng)
        return {"y": rows}, fit.of_mean_table() if emission.kind == "plug-in" else None

    def log_predictive(self, fit: NgramFit, rows: Values, rng: np.random.Generator) -> Floats:
        """Log predictive probability of every row, in closed form."""
        self.grammar.check(rows["y"])
        return log_rows(self.grammar, fit.counts, self.concentration, rows["y"])


@dataclass(frozen=True)
class NgramFit:
    """Dirichlet posteriors of transition tables, as sparse counts.

    Parameters
    ----------
    engine : NgramEngine
        Prior, and what is tracked.
    counts : Counts
        Weighted counts.
    """

    engine: NgramEngine
    counts: Counts

    @property
    def exact_draws(self) -> bool:
        """Whether whole tables are drawn; else draws are betas with the exact moments."""
        return self.engine.grammar.contexts * self.engine.vocabulary <= EXACT_TABLE

    @property
    def figures(self) -> dict[str, NDArray[Any]]:
        """Distinct contexts and tokens in the rows, and how functionals are drawn."""
        counts, replicates = self.counts, self.counts.replicates
        tokens = np.unique(counts.replicate[counts.owner] * counts.vocabulary + counts.token)
        return {
            **EXACT_FIGURES,
            "contexts_seen": np.bincount(counts.replicate, minlength=replicates),
            "tokens_seen": np.bincount(tokens // counts.vocabulary, minlength=replicates),
            "exact_draws": np.array([self.exact_draws]),
        }

    def point(self) -> dict[str, Floats]:
        """Posterior means in closed form."""
        p, entropy = self._moments()
        return self._named(p[0], entropy[0])

    def of_mean_table(self) -> dict[str, Floats]:
        """Functionals of the posterior mean of the table, shape (replicate, 1, …)."""
        p, _ = functionals.token_moments(self.counts, self.engine.concentration, self._track)
        entropy = functionals.mean_table_entropy(self.counts, self.engine.concentration)
        return self._named(p[:, None], entropy[:, None])

    def summary(self, probabilities: tuple[float, ...]) -> Floats:
        """Exact mean and sd; quantiles of betas with these moments."""
        p, entropy = self._moments()
        log_v = float(np.log(self.engine.vocabulary))
        mean = np.concatenate([p[0], entropy[0][:, None]], axis=1)
        sd = np.sqrt(np.concatenate([p[1], entropy[1][:, None]], axis=1))
        quantiles = np.concatenate(
            [
                functionals.beta_quantiles(*p, 1.0, probabilities),
                functionals.beta_quantiles(*entropy, log_v, probabilities)[..., None],
            ],
            axis=2,
        )
        return np.concatenate([mean[:, None], sd[:, None], np.moveaxis(quantiles, 0, 1)], axis=1)

    def draws(self, count: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draws of the functionals: exact for small tables, else betas with the exact moments."""
        if self.exact_draws:
            a = self.engine.concentration
            return self._named(*functionals.table_draws(self.counts, a, self._track, count, rng))
        p, entropy = self._moments()
        log_v = float(np.log(self.engine.vocabulary))
        return self._named(
            functionals.beta_draws(*p, 1.0, count, rng),
            functionals.beta_draws(*entropy, log_v, count, rng),
        )

    def keep(self, count: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draws of the functionals, split over chains."""
        per_chain = max(count // chains, 1)
        flat = self.draws(per_chain * chains, rng)
        return {n: v.reshape(v.shape[0], chains, per_chain, *v.shape[2:]) for n, v in flat.items()}

    @property
    def _track(self) -> Codes:
        return np.array(self.engine.track, dtype=np.int64)

    def _moments(self) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        a = self.engine.concentration
        return (
            functionals.token_moments(self.counts, a, self._track),
            functionals.entropy_moments(self.counts, a),
        )

    def _named(self, p: Floats, entropy: Floats) -> dict[str, Floats]:
        return ({"p": p} if self.engine.track else {}) | {"entropy": entropy}
