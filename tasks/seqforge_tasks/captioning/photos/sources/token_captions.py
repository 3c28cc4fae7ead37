"""Captions as Flickr8k and Flickr30k are distributed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from seqforge.corpus import read_lines
from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.sources.record import Record
from seqforge_tasks.captioning.photos.splits import NOT_LISTED


class TokenCaptions:
    """A caption in each line: `file#0`, a tab, and the caption.

    Args:
        path: The file, such as `Flickr8k.token.txt`.
        lists: The file that lists the pictures of each split, such as
            `Flickr_8k.trainImages.txt` for "train"; none: the pictures have no splits.
    """

    def __init__(self, path: Path, lists: Mapping[str, Path] | None = None) -> None:
        self.path = path
        self.lists = lists or {}

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def records(self) -> Iterator[Record]:
        """Yield a record for each caption.

        Raises:
            UserError: A file cannot be read, or a line has another form.
        """
        splits = {
            file: split
            for split, path in self.lists.items()
            for line in read_lines(path)
            if (file := line.strip())
        }
        for number, line in enumerate(read_lines(self.path), start=1):
            if line.isspace():
                continue
            place = f"'{self.path}', line {number},"
            name, tab, caption = line.rstrip("\n").partition("\t")
            file, sign, _ = name.rpartition("#")
            if not tab or not sign:
                raise UserError(
                    f"{place} is not of the form file#number, tab, caption",
                    where="data.path",
                    todo="mend that line, or say what the file is: --data.format NAME",
                )
            split = splits.get(file, NOT_LISTED) if splits else None
            yield Record(file, (caption,), place, split)
