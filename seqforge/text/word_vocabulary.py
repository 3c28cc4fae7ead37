"""Words, of text that is tokenised already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqforge.errors import UserError
from seqforge.text.character_vocabulary import UNKNOWN
from seqforge.text.sentence_vocabulary import BEGIN, END, MARKS, PADDING, UNKNOWN_NUMBER


class WordVocabulary:
    """One number for each word; texts are split at spaces and joined by them.

    Args:
        words: The known words, without repeats; numbered from 4 in this order.

    Raises:
        ValueError: A word is repeated, is empty or holds a space.
    """

    unit: ClassVar[str] = "word"
    kind: ClassVar[str] = "words"
    padding: ClassVar[int] = PADDING
    unknown: ClassVar[int] = UNKNOWN_NUMBER
    begin: ClassVar[int] = BEGIN
    end: ClassVar[int] = END

    def __init__(self, words: Sequence[str]) -> None:
        if len(set(words)) != len(words) or not all(words) or any(" " in word for word in words):
            raise ValueError("words of a vocabulary are not empty, not repeated, and hold no space")
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(words, start=len(MARKS))}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> WordVocabulary:
        """Rebuild a vocabulary from its `spec`."""
        return cls(spec["words"])

    def spec(self) -> dict[str, Any]:
        """Return the vocabulary as plain values."""
        return {"kind": self.kind, "words": list(self.words)}

    def __len__(self) -> int:
        return len(MARKS) + len(self.words)

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the numbers of a text's words (N,); unknown ones become 1."""
        return np.asarray(self._encoded(text), dtype=np.int64)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of many texts."""
        return [self._encoded(text) for text in texts]

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the words of numbers, joined by spaces; unknown ones become U+FFFD."""
        return " ".join(filter(None, (self._word(int(number)) for number in numbers)))

    def decoder(self) -> WordDecoder:
        """Return a decoder for numbers that come one at a time."""
        return WordDecoder(self)

    def pieces(self, numbers: Iterable[int]) -> list[str]:
        """Return the words, and the marks by their names."""
        names = (*MARKS, *self.words)
        return [names[int(number)] for number in numbers]

    def knows(self, text: str) -> bool:
        """Return whether every word of a text is in the vocabulary."""
        return self.unknown not in self._encoded(text)

    def require_known(self, text: str) -> None:
        """Refuse a text with words that are not in the vocabulary.

        Raises:
            UserError: Names the first such word and its place.
        """
        for place, word in enumerate(_split(text)):
            if word not in self._numbers:
                raise UserError(
                    f"the word {word!r} at place {place} was not in the training text",
                    todo="leave it out, or let unknown words be replaced",
                )

    def _encoded(self, text: str) -> list[int]:
        return [self._numbers.get(word, UNKNOWN_NUMBER) for word in _split(text)]

    def _word(self, number: int) -> str:
        if number < len(MARKS):
            return UNKNOWN if number == UNKNOWN_NUMBER else ""
        return self.words[number - len(MARKS)]


class WordDecoder:
    """Turns numbers into words, with spaces between them.

    Args:
        vocabulary: The words.
    """

    def __init__(self, vocabulary: WordVocabulary) -> None:
        self._vocabulary = vocabulary
        self._first = True

    def feed(self, number: int) -> str:
        """Return the word of a number, after a space unless it is the first."""
        word = self._vocabulary.decode([number])
        if not word:
            return ""
        space = "" if self._first else " "
        self._first = False
        return space + word

    def close(self) -> str:
        """Return nothing: every number was a whole word."""
        return ""


def train_words(
    texts: Iterable[str], *, size: int | None = None, min_count: int = 1
) -> WordVocabulary:
    """Return the vocabulary of texts' words, the most frequent first, then by the alphabet.

    Args:
        texts: The (training) texts, their words apart from each other by spaces.
        size: Words at most, the four marks included; the rarest are left out. None: all.
        min_count: How often a word occurs at least.

    Raises:
        UserError: No word is left.
    """
    counts = Counter(word for text in texts for word in _split(text))
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    words = [word for word, count in ordered if count >= min_count]
    if size is not None:
        words = words[: max(0, size - len(MARKS))]
    if not words:
        raise UserError(
            f"no word is left for a vocabulary: the text has {len(ordered)} different ones, "
            f"min_count is {min_count}, the size {size}",
            todo="lower min_count, raise the size, or give more text",
        )
    return WordVocabulary(words)


def _split(text: str) -> list[str]:
    # At spaces alone: a no-break space holds its two words together.
    return [word for word in text.split(" ") if word]
