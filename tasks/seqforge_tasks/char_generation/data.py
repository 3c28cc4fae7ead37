"""Text files as the data of character generation."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pydoc_data.topics import topics
from typing import Any, Literal

from seqforge.corpus import CorpusData, TextFiles, TextPiece, TextSource


class TextFile(CorpusData):
    """The text of files, read through from its beginning to its end in every epoch.

    The text is encoded once, into a cache beside the runs. Its end is kept for validation; the rest
    is cut into `batch_size` contiguous lanes, which are read with the state carried on (truncated
    backpropagation through time). The vocabulary is that of the training part.

    Args:
        path: UTF-8 text, CSV, TSV or JSON lines, each also packed by gzip: a file, a folder, a
            pattern such as `songs/**/*.txt`, or a list of these. None: the text that comes with
            Python itself, the language reference in `pydoc_data.topics`, about 465,000 characters.
        seq_len: Characters in one step of truncated backpropagation.
        batch_size: Lanes, over all processes together.
        validation: Share of the text, at its end, that is kept for validation; 0: none.
        num_workers: Processes that load data, for each training process.
        documents: "join" reads on through the ends of documents, as the lecture does; "reset"
            starts each one with a fresh state, at a chunk's start, and pads its last chunk.
        document_end: What ends a document, and stands between a table's rows; by default an empty
            line.
        column: The text column of a table; None: the one named `text`, or the only one with text.
        unit: "characters", or the "bytes" of UTF-8: then lengths count bytes.
        alphabet: The known characters; None: those of the training part.
        limit: Characters that are used of the text, from its beginning; None: all.
        validation_lanes: Lanes in which validation is read statefully, at most, each of at least
            1,000 characters; 1: one pass from the beginning to the end.
        cold_window: Characters in a window that is validated on a fresh state; 0: none are.
        cache: Folder of the encoded text; None: `cache` beside the run folders.

    Raises:
        UserError: The text is missing, not UTF-8 or too short, or an argument is out of range.
    """

    def __init__(
        self,
        path: str | list[str] | None = None,
        seq_len: int = 50,
        batch_size: int = 64,
        validation: float = 0.05,
        num_workers: int = 0,
        documents: Literal["join", "reset"] = "join",
        document_end: str = "\n\n",
        column: str | None = None,
        unit: Literal["characters", "bytes"] = "characters",
        alphabet: str | None = None,
        limit: int | None = None,
        validation_lanes: int = 64,
        cold_window: int = 256,
        cache: str | None = None,
    ) -> None:
        super().__init__(
            seq_len=seq_len,
            batch_size=batch_size,
            validation=validation,
            num_workers=num_workers,
            documents=documents,
            document_end=document_end,
            unit=unit,
            alphabet=alphabet,
            limit=limit,
            validation_lanes=validation_lanes,
            cold_window=cold_window,
            cache=cache,
        )
        self.path = path
        self.column = column

    def source(self) -> TextSource:
        """Return the files, or the text that comes with Python.

        Raises:
            UserError: There are no such files.
        """
        if self.path is None:
            return BuiltinText()
        return TextFiles(self.path, self.column, self.document_end)


class BuiltinText:
    """The text that comes with Python, as a source."""

    name = "python"
    marked = True

    def size(self) -> int:
        """Return its size in bytes, about."""
        return len(builtin_text())

    def key(self) -> dict[str, Any]:
        """Return what tells it from that of another version of Python."""
        return {"builtin": zlib.crc32(builtin_text().encode())}

    def pieces(self) -> Iterator[TextPiece]:
        """Yield it."""
        yield TextPiece(builtin_text(), begins=True)


def builtin_text() -> str:
    """Return the text that comes with Python: its language reference, topic by topic."""
    return "\n".join(topics[name] for name in sorted(topics))
