"""Captions in a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from seqforge.corpus import read_lines
from seqforge.errors import UserError
from seqforge_tasks.captioning.photos.sources.columns import record_of
from seqforge_tasks.captioning.photos.sources.record import Record


class TableCaptions:
    """A row for each caption, under a header such as `file_name,text` or `image,caption`.

    Such are the `metadata.csv` of image folders and the `captions.txt` of Flickr8k on Kaggle. A
    column `split` may say which part a picture belongs to.

    Args:
        path: A UTF-8 file; `.tsv` means cells between tabs, `.gz` that it is unpacked on the way.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def records(self) -> Iterator[Record]:
        """Yield a record for each row; blank lines are passed over.

        Raises:
            UserError: The file cannot be read, or a row does not fit its header.
        """
        packed = self.path.name.lower().removesuffix(".gz")
        reader = csv.reader(
            read_lines(self.path), delimiter="\t" if packed.endswith(".tsv") else ",", strict=True
        )
        try:
            header = [name.strip() for name in next(reader, [])]
            for cells in reader:
                if not cells:
                    continue
                place = f"'{self.path}', line {reader.line_num},"
                if len(cells) != len(header):
                    raise UserError(
                        f"{place} has {len(cells)} cells under a header of {len(header)}",
                        where="data.path",
                        todo="put captions that hold a comma between quotes",
                    )
                yield record_of(dict(zip(header, cells, strict=True)), place)
        except csv.Error as error:
            raise UserError(
                f"'{self.path}', line {reader.line_num}, is no proper row: {error}",
                where="data.path",
                todo="mend its quotes; a quote inside a quoted cell is written twice",
            ) from error
