"""A data set of the `datasets` library as the source of a corpus."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from seqforge.corpus.dataset_opening import explained, open_dataset, require_named
from seqforge.corpus.source import TextPiece, joined
from seqforge.corpus.tables import as_text, choose_column

ROWS = 256
"""Rows that are fetched at a time."""


class DatasetRows:
    """The text column of a data set's split, row by row; each row is a document.

    Args:
        dataset: A name on the Hugging Face Hub, a local folder, or a builder such as "json".
        configuration: The configuration's name, for a data set that has several.
        split: The split, such as "train" or "train[:10%]".
        column: The text column; None: the one named `text`, or the only one with text.
        files: For builders and folders: the files to read.
        revision: Branch, tag or commit on the Hub; None: the newest.
        streaming: Read the rows as they come, without storing the data set itself.
        limit: Characters after which a stream is left; None: at its end.
        document_end: What stands between two rows.

    Raises:
        UserError: The name is empty.
    """

    marked = False

    def __init__(
        self,
        dataset: str,
        configuration: str | None = None,
        split: str = "train",
        column: str | None = None,
        files: str | Sequence[str] | None = None,
        revision: str | None = None,
        streaming: bool = False,
        limit: int | None = None,
        document_end: str = "\n\n",
    ) -> None:
        require_named(dataset)
        self.dataset = dataset
        self.configuration = configuration
        self.split = split
        self.column = column
        self.files = files
        self.revision = revision
        self.streaming = streaming
        self.limit = limit
        self.document_end = document_end

    @property
    def name(self) -> str:
        """The data set's name, without its owner."""
        return Path(self.dataset).name or "dataset"

    def size(self) -> int:
        """Return 0: how much text a data set holds is known when it was read."""
        return 0

    def key(self) -> dict[str, Any]:
        """Return what was asked for, and the fingerprint of what it is.

        A stream has none. Files on this machine are told apart by size and time.

        Raises:
            UserError: There is no such data set, or it cannot be fetched.
        """
        asked = (self.dataset, self.configuration, self.split, self.revision, self.files)
        found = self._local_stamps() if self.streaming else self._rows._fingerprint
        return {
            "dataset": list(asked),
            "column": self.column,
            "joined_by": self.document_end,
            "fingerprint": found,
            "limit": self.limit if self.streaming else None,
        }

    def pieces(self) -> Iterator[TextPiece]:
        """Yield the rows' texts.

        Raises:
            UserError: There is no such column, or a row has no text.
        """
        taken = 0
        for piece in joined(self._texts(), self.document_end):
            yield piece
            taken += len(piece.text)
            if self.streaming and self.limit is not None and taken >= self.limit:
                return

    def _texts(self) -> Iterator[str]:
        chosen, number = None, 0
        with explained(self.dataset, self.files):
            for block in self._rows.iter(batch_size=ROWS):
                for cells in zip(*block.values(), strict=True):
                    row: Mapping[str, Any] = dict(zip(block, cells, strict=True))
                    if chosen is None:
                        chosen = choose_column(row, self.column, self.dataset)
                    yield as_text(row[chosen], f"row {number} of '{self.dataset}'", chosen)
                    number += 1

    @cached_property
    def _rows(self) -> Any:
        return open_dataset(
            self.dataset,
            self.configuration,
            split=self.split,
            files=self.files,
            revision=self.revision,
            streaming=self.streaming,
        )

    def _local_stamps(self) -> list[list[str | int]]:
        named = [self.files] if isinstance(self.files, str) else self.files or []
        names = (self.dataset, *named)
        found = [each for name in names for each in glob.glob(name, recursive=True)]  # noqa: PTH207
        files = [file for each in found for file in (Path(each), *sorted(Path(each).rglob("*")))]
        return [
            [str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns]
            for file in files
            if file.is_file()
        ]
