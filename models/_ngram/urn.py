r"""Polya urns: rows of a Dirichlet n-gram model without a table of probabilities.

Drawing a table of transition probabilities from its Dirichlet posterior and then tokens from the
table gives the same law as drawing tokens one after the other from their predictive distribution,
each token joining the counts of its context (de Finetti). With :math:`a` pseudo-counts a token,
:math:`n_{cv}` weighted counts and :math:`r_{cv}` tokens drawn so far after context c,

.. math:: \Pr(v \mid c) = \frac{a + n_{cv} + r_{cv}}{a V + n_c + r_c}

No row of the table is ever made, so a vocabulary of 50,000 costs no more than one of 50. Rows that
share a posterior draw share an urn; a plug-in emission never reinforces.

At a temperature :math:`\tau`, every token of a plug-in emission has its probability raised to
:math:`1/\tau` and renormalised within its context.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayescollapse.estimator.exact import Floats
from bayescollapse.models._ngram.counts import LARGEST, Codes, Counts, Grammar, ranks

__all__ = ["draw_rows", "draw_tempered_rows", "log_rows"]


def draw_rows(
    grammar: Grammar,
    counts: Counts,
    concentration: float,
    rows: int,
    urns: int,
    rng: np.random.Generator,
) -> Codes:
    """Draw rows from the posterior predictive distribution.

    Parameters
    ----------
    grammar : Grammar
        Vocabulary, order and length of a row.
    counts : Counts
        Weighted counts of the block's replicates.
    concentration : float
        Pseudo-counts of every token.
    rows : int
        Rows a replicate.
    urns : int
        Posterior draws that the rows of a replicate share equally; 0 never reinforces.
    rng : Generator
        One uniform number is used for every token.

    Returns
    -------
    ndarray of int, shape (replicate, rows, length)

    Notes
    -----
    Tokens are drawn position by position, all rows at once: within a position, the tokens of one
    urn and context are in sequence, and a token that repeats an earlier one points to it. The
    order in which an urn is emptied does not change its law.
    """
    replicates = counts.replicates
    uniform = rng.random((replicates, rows, grammar.length))
    out = np.empty((replicates, rows, grammar.length), dtype=np.int64)
    replicate = np.arange(replicates)[:, None]
    if urns == 0:
        for position in range(grammar.length):
            context = grammar.context(out[..., :position]) + replicate * grammar.contexts
            out[..., position] = _from_posterior(
                counts, concentration, context, uniform[..., position]
            )
        return out
    each = rows // urns
    together = _together(grammar, replicates, urns)
    for first in range(0, urns, together):
        part = slice(first * each, min(first + together, urns) * each)
        urn = np.arange(part.stop - part.start) // each * replicates + replicate
        out[:, part] = _reinforced(grammar, counts, concentration, urn, uniform[:, part])
    return out


def draw_tempered_rows(
    grammar: Grammar,
    counts: Counts,
    concentration: float,
    rows: int,
    temperature: float,
    rng: np.random.Generator,
) -> Codes:
    """Draw rows from the posterior mean of the table, every token at a temperature.

    Parameters
    ----------
    grammar : Grammar
        Vocabulary, order and length of a row.
    counts : Counts
        Weighted counts of the block's replicates.
    concentration : float
        Pseudo-counts of every token.
    rows : int
        Rows a replicate.
    temperature : float
        Positive; below 1 the likelier tokens become more so.
    rng : Generator
        One uniform number is used for every token, as without a temperature.

    Returns
    -------
    ndarray of int, shape (replicate, rows, length)
    """
    tempered, pseudo = _tempered(counts, concentration, temperature)
    uniform = rng.random((counts.replicates, rows, grammar.length))
    out = np.empty((counts.replicates, rows, grammar.length), dtype=np.int64)
    replicate = np.arange(counts.replicates)[:, None]
    for position in range(grammar.length):
        context = grammar.context(out[..., :position]) + replicate * grammar.contexts
        out[..., position] = _from_posterior(tempered, pseudo, context, uniform[..., position])
    return out


def _tempered(counts: Counts, a: float, temperature: float) -> tuple[Counts, Floats]:
    """Weigh the tempered table as counts, with the pseudo-counts of every context.

    Within a context all unseen tokens are alike, so its tempered weights are pseudo-counts of all
    tokens and counts of those that were seen; they are relative to its largest weight.
    """
    logs = np.log(a + counts.weight)
    largest = np.maximum.reduceat(logs, counts.start[:-1]) if len(logs) else logs
    # Far below the precision of a sum, but never 0.
    pseudo = np.maximum(np.exp((np.log(a) - largest) / temperature), 1e-100)
    powers = np.exp((logs - largest[counts.owner]) / temperature)
    return replace(counts, weight=np.maximum(powers - pseudo[counts.owner], 0.0)), pseudo


def log_rows(grammar: Grammar, counts: Counts, concentration: float, rows: Codes) -> Floats:
    """Log predictive probability of each row by itself, (replicate, obs, position) to (…, obs).

    A row's tokens reinforce each other: this is the log of the posterior mean of the product of
    their probabilities, in nats a row.
    """
    rows = np.broadcast_to(rows, (counts.replicates, *rows.shape[1:]))
    out = np.empty(rows.shape[:2])
    together = _together(grammar, counts.replicates, rows.shape[1])
    for first in range(0, rows.shape[1], together):
        part = rows[:, first : first + together]
        out[:, first : first + together] = _log_part(grammar, counts, concentration, part)
    return out


def _together(grammar: Grammar, replicates: int, urns: int) -> int:
    """Urns whose contexts can be numbered in 64 bits; others are drawn after them."""
    return max(1, min(urns, LARGEST // (replicates * grammar.contexts)))


def _from_posterior(counts: Counts, a: float | Floats, context: Codes, uniform: Floats) -> Codes:
    """Tokens after contexts, without reinforcement; `a` may differ between contexts."""
    place, seen = counts.find(context)
    total = np.where(seen, counts.total[place], 0.0)
    if isinstance(a, np.ndarray):
        a = np.where(seen, a[place], 1.0)
    mass = uniform * (a * counts.vocabulary + total)
    return _token(counts, a, place, seen, mass)


def _token(
    counts: Counts, a: float | Floats, place: Codes, seen: NDArray[np.bool_], mass: Floats
) -> Codes:
    """Token at a point of a context's mass: pseudo-counts of all tokens first, then counts."""
    blind = a * counts.vocabulary
    from_prior = np.minimum(mass / a, counts.vocabulary - 1).astype(np.int64)
    target = counts.edges[counts.start[place]] + (mass - blind)
    entry = np.searchsorted(counts.edges, target, side="right") - 1
    entry = np.clip(entry, counts.start[place], counts.start[place + 1] - 1)
    return np.where(seen & (mass >= blind), counts.token[entry], from_prior)


