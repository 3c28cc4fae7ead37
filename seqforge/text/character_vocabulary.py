"""Characters as a vocabulary: those of a training text, or a given alphabet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqforge.errors import UserError

UNKNOWN = "\ufffd"
"""Stands for every character that is not in the vocabulary."""


class CharacterVocabulary:
    """One number for each character; number 0 is the unknown character.

    Args:
        characters: The known characters, without repeats; numbered from 1 in this order.

    Raises:
        ValueError: A character is repeated, or there is none.
    """

    unit: ClassVar[str] = "character"
    unknown: ClassVar[int] = 0
    kind: ClassVar[str] = "characters"

    def __init__(self, characters: str) -> None:
        if not characters or len(set(characters)) != len(characters):
            raise ValueError("a vocabulary needs at least one character and no repeats")
        self.characters = characters
        self._symbols = UNKNOWN + characters
        self._numbers = {symbol: number for number, symbol in enumerate(self._symbols)}

    @classmethod
    def of(cls, text: Iterable[str]) -> CharacterVocabulary:
        """Return the vocabulary of a (training) text, or of its characters, in code point order."""
        return cls("".join(sorted(set(text) - {UNKNOWN})))

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> CharacterVocabulary:
        """Rebuild a vocabulary from its `spec`."""
        return cls(spec["characters"])

    def spec(self) -> dict[str, Any]:
        """Return the vocabulary as plain values."""
        return {"kind": self.kind, "characters": self.characters}

    def __len__(self) -> int:
        return len(self._symbols)

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the numbers of a text (N,); unknown characters become 0."""
        get = self._numbers.get
        return np.fromiter((get(symbol, 0) for symbol in text), dtype=np.int64, count=len(text))

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of numbers."""
        return "".join(self._symbols[number] for number in numbers)

    def decoder(self) -> CharacterDecoder:
        """Return a decoder for numbers that come one at a time."""
        return CharacterDecoder(self._symbols)

    def knows(self, text: str) -> bool:
        """Return whether every character of a text is in the vocabulary; U+FFFD never is."""
        return all(self._numbers.get(symbol) for symbol in text)

    def require_known(self, text: str) -> None:
        """Refuse a text with characters that are not in the vocabulary.

        Raises:
            UserError: Names the first such character and its place.
        """
        for place, symbol in enumerate(text):
            if not self._numbers.get(symbol):
                raise UserError(
                    f"the character {symbol!r} at place {place} was not in the training text",
                    accepted=[repr(known) for known in self.characters],
                    todo="leave it out, or let unknown characters be replaced",
                )


class CharacterDecoder:
    """Turns numbers into characters, one for one.

    Args:
        symbols: The character of each number.
    """

    def __init__(self, symbols: str) -> None:
        self._symbols = symbols

    def feed(self, number: int) -> str:
        """Return the character of a number."""
        return self._symbols[number]

    def close(self) -> str:
        """Return nothing: every number was a whole character."""
        return ""
