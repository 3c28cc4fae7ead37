"""Writing a corpus: characters become numbers once, and are read from the disk ever after."""

from __future__ import annotations

import json
import os
import sys
import zlib
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from seqforge.corpus.source import TextSource

FORMAT: Final = 3
"""Changes with what the files mean; a corpus of another format is made anew."""

TOKENS, DOCUMENTS, ABOUT = "tokens.bin", "documents.bin", "corpus.json"

BLOCK = 2**20
"""Characters that are encoded at a time."""

PIECES = 2**15
"""Pieces that wait to be encoded at most: a short string takes far more memory than its letters."""

Numbers = NDArray[np.integer[Any]]


class CorpusWriter:
    """Writes the text of a source as numbers, block by block.

    Numbers of characters are given in the order of their first appearance and take as many bytes as
    the largest needs: when a 257th character appears, what was written is widened.

    Args:
        folder: Where the files come; it exists.
        unit: "characters" or "bytes".
    """

    def __init__(self, folder: Path, unit: str) -> None:
        self._folder = folder
        self._units: _Units = _Bytes() if unit == "bytes" else _Characters()
        self._dtype = np.dtype(np.uint8)
        self._length = 0
        self._starts = array("q")
        self._waiting: list[str] = []
        self._waiting_characters = self._waiting_units = 0
        self._blank = True
        self._checksum = 0

    def write(self, source: TextSource, key: Mapping[str, Any]) -> bool:
        """Write all files of a corpus.

        Args:
            source: The text.
            key: What identifies it.

        Returns:
            Whether there is more in it than white space; if not, the files are of no use.

        Raises:
            UserError: The source cannot be read.
            OSError: The folder cannot be written.
        """
        self._file = (self._folder / TOKENS).open("wb")
        try:
            with (self._folder / DOCUMENTS).open("wb") as self._documents:
                for text, begins in source.pieces():
                    if text:
                        self._add(text, begins)
                self._starts.append(self._length + self._waiting_units)  # the end: all are there
                self._flush()
        finally:
            self._file.close()
        about = {
            "format": FORMAT,
            "unit": self._units.name,
            "dtype": self._dtype.name,
            "byteorder": sys.byteorder,
            "length": self._length,
            "checksum": self._checksum,
            "characters": self._units.characters,
            "first_appearances": self._units.firsts,
            "marked": source.marked,
            "source": dict(key),
        }
        text = json.dumps(about, indent=1, ensure_ascii=True)
        (self._folder / ABOUT).write_text(text, encoding="ascii")
        for each in (*self._folder.iterdir(), self._folder):
            synchronise(each)
        return not self._blank

    def _add(self, text: str, begins: bool) -> None:
        if begins:
            self._starts.append(self._length + self._waiting_units)
        self._waiting.append(text)
        self._waiting_characters += len(text)
        self._waiting_units += self._units.count(text)
        if self._waiting_characters >= BLOCK or len(self._waiting) >= PIECES:
            self._flush()

    def _flush(self) -> None:
        self._starts.tofile(self._documents)  # there may be more of them than memory holds
        del self._starts[:]
        text = "".join(self._waiting)
        self._waiting, self._waiting_characters, self._waiting_units = [], 0, 0
        self._blank = self._blank and (not text or text.isspace())
        for first in range(0, len(text), BLOCK):  # a single piece may be larger than a block
            block = text[first : first + BLOCK]
            self._checksum = zlib.crc32(block.encode("utf-8", "surrogatepass"), self._checksum)
            numbers = self._units.encode(block, self._length)
            needed = np.min_scalar_type(max(0, self._units.size() - 1))
            if needed.itemsize > self._dtype.itemsize:
                self._widen(needed)
            numbers.astype(self._dtype, copy=False).tofile(self._file)
            self._length += len(numbers)

    def _widen(self, dtype: np.dtype[Any]) -> None:
        narrow = self._folder / "narrow.bin"
        self._file.close()
        (self._folder / TOKENS).rename(narrow)
        self._file = (self._folder / TOKENS).open("wb")
        with narrow.open("rb") as file:
            while len(numbers := np.fromfile(file, dtype=self._dtype, count=BLOCK)):
                numbers.astype(dtype).tofile(self._file)
        narrow.unlink()
        self._dtype = dtype


def synchronise(path: Path) -> None:
    """Return when a file or folder is on the disk, so that no name comes before its content."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Units(Protocol):
    name: str
    characters: str
    firsts: list[int]

    def size(self) -> int: ...

    def count(self, text: str) -> int: ...

    def encode(self, text: str, position: int) -> Numbers: ...


class _Characters:
    """Gives each character a number when it first appears."""

    name = "characters"

    def __init__(self) -> None:
        self.characters = ""
        self.firsts: list[int] = []
        self._numbers = np.full(sys.maxunicode + 1, -1, dtype=np.int32)

    def size(self) -> int:
        return len(self.characters)

    def count(self, text: str) -> int:
        return len(text)

    def encode(self, text: str, position: int) -> Numbers:
        points: Numbers
        if text.isascii():
            points = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        else:
            points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        numbers: Numbers = self._numbers[points]
        if numbers.min() < 0:
            unseen, places = np.unique(points[(new := np.flatnonzero(numbers < 0))], True)
            for place in np.argsort(places):
                self._numbers[unseen[place]] = len(self.characters)
                self.characters += chr(int(unseen[place]))
                self.firsts.append(position + int(new[places[place]]))
            numbers = self._numbers[points]
        return numbers


class _Bytes:
    """The bytes of UTF-8 are their own numbers."""

    name = "bytes"

    def __init__(self) -> None:
        self.characters = ""
        self.firsts: list[int] = []

    def size(self) -> int:
        return 256

    def count(self, text: str) -> int:
        return len(text) if text.isascii() else len(text.encode("utf-8"))

    def encode(self, text: str, position: int) -> Numbers:
        return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
