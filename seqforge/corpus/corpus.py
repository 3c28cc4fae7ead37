"""An encoded corpus on the disk."""

from __future__ import annotations

import hashlib
import json
import sys
from bisect import bisect_left
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqforge.corpus.documents import (
    SEARCHED,
    DocumentStarts,
    mapped_documents,
    write_marked,
)
from seqforge.corpus.tokens import CorpusTokens
from seqforge.corpus.writer import ABOUT, DOCUMENTS, FORMAT, TOKENS
from seqforge.text.byte_vocabulary import ByteVocabulary
from seqforge.text.character_vocabulary import UNKNOWN, CharacterVocabulary
from seqforge.text.vocabulary import Vocabulary


class Corpus:
    """A text that was encoded once: numbers in a file, which is mapped into memory.

    Args:
        folder: What `open_corpus` made.

    Attributes:
        folder: As given.
        unit: "characters" or "bytes".
        characters: All characters of the text in the order of their first appearance; empty for
            bytes.
        checksum: Of the whole text (CRC-32 of its UTF-8 form): another one is another text.

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
        self.checksum: int = about["checksum"]
        self._firsts: list[int] = about["first_appearances"]
        self._marked: bool = about["marked"]
        self._dtype = np.dtype(about["dtype"])
        self._length: int = about["length"]
        if (folder / TOKENS).stat().st_size != self._length * self._dtype.itemsize:
            raise ValueError("the tokens are not whole")
        mapped_documents(folder / DOCUMENTS, self._length)

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
    ) -> DocumentStarts:
        """Return where documents begin in a range of the text, counted from its beginning.

        Rows of tables and files begin documents; so does, in plain text, what follows an end mark.
        Those are searched for once and written beside the text.

        Args:
            end_mark: What ends a document; it stays part of it.
            first: Where the range begins, itself a start.
            last: Where it ends, exclusive; None: at the text's end.

        Raises:
            UserError: What was found cannot be written.
        """
        end = len(self) if last is None else last
        return DocumentStarts(self._documents(end_mark), first, end)

    def count_unknown(self, vocabulary: Vocabulary, first: int, last: int) -> int:
        """Return how many characters of a range a vocabulary lacks, U+FFFD itself included.

        Args:
            vocabulary: Of the same unit.
            first: Where the range begins.
            last: Where it ends, exclusive.
        """
        unknown = vocabulary.encode(self.characters) == vocabulary.unknown
        if not unknown[: self.distinct(last)].any():
            return 0  # most texts need not be read through
        tokens = self._tokens()
        blocks = (tokens[at : min(at + SEARCHED, last)] for at in range(first, last, SEARCHED))
        return sum(int(np.count_nonzero(unknown[block])) for block in blocks)

    def _documents(self, end_mark: str) -> Path:
        """Return the file of all positions where documents begin."""
        mark = self._numbers(end_mark)
        if not self._marked or mark is None:
            return self.folder / DOCUMENTS
        digest = hashlib.sha256(end_mark.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        file = self.folder / f"marked-{digest}.bin"
        try:
            mapped_documents(file, len(self))
        except (OSError, ValueError):  # there is none, or a damaged one
            begins = mapped_documents(self.folder / DOCUMENTS, len(self))
            write_marked(file, self._tokens(), begins, mark)
        return file

    def _tokens(self) -> NDArray[np.integer[Any]]:
        """Return all tokens, mapped for as long as they are wanted."""
        return np.memmap(self.folder / TOKENS, dtype=self._dtype, mode="r")

    def _numbers(self, text: str) -> NDArray[np.int64] | None:
        if self.unit == "bytes":
            return ByteVocabulary().encode(text)
        places = [self.characters.find(character) for character in text]
        return None if min(places) < 0 else np.array(places)


def read_corpus(folder: Path) -> Corpus | None:
    """Return the corpus in a folder; None if there is none, or a damaged one."""
    try:
        return Corpus(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