def _reinforced(grammar: Grammar, counts: Counts, a: float, urn: Codes, uniform: Floats) -> Codes:
    """Rows of urns numbered `urn`, shape (replicate, rows); an urn holds one replicate's rows."""
    replicate = np.arange(counts.replicates)[:, None]
    out = np.empty(uniform.shape, dtype=np.int64)
    drawn_key, drawn_token = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    for position in range(grammar.length):
        code = grammar.context(out[..., :position])
        key = (urn * grammar.contexts + code).ravel()
        order = np.argsort(key, kind="stable")
        key = key[order]
        context = (replicate * grammar.contexts + code).ravel()[order]
        tokens = _next(
            counts, a, key, context, uniform[..., position].ravel()[order], drawn_key, drawn_token
        )
        flat = np.empty_like(tokens)
        flat[order] = tokens
        out[..., position] = flat.reshape(code.shape)
        drawn_key = np.concatenate([drawn_key, key])
        drawn_token = np.concatenate([drawn_token, tokens])
        merged = np.argsort(drawn_key, kind="stable")
        drawn_key, drawn_token = drawn_key[merged], drawn_token[merged]
    return out


def _next(
    counts: Counts,
    a: float,
    key: Codes,
    context: Codes,
    uniform: Floats,
    drawn_key: Codes,
    drawn_token: Codes,
) -> Codes:
    """Tokens of one position; `key` (urn and context) and `drawn_key` are sorted."""
    rank = ranks(key)
    begin = np.searchsorted(drawn_key, key, side="left")
    before = np.searchsorted(drawn_key, key, side="right") - begin
    place, seen = counts.find(context)
    total = a * counts.vocabulary + np.where(seen, counts.total[place], 0.0)
    mass = uniform * (total + before + rank)
    fresh = (mass < total) | (before + rank == 0)
    copied = np.where(fresh, 0, np.minimum((mass - total).astype(np.int64), before + rank - 1))
    tokens = _token(counts, a, place, seen, np.minimum(mass, total))
    old = ~fresh & (copied < before)
    tokens[old] = drawn_token[(begin + copied)[old]]
    # A token that repeats one of the same position points to it, and that one perhaps further.
    here = np.arange(len(key))
    source = np.where(fresh | old, here, here - rank + copied - before)
    while not np.array_equal(further := source[source], source):
        source = further
    return tokens[source]


def _log_part(grammar: Grammar, counts: Counts, a: float, rows: Codes) -> Floats:
    replicates, obs, length = rows.shape
    code = grammar.all_contexts(rows)
    replicate = np.arange(replicates)[:, None, None]
    row = replicate * obs + np.arange(obs)[None, :, None]
    own = (row * grammar.contexts + code).ravel()
    token = rows.ravel()
    place, seen = counts.find((replicate * grammar.contexts + code).ravel())
    after = np.where(seen, counts.after(place, token), 0.0)
    total = np.where(seen, counts.total[place], 0.0)
    again, again_total = _earlier(own, token), _earlier(own)
    ratio = (a + after + again) / (a * counts.vocabulary + total + again_total)
    return np.asarray(np.log(ratio).reshape(replicates, obs, length).sum(axis=2))


def _earlier(*columns: Codes) -> Codes:
    """How many earlier entries equal each entry in all columns."""
    order = np.lexsort(columns[::-1])
    changed = np.zeros(len(order), dtype=np.int64)
    for column in columns:
        ordered = column[order]
        changed[1:] |= ordered[1:] != ordered[:-1]
    out = np.empty(len(order), dtype=np.int64)
    out[order] = ranks(np.cumsum(changed))
    return out
