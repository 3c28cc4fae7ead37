"""Pairs in JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seqforge.corpus import read_objects
from seqforge_tasks.translation.parallel.pair import Pair
from seqforge_tasks.translation.parallel.rows import texts_of


class JsonPairs:
    """A JSON object in each line: {"en": …, "fr": …} or {"translation": {"en": …, "fr": …}}.

    Args:
        path: A UTF-8 file; with the ending `.gz` it is unpacked on the way.
        source: Key of the source.
        target: Key of the target.
    """

    def __init__(self, path: Path, source: str, target: str) -> None:
        self.path = path
        self.source = source
        self.target = target

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def pairs(self) -> Iterator[Pair]:
        """Yield the pairs.

        Raises:
            UserError: The file cannot be read, or a line lacks a language.
        """
        for line, row in read_objects(self.path):
            place = f"'{self.path}', line {line},"
            yield Pair(*texts_of(row, self.source, self.target, place), line)
