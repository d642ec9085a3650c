"""Text in, text out: tokens and their codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from bayescollapse._checks import integer
from bayescollapse.models._ngram.counts import Codes

__all__ = ["UNKNOWN", "Vocabulary"]

UNKNOWN = "<unk>"
"""Token of code 0, which stands for all tokens that are not in the vocabulary."""

WORD = re.compile(rf"{UNKNOWN}|\w+|[^\w\s]")
BEFORE_CLOSING = re.compile(r" (?=[.,;:!?)\]}])")
AFTER_OPENING = re.compile(r"(?<=[(\[{]) ")


@dataclass(frozen=True)
class Vocabulary:
    r"""Tokens of a language model, in the order of their codes.

    Parameters
    ----------
    tokens : tuple of str
        Distinct tokens; the first is ``<unk>``, which stands for every other one.
    level : {"word", "character"}
        ``word``: runs of letters and digits, and single punctuation marks; spaces and line breaks
        are not kept. ``character``: single characters, all of them kept.

    Raises
    ------
    ValueError
        If tokens repeat, the first is not ``<unk>``, or the level is unknown.

    Examples
    --------
    >>> from bayescollapse.models import ngram
    >>> words = ngram.Vocabulary.from_text("the cat and the dog, and the bird", size=4)
    >>> words.tokens
    ('<unk>', 'the', 'and', ',')
    >>> words.encode("the fish and the cat").tolist()
    [1, 0, 2, 1, 0]
    >>> words.decode([1, 0, 3, 2, 1])
    'the <unk>, and the'
    """

    tokens: tuple[str, ...]
    level: str = "word"

    def __post_init__(self) -> None:
        """Refuse tokens and levels that cannot be read back."""
        if self.level not in ("word", "character"):
            raise ValueError(f"level must be 'word' or 'character', got {self.level!r}")
        if not self.tokens or self.tokens[0] != UNKNOWN:
            raise ValueError(
                f"tokens must begin with {UNKNOWN!r}, got {self.tokens[:1]}: use "
                "Vocabulary.from_text"
            )
        if len(set(self.tokens)) < len(self.tokens):
            twice = [token for token, n in Counter(self.tokens).items() if n > 1]
            raise ValueError(f"tokens must be distinct, got {twice[:5]} more than once")

    @classmethod
    def from_text(cls, text: str, *, level: str = "word", size: int | None = None) -> Vocabulary:
        """Collect the tokens of a text, the most frequent first.

        Parameters
        ----------
        text : str
            Any text; upper and lower case are kept apart.
        level : {"word", "character"}, default "word"
            What a token is.
        size : int, optional
            Largest number of tokens, ``<unk>`` included, at least 2; all of the text if not given.
            Tokens of equal frequency come in alphabetical order.

        Returns
        -------
        Vocabulary
            The vocabulary.

        Raises
        ------
        ValueError
            If the text has no token.
        """
        if size is not None:
            integer("size", size, minimum=2)
        found = Counter(_split(text, level))
        found.pop(UNKNOWN, None)
        if not found:
            raise ValueError("text must have at least one token, got none")
        ordered = sorted(found, key=lambda token: (-found[token], token))
        return cls((UNKNOWN, *ordered[: None if size is None else size - 1]), level)

    def __len__(self) -> int:
        """Count the tokens, ``<unk>`` included."""
        return len(self.tokens)

    def encode(self, text: str) -> Codes:
        """Codes of the tokens of a text, shape (token,); 0 where a token is unknown."""
        codes = self._codes
        found = [codes.get(token, 0) for token in _split(text, self.level)]
        return np.array(found, dtype=np.int64)

    def decode(self, codes: ArrayLike) -> str:
        """Text of codes of shape (token,).

        Words are joined by single spaces, none before closing and after opening punctuation; its
        codes are the given ones again. Characters are joined as they are.

        Raises
        ------
        ValueError
            If a code is out of range.
        """
        array = np.asarray(codes)
        if array.size and (array.min() < 0 or array.max() >= len(self)):
            raise ValueError(
                f"codes must lie between 0 and {len(self) - 1}, got values from {array.min()} to "
                f"{array.max()}: were they encoded with another vocabulary?"
            )
        found = [self.tokens[int(code)] for code in array]
        if self.level == "character":
            return "".join(found)
        return AFTER_OPENING.sub("", BEFORE_CLOSING.sub("", " ".join(found)))

    def rows(self, text: str, *, length: int) -> xr.Dataset:
        """Cut a text into rows of equal length, for ``fit``, ``held_out`` or a ``bc.Table``.

        Parameters
        ----------
        text : str
            Any text; what is left after the last full row is dropped.
        length : int
            Tokens of a row.

        Returns
        -------
        Dataset
            Codes ``y`` (obs, position).

        Raises
        ------
        ValueError
            If the text does not fill one row.
        """
        integer("length", length)
        codes = self.encode(text)
        rows = len(codes) // length
        if rows == 0:
            raise ValueError(
                f"text has {len(codes)} tokens, which do not fill one row of length {length}: give "
                "more text or shorter rows"
            )
        cut = codes[: rows * length].reshape(rows, length)
        return xr.Dataset({"y": (("obs", "position"), cut)})

    def text(self, rows: xr.Dataset) -> list[str]:
        """Text of every row of codes ``y`` (obs, position), as ``emit`` returns them."""
        codes: Iterable[Codes] = rows["y"].transpose("obs", "position").to_numpy()
        return [self.decode(row) for row in codes]

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {token: code for code, token in enumerate(self.tokens)}


def _split(text: str, level: str) -> list[str]:
    return WORD.findall(text) if level == "word" else list(text)
