"""Pairs in a table of two columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seqforge.corpus import read_lines
from seqforge.errors import UserError, closest_match
from seqforge_tasks.translation.parallel.pair import Pair


class TabbedPairs:
    """Cells apart from each other by tabs, a pair in each line; quotes are part of the text.

    A first line that holds the names of both languages is a header: then there may be more columns,
    in any order. Without one there are two columns, the source first.

    Args:
        path: A UTF-8 file; with the ending `.gz` it is unpacked on the way.
        source: Language of the source.
        target: Language of the target.
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
        """Yield the pairs; lines with nothing in them are passed over.

        Raises:
            UserError: The file cannot be read, a line has another number of cells, or a header
                lacks a language.
        """
        columns, first, second = 2, 0, 1
        for line, text in enumerate(read_lines(self.path), start=1):
            cells = text.removesuffix("\n").split("\t")
            if line == 1 and (self.source in cells or self.target in cells or len(cells) > 2):
                columns = len(cells)
                first, second = self._column(cells, self.source), self._column(cells, self.target)
            elif len(cells) != columns and cells != [""]:
                raise UserError(
                    f"'{self.path}', line {line}, has {_tabs(len(cells) - 1)}, not {columns - 1}",
                    where="data.path",
                    todo="write both texts of a pair in one line, with one tab between them",
                )
            elif cells != [""]:
                yield Pair(cells[first], cells[second], line)

    def _column(self, header: Sequence[str], language: str) -> int:
        if language not in header:
            raise UserError(
                f"'{self.path}' has no column '{language}' in its first line",
                where="data.source, data.target",
                accepted=header,
                closest=closest_match(language, header),
                todo="name two of its columns, or leave only two in it and no header",
            )
        return header.index(language)


def _tabs(count: int) -> str:
    return f"{count} tab{'s' * (count > 1)}" if count else "no tab"
