"""`SentenceVocabulary`: a vocabulary with marks for where sentences begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from seqforge.text.vocabulary import Vocabulary

PADDING: Final = 0
UNKNOWN_NUMBER: Final = 1
BEGIN: Final = 2
END: Final = 3

MARKS: Final = ("<pad>", "<unk>", "<s>", "</s>")
"""What the numbers 0 to 3 are called in every vocabulary of sentences."""


class SentenceVocabulary(Vocabulary, Protocol):
    """A vocabulary of whole sentences; its `encode` adds no marks, its `decode` drops them."""

    @property
    def begin(self) -> int:
        """The number of the mark before a sentence."""
        ...

    @property
    def end(self) -> int:
        """The number of the mark behind a sentence."""
        ...

    @property
    def padding(self) -> int:
        """The number that fills up shorter sentences of a batch."""
        ...

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of many texts, faster than one after the other."""
        ...

    def pieces(self, numbers: Iterable[int]) -> list[str]:
        """Return one string for each number, as labels of a picture show them."""
        ...
