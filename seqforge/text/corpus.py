"""An encoded corpus on the disk."""

from __future__ import annotations

import json
import sys
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqforge.text.byte_vocabulary import ByteVocabulary
from seqforge.text.character_vocabulary import UNKNOWN, CharacterVocabulary
from seqforge.text.corpus_tokens import CorpusTokens
from seqforge.text.corpus_writer import ABOUT, DOCUMENTS, FORMAT, TOKENS
from seqforge.text.vocabulary import Vocabulary

SEARCHED = 2**22
"""Tokens that are searched for end marks at a time."""


class Corpus:
    """A text that was encoded once: numbers in a file, which is mapped into memory.

    Args:
        folder: What `open_corpus` made.

    Attributes:
        folder: As given.
        unit: "characters" or "bytes".
        characters: All characters of the text in the order of their first appearance; empty for
            bytes.

    Raises:
        ValueError: The folder holds no whole corpus of this format.
        OSError: It cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        about = json.loads((folder / ABOUT).read_text(encoding="ascii"))
        if about.get("format") != FORMAT or about.get("byteorder") != sys.byteorder:
            raise ValueError("another format")
        self.unit: str = about["unit"]
        self.characters: str = about["characters"]
        self._firsts: list[int] = about["first_appearances"]
        self._marked: bool = about["marked"]
        self._dtype = np.dtype(about["dtype"])
        self._length: int = about["length"]
        if (folder / TOKENS).stat().st_size != self._length * self._dtype.itemsize:
            raise ValueError("the tokens are not whole")
        self._begins()

    def __len__(self) -> int:
        return self._length

    def vocabulary(self, last: int | None = None) -> Vocabulary:
        """Return the vocabulary of the text, or of its part before position `last`."""
        if self.unit == "bytes":
            return ByteVocabulary()
        known = self.characters[: self.distinct(last)]
        # A text of nothing but unknown characters has a vocabulary all the same.
        return CharacterVocabulary.of(known if known.strip(UNKNOWN) else "\n")

    def distinct(self, last: int | None = None) -> int:
        """Return how many different characters there are, or are before position `last`."""
        return len(self._firsts) if last is None else bisect_left(self._firsts, last)

    def tokens(
        self, vocabulary: Vocabulary, first: int = 0, last: int | None = None
    ) -> CorpusTokens:
        """Return a range of the text in a vocabulary's numbers.

        Args:
            vocabulary: Of the same unit; characters that it lacks become its unknown one.
            first: Where the range begins.
            last: Where it ends, exclusive; None: at the text's end.
        """
        table = None if self.unit == "bytes" else vocabulary.encode(self.characters)
        end = len(self) if last is None else last
        return CorpusTokens(self.folder / TOKENS, self._dtype, first, end, table)

    def document_starts(
        self, end_mark: str, first: int = 0, last: int | None = None
    ) -> NDArray[np.int64]:
        """Return where documents begin in a range of the text, counted from its beginning.

        Rows of tables and files begin documents; so does, in plain text, what follows an end mark.

        Args:
            end_mark: What ends a document; it stays part of it.
            first: Where the range begins, itself a start.
            last: Where it ends, exclusive; None: at the text's end.

        Returns:
            Ascending positions (D,), the first one 0.
        """
        end = len(self) if last is None else last
        begins = self._begins()
        inside = slice(*np.searchsorted(begins, [first, end]))
        parts = [np.array([first]), begins[inside]]
        del begins
        mark = self._numbers(end_mark)
        if self._marked and mark is not None:
            parts += list(self._ends(mark, first, end))
        starts = np.concatenate(parts)
        del parts  # there may be millions: no more copies than needed
        starts.sort()
        same = starts[1:] == starts[:-1]
        if same.any():
            starts = starts[np.append(True, ~same)]
        starts -= first
        return starts

    def _begins(self) -> NDArray[np.int64]:
        """Return where rows and files begin, mapped for as long as it is wanted."""
        begins: NDArray[np.int64] = np.load(self.folder / DOCUMENTS, mmap_mode="r")
        return begins

    def _numbers(self, text: str) -> NDArray[np.int64] | None:
        if self.unit == "bytes":
            return ByteVocabulary().encode(text)
        places = [self.characters.find(character) for character in text]
        return None if min(places) < 0 else np.array(places)

    def _ends(self, mark: NDArray[np.int64], first: int, last: int) -> Iterator[NDArray[np.int64]]:
        """Yield the positions behind end marks in a range, found from the left, none at its end."""
        tokens = np.memmap(self.folder / TOKENS, dtype=self._dtype, mode="r")
        size, free = len(mark), first
        for begin in range(first, last - size + 1, SEARCHED):
            block = tokens[begin : min(begin + SEARCHED + size - 1, last)]
            places = len(block) - size + 1
            found = np.ones(places, dtype=bool)
            for offset, number in enumerate(mark):
                found &= block[offset : offset + places] == number
            positions = np.flatnonzero(found) + begin
            ends = _apart(positions[positions >= free], size) + size
            free = int(ends[-1]) if len(ends) else free
            yield ends[ends < last]


def _apart(positions: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return positions without those that overlap one that was taken before them."""
    if not (np.diff(positions) < size).any():
        return positions
    taken: list[int] = []
    for position in positions.tolist():
        if not taken or position >= taken[-1] + size:
            taken.append(position)
    return np.array(taken)


def read_corpus(folder: Path) -> Corpus | None:
    """Return the corpus in a folder; None if there is none, or a damaged one."""
    try:
        return Corpus(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
