"""Sparse weighted counts of tokens after contexts, for a block of replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats

__all__ = ["Codes", "Counts", "Grammar", "count_rows_of_tokens", "merge_counts", "ranks"]

Codes = NDArray[np.int64]

LARGEST = 2**62
"""Keys of contexts stay below this, so that they and their sums fit into 64 bits."""


@dataclass(frozen=True)
class Grammar:
    """Shape of an n-gram model: which contexts there are.

    Parameters
    ----------
    vocabulary : int
        Number of tokens.
    order : int
        Tokens that the next one depends on.
    length : int
        Tokens of a row.
    """

    vocabulary: int
    order: int
    length: int

    @property
    def contexts(self) -> int:
        """Number of contexts: up to `order` tokens, fewer at the start of a row."""
        return sum(self.vocabulary**j for j in range(min(self.order, self.length - 1) + 1))

    def context(self, before: Codes) -> Codes:
        """Code of the context that tokens (…, position) form; only the last `order` of them count.

        A context of j tokens is the number they form in base `vocabulary`, after all shorter ones.
        """
        used = before[..., max(before.shape[-1] - self.order, 0) :]
        code = np.full(before.shape[:-1], _first(self.vocabulary, used.shape[-1]), dtype=np.int64)
        number = np.zeros_like(code)
        for j in range(used.shape[-1]):
            number = number * self.vocabulary + used[..., j]
        return np.asarray(code + number)

    def all_contexts(self, rows: Codes) -> Codes:
        """Code of the context of every token of rows (…, position)."""
        before = [self.context(rows[..., :position]) for position in range(rows.shape[-1])]
        return np.stack(before, axis=-1)

    def check(self, rows: Codes) -> None:
        """Refuse codes out of range."""
        if rows.size and (rows.min() < 0 or rows.max() >= self.vocabulary):
            raise ValueError(
                f"rows['y'] must hold token codes from 0 to {self.vocabulary - 1}, got values from "
                f"{rows.min()} to {rows.max()}: recode them, or raise vocabulary="
            )


@dataclass(frozen=True)
class Counts:
    """Weighted counts, sorted by replicate, context and token; what was never seen is not there.

    Parameters
    ----------
    replicates, contexts, vocabulary : int
        Replicates of the block, possible contexts of one replicate, tokens.
    key : ndarray, shape (context,)
        Replicate and context, as replicate · contexts + code.
    start : ndarray, shape (context + 1,)
        Where the tokens of every context begin, and the end of the last.
    token : ndarray, shape (entry,)
        Tokens seen after each context.
    weight : ndarray, shape (entry,)
        Their total row weight, positive.
    """

    replicates: int
    contexts: int
    vocabulary: int
    key: Codes
    start: Codes
    token: Codes
    weight: Floats

    @cached_property
    def replicate(self) -> Codes:
        """Replicate of every context."""
        return np.asarray(self.key // self.contexts)

    @cached_property
    def owner(self) -> Codes:
        """Context (its place in `key`) of every entry."""
        return np.repeat(np.arange(len(self.key)), np.diff(self.start))

    @cached_property
    def total(self) -> Floats:
        """Total weight of every context."""
        return np.bincount(self.owner, self.weight, minlength=len(self.key))

    @cached_property
    def edges(self) -> Floats:
        """Running sum of the weights of all entries, from 0."""
        return np.concatenate([[0.0], np.cumsum(self.weight)])

    @cached_property
    def entry(self) -> Codes:
        """Context and token of every entry as one sorted number."""
        return np.asarray(self.owner * self.vocabulary + self.token)

    def find(self, key: Codes) -> tuple[Codes, NDArray[np.bool_]]:
        """Place of contexts in `key`, and whether they were seen; any place where they were not."""
        return _find(self.key, key)

    def after(self, place: Codes, token: Codes) -> Floats:
        """Weight of tokens after the contexts at these places."""
        entry, seen = _find(self.entry, place * self.vocabulary + token)
        return np.where(seen, self.weight[entry], 0.0)


def count_rows_of_tokens(grammar: Grammar, rows: Codes, weights: Floats | None) -> Counts:
    """Count rows (replicate, obs, position) at weights (replicate, obs); None is weight 1."""
    grammar.check(rows)
    replicates = rows.shape[0]
    if replicates * grammar.contexts >= LARGEST:
        raise ValueError(
            f"{replicates} replicates of {grammar.contexts} contexts are more than 64 bits can "
            "number: lower the order or the vocabulary"
        )
    context = grammar.all_contexts(rows)
    context += (np.arange(replicates) * grammar.contexts)[:, None, None]
    mass = np.ones(rows.shape[:2]) if weights is None else np.broadcast_to(weights, rows.shape[:2])
    every = np.broadcast_to(mass[..., None], rows.shape)
    return _collect(grammar, replicates, context.ravel(), rows.ravel(), every.ravel())


def merge_counts(grammar: Grammar, counts: Sequence[Counts], factors: Sequence[float]) -> Counts:
    """Add up the counts of several batches, each batch's weights times its factor."""
    if len(counts) == 1 and factors[0] == 1.0:
        return counts[0]
    key = np.concatenate([c.key[c.owner] for c in counts])
    token = np.concatenate([c.token for c in counts])
    weight = np.concatenate([f * c.weight for f, c in zip(factors, counts, strict=True)])
    return _collect(grammar, counts[0].replicates, key, token, weight)


def ranks(ordered: Codes) -> Codes:
    """Place of every entry of a sorted array among those that equal it, from 0."""
    first = np.flatnonzero(_changes(ordered))
    lengths = np.diff(np.append(first, len(ordered)))
    return np.asarray(np.arange(len(ordered)) - np.repeat(first, lengths))


def _collect(grammar: Grammar, replicates: int, key: Codes, token: Codes, weight: Floats) -> Counts:
    used = weight > 0
    if not used.all():
        key, token, weight = key[used], token[used], weight[used]
    order = np.lexsort((token, key))
    key, token, weight = key[order], token[order], weight[order]
    new_context = _changes(key)
    first = np.flatnonzero(new_context | _changes(token))
    start = np.flatnonzero(new_context[first])
    return Counts(
        replicates,
        grammar.contexts,
        grammar.vocabulary,
        key[first][start],
        np.append(start, len(first)),
        token[first],
        np.add.reduceat(weight, first) if len(first) else weight,
    )


def _changes(ordered: Codes) -> NDArray[np.bool_]:
    """Whether an entry differs from the one before it; the first one does."""
    out = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=out[1:])
    return out


def _find(ordered: Codes, wanted: Codes) -> tuple[Codes, NDArray[np.bool_]]:
    place = np.minimum(np.searchsorted(ordered, wanted), max(len(ordered) - 1, 0))
    return place, ordered[place] == wanted


def _first(vocabulary: int, tokens: int) -> int:
    """Code of the first context of so many tokens."""
    return sum(vocabulary**j for j in range(tokens))
