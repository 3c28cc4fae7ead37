"""Captions in JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from seqforge.corpus import read_objects
from seqforge_tasks.captioning.photos.sources.columns import record_of
from seqforge_tasks.captioning.photos.sources.record import Record


class LineCaptions:
    """A JSON object in each line: `{"file": "a.jpg", "captions": ["…", "…"], "split": "train"}`.

    Args:
        path: A UTF-8 file; with the ending `.gz` it is unpacked on the way.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def records(self) -> Iterator[Record]:
        """Yield a record for each line.

        Raises:
            UserError: The file cannot be read, or a line is no such object.
        """
        for line, row in read_objects(self.path):
            yield record_of(row, f"'{self.path}', line {line},")
