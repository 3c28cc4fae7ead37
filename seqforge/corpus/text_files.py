"""Files as the source of a corpus."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from seqforge.corpus.paths import find_files
from seqforge.corpus.plain_text import BLOCK, read_blocks
from seqforge.corpus.source import TextPiece, joined
from seqforge.corpus.tables import read_column, table_kind
from seqforge.errors import UserError


class TextFiles:
    """Text files, or tables with a text column, one after the other.

    Rows of tables and files of plain text are documents. Rows are joined by the end mark. Between
    two files of plain text stands as much of it as the first one does not end with already, so that
    an empty line is one empty line, whether or not a file ends with a line feed.

    Args:
        paths: What `find_files` takes.
        column: The tables' text column; None: the one named `text`, or the only one with text.
        document_end: What stands between two documents.

    Raises:
        UserError: There is no such file, tables and plain text are mixed, or plain text is given
            with a column.
    """

    def __init__(
        self,
        paths: str | Sequence[str],
        column: str | None = None,
        document_end: str = "\n\n",
    ) -> None:
        self.files = find_files(paths)
        self.column = column
        self.document_end = document_end
        tables = [file for file in self.files if table_kind(file)]
        plain = [file for file in self.files if not table_kind(file)]
        if tables and plain:
            raise UserError(
                f"'{tables[0].name}' is a table and '{plain[0].name}' is plain text",
                where=f"data.path: {tables[0].parent}",
                todo=f"give only one kind, by a pattern such as '*{tables[0].suffix}'",
            )
        if plain and column is not None:
            raise UserError(
                f"'{plain[0]}' is plain text: it has no column '{column}'",
                where="data.column",
                accepted=[".csv", ".tsv", ".jsonl"],
                todo="leave the column out, or give a table",
            )
        self.marked = bool(plain)

    @property
    def name(self) -> str:
        """The first file's name, without its ending."""
        return self.files[0].name.partition(".")[0] or "text"

    def size(self) -> int:
        """Return the files' size in bytes, packed ones as they are."""
        return sum(file.stat().st_size for file in self.files)

    def key(self) -> dict[str, Any]:
        """Return names, sizes and times of the files, and how they are joined.

        Raises:
            UserError: A file cannot be read.
        """
        alone = self.marked and len(self.files) == 1
        return {
            "files": [_stamp(file) for file in self.files],
            "column": self.column,
            "joined_by": None if alone else self.document_end,
        }

    def pieces(self) -> Iterator[TextPiece]:
        """Yield the text.

        Raises:
            UserError: A file cannot be read, is not UTF-8 or no proper table.
        """
        if self.marked:
            return self._plain()
        rows = (read_column(file, self.column) for file in self.files)
        return joined(chain.from_iterable(rows), self.document_end)

    def _plain(self) -> Iterator[TextPiece]:
        tail = ""
        for file in self.files:
            begins = True
            for block in read_blocks(file):
                if begins and tail:
                    yield TextPiece(_missing(tail, self.document_end))
                yield TextPiece(block, begins)
                begins = False
                tail = (tail + block)[-len(self.document_end) :]


def _missing(tail: str, end: str) -> str:
    """Return what has to follow a text for it to end with the end mark."""
    sizes = range(len(end), 0, -1)
    return end[next((size for size in sizes if tail.endswith(end[:size])), 0) :]


def _stamp(file: Path) -> list[str | int]:
    # Within one tick of the clock a file can be written twice: its beginning tells the two apart.
    try:
        status = file.stat()
        with file.open("rb") as opened:
            head = zlib.crc32(opened.read(BLOCK))
    except OSError as error:
        raise UserError(
            f"cannot read '{file}': {error.strerror}",
            where="data.path",
            todo="give a file that can be read",
        ) from error
    return [str(file.resolve()), status.st_size, status.st_mtime_ns, head]
